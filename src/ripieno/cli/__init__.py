"""The command line: parses, calls, prints. What it says is for musicians; the manual is its help.

One file a command. What it loads beside Typer it loads when the command runs, so that `ripieno --help` answers at once.
"""

from __future__ import annotations

import sys

from ripieno.cli.app import app
from ripieno.cli.check import check_command
from ripieno.cli.data import data_command
from ripieno.cli.evaluate import evaluate_command
from ripieno.cli.fix import fix_command
from ripieno.cli.harmonize import harmonize_command
from ripieno.cli.models import models_command
from ripieno.cli.play import play_command
from ripieno.cli.studio import studio_command
from ripieno.cli.train import train_command
from ripieno.errors import BadInput
from ripieno.options import BadOption, flag_of

__all__ = [
    "app",
    "check_command",
    "data_command",
    "evaluate_command",
    "fix_command",
    "harmonize_command",
    "main",
    "models_command",
    "play_command",
    "studio_command",
    "train_command",
]


def main() -> None:
    """Run the program; what it cannot use is said in one line, with exit code 2."""
    try:
        app()
    except BadOption as error:
        print(f"ripieno: {flag_of(error.name)} {error.value}: {error.expected}", file=sys.stderr)
        sys.exit(2)
    except BadInput as error:
        print(f"ripieno: {error}", file=sys.stderr)
        sys.exit(2)

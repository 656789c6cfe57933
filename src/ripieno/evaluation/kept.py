"""Results that are kept, so that an evaluation which was interrupted goes on and one that is repeated is quick.

Each result is a JSON file of its own, written whole or not at all, under a name that tells method, model, piece, seed
and everything else that it depends on, the code that computed it among that. It holds these too: one that was renamed,
or copied from elsewhere, is not mistaken for another. What depends on something else has another name, so results of
other models or of other code are not found, and lie there unread.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from ripieno.errors import BadInput
from ripieno.whole import whole_file

ResultKey = dict[str, Any]


class Kept:
    """A folder of results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, part: str, key: ResultKey) -> Any | None:
        """What was kept, None if nothing was.

        Raises:
            BadInput: the file is damaged, or holds a result of other making.
        """
        path = self._path(part, key)
        try:
            held = json.loads(path.read_text())
            own, result = held["key"], held["result"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{path} is damaged; remove it, and it is made anew") from error
        if own != key:
            other = next(name for name in sorted({*own, *key}) if own.get(name) != key.get(name))
            raise BadInput(
                f"{path} was made with {other} {own.get(other)}, not {key.get(other)}; remove it, and it is made anew"
            )
        return result

    def put(self, part: str, key: ResultKey, result: Any) -> None:
        """Keep a result.

        Raises:
            BadInput: it cannot be written.
        """
        path = self._path(part, key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{path} cannot be written ({error.strerror}); choose another folder for -o") from error
        with whole_file(path) as file:
            file.write(json.dumps({"key": key, "result": result}).encode())

    def _path(self, part: str, key: ResultKey) -> Path:
        told = json.dumps(key, sort_keys=True)
        short = hashlib.sha256(told.encode()).hexdigest()[:12]
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{key.get('what', '')}-{key.get('name', '')}-{key.get('seed', 0)}")
        return self.folder / part / f"{name}-{short}.json"

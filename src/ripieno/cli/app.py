"""The program that the commands belong to, and what they share: options, bars of progress, checks before the work."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from ripieno.errors import BadInput
from ripieno.options import abouts, defaults, flag_of, kinds

if TYPE_CHECKING:
    from rich.progress import Progress

app = typer.Typer(
    name="ripieno",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help=(
        "Fills music in around yours: give it a melody, get a piece in four parts.\n\n"
        "It works offline, on the model that comes with it. The model writes as Bach did in his chorales: four voices, "
        "sixteenth notes at the shortest. Melodies of other styles come out hymn-like.\n\n"
        "Begin with: [bold]ripieno harmonize melody.mid -o four-parts.mid[/bold]"
    ),
)


def takes(*names: str, **helps: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options of `ripieno.options`, which come to it as `asked`, by their names.

    Args:
        names: of the options; all of them unless any is named here or in `helps`.
        helps: options with what they mean to this command.
    """
    wanted = [name for name in abouts() if name in names or name in helps or not (names or helps)]

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(command, include_extras=True)
        own = [one for one in inspect.signature(command).parameters.values() if one.name != "asked"]
        parameters = [one.replace(annotation=hints[one.name]) for one in own]
        parameters += [_parameter(name, helps.get(name)) for name in wanted]

        def with_options(**given: Any) -> None:
            command(**{one.name: given[one.name] for one in own}, asked=asked_of(wanted, given))

        signature = inspect.Signature([one.replace(kind=one.KEYWORD_ONLY) for one in parameters])
        with_options.__signature__ = signature  # type: ignore[attr-defined]
        with_options.__annotations__ = {one.name: one.annotation for one in parameters}
        return with_options

    return decorated


def _parameter(name: str, help: str | None) -> inspect.Parameter:
    """An option as Typer takes it: a text where the option has a way to read one, else its own type."""
    about, default, kind = abouts()[name], defaults()[name], kinds()[name]
    if about.read is not None:
        kind, default = (list[str] | None if isinstance(default, tuple) else str | None), None
    option = partial(typer.Option, flag_of(name), help=help or about.help)
    if kind is not bool:
        shown = about.unless or (str(defaults()[name]) if default is None else True)
        option = partial(option, metavar=about.metavar or None, show_default=shown)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option()]
    )


def asked_of(names: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """The options that the command line gave, as `ripieno.options.Options` takes them.

    Raises:
        BadInput: a text cannot be read.
    """
    asked: dict[str, Any] = {}
    for name in names:
        value, read = given[name], abouts()[name].read
        if value is None:
            continue
        if read is None:
            asked[name] = value
        elif isinstance(value, list):
            asked[name] = [_read(name, read, text) for text in value]
        else:
            asked[name] = _read(name, read, value)
    return asked


def _read(name: str, read: Callable[[str], Any], text: str) -> Any:
    return read_as(flag_of(name), read, text)


def read_as(flag: str, read: Callable[[str], Any], text: str) -> Any:
    """What a text says, or an error that names the flag.

    Raises:
        BadInput: it says nothing that can be read.
    """
    try:
        return read(text)
    except BadInput as error:
        raise BadInput(f"{flag} {text}: {error}") from None


@contextmanager
def showing_progress(told: str) -> Iterator[Progress]:
    """A bar for each task on the standard error, with `told` after it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn(), TextColumn(told))
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        yield progress


def check_soundfont(path: Path | None) -> None:
    """Refuse before the work what could not be played on after it.

    Raises:
        BadInput: it is no SoundFont that can be used.
    """
    if path is not None:
        from ripieno.files.sound.soundfont import read_soundfont

        read_soundfont(path)


MODEL = Annotated[
    Path | None,
    typer.Option(
        "--model", metavar="FILE", help="A model that you trained.", show_default="the one that comes with Ripieno"
    ),
]
SOUNDFONT = Annotated[
    Path | None,
    typer.Option("--soundfont", metavar="FILE", help="Play sounds on this .sf2 or .sf3.", show_default="a small organ"),
]

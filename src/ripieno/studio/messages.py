"""The wire: every message between the studio's page and its server, typed once.  (docs/studio-protocol.md)

One WebSocket serves one window on one piece. The window speaks first, with `Hello`; the server answers `Welcome`, and
from then on sends each entry of the piece's log once, in order. Steps are sixteenths counted from the piece's first
bar (or pickup), pitches are MIDI numbers as they sound.

People think in notes, so the wire does: an edit names the notes that go and the notes that come. It is
compare-and-set, for a note that goes must still be there as it is named, and idempotent by its `id`. An entry tells
what became of cells and of notes, so that a window need not know how the log is replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from ripieno.options import Options, abouts, defaults, kinds, limits, title_of

PROTOCOL = 2  # changes when a window of the older kind could no longer talk to the server

MAX_STEPS = 4096  # 256 bars of 4/4
MAX_NOTES_AT_ONCE = 2048  # in one edit


class _Wire(BaseModel):
    """What all messages share: exact types, no unknown fields, no NaN."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


Step = Annotated[int, Field(ge=0, lt=MAX_STEPS, description="sixteenths from the beginning of the first bar")]
Pitch = Annotated[int, Field(ge=0, le=127, description="MIDI number; 60 is middle C")]
Probability = Annotated[float, Field(ge=0, le=1)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="of a request; unique within the piece")]
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="stands for something that was offered")]
BarNumber = Annotated[int, Field(ge=0, le=MAX_STEPS, description="as a musician counts; 0 is a pickup")]
Bars = Annotated[tuple[BarNumber, BarNumber], Field(description="the first and the last, both included")]
Voice = Literal["soprano", "alto", "tenor", "bass"]
Author = Literal["user", "model"]
RunWord = Annotated[
    Literal["running", "finished", "stopped", "failed", "nothing"],
    Field(description="failed: an `error` says why; nothing: there was nothing to change, or nothing may change"),
]


# What messages are made of


class NoteShape(_Wire):
    """Where a note lies. No two notes of a piece share onset and pitch."""

    onset: Step
    pitch: Pitch
    duration: Annotated[int, Field(ge=1, le=MAX_STEPS, description="steps")]


class Note(NoteShape):
    """A note of the piece as it is now."""

    author: Annotated[
        Literal["file", "user", "model"], Field(description="file: as it was opened; user: drawn or changed since")
    ]
    voice: Annotated[Voice | None, Field(description="who sings it; null until `Voices` tells, or nobody")] = None
    batch: Annotated[int | None, Field(description="which batch of the log sounded its first step; null: none")] = None


class Cell(_Wire):
    """One cell of the roll as an entry left it."""

    step: Step
    pitch: Pitch
    sounds: bool
    strikes: Annotated[bool, Field(description="a new note begins here even where the pitch sounds before")]
    author: Annotated[Literal["file", "user", "model"] | None, Field(description="whose it is; null if it is silent")]


class Bar(_Wire):
    """A bar of the piece."""

    number: BarNumber
    start: Step
    n_steps: Annotated[int, Field(ge=1, description="its own length, also where it is a pickup or cut short")]
    numerator: int
    denominator: int


class Key(_Wire):
    """A key."""

    name: Annotated[str, Field(description='such as "A flat major"')]
    tonic: Annotated[int, Field(ge=0, le=11, description="pitch class, 0 is C")]
    mode: Literal["major", "minor"]
    n_sharps: Annotated[int, Field(ge=-7, le=7, description="negative for flats")]
    is_guessed: bool


def _wired(name: str) -> Any:
    """The type of an option's value as the wire has it, with its bounds."""
    about = abouts()[name]
    if about.choices:
        chosen: Any = Literal[about.choices]
        return chosen | None if type(None) in get_args(kinds()[name]) else chosen

    def bounded(kind: Any) -> Any:
        if kind in (int, float):
            least, most = limits(name, kind)
            return Annotated[kind, Field(ge=least, le=most)]
        if kind is str and about.longest is not None:
            return Annotated[str, Field(max_length=about.longest)]
        if get_origin(kind) is tuple:
            return tuple[tuple(map(bounded, get_args(kind)))]  # type: ignore[misc]
        if get_args(kind):
            return reduce(or_, map(bounded, get_args(kind)))
        return kind

    return bounded(kinds()[name])


_RULES = [name for name, about in abouts().items() if about.by == "rules"]


def _fields(of: Callable[[str], Any]) -> dict[str, Any]:
    return {name: of(name) for name in _RULES}


def _said(name: str) -> Any:
    """What a form says of an option."""
    about = abouts()[name]
    more: dict[str, Any] = {"group": about.group, "unless": about.unless}
    return Field(title=title_of(name), description=about.help, json_schema_extra=more)


# What the model may do, and how; and what comes out: each of `options.Options` that no other message asks for.
Rules: Any = create_model(
    "Rules",
    __base__=_Wire,
    __doc__="What the model may do, and how.",
    **_fields(lambda name: (Annotated[_wired(name), _said(name)], defaults()[name])),
)
RuleChanges: Any = create_model(
    "RuleChanges",
    __base__=_Wire,
    __doc__="The rules that change; what is left out stays.",
    **_fields(lambda name: (_wired(name) | None, None)),
)
_MAY_BE_NULL = tuple(name for name in _RULES if defaults()[name] is None)


def rules_of(options: Options) -> Any:
    """The rules among some options."""
    return Rules(**{name: getattr(options, name) for name in _RULES})


class VoiceLock(_Wire):
    """A locked voice: the notes that it sang when it was locked."""

    voice: Voice
    notes: list[NoteShape]


class Locks(_Wire):
    """Where the model changes nothing. Locks do not bind the person."""

    notes: list[NoteShape] = []
    voices: list[VoiceLock] = []
    bars: list[BarNumber] = []
    pitches: Annotated[list[Pitch], Field(description="whole rows")] = []


class Phrase(_Wire):
    """A phrase of the person's line: where it begins, where its last note begins and ends."""

    start: Step
    rest: Step
    end: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    place: Annotated[
        str, Field(description='where it ends, as the rule `phrases` has it: "2:4", or "4" for a bar\'s end')
    ]
    sure: Annotated[Probability, Field(description="the chance that it ends there: 1 where it is written or said")]


class Settings(_Wire):
    """All settings of a piece."""

    name: str
    rules: Rules
    locks: Locks
    bpm: Annotated[float, Field(description="quarter notes a minute")]
    key: Key
    n_steps: Annotated[int, Field(ge=1, le=MAX_STEPS, description="length of the piece")]
    bars: list[Bar]
    phrases: list[Phrase]


class HistoryItem(_Wire):
    """A batch of the log: what was done at once, as people undo it."""

    batch: Annotated[int, Field(ge=0)]
    run: Annotated[int | None, Field(description="the run that it belongs to; null: none")]
    kind: Literal["notes", "setting"]
    author: Author
    text: Annotated[str, Field(description='such as "A3 in bar 2, beat 1"')]
    added: list[NoteShape]
    removed: list[NoteShape]
    probability: Annotated[Probability | None, Field(description="the model's, of the first change in it")]
    time: Annotated[float, Field(description="when it began, seconds since 1970")]
    undone: bool
    overwritten: Annotated[bool, Field(description="later changes decide all its cells: undoing it changes nothing")]


class Entry(_Wire):
    """One step of the log. What it changed is told whole, an undo's effects too."""

    seq: Annotated[int, Field(ge=1, description="its number; they run from 1 without gaps")]
    kind: Literal["edit", "undo", "redo", "setting"]
    author: Author
    batch: Annotated[int, Field(description="the batch that it belongs to; an undo has one of its own")]
    run: int | None
    id: Annotated[str | None, Field(description="of the request that asked for it")]
    time: float
    probability: Annotated[Probability | None, Field(description="with which the model drew it")]
    text: Annotated[str, Field(description="one line for the history and for screen readers")]
    cells: Annotated[list[Cell], Field(description="cells that changed, as they are now")]
    gone: Annotated[list[NoteShape], Field(description="notes that are no longer there as they were")]
    new: Annotated[list[Note], Field(description="notes that were not there, or not so")]
    items: Annotated[list[HistoryItem], Field(description="items of the history that are new or changed")]
    settings: Annotated[Settings | None, Field(description="all of them, where one changed")]


class RunState(_Wire):
    """How a run goes."""

    run: int
    state: RunWord
    n_changes: Annotated[int, Field(ge=0)]
    n_left: Annotated[float | None, Field(description="changes that the model still expects; null: it cannot tell")]
    id: Annotated[str | None, Field(description="of the request that began it")]


class State(_Wire):
    """A piece, whole."""

    settings: Settings
    notes: list[Note]
    history: list[HistoryItem]


class Limits(_Wire):
    """What the server bears; past each of them it answers with an error that says so."""

    message_bytes: int
    messages_per_second: int
    upload_bytes: int
    windows: Annotated[int, Field(description="open at once, on all pieces")]
    pieces: Annotated[int, Field(description="open at once")]
    notes: Annotated[int, Field(description="in a piece")]
    bars: Annotated[int, Field(description="in a piece")]
    steps: Annotated[int, Field(description="in a piece")]
    lowest: Annotated[Pitch, Field(description="that the model knows")]
    highest: Annotated[Pitch, Field(description="that the model knows")]


class Suggestion(_Wire):
    """One whole note that the model would add or take back."""

    token: Token
    action: Literal["add", "remove"]
    note: NoteShape
    voice: Voice | None
    probability: Annotated[Probability, Field(description="that the finished music has it (or, of a removal, has not)")]
    sureness: Annotated[Literal["sure", "likely", "unsure"], Field(description="from 0.7 on, from 0.4 on, below")]
    text: Annotated[str, Field(description='such as "A3 in bar 2, beat 1"')]


class Alternative(_Wire):
    """One way to fill a selection."""

    token: Token
    seed: int
    remove: Annotated[list[NoteShape], Field(description="notes that go; the same for all alternatives")]
    add: list[NoteShape]


class Doubt(_Wire):
    """How sure the model is of a note."""

    note: NoteShape
    belongs: Annotated[Probability, Field(description="probability that the note belongs")]


class CellDoubt(_Wire):
    """A cell that the model would change now."""

    step: Step
    pitch: Pitch
    sounds: Annotated[bool, Field(description="as it is now")]
    probability: Annotated[Probability, Field(description="that it should be the other way round")]


class Sung(_Wire):
    """Who sings a note."""

    onset: Step
    pitch: Pitch
    voice: Voice | None


# What a window says


class Hello(_Wire):
    """The first message of a window, also of one that comes back."""

    type: Literal["hello"] = "hello"
    protocol: Annotated[int, Field(description="2")]
    seen: Annotated[int | None, Field(ge=0, description="seq of the last entry it has; null: it has nothing yet")]


class Edit(_Wire):
    """Notes drawn, erased, moved, stretched or pasted, all at once, by the person."""

    type: Literal["edit"] = "edit"
    id: Id
    remove: Annotated[list[NoteShape], Field(max_length=MAX_NOTES_AT_ONCE, description="must be there just so")] = []
    add: Annotated[list[NoteShape], Field(max_length=MAX_NOTES_AT_ONCE)] = []


class Undo(_Wire):
    """Take back a batch or a whole run, whatever came after; with neither, what was done last."""

    type: Literal["undo"] = "undo"
    id: Id
    batch: Annotated[int, Field(ge=0)] | None = None
    run: Annotated[int, Field(ge=0)] | None = None


class Redo(_Wire):
    """Bring back a batch or a run that was undone; with neither, what was undone last."""

    type: Literal["redo"] = "redo"
    id: Id
    batch: Annotated[int, Field(ge=0)] | None = None
    run: Annotated[int, Field(ge=0)] | None = None


class Lock(_Wire):
    """Lock notes, voices, bars or rows, or unlock them."""

    type: Literal["lock"] = "lock"
    id: Id
    locked: bool
    notes: Annotated[list[NoteShape], Field(max_length=MAX_NOTES_AT_ONCE)] = []
    voices: Annotated[list[Voice], Field(max_length=4)] = []
    bars: Annotated[list[BarNumber], Field(max_length=MAX_STEPS)] = []
    pitches: Annotated[list[Pitch], Field(max_length=128)] = []


class SetRules(_Wire):
    """Change rules. `unset` names those that go back to null."""

    type: Literal["rules"] = "rules"
    id: Id
    changes: RuleChanges = RuleChanges()
    unset: Annotated[list[Literal[_MAY_BE_NULL]], Field(max_length=len(_MAY_BE_NULL))] = []  # type: ignore[valid-type]


class SetTempo(_Wire):
    """Change the tempo, throughout."""

    type: Literal["tempo"] = "tempo"
    id: Id
    bpm: Annotated[float, Field(ge=abouts()["bpm"].least, le=abouts()["bpm"].most, description=abouts()["bpm"].help)]


class Rename(_Wire):
    """Give the piece another name."""

    type: Literal["rename"] = "rename"
    id: Id
    name: Annotated[str, Field(min_length=1, max_length=200)]


class Lengthen(_Wire):
    """Add empty bars at the end."""

    type: Literal["lengthen"] = "lengthen"
    id: Id
    bars: Annotated[int, Field(ge=1, le=64, description="how many more")]


class Suggest(_Wire):
    """Ask for the next whole notes, the best first. Answer: `Suggestions`."""

    type: Literal["suggest"] = "suggest"
    id: Id
    n: Annotated[int, Field(ge=1, le=8, description="how many; the page walks them with up and down")] = 5
    bars: Bars | None = None


class Accept(_Wire):
    """Take a suggestion. It becomes a batch of the model's."""

    type: Literal["accept"] = "accept"
    id: Id
    suggestion: Token


class Refuse(_Wire):
    """Refuse a suggestion: it is not offered again until the music around it changes."""

    type: Literal["refuse"] = "refuse"
    id: Id
    suggestion: Token


class Regenerate(_Wire):
    """Ask for other ways to fill bars of some voices. Nothing changes until one is taken. Answer: `Alternatives`."""

    type: Literal["regenerate"] = "regenerate"
    id: Id
    bars: Bars
    voices: Annotated[list[Voice], Field(max_length=4, description="none: all that the person did not write")] = []
    n: Annotated[int, Field(ge=1, le=5)] = 3
    seed: Annotated[int, Field(ge=0, lt=2**31, description="another one for three more")] = 0
    including_mine: Annotated[bool, Field(description="the person's own notes in the selection go too")] = False


class Take(_Wire):
    """Take an alternative: one batch of the model's."""

    type: Literal["take"] = "take"
    id: Id
    alternative: Token


class Run(_Wire):
    """Compose until the piece is finished, or stopped. Changes come as entries, and `Running` tells how it goes."""

    type: Literal["run"] = "run"
    id: Id
    bars: Annotated[Bars | None, Field(description="compose in these only")] = None
    iterations: Annotated[int | None, Field(ge=1, le=100_000, description="changes at the most")] = None


class Stop(_Wire):
    """Stop the run. No change of it comes after the answer `Done`."""

    type: Literal["stop"] = "stop"
    id: Id


class AskDoubts(_Wire):
    """Ask what the model would change now, and how sure it is of each note. Answer: `Doubts`."""

    type: Literal["doubts"] = "doubts"
    id: Id


# What the server says


class Welcome(_Wire):
    """The answer to `Hello`: the whole piece, or the entries that the window has missed."""

    type: Literal["welcome"] = "welcome"
    protocol: int
    version: Annotated[str, Field(description="of Ripieno")]
    piece: Annotated[str, Field(description="id of the piece, as in its address")]
    seq: Annotated[int, Field(ge=0, description="of the last entry that this message accounts for")]
    state: Annotated[State | None, Field(description="null where `entries` tells all")]
    entries: list[Entry]
    run: Annotated[RunState | None, Field(description="the run that goes on now")]
    model_ready: Annotated[bool, Field(description="false while the model is still being loaded; `Ready` follows")]
    limits: Limits


class Ready(_Wire):
    """The model is loaded, or could not be."""

    type: Literal["ready"] = "ready"
    model_ready: bool
    text: Annotated[str, Field(description="which model, or what went wrong")]


class Entries(_Wire):
    """What was done, in order, to all windows of the piece. Each entry is on disk before it is sent."""

    type: Literal["entries"] = "entries"
    entries: list[Entry]


def entries_text(entries: Iterable[str]) -> str:
    """An `Entries` as it is sent, of entries that are JSON already."""
    return f'{{"type":"entries","entries":[{",".join(entries)}]}}'


class Done(_Wire):
    """A request was carried out. What it did is on disk, and in the entries up to `seq`, which were sent before."""

    type: Literal["done"] = "done"
    id: Id
    seq: int
    text: Annotated[str | None, Field(description="something to tell, such as what an undo could not undo")] = None


class Suggestions(_Wire):
    """The answer to `Suggest`."""

    type: Literal["suggestions"] = "suggestions"
    id: Id
    seq: Annotated[int, Field(description="the state of the piece that they are for")]
    suggestions: list[Suggestion]
    n_left: Annotated[float | None, Field(description="cells that the model would still change")]
    text: Annotated[str | None, Field(description="why there are none")] = None


class Alternatives(_Wire):
    """The answer to `Regenerate`."""

    type: Literal["alternatives"] = "alternatives"
    id: Id
    seq: int
    bars: Bars
    voices: list[Voice]
    alternatives: Annotated[list[Alternative], Field(description="no two alike; fewer where the model finds no more")]


class Doubts(_Wire):
    """The answer to `AskDoubts`."""

    type: Literal["doubts"] = "doubts"
    id: Id
    seq: int
    notes: Annotated[list[Doubt], Field(description="every note that the model hears")]
    cells: Annotated[list[CellDoubt], Field(description="what it would change, the likeliest first")]
    n_left: float | None


class Voices(_Wire):
    """Who sings what, of all notes of the piece; sent when the music has come to rest, and while a run goes on."""

    type: Literal["voices"] = "voices"
    seq: int
    notes: list[Sung]


class Running(_Wire):
    """A run began, goes on, or ended."""

    type: Literal["running"] = "running"
    run: RunState


ErrorCode = Literal[
    "bad_message",  # not JSON, no such type, unknown field, value out of range
    "wrong_protocol",  # the window speaks another version: load the page again
    "hello_first",  # the first message must be hello, and there is only one
    "unknown_piece",
    "unknown_batch",  # no such batch or run, or nothing to undo
    "conflict",  # a note to remove is no longer there as it was
    "stale",  # the suggestion or alternative no longer fits the piece
    "bad_input",  # anything else the text says
    "nothing_allowed",  # no note may change under the rules and locks
    "not_running",
    "too_many_messages",
    "too_large",
    "too_many_notes",
    "too_many_bars",
    "too_many_windows",
    "too_many_pieces",
    "not_ready",  # the model is being loaded, or is missing
    "disk_full",  # or read-only: what was asked was not done
    "forbidden",  # of another origin, or by another name
    "not_found",
    "not_available",  # this installation cannot do that
    "internal",  # a fault of the server's
]


class Error(_Wire):
    """A request was not carried out, and nothing changed."""

    type: Literal["error"] = "error"
    id: Annotated[str | None, Field(description="of the request; null where it could not be read")]
    code: ErrorCode
    text: Annotated[str, Field(description="one line: what, and what to do")]


ClientMessage = Annotated[
    Hello
    | Edit
    | Undo
    | Redo
    | Lock
    | SetRules
    | SetTempo
    | Rename
    | Lengthen
    | Suggest
    | Accept
    | Refuse
    | Regenerate
    | Take
    | Run
    | Stop
    | AskDoubts,
    Field(discriminator="type"),
]

Message = Welcome | Ready | Entries | Done | Suggestions | Alternatives | Doubts | Voices | Running | Error
ServerMessage = Annotated[Message, Field(discriminator="type")]

CLIENT: TypeAdapter[Any] = TypeAdapter(ClientMessage)
SERVER: TypeAdapter[Any] = TypeAdapter(ServerMessage)


# What goes over HTTP


class NewPiece(_Wire):
    """An empty piece to be begun."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = "Untitled"
    bars: Annotated[int, Field(ge=1, le=256)] = 8
    meter: Annotated[str, Field(max_length=8, description='such as "3/4"')] = "4/4"
    key: Annotated[str, Field(max_length=32, description='such as "Ab" or "C minor"')] = "C"
    bpm: Annotated[float, Field(ge=4, le=1000)] = 88


class PieceInfo(_Wire):
    """A piece in the list of recent ones."""

    id: str
    name: str
    created: Annotated[float, Field(description="seconds since 1970")]
    changed: Annotated[float, Field(description="seconds since 1970")]
    n_entries: int
    is_open: Annotated[bool, Field(description="some window looks at it")]


class PieceOpened(_Wire):
    """The answer to a piece begun or imported."""

    piece: PieceInfo
    remarks: Annotated[list[str], Field(description="what the person should hear about the file")]


class Pieces(_Wire):
    """Recent pieces, the newest first, and the one that the program was started with."""

    pieces: list[PieceInfo]
    current: str | None


class Health(_Wire):
    """Whether the server is up, and its model loaded."""

    protocol: int
    version: str
    model: Annotated[Literal["loading", "ready", "missing"], Field(description="missing: `text` says why")]
    text: str
    formats: Annotated[list[str], Field(description="that a piece can be saved as: mid, png, svg, ripieno, ...")]
    score: Annotated[bool, Field(description="whether the staff view can be drawn")]
    soundfont: Annotated[str | None, Field(description="the person's own sound, by its file's name; null: an organ")]


class Problem(_Wire):
    """What HTTP answers instead of what was asked."""

    code: ErrorCode
    text: str


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of both directions, as `/api/protocol.json` gives it out."""
    places, shared = TypeAdapter.json_schemas(
        [("ClientMessage", "validation", CLIENT), ("ServerMessage", "serialization", SERVER)]
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Ripieno studio",
        "protocol": PROTOCOL,
        **{name: place for (name, _), place in places.items()},
        **shared,
    }

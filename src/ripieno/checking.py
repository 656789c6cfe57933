"""A proof-reader for part-writing: what a teacher would mark, and notes that the model would take back.

Two readers look at the voices of a piece. The rules of `music.part_writing` say where the craft's rules are broken, how
grave that is, measured on Bach, and how it is told: what he does in nearly every chorale is a matter of style, and what
he hardly ever does is an error. The models say which notes they would take back: ES-Net of the whole roll, as it is and
by a semitone and a tone higher and lower, Coconet for each note with that note blanked, weighed together by a logistic
regression that was fitted and set on JSB valid (`python -m benchmarks.check fit`). The regression says how sure that
is, Coconet what would stand there instead.

The remedy for a broken rule is a note too, where there is one: of the notes that Coconet finds likely in the place of
one of those at fault, the likeliest after which less is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ripieno.errors import BadInput
from ripieno.export import check_target
from ripieno.files.door import MUSICXML, PICTURES
from ripieno.files.musicxml.marks import Mark, score_of, write_marked
from ripieno.files.reader import opened
from ripieno.models.context import context_of_reading
from ripieno.models.runtime import CoconetModel, Model, load_coconet, load_model, the_separator
from ripieno.music.harmony import note_name, usable
from ripieno.music.part_writing import (
    LEVELS,
    RULE_CALLED,
    TEACHERS_PRICES,
    TEXTBOOK_RANGES,
    Fault,
    Form,
    Level,
    faults,
    form_of,
    thin_resolutions,
)
from ripieno.music.part_writing.dissonance import CLASH, SIMULTANEOUS_FALSE_RELATION
from ripieno.music.part_writing.endings import LATE_ENDING, MISSING_LEADING_NOTE, OPEN_ENDING
from ripieno.music.part_writing.motion import HIDDEN, HIDDEN_LEAP
from ripieno.music.part_writing.phrasing import RESTLESS
from ripieno.music.part_writing.rule import Rule
from ripieno.music.part_writing.spacing import RANGE, TESSITURA
from ripieno.music.piece import Key, Piece, roll_of_piece
from ripieno.music.roll import N_PITCHES, STEPS_PER_BAR, VoiceNote, Voices, notes_of_voices
from ripieno.music.singers import Singers, singers_of
from ripieno.music.understanding import Reading, understand
from ripieno.sampling.expectation import averaged_change_probabilities, expected_pitches
from ripieno.shapes import Bool, Float

LEVEL_NAMES: dict[str, Level] = {"errors": "error", "warnings": "warning", "style": "style"}
COLOURS: dict[Level, str] = {"error": "#C62828", "warning": "#D9730D", "style": "#1F5FA8"}

WRONG_NOTE = "wrong note"
SURE_ERROR, SURE_WARNING = 0.8, 0.15  # how sure the models must be that a note is wrong; chosen on JSB valid
# What says the same of the same place, and is left out beside it.
SAID_BY: dict[str, Rule] = {
    HIDDEN.name: HIDDEN_LEAP,
    CLASH.name: SIMULTANEOUS_FALSE_RELATION,
    RESTLESS.name: OPEN_ENDING,
    LATE_ENDING.name: RESTLESS,
}
LONG = 4  # bars in a row for which a voice must stay at the edge of its range to hear of it
FAR_OUT = 2  # semitones out of its range from which on a note is an error
STRETCH = 16  # steps on either side that are looked at again when a remedy is tried
N_TRIED = 6  # likeliest pitches tried in the place of each note at fault
LEAST = -5.0  # log probability below which a pitch is no remedy

# How sure the models are that a note is wrong, from what they say of it: weights of a logistic regression.
SUSPICION = {"bias": -2.886, "mean chance": 0.511, "highest chance": 0.016, "expected": -0.21, "margin": 0.388}


@dataclass(frozen=True)
class Remark:
    """Something that a teacher would mark."""

    level: Level
    rule: str  # of `part_writing.RULES`, or WRONG_NOTE
    bar: int
    beat: float
    voices: tuple[str, ...]
    text: str  # what is wrong
    remedy: str  # what to do about it
    sure: float | None  # of a wrong note, 0 to 1
    instead: str | None  # the note to write, as "G4 in the alto"
    notes: tuple[int, ...]  # Note.id of the notes that it is about
    step: int  # of the reading's region

    def line(self) -> str:
        """One line of a report."""
        remedy = f"{self.remedy}: {self.instead}" if self.instead else self.remedy
        return f"bar {self.bar}, beat {self.beat:g}: {self.level}: {self.text} ({self.rule}). {_capital(remedy)}."

    def label(self) -> str:
        """What stands above the notes in a marked score: "parallel fifths, tenor and bass (bass: G2?)"."""
        voices = [voice.lower() for voice in self.voices]
        told = self.rule if len(voices) < 2 else f"{self.rule}, {' and '.join(voices)}"
        if self.instead is None:
            return told
        note, _, place = self.instead.partition(" in the ")
        voice = place.partition(" on ")[0]
        return f"{told} ({note}?)" if [voice] == voices else f"{told} ({voice}: {note}?)"


@dataclass(frozen=True)
class Proof:
    """A piece that was proof-read: remarks in the order of the music."""

    piece: Piece  # what was read; a score, if that was asked for
    reading: Reading
    singers: Singers
    remarks: tuple[Remark, ...]
    warnings: tuple[str, ...]

    def of_level(self, level: Level) -> tuple[Remark, ...]:
        """The remarks of a level and of those that are graver."""
        grave = LEVELS[: LEVELS.index(level) + 1]
        return tuple(remark for remark in self.remarks if remark.level in grave)

    def counts(self) -> dict[str, int]:
        """How many remarks there are of each level."""
        found = Counter(remark.level for remark in self.remarks)
        return {level: found[level] for level in LEVELS}

    def summary(self, level: Level) -> str:
        """How much there is to say, in a line, and what was not said."""
        counts = self.counts()
        said = [_counted(counts["error"], "error")]
        if level != "error":
            said.append(_counted(counts["warning"], "warning"))
        if level == "style":
            said.append(_counted(counts["style"], "matter of style", "matters of style"))
        hidden = LEVELS[LEVELS.index(level) + 1 :]
        left = sum(counts[one] for one in hidden)
        more = f"; {left} more with --level {'warnings' if level == 'error' else 'style'}" if left else ""
        return f"{_listed(said)}{more}"

    def to_json(self, level: Level) -> dict[str, Any]:
        """A report for programs, of a level and of those that are graver."""
        return {
            "reading": self.reading.sentence(),
            "voices": list(self.singers.names),
            "counts": self.counts(),
            "remarks": [
                {name: value for name, value in asdict(remark).items() if name != "step"}
                for remark in self.of_level(level)
            ],
            "warnings": list(self.warnings),
        }


def check(
    piece: Piece | str | Path,
    *,
    model: Model | None = None,
    fill: CoconetModel | None = None,
    rules_only: bool = False,
    as_score: bool = False,
    name: str | None = None,
    **reading_options: Any,
) -> Proof:
    """Look a piece through.

    Args:
        piece: one to four parts of a voice each, or chords, which are then split into voices; or the path of its file.
        model, fill: the bundled ones unless given.
        rules_only: say nothing of wrong notes, and name no better ones; much quicker.
        as_score: read it as the score that it would be written as, so that `write_proof` can mark it.
        name: what errors call the piece, unless its file's.
        reading_options: `key`, `meter`, `pickup`, `phrases`, as `understand` takes them.

    Raises:
        BadInput: there is nothing to read, or an option does not fit the piece.
    """
    model = model or load_model()
    piece, name = opened(piece, name)
    if as_score:
        piece = score_of(piece)
    reading = understand(piece, name=name, lowest=model.lowest_pitch, highest=model.highest_pitch, **reading_options)
    singers = singers_of(piece, reading, the_separator())
    notes = notes_of_voices(singers.voices, singers.onsets)
    if rules_only:
        remarks = _Reader(piece, reading, singers, notes, np.full((len(notes), N_PITCHES), -np.inf)).broken_rules()
    else:
        moved = np.where(singers.voices >= 0, singers.voices + reading.shift, -1)
        columns = (3,) if moved.shape[1] == 1 and reading.melody == "bass" else None
        shifted = [replace(note, pitch=note.pitch + reading.shift) for note in notes]
        expects = expected_pitches(fill or load_coconet(), moved, shifted, columns=columns)
        reader = _Reader(piece, reading, singers, notes, _back(expects, reading.shift))
        remarks = [*reader.broken_rules(), *reader.wrong_notes(_chance(piece, reading, model))]
    warnings = list(reading.warnings)
    if singers.n_unsung:
        warnings.append(f"{singers.n_unsung} notes sound beside four others and are not looked at")
    remarks.sort(key=lambda remark: (remark.step, LEVELS.index(remark.level), remark.rule))
    return Proof(piece, reading, singers, tuple(remarks), tuple(warnings))


def _back(expects: Float[np.ndarray, "note pitch"], shift: int) -> Float[np.ndarray, "note pitch"]:
    """Expectations of pitches as the model heard them, as those of the piece's own pitches."""
    return np.roll(expects, -shift, axis=1)


def _chance(piece: Piece, reading: Reading, model: Model) -> Float[np.ndarray, "step pitch"]:
    """How probable ES-Net finds it that a cell must change, by the piece's own pitches."""
    cells = roll_of_piece(piece, reading.start, reading.n_steps, reading.shift, n_planes=model.n_planes)
    context = context_of_reading(reading)
    chance = averaged_change_probabilities(model, cells, context)[0]
    return np.roll(chance, -reading.shift, axis=1)


def evidence(
    notes: Sequence[VoiceNote], chance: Float[np.ndarray, "step pitch"], expects: Float[np.ndarray, "note pitch"]
) -> dict[str, Float[np.ndarray, " note"]]:
    """What the models say of each note; the names are those of `SUSPICION`."""
    chance = np.maximum(chance, 1e-6)
    own = np.array([one[note.pitch] for note, one in zip(notes, expects, strict=True)])
    return {
        "mean chance": np.array([np.log(chance[note.steps, note.pitch].mean()) for note in notes]),
        "highest chance": np.array([np.log(chance[note.steps, note.pitch].max()) for note in notes]),
        "expected": own,
        "margin": expects.max(axis=1) - own if len(notes) else own,
    }


def sureness(found: dict[str, Float[np.ndarray, " note"]]) -> Float[np.ndarray, " note"]:
    """How sure the models are that each note is wrong, from what `evidence` found."""
    total = SUSPICION["bias"] + sum(SUSPICION[name] * values for name, values in found.items())
    return np.asarray(1 / (1 + np.exp(-np.clip(total, -50, 50))))


@dataclass(frozen=True, eq=False)
class _Reader:
    piece: Piece
    reading: Reading
    singers: Singers
    notes: list[VoiceNote]
    expects: Float[np.ndarray, "note pitch"]  # by the piece's own pitches

    @property
    def key(self) -> Key | None:
        """None lets the rules guess it from all the notes, which tell more than a tune."""
        return None if self.reading.is_key_guessed else self.reading.key

    def broken_rules(self) -> list[Remark]:
        voices = self.singers.voices
        if voices.shape[1] == 1:
            return []  # a lone tune is as it is: nobody sings against it
        phrase_ends = self._phrase_ends()
        found = faults(
            voices,
            key=self.key,
            onsets=self.singers.onsets,
            phrase_ends=phrase_ends,
            beat_phase=self.reading.beat_phase,
            form=self._form,
            excused=True,
        )
        found += [
            replace(fault, excuse="phrase end" if phrase_ends[fault.step - 1] else "")
            for fault in thin_resolutions(voices, self.singers.onsets)
        ]
        said = {(fault.rule, fault.step) for fault in found}
        strained = [fault for fault in found if fault.rule == TESSITURA.name]
        found = [fault for fault in found if fault.rule != TESSITURA.name] + _lasting(strained)
        return [
            self._remark(fault)
            for fault in found
            if not (fault.rule in SAID_BY and (SAID_BY[fault.rule].name, fault.step) in said)
            and not self._is_of_the_tune(fault)
        ]

    @cached_property
    def _form(self) -> Form:
        reading = self.reading
        phrases = [(one.rest, one.end) for one in reading.phrases]
        last = reading.tune[-1].onset if reading.tune else None
        return form_of(self.singers.voices, phrases, last, reading.beat_phase)

    def _is_of_the_tune(self, fault: Fault) -> bool:
        """Whether what is at fault is the tune's own seventh, and nobody says that it stands in minor."""
        if fault.rule != MISSING_LEADING_NOTE.name or not self.reading.is_key_guessed:
            return False
        tune = {"top": 0, "bass": self.singers.voices.shape[1] - 1}.get(self.reading.melody)
        return tune in fault.voices

    def _phrase_ends(self) -> Bool[np.ndarray, " step"]:
        """The last step of each phrase, where that is said or the score marks it; a guess excuses nothing."""
        ends = np.zeros(len(self.singers.voices), dtype=bool)
        for phrase in self.reading.phrases:
            if phrase.sure == 1:
                ends[min(phrase.end, len(ends)) - 1] = True
        return ends

    def _is_guessed(self, step: int) -> bool:
        """Whether the phrase on whose last note a step lies only seems to end there."""
        return any(one.sure < 1 for one in self.reading.phrases if one.rest <= step < one.end)

    def _remark(self, fault: Fault) -> Remark:
        rule = RULE_CALLED[fault.rule]
        level = rule.level
        if rule is RANGE and self._out_of_range(fault) > FAR_OUT:
            level = "error"
        if fault.excuse or (rule is RESTLESS and self._is_guessed(fault.step)):
            level = "style"
        names = [self.singers.names[voice] for voice in fault.voices]
        voices = _listed([name.lower() for name in names])
        sung = " over ".join(self._name(pitch) for pitch in fault.pitches if pitch >= 0)
        text = _capital(rule.wording.format(voices=voices, notes=sung))
        if fault.excuse:
            text += f" (excused: {fault.excuse})"
        better = self._remedy(fault) if level != "style" else None
        return self._at(
            fault.step,
            level=level,
            rule=rule.name,
            voices=tuple(names),
            text=text,
            remedy=rule.remedy,
            sure=None,
            instead=better,
            notes=self._ids(fault.step, fault.voices),
        )

    def _out_of_range(self, fault: Fault) -> int:
        n_voices = self.singers.voices.shape[1]
        voice = fault.voices[0]
        low, high = TEXTBOOK_RANGES[3 if voice == n_voices - 1 else voice]
        return max(low - fault.pitches[0], fault.pitches[0] - high)

    def _remedy(self, fault: Fault) -> str | None:
        """The likeliest note after which less is wrong, of those that could stand in the place of one at fault."""
        voices = self.singers.voices
        steps = (fault.step, fault.step - 1) if RULE_CALLED[fault.rule].is_of_motion else (fault.step,)
        first, last = max(fault.step - STRETCH, 0), fault.step + STRETCH
        cost = self._cost(voices[first:last], first)
        best: tuple[float, str] | None = None
        for i, note in enumerate(self.notes):
            if note.voice not in fault.voices or not any(note.onset <= step < note.end for step in steps):
                continue
            for pitch in np.argsort(-self.expects[i], kind="stable")[:N_TRIED].tolist():
                likely = float(self.expects[i, pitch])
                if pitch == note.pitch or likely < LEAST or (best is not None and likely <= best[0]):
                    continue
                changed = voices[first:last].copy()
                changed[max(note.onset - first, 0) : max(note.end - first, 0), note.voice] = pitch
                if self._cost(changed, first) < cost:
                    where = "" if note.onset == fault.step else f" on {self.reading.place(note.onset)}"
                    best = likely, f"{self._name(pitch)} in the {self.singers.names[note.voice].lower()}{where}"
        return None if best is None else best[1]

    def _cost(self, voices: Voices, first: int) -> float:
        phase = (self.reading.beat_phase + first) % 4
        key = self.key or self.reading.key
        form = self._form.cut(slice(first, first + len(voices)))
        found = faults(voices, key=key, beat_phase=phase, rules=TEACHERS_PRICES, form=form)
        return sum(TEACHERS_PRICES[fault.rule] for fault in found)

    def wrong_notes(self, chance: Float[np.ndarray, "step pitch"]) -> list[Remark]:
        sure = sureness(evidence(self.notes, chance, self.expects))
        remarks: list[Remark] = []
        taken = np.zeros(len(self.singers.voices), dtype=bool)
        for i in np.argsort(-sure, kind="stable").tolist():
            note = self.notes[i]
            if sure[i] < SURE_WARNING:
                break
            if self.singers.voices.shape[1] == 1 and note.pitch % 12 in usable(self.reading.key):
                continue  # a lone tune is lectured on none of its key's own notes
            # beside a wrong note right ones look wrong
            if taken[note.steps].any() and sure[i] < SURE_ERROR:
                continue
            taken[note.steps] = True
            remarks.append(self._wrong_note(i, float(sure[i])))
        return remarks

    def _wrong_note(self, i: int, sure: float) -> Remark:
        note, expects = self.notes[i], self.expects[i].copy()
        name = self.singers.names[note.voice]
        expects[note.pitch] = -np.inf
        best = int(expects.argmax())
        better = f"{self._name(best)} in the {name.lower()}"
        return self._at(
            note.onset,
            level="error" if sure >= SURE_ERROR else "warning",
            rule=WRONG_NOTE,
            voices=(name,),
            text=f"{name}: the model would take {self._name(note.pitch)} back, {sure:.0%} sure",
            remedy="it would write another note",
            sure=sure,
            instead=better if expects[best] >= LEAST else None,
            notes=self._ids(note.onset, (note.voice,)),
        )

    def _at(self, step: int, **rest: Any) -> Remark:
        bar, beat = self.reading.bar_and_beat(step)
        return Remark(bar=bar, beat=beat, step=step, **rest)

    def _ids(self, step: int, voices: Sequence[int]) -> tuple[int, ...]:
        ids = (int(self.singers.ids[step, voice]) for voice in voices)
        return tuple(dict.fromkeys(i for i in ids if i >= 0))

    def _name(self, pitch: int) -> str:
        return note_name(pitch, self.reading.key, short=True)


def _lasting(strained: Sequence[Fault]) -> list[Fault]:
    """The first of those that name a voice in `LONG` bars or more in a row: fewer are no habit."""
    found = []
    for voice in {fault.voices for fault in strained}:
        bars = {fault.step // STEPS_PER_BAR: fault for fault in strained if fault.voices == voice}
        for bar, fault in bars.items():
            if bar - 1 not in bars and all(bar + n in bars for n in range(LONG)):
                found.append(fault)
    return found


def check_score_target(path: Path) -> None:
    """Refuse a file name that no marked score can be written to.

    Raises:
        BadInput: its suffix says something else.
    """
    if path.suffix.lower() not in (*MUSICXML, *PICTURES):
        raise BadInput(
            f"{path.name}: a marked copy is a score; name it {path.stem}.musicxml, or {path.stem}.pdf to print"
        )


def write_proof(proof: Proof, path: Path, level: Level) -> None:
    """Write a copy of the score with the notes that are remarked on in colour, and the remarks above them.

    Args:
        proof: of a score; see `check`.
        path: where to.
        level: remarks of this level and of graver ones.

    Raises:
        BadInput: the file cannot be written there, or is the one that the piece was read from.
    """
    check_target(path, proof.piece.path)
    marks = []
    for remark in sorted(proof.of_level(level), key=lambda remark: LEVELS.index(remark.level)):
        text = remark.label()
        for i, note in enumerate(remark.notes):
            marks.append(Mark(note, COLOURS[remark.level], text if i == 0 else ""))
    write_marked(proof.piece, path, marks)


def _counted(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""The whole way: a score in, harmonised, a score out. The user's part is the judge: not a byte of it may differ."""

import os
import re
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from shutil import which

import numpy as np
import pytest

import ripieno
from ripieno.export import CHORDS_UNWRITTEN, chords_found
from ripieno.files.musicxml.read import parse_musicxml
from ripieno.files.musicxml.sheet import Label
from ripieno.files.musicxml.write import musicxml_text, write_musicxml
from ripieno.music.chords import asked_of_steps
from ripieno.music.piece import NewPart
from ripieno.music.roll import RollNote
from ripieno.session import Session
from tests.files.scores import attributes, by_music21, facts, note, score

EIGHTHS = '<beam number="1">begin</beam>', '<beam number="1">end</beam>'
TRIPLET = "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
B_FLAT = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"


def lyric(text: str) -> str:
    return f'<lyric number="1"><syllabic>single</syllabic><text>{text}</text></lyric>'


WALTZ = score(
    [
        attributes(beats=3, fifths=1) + note("D4", 1, "quarter", lyric("The")),
        note("G4", 2, "half", lyric("first")) + note("B4", 1, "quarter", lyric("of")),
        note("A4", 2, "half", "<notations><fermata/></notations>", lyric("all")) + note("D5", 1, "quarter"),
        note("B4", 1, "quarter") + note("A4", 1, "quarter") + note("F#4", 1, "quarter"),
        note("G4", 2, "half") + '<barline location="right"><bar-style>light-heavy</bar-style></barline>',
    ],
    numbers=['number="0" implicit="yes"', *(f'number="{i}"' for i in range(1, 5))],
)
JIG = score(
    [
        attributes(divisions=2, beats=6, unit=8, fifths=-1)
        + "".join(note(n, 1, "eighth") for n in ["F4", "A4", "C5", "F5", "C5", "A4"]),
        note("Bb4", 3, "quarter", "<dot/>") + note("G4", 3, "quarter", "<dot/>"),
        note("C5", 2, "quarter") + note("Bb4", 1, "eighth") + note("A4", 2, "quarter") + note("G4", 1, "eighth"),
        note("F4", 6, "half", "<dot/>"),
    ]
)
CHANGING = score(
    [
        attributes(fifths=2) + note("D5", 2, "half") + note("F#5", 2, "half"),
        "<attributes><time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
        + note("E5", 1, "quarter")
        + note("D5", 1, "quarter")
        + note("C#5", 1, "quarter"),
        "<attributes><time><beats>5</beats><beat-type>4</beat-type></time></attributes>"
        + note("D5", 3, "half", "<dot/>")
        + note("A4", 2, "half"),
        note("D5", 3, "half", "<dot/>") + note("F#5", 2, "half"),
    ]
)
TRIPLETS = score(
    [
        attributes(divisions=3)
        + "".join(note(n, 1, "eighth", TRIPLET) for n in ("C5", "D5", "E5"))
        + note("F5", 3, "quarter")
        + note("E5", 6, "half"),
        "".join(note(n, 1, "eighth", TRIPLET) for n in ("G5", "F5", "E5"))
        + note("D5", 3, "quarter")
        + note("C5", 6, "half"),
    ]
)
CLARINET = score(
    [
        attributes(fifths=2, transpose=B_FLAT) + note("D5", 2, "half") + note("F#5", 2, "half"),
        note("G5", 1, "quarter") + note("E5", 1, "quarter") + note("C#5", 2, "half"),
        note("D5", 4, "whole"),
    ],
    names=("Clarinet in B flat",),
)
AGAIN = score(
    [
        attributes(fifths=-2)
        + '<barline location="left"><bar-style>heavy-light</bar-style><repeat direction="forward"/></barline>'
        + note("Bb4", 2, "half", lyric("O"))
        + note("D5", 2, "half", lyric("come")),
        note("C5", 2, "half")
        + note("A4", 2, "half")
        + '<barline location="right"><bar-style>light-heavy</bar-style><repeat direction="backward"/></barline>',
        note("F5", 2, "half") + note("Eb5", 1, "quarter") + note("C5", 1, "quarter"),
        note("Bb4", 4, "whole"),
    ]
)
PIECES = {
    "3/4 with a pickup": WALTZ,
    "6/8": JIG,
    "changing": CHANGING,
    "triplets": TRIPLETS,
    "B flat clarinet": CLARINET,
    "repeats": AGAIN,
}


def own_part(text: str) -> str:
    found = re.search(r'  <part id="P1">.*?</part>', text, re.DOTALL)
    assert found is not None
    return found[0]


@pytest.fixture(scope="module", params=PIECES, ids=str)
def harmonised(request, tmp_path_factory) -> tuple[str, str, Session]:
    """A score as text before and after, and the session."""
    folder: Path = tmp_path_factory.mktemp("score")
    (folder / "in.musicxml").write_text(PIECES[request.param])
    session = ripieno.harmonize(folder / "in.musicxml", iterations=120)
    assert session.save(folder / "out.musicxml") == []
    return PIECES[request.param], (folder / "out.musicxml").read_text(), session


def test_the_users_part_is_the_same_to_the_byte(harmonised):
    before, after, session = harmonised
    assert session.log.n_added > 10
    assert own_part(after) == own_part(before)


def test_music21_reads_the_users_part_as_before_and_the_new_ones_as_they_are(harmonised):
    before, after, session = harmonised
    old, new = by_music21(before), by_music21(after)
    assert facts(new.parts[0]) == facts(old.parts[0])
    frame = {"meter", "measure", "barline"}
    for part, written in zip(new.parts[1:], session.new_parts(), strict=True):
        assert [fact for fact in facts(part) if fact[0] in frame] == [
            fact for fact in facts(old.parts[0]) if fact[0] in frame
        ]
        sung = {(4 * fact[1], fact[3]) for fact in facts(part) if fact[0] == "note" and fact[5] in (None, "start")}
        assert {onset for onset, _ in sung} == {Fraction(one.onset) for one in written.notes}


def test_the_reading_is_that_of_the_score():
    def sentence(text: str) -> str:
        return Session(parse_musicxml(text.encode(), "it")).reading.sentence()

    assert "3/4, G major" in sentence(WALTZ)
    assert "pickup of one beat" in sentence(WALTZ)
    assert "6/8, F major" in sentence(JIG)
    assert "4/4 (changing 2 times), D major" in sentence(CHANGING)
    assert "4/4, C major" in sentence(CLARINET)


def test_the_user_is_told_how_many_notes_are_off_the_grid_and_where():
    (warning,) = Session(parse_musicxml(TRIPLETS.encode(), "it")).reading.warnings
    assert warning.startswith("4 of 10 notes begin off the sixteenth grid (bars 1-2)")


def test_new_parts_beside_a_transposing_instrument_have_the_signature_that_sounds():
    session = Session(parse_musicxml(CLARINET.encode(), "it"))
    session.set(48, 0, 48)
    text = session.score()
    assert re.findall(r"<fifths>(-?\d)</fifths>", text) == ["2", "0"]
    assert "<transpose>" not in text[text.index('<part id="P2">') :]


def test_fermatas_are_sung_by_all():
    session = Session(parse_musicxml(WALTZ.encode(), "it"))
    session.set(50, 16, 8)
    text = session.score()
    assert own_part(text) == own_part(WALTZ)
    assert text.count("<fermata") == 2


def test_from_a_score_to_midi_and_from_midi_to_a_score(tmp_path: Path):
    (tmp_path / "in.musicxml").write_text(JIG)
    session = ripieno.harmonize(tmp_path / "in.musicxml", iterations=30)
    session.save(tmp_path / "out.mid")
    again = ripieno.read(tmp_path / "out.mid")
    own = [(one.onset, one.duration, one.pitch) for one in again.notes if again.parts[one.part].name == "Melody"]
    assert own == [(one.onset, one.duration, one.pitch) for one in session.piece.notes]
    tune = ripieno.harmonize(Path("examples/ode-to-joy.mid"), iterations=30)
    tune.save(tmp_path / "out.mxl")
    back = ripieno.read(tmp_path / "out.mxl")
    assert [one.pitch for one in back.notes if one.part == 0] == [one.pitch for one in tune.piece.notes]
    assert len(back.parts) == 1 + len(tune.new_parts())


# What other programs make of it


def complaints_of_verovio(text: str) -> str:
    verovio = pytest.importorskip("verovio")
    verovio.enableLog(verovio.LOG_WARNING)
    toolkit = verovio.toolkit()
    assert toolkit.loadData(text)
    assert toolkit.renderToSVG(1).count("<svg") > 0
    return toolkit.getLog()


def by_musescore(path: Path, target: Path) -> list[str]:
    """What MuseScore says while it turns a file into another, debugging output included; it knows MusicXML's schema."""
    program = next((found for name in ("mscore3", "musescore3", "mscore", "musescore") if (found := which(name))), None)
    if program is None:
        pytest.skip("MuseScore is not installed")
    done = subprocess.run(
        [program, "-d", "-o", target, path],
        capture_output=True,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(path.parent)},
        timeout=300,
        check=False,
    )
    said = (done.stdout + done.stderr).splitlines()
    begin = next(i for i, line in enumerate(said) if line.startswith("convert"))
    usual = re.compile(r"convert|\s+to |\.\.\. success!")
    return [line for line in said[begin:] if not usual.match(line)] + [f"exit {done.returncode}"] * bool(
        done.returncode
    )


def complaints_of_musescore(path: Path) -> list[str]:
    return by_musescore(path, path.with_suffix(".mscx"))


@pytest.fixture(scope="module")
def dense(tmp_path_factory) -> Path:
    """A new score with most that we write: two staves, voices, triplets, ties, accidentals."""
    folder: Path = tmp_path_factory.mktemp("dense")
    piece = parse_musicxml(TRIPLETS.encode(), "it")
    piece = replace(piece, source=None, bars=())
    voices = tuple(
        tuple(RollNote(at, pitch + at % 5, min(length, 32 - at)) for at in range(0, 32, length))
        for pitch, length in ((62, 3), (58, 5), (50, 7), (41, 6))
    )
    new = NewPart("Organ", 19, 60, tuple(one for voice in voices for one in voice), (voices[:2], voices[2:]))
    write_musicxml(piece, folder / "dense.musicxml", None, [new], colour="#1F5FA8")
    return folder / "dense.musicxml"


def test_verovio_engraves_what_we_write_without_a_complaint(harmonised, dense: Path):
    assert complaints_of_verovio(harmonised[1]) == complaints_of_verovio(harmonised[0])
    assert complaints_of_verovio(dense.read_text()) == ""


def test_musescore_opens_what_we_write_without_a_complaint(harmonised, dense: Path, tmp_path: Path):
    old, new = tmp_path / "old.musicxml", tmp_path / "new.musicxml"
    old.write_text(harmonised[0])
    new.write_text(harmonised[1])
    place = re.compile(r"line \d+ col \d+|0x[0-9a-f]+")
    before, after = ([place.sub("", line) for line in complaints_of_musescore(path)] for path in (old, new))
    assert after == before  # the scores by hand name no instruments, which it remarks
    assert complaints_of_musescore(dense) == []


def test_musescore_has_the_notes_that_we_wrote(harmonised, dense: Path, tmp_path: Path):
    """Read by MuseScore, written by it as MusicXML, read by us: every part's notes where and as long as they were."""
    (tmp_path / "ours.musicxml").write_text(harmonised[1])
    for ours in (tmp_path / "ours.musicxml", dense):
        by_musescore(ours, tmp_path / "theirs.musicxml")
        before, after = ripieno.read(ours), ripieno.read(tmp_path / "theirs.musicxml")
        sung = [
            sorted((one.part, one.onset, one.duration, one.pitch) for one in piece.notes) for piece in (before, after)
        ]
        assert sung[0] == sung[1]
        assert len(before.parts) == len(after.parts) > 1
        assert [(m.step, m.numerator, m.denominator) for m in before.meters] == [
            (m.step, m.numerator, m.denominator) for m in after.meters
        ]


def test_musescore_would_complain_about_an_invalid_score(dense: Path):
    bad = dense.with_name("bad.musicxml")
    bad.write_text(dense.read_text().replace("<voice>", "<voic>").replace("</voice>", "</voic>"))
    assert any("not a valid" in line for line in complaints_of_musescore(bad))


def test_verovio_shows_which_notes_are_new(dense: Path):
    verovio = pytest.importorskip("verovio")
    toolkit = verovio.toolkit()
    toolkit.loadData(dense.read_text())
    drawn = "".join(toolkit.renderToSVG(page + 1) for page in range(toolkit.getPageCount()))
    ids = set(re.findall(r'<note id="([^"]*)"', dense.read_text()))
    assert len(ids) > 20
    assert ids <= set(re.findall(r'<g id="([^"]*)" class="note"', drawn))


# Chords, ensembles, syllables

CHART = "G/B | D . A7 | D7 G/B . | G"


def chorded(**options) -> Session:
    session = Session(parse_musicxml(WALTZ.encode(), "it"), chords=CHART, **options)
    for _ in session.run():
        pass
    return session


@pytest.fixture(scope="module")
def over_chords() -> Session:
    return chorded(quality="fast")


def test_new_notes_belong_to_the_chords_and_the_named_bass_is_lowest(over_chords: Session):
    session = over_chords
    classes, basses = asked_of_steps(session.document.chords, session.reading.start, session.log.cells.shape[1])
    cells = session.log.cells[0]
    new = cells & ~session.log.origin[0]
    assert new.sum() > 60
    inside = new & classes[:, np.arange(128) % 12]
    assert inside.sum() >= 0.99 * new.sum()
    named = np.flatnonzero((basses >= 0) & new.any(axis=1))
    assert len(named) > 10
    assert (cells[named].argmax(axis=1) % 12 == basses[named]).all()


def test_chord_symbols_of_a_score_are_followed_and_read_back(over_chords: Session):
    session = over_chords
    text = musicxml_text(
        session.piece, labels=[Label(one.step, chord=one.chord) for one in session.document.chords if one.chord]
    )
    assert own_part(re.sub(r"\s*<harmony>.*?</harmony>", "", text)) == own_part(WALTZ)
    again = parse_musicxml(text.encode(), "it")
    assert [one for one in session.document.chords if one.chord] == list(again.chords)
    assert Session(again).policy.chords is not None
    assert Session(again, chords="none").policy.chords is None
    symbols = by_music21(text).parts[0].recurse().getElementsByClass("ChordSymbol")
    assert [one.figure for one in symbols] == ["G/B", "D", "A7", "D7", "G/B", "G"]


def test_the_chords_found_stand_in_the_score_as_symbols_or_numerals(tmp_path: Path):
    for how, sign in (("symbols", "<harmony>"), ("roman", "<words")):
        session = Session(parse_musicxml(WALTZ.encode(), "it"), write_chords=how)
        session.set(43, 4, 12)
        session.set(59, 4, 12)
        text = session.score()
        assert text.count(sign) == len([one for one in chords_found(session.document) if one.chord is not None]) > 0
        if how == "roman":
            assert ">I</words>" in text
        by_music21(text)
    session = Session(parse_musicxml(WALTZ.encode(), "it"), write_chords="symbols")
    assert CHORDS_UNWRITTEN in session.save(tmp_path / "out.mid")
    assert CHORDS_UNWRITTEN in session.save(tmp_path / "out.png")
    assert CHORDS_UNWRITTEN not in session.save(tmp_path / "out2.png", as_score=True)
    assert CHORDS_UNWRITTEN not in session.save(tmp_path / "out.musicxml")


@pytest.mark.parametrize(("how", "staves"), [("roman", {"2"}), ("symbols", set())])
def test_of_two_staves_numerals_stand_below_the_lower_one(how: str, staves: set[str]) -> None:
    session = Session(parse_musicxml(WALTZ.encode(), "it"), write_chords=how, ensemble="organ")
    session.set(43, 4, 12)
    session.set(59, 4, 12)
    text = session.score()
    directions = re.findall(r'<direction placement="below"><direction-type><words.*?</direction>', text)
    assert {staff for one in directions for staff in re.findall(r"<staff>(.)</staff>", one)} == staves
    assert len(directions) + text.count("<harmony>") == len(
        [c for c in chords_found(session.document) if c.chord is not None]
    )
    by_music21(text)


@pytest.mark.parametrize("ensemble", [None, "choir", "strings", "winds", "organ"])
@pytest.mark.parametrize("n_parts", [1, 2, 4])
def test_every_arrangement_sounds_the_same_notes(over_chords: Session, ensemble, n_parts, tmp_path: Path):
    before = over_chords.document
    over_chords.ask(ensemble=ensemble)
    text = over_chords.score(n_parts)
    after = by_music21(text)
    expected = over_chords.new_parts(4)
    sounding = set()
    for part in after.toSoundingPitch().parts[1:]:
        for one in part.recurse().notes:
            if one.tie is None or one.tie.type == "start":
                onset = 4 * Fraction(one.getOffsetInHierarchy(after)).limit_denominator(1000)
                sounding |= {(onset, pitch.midi) for pitch in one.pitches}
    assert sounding == {(Fraction(one.onset), one.pitch) for part in expected for one in part.notes}
    over_chords.document = before


def test_inner_voices_strike_again_on_syllables():
    sung = Session(parse_musicxml(WALTZ.encode(), "it"), syllables=True)
    sung.set(50, 4, 12)  # under "first" and "of"
    (part,) = sung.new_parts()
    assert [(one.onset, one.duration) for one in part.notes] == [(4, 8), (12, 4)]


def test_what_a_midi_file_does_not_hold_of_a_score_is_said(tmp_path: Path):
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch><voice>1</voice></note>"
    repeat = '<barline location="right"><repeat direction="backward"/></barline>'
    session = Session(parse_musicxml(score([attributes() + grace + note("C5", 4) + repeat]).encode(), "it"))
    assert session.save(tmp_path / "out.mid") == [
        "1 grace notes are in the score only",
        "Repeats are not played out: the MIDI file goes through the score once",
    ]
    assert session.save(tmp_path / "out.musicxml") == []


def test_a_cadence_that_is_asked_for_is_written_with_its_roots_in_the_bass():
    session = Session(
        parse_musicxml(WALTZ.encode(), "it"), cadences="4: perfect", phrases="4", quality="fast", chords="none"
    )
    for _ in session.run():
        pass
    (cadence,) = session.document.cadences
    assert cadence.before is not None
    assert cadence.last is not None
    cells, start = session.log.cells[0], session.reading.start
    for chord, end in ((cadence.before, cadence.last.step), (cadence.last, cadence.end)):
        here = cells[int(chord.step) - start : int(end) - start]
        assert chord.chord is not None
        assert (here.argmax(axis=1) % 12 == 7 * chord.chord.root % 12).all()
        assert {int(pitch) % 12 for pitch in np.flatnonzero(here.any(axis=0))} <= chord.chord.classes
    assert not session.policy.gives_chords

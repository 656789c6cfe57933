"""music21 says what is in a file; our own reader is not asked whether it kept what it read."""

import io
import random
import re
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from ripieno.errors import BadInput
from ripieno.files.midi import midi_bytes, parse_midi
from ripieno.files.musicxml.read import parse_musicxml, read_musicxml
from ripieno.files.musicxml.sheet import NEW_ID
from ripieno.files.musicxml.write import musicxml_bytes, musicxml_text, write_musicxml
from ripieno.files.reader import is_musicxml
from ripieno.music.piece import (
    Bar,
    Key,
    Meter,
    NewPart,
    Piece,
    Revision,
    Span,
    n_steps,
    note_cells,
    piece_from_notes,
    remaining_notes,
    revise,
    roll_of_piece,
)
from ripieno.music.roll import RollNote
from ripieno.music.understanding import understand
from tests.files.scores import attributes, by_music21, chorales, facts, note, score, sung

SCALE = score(
    [
        attributes(divisions=2) + "".join(note(name, 2, "quarter") for name in ("C4", "D4", "E4", "F#4")),
        note("G4", 4, "half") + note("A4", 4, "half"),
    ]
)


def parsed(text: str) -> Piece:
    return parse_musicxml(text.encode(), "it.musicxml")


def heard(piece: Piece) -> list[tuple[int, Fraction, Fraction, int]]:
    return [(one.part, one.onset, one.end, one.pitch) for one in piece.notes]


def line(piece: Piece, seed: int = 1) -> tuple[RollNote, ...]:
    """A line to add: every length, some rests, all of the piece's time."""
    chance = random.Random(seed)
    notes, at, end = [], 0, n_steps(piece)
    while at < end:
        length = min(chance.choice((1, 2, 3, 4, 4, 6, 8, 11)), end - at)
        if chance.random() < 0.8:
            notes.append(RollNote(at, 45 + chance.randrange(16), length))
        at += length
    return tuple(notes)


# Reading


def test_notes_are_where_the_score_has_them():
    piece = parsed(SCALE)
    assert [(one.onset, one.duration, one.pitch) for one in piece.notes] == [
        (0, 4, 60),
        (4, 4, 62),
        (8, 4, 64),
        (12, 4, 66),
        (16, 8, 67),
        (24, 8, 69),
    ]
    assert piece.parts[0].name == "Melody"
    assert piece.meters == (Meter(step=Fraction(0), numerator=4, denominator=4),)
    assert piece.bars == (Bar(step=Fraction(0), number=1), Bar(step=Fraction(16), number=2))


def test_backup_forward_and_chords():
    measure = (
        attributes(divisions=2)
        + note("C5", 4, "half")
        + note("E5", 4, "half", chord=True)
        + note("G5", 4, "half")
        + "<backup><duration>8</duration></backup><forward><duration>2</duration></forward>"
        + note("A3", 6, "half", "<dot/>")
    )
    assert heard(parsed(score([measure]))) == [
        (0, Fraction(0), Fraction(8), 72),
        (0, Fraction(0), Fraction(8), 76),
        (0, Fraction(4), Fraction(16), 57),
        (0, Fraction(8), Fraction(16), 79),
    ]


def test_ties_make_one_note_of_several():
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    piece = parsed(
        score(
            [
                attributes() + note("", 2) + note("C4", 2, "half", start),
                note("C4", 4, "whole", stop, start),
                note("C4", 1, "quarter", stop) + note("C4", 3),
            ]
        )
    )
    assert heard(piece) == [(0, Fraction(8), Fraction(36), 60), (0, Fraction(36), Fraction(48), 60)]


def test_a_tie_that_only_the_notation_shows_counts():
    piece = parsed(
        score(
            [
                attributes()
                + note("C4", 2, "half", '<notations><tied type="start"/></notations>')
                + note("C4", 2, "half", '<notations><tied type="stop"/></notations>')
            ]
        )
    )
    assert heard(piece) == [(0, Fraction(0), Fraction(16), 60)]


def test_transposing_instruments_are_heard_where_they_sound():
    b_flat = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    octave = "<transpose><diatonic>0</diatonic><chromatic>0</chromatic><octave-change>-1</octave-change></transpose>"
    clarinet = parsed(score([attributes(fifths=2, transpose=b_flat) + note("F#5", 4, "whole")]))
    assert [one.pitch for one in clarinet.notes] == [76]  # E5
    assert clarinet.keys[0].n_sharps == 0
    assert clarinet.source.places[0].place == 4  # E, not F flat
    assert [one.pitch for one in parsed(score([attributes(transpose=octave) + note("C4", 4)])).notes] == [48]


def test_grace_notes_and_cues_take_no_time():
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch><voice>1</voice></note>"
    cue = note("D5", 2).replace("<note>", "<note><cue/>")
    piece = parsed(score([attributes() + grace + note("C5", 2) + cue]))
    assert heard(piece) == [(0, Fraction(0), Fraction(8), 72)]
    assert piece.source.n_graces == 1


def test_triplets_keep_their_exact_place():
    triplet = "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
    piece = parsed(
        score([attributes(divisions=3) + "".join(note("C5", 1, "eighth", triplet) for _ in range(3)) + note("D5", 9)])
    )
    assert [one.onset for one in piece.notes] == [0, Fraction(4, 3), Fraction(8, 3), 4]


def test_staves_are_parts_of_their_own():
    measure = (
        attributes(more="<attributes><staves>2</staves></attributes>")
        + note("C5", 4, "whole", "<staff>1</staff>")
        + "<backup><duration>4</duration></backup>"
        + note("C3", 4, "whole", "<staff>2</staff>")
    )
    piece = parsed(score([measure], names=("Piano",)))
    assert [part.name for part in piece.parts] == ["Piano (staff 1)", "Piano (staff 2)"]
    assert [(one.part, one.pitch) for one in piece.notes] == [(1, 48), (0, 72)] or heard(piece)[0][3] == 72
    assert {one.part: one.pitch for one in piece.notes} == {0: 72, 1: 48}


def test_percussion_is_told_from_pitches():
    unpitched = (
        "<note><unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"
        "<duration>4</duration></note>"
    )
    piece = parsed(score([attributes() + note("C5", 4)], [attributes() + unpitched], names=("Tune", "Snare")))
    assert [part.is_drums for part in piece.parts] == [False, True]
    with pytest.raises(BadInput, match="percussion"):
        parsed(score([attributes() + unpitched]))


@pytest.mark.parametrize(
    ("fifths", "mode", "expected"),
    [
        (2, "major", (2, "major")),
        (2, "minor", (11, "minor")),
        (0, "dorian", (2, "minor")),
        (-1, "mixolydian", (0, "major")),
        (0, "phrygian", (4, "minor")),
        (1, "lydian", (0, "major")),
    ],
)
def test_modes(fifths: int, mode: str, expected: tuple[int, str]):
    text = score([attributes(fifths=fifths) + note("D5", 4)]).replace("</fifths>", f"</fifths><mode>{mode}</mode>")
    (key,) = parsed(text).keys
    assert (key.tonic, key.mode) == expected
    assert key.n_sharps == fifths


def test_a_signature_without_a_mode_is_read_by_the_notes():
    minor = [attributes() + note("A4", 1) + note("C5", 1) + note("E5", 1) + note("G#4", 1), note("A4", 4)]
    assert parsed(score(minor)).keys == (Key(step=Fraction(0), tonic=9, mode="minor", n_sharps=0),)


def test_a_pickup_and_a_bar_cut_by_a_repeat_are_bars_as_musicians_count():
    repeat = '<barline location="right"><repeat direction="backward"/></barline>'
    text = score(
        [
            attributes() + note("G4", 1),
            note("C5", 4),
            note("E5", 3) + repeat,
            note("G4", 1),
            note("C5", 4),
            note("C5", 3),
        ],
        numbers=[
            'number="0" implicit="yes"',
            'number="1"',
            'number="2"',
            'number="X1" implicit="yes"',
            'number="3"',
            'number="4"',
        ],
    )
    piece = parsed(text)
    assert [(bar.step, bar.number) for bar in piece.bars] == [(0, 0), (4, 1), (20, 2), (36, 3), (52, 4)]
    reading = understand(piece)
    assert reading.pickup == 4
    assert reading.first_bar == 0
    assert reading.place(36 - 4) == "bar 2, beat 4"
    assert piece.source.has_repeats


def test_the_numbers_of_the_bars_are_the_scores():
    text = score([attributes() + note("C5", 4), note("D5", 4)], numbers=['number="17"', 'number="18"'])
    assert understand(parsed(text)).first_bar == 17


@pytest.mark.parametrize(
    ("beats", "unit", "expected"), [("3", "4", (3, 4)), ("3+2", "8", (5, 8)), ("6", "8", (6, 8)), ("5", "4", (5, 4))]
)
def test_meters(beats: str, unit: str, expected: tuple[int, int]):
    length = 4 * expected[0] * 4 // expected[1]
    text = score([attributes(divisions=4) + note("C5", length)]).replace("<beats>4", f"<beats>{beats}")
    piece = parsed(text.replace("<beat-type>4", f"<beat-type>{unit}"))
    assert [(meter.numerator, meter.denominator) for meter in piece.meters] == [expected]


def test_tempo_by_sound_and_by_metronome():
    sound = '<sound tempo="96"/>'
    mark = (
        "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
        "<per-minute>60</per-minute></metronome></direction-type></direction>"
    )
    piece = parsed(score([attributes() + sound + note("C5", 4), mark + note("C5", 4)]))
    assert [(tempo.step, tempo.bpm) for tempo in piece.tempos] == [(0, 96), (16, 90)]


def test_timewise_scores_are_read_and_written():
    body = (
        '<measure number="1">\n    <part id="P1">'
        + attributes()
        + note("C5", 4, "whole")
        + '</part>\n  </measure>\n  <measure number="2">\n    <part id="P1">'
        + note("D5", 4, "whole")
        + "</part>\n  </measure>"
    )
    text = (
        '<?xml version="1.0"?>\n<score-timewise>\n  <part-list>\n    <score-part id="P1"><part-name>T</part-name>'
        f"</score-part>\n  </part-list>\n  {body}\n</score-timewise>"
    )
    piece = parsed(text)
    assert [(one.onset, one.pitch) for one in piece.notes] == [(0, 72), (16, 74)]
    added = parsed(musicxml_text(piece, None, [NewPart("Bass", 0, 60, (RollNote(8, 48, 16),))]))
    assert [(one.part, one.onset, one.end, one.pitch) for one in added.notes if one.part] == [(1, 8, 24, 48)]


# Compressed files


def packed(text: str, name: str = "score.xml", **more: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        container = f'<container><rootfiles><rootfile full-path="{name}"/></rootfiles></container>'
        archive.writestr("META-INF/container.xml", container)
        archive.writestr(name, text)
        for other, data in more.items():
            archive.writestr(other, data)
    return buffer.getvalue()


def test_compressed_scores_are_read_and_keep_what_else_is_in_them(tmp_path: Path):
    path = tmp_path / "in.mxl"
    path.write_bytes(packed(SCALE, picture=b"\x89PNG"))
    piece = read_musicxml(path)
    assert [one.pitch for one in piece.notes] == [60, 62, 64, 66, 67, 69]
    write_musicxml(piece, tmp_path / "out.mxl")
    with zipfile.ZipFile(tmp_path / "out.mxl") as archive:
        assert archive.read("score.xml").decode() == SCALE
        assert archive.read("picture") == b"\x89PNG"
    write_musicxml(piece, tmp_path / "out.musicxml")
    assert (tmp_path / "out.musicxml").read_text() == SCALE


def test_a_new_compressed_score_says_where_it_is(tmp_path: Path):
    piece = piece_from_notes([RollNote(0, 60, 16)])
    write_musicxml(piece, tmp_path / "tune.mxl")
    assert [one.pitch for one in read_musicxml(tmp_path / "tune.mxl").notes] == [60]
    with zipfile.ZipFile(tmp_path / "tune.mxl") as archive:
        assert b'full-path="tune.musicxml"' in archive.read("META-INF/container.xml")


def test_an_error_calls_the_piece_by_its_name(tmp_path: Path):
    piece = piece_from_notes([RollNote(0, 60, 16)])
    drums = replace(piece, parts=(replace(piece.parts[0], is_drums=True),))
    with pytest.raises(BadInput, match=r"^beat\.mid has no notes besides drums"):
        write_musicxml(drums, tmp_path / "beat.musicxml", name="beat.mid")
    assert not list(tmp_path.iterdir())


def bomb() -> bytes:
    return packed("<score-partwise>" + " " * 60_000_000 + "</score-partwise>")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1"),
        (b"PK\x03\x04 and no more", "damaged compressed"),
        (packed(SCALE)[:-30], "damaged compressed"),
        (packed(SCALE).replace(b"score.xml", b"other.xml", 1), "damaged compressed"),
        (bomb(), "unpacks to more"),
        (packed("<a/>", "notes.txt").replace(b"notes.txt", b"notes.doc"), "without a score"),
        (b"MThd\0\0\0\6\0\1\0\1\0\x60", "damaged XML"),
        (b"<museScore/>", "no MusicXML score but <museScore>"),
        (b"<html></html>", "no MusicXML score but <html>"),
        (b"<score-partwise/>", "no notes"),
        (score([attributes() + note("", 4)]).encode(), "no notes"),
        (SCALE.replace("</measure>", "", 1).encode(), "mismatched tag"),
        (SCALE.replace("<divisions>2", "<divisions>0").encode(), "divisions"),
        (SCALE.replace("<divisions>2", "<divisions>1e99999999").encode(), "divisions"),
        (SCALE.replace("<duration>2", "<duration>x", 1).encode(), "duration"),
        (SCALE.replace("<step>C", "<step>H", 1).encode(), '"H"'),
        (SCALE.replace("<octave>4", "<octave>40", 1).encode(), "no instrument plays"),
        (SCALE.replace("<alter>1", "<alter>99", 1).encode(), "damaged"),
        (SCALE.replace("<fifths>0", "<fifths>77", 1).encode(), "77 sharps"),
        (SCALE.replace("<duration>4", "<duration>999999999", 1).encode(), "more than"),
        (
            score([attributes() + note("C4", 4)], [attributes() + note("C4", 4)], names=("A", "B"))
            .replace("</measure>\n  </part>\n</score", "</measure><measure/></part></score")
            .encode(),
            "1, 2 measures",
        ),
    ],
)
def test_bad_files_are_one_clear_line(data: bytes, message: str):
    with pytest.raises(BadInput, match=re.escape(message)) as caught:
        parse_musicxml(data, "bad.musicxml")
    assert str(caught.value).startswith("bad.musicxml")
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_said(tmp_path: Path):
    for path in (tmp_path, tmp_path / "none.musicxml"):
        with pytest.raises(BadInput, match=r"folder|exist"):
            read_musicxml(path)


def test_a_file_is_known_by_its_suffix_and_else_by_its_first_bytes(tmp_path: Path):
    for name, data, expected in [
        ("a.musicxml", b"MThd", True),
        ("a.XML", b"", True),
        ("a.mid", SCALE.encode(), False),
        ("a", SCALE.encode(), True),
        ("b", SCALE.encode("utf-16"), True),
        ("c.bin", packed(SCALE), True),
        ("d", b"MThd", False),
    ]:
        (tmp_path / name).write_bytes(data)
        assert is_musicxml(tmp_path / name) is expected
    assert not is_musicxml(tmp_path / "none")


# Patching


def test_nothing_changed_is_the_same_bytes():
    assert musicxml_text(parsed(SCALE)) == SCALE


def test_new_parts_stand_behind_and_nothing_else_changes():
    piece = parsed(SCALE)
    text = musicxml_text(piece, None, [NewPart("Bass & Co", 43, 60, (RollNote(0, 48, 32),))])
    first, second = SCALE.index("\n  </part-list>"), SCALE.index("\n</score-partwise>")
    assert text.startswith(SCALE[:first])
    assert text.endswith(SCALE[second:])
    assert SCALE[first:second] in text
    after = by_music21(text)
    assert [part.partName for part in after.parts] == ["Melody", "Bass & Co"]
    assert facts(after.parts[0]) == facts(by_music21(SCALE).parts[0])


def test_new_notes_are_told_apart_by_their_ids():
    piece = parsed(SCALE)
    parts = [NewPart("A", 0, 60, line(piece)), NewPart("B", 0, 60, line(piece, 2))]
    text = musicxml_text(piece, None, parts, colour="#1F5FA8")
    ids = re.findall(r'<note id="([^"]*)"', text)
    assert len(ids) == len(set(ids)) > 0
    assert all(one.startswith(NEW_ID) for one in ids)
    assert text.count('color="#1F5FA8"') == len(ids)
    assert "color" not in text[: text.index('<part id="P2">')]


def test_new_parts_have_the_meters_keys_repeats_and_pickups_of_the_others():
    repeat = '<barline location="right"><bar-style>light-heavy</bar-style><repeat direction="backward"/></barline>'
    text = score(
        [
            attributes(divisions=2, beats=3, fifths=-3) + note("G4", 2),
            note("C5", 6) + repeat,
            "<attributes><key><fifths>2</fifths></key><time><beats>6</beats><beat-type>8</beat-type></time></attributes>"
            + note("D5", 6),
        ],
        numbers=['number="0" implicit="yes"', 'number="1"', 'number="2"'],
    )
    piece = parsed(text)
    after = by_music21(musicxml_text(piece, None, [NewPart("Bass", 0, 60, line(piece))]))
    same = {"meter", "key", "measure", "barline"}
    first, second = ([fact for fact in facts(part) if fact[0] in same] for part in after.parts)
    assert first == second
    assert ("barline", Fraction(4), "final", "end") in first


def test_a_dropped_note_leaves_a_rest_and_a_shortened_one_what_is_left():
    piece = parsed(SCALE)
    revision = Revision(touched={0: (), 4: (Span(Fraction(16), Fraction(19)),)})
    text = musicxml_text(piece, revision)
    assert heard(parsed(text)) == [
        (0, Fraction(4), Fraction(8), 62),
        (0, Fraction(8), Fraction(12), 64),
        (0, Fraction(12), Fraction(16), 66),
        (0, Fraction(16), Fraction(19), 67),
        (0, Fraction(24), Fraction(32), 69),
    ]
    read = facts(by_music21(text).parts[0])
    assert read[3:5] == [("rest", 0, 1), ("note", 1, ("D4",), 1, "quarter", None, (), ())] or ("rest", 0, 1) in read
    assert ("note", 4, ("G4",), Fraction(3, 4), "eighth", None, (), ()) in read


def test_a_new_tempo_takes_the_place_of_the_old_ones():
    piece = parsed(score([attributes() + '<sound tempo="96"/>' + note("C5", 4), '<sound tempo="50"/>' + note("C5", 4)]))
    assert [tempo.bpm for tempo in parsed(musicxml_text(piece, Revision(bpm=72))).tempos] == [72]
    without = parsed(musicxml_text(parsed(SCALE), Revision(bpm=72)))
    assert [(tempo.step, tempo.bpm) for tempo in without.tempos] == [(0, 72)]


CHORALES = chorales()
SAMPLE = CHORALES[:: len(CHORALES) // 40][:40]


def check_kept(path: Path) -> None:
    """Written back unchanged, and with a part more."""
    piece = read_musicxml(path)
    source = piece.source.xml.text.decode()
    assert musicxml_text(piece) == source
    new = NewPart("New", 52, 60, line(piece))
    text = musicxml_text(piece, None, [new])
    before, after = by_music21(source), by_music21(text)
    assert len(after.parts) == len(before.parts) + 1
    for old, kept in zip(before.parts, after.parts, strict=False):
        assert facts(kept) == facts(old)
    starts = [measure.start for measure in piece.source.measures]
    assert sung(after.parts[-1], starts) == [(one.onset, one.duration, one.pitch) for one in new.notes]


def check_amended(path: Path) -> None:
    """With notes dropped and shortened."""
    piece = read_musicxml(path)
    chance = random.Random(3)
    before = roll_of_piece(piece, 0, n_steps(piece))
    after = before.copy()
    for owner in note_cells(piece, 0, n_steps(piece)):
        if chance.random() < 0.08:
            gone = [step for step in range(owner.first, owner.end) if chance.random() < 0.7]
            after[0, gone, owner.pitch] = False
    revision = revise(piece, before, after, 0)
    expected = replace(piece, notes=remaining_notes(piece, revision))
    text = musicxml_text(piece, revision)
    assert sorted(heard(parsed(text))) == sorted(heard(expected))
    by_music21(text)


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.stem)
def test_chorales_keep_everything(path: Path):
    check_kept(path)


@pytest.mark.parametrize("path", SAMPLE[::8], ids=lambda path: path.stem)
def test_chorales_with_notes_taken_away_keep_the_others(path: Path):
    check_amended(path)


@pytest.mark.slow
def test_every_chorale_keeps_everything(all_scores):
    assert len(CHORALES) >= 400
    for path in CHORALES:
        check_kept(path)
        check_amended(path)


# New scores


def test_a_tune_becomes_a_score():
    piece = piece_from_notes(
        [RollNote(0, 67, 4), RollNote(4, 72, 6), RollNote(10, 74, 2), RollNote(12, 76, 8)], bpm=90, meter=(3, 4)
    )
    text = musicxml_text(piece, None, [NewPart("Bass", 52, 60, (RollNote(0, 48, 12), RollNote(12, 36, 8)))])
    read = by_music21(text)
    assert [part.partName for part in read.parts] == ["Melody", "Bass"]
    notes = [[fact[1:4] for fact in facts(part) if fact[0] == "note"] for part in read.parts]
    assert notes[0][:2] == [(0, ("G4",), 1), (1, ("C5",), Fraction(3, 2))]
    assert notes[1] == [(0, ("C3",), 3), (3, ("C2",), 2)]
    assert ("clef", 0, "F", 4) in facts(read.parts[1])
    assert ("meter", 0, "3/4") in facts(read.parts[0])
    assert ("tempo", 0, 90) in facts(read.parts[0])


def test_a_midi_file_becomes_a_score_and_a_score_a_midi_file():
    tune = parse_midi(Path("examples/greensleeves.mid").read_bytes(), "greensleeves.mid")
    scored = parse_musicxml(musicxml_bytes(tune)[0], "it")
    assert [(one.onset - scored.notes[0].onset, one.duration, one.pitch) for one in scored.notes] == [
        (one.onset - tune.notes[0].onset, one.duration, one.pitch) for one in tune.notes
    ]
    assert scored.bars[0].number == 0
    again = parse_midi(midi_bytes(scored)[0], "it.mid")
    assert [(one.onset, one.duration, one.pitch) for one in again.notes] == [
        (one.onset, one.duration, one.pitch) for one in scored.notes
    ]


def test_what_somebody_played_is_written_on_the_nearest_sixteenth():
    played = piece_from_notes([RollNote(0, 60, 4), RollNote(4, 62, 4), RollNote(8, 64, 8)])
    offs = (Fraction(0), Fraction(1, 5), Fraction(-1, 6))
    notes = [replace(one, onset=one.onset + off) for one, off in zip(played.notes, offs, strict=True)]
    data, remarks = musicxml_bytes(replace(played, notes=tuple(notes)))
    assert [one.onset for one in parse_musicxml(data, "it").notes] == [0, 4, 8]
    assert remarks == ["2 of 3 notes are written on the nearest sixteenth or triplet"]


def test_triplets_of_a_midi_file_are_written_as_triplets():
    third = Fraction(4, 3)
    tune = piece_from_notes([RollNote(0, 60, 1), RollNote(1, 62, 1), RollNote(2, 64, 1), RollNote(4, 65, 12)])
    notes = [replace(one, onset=i * third, duration=third) for i, one in enumerate(tune.notes[:3])]
    text = musicxml_text(replace(tune, notes=(*notes, tune.notes[3])))
    assert text.count("<actual-notes>3</actual-notes>") == 3
    assert [one.onset for one in parsed(text).notes] == [0, third, 2 * third, 4]


def test_percussion_is_left_out_and_said():
    piece = piece_from_notes([RollNote(0, 60, 16)])
    drums = replace(piece.parts[0], name="Kit", is_drums=True)
    both = replace(
        piece,
        parts=(*piece.parts, drums),
        notes=(*piece.notes, replace(piece.notes[0], id=1, part=1, pitch=38)),
    )
    data, remarks = musicxml_bytes(both)
    assert len(parse_musicxml(data, "it").notes) == 1
    assert remarks == ["The score leaves out the percussion (Kit)"]

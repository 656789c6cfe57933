"""What a score says of phrases comes with the piece."""

from ripieno.files.musicxml.read import parse_musicxml
from ripieno.music.understanding import understand


def note(step: str, duration: int = 1, inside: str = "") -> str:
    return f"<note><pitch><step>{step}</step><octave>5</octave></pitch><duration>{duration}</duration>{inside}</note>"


def notations(inside: str) -> str:
    return f"<notations>{inside}</notations>"


FERMATA = notations("<fermata/>")
BREATH = notations("<articulations><breath-mark/></articulations>")
CAESURA = notations("<articulations><caesura/></articulations>")
LINE = "<lyric><syllabic>single</syllabic><text>flow</text><end-line/></lyric>"


def bar_line(style: str, location: str = "right") -> str:
    return f'<barline location="{location}"><bar-style>{style}</bar-style></barline>'


def score(*measures: str) -> bytes:
    """A score of one part in 4/4, its quarters divided once."""
    meter = "<attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    inside = "".join(
        f'<measure number="{i + 1}">{meter if i == 0 else ""}{measure}</measure>' for i, measure in enumerate(measures)
    )
    head = '<part-list><score-part id="P1"><part-name>Voice</part-name></score-part></part-list>'
    return f'<score-partwise version="4.0">{head}<part id="P1">{inside}</part></score-partwise>'.encode()


def marks(data: bytes) -> list[tuple[int, str, int | None]]:
    return [(int(mark.step), mark.kind, mark.part) for mark in parse_musicxml(data, "a score").marks]


def test_fermatas_breath_marks_and_ends_of_lines_are_carried_with_the_note_that_they_are_on() -> None:
    data = score(
        note("C") + note("D", inside=FERMATA) + note("E", inside=BREATH) + note("F", inside=LINE),
        note("G", 2, CAESURA) + note("C", 2),
    )
    assert marks(data) == [(4, "fermata", 0), (8, "breath", 0), (12, "line", 0), (16, "breath", 0)]


def test_a_double_bar_is_carried_but_for_the_last_one() -> None:
    whole = note("C", 4)
    assert marks(score(whole + bar_line("light-light"), whole, whole + bar_line("light-heavy"))) == [
        (16, "double bar", None)
    ]
    assert marks(score(whole + bar_line("light-heavy"), whole)) == [(16, "double bar", None)]
    assert marks(score(whole + bar_line("dashed"), bar_line("heavy-light", "left") + whole)) == []


def test_a_fermata_on_tied_notes_is_on_the_note_that_they_are_together() -> None:
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    data = score(note("C", 2) + note("D", 2, start), note("D", 2, stop + FERMATA) + note("E", 2))
    assert marks(data) == [(8, "fermata", 0)]


def test_the_phrases_of_a_score_are_read_from_its_marks() -> None:
    bar = note("C") + note("D") + note("E") + note("D", inside=FERMATA)
    reading = understand(parse_musicxml(score(bar, bar, note("C", 4)), "a score"))
    assert reading.phrases_from == "fermatas"
    assert [(one.start, one.rest, one.end, one.sure) for one in reading.phrases] == [
        (0, 12, 16, 1), (16, 28, 32, 1), (32, 32, 48, 1),
    ]  # fmt: skip

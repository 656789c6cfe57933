"""What a composer does in the studio, done in a real browser with a real server and the model that ships."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import ripieno
from ripieno.files.sound.organ import frequency_of
from ripieno.options import abouts, defaults
from ripieno.studio import messages
from tests.files.sound.test_soundfont import LOOPED, build
from tests.pace import PATIENCE
from tests.studio.page.conftest import Studio
from tests.studio.page.hands import (
    MELODY,
    Shape,
    authored,
    choose_bars,
    draw,
    notes,
    place,
    press,
    run_to_end,
    settled,
    state,
    suggested,
    until,
)

Window = Callable[..., Page]


def test_the_studio_opens_with_an_example_ready_to_play(studio: Studio, window: Window) -> None:
    page = window(studio.address)
    expect(page.locator("#name")).to_have_value(re.compile(r"\w"))
    assert len(notes(page)) > 8
    expect(page.locator("#line-text")).to_have_text("all kept")


def test_a_drawn_melody_is_there_after_a_reload(page: Page) -> None:
    draw(page, MELODY)
    assert notes(page) == MELODY
    assert authored(page, "user") == MELODY
    page.reload()
    until(page, "globalThis.ripieno?.desk.settings")
    assert notes(page) == MELODY


def test_notes_are_moved_stretched_copied_and_deleted_with_the_pointer(page: Page) -> None:
    draw(page, [(0, 67, 4), (8, 69, 4)])
    x, y = place(page, 2, 67)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(*place(page, 6, 71), steps=4)
    page.mouse.up()
    settled(page)
    assert notes(page) == [(4, 71, 4), (8, 69, 4)]
    x, y = place(page, 12, 69)
    page.mouse.move(x - 2, y)
    page.mouse.down()
    page.mouse.move(place(page, 16, 69)[0] - 2, y, steps=4)
    page.mouse.up()
    settled(page)
    assert notes(page) == [(4, 71, 4), (8, 69, 8)]
    press(page, "Control+d")
    settled(page)
    assert notes(page) == [(4, 71, 4), (8, 69, 8), (16, 69, 8)]
    page.mouse.click(*place(page, 9, 69), button="right")
    settled(page)
    assert notes(page) == [(4, 71, 4), (16, 69, 8)]
    press(page, "Escape")
    page.mouse.dblclick(*place(page, 5, 71))
    settled(page)
    assert notes(page) == [(16, 69, 8)]
    press(page, "Control+z", "Control+z")
    settled(page)
    assert notes(page) == [(4, 71, 4), (8, 69, 8), (16, 69, 8)]
    press(page, "Shift+Control+Z")
    settled(page)
    assert notes(page) == [(4, 71, 4), (16, 69, 8)]


def test_a_double_click_on_nothing_draws_one_note(page: Page) -> None:
    page.mouse.dblclick(*place(page, 4.2, 67))
    settled(page)
    assert notes(page) == [(4, 67, 4)]


def test_a_rectangle_chooses_notes_that_are_then_cut_and_pasted(page: Page) -> None:
    draw(page, MELODY[:4])
    press(page, "1", "Escape")
    page.mouse.move(*place(page, 8.2, 68))
    page.mouse.down()
    page.mouse.move(*place(page, 14, 63), steps=4)
    page.mouse.up()
    assert state(page, "selected.size") == 2
    press(page, "Control+x")
    settled(page)
    assert notes(page) == MELODY[:2]
    page.mouse.click(*place(page, 16.2, 75))
    press(page, "Control+v")
    settled(page)
    assert notes(page) == [*MELODY[:2], (16, 66, 4), (20, 64, 4)]


def test_a_suggestion_is_accepted_with_tab_and_undone_as_a_whole_note(page: Page) -> None:
    draw(page, MELODY)
    press(page, "g")
    offer = suggested(page)
    page.locator("#roll").focus()
    press(page, "Tab")
    until(
        page,
        "(token) => ripieno.desk.asking.shownSuggestion && ripieno.desk.asking.shownSuggestion.token !== token",
        offer["token"],
    )
    shape = tuple(offer["note"][name] for name in ("onset", "pitch", "duration"))
    assert authored(page, "model") == [shape]
    press(page, "Escape", "Control+z")
    settled(page)
    assert notes(page) == MELODY


def test_a_click_accepts_and_down_walks_the_next_best(page: Page) -> None:
    draw(page, MELODY)
    press(page, "g")
    first = suggested(page)
    press(page, "ArrowDown")
    second = suggested(page)
    assert second["token"] != first["token"]
    press(page, "ArrowUp")
    assert suggested(page)["token"] == first["token"]
    note = first["note"]
    page.mouse.click(*place(page, note["onset"] + note["duration"] / 2, note["pitch"]))
    until(page, "ripieno.desk.notes.some((note) => note.author === 'model')")
    assert (note["onset"], note["pitch"], note["duration"]) in authored(page, "model")


def test_a_refused_suggestion_is_not_offered_again(page: Page) -> None:
    draw(page, MELODY)
    press(page, "g")
    refused = []
    for _ in range(4):
        offer = suggested(page)
        refused.append((offer["note"]["onset"], offer["note"]["pitch"]))
        press(page, "Backspace")
        until(
            page,
            "(token) => ripieno.desk.asking.shownSuggestion && ripieno.desk.asking.shownSuggestion.token !== token",
            offer["token"],
        )
    assert len(set(refused)) == 4
    assert notes(page) == MELODY
    offered = page.evaluate("ripieno.desk.state.suggestions.suggestions.map(({ note }) => [note.onset, note.pitch])")
    assert not {tuple(one) for one in offered} & set(refused)


def test_r_offers_three_ways_one_is_taken_and_nothing_else_changes(page: Page) -> None:
    draw(page, MELODY)
    press(page, "f")
    run_to_end(page)
    before = {(note["onset"], note["pitch"]): note for note in state(page, "notes")}
    choose_bars(page, 1, 2)
    press(page, "t", "r")
    until(page, "ripieno.desk.state.alternatives")
    ways = state(page, "state.alternatives.alternatives")
    assert 1 <= len(ways) <= 3
    assert state(page, "state.alternatives.voices") == ["tenor"]
    assert len({str((way["remove"], way["add"])) for way in ways}) == len(ways), "no two are alike"
    heard = page.evaluate("ripieno.desk.heard().length")
    press(page, "ArrowUp")
    assert state(page, "asking.alternative") == -1
    assert len(before) == page.evaluate("ripieno.desk.heard().length")
    press(page, "ArrowDown")
    assert page.evaluate("ripieno.desk.heard().length") == heard
    press(page, "r")
    until(page, "(old) => ripieno.desk.state.alternatives?.alternatives[0]?.token !== old", ways[0]["token"])
    until(page, "ripieno.desk.state.alternatives")
    way = state(page, "asking.shownAlternative")
    page.locator("#roll").focus()
    press(page, "Tab")
    settled(page)
    after = {(note["onset"], note["pitch"]): note for note in state(page, "notes")}
    for note in way["add"]:
        assert after[note["onset"], note["pitch"]]["duration"] == note["duration"]
    touched = {(note["onset"], note["pitch"]) for note in [*way["add"], *way["remove"]]}
    same = {key: note["duration"] for key, note in before.items() if key not in touched}
    assert same == {key: note["duration"] for key, note in after.items() if key not in touched}


def test_a_run_streams_in_and_a_stop_is_obeyed(studio: Studio, window: Window) -> None:
    page = window(f"{studio.address}?piece={studio.begin(bars=128)}")  # so long that it goes on until it is stopped
    draw(page, MELODY)
    page.select_option("[name=quality]", "exact")
    settled(page)
    press(page, "Escape")
    page.click("#fill")
    until(page, "ripieno.desk.notes.some((note) => note.author === 'model')")
    expect(page.locator("#partner")).to_contain_text("so far")
    page.click("#fill")
    settled(page)
    assert state(page, "state.run.state") == "stopped"
    seq = state(page, "state.seq")
    page.wait_for_timeout(700)
    assert state(page, "state.seq") == seq
    assert authored(page, "user") == MELODY


def test_an_edit_in_the_middle_of_a_run_holds(page: Page) -> None:
    draw(page, MELODY)
    page.select_option("[name=quality]", "exact")
    settled(page)
    page.click("#fill")
    until(page, "ripieno.desk.notes.some((note) => note.author === 'model')")
    draw(page, [(40, 55, 8)])
    press(page, "f")
    run_to_end(page)
    assert authored(page, "user") == sorted([*MELODY, (40, 55, 8)])


def test_what_is_locked_is_left_as_it_is(page: Page) -> None:
    draw(page, MELODY)
    choose_bars(page, 2, 2)
    press(page, "k")
    settled(page)
    assert state(page, "settings.locks.bars") == [2]
    expect(page.locator("#locks")).to_contain_text("bar 2")
    press(page, "Escape", "f")
    run_to_end(page)
    assert authored(page, "model")
    assert not [note for note in authored(page, "model") if note[0] < 32 and note[0] + note[2] > 16]
    page.click("#locks button")
    settled(page)
    assert state(page, "settings.locks.bars") == []


def test_one_old_change_is_undone_whatever_came_after(page: Page) -> None:
    draw(page, MELODY[:4])
    page.click("#tab-history")
    page.locator(".entry", has_text="G4 in bar 1, beat 2").get_by_role("button", name="Undo").click()
    settled(page)
    assert notes(page) == [MELODY[0], *MELODY[2:4]]
    page.locator(".entry", has_text="G4 in bar 1, beat 2").get_by_role("button", name="Redo").click()
    settled(page)
    assert notes(page) == MELODY[:4]


def test_a_whole_run_is_undone_at_once(page: Page) -> None:
    draw(page, MELODY)
    press(page, "f")
    run_to_end(page)
    assert authored(page, "model")
    page.click("#tab-history")
    page.get_by_role("button", name="Undo all").click()
    settled(page)
    assert notes(page) == MELODY
    page.get_by_role("button", name="Redo all").click()
    settled(page)
    assert authored(page, "model")


LOUDNESS = """async ([pitches, seconds]) => {
  const { desk, page, render } = ripieno;
  const { frequencyOf } = await import("./player.js");
  const tempos = page.player.music.tempos();
  const buffer = await render(page.heard(), { tempos, from: 0, to: desk.nSteps, sampleRate: 22050 });
  const samples = buffer.getChannelData(0);
  // how loud a frequency is in a fifth of a second (Goertzel)
  const at = (pitch, second) => {
    const n = Math.round(0.2 * buffer.sampleRate);
    const from = Math.round(second * buffer.sampleRate);
    const turn = 2 * Math.cos((2 * Math.PI * frequencyOf(pitch)) / buffer.sampleRate);
    let [a, b] = [0, 0];
    for (let i = from; i < from + n; i++) [a, b] = [samples[i] + turn * a - b, a];
    return Math.sqrt(Math.max(a * a + b * b - turn * a * b, 0)) / n;
  };
  return [pitches.map((pitch) => seconds.map((second) => at(pitch, second))), buffer.duration];
}"""


def test_each_note_sounds_at_its_time_and_no_other(page: Page) -> None:
    page.fill("#tempo", "120")
    press(page, "Enter")
    draw(page, [(0, 67, 8), (8, 73, 8)])  # one second each
    (low, high), duration = page.evaluate(LOUDNESS, [[67, 73], [0.4, 1.5]])
    assert low[0] > 0.004
    assert high[1] > 0.004
    assert low[0] > 8 * low[1]
    assert high[1] > 8 * high[0]
    assert duration > 64 / 8
    page.get_by_role("button", name="Mute your notes").click()
    (low, high), _ = page.evaluate(LOUDNESS, [[67, 73], [0.4, 1.5]])
    assert max(*low, *high) < 1e-6


def test_playing_moves_on_and_stops_where_it_is_told(page: Page) -> None:
    draw(page, MELODY)
    choose_bars(page, 2, 2)
    press(page, "l", "Space")
    until(page, "ripieno.player.isPlaying && ripieno.player.position > 18")
    assert state(page, "isLooping")
    assert 16 <= page.evaluate("ripieno.player.position") < 32
    press(page, "Enter")
    assert not page.evaluate("ripieno.player.isPlaying")
    assert state(page, "caret.step") == 16


def test_a_change_that_arrives_while_it_plays_is_heard(studio: Studio, window: Window) -> None:
    address = f"{studio.address}?piece={studio.begin()}"
    one, two = window(address), window(address)
    draw(one, [(0, 67, 64)])
    choose_bars(one, 1, 4)
    press(one, "l", "Space")  # round and round, until it is stopped
    until(one, "[...ripieno.player.sounding.keys()].map((key) => key.split(':')[1]).join() === '67'")
    draw(two, [(0, 60, 64)])
    until(one, "[...ripieno.player.sounding.keys()].some((key) => key.split(':')[1] === '60')")
    press(one, "Enter")


def test_it_is_saved_as_midi_score_wav_png_and_project(studio: Studio, page: Page, tmp_path: Path) -> None:
    draw(page, MELODY)
    press(page, "f")
    run_to_end(page)
    saved: dict[str, Path] = {}
    for kind in ("mid", "musicxml", "wav", "png", "ripieno"):
        page.click("#save-button")
        with page.expect_download() as download:
            page.click(f"#formats [data-format={kind}]")
        saved[kind] = tmp_path / download.value.suggested_filename
        assert saved[kind].name == f"Evening.{kind}"
        download.value.save_as(saved[kind])
    piece = ripieno.read(saved["mid"])
    assert len(piece.notes) >= len(notes(page))
    assert len(ripieno.read(saved["musicxml"]).notes) == len(piece.notes)
    samples, rate = soundfile.read(saved["wav"])
    assert len(samples) / rate == pytest.approx(16 * 60 / state(page, "settings.bpm") + 1.8, abs=0.1)
    assert 0.05 < abs(samples).max() <= 1
    with Image.open(saved["png"]) as picture:
        assert picture.size[0] > 500
    again = studio.ask("api/pieces/import?name=Evening.ripieno", data=saved["ripieno"].read_bytes())
    before = page.evaluate("[...ripieno.desk.state.history.values()].map((item) => item.text)")
    sounding = notes(page)
    page.goto(f"{studio.address}?piece={again['piece']['id']}")
    until(page, "globalThis.ripieno?.desk.settings")
    assert notes(page) == sounding
    assert page.evaluate("[...ripieno.desk.state.history.values()].map((item) => item.text)") == before


def test_a_soundfont_of_ones_own_is_heard_and_saved(
    window: Window, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    font = tmp_path / "choir.sf2"
    font.write_bytes(build([LOOPED]))
    studio = Studio(tmp_path_factory.mktemp("soundfont"), more=["--soundfont", str(font)])
    try:
        page = window(f"{studio.address}?piece={studio.begin(bpm=60)}")
        draw(page, [(0, 67, 16)])
        until(page, "ripieno.player.tones.get(67) instanceof AudioBuffer")
        press(page, "Home", "Space")
        pipe = "[...ripieno.player.sounding.values()][0]?.pipe.pipes[0].constructor.name"
        assert until(page, f"ripieno.player.isPlaying && {pipe}") == "AudioBufferSourceNode"
        press(page, "Enter")
        page.click("#save-button")
        with page.expect_download() as download:
            page.click("#formats [data-format=wav]")
        download.value.save_as(tmp_path / "saved.wav")
        samples, rate = soundfile.read(tmp_path / "saved.wav")
        # a plain sine, which the organ is not: nothing an octave above
        spectrum = abs(np.fft.rfft(samples[rate // 2 : 5 * rate // 2, 0] * np.hanning(2 * rate)))  # by half a hertz
        place, octave = (round(2 * frequency_of(pitch)) for pitch in (67, 79))
        assert abs(int(spectrum.argmax()) - place) <= 1
        assert spectrum[place] > 100 * spectrum[octave - 4 : octave + 5].max()
    finally:
        studio.stop()


def test_the_result_can_be_dragged_to_another_program(page: Page) -> None:
    draw(page, MELODY[:1])
    dragged = page.evaluate(
        """() => {
          const event = new DragEvent("dragstart", { dataTransfer: new DataTransfer(), bubbles: true });
          ripieno.byId("drag-out").dispatchEvent(event);
          return [...event.dataTransfer.types].map((type) => event.dataTransfer.getData(type));
        }"""
    )
    assert any(
        re.match(r"audio/midi:Evening\.mid:http://127\.0\.0\.1:\d+/api/pieces/\w+/export/mid$", one) for one in dragged
    )


def test_a_midi_file_is_opened_and_a_damaged_one_says_why(studio: Studio, page: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mid"
    broken.write_bytes(b"this is no music")
    page.set_input_files("#file", broken)
    expect(page.locator(".notice.error")).to_contain_text("broken.mid")
    example = Path(__file__).parents[3] / "examples" / "ode-to-joy.mid"
    page.set_input_files("#file", example)
    until(page, "globalThis.ripieno?.desk.settings?.name.startsWith('Ode')")
    assert authored(page, "file")


def test_the_page_comes_back_when_the_studio_does(tmp_path: Path, window: Window) -> None:
    studio = Studio(tmp_path)
    try:
        page = window(f"{studio.address}?piece={studio.begin()}")
        draw(page, MELODY[:4])
        studio.kill()
        expect(page.locator("#line-text")).to_contain_text("has stopped")
        x, y = place(page, 16.3, 62)
        page.mouse.click(x, y)  # written while nobody listens
        assert len(notes(page)) == 5
        studio.start()
        expect(page.locator("#line-text")).to_have_text("all kept")
        assert len(notes(page)) == 5
        page.reload()
        until(page, "globalThis.ripieno?.desk.settings")
        assert notes(page) == MELODY[:5]
    finally:
        studio.kill()


def test_two_windows_stay_in_step(studio: Studio, window: Window) -> None:
    address = f"{studio.address}?piece={studio.begin()}"
    one, two = window(address), window(address)
    draw(one, MELODY[:4])
    until(two, "ripieno.desk.notes.length === 4")
    draw(two, [(32, 60, 4)])
    until(one, "ripieno.desk.notes.length === 5")
    assert notes(one) == notes(two)


def test_a_drag_is_not_interrupted_by_changes_that_arrive(studio: Studio, window: Window) -> None:
    address = f"{studio.address}?piece={studio.begin()}"
    one, two = window(address), window(address)
    draw(one, MELODY)
    x, y = place(one, 2, 67)
    one.mouse.move(x, y)
    one.mouse.down()
    one.mouse.move(*place(one, 4, 69), steps=3)
    until(two, "ripieno.desk.notes.length === 8")
    press(two, "f")
    until(one, "ripieno.desk.notes.length > 12")
    assert one.evaluate("ripieno.page.drag.dropped.length") == 1
    one.mouse.move(*place(one, 34, 74), steps=5)
    one.mouse.up()
    settled(one)
    assert (32, 74, 4) in authored(one, "user")
    assert (0, 67, 4) not in notes(one)
    press(two, "f")
    run_to_end(two)


def test_doubts_are_told_for_every_note(page: Page) -> None:
    draw(page, [*MELODY, (0, 66, 4)])  # a semitone under the first note
    press(page, "Escape", "d")
    until(page, "ripieno.desk.state.doubts")
    belongs = {
        (one["note"]["onset"], one["note"]["pitch"]): one["belongs"] for one in state(page, "state.doubts.notes")
    }
    assert len(belongs) == len(MELODY) + 1
    x, y = place(page, 1, 67)
    page.mouse.move(x, y)
    expect(page.locator("#where")).to_contain_text("% that it belongs")


def test_the_rules_reach_the_model(page: Page) -> None:
    page.fill("[name=lowest]", "C4")
    press(page, "Tab")
    settled(page)
    assert page.evaluate("ripieno.page.scene(0).range.low") == 60
    page.fill("[name=lowest]", "H9")
    press(page, "Tab")
    expect(page.locator(".notice.error")).to_contain_text("H9")
    page.fill("[name=lowest]", "")
    press(page, "Tab")
    settled(page)
    assert page.evaluate("ripieno.page.scene(0).range") is None
    page.fill("[name=seed]", "7")
    press(page, "Tab")
    page.select_option("[name=mend]", "nothing")
    settled(page)
    assert state(page, "settings.rules.seed") == 7
    assert state(page, "settings.rules.mend") == "nothing"


def test_the_page_and_the_server_mean_the_same_words(page: Page) -> None:
    voices, protocol = page.evaluate("import('./protocol.js').then(({ VOICES, PROTOCOL }) => [VOICES, PROTOCOL])")
    assert tuple(voices) == get_args(messages.Voice)
    assert protocol == messages.PROTOCOL


def test_every_rule_there_is_can_be_set_within_its_bounds(page: Page) -> None:
    rules = {name for name, about in abouts().items() if about.by == "rules"}
    shown = page.evaluate("[...document.querySelectorAll('#rules-fields [name]')].map((field) => field.name)")
    assert rules - {"pitches"} | {"lowest", "highest"} == set(shown)
    page.fill("#rules-fields [name=n_voices]", "99")
    press(page, "Tab")
    expect(page.locator(".notice.error")).to_contain_text(f"from 1 to {abouts()['n_voices'].most}")
    settled(page)
    assert state(page, "settings.rules.n_voices") == defaults()["n_voices"]


def test_an_option_that_the_page_does_not_know_has_a_plain_control(page: Page) -> None:
    properties = {
        "n_choirs": {"enum": [1, 2, 4, None], "default": None, "title": "Choirs", "unless": "one for each voice"},
        "bells": {"type": "boolean", "title": "Bells", "default": False},
        "lute": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Lute"},
        "pitches": {"anyOf": [{"type": "array"}, {"type": "null"}], "default": None},
        "breath": {"type": "number", "minimum": 0, "maximum": 2, "default": 1, "title": "Breath", "group": "way out"},
    }
    page.evaluate(
        """async (properties) => {
          const { desk, page, byId } = ripieno;
          const { RulesPanel } = await import("./rules.js");
          byId("rules-fields").replaceChildren();
          globalThis.sent = [];
          desk.send = (wish) => (sent.push([wish.changes, wish.unset]), null);
          page.rules = new RulesPanel(desk, { $defs: { Rules: { properties } } });
          desk.state = { ...desk.state, settings: { ...desk.settings, rules: { pitches: [48, null], breath: 1 } } };
          page.redraw(true);
        }""",
        properties,
    )
    expect(page.locator("[name=lowest]")).to_have_value("C3")
    page.get_by_label("Choirs").select_option(label="2")
    page.get_by_label("Choirs").select_option(label="one for each voice")
    page.get_by_label("Bells").check()
    page.get_by_label("Lute").fill("C | G")
    press(page, "Tab")
    page.get_by_label("Highest new note").fill("G5")
    press(page, "Tab")
    page.get_by_text("How it is written out").click()
    page.get_by_label("Breath").fill("1.5")
    press(page, "Tab")
    page.get_by_label("Breath").fill("3")
    press(page, "Tab")
    expect(page.locator(".notice.error")).to_contain_text("Breath: write a number from 0 to 2")
    assert page.evaluate("sent") == [
        [{"n_choirs": 2}, []],
        [{}, ["n_choirs"]],
        [{"bells": True}, []],
        [{"lute": "C | G"}, []],
        [{"pitches": [48, 79]}, []],
        [{"breath": 1.5}, []],
    ]


@pytest.mark.parametrize(("keys", "is_zoomed"), [("Control", True), ("", False)])
def test_the_wheel_scrolls_and_with_ctrl_zooms_at_the_pointer(page: Page, keys: str, is_zoomed: bool) -> None:
    page.evaluate("ripieno.page.setView({ ...ripieno.page.view, stepWidth: 40 })")
    x, y = place(page, 10, 67)
    page.mouse.move(x, y)
    before = page.evaluate("({ ...ripieno.page.view })")
    if keys:
        page.keyboard.down(keys)
    page.mouse.wheel(0, -120 if is_zoomed else 60)
    until(page, "(old) => JSON.stringify(ripieno.page.view) !== JSON.stringify(old)", before)
    after = page.evaluate("({ ...ripieno.page.view })")
    if is_zoomed:
        assert after["stepWidth"] > before["stepWidth"]
        step = (x - page.locator("#overlay").bounding_box()["x"] + after["left"]) / after["stepWidth"]  # type: ignore[index]
        assert step == pytest.approx(10, abs=0.01)
    else:
        assert after["top"] == before["top"] + 60


def test_touch_draws_and_pinches(studio: Studio, window: Window) -> None:
    page = window(f"{studio.address}?piece={studio.begin()}", has_touch=True)
    page.touchscreen.tap(*place(page, 4.3, 67))
    settled(page)
    assert notes(page) == [(4, 67, 4)]
    wide = page.evaluate("ripieno.page.view.stepWidth")
    page.evaluate(
        """() => {
          const target = ripieno.byId("overlay");
          const box = target.getBoundingClientRect();
          target.setPointerCapture = () => {};
          const send = (type, id, x) => target.dispatchEvent(new PointerEvent(type, { pointerId: id,
            pointerType: "touch", clientX: box.left + x, clientY: box.top + 100, bubbles: true, button: 0 }));
          send("pointerdown", 11, 200); send("pointerdown", 12, 300);
          send("pointermove", 12, 400); send("pointermove", 12, 500);
          send("pointerup", 12, 500); send("pointerup", 11, 200);
        }"""
    )
    assert page.evaluate("ripieno.page.view.stepWidth") > 1.5 * wide
    settled(page)
    assert notes(page) == [(4, 67, 4)], "two fingers draw nothing"


def test_a_browser_without_web_audio_and_midi_still_writes(studio: Studio, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.add_init_script(
        "delete globalThis.AudioContext; delete globalThis.OfflineAudioContext;"
        "delete Navigator.prototype.requestMIDIAccess;"
    )
    page.goto(f"{studio.address}?piece={studio.begin()}")
    until(page, "globalThis.ripieno?.desk.settings")
    draw(page, MELODY[:2])
    assert notes(page) == MELODY[:2]
    assert not page.locator("#midi").is_visible()
    press(page, "Space")
    expect(page.locator(".notice.error")).to_contain_text("no sound")
    assert faults == []
    context.close()


def test_a_piece_that_is_not_there_says_so(studio: Studio, window: Window) -> None:
    page = window(f"{studio.address}?piece=nowhere", is_ready=False)
    expect(page.locator("#line-text")).to_have_text("no piece is open")
    expect(page.locator(".notice.error")).to_have_count(1)
    expect(page.locator(".notice.error")).to_contain_text("no such piece")


def test_recent_pieces_are_listed_and_forgotten(studio: Studio, page: Page) -> None:
    other = studio.begin(name="Morning")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#pieces-button")
    expect(page.locator(f"#recent a[href='?piece={other}']")).to_contain_text("Morning")
    page.locator("#recent li", has=page.locator(f"a[href='?piece={other}']")).get_by_role("button").click()
    expect(page.locator(f"#recent a[href='?piece={other}']")).to_have_count(0)
    page.click("#new-piece")
    page.fill("#begin [name=key]", "H")
    page.click("#begin [type=submit]")
    expect(page.locator("#begin-problem")).to_contain_text("H")
    page.fill("#begin [name=key]", "Bb")
    page.fill("#begin [name=name]", "Noon")
    page.select_option("#begin [name=meter]", "3/4")
    page.click("#begin [type=submit]")
    until(page, "globalThis.ripieno?.desk.settings?.name === 'Noon'")
    assert state(page, "settings.key.n_sharps") == -2
    assert state(page, "settings.bars")[0]["n_steps"] == 12


def test_a_dropped_file_is_opened(page: Page) -> None:
    example = (Path(__file__).parents[3] / "examples" / "greensleeves.mid").read_bytes()
    page.evaluate(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "tune.mid"));
          const event = (type) => dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true }));
          event("dragenter"); event("drop");
        }""",
        list(example),
    )
    until(page, "globalThis.ripieno?.desk.settings && ripieno.desk.settings.name !== 'Evening'")
    assert authored(page, "file")


def test_a_midi_keyboard_writes_chords_at_the_cursor(studio: Studio, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.add_init_script(
        """globalThis.keys = {};
        navigator.requestMIDIAccess = async () => ({ inputs: new Map([["k", keys]]) });"""
    )
    page.goto(f"{studio.address}?piece={studio.begin()}")
    until(page, "globalThis.ripieno?.desk.settings")
    page.click("#midi")
    expect(page.locator("#midi")).to_have_attribute("aria-pressed", "true")
    for bytes_ in ([0x90, 60, 80], [0x90, 64, 80], [0x80, 60, 0], [0x80, 64, 0], [0x90, 62, 80], [0x80, 62, 0]):
        page.evaluate("(bytes) => keys.onmidimessage({ data: new Uint8Array(bytes) })", bytes_)
    settled(page)
    assert notes(page) == [(0, 60, 4), (0, 64, 4), (4, 62, 4)]
    context.close()


def test_a_voice_or_a_row_is_locked_and_the_history_tells(page: Page) -> None:
    draw(page, MELODY)
    until(page, "ripieno.desk.notes.some((note) => note.voice === 'soprano')")
    page.get_by_role("button", name="Keep the soprano as it is").click()
    settled(page)
    assert state(page, "settings.locks.voices[0].voice") == "soprano"
    box = page.locator("#keyboard").bounding_box()
    assert box is not None
    _, y = place(page, 0, 62)
    page.mouse.click(box["x"] + 10, y, button="right")
    settled(page)
    assert state(page, "settings.locks.pitches") == [62]
    page.click("#tab-history")
    expect(page.locator("#history")).to_contain_text("lock")


def engraved(page: Page) -> list[Shape]:
    """The notes on the staves."""
    found = page.evaluate(
        "[...document.querySelectorAll('#score .note')].map(({ dataset }) =>"
        " [Number(dataset.step), Number(dataset.pitch), Number(dataset.duration)])"
    )
    return sorted({(step, pitch, duration) for step, pitch, duration in found})  # what is tied has several heads


def sounding(shapes: list[Shape]) -> set[tuple[int, int]]:
    return {(at, pitch) for step, pitch, duration in shapes for at in range(step, step + duration)}


def test_the_staves_show_what_the_roll_shows_and_follow_what_is_heard(page: Page) -> None:
    press(page, "v")
    expect(page.locator("#score")).to_contain_text("nothing is written yet")
    draw(page, [*MELODY[:6], (24, 69, 16)])  # the last one over a bar line
    until(page, "document.querySelectorAll('#score .note').length === 8")
    assert engraved(page) == notes(page)
    page.locator("#roll").focus()
    press(page, "Escape", "Home")
    expect(page.locator("#score .note[data-step='0']")).to_have_class("note sounding")
    press(page, *["ArrowRight"] * 2)
    expect(page.locator("#score .note[data-step='4']")).to_have_class("note sounding")
    expect(page.locator("#score .note[data-step='0']")).to_have_class("note")
    choose_bars(page, 2, 3)
    press(page, "l", "Space")  # round and round, until it is stopped
    expect(page.locator("#score .note[data-step='24']").last).to_have_class("note sounding")
    press(page, "Enter", "Control+z")
    until(page, "document.querySelectorAll('#score .note').length === 6")
    assert engraved(page) == notes(page) == MELODY[:6]


def test_on_the_staves_the_models_notes_are_told_apart(page: Page) -> None:
    draw(page, MELODY)
    press(page, "v", "f")
    run_to_end(page)
    until(page, "document.querySelectorAll('#score .note[data-author=model]').length > 8")
    until(page, "ripieno.page.staff.shown === ripieno.desk.state.seq")
    assert sounding(engraved(page)) == sounding(notes(page))  # where two voices sing one note, it is written twice
    colour = "(author) => getComputedStyle(document.querySelector(`#score .note[data-author=${author}] path`)).stroke"
    assert page.evaluate(colour, "model") != page.evaluate(colour, "user")
    expect(page.locator("#score")).to_contain_text("(new)")


def test_after_a_click_on_a_button_the_keys_are_about_the_music(page: Page) -> None:
    draw(page, MELODY)
    page.click("#suggest")
    offer = suggested(page)
    press(page, "Tab")
    until(page, "ripieno.desk.notes.some((note) => note.author === 'model')")
    assert offer["note"]["onset"] in {onset for onset, _, _ in authored(page, "model")}

"""The studio for everybody: by keyboard alone, with a screen reader, enlarged, in the dark, without motion."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.studio.page.conftest import Studio
from tests.studio.page.hands import (
    MELODY,
    authored,
    choose_bars,
    draw,
    notes,
    press,
    run_to_end,
    settled,
    state,
    suggested,
    until,
)

Window = Callable[..., Page]
AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"


def serious_faults(page: Page) -> list[str]:
    """What axe-core finds serious or worse."""
    if not AXE.is_file():
        if os.environ.get("CI"):
            pytest.fail("axe-core is missing; run npm ci")
        pytest.skip("axe-core is missing; npm ci brings it")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert found["passes"], "axe looked at nothing"
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def test_axe_would_find_a_fault(page: Page) -> None:
    page.evaluate("ripieno.byId('stop').removeAttribute('aria-label'); ripieno.byId('stop').removeAttribute('title')")
    assert any(fault.startswith("button-name") for fault in serious_faults(page))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_state(studio: Studio, window: Window, scheme: str) -> None:
    page = window(f"{studio.address}?piece={studio.begin()}", color_scheme=scheme, reduced_motion="reduce")
    assert serious_faults(page) == [], "an empty page"
    draw(page, MELODY)
    press(page, "g")
    suggested(page)
    assert serious_faults(page) == [], "a suggestion"
    press(page, "Escape", "f")
    run_to_end(page)
    press(page, "v")
    until(page, "ripieno.page.staff.shown === ripieno.desk.state.seq")
    assert serious_faults(page) == [], "staves"
    press(page, "v")
    choose_bars(page, 1, 2)
    press(page, "a", "k")
    settled(page)
    assert serious_faults(page) == [], "bars and a voice chosen, notes locked"
    press(page, "k", "r")
    until(page, "ripieno.desk.state.alternatives")
    assert serious_faults(page) == [], "other ways"
    press(page, "Escape", "d")
    until(page, "ripieno.desk.state.doubts")
    for tab in ("history", "table"):
        page.click(f"#tab-{tab}")
        assert serious_faults(page) == [], tab
    page.get_by_role("button", name="Save", exact=True).click()
    assert serious_faults(page) == [], "what a piece is saved as"
    press(page, "Escape")
    page.locator("#pieces-button").click()
    expect(page.locator("#recent a").first).to_be_visible()
    assert serious_faults(page) == [], "pieces"
    page.click("#new-piece")
    assert serious_faults(page) == [], "a new piece"
    page.click("#begin-cancel")
    page.locator("#roll").focus()
    press(page, "?")
    assert serious_faults(page) == [], "help"


def test_a_first_harmonisation_by_keyboard_alone(studio: Studio, window: Window) -> None:
    page = window(f"{studio.address}?piece={studio.begin(bars=2)}")
    press(page, "Tab", "Enter")  # the link to the roll
    assert page.evaluate("document.activeElement.id") == "roll"
    # G4 | G4 F#4 E4 D4: the cursor stands on G4, and moves on as notes are written
    press(page, "n", "n", "ArrowDown", "n", "ArrowDown", "ArrowDown", "n")
    press(page, "ArrowDown", "ArrowDown", "n")
    settled(page)
    assert notes(page) == [(0, 67, 4), (4, 67, 4), (8, 66, 4), (12, 64, 4), (16, 62, 4)]
    press(page, "Alt+ArrowRight", "Alt+ArrowRight", "Alt+ArrowRight", "Alt+ArrowRight", "Shift+ArrowUp", "n")
    settled(page)
    assert notes(page)[-1] == (20, 74, 8)
    press(page, ",", "e", "Shift+ArrowDown", "ArrowUp", "e")  # choose it, an octave down, a semitone up, let go
    settled(page)
    assert (20, 63, 8) in notes(page)
    press(page, "Control+z", "g")
    settled(page)
    assert (20, 62, 8) in notes(page)
    for _ in range(2):
        offer = suggested(page)
        press(page, "Tab")
        until(page, "(token) => ripieno.desk.asking.shownSuggestion?.token !== token", offer["token"])
    suggested(page)
    press(page, "Backspace")
    settled(page)
    assert len(authored(page, "model")) == 2
    press(page, "Escape", "f")
    run_to_end(page)
    voices = set(page.evaluate("ripieno.desk.notes.map((note) => note.voice)"))
    assert {"soprano", "alto", "tenor", "bass"} <= voices
    press(page, "Home", "[", "]", "b", "r")
    until(page, "ripieno.desk.state.alternatives")
    if state(page, "state.alternatives.alternatives.length"):
        press(page, "ArrowDown", "Tab")
    else:
        press(page, "Escape")
    settled(page)
    press(page, "Escape", "Home", "Space")
    until(page, "ripieno.player.isPlaying && ripieno.player.position > 1")
    press(page, "Enter")
    with page.expect_download() as download:
        press(page, "Control+s")
    assert download.value.suggested_filename == "Evening.mid"


def test_what_lies_under_the_cursor_is_spoken(page: Page) -> None:
    draw(page, [(4, 66, 4)])
    press(page, "Escape", "Home")
    spoken = page.locator("#spoken")
    press(page, ".")
    expect(spoken).to_have_text("F sharp 4, bar 1, beat 2, 1 beat, soprano, yours")
    press(page, "ArrowDown")
    expect(spoken).to_have_text("F 4, bar 1, beat 2, silent")
    press(page, "g")
    offer = suggested(page)
    expect(spoken).to_contain_text("suggested")
    expect(spoken).to_contain_text(offer["sureness"])


def test_the_keyboard_is_not_caught_in_the_roll(page: Page) -> None:
    draw(page, MELODY)
    press(page, "g")
    suggested(page)
    page.locator("#roll").focus()
    press(page, "Shift+Tab")
    assert page.evaluate("document.activeElement.id") != "roll"
    page.locator("#roll").focus()
    press(page, "Escape", "Tab")
    assert page.evaluate("document.activeElement.id") != "roll"


def test_keys_typed_into_a_field_are_only_typed(page: Page) -> None:
    draw(page, MELODY[:2])
    page.fill("#name", "")
    page.locator("#name").press_sequentially("Reger far")
    press(page, "Enter")
    settled(page)
    assert state(page, "settings.name") == "Reger far"
    assert not state(page, "asking.isSuggesting")
    assert notes(page) == MELODY[:2]


@pytest.mark.parametrize(("width", "height"), [(640, 400), (400, 800), (1280, 640)])
def test_nothing_is_cut_off_when_enlarged_or_small(studio: Studio, window: Window, width: int, height: int) -> None:
    page = window(f"{studio.address}?piece={studio.begin()}", viewport={"width": width, "height": height})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = page.evaluate(
        """[...document.querySelectorAll("button, input, select")].filter((one) => one.checkVisibility() &&
          !one.closest("[popover]") && !one.classList.contains("hidden")).filter((one) => {
            one.scrollIntoView({ block: "nearest" });
            const box = one.getBoundingClientRect();
            return box.right > innerWidth + 1 || box.left < -1 || box.width < 12;
          }).map((one) => one.id || one.textContent)"""
    )
    assert outside == []
    assert page.locator("#overlay").bounding_box()["height"] > 150  # type: ignore[index]


def test_without_motion_nothing_glows_or_fades(studio: Studio, window: Window) -> None:
    page = window(f"{studio.address}?piece={studio.begin()}", reduced_motion="reduce")
    draw(page, MELODY)
    press(page, "Escape", "f")
    until(page, "ripieno.desk.state.arrived.size > 0")
    assert page.evaluate("ripieno.page.scene(performance.now()).notes.every((note) => !note.glow)")
    run_to_end(page)


def test_authors_differ_in_more_than_colour(page: Page) -> None:
    """One note of each author in one voice: inside, the model's is mostly paper and the person's mostly ink."""
    ratio = page.evaluate(
        """() => {
          const { page, drawRoll, prepare } = ripieno;
          const inside = (isModels) => {
            const view = { stepWidth: 30, rowHeight: 20, left: 0, top: 41 * 20, width: 400, height: 60 };
            const notes = [{ onset: 1, pitch: 66, duration: 8, voice: 2, isModels }];
            const scene = { ...page.scene(0), notes, ghosts: [], fading: [] };
            const canvas = document.createElement("canvas");
            const pen = prepare(canvas, 400, 60);
            drawRoll(pen, view, scene, page.theme);
            const { data } = pen.getImageData(180, 30, 1, 1);
            return 0.299 * data[0] + 0.587 * data[1] + 0.114 * data[2];
          };
          return Math.abs(inside(true) - inside(false));
        }"""
    )
    assert ratio > 80  # of 255: seen without any colour

/**
 * The beginning: the page is made, wired to what people press, and joined to a piece on the server.
 */

import { pressed, wireButtons } from "./commands.js";
import { byId, el } from "./dom.js";
import { drawRoll } from "./draw.js";
import { askJson, beginPiece, pathOf, troubleOf } from "./files.js";
import { buildHelp } from "./help.js";
import { remember, remembered, takeRemarks } from "./kept.js";
import { hasMidi } from "./midi.js";
import { Page } from "./page.js";
import { wireTabs } from "./panels.js";
import { prepare, themeOf } from "./pen.js";
import { render } from "./player.js";
import { KEYS, RulesPanel } from "./rules.js";
import { Connection } from "./socket.js";
import { Tones } from "./tones.js";
import { withSigns } from "./words.js";

const LENGTHENED = 4; // bars, by the button at the end of the rules
const NO_SUCH_PIECE = 4404; // as the socket is closed

/** @param {Page} page */
function wire(page) {
  const { desk } = page;
  const on = (/** @type {string} */ id, /** @type {string} */ event, /** @type {(event: any) => void} */ act) =>
    byId(id).addEventListener(event, act);
  wireButtons(page);
  on("play", "click", () => page.playOrStop());
  on("inner", "click", () => desk.asking.redoInner());
  on("including-mine", "change", (event) => (desk.asking.includesMine = event.target.checked));
  on("longer-piece", "click", () => page.send({ type: "lengthen", bars: LENGTHENED }));
  on("midi", "click", () => page.toggleMidi());
  byId("midi").hidden = !hasMidi();
  byId("keys-list").replaceChildren(...KEYS.map((value) => el("option", { value })));
  wireGrid(page);
  wireFields(page);
  wireTabs(() => page.redraw(true));
  buildHelp();

  addEventListener("keydown", (event) => pressed(page, event));
  // After a click on a button the keys are about the music again; who pressed it by key stays where they are.
  document.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest?.("button");
    if (event.detail > 0 && button?.closest(".partner, .voices, .chosen, .transport, [aria-label='Writing']"))
      byId("roll").focus({ preventScroll: true });
  });
  on("overlay", "pointerdown", () => byId("roll").focus({ preventScroll: true }));
  for (const name of ["focus", "blur"]) on("roll", name, () => page.redraw());
  new ResizeObserver(() => page.resize()).observe(byId("roll"));
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(prefers-reduced-motion: reduce)"]) {
    matchMedia(query).addEventListener("change", () => {
      page.theme = themeOf(document.body);
      page.redraw();
    });
  }
  addEventListener("online", () => page.connection?.hurry());
  document.addEventListener("visibilitychange", () => document.hidden || page.connection?.hurry());
}

/** What the pointer snaps to. @param {Page} page */
function wireGrid({ desk }) {
  const grid = byId("grid");
  const usual = grid.value;
  grid.value = remembered("grid") ?? usual;
  if (!grid.value) grid.value = usual;
  desk.grid = Number(grid.value);
  grid.addEventListener("change", () => {
    desk.grid = Number(grid.value);
    remember("grid", grid.value);
  });
}

/** Name and tempo. @param {Page} page */
function wireFields({ desk }) {
  const tempo = byId("tempo");
  tempo.addEventListener("change", () => {
    if (tempo.checkValidity() && tempo.value) {
      desk.send({ type: "tempo", bpm: Number(tempo.value) });
      return;
    }
    desk.say(
      `a tempo of ${tempo.value || "nothing"} cannot be played; write a number from ${tempo.min} to ${tempo.max}`,
      true,
    );
    tempo.value = String(desk.settings?.bpm ?? "");
  });
  const name = byId("name");
  name.addEventListener("change", () => {
    const given = name.value.trim();
    if (given && given !== desk.settings?.name) desk.send({ type: "rename", name: given });
    else name.value = desk.settings?.name ?? "";
  });
  for (const field of [name, tempo]) {
    field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" || event.key === "Escape") byId("roll").focus();
    });
  }
}

/** The server's bounds of a tempo. @param {any} protocol all of /api/protocol.json */
function boundTempo(protocol) {
  const { minimum, maximum } = protocol.$defs.SetTempo.properties.bpm;
  for (const field of [byId("tempo"), byId("begin-form").elements.namedItem("bpm")]) {
    field.min = minimum;
    field.max = maximum;
  }
}

/** The piece that the address names, else the one the program was started with, else the newest, else a new one. */
async function whichPiece() {
  const asked = new URLSearchParams(location.search).get("piece");
  if (asked) return asked;
  const { current, pieces } = await askJson("api/pieces");
  return /** @type {string} */ (current ?? pieces[0]?.id) ?? beginPiece({});
}

/** @param {Page} page @param {string} piece */
function join(page, piece) {
  const { desk } = page;
  const address = new URL(`${pathOf(piece)}/socket`, document.baseURI);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  page.connection = new Connection({
    url: address.href,
    seen: () => desk.state.seq,
    receive: (message) => desk.receive(message),
    changed: (why, code) => {
      if (why !== "refused") {
        desk.receive({ type: why });
        return;
      }
      page.isRefused = true;
      desk.receive({ type: "lost" });
      if (desk.state.notice?.isError) return; // the server has said why
      desk.say(
        code === NO_SUCH_PIECE
          ? "there is no such piece here; open another one"
          : "the studio does not let this window in; load the page again",
        true,
      );
    },
  });
}

async function start() {
  const page = new Page();
  wire(page);
  page.resize();
  const { desk, player } = page;
  try {
    const [health, protocol, piece] = await Promise.all([
      askJson("api/health"),
      askJson("api/protocol.json"),
      whichPiece(),
    ]);
    page.health = health;
    page.rules = new RulesPanel(desk, protocol);
    boundTempo(protocol);
    byId("staff-button").hidden = !health.score;
    if (health.soundfont !== null && globalThis.AudioContext) player.tones = new Tones("api/sound/");
    if (health.model === "missing") desk.receive({ type: "ready", model_ready: false, text: health.text });
    history.replaceState(null, "", `?piece=${encodeURIComponent(piece)}`);
    page.staff.url = `${pathOf(piece)}/score.svg`;
    if (health.score && remembered("staff")) page.toggleStaff();
    join(page, piece);
    for (const remark of takeRemarks()) desk.say(withSigns(remark));
  } catch (error) {
    desk.say(troubleOf(error), true);
    desk.receive({ type: "lost" });
  }
  // For those who look behind the page, and for the tests.
  Object.assign(globalThis, {
    ripieno: { page, desk, player, render, drawRoll, prepare, byId },
  });
}

start();

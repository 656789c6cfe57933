/**
 * What stands around the roll: the bar above, the panels beside, the line below, notices.
 *
 * Each part is built again only when what it shows has changed, and keeps the focus where it was.
 */

import { showCard } from "./card.js";
import { byId, el, fill } from "./dom.js";
import { keyName, noteName, placeOf } from "./geometry.js";
import { showHistory } from "./history.js";
import { unlocking } from "./locks.js";
import { showTable } from "./table.js";
import { showChosen, showVoices } from "./voices.js";
import { capital, countOfNotes, describe, percent, withSigns } from "./words.js";

/** @typedef {import("./locks.js").Lockable} Lockable */
/** @typedef {import("./page.js").Page} Page */

/** @param {Page} page */
export function showPanels(page) {
  showVoices(page);
  showChosen(page);
  showCard(page);
  page.rules?.show();
  showLocks(page);
  showHistory(page);
  showTable(page);
  showNotice(page.desk.state.notice);
  showBar(page);
  showLine(page);
}

/** @param {Page} page */
function showBar({ desk, drag, player }) {
  const { settings } = desk;
  if (settings) {
    const name = byId("name");
    name.disabled = false;
    if (name !== document.activeElement) name.value = settings.name;
    document.title = `${settings.name} – Ripieno`;
    const tempo = byId("tempo");
    if (tempo !== document.activeElement) tempo.value = String(Math.round(settings.bpm * 10) / 10);
    const [meter] = desk.bars.meters;
    byId("reading").textContent = `${keyName(settings.key)}, ${meter?.numerator ?? 4}/${meter?.denominator ?? 4}`;
    byId("empty").hidden = desk.notes.length > 0 || drag !== null;
  }
  byId("tool-select").setAttribute("aria-checked", String(desk.tool === "select"));
  byId("tool-draw").setAttribute("aria-checked", String(desk.tool === "draw"));
  byId("loop").setAttribute("aria-pressed", String(desk.isLooping));
  byId("loop").disabled = !desk.region;
  byId("play").setAttribute("aria-label", player.isPlaying ? "Pause" : "Play");
  byId("play-icon").setAttribute("href", `icons.svg#${player.isPlaying ? "pause" : "play"}`);
}

/** @param {Page} page */
function showLine({ desk, isRefused }) {
  const { connection, pending } = desk.state;
  const waits = pending.length > 0;
  const kind = connection === "lost" ? " lost" : connection !== "open" || waits ? " waiting" : "";
  byId("line").className = `line${kind}`;
  write(
    "line-text",
    {
      open: waits ? "saving …" : "all kept",
      connecting: "connecting …",
      lost: isRefused ? "no piece is open" : "the studio has stopped; the page comes back as soon as it runs",
    }[connection],
  );
  write("hint", hintFor(desk));
}

/** @param {import("./desk.js").Desk} desk */
function hintFor({ asking, selected, state }) {
  if (state.alternatives) return "↑↓ other ways · Space hear · Tab take · R more · Esc close";
  if (asking.isSuggesting) return "Tab accept · ⌫ refuse · ↑↓ next best · Esc stop suggesting";
  if (selected.size) return "arrows move · Alt ←→ shorter, longer · Del delete · R other ways · K keep";
  return "N write · Space play · G suggest · F fill · R other ways · ? all shortcuts";
}

/** What lies under the pointer, else under the cursor, and where it plays. @param {Page} page @param {number} step */
export function showWhere({ desk, hovered }, step) {
  const at = placeOf(desk.bars, Math.min(Math.floor(step), desk.nSteps - 1));
  const output = byId("position");
  const position = `${at.bar} : ${Math.floor(at.beat)}`;
  if (output.value !== position) output.value = position;
  const place = hovered ?? desk.caret;
  const note = desk.noteAt(place.step, place.pitch);
  const belongs = note ? desk.asking.belongs(note) : null;
  const suggestion = desk.asking.suggestionAt(place.step, place.pitch);
  const sure = belongs === null ? "" : ` (${percent(belongs)} that it belongs)`;
  const offered = suggestion ? ` (${percent(suggestion.probability)})` : "";
  write("where", `${describe(desk, place)}${sure}${offered}`);
}

/** @param {string} id @param {string} text */
function write(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Page} page */
function showLocks({ desk }) {
  const { settings } = desk;
  if (!settings) return;
  const { key, locks } = settings;
  const chips = /** @type {[string, Lockable][]} */ ([
    ...locks.voices.map(({ voice }) => [voice, { voices: [voice] }]),
    ...locks.bars.map((bar) => [`bar ${bar}`, { bars: [bar] }]),
    ...locks.pitches.map((pitch) => [`all ${noteName(pitch, key)}`, { pitches: [pitch] }]),
    ...(locks.notes.length ? [[countOfNotes(locks.notes.length), { notes: locks.notes }]] : []),
  ]);
  const chip = (/** @type {[string, Lockable]} */ [text, what]) => {
    const unlock = { "aria-label": `Unlock ${text}`, title: "Unlock", onclick: () => desk.send(unlocking(what)) };
    return el("li", {}, el("button", { type: "button", "data-id": text, ...unlock }, text, " ✕"));
  };
  const none =
    "Nothing yet. Choose notes, bars or voices and press K. The right button on a key of the piano locks its row.";
  fill(byId("locks"), chips, () => [
    el("h3", {}, "Locked: the model leaves it as it is"),
    chips.length ? el("ul", {}, ...chips.map(chip)) : el("p", { class: "quiet" }, none),
  ]);
}

/** Rules, history, notes: one of them is shown. @param {() => void} onShow */
export function wireTabs(onShow) {
  const names = ["rules", "history", "table"];
  const show = (/** @type {string} */ name) => {
    for (const other of names) {
      const tab = byId(`tab-${other}`);
      tab.setAttribute("aria-selected", String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
      byId(other).hidden = other !== name;
    }
    byId(`tab-${name}`).focus();
    onShow();
  };
  names.forEach((name, i) => {
    const tab = byId(`tab-${name}`);
    tab.addEventListener("click", () => show(name));
    tab.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      show(names[(i + by + names.length) % names.length]);
    });
  });
}

let lastNotice = 0;

/** @param {{text: string, isError: boolean, count: number} | null} notice */
function showNotice(notice) {
  if (!notice || notice.count === lastNotice) return;
  lastNotice = notice.count;
  const box = byId("notices");
  const one = el("p", { class: `notice${notice.isError ? " error" : ""}` }, capital(withSigns(notice.text)));
  box.append(one);
  while (box.children.length > 3) box.firstElementChild?.remove();
  const close = () => one.remove();
  one.addEventListener("click", close);
  setTimeout(close, 3500 + notice.text.length * 60);
}

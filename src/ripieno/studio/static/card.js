/**
 * The model's card: what it does now, and what it offers.
 */

import { commandButton } from "./commands.js";
import { byId, el, fill } from "./dom.js";
import { barNumbersInWords, barsInWords, noteName, placeInWords } from "./geometry.js";
import { VOICES } from "./protocol.js";
import { isSomething } from "./state.js";
import { capital, countOfNotes, lengthInWords, percent, together, withSigns } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./protocol.js").RunState} RunState */
/** @typedef {import("./protocol.js").Suggestion} Suggestion */

/** What the card shows: it is built anew when `seen` is another. @typedef {{seen: unknown[], build: () => (Node | string)[]}} Card */

const ENDED = {
  finished: "The piece is finished",
  stopped: "Stopped",
  failed: "The model could not go on",
  nothing: "Nothing to change under the rules and locks",
  running: "",
};

/** @param {Page} page */
export function showCard(page) {
  const { asking, isRunning, state } = page.desk;
  byId("suggest").setAttribute("aria-pressed", String(asking.isSuggesting));
  byId("doubts").setAttribute("aria-pressed", String(asking.isDoubting));
  byId("fill-text").textContent = isRunning ? "Stop" : "Fill";
  for (const id of ["suggest", "again", "fill", "inner", "doubts"])
    byId(id).disabled = !state.isModelReady || !state.settings;
  const { seen, build } = cardOf(page);
  fill(byId("partner"), seen, build);
}

/** @param {Page} page @returns {Card} */
function cardOf(page) {
  const { asking, isRunning, state } = page.desk;
  if (!state.isModelReady)
    return told("The model is not ready", state.modelText || "It is being loaded; you can write meanwhile.");
  if (isRunning && state.run) return runCard(page, state.run);
  if (asking.waiting.has("again")) return told("Three other ways …");
  if (state.alternatives) return waysCard(page, state.alternatives);
  if (asking.isSuggesting) return suggestionCard(page);
  return asking.isDoubting ? doubtsCard(page) : idleCard(page);
}

/** A title, and what is to be said of it. @param {string} title @param {...string} more @returns {Card} */
const told = (title, ...more) => ({
  seen: [title, ...more],
  build: () => [el("p", { class: "title" }, title), ...more.map((text) => el("p", { class: "quiet" }, text))],
});

/** @param {Page} page @param {RunState} run @returns {Card} */
function runCard(page, { run, n_changes: done, n_left: left }) {
  const { bars, region } = page.desk;
  const n = notesOfRun(page.desk, run);
  const value = left === null ? false : done / Math.max(done + left, 1);
  return {
    seen: ["run", n, done, left && Math.round(left)],
    build: () => [
      el("p", { class: "title" }, region ? `Filling ${barsInWords(bars, region)}` : "Filling the piece"),
      el("progress", { class: "progress", max: 1, value, "aria-label": "How far the model is" }),
      el("p", { class: "quiet" }, `${countOfNotes(n)} so far. You can go on writing meanwhile.`),
      el("div", { class: "buttons" }, commandButton(page, "fill", "Stop")),
    ],
  };
}

/** @param {Page} page @returns {Card} */
function suggestionCard(page) {
  const { asking, key, state } = page.desk;
  const { shownSuggestion: suggestion } = asking;
  const all = state.suggestions;
  if (suggestion && all) {
    const n = all.suggestions.length;
    return {
      seen: ["suggestion", suggestion.token, asking.suggestion, n, key?.name],
      build: () => suggested(page, suggestion, n),
    };
  }
  if (asking.waiting.has("suggest") || !all || asking.isStale) return told("Listening …");
  return told("Nothing to suggest", withSigns(all.text ?? "The piece is finished."));
}

/** @param {Page} page @param {Suggestion} suggestion @param {number} n of them */
function suggested(page, { action, note, voice, probability, sureness }, n) {
  const { asking, bars, key } = page.desk;
  const name = noteName(note.pitch, key);
  const where = [voice, placeInWords(bars, note.onset), lengthInWords(bars, note)];
  const bar = el("span");
  bar.style.width = `${probability * 100}%`;
  const next = { "data-id": "next", "aria-label": "The next best", title: "The next best (↓)" };
  return [
    el("p", { class: "note" }, action === "add" ? name : `without ${name}`),
    el("p", {}, where.filter(Boolean).join(", ")),
    el(
      "p",
      { class: "sure", title: percent(probability) },
      el("span", { class: "meter", "aria-hidden": "true" }, bar),
      capital(sureness),
      n > 1 ? el("span", { class: "quiet" }, `${asking.suggestion + 1} of ${n}`) : "",
    ),
    el(
      "div",
      { class: "buttons" },
      commandButton(page, "accept", "Accept", { class: "primary" }),
      commandButton(page, "refuse", "Refuse"),
      n > 1 ? commandButton(page, "down", "Next", { ...next, onclick: () => asking.walk(1) }) : "",
    ),
  ];
}

/** @param {Page} page @returns {Card} */
function doubtsCard({ desk: { state } }) {
  if (!state.doubts) return told("Listening …");
  const n = state.doubts.notes.filter((one) => one.belongs < 0.5).length;
  return told(
    n ? `${countOfNotes(n)} that the model would not have written` : "The model doubts no note",
    "A wave under a note says that it may not belong: the wider, the less. Dotted notes are what the model misses. Point at a note to see how sure the model is.",
  );
}

/** @param {Page} page @returns {Card} */
function idleCard({ desk }) {
  const { notes, state } = desk;
  const ended = state.run && ENDED[state.run.state];
  if (state.run && ended) {
    const n = notesOfRun(desk, state.run.run);
    return told(
      n ? `${ended}: ${countOfNotes(n)}` : ended,
      "Choose bars above the roll and voices at the top, then press R for three other ways. The history can undo all of it.",
    );
  }
  return notes.length
    ? told(
        "Your notes stay yours",
        "Fill lets the model write until it is done. Suggest goes note by note. Other ways offers three settings of the bars and voices that you choose.",
      )
    : told("Write a line first", "The model listens to what is there and writes around it.");
}

/** What a run has done, in notes. @param {Desk} desk @param {number} run */
function notesOfRun(desk, run) {
  let n = 0;
  for (const item of desk.state.history.values()) if (item.run === run && isSomething(item)) n += 1;
  return n;
}

/** @param {Page} page @param {import("./protocol.js").Alternatives} open @returns {Card} */
function waysCard(page, open) {
  const { asking } = page.desk;
  const { isPlaying } = page.player;
  const bars = barNumbersInWords(...open.bars);
  const isAll = open.voices.length === VOICES.length || !open.voices.length;
  const title = isAll ? bars : `${together(open.voices)}, ${bars}`;
  const close = { type: "button", "data-id": "close", onclick: () => asking.closeAlternatives() };
  return {
    seen: ["ways", open.id, asking.alternative, isPlaying],
    build: () =>
      open.alternatives.length
        ? [
            el(
              "div",
              { class: "head" },
              el("p", { class: "title" }, `Other ways: ${title}`),
              el(
                "button",
                { ...close, class: "icon", "aria-label": "Close: leave it as it is", title: "Leave it as it is (Esc)" },
                "✕",
              ),
            ),
            el(
              "div",
              { class: "ways", role: "group", "aria-label": "Which is shown" },
              ...[null, ...open.alternatives].map((way, i) => wayButton(page, way, i - 1)),
            ),
            el(
              "div",
              { class: "buttons" },
              commandButton(page, "accept", "Take", {
                class: "primary",
                "data-id": "take",
                disabled: asking.alternative < 0,
              }),
              commandButton(page, "play", isPlaying ? "Stop" : "Hear", { "data-id": "hear" }),
              commandButton(page, "again", "More", { "data-id": "more", title: "Three more" }),
            ),
          ]
        : [
            el("p", { class: "title" }, `No other way for ${title}`),
            el(
              "p",
              { class: "quiet" },
              "Locks, rules or your own notes leave nothing to change there. Let other ways replace your notes too (Rules), or choose more.",
            ),
            el("div", { class: "buttons" }, commandButton(page, "leave", "Close", close)),
          ],
  };
}

/** @param {Page} page @param {import("./protocol.js").Alternative | null} way null: the piece as it is @param {number} which */
function wayButton({ desk: { asking } }, way, which) {
  return el(
    "button",
    {
      type: "button",
      "data-id": `way${which}`,
      "aria-pressed": asking.alternative === which,
      title: way ? `${countOfNotes(way.add.length)} in place of ${way.remove.length}` : "The piece as it is",
      onclick: () => asking.showAlternative(which),
    },
    way ? String(which + 1) : "As it is",
  );
}

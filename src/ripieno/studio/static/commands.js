/**
 * Everything that a person can do by a key or a button, once: its name, its keys, what it is called, what it does.
 *
 * The page obeys this table, the buttons take their keys from it, the help shows it, and docs/studio.md is checked
 * against it.
 */

import { byId, el } from "./dom.js";
import * as geometry from "./geometry.js";
import { keptClip, keepClip } from "./kept.js";
import { keycaps, pressName } from "./keys.js";
import { VOICES } from "./protocol.js";
import { countOfNotes, describe } from "./words.js";

/** @typedef {import("./page.js").Page} Page */

/**
 * @typedef {object} Command
 * @property {string} name
 * @property {string[]} keys as people write them: "Shift+Ctrl+Z"
 * @property {string} label what it does, in words
 * @property {string} group
 * @property {(page: Page) => boolean | void} does false: it means nothing now, and the key keeps its usual meaning
 * @property {boolean} [isOnce] a key that is held down does it once
 * @property {boolean} [isEverywhere] also while a field is written in
 */

/** Are other ways shown? @param {Page} page */
const hasWays = ({ desk }) => desk.state.alternatives !== null;

/** Do up and down go through suggestions? @param {Page} page */
const walksSuggestions = ({ desk }) =>
  desk.asking.isSuggesting && desk.state.suggestions !== null && !desk.selected.size;

/** @param {Page} page @param {1 | -1} direction 1: up */
function upOrDown(page, direction) {
  const back = /** @type {1 | -1} */ (-direction);
  if (hasWays(page)) page.desk.asking.walkAlternatives(back);
  else if (walksSuggestions(page)) page.walk(back);
  else page.nudge(0, direction);
}

/** @param {Page} page @param {1 | -1} direction */
function leftOrRight(page, direction) {
  const { desk } = page;
  if (hasWays(page)) desk.asking.walkAlternatives(direction);
  else page.nudge(direction * (desk.selectedNotes.length ? 1 : desk.grid), 0);
}

/** @param {Page} page @param {1 | -1} direction */
function toBar(page, direction) {
  page.desk.nudgeBar(direction);
  page.revealCaret();
}

/** @param {Page} page @param {1 | -1} direction */
function toNote(page, direction) {
  page.desk.toNote(direction);
  page.revealCaret();
}

/** @param {Page} page @param {number} steps */
function lengthen(page, steps) {
  const { desk } = page;
  const hasChosen = desk.selectedNotes.length > 0;
  desk.lengthen(steps);
  page.speak(hasChosen ? describe(desk, desk.caret, true) : `notes of ${desk.length} sixteenths`);
}

/** @param {Page} page @param {"select" | "draw"} tool @param {number} way which of the other ways it shows */
function chooseTool(page, tool, way) {
  if (hasWays(page)) page.desk.asking.showAlternative(way);
  else page.setTool(tool);
}

/** @param {Page} page */
function remove({ desk, speak }) {
  if (desk.removeAtHand()) speak("deleted");
}

/** @param {Page} page @param {"from" | "to"} which */
function chooseBars({ desk, speak }, which) {
  desk.barEdge(which);
  speak(`${desk.chosenInWords()} chosen`);
}

/** @param {Page} page @param {number} voice */
function chooseVoice({ desk, speak }, voice) {
  desk.toggleVoice(voice);
  speak(desk.voices.size ? `${desk.chosenInWords()} chosen` : "no voice chosen");
}

/** @param {Page} page */
function accept({ desk, preview, speak }) {
  const { asking } = desk;
  if (desk.state.alternatives) {
    if (asking.take()) speak("taken");
    return true;
  }
  const taken = asking.accept();
  if (!taken) return false;
  if (taken.action === "add") preview(taken.note.pitch, taken.voice ? VOICES.indexOf(taken.voice) : 1);
  desk.moveCaret({ step: taken.note.onset, pitch: taken.note.pitch });
  speak("accepted");
  return true;
}

/** @param {Page} page */
function refuse(page) {
  const { asking } = page.desk;
  if (hasWays(page)) asking.closeAlternatives();
  else if (walksSuggestions(page) && asking.shownSuggestion) {
    if (asking.refuse()) page.speak("refused");
  } else remove(page);
}

/** @param {Page} page @param {number} factor */
function zoom(page, factor) {
  const { desk, view } = page;
  const x = geometry.stepToX(view, desk.caret.step);
  const middle = x >= 0 && x <= view.width ? x : view.width / 2;
  page.setView(geometry.zoomTime(view, factor, middle, desk.nSteps));
}

/** @type {Record<string, Omit<Command, "name" | "group">>} */
const HEARING = {
  play: {
    keys: ["Space"],
    label: "play from the cursor, or stop",
    isOnce: true,
    does: (page) => {
      if (hasWays(page)) page.hearRegion();
      else page.playOrStop();
    },
  },
  stop: { keys: ["Enter"], label: "stop, back to where playing began", does: (page) => page.stop(true) },
  loop: { keys: ["L"], label: "loop the chosen bars", does: (page) => page.loop() },
  toStart: {
    keys: ["Home"],
    label: "cursor to the beginning",
    does: ({ desk, seek }) => {
      desk.moveCaret({ step: 0, pitch: desk.caret.pitch });
      seek(0);
    },
  },
  toEnd: {
    keys: ["End"],
    label: "cursor to the end",
    does: ({ desk }) => desk.moveCaret({ step: desk.nSteps - 1, pitch: desk.caret.pitch }),
  },
  mute: {
    keys: ["M"],
    label: "mute the chosen voices, or let them sound",
    does: ({ desk }) => {
      if (!desk.voices.size) desk.say("choose the voices to mute first: S, A, T, B");
      for (const voice of desk.voices) desk.mute(voice);
    },
  },
};

/** @type {Record<string, Omit<Command, "name" | "group">>} */
const WRITING = {
  selectTool: {
    keys: ["1"],
    label: "arrow: choose, move and stretch notes",
    does: (page) => chooseTool(page, "select", 0),
  },
  drawTool: {
    keys: ["2"],
    label: "pencil: a click draws a note of the last length",
    does: (page) => chooseTool(page, "draw", 1),
  },
  write: {
    keys: ["N"],
    label: "write a note at the cursor",
    does: ({ desk, preview }) => {
      const note = desk.write();
      if (note) preview(note.pitch, desk.voiceOf(note));
    },
  },
  pick: {
    keys: ["E"],
    label: "choose the note under the cursor, or let go of it",
    does: ({ desk, speak }) => {
      const note = desk.noteAt(desk.caret.step, desk.caret.pitch);
      if (note) desk.toggle(note);
      speak(describe(desk, desk.caret, true));
    },
  },
  up: {
    keys: ["ArrowUp"],
    label: "the chosen notes, or the cursor, a semitone up",
    does: (page) => upOrDown(page, 1),
  },
  down: { keys: ["ArrowDown"], label: "a semitone down", does: (page) => upOrDown(page, -1) },
  left: { keys: ["ArrowLeft"], label: "a sixteenth earlier", does: (page) => leftOrRight(page, -1) },
  right: { keys: ["ArrowRight"], label: "a sixteenth later", does: (page) => leftOrRight(page, 1) },
  octaveUp: { keys: ["Shift+ArrowUp"], label: "an octave up", does: (page) => page.nudge(0, 12) },
  octaveDown: { keys: ["Shift+ArrowDown"], label: "an octave down", does: (page) => page.nudge(0, -12) },
  barLeft: { keys: ["Shift+ArrowLeft"], label: "a bar earlier", does: (page) => toBar(page, -1) },
  barRight: { keys: ["Shift+ArrowRight"], label: "a bar later", does: (page) => toBar(page, 1) },
  shorter: {
    keys: ["Alt+ArrowLeft"],
    label: "the chosen notes, or the next one written, shorter",
    does: (page) => lengthen(page, -1),
  },
  longer: { keys: ["Alt+ArrowRight"], label: "longer", does: (page) => lengthen(page, 1) },
  nextNote: { keys: ["."], label: "cursor to the next note", does: (page) => toNote(page, 1) },
  previousNote: { keys: [","], label: "cursor to the note before", does: (page) => toNote(page, -1) },
  remove: { keys: ["Delete"], label: "delete the chosen notes, or the one under the cursor", does: remove },
  undo: { keys: ["Ctrl+Z"], label: "undo what was done last", does: ({ desk }) => desk.undo() },
  redo: { keys: ["Shift+Ctrl+Z", "Ctrl+Y"], label: "redo it", does: ({ desk }) => desk.redo() },
  copy: {
    keys: ["Ctrl+C"],
    label: "copy the chosen notes",
    does: ({ desk, speak }) => {
      if (!desk.copy()) return false;
      keepClip(desk.clip);
      speak(`${countOfNotes(desk.clip.length)} copied`);
      return true;
    },
  },
  cut: {
    keys: ["Ctrl+X"],
    label: "cut them out",
    does: ({ desk }) => {
      if (!desk.selectedNotes.length) return false;
      desk.cut();
      keepClip(desk.clip);
      return true;
    },
  },
  paste: {
    keys: ["Ctrl+V"],
    label: "paste at the cursor",
    does: ({ desk }) => {
      desk.clip = keptClip() ?? desk.clip;
      desk.paste();
    },
  },
  duplicate: {
    keys: ["Ctrl+D"],
    label: "the chosen notes once more, after themselves",
    does: ({ desk }) => desk.duplicate(),
  },
  all: {
    keys: ["Ctrl+A"],
    label: "choose all notes, or all in the chosen bars and voices",
    does: ({ desk, speak }) => {
      desk.chooseAll();
      speak(`${countOfNotes(desk.selected.size)} chosen`);
    },
  },
  leave: {
    keys: ["Escape"],
    label: "choose nothing; close what is open",
    does: ({ band, desk, drag, gestures }) => {
      if (!drag && !band) return desk.leave();
      gestures.cancel();
      return true;
    },
  },
};

/** @type {Record<string, Omit<Command, "name" | "group">>} */
const CHOOSING = {
  firstBar: { keys: ["["], label: "choose bars from the cursor’s on", does: (page) => chooseBars(page, "from") },
  lastBar: { keys: ["]"], label: "… to the cursor’s", does: (page) => chooseBars(page, "to") },
  ...Object.fromEntries(
    VOICES.map((voice, i) => {
      const label = i ? voice : `${voice}: choose it, or not`;
      return [voice, { keys: [voice[0].toUpperCase()], label, does: (page) => chooseVoice(page, i) }];
    }),
  ),
  lock: {
    keys: ["K"],
    label: "keep: lock what is chosen, or unlock it",
    isOnce: true,
    does: ({ desk, speak }) => {
      const done = desk.lock();
      if (done) speak(done);
    },
  },
  phraseEnd: {
    keys: ["P"],
    label: "a phrase of your line ends at the cursor, or no longer",
    isOnce: true,
    does: ({ desk, speak }) => {
      const done = desk.togglePhraseEnd(desk.caret.step);
      if (done) speak(done);
    },
  },
};

/** @type {Record<string, Omit<Command, "name" | "group">>} */
const MODEL = {
  again: {
    keys: ["R"],
    label: "three other ways to fill the chosen bars and voices; again for three more",
    isOnce: true,
    does: ({ desk }) => desk.asking.again(),
  },
  suggest: {
    keys: ["G"],
    label: "suggest the next note, or stop suggesting",
    isOnce: true,
    does: ({ desk, speak }) => {
      desk.asking.suggest();
      if (!desk.asking.isSuggesting) speak("no more suggestions");
    },
  },
  accept: {
    keys: ["Tab"],
    label: "accept the suggestion, or take the way that is shown",
    isOnce: true,
    does: accept,
  },
  refuse: { keys: ["Backspace"], label: "refuse the suggestion, or close the other ways", does: refuse },
  fill: {
    keys: ["F"],
    label: "let the model fill the piece or the chosen bars, or stop it",
    isOnce: true,
    does: ({ desk, speak }) => {
      desk.asking.fill();
      speak(desk.isRunning ? "stopping" : "the model writes");
    },
  },
  doubts: {
    keys: ["D"],
    label: "show what the model doubts, or hide it",
    isOnce: true,
    does: ({ desk }) => desk.asking.doubt(),
  },
};

/** @type {Record<string, Omit<Command, "name" | "group">>} */
const LOOKING = {
  closer: { keys: ["+", "="], label: "closer", does: (page) => zoom(page, 1.25) },
  farther: { keys: ["-"], label: "farther", does: (page) => zoom(page, 0.8) },
  whole: {
    keys: ["W"],
    label: "the whole piece",
    does: (page) => page.setView(geometry.fit(page.view, [...page.desk.notes], page.desk.nSteps)),
  },
  staff: { keys: ["V"], label: "staff view, on or off", does: (page) => page.toggleStaff() },
  save: { keys: ["Ctrl+S"], label: "save as MIDI", isEverywhere: true, does: ({ files }) => void files.saveAs("mid") },
  open: { keys: ["Ctrl+O"], label: "open a file", isEverywhere: true, does: () => byId("file").click() },
  help: {
    keys: ["?"],
    label: "all shortcuts",
    does: () => {
      if (!byId("help").open) byId("help").showModal();
    },
  },
};

/** @type {readonly Command[]} */
export const COMMANDS = Object.entries({
  Hearing: HEARING,
  Writing: WRITING,
  "Choosing bars and voices": CHOOSING,
  "The model": MODEL,
  Looking: LOOKING,
}).flatMap(([group, some]) => Object.entries(some).map(([name, command]) => ({ name, group, ...command })));

const BY_NAME = new Map(COMMANDS.map((command) => [command.name, command]));
const BY_KEYS = new Map(COMMANDS.flatMap((command) => command.keys.map((keys) => [keys, command])));

/** @param {import("./keys.js").Press} press @returns {Command | undefined} */
export const commandOf = (press) => BY_KEYS.get(pressName(press));

/** @param {string} name @returns {Command} */
export function commandNamed(name) {
  const command = BY_NAME.get(name);
  if (!command) throw new Error(`there is no command ${name}`);
  return command;
}

/** The keys of a command, as one reads them: "Ctrl D". @param {string} name */
export const keycapsOf = (name) => keycaps(commandNamed(name).keys[0]).join(" ");

/** @param {Page} page @param {string} name of a command @param {string} text @param {Record<string, any>} [more] attributes */
export const commandButton = (page, name, text, more = {}) =>
  el(
    "button",
    { type: "button", "data-id": name, onclick: () => page.obey(name), ...more },
    `${text} `,
    el("kbd", {}, keycapsOf(name)),
  );

/** What a press of a key means where it was made. @param {Page} page @param {KeyboardEvent} event */
export function pressed(page, event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const command = commandOf(event);
  if (!command) return;
  const isWritten = target.matches("input:not([type=checkbox]):not([type=range]), select, textarea");
  if (isWritten && !command.isEverywhere) return;
  const isButton = target.matches("button, a, summary, input");
  if (isButton && [" ", "Enter"].includes(event.key)) return;
  if (target.matches("input[type=range], [role=tab]") && event.key.startsWith("Arrow")) return;
  const scrolls = ["Home", "End", "ArrowUp", "ArrowDown", " "].includes(event.key);
  if (scrolls && target.matches(".tabpanel, .staff, .help-body")) return;
  // Tab accepts where the music is; elsewhere it goes on to the next thing.
  if (command.name === "accept" && target.id !== "roll" && target !== document.body) return;
  if (event.repeat && command.isOnce) event.preventDefault();
  else if (page.obey(command.name)) event.preventDefault();
}

/** Buttons of the page itself say by `data-command` what they do; their keys are written on them. @param {Page} page */
export function wireButtons(page) {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-command]"))) {
    const name = String(button.dataset.command);
    const caps = keycaps(commandNamed(name).keys[0]);
    button.title += ` (${caps.join("+")})`;
    const cap = button.querySelector("kbd");
    if (cap) cap.textContent = caps.join(" ");
    button.addEventListener("click", () => page.obey(name));
  }
}

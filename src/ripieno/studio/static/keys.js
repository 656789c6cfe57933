/**
 * Every shortcut, once: the page obeys this table, the help shows it, and docs/studio.md is checked against it.
 */

/**
 * @typedef {object} Shortcut
 * @property {string} command
 * @property {string[]} keys as people write them: "Shift+Ctrl+Z"
 * @property {string} text what it does
 * @property {string} group
 */

const HEAR = "Hearing";
const WRITE = "Writing";
const CHOOSE = "Choosing bars and voices";
const MODEL = "The model";
const LOOK = "Looking";

/** @type {readonly Shortcut[]} */
export const SHORTCUTS = [
  { command: "play", keys: ["Space"], text: "play from the cursor, or stop", group: HEAR },
  { command: "stop", keys: ["Enter"], text: "stop, back to where playing began", group: HEAR },
  { command: "loop", keys: ["L"], text: "loop the chosen bars", group: HEAR },
  { command: "toStart", keys: ["Home"], text: "cursor to the beginning", group: HEAR },
  { command: "toEnd", keys: ["End"], text: "cursor to the end", group: HEAR },
  { command: "mute", keys: ["M"], text: "mute the chosen voices, or let them sound", group: HEAR },

  { command: "selectTool", keys: ["1"], text: "arrow: choose, move and stretch notes", group: WRITE },
  { command: "drawTool", keys: ["2"], text: "pencil: a click draws a note of the last length", group: WRITE },
  { command: "write", keys: ["N"], text: "write a note at the cursor", group: WRITE },
  { command: "pick", keys: ["E"], text: "choose the note under the cursor, or let go of it", group: WRITE },
  { command: "up", keys: ["ArrowUp"], text: "the chosen notes, or the cursor, a semitone up", group: WRITE },
  { command: "down", keys: ["ArrowDown"], text: "a semitone down", group: WRITE },
  { command: "left", keys: ["ArrowLeft"], text: "a sixteenth earlier", group: WRITE },
  { command: "right", keys: ["ArrowRight"], text: "a sixteenth later", group: WRITE },
  { command: "octaveUp", keys: ["Shift+ArrowUp"], text: "an octave up", group: WRITE },
  { command: "octaveDown", keys: ["Shift+ArrowDown"], text: "an octave down", group: WRITE },
  { command: "barLeft", keys: ["Shift+ArrowLeft"], text: "a bar earlier", group: WRITE },
  { command: "barRight", keys: ["Shift+ArrowRight"], text: "a bar later", group: WRITE },
  {
    command: "shorter",
    keys: ["Alt+ArrowLeft"],
    text: "the chosen notes, or the next one written, shorter",
    group: WRITE,
  },
  { command: "longer", keys: ["Alt+ArrowRight"], text: "longer", group: WRITE },
  { command: "nextNote", keys: ["."], text: "cursor to the next note", group: WRITE },
  { command: "previousNote", keys: [","], text: "cursor to the note before", group: WRITE },
  { command: "remove", keys: ["Delete"], text: "delete the chosen notes, or the one under the cursor", group: WRITE },
  { command: "undo", keys: ["Ctrl+Z"], text: "undo what was done last", group: WRITE },
  { command: "redo", keys: ["Shift+Ctrl+Z", "Ctrl+Y"], text: "redo it", group: WRITE },
  { command: "copy", keys: ["Ctrl+C"], text: "copy the chosen notes", group: WRITE },
  { command: "cut", keys: ["Ctrl+X"], text: "cut them out", group: WRITE },
  { command: "paste", keys: ["Ctrl+V"], text: "paste at the cursor", group: WRITE },
  { command: "duplicate", keys: ["Ctrl+D"], text: "the chosen notes once more, after themselves", group: WRITE },
  { command: "all", keys: ["Ctrl+A"], text: "choose all notes, or all in the chosen bars and voices", group: WRITE },
  { command: "leave", keys: ["Escape"], text: "choose nothing; close what is open", group: WRITE },

  { command: "firstBar", keys: ["["], text: "choose bars from the cursor’s on", group: CHOOSE },
  { command: "lastBar", keys: ["]"], text: "… to the cursor’s", group: CHOOSE },
  { command: "soprano", keys: ["S"], text: "soprano: choose it, or not", group: CHOOSE },
  { command: "alto", keys: ["A"], text: "alto", group: CHOOSE },
  { command: "tenor", keys: ["T"], text: "tenor", group: CHOOSE },
  { command: "bass", keys: ["B"], text: "bass", group: CHOOSE },
  { command: "lock", keys: ["K"], text: "keep: lock what is chosen, or unlock it", group: CHOOSE },

  {
    command: "again",
    keys: ["R"],
    text: "three other ways to fill the chosen bars and voices; again for three more",
    group: MODEL,
  },
  { command: "suggest", keys: ["G"], text: "suggest the next note, or stop suggesting", group: MODEL },
  { command: "accept", keys: ["Tab"], text: "accept the suggestion, or take the way that is shown", group: MODEL },
  { command: "refuse", keys: ["Backspace"], text: "refuse the suggestion, or close the other ways", group: MODEL },
  { command: "fill", keys: ["F"], text: "let the model fill the piece or the chosen bars, or stop it", group: MODEL },
  { command: "doubts", keys: ["D"], text: "show what the model doubts, or hide it", group: MODEL },

  { command: "closer", keys: ["+", "="], text: "closer", group: LOOK },
  { command: "farther", keys: ["-"], text: "farther", group: LOOK },
  { command: "whole", keys: ["W"], text: "the whole piece", group: LOOK },
  { command: "staff", keys: ["V"], text: "staff view, on or off", group: LOOK },
  { command: "save", keys: ["Ctrl+S"], text: "save as MIDI", group: LOOK },
  { command: "open", keys: ["Ctrl+O"], text: "open a file", group: LOOK },
  { command: "help", keys: ["?"], text: "all shortcuts", group: LOOK },
];

/** @typedef {{key: string, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, altKey: boolean}} Press */

/** A press as the table writes it. On a Mac the command key is Ctrl. @param {Press} press */
export function pressName(press) {
  const key = press.key === " " ? "Space" : press.key.length === 1 ? press.key.toUpperCase() : press.key;
  const isSign = key.length === 1 && key.toLowerCase() === key.toUpperCase(); // Shift is part of how "?" is typed
  const isThirdLevel = isSign && press.altKey && press.ctrlKey; // as "[" is typed on many keyboards
  const isCtrl = (press.ctrlKey || press.metaKey) && !isThirdLevel;
  return [press.shiftKey && !isSign && "Shift", press.altKey && !isThirdLevel && "Alt", isCtrl && "Ctrl", key]
    .filter(Boolean)
    .join("+");
}

const BY_PRESS = new Map(SHORTCUTS.flatMap(({ command, keys }) => keys.map((key) => [key, command])));

/** @param {Press} press @returns {string | undefined} */
export const commandOf = (press) => BY_PRESS.get(pressName(press));

const SIGNS = new Map([
  ["ArrowUp", "↑"],
  ["ArrowDown", "↓"],
  ["ArrowLeft", "←"],
  ["ArrowRight", "→"],
  ["Escape", "Esc"],
  ["Delete", "Del"],
  ["Backspace", "⌫"],
]);

/** "Shift+ArrowUp" as one reads it on keys. @param {string} keys @returns {string[]} */
export const keycaps = (keys) => (keys === "+" ? ["+"] : keys.split("+").map((key) => SIGNS.get(key) ?? key));

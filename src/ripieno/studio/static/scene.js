/**
 * The scene: everything that the roll shows at a moment, as draw.js draws it. Pure.
 */

import { lockedBars, isLocked } from "./locks.js";
import { VOICES } from "./protocol.js";
import { rangeOf } from "./rules.js";
import { FADE, GLOW, isModels, keyOf, voicesOf } from "./state.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./draw.js").DrawnNote} DrawnNote */
/** @typedef {import("./draw.js").Ghost} Ghost */
/** @typedef {import("./draw.js").Scene} Scene */
/** @typedef {import("./gestures.js").Drag} Drag */
/** @typedef {import("./protocol.js").Voice} Voice */

/**
 * @param {Desk} desk
 * @param {Drag | null} drag
 * @param {{now: number, isStill: boolean}} time milliseconds; is nothing to glow or fade?
 * @returns {Scene}
 */
export function sceneOf(desk, drag, { now, isStill }) {
  const { settings, state } = desk;
  const changed = changedBy(desk);
  const { notes, ghosts } = notesOf(desk, drag, changed.come, (key) => {
    const came = state.arrived.get(key);
    return came === undefined || isStill ? 0 : Math.max(0, 1 - (now - came) / GLOW);
  });
  return {
    bars: desk.bars,
    key: desk.key,
    notes,
    fading: state.fading.map(({ note, at }) => ({
      ...note,
      voice: indexOf(note.voice) ?? 0,
      left: isStill ? 1 : 1 - (now - at) / FADE,
    })),
    ghosts: [...changed.gone, ...ghosts, ...offered(desk), ...missed(desk)],
    region: desk.region,
    locked: settings ? lockedBars(settings) : [],
    lockedRows: settings?.locks.pitches ?? [],
    range: rangeOf(settings, state.limits),
    isFaint: desk.asking.shownAlternative !== null,
  };
}

/** @param {Voice | null} voice */
const indexOf = (voice) => (voice ? VOICES.indexOf(voice) : null);

/**
 * What the alternative that is shown changes: keys of notes that come, and the notes that go.
 *
 * @param {Desk} desk
 * @returns {{come: Set<string>, gone: Ghost[]}}
 */
function changedBy(desk) {
  const alternative = desk.asking.shownAlternative;
  if (!alternative) return { come: new Set(), gone: [] };
  // what it removes and adds just so has not changed
  const before = new Map(alternative.remove.map((shape) => [keyOf(shape), shape.duration]));
  const stays = new Set(alternative.add.map(keyOf));
  const sung = voicesOf(desk.notes);
  return {
    come: new Set(alternative.add.filter((shape) => before.get(keyOf(shape)) !== shape.duration).map(keyOf)),
    gone: desk.notes
      .filter((note) => before.has(keyOf(note)) && !stays.has(keyOf(note)))
      .map((note) => ({ ...note, voice: sung.get(keyOf(note)) ?? 0, adds: false, isFaint: true }))
      .reverse(),
  };
}

/**
 * The notes that are there, those that are dragged where they are now, and those that would come.
 *
 * @param {Desk} desk
 * @param {Drag | null} drag
 * @param {Set<string>} come
 * @param {(key: string) => number} glowOf
 * @returns {{notes: DrawnNote[], ghosts: Ghost[]}}
 */
function notesOf(desk, drag, come, glowOf) {
  const { settings, state } = desk;
  const all = desk.shownNotes;
  const voices = voicesOf(all);
  const held = new Set(drag && !drag.isCopy ? drag.held.map(keyOf) : []);
  const belongs = new Map(
    desk.asking.isDoubting ? state.doubts?.notes.map((one) => [keyOf(one.note), one.belongs]) : [],
  );
  /** @type {DrawnNote[]} */
  const notes = [];
  /** @type {Ghost[]} */
  const ghosts = [];
  for (const note of all) {
    const key = keyOf(note);
    const { onset, pitch, duration } = note;
    const shape = { onset, pitch, duration, voice: voices.get(key) ?? 0 };
    if (come.has(key)) {
      ghosts.push({ ...shape, adds: true });
      continue;
    }
    if (held.has(key)) continue;
    const found = belongs.get(key);
    notes.push({
      ...shape,
      isModels: isModels(note),
      isSelected: desk.selected.has(key),
      isLocked: settings !== null && isLocked(settings, note),
      isMuted: !desk.mix.isHeard(shape.voice, isModels(note)),
      glow: glowOf(key),
      doubt: found === undefined ? undefined : 1 - found,
    });
  }
  if (drag) {
    drag.dropped.forEach((note, i) => {
      const from = drag.held[i];
      notes.push({ ...note, voice: from ? desk.voiceOf(from) : 0, isModels: false, isSelected: true });
    });
    notes.sort((a, b) => a.onset - b.onset);
  }
  return { notes, ghosts };
}

/** The suggestion that is shown. @param {Desk} desk @returns {Ghost[]} */
function offered(desk) {
  const suggestion = desk.asking.shownSuggestion;
  if (!suggestion) return [];
  const voice = indexOf(suggestion.voice) ?? desk.voiceOf(suggestion.note);
  return [{ ...suggestion.note, voice, adds: suggestion.action === "add", label: suggestion.sureness }];
}

/** What the model misses, where its doubts are shown. @param {Desk} desk @returns {Ghost[]} */
function missed(desk) {
  if (!desk.asking.isDoubting) return [];
  const cells = desk.state.doubts?.cells.filter((cell) => !cell.sounds && cell.probability >= 0.5) ?? [];
  return runsOf(cells).map((run) => ({ ...run, voice: 1, adds: true, isFaint: true }));
}

/** Cells side by side as runs. @param {{step: number, pitch: number}[]} cells */
function runsOf(cells) {
  const sorted = [...cells].sort((a, b) => a.pitch - b.pitch || a.step - b.step);
  /** @type {{onset: number, pitch: number, duration: number}[]} */
  const runs = [];
  for (const cell of sorted) {
    const last = runs.at(-1);
    if (last && last.pitch === cell.pitch && last.onset + last.duration === cell.step) last.duration += 1;
    else runs.push({ onset: cell.step, pitch: cell.pitch, duration: 1 });
  }
  return runs;
}

/**
 * Locks: what the model leaves as it is, and the wish to lock or unlock something.
 */

import { keyOf, shapeOf } from "./state.js";

/** @typedef {import("./geometry.js").Stretch} Stretch */
/** @typedef {import("./protocol.js").Locks} Locks */
/** @typedef {import("./protocol.js").NoteShape} NoteShape */
/** @typedef {import("./protocol.js").Settings} Settings */
/** @typedef {import("./protocol.js").Voice} Voice */

/** @typedef {{notes?: readonly NoteShape[], voices?: readonly Voice[], bars?: readonly number[], pitches?: readonly number[]}} Lockable */

/** What is sent to lock something, or to unlock it. @param {boolean} locked @param {Lockable} what */
const wishOf = (locked, { notes = [], voices = [], bars = [], pitches = [] }) => ({
  type: "lock",
  locked,
  notes: notes.map(shapeOf),
  voices,
  bars,
  pitches,
});

/** @param {Lockable} what */
export const unlocking = (what) => wishOf(false, what);

/** To lock what is not wholly locked, else to unlock it: one kind of thing. @param {Locks} locks @param {Lockable} what */
export function locking(locks, what) {
  const known = new Set(locks.notes.map(keyOf));
  const isAll =
    (what.notes ?? []).every((note) => known.has(keyOf(note))) &&
    (what.voices ?? []).every((voice) => locks.voices.some((lock) => lock.voice === voice)) &&
    (what.bars ?? []).every((bar) => locks.bars.includes(bar)) &&
    (what.pitches ?? []).every((pitch) => locks.pitches.includes(pitch));
  return wishOf(!isAll, what);
}

/** @type {WeakMap<Settings, {keys: Set<string>, pitches: Set<number>, bars: Stretch[]}>} */
const bound = new WeakMap();

/** The locked bars, in steps. @param {Settings} settings @returns {Stretch[]} */
export const lockedBars = (settings) => boundBy(settings).bars;

/** Is a note locked, by itself, its bar, its row or its voice? @param {Settings} settings @param {NoteShape} note */
export function isLocked(settings, note) {
  const found = boundBy(settings);
  const isInside = (/** @type {Stretch} */ bar) => note.onset >= bar.from && note.onset < bar.to;
  return found.pitches.has(note.pitch) || found.keys.has(keyOf(note)) || found.bars.some(isInside);
}

/** @param {Settings} settings */
function boundBy(settings) {
  let found = bound.get(settings);
  if (!found) {
    const { locks } = settings;
    found = {
      keys: new Set([...locks.notes, ...locks.voices.flatMap((lock) => lock.notes)].map(keyOf)),
      pitches: new Set(locks.pitches),
      bars: settings.bars
        .filter((bar) => locks.bars.includes(bar.number))
        .map((bar) => ({ from: bar.start, to: bar.start + bar.n_steps })),
    };
    bound.set(settings, found);
  }
  return found;
}

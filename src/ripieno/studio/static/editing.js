/**
 * What a hand does to notes, as edits: notes that go and notes that come. Pure.
 */

import { HIGHEST, LOWEST, clamp } from "./geometry.js";
import { shapeOf } from "./state.js";

/** @typedef {import("./protocol.js").NoteShape} NoteShape */
/** @typedef {{remove: NoteShape[], add: NoteShape[]}} Change */

/** @param {NoteShape} a @param {NoteShape} b */
const same = (a, b) => a.onset === b.onset && a.pitch === b.pitch && a.duration === b.duration;

/** Only what changes; null if nothing does. @param {readonly NoteShape[]} before @param {readonly NoteShape[]} after */
function change(before, after) {
  /** @type {Change} */
  const found = { remove: [], add: [] };
  before.forEach((note, i) => {
    const next = after[i];
    if (same(note, next)) return;
    found.remove.push(shapeOf(note));
    found.add.push(shapeOf(next));
  });
  return found.remove.length ? found : null;
}

/**
 * How far notes can go together without one of them leaving the piece.
 *
 * @param {readonly NoteShape[]} notes
 * @param {number} steps
 * @param {number} semitones
 * @param {number} nSteps
 */
export function reach(notes, steps, semitones, nSteps) {
  if (!notes.length) return { steps: 0, semitones: 0 };
  const first = Math.min(...notes.map((note) => note.onset));
  const last = Math.max(...notes.map((note) => note.onset + note.duration));
  const low = Math.min(...notes.map((note) => note.pitch));
  const high = Math.max(...notes.map((note) => note.pitch));
  return {
    steps: clamp(steps, -first, Math.max(nSteps - last, -first)),
    semitones: clamp(semitones, Math.min(LOWEST - low, 0), Math.max(HIGHEST - high, 0)),
  };
}

/**
 * @param {readonly NoteShape[]} notes
 * @param {number} steps
 * @param {number} semitones
 * @param {number} nSteps
 * @returns {NoteShape[]}
 */
export function moved(notes, steps, semitones, nSteps) {
  const by = reach(notes, steps, semitones, nSteps);
  return notes.map((note) => ({
    onset: note.onset + by.steps,
    pitch: note.pitch + by.semitones,
    duration: note.duration,
  }));
}

/** @param {readonly NoteShape[]} notes */
export const move = (
  notes,
  /** @type {number} */ steps,
  /** @type {number} */ semitones,
  /** @type {number} */ nSteps,
) => change(notes, moved(notes, steps, semitones, nSteps));

/**
 * Notes held longer or shorter by their end or their start; none becomes shorter than a sixteenth.
 *
 * @param {readonly NoteShape[]} notes
 * @param {"start" | "end"} which
 * @param {number} steps later
 * @param {number} nSteps
 * @returns {NoteShape[]}
 */
export function stretched(notes, which, steps, nSteps) {
  return notes.map((note) => {
    const end = note.onset + note.duration;
    if (which === "end") {
      return {
        onset: note.onset,
        pitch: note.pitch,
        duration: clamp(end + steps, note.onset + 1, nSteps) - note.onset,
      };
    }
    const onset = clamp(note.onset + steps, 0, end - 1);
    return { onset, pitch: note.pitch, duration: end - onset };
  });
}

/** @param {readonly NoteShape[]} notes */
export const stretch = (
  notes,
  /** @type {"start" | "end"} */ which,
  /** @type {number} */ steps,
  /** @type {number} */ nSteps,
) => change(notes, stretched(notes, which, steps, nSteps));

/** @param {readonly NoteShape[]} notes @returns {Change | null} */
export const erase = (notes) => (notes.length ? { remove: notes.map(shapeOf), add: [] } : null);

/**
 * What a drag did, told when it ends: of the notes taken hold of, those that are still there go, and all come where they
 * were dropped, whatever arrived meanwhile.
 *
 * @param {readonly NoteShape[]} held
 * @param {readonly NoteShape[]} dropped
 * @param {readonly NoteShape[]} there the notes now
 * @returns {Change | null}
 */
export function dropOf(held, dropped, there) {
  const found = change(held, dropped);
  if (!found) return null;
  return { ...found, remove: found.remove.filter((note) => there.some((other) => same(other, note))) };
}

/** Notes as they are kept to be pasted, counted from the first of them. @param {readonly NoteShape[]} notes */
export function copied(notes) {
  const first = Math.min(...notes.map((note) => note.onset));
  return notes.map((note) => ({ ...shapeOf(note), onset: note.onset - first }));
}

/**
 * @param {readonly NoteShape[]} clip
 * @param {number} step
 * @param {number} nSteps
 * @returns {Change | null} null: it does not fit
 */
export function paste(clip, step, nSteps) {
  const add = clip
    .map((note) => ({ ...note, onset: note.onset + step }))
    .filter((note) => note.onset < nSteps)
    .map((note) => ({ ...note, duration: Math.min(note.duration, nSteps - note.onset) }));
  return add.length ? { remove: [], add } : null;
}

/** The same once more, after itself, on the next beat. @param {readonly NoteShape[]} notes @param {number} nSteps */
export function duplicate(notes, nSteps, beat = 4) {
  if (!notes.length) return null;
  const first = Math.min(...notes.map((note) => note.onset));
  const last = Math.max(...notes.map((note) => note.onset + note.duration));
  return paste(copied(notes), first + Math.ceil((last - first) / beat) * beat, nSteps);
}

/**
 * A note drawn from where the pointer went down to where it is.
 *
 * @param {number} from step, on the grid
 * @param {number} to step, with its fraction
 * @param {number} pitch
 * @param {number} length of the last note: a click draws so long a one
 * @param {number} grid
 * @param {number} nSteps
 * @returns {NoteShape}
 */
export function drawn(from, to, pitch, length, grid, nSteps) {
  const dragged = Math.ceil((to - from) / grid) * grid;
  return { onset: from, pitch, duration: clamp(dragged > 0 ? dragged : length, 1, nSteps - from) };
}

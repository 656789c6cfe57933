/**
 * Music in words: for the eye, and for those who listen.
 */

import { meterAt, noteName, placeInWords } from "./geometry.js";
import { isLocked } from "./locks.js";
import { VOICES } from "./protocol.js";
import { keyOf } from "./state.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./geometry.js").Bars} Bars */

/** "A", and "A and B" @param {readonly string[]} names */
export const together = (names) => names.join(" and ");

/** "1 note" or "3 notes" @param {number} n */
export const countOfNotes = (n) => (n === 1 ? "1 note" : `${n} notes`);

/** @param {number} probability */
export const percent = (probability) => `${Math.round(probability * 100)} %`;

/** A sentence begins with a capital, but a file keeps its name. @param {string} text */
export const capital = (text) => (/^[^ ]*\./.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1));

/** @param {string} text "Eb4" becomes "E♭4" */
export const withSigns = (text) =>
  text
    .replace(/\b([A-G])bb(?=-?\d)/g, "$1♭♭")
    .replace(/\b([A-G])b(?=-?\d)/g, "$1♭")
    .replace(/\b([A-G])#(?=-?\d)/g, "$1♯");

/** As the server divides it. @param {number} probability */
export const surenessOf = (probability) => (probability >= 0.7 ? "sure" : probability >= 0.4 ? "likely" : "unsure");

/** Steps of a beat there. @param {Bars} bars @param {number} step */
export const beatAt = (bars, step) => 16 / meterAt(bars, step).denominator;

/** "1.5 beats", of a note that begins there. @param {Bars} bars @param {{onset: number, duration: number}} note */
export function lengthInWords(bars, { onset, duration }) {
  const beats = Math.round((duration / beatAt(bars, onset)) * 100) / 100;
  return beats === 1 ? "1 beat" : `${beats} beats`;
}

const AUTHORS = { file: "from the file", user: "yours", model: "added by the model" };

/**
 * "A4, bar 2, beat 3, alto, added by the model, likely"
 *
 * @param {Desk} desk
 * @param {{step: number, pitch: number}} place
 * @param {boolean} [isSpoken] for those who listen: "A flat 4"
 */
export function describe(desk, { step, pitch }, isSpoken = false) {
  const name = noteName(pitch, desk.key, isSpoken);
  const note = desk.noteAt(step, pitch);
  const where = placeInWords(desk.bars, note ? note.onset : step);
  const ghost = desk.asking.suggestionAt(step, pitch);
  const offered = ghost ? `${ghost.action === "add" ? "suggested" : "would be taken back"}, ${ghost.sureness}` : "";
  if (!note) return [name, where, offered || "silent"].join(", ");
  const belongs = desk.asking.belongs(note);
  const parts = [name, where, lengthInWords(desk.bars, note), VOICES[desk.voiceOf(note)], AUTHORS[note.author]];
  if (belongs !== null) parts.push(surenessOf(belongs));
  if (offered) parts.push(offered);
  if (desk.settings && isLocked(desk.settings, note)) parts.push("locked");
  if (desk.selected.has(keyOf(note))) parts.push("chosen");
  return parts.join(", ");
}

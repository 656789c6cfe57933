/**
 * Where the phrases of one's line end, as the rule `phrases` says it. Pure.
 */

import { placeOf } from "./geometry.js";

/** @typedef {import("./geometry.js").Bars} Bars */
/** @typedef {import("./protocol.js").Phrase} Phrase */

/**
 * The rule after a phrase was made to end at a step, or to go on there, as it ends there already.
 *
 * @param {readonly Phrase[]} phrases
 * @param {Bars} bars
 * @param {number} step
 * @returns {{rule: string, isAdded: boolean}}
 */
export function togglingEnd(phrases, bars, step) {
  const isThere = (/** @type {Phrase} */ { rest, end }) => rest <= step && step < end;
  const kept = phrases.filter((phrase) => !isThere(phrase));
  const isAdded = kept.length === phrases.length;
  const ends = kept.map(({ rest, place }) => ({ rest, place }));
  if (isAdded) {
    const { bar, beat } = placeOf(bars, step);
    ends.push({ rest: step, place: `${bar}:${Math.round(beat * 1e4) / 1e4}` });
    ends.sort((one, other) => one.rest - other.rest);
  }
  return { rule: ends.map(({ place }) => place).join(", ") || "none", isAdded };
}

import assert from "node:assert/strict";
import { test } from "node:test";

import { isLocked, lockedBars, locking, unlocking } from "../../../src/ripieno/studio/static/locks.js";

const note = (/** @type {number} */ onset, /** @type {number} */ pitch) => ({ onset, pitch, duration: 4 });
const bar = (/** @type {number} */ number) => ({
  number,
  start: 16 * (number - 1),
  n_steps: 16,
  numerator: 4,
  denominator: 4,
});

/** @type {import("../../../src/ripieno/studio/static/protocol.js").Locks} */
const locks = { notes: [note(8, 62)], voices: [{ voice: "alto", notes: [note(4, 65)] }], bars: [2], pitches: [60] };
const settings = /** @type {any} */ ({ locks, bars: [bar(1), bar(2)] });

test("locks are seen on the notes that they bind: by the note, its voice, its bar, its row", () => {
  for (const one of [note(8, 62), note(4, 65), note(20, 64), note(0, 60)]) assert.ok(isLocked(settings, one));
  assert.ok(!isLocked(settings, note(0, 64)));
  assert.deepEqual(lockedBars(settings), [{ from: 16, to: 32 }]);
});

test("what is wholly locked is unlocked, anything else is locked", () => {
  assert.equal(locking(locks, { notes: [note(8, 62)] }).locked, false);
  assert.equal(locking(locks, { notes: [note(8, 62), note(0, 64)] }).locked, true);
  assert.equal(locking(locks, { voices: ["alto"] }).locked, false);
  assert.equal(locking(locks, { voices: ["alto", "bass"] }).locked, true);
  assert.equal(locking(locks, { bars: [1, 2] }).locked, true);
  assert.equal(locking(locks, { pitches: [60] }).locked, false);
  assert.deepEqual(unlocking({ bars: [2] }), {
    type: "lock",
    locked: false,
    notes: [],
    voices: [],
    bars: [2],
    pitches: [],
  });
});

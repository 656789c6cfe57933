import assert from "node:assert/strict";
import { test } from "node:test";

import * as editing from "../../../src/ripieno/studio/static/editing.js";

const note = (/** @type {number} */ onset, /** @type {number} */ pitch, duration = 4) => ({ onset, pitch, duration });

test("notes move together and none leaves the piece", () => {
  const notes = [note(2, 60), note(6, 67)];
  assert.deepEqual(editing.moved(notes, 4, 1, 32), [note(6, 61), note(10, 68)]);
  assert.deepEqual(editing.moved(notes, -9, 0, 32), [note(0, 60), note(4, 67)]);
  assert.deepEqual(editing.moved(notes, 99, 99, 32), [note(24, 101), note(28, 108)]);
});

test("what does not change is not sent", () => {
  assert.equal(editing.move([note(0, 60)], -4, 0, 32), null);
  assert.deepEqual(editing.stretch([note(0, 60, 1), note(4, 62)], "end", -1, 32), {
    remove: [note(4, 62)],
    add: [note(4, 62, 3)],
  });
});

test("a note is held longer by either end, and never becomes nothing", () => {
  assert.deepEqual(editing.stretched([note(4, 60)], "end", 4, 32), [note(4, 60, 8)]);
  assert.deepEqual(editing.stretched([note(4, 60)], "end", -9, 32), [note(4, 60, 1)]);
  assert.deepEqual(editing.stretched([note(4, 60)], "start", -2, 32), [note(2, 60, 6)]);
  assert.deepEqual(editing.stretched([note(4, 60)], "start", 9, 32), [note(7, 60, 1)]);
  assert.deepEqual(editing.stretched([note(28, 60)], "end", 9, 32), [note(28, 60, 4)]);
});

test("a drop stands though what was held has changed meanwhile", () => {
  const held = [note(0, 60), note(4, 62)];
  const dropped = [note(8, 60), note(12, 62)];
  assert.deepEqual(editing.dropOf(held, dropped, [note(0, 60)]), { remove: [note(0, 60)], add: dropped });
  assert.equal(editing.dropOf(held, held, held), null);
});

test("copies are pasted from the first of them, and cut at the end", () => {
  const clip = editing.copied([note(8, 60), note(10, 64, 8)]);
  assert.deepEqual(editing.paste(clip, 24, 32)?.add, [note(24, 60), note(26, 64, 6)]);
  assert.equal(editing.paste(clip, 40, 32), null);
});

test("a phrase is duplicated on the beat after it", () => {
  assert.deepEqual(editing.duplicate([note(0, 60), note(4, 62, 3)], 32)?.add, [note(8, 60), note(12, 62, 3)]);
  assert.equal(editing.duplicate([], 32), null);
});

test("a click draws the last length, a drag its own", () => {
  assert.deepEqual(editing.drawn(4, 4.3, 60, 8, 4, 32), note(4, 60, 4));
  assert.deepEqual(editing.drawn(4, 4, 60, 8, 4, 32), note(4, 60, 8));
  assert.deepEqual(editing.drawn(4, 13, 60, 8, 4, 32), note(4, 60, 12));
  assert.deepEqual(editing.drawn(28, 28, 60, 8, 4, 32), note(28, 60, 4));
});

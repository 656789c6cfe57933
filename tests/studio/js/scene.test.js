import assert from "node:assert/strict";
import { test } from "node:test";

import { Desk } from "../../../src/ripieno/studio/static/desk.js";
import { sceneOf } from "../../../src/ripieno/studio/static/scene.js";
import { GLOW } from "../../../src/ripieno/studio/static/state.js";

const TIME = { now: 0, isStill: true };
const shape = (/** @type {number} */ onset, /** @type {number} */ pitch) => ({ onset, pitch, duration: 4 });
const note = (/** @type {number} */ onset, /** @type {number} */ pitch, author = "user") => ({
  ...shape(onset, pitch),
  author,
  voice: "alto",
  batch: 0,
});

/** A desk with some notes on it. */
function desk(/** @type {object[]} */ notes, /** @type {object} */ rules = {}) {
  const made = new Desk({ send: () => "r0", now: () => 0 });
  const settings = {
    name: "x",
    bpm: 90,
    n_steps: 16,
    key: { name: "C major", tonic: 0, mode: "major", n_sharps: 0, is_guessed: false },
    bars: [{ number: 1, start: 0, n_steps: 16, numerator: 4, denominator: 4 }],
    locks: { notes: [], voices: [], bars: [], pitches: [72] },
    rules: { seed: 0, ...rules },
  };
  const state = { settings, notes, history: [] };
  const welcome = { type: "welcome", piece: "p", seq: 1, state, entries: [], run: null, model_ready: true, limits: {} };
  made.receive(/** @type {any} */ (welcome));
  return made;
}

test("notes are drawn as whose, how and whether they are heard, locked and chosen", () => {
  const it = desk([note(0, 60), note(0, 72, "model")]);
  it.choose([note(0, 60)]);
  it.muteAuthor("model");
  const { notes, lockedRows, range } = sceneOf(it, null, TIME);
  assert.deepEqual(
    notes.map((one) => [one.pitch, one.isModels, one.isSelected, one.isLocked, one.isMuted, one.voice]),
    [
      [60, false, true, false, false, 1],
      [72, true, false, true, true, 1],
    ],
  );
  assert.deepEqual([lockedRows, range], [[72], null]);
});

test("a way that is shown adds ghosts, takes notes away, and leaves what it does not change", () => {
  const it = desk([note(0, 60, "model"), note(4, 62, "model"), note(8, 64)]);
  it.asking.again({ bars: [1, 1], voices: [1] });
  it.receive(
    /** @type {any} */ ({
      type: "alternatives",
      id: "r0",
      seq: 1,
      bars: [1, 1],
      voices: ["alto"],
      alternatives: [{ token: "t", seed: 1, remove: [shape(0, 60), shape(4, 62)], add: [shape(0, 60), shape(4, 65)] }],
    }),
  );
  const { notes, ghosts, isFaint } = sceneOf(it, null, TIME);
  assert.ok(isFaint);
  assert.deepEqual(
    notes.map((one) => one.pitch),
    [60, 64],
  );
  assert.deepEqual(
    ghosts.map((ghost) => [ghost.pitch, ghost.adds]),
    [
      [62, false],
      [65, true],
    ],
  );
});

test("what is dragged is drawn where it is now, and in place of where it was unless it is copied", () => {
  const it = desk([note(0, 60)]);
  const drag = { kind: /** @type {const} */ ("move"), held: it.notes, dropped: [shape(4, 62)], isCopy: false };
  const pitches = (/** @type {any} */ drag) => sceneOf(it, drag, TIME).notes.map((one) => one.pitch);
  assert.deepEqual(pitches(drag), [62]);
  assert.deepEqual(pitches({ ...drag, isCopy: true }), [60, 62]);
});

test("the model's new notes glow for a while, but not without motion", () => {
  const it = desk([note(0, 60, "model")]);
  it.state = { ...it.state, arrived: new Map([["0:60", 0]]) };
  const glow = (/** @type {number} */ now, isStill = false) => sceneOf(it, null, { now, isStill }).notes[0].glow;
  assert.deepEqual([glow(0), glow(GLOW / 2), glow(GLOW), glow(0, true)], [1, 0.5, 0, 0]);
});

test("what the model misses is drawn as notes, and what it doubts as a share", () => {
  const it = desk([note(0, 60)]);
  it.asking.doubt(true);
  const cell = (/** @type {number} */ step, probability = 0.9) => ({ step, pitch: 67, sounds: false, probability });
  it.receive(
    /** @type {any} */ ({
      type: "doubts",
      id: "r0",
      seq: 1,
      n_left: 3,
      notes: [{ note: shape(0, 60), belongs: 0.25 }],
      cells: [cell(5), cell(4), cell(6, 0.3), cell(8)],
    }),
  );
  const { notes, ghosts } = sceneOf(it, null, TIME);
  assert.equal(notes[0].doubt, 0.75);
  assert.deepEqual(
    ghosts.map((ghost) => [ghost.onset, ghost.duration]),
    [
      [4, 2],
      [8, 1],
    ],
  );
});

test("a range that is said is shown", () => {
  assert.deepEqual(sceneOf(desk([], { pitches: [48, 72] }), null, TIME).range, { low: 48, high: 72 });
});

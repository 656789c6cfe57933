import assert from "node:assert/strict";
import { test } from "node:test";

import * as geometry from "../../../src/ripieno/studio/static/geometry.js";

/** @type {geometry.View} */
const view = { stepWidth: 12, rowHeight: 14, left: 100, top: 400, width: 800, height: 500 };
/** @type {geometry.Bars} */
const bars = {
  starts: [0, 16, 32, 48],
  first: 1,
  pickup: 0,
  end: 64,
  meters: [{ step: 0, numerator: 4, denominator: 4 }],
};
/** @type {geometry.Bars} */
const withPickup = {
  starts: [0, 4, 16],
  first: 0,
  pickup: 4,
  end: 24,
  meters: [{ step: 0, numerator: 3, denominator: 4 }],
};

test("steps and pitches come back from their pixels", () => {
  for (const step of [0, 7, 63.25]) assert.equal(geometry.xToStep(view, geometry.stepToX(view, step)), step);
  for (const pitch of [36, 60, 81]) assert.equal(geometry.yToPitch(view, geometry.pitchToY(view, pitch) + 3), pitch);
});

test("what is under the pointer stays there while zooming", () => {
  const nSteps = 400;
  const before = geometry.xToStep(view, 300);
  const closer = geometry.zoomTime(view, 1.5, 300, nSteps);
  assert.equal(closer.stepWidth, 18);
  assert.ok(Math.abs(geometry.xToStep(closer, 300) - before) < 1e-9);
  const taller = geometry.zoomPitch(view, 1.25, 120, nSteps);
  assert.equal(geometry.yToPitch(taller, 120), geometry.yToPitch(view, 120));
});

test("no view leaves the piece", () => {
  assert.equal(geometry.pan(view, -1e6, -1e6, 64).left, 0);
  assert.equal(geometry.pan(view, -1e6, -1e6, 64).top, 0);
  const far = geometry.pan(view, 1e6, 1e6, 640);
  assert.equal(far.left, (640 + 16) * 12 - 800);
  assert.equal(geometry.yToPitch(far, far.height - 1), geometry.LOWEST);
});

test("a note is found by its ends and its middle", () => {
  const note = { onset: 16, pitch: 72, duration: 8 };
  const { x, y, width } = geometry.noteBox(view, note);
  const at = (/** @type {number} */ dx) => geometry.noteAt(view, [note], x + dx, y + 5);
  assert.equal(at(2)?.zone, "start");
  assert.equal(at(width / 2)?.zone, "middle");
  assert.equal(at(width - 2)?.zone, "end");
  assert.equal(at(width + 2), null);
  assert.equal(geometry.noteAt(view, [note], x + width + 2, y + 5, 8)?.note, note);
  assert.equal(geometry.noteAt(view, [note], x + 20, y + 15), null);
});

test("of two notes in one place the newer is found", () => {
  const [one, two] = [
    { onset: 0, pitch: 60, duration: 8 },
    { onset: 4, pitch: 60, duration: 8 },
  ];
  const wide = { ...view, left: 0 };
  assert.equal(geometry.noteAt(wide, [one, two], 5 * 12 + 6, geometry.pitchToY(wide, 60) + 2)?.note, two);
});

test("a rectangle selects the notes it touches", () => {
  const notes = [
    { onset: 0, pitch: 60, duration: 4 },
    { onset: 4, pitch: 60, duration: 4 },
    { onset: 0, pitch: 67, duration: 16 },
  ];
  assert.deepEqual(geometry.notesIn(notes, { from: 3.5, to: 6, low: 59, high: 61 }), notes.slice(0, 2));
  assert.deepEqual(geometry.notesIn(notes, { from: 4, to: 6, low: 59, high: 61 }), [notes[1]]);
});

test("places are said as musicians count", () => {
  assert.equal(geometry.placeInWords(bars, 0), "bar 1, beat 1");
  assert.equal(geometry.placeInWords(bars, 24), "bar 2, beat 3");
  assert.equal(geometry.placeInWords(bars, 26), "bar 2, beat 3.5");
  assert.equal(geometry.barsInWords(bars, { from: 16, to: 48 }), "bars 2–3");
  assert.equal(geometry.barsInWords(bars, { from: 20, to: 21 }), "bar 2");
});

test("a pickup is the end of a bar", () => {
  assert.equal(geometry.placeInWords(withPickup, 0), "bar 0, beat 3");
  assert.equal(geometry.placeInWords(withPickup, 4), "bar 1, beat 1");
  assert.deepEqual(geometry.barOf(withPickup, 2), { from: 0, to: 4 });
});

test("bars are found and made whole", () => {
  assert.deepEqual(geometry.barOf(bars, 31), { from: 16, to: 32 });
  assert.deepEqual(geometry.barOf(bars, 999), { from: 48, to: 64 });
  assert.deepEqual(geometry.wholeBars(bars, { from: 20, to: 33 }), { from: 16, to: 48 });
  assert.deepEqual(geometry.wholeBars(bars, { from: 16, to: 32 }), { from: 16, to: 32 });
});

test("lines of the grid: bars, beats, and sixteenths where there is room", () => {
  const seen = { ...view, left: 0, width: 16 * 12 };
  const kinds = geometry
    .gridLines(bars, seen)
    .filter((line) => line.step < 16)
    .map((line) => line.kind[0])
    .join("");
  assert.equal(kinds, "bsssbsssbsssbsss");
  const far = geometry.gridLines(bars, { ...seen, stepWidth: 3, width: 48 }).filter((line) => line.step < 16);
  assert.deepEqual(
    far.map((line) => line.kind),
    ["bar", "beat", "beat", "beat"],
  );
});

test("notes are spelled as their key has them", () => {
  /** @type {geometry.Key} */
  const flat = { tonic: 8, mode: "major", n_sharps: -4 };
  /** @type {geometry.Key} */
  const minor = { tonic: 4, mode: "minor", n_sharps: 1 };
  assert.equal(geometry.noteName(60), "C4");
  assert.equal(geometry.noteName(61, flat), "D♭4");
  assert.equal(geometry.noteName(63, minor), "D♯4");
  assert.equal(geometry.noteName(58, flat, true), "B flat 3");
  assert.equal(geometry.noteName(59, { tonic: 6, mode: "major", n_sharps: -6 }), "C♭4");
  assert.equal(geometry.keyName(flat), "A♭ major");
  assert.equal(geometry.keyName(minor), "E minor");
  assert.ok(geometry.scaleOf(minor).has(6));
  assert.ok(!geometry.scaleOf(minor).has(5));
});

test("the view follows what plays a page at a time", () => {
  const small = { ...view, left: 0, width: 240 };
  assert.equal(geometry.follow(small, 10, 400), small);
  const next = geometry.follow(small, 19, 400);
  assert.ok(next.left > 0);
  assert.ok(geometry.stepToX(next, 19) < 30);
});

test("what is out of sight is scrolled to, and no further", () => {
  const shown = geometry.reveal(view, { from: 200, to: 204, pitch: 30 }, 400);
  const box = geometry.noteBox(shown, { onset: 200, pitch: 30, duration: 4 });
  assert.ok(box.x >= 0 && box.x + box.width <= view.width);
  assert.ok(box.y >= 0 && box.y + box.height <= view.height);
  const there = geometry.reveal(shown, { from: 200, to: 204, pitch: 30 }, 400);
  assert.deepEqual(there, shown);
});

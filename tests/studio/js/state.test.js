import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as state from "../../../src/ripieno/studio/static/state.js";

/** @typedef {import("../../../src/ripieno/studio/static/protocol.js").Note} Note */
/** @typedef {import("../../../src/ripieno/studio/static/protocol.js").Settings} Settings */
/** @typedef {import("../../../src/ripieno/studio/static/protocol.js").Entry} Entry */

/** @type {Settings} */
const settings = {
  name: "Evening",
  bpm: 84,
  n_steps: 32,
  rules: { n_voices: 4, seed: 0 },
  locks: { notes: [], voices: [], bars: [2], pitches: [60] },
  key: { name: "C major", tonic: 0, mode: "major", n_sharps: 0, is_guessed: false },
  bars: [
    { number: 1, start: 0, n_steps: 16, numerator: 4, denominator: 4 },
    { number: 2, start: 16, n_steps: 16, numerator: 4, denominator: 4 },
  ],
  phrases: [],
};

/** @returns {Note} */
const note = (
  /** @type {number} */ onset,
  /** @type {number} */ pitch,
  duration = 4,
  /** @type {Partial<Note>} */ more = {},
) => ({
  onset,
  pitch,
  duration,
  author: "user",
  voice: "soprano",
  batch: 0,
  ...more,
});

const begun = (/** @type {Note[]} */ notes) =>
  state.reduce(state.nothing(), {
    type: "welcome",
    protocol: 2,
    version: "0.1.0",
    piece: "p",
    seq: 1,
    state: { settings, notes, history: [] },
    entries: [],
    run: null,
    model_ready: true,
    limits: {
      message_bytes: 1,
      messages_per_second: 1,
      upload_bytes: 1,
      windows: 1,
      pieces: 1,
      notes: 1,
      bars: 1,
      steps: 1,
      lowest: 28,
      highest: 91,
    },
  });

const entry = (/** @type {Partial<Entry>} */ more) => ({
  type: /** @type {const} */ ("entries"),
  entries: [
    /** @type {Entry} */ ({
      seq: 2,
      kind: "edit",
      author: "model",
      batch: 1,
      run: null,
      id: null,
      text: "",
      gone: [],
      new: [],
      items: [],
      settings: null,
      ...more,
    }),
  ],
});

const shapes = (/** @type {state.State} */ now) =>
  state.notesOf(now).map((one) => [one.onset, one.pitch, one.duration]);

const golden = JSON.parse(readFileSync(new URL("../golden.json", import.meta.url), "utf8"));

for (const { name, notes, remove, add, result } of golden.edits) {
  test(`as the server reckons: ${name}`, () => {
    const list = (/** @type {number[][]} */ rows) =>
      rows.map(([onset, pitch, duration]) => ({ onset, pitch, duration }));
    const before = new Map(list(notes).map((one) => [state.keyOf(one), note(one.onset, one.pitch, one.duration)]));
    const after = state.applyEdit(before, { remove: list(remove), add: list(add) });
    const found = after && [...after.values()].map((one) => [one.onset, one.pitch, one.duration]);
    const inOrder = (/** @type {number[][] | null} */ rows) =>
      rows && [...rows].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    assert.deepEqual(inOrder(found), inOrder(result));
  });
}

test("an edit is seen at once and once only", () => {
  let now = begun([note(0, 67)]);
  now = state.reduce(now, { type: "edit", id: "e", remove: [], add: [{ onset: 4, pitch: 69, duration: 4 }] });
  assert.deepEqual(shapes(now), [
    [0, 67, 4],
    [4, 69, 4],
  ]);
  now = state.reduce(now, entry({ id: "e", author: "user", new: [note(4, 69)] }));
  assert.equal(now.pending.length, 0);
  assert.deepEqual(shapes(now), [
    [0, 67, 4],
    [4, 69, 4],
  ]);
  now = state.reduce(now, { type: "done", id: "e", seq: 2, text: null });
  assert.deepEqual(shapes(now), [
    [0, 67, 4],
    [4, 69, 4],
  ]);
});

test("an edit that is refused goes, and its reason is said", () => {
  let now = begun([note(0, 67)]);
  now = state.reduce(now, { type: "edit", id: "e", remove: [{ onset: 0, pitch: 67, duration: 4 }], add: [] });
  assert.deepEqual(shapes(now), []);
  now = state.reduce(now, { type: "error", id: "e", code: "conflict", text: "no longer there" });
  assert.deepEqual(shapes(now), [[0, 67, 4]]);
  assert.equal(now.notice?.text, "no longer there");
  assert.equal(now.notice?.isError, true);
});

test("what the model does meanwhile is kept under a pending edit", () => {
  let now = begun([note(0, 67)]);
  now = state.reduce(now, {
    type: "edit",
    id: "e",
    remove: [{ onset: 0, pitch: 67, duration: 4 }],
    add: [{ onset: 0, pitch: 71, duration: 4 }],
  });
  now = state.reduce(now, entry({ new: [note(0, 60, 4, { author: "model", voice: "bass" })] }));
  assert.deepEqual(shapes(now), [
    [0, 60, 4],
    [0, 71, 4],
  ]);
});

test("entries are taken once and in order", () => {
  let now = begun([]);
  const one = entry({ new: [note(0, 60)] });
  now = state.reduce(now, one);
  now = state.reduce(now, entry({ seq: 3, gone: [note(0, 60)] }));
  assert.deepEqual(shapes(now), []);
  now = state.reduce(now, one);
  assert.deepEqual(shapes(now), [], "told before");
  assert.equal(now.hasGap, false);
  now = state.reduce(now, entry({ seq: 5, new: [note(0, 62)] }));
  assert.equal(now.hasGap, true);
  assert.equal(now.seq, 3);
  assert.deepEqual(shapes(now), []);
});

test("a window that comes back goes on with what it missed, its own edit still pending", () => {
  let now = begun([note(0, 67)]);
  now = state.reduce(now, { type: "edit", id: "e", remove: [], add: [{ onset: 4, pitch: 69, duration: 4 }] });
  now = state.reduce(now, { type: "lost" });
  assert.equal(now.connection, "lost");
  const { limits } = now;
  now = state.reduce(
    now,
    /** @type {any} */ ({
      type: "welcome",
      protocol: 2,
      version: "",
      piece: "p",
      seq: 2,
      state: null,
      run: null,
      model_ready: true,
      limits,
      entries: entry({ new: [note(8, 72)] }).entries,
    }),
  );
  assert.equal(now.connection, "open");
  assert.deepEqual(shapes(now), [
    [0, 67, 4],
    [4, 69, 4],
    [8, 72, 4],
  ]);
  assert.equal(now.pending.length, 1);
});

test("a removed note fades, one that only changed does not", () => {
  let now = begun([note(0, 60, 2), note(0, 64, 4)]);
  now = state.reduce(now, entry({ gone: [note(0, 60, 2), note(0, 64)], new: [note(0, 60, 3, { voice: null })] }), 1000);
  assert.deepEqual(
    now.fading.map((one) => one.note.pitch),
    [64],
  );
  assert.equal(now.notes.get("0:60")?.voice, "soprano", "who sings it is kept until told otherwise");
  now = state.reduce(now, { type: "forget" }, 1000 + state.FADE + 1);
  assert.deepEqual(now.fading, []);
});

test("voices are told later", () => {
  let now = begun([note(0, 60, 4, { voice: null }), note(0, 72, 4, { voice: null })]);
  const guessed = state.voicesOf(state.notesOf(now));
  assert.ok(/** @type {number} */ (guessed.get("0:72")) < /** @type {number} */ (guessed.get("0:60")));
  now = state.reduce(now, { type: "voices", seq: 1, notes: [{ onset: 0, pitch: 60, voice: "bass" }] });
  assert.equal(state.voicesOf(state.notesOf(now)).get("0:60"), 3);
});

test("two notes that sound together are not guessed to be one voice's", () => {
  const now = begun([57, 62, 65, 72].map((pitch) => note(0, pitch, 4, { voice: null })));
  assert.deepEqual([...state.voicesOf(state.notesOf(now)).values()].sort(), [0, 1, 2, 3]);
});

test("the history is grouped by run", () => {
  const item = (/** @type {number} */ batch, /** @type {number | null} */ run) => /** @type {any} */ ({ batch, run });
  const history = new Map(
    [item(0, null), item(1, 0), item(2, null), item(3, 0), item(4, null), item(5, null)].map((one) => [one.batch, one]),
  );
  assert.deepEqual(
    state.historyGroups(history).map((group) => [group.run, ...group.items.map((one) => one.batch)]),
    [
      [null, 5, 4],
      [0, 3, 1],
      [null, 2, 0],
    ],
  );
});

test("no message changes the state that was", () => {
  const before = begun([note(0, 67)]);
  const copy = structuredClone(before);
  state.reduce(before, entry({ gone: [note(0, 67)], new: [note(0, 60)] }));
  state.reduce(before, { type: "voices", seq: 1, notes: [{ onset: 0, pitch: 67, voice: "bass" }] });
  assert.deepEqual(before, copy);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { StepEntry } from "../../../src/ripieno/studio/static/midi.js";

test("keys pressed together on a MIDI keyboard are a chord, and letting go moves on", () => {
  /** @type {(number | string)[]} */
  const heard = [];
  const entry = new StepEntry(
    (pitch) => heard.push(pitch),
    () => heard.push("on"),
  );
  for (const bytes of [
    [0x90, 60, 80],
    [0x91, 64, 80],
    [0x90, 60, 0],
    [0x81, 64, 0],
    [0xb0, 64, 127],
    [0x90, 67, 1],
    [0x80, 67, 0],
    [0x80, 67, 0],
  ])
    entry.hear(bytes);
  assert.deepEqual(heard, [60, 64, "on", 67, "on"]);
});

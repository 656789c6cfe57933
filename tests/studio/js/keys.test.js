import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { SHORTCUTS, commandOf, keycaps } from "../../../src/ripieno/studio/static/keys.js";
import { StepEntry } from "../../../src/ripieno/studio/static/midi.js";

const read = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url), "utf8");
const press = (/** @type {string} */ key, /** @type {object} */ held = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...held,
});

test("keys mean what the table says", () => {
  assert.equal(commandOf(press("r")), "again");
  assert.equal(commandOf(press("R", { shiftKey: true })), undefined);
  assert.equal(commandOf(press("z", { ctrlKey: true })), "undo");
  assert.equal(commandOf(press("Z", { ctrlKey: true, shiftKey: true })), "redo");
  assert.equal(commandOf(press("z", { metaKey: true })), "undo");
  assert.equal(commandOf(press("ArrowUp", { shiftKey: true })), "octaveUp");
  assert.equal(commandOf(press("Tab", { shiftKey: true })), undefined, "Shift and Tab always leaves the roll");
  assert.equal(commandOf(press("?", { shiftKey: true })), "help");
  assert.equal(commandOf(press("[", { ctrlKey: true, altKey: true })), "firstBar", "as it is typed on many keyboards");
  assert.equal(commandOf(press(" ")), "play");
});

test("no key means two things", () => {
  const keys = SHORTCUTS.flatMap((shortcut) => shortcut.keys);
  assert.equal(new Set(keys).size, keys.length);
});

test("every command is obeyed, and every button's", () => {
  const page = read("../../../src/ripieno/studio/static/main.js");
  for (const { command } of SHORTCUTS) assert.ok(page.includes(`case "${command}":`), command);
});

test("the guide names every shortcut", () => {
  const guide = read("../../../docs/studio.md");
  for (const { keys, text } of SHORTCUTS)
    for (const press of keys)
      assert.ok(
        guide.includes(
          keycaps(press)
            .map((key) => `<kbd>${key}</kbd>`)
            .join(" "),
        ),
        `${press}: ${text}`,
      );
});

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

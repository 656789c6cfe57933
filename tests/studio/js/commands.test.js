import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { COMMANDS, commandNamed, commandOf, keycapsOf } from "../../../src/ripieno/studio/static/commands.js";
import { keycaps } from "../../../src/ripieno/studio/static/keys.js";

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
  assert.equal(commandOf(press("r"))?.name, "again");
  assert.equal(commandOf(press("R", { shiftKey: true }))?.name, undefined);
  assert.equal(commandOf(press("z", { ctrlKey: true }))?.name, "undo");
  assert.equal(commandOf(press("Z", { ctrlKey: true, shiftKey: true }))?.name, "redo");
  assert.equal(commandOf(press("z", { metaKey: true }))?.name, "undo");
  assert.equal(commandOf(press("ArrowUp", { shiftKey: true }))?.name, "octaveUp");
  assert.equal(commandOf(press("Tab", { shiftKey: true }))?.name, undefined, "Shift and Tab always leaves the roll");
  assert.equal(commandOf(press("?", { shiftKey: true }))?.name, "help");
  assert.equal(
    commandOf(press("[", { ctrlKey: true, altKey: true }))?.name,
    "firstBar",
    "as it is typed on many keyboards",
  );
  assert.equal(commandOf(press(" "))?.name, "play");
});

test("no key means two things", () => {
  const keys = COMMANDS.flatMap((command) => command.keys);
  assert.equal(new Set(keys).size, keys.length);
});

test("every button of the page names a command that there is", () => {
  const page = read("../../../src/ripieno/studio/static/index.html");
  const named = [...page.matchAll(/data-command="(\w+)"/g)].map(([, name]) => name);
  assert.ok(named.length > 8);
  for (const name of named) assert.equal(commandNamed(name).name, name);
  assert.throws(() => commandNamed("sing"), /no command sing/);
});

test("a button says its keys as one reads them", () => {
  assert.equal(keycapsOf("duplicate"), "Ctrl D");
  assert.equal(keycapsOf("refuse"), "⌫");
});

test("the guide names every shortcut", () => {
  const guide = read("../../../docs/studio.md");
  for (const { keys, label } of COMMANDS)
    for (const press of keys)
      assert.ok(
        guide.includes(
          keycaps(press)
            .map((key) => `<kbd>${key}</kbd>`)
            .join(" "),
        ),
        `${press}: ${label}`,
      );
});

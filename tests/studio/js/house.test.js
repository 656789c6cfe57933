import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../../../src/ripieno/studio/static/", import.meta.url);

/** What each module imports. @type {Map<string, string[]>} */
const imports = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith(".js"))
    .map((name) => {
      const text = readFileSync(new URL(name, folder), "utf8");
      return [name, [...text.matchAll(/^(?:import|\} from)\b.*"\.\/([\w-]+\.js)";$/gm)].map(([, other]) => other)];
    }),
);

/** Everything that a module leads to. @param {string} name @param {Set<string>} [found] */
function reached(name, found = new Set()) {
  for (const other of imports.get(name) ?? []) {
    if (found.has(other)) continue;
    found.add(other);
    reached(other, found);
  }
  return found;
}

test("no module imports itself by way of others", () => {
  for (const name of imports.keys()) assert.ok(!reached(name).has(name), name);
});

test("every module is of use to the page", () => {
  assert.deepEqual(
    [...imports.keys()].filter((name) => name !== "start.js" && !reached("start.js").has(name)),
    [],
  );
});

test("the desk and what it is made of know neither page nor sound", () => {
  const known = reached("desk.js");
  for (const name of ["page.js", "panels.js", "player.js", "draw.js", "socket.js"]) assert.ok(!known.has(name), name);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { changing, optionsOf, pitchOf, rangeOf, seedOf } from "../../../src/ripieno/studio/static/rules.js";

const limits = /** @type {any} */ ({ lowest: 36, highest: 81 });

/** The options of a schema with these properties. @param {object} properties @param {object} [more] definitions */
const read = (properties, more = {}) => optionsOf({ $defs: { Rules: { properties }, ...more } });

test("options come in the schema's order, with its words and bounds", () => {
  const [voices, seed, temperature] = read({
    n_voices: {
      type: "integer",
      minimum: 1,
      maximum: 8,
      title: "Voices",
      description: "how many at once",
      default: 4,
    },
    seed: { type: "integer", minimum: 0, exclusiveMaximum: 2 ** 31, title: "Seed", default: 0 },
    temperature: { type: "number", minimum: 0.05, maximum: 3, default: 0.8, group: "reading", unless: "as usual" },
  });
  assert.deepEqual(
    [voices.label, voices.hint, voices.kind, voices.minimum, voices.maximum, voices.default, voices.isOptional],
    ["Voices", "how many at once", "number", 1, 8, 4, false],
  );
  assert.deepEqual([seed.maximum, seed.isWhole], [2 ** 31 - 1, true]);
  assert.deepEqual(
    [temperature.label, temperature.isWhole, temperature.group, temperature.unless],
    ["temperature", false, "reading", "as usual"],
  );
});

test("every kind of option finds its kind of control", () => {
  const kinds = (/** @type {object} */ properties, more = {}) =>
    read(properties, more).map(({ kind, values, isOptional }) => [kind, values, isOptional]);
  assert.deepEqual(
    kinds(
      {
        syllables: { type: "boolean" },
        split: { anyOf: [{ type: "boolean" }, { type: "null" }] },
        mend: { enum: ["faults", "nothing"], type: "string" },
        write_chords: { anyOf: [{ enum: ["symbols", "roman"] }, { type: "null" }] },
        n_parts: { enum: [1, 2, 4, null] },
        ensemble: { $ref: "#/$defs/Ensemble" },
        quality: { oneOf: [{ const: "high" }, { const: "exact" }] },
        chords: { type: ["string", "null"], maxLength: 20 },
        pitches: { anyOf: [{ type: "array" }, { type: "null" }] },
      },
      { Ensemble: { anyOf: [{ const: "choir" }, { type: "null" }] } },
    ),
    [
      ["check", [true, false], false],
      ["choice", [true, false], true],
      ["choice", ["faults", "nothing"], false],
      ["choice", ["symbols", "roman"], true],
      ["choice", [1, 2, 4], true],
      ["choice", ["choir"], true],
      ["choice", ["high", "exact"], false],
      ["text", [], true],
      [null, [], true],
    ],
  );
});

test("a number, or a share, has the widest of their bounds", () => {
  const [{ kind, isWhole, minimum, maximum }] = read({
    max_removals: {
      anyOf: [
        { type: "integer", minimum: 0, maximum: 100000 },
        { type: "number", minimum: 0, maximum: 1 },
      ],
    },
  });
  assert.deepEqual([kind, isWhole, minimum, maximum], ["number", false, 0, 100000]);
});

test("where nothing is said, the rule is put back", () => {
  assert.deepEqual(changing({ n_voices: 3, key: null, syllables: false }), {
    type: "rules",
    changes: { n_voices: 3, syllables: false },
    unset: ["key"],
  });
});

test("open ends of the range are the model's", () => {
  const range = (/** @type {object} */ rules) => rangeOf(/** @type {any} */ ({ rules }), limits);
  assert.equal(range({ pitches: null }), null);
  assert.deepEqual(range({ pitches: [48, null] }), { low: 48, high: 81 });
  assert.deepEqual(range({ pitches: [null, 72] }), { low: 36, high: 72 });
  assert.equal(rangeOf(null, null), null);
  assert.equal(seedOf(null), 0);
});

test("notes are read as people write them", () => {
  assert.deepEqual(["C4", " f#3 ", "B♭2", "", "H9", "C12"].map(pitchOf), [60, 54, 46, null, undefined, undefined]);
});

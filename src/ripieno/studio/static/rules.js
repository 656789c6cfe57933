/**
 * The rules: what may be asked of the model. Nothing else in the page reads or sets them.
 *
 * Which options there are, in which order and within which bounds, the server's JSON Schema says (`Rules` in
 * /api/protocol.json). The table WIDGETS gives some of them words of their own; any other gets a plain control.
 */

import { byId, el } from "./dom.js";
import { noteName } from "./geometry.js";
import { percent } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./protocol.js").Limits} Limits */
/** @typedef {import("./protocol.js").Rules} Rules */
/** @typedef {import("./protocol.js").Settings} Settings */
/** @typedef {Record<string, any>} Schema */

/**
 * @typedef {object} Option One property of the schema.
 * @property {string} name
 * @property {string} label
 * @property {string} hint
 * @property {string} group "" unless the schema has one
 * @property {"check" | "choice" | "number" | "text" | null} kind null: nothing that a plain control could hold
 * @property {any[]} values of a choice
 * @property {number | undefined} minimum
 * @property {number | undefined} maximum
 * @property {number | undefined} maxLength
 * @property {boolean} isWhole
 * @property {boolean} isOptional it may be null: nothing is said
 * @property {string} unless what holds where nothing is said
 * @property {any} default
 */

/**
 * @typedef {object} Control
 * @property {HTMLElement} element
 * @property {(rules: Rules, settings: Settings) => void} show
 */

/**
 * @typedef {object} Bench What controls are built with.
 * @property {(changes: Rules) => void} set
 * @property {(text: string) => void} complain
 */

// Reading the schema

/** The options, in the schema's order. @param {Schema} protocol all of /api/protocol.json @returns {Option[]} */
export function optionsOf(protocol) {
  const definitions = protocol.$defs ?? {};
  return Object.entries(definitions.Rules?.properties ?? {}).map(([name, property]) =>
    optionOf(name, property, definitions),
  );
}

/** @param {string} name @param {Schema} property @param {Schema} definitions @returns {Option} */
function optionOf(name, property, definitions) {
  const { schema, isOptional } = plain(property, definitions);
  const isWhole = schema.type === "integer";
  const past = isWhole ? 1 : 0; // a bound that is itself left out
  return {
    name,
    label: property.title ?? name,
    hint: property.description ?? "",
    group: property.group ?? "",
    kind: kindOf(schema, isOptional),
    values: schema.type === "boolean" ? [true, false] : (schema.enum ?? ("const" in schema ? [schema.const] : [])),
    minimum: schema.minimum ?? (schema.exclusiveMinimum === undefined ? undefined : schema.exclusiveMinimum + past),
    maximum: schema.maximum ?? (schema.exclusiveMaximum === undefined ? undefined : schema.exclusiveMaximum - past),
    maxLength: schema.maxLength,
    isWhole,
    isOptional,
    unless: property.unless ?? "",
    default: property.default ?? null,
  };
}

/** A schema without references, and without "or null". @param {Schema} given @param {Schema} definitions */
function plain(given, definitions) {
  let schema = given;
  if (schema.$ref) schema = { ...definitions[schema.$ref.split("/").at(-1)], ...schema, $ref: undefined };
  const parts = (schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []).map((/** @type {Schema} */ part) =>
    plain(part, definitions),
  );
  const types = [schema.type ?? []].flat();
  const rest = parts
    .map((/** @type {{schema: Schema}} */ part) => part.schema)
    .filter((/** @type {Schema} */ part) => part.type !== "null");
  const isOptional =
    types.includes("null") ||
    rest.length < parts.length ||
    parts.some((/** @type {{isOptional: boolean}} */ part) => part.isOptional);
  if (rest.length === 1) schema = { ...rest[0], ...schema };
  else if (rest.length && rest.every((/** @type {Schema} */ part) => part.enum || "const" in part))
    schema = { ...schema, enum: rest.flatMap((/** @type {Schema} */ part) => part.enum ?? [part.const]) };
  else if (rest.length && rest.every(isNumber)) schema = { ...widest(rest), ...schema, type: "number" };
  if (Array.isArray(schema.type)) schema = { ...schema, type: types.find((type) => type !== "null") };
  if (schema.enum?.includes(null)) {
    schema = { ...schema, enum: schema.enum.filter((/** @type {unknown} */ value) => value !== null) };
    return { schema, isOptional: true };
  }
  return { schema, isOptional };
}

const isNumber = (/** @type {Schema} */ { type }) => type === "integer" || type === "number";

/** The bounds of a number that may be of several kinds. @param {Schema[]} numbers @returns {Schema} */
function widest(numbers) {
  const bound = (/** @type {string} */ name, /** @type {(...all: number[]) => number} */ most) =>
    numbers.every((number) => name in number) ? { [name]: most(...numbers.map((number) => number[name])) } : {};
  return { ...bound("minimum", Math.min), ...bound("maximum", Math.max) };
}

/** @param {Schema} schema @param {boolean} isOptional @returns {Option["kind"]} */
function kindOf(schema, isOptional) {
  if (schema.enum || "const" in schema) return "choice";
  if (schema.type === "boolean") return isOptional ? "choice" : "check";
  if (isNumber(schema)) return "number";
  return schema.type === "string" ? "text" : null;
}

// What others ask of the rules

/** @param {Settings | null} settings @returns {number} */
export const seedOf = (settings) => settings?.rules.seed ?? 0;

/** Within which new notes lie, if that is said. @param {Settings | null} settings @param {Limits | null} limits */
export function rangeOf(settings, limits) {
  const pitches = settings?.rules.pitches;
  if (!pitches) return null;
  const [low, high] = pitches;
  return { low: low ?? limits?.lowest ?? 0, high: high ?? limits?.highest ?? 127 };
}

/** What is sent to change rules; null puts one back to where nothing is said. @param {Rules} changes */
export function changing(changes) {
  const all = Object.entries(changes);
  return {
    type: "rules",
    changes: Object.fromEntries(all.filter(([, value]) => value !== null)),
    unset: all.filter(([, value]) => value === null).map(([name]) => name),
  };
}

/** @param {string} text "C3", "F#4", "B♭2" @returns {number | null | undefined} undefined: no note is called so */
export function pitchOf(text) {
  if (!text.trim()) return null;
  const found = /^\s*([A-Ga-g])(#|♯|b|♭)?\s*(-?\d)\s*$/.exec(text);
  if (!found) return undefined;
  const [, letter, sign, octave] = found;
  const base = /** @type {Record<string, number>} */ ({ C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 })[
    letter.toUpperCase()
  ];
  const pitch = base + (sign ? (sign === "#" || sign === "♯" ? 1 : -1) : 0) + 12 * (Number(octave) + 1);
  return pitch >= 0 && pitch <= 127 ? pitch : undefined;
}

// Controls

/** @typedef {(option: Option, bench: Bench) => Control} Builder */

/** @param {any} field @param {string} value what is being typed stays */
function put(field, value) {
  if (field !== document.activeElement && field.value !== value) field.value = value;
}

/** A choice that shows a value, also one that it does not offer. @param {any} field @param {string} value @param {string} text */
function offer(field, value, text) {
  const isThere = [...field.options].some((/** @type {HTMLOptionElement} */ option) => option.value === value);
  if (!isThere) field.append(el("option", { value }, text));
  put(field, value);
}

/** @param {string} label @param {...(Node | string)} inside */
const labelled = (label, ...inside) => el("label", { class: "field" }, el("span", {}, label), ...inside);

/**
 * What an option is called, and its values.
 *
 * @typedef {object} Words
 * @property {string} [label]
 * @property {Record<string, string>} [values] what the values of a choice are called; a text may be one of them too
 * @property {(settings: Settings) => string} [placeholder] what holds where nothing is said, if it depends on the piece
 * @property {string} [list] id of a list of suggestions
 */

/** A control of the option's own kind. @param {Words} [given] @returns {Builder} */
function simple(given = {}) {
  return (option, bench) => {
    const words = { label: option.label, ...given };
    if (option.kind === "check") return box(option, words, bench);
    if (option.kind === "choice" || words.values) return choice(option, words, bench);
    return option.kind === "number" ? number(option, words, bench) : text(option, words, bench);
  };
}

/** @typedef {(option: Option, words: Words & {label: string}, bench: Bench) => Control} Simple */

/** @type {Simple} */
function box({ name }, { label }, { set }) {
  const field = /** @type {HTMLInputElement} */ (el("input", { name, type: "checkbox" }));
  field.addEventListener("change", () => set({ [name]: field.checked }));
  const element = el("label", { class: "check" }, field, ` ${label}`);
  return { element, show: (rules) => (field.checked = Boolean(rules[name])) };
}

/** @type {Simple} */
function choice({ name, kind, values, isOptional, unless }, { label, values: words = {} }, { set }) {
  const choices = kind === "choice" ? values : Object.keys(words);
  const called = (/** @type {any} */ value) =>
    words[value] ?? (value === true ? "yes" : value === false ? "no" : String(value).replaceAll("_", " "));
  const none = isOptional && el("option", { value: "" }, unless || "not chosen");
  const field = /** @type {HTMLSelectElement} */ (
    el("select", { name }, none, ...choices.map((value) => el("option", { value }, called(value))))
  );
  field.addEventListener("change", () => {
    const { value } = field;
    set({ [name]: choices.find((one) => String(one) === value) ?? (value || null) });
  });
  const show = (/** @type {Rules} */ rules) => offer(field, String(rules[name] ?? ""), called(rules[name]));
  return { element: labelled(label, field), show };
}

/** @type {Simple} */
function number(option, { label }, { set, complain }) {
  const { name, minimum: min, maximum: max, unless } = option;
  const step = option.isWhole ? 1 : "any";
  const field = /** @type {HTMLInputElement} */ (
    el("input", { name, type: "number", min, max, step, placeholder: unless || null })
  );
  field.addEventListener("change", () => {
    if (!field.checkValidity()) complain(`${label}: write ${boundsInWords(option)}`);
    else set({ [name]: field.value === "" ? option.default : Number(field.value) });
  });
  return { element: labelled(label, field), show: (rules) => put(field, String(rules[name] ?? "")) };
}

/** @type {Simple} */
function text({ name, maxLength, isOptional, unless }, { label, placeholder, list }, { set }) {
  const more = { type: "text", maxlength: maxLength, placeholder: unless || null, spellcheck: "false", list };
  const field = /** @type {HTMLInputElement} */ (el("input", { name, ...more }));
  field.addEventListener("change", () => set({ [name]: field.value.trim() || (isOptional ? null : "") }));
  return {
    element: labelled(label, field),
    show: (rules, settings) => {
      put(field, String(rules[name] ?? ""));
      if (placeholder) field.placeholder = placeholder(settings);
    },
  };
}

/** @param {Option} option */
function boundsInWords({ minimum, maximum }) {
  if (minimum === undefined) return maximum === undefined ? "a number" : `a number up to ${maximum}`;
  return maximum === undefined ? `${minimum} or more` : `a number from ${minimum} to ${maximum}`;
}

/** A number of which some are offered by name, the last for all there are. @returns {Builder} */
function counted(/** @type {string} */ label, /** @type {[number, string][]} */ few, /** @type {string} */ all) {
  return ({ name, maximum }, { set }) => {
    const most = String(maximum);
    const choices = [...few.map(([n, text]) => el("option", { value: n }, text)), el("option", { value: most }, all)];
    const field = /** @type {HTMLSelectElement} */ (el("select", { name }, ...choices));
    field.addEventListener("change", () => set({ [name]: Number(field.value) }));
    const show = (/** @type {Rules} */ rules) => {
      const n = rules[name];
      const isShare = !Number.isInteger(n);
      offer(field, String(isShare ? n : (few.find(([some]) => some >= n)?.[0] ?? most)), `${percent(n)} may change`);
    };
    return { element: labelled(label, field), show };
  };
}

/** A lowest note and a highest. @type {Builder} */
function range({ name }, { set, complain }) {
  /** @type {(number | null)[]} */
  let now = [null, null];
  const end = (/** @type {string} */ end, /** @type {string} */ label) => {
    const more = { type: "text", size: 4, placeholder: "any", "aria-label": label, spellcheck: "false" };
    return /** @type {HTMLInputElement} */ (el("input", { name: end, ...more }));
  };
  const fields = [end("lowest", "Lowest new note, such as C3"), end("highest", "Highest new note, such as G5")];
  fields.forEach((field, i) =>
    field.addEventListener("change", () => {
      const pitch = pitchOf(field.value);
      if (pitch === undefined) {
        complain(`“${field.value}” is not a note; write C4 (middle C), F#3 or Bb2`);
        return;
      }
      const pitches = now.with(i, pitch);
      set({ [name]: pitches.every((one) => one === null) ? null : pitches });
    }),
  );
  const dash = el("span", { "aria-hidden": "true" }, "–");
  return {
    element: el("fieldset", { class: "field pair" }, el("legend", {}, "New notes within"), fields[0], dash, fields[1]),
    show: (rules, { key }) => {
      now = rules[name] ?? [null, null];
      now.forEach((pitch, i) => put(fields[i], pitch === null ? "" : noteName(pitch, key)));
    },
  };
}

const DARING = /** @type {[number, string][]} */ ([
  [0.5, "timid"],
  [0.7, "careful"],
  [0.9, "as usual"],
  [1.1, "daring"],
  [Infinity, "reckless"],
]);
const SLIDER = { from: 0.3, to: 1.5, step: 0.05 }; // what a slider sets finely enough; a value beyond widens it

/** How daring the model is. @type {Builder} */
function daring({ name, minimum = 0, maximum = Infinity }, { set }) {
  const output = el("output", {});
  const field = /** @type {HTMLInputElement} */ (el("input", { name, type: "range", step: SLIDER.step }));
  const say = (/** @type {number} */ value) =>
    (output.textContent = `${DARING.find(([most]) => value <= most)?.[1]} (${value})`);
  field.addEventListener("input", () => say(Number(field.value)));
  field.addEventListener("change", () => set({ [name]: Number(field.value) }));
  const element = labelled("How daring ", field);
  element.classList.add("wide");
  element.firstElementChild?.append(output);
  return {
    element,
    show: (rules) => {
      field.min = String(Math.max(minimum, Math.min(SLIDER.from, rules[name])));
      field.max = String(Math.min(maximum, Math.max(SLIDER.to, rules[name])));
      put(field, String(rules[name]));
      say(rules[name]);
    },
  };
}

/** A number that may also be drawn. @type {Builder} */
function seed(option, bench) {
  const control = simple({ label: "Seed" })(option, bench);
  const title = "Another seed: other music under the same rules";
  const draw = () => bench.set({ [option.name]: Math.floor(Math.random() * 100000) });
  const another = el("button", { type: "button", title, onclick: draw }, "Another");
  const field = /** @type {Element} */ (control.element.lastElementChild);
  const pair = el("span", { class: "pair" });
  field.replaceWith(pair);
  pair.append(field, " ", another);
  return control;
}

/** Options with words of their own. @type {Record<string, Builder>} */
const WIDGETS = {
  melody: simple({
    label: "My line is",
    values: { top: "the top", bass: "the bass", inner: "an inner voice" },
  }),
  key: simple({
    placeholder: ({ key }) => (key.is_guessed ? `${key.name} (as heard)` : key.name),
    list: "keys-list",
  }),
  pitches: range,
  n_voices: simple({ label: "Voices at once" }),
  write_chords: simple({ values: { symbols: "as symbols", roman: "as Roman numerals" } }),
  syllables: simple({ label: "New parts repeat notes where the words go on" }),
  max_removals: counted(
    "My notes",
    [
      [0, "stay as they are"],
      [1, "one may change"],
      [2, "two may change"],
      [4, "four may change"],
      [8, "eight may change"],
    ],
    "all may change",
  ),
  max_additions: simple({ label: "New notes" }),
  mend: simple({
    label: "At the end, mend",
    values: { faults: "all faults", parallels: "parallels only", nothing: "nothing" },
  }),
  temperature: daring,
  quality: simple({
    label: "Care",
    values: { exact: "one by one", high: "careful", fast: "quick", lossless: "one by one, for a GPU" },
  }),
  seed,
};

/** Groups of the schema that lie folded away, and what is written on them. @type {Record<string, string>} */
const FOLDED = { reading: "How the piece is read", "way out": "How it is written out" };
const OPEN = new Set(["melody", "key"]); // asked for often: they lie in the open whatever their group

/** Keys that are offered where one is typed: majors, then minors. */
export const KEYS = [
  ..."C G D A E B F# F Bb Eb Ab Db".split(" "),
  ..."A E B F# C# G# D G C F Bb Eb".split(" ").map((tonic) => `${tonic} minor`),
];

/** The rules as controls, in `#rules-fields`. */
export class RulesPanel {
  /** @param {Desk} desk @param {Schema} protocol all of /api/protocol.json */
  constructor(desk, protocol) {
    this.desk = desk;
    /** @type {Control[]} */
    this.controls = [];
    const fields = byId("rules-fields");
    const folds = Object.entries(FOLDED).map(([group, title]) => ({
      group,
      element: el("details", { class: "fold" }, el("summary", {}, title)),
    }));
    const options = optionsOf(protocol);
    this.defaults = Object.fromEntries(options.map((option) => [option.name, option.default]));
    for (const option of options) {
      const widget = WIDGETS[option.name] ?? (option.kind && simple());
      if (!widget) continue;
      const control = widget(option, {
        set: (changes) => desk.send(changing(changes)),
        complain: (text) => desk.say(text, true),
      });
      control.element.title = option.hint;
      this.controls.push(control);
      const fold = folds.find(({ group }) => group === option.group && !OPEN.has(option.name));
      (fold?.element ?? fields).append(control.element);
    }
    fields.append(...folds.map(({ element }) => element).filter((element) => element.childElementCount > 1));
  }

  show() {
    const { settings } = this.desk;
    if (!settings) return;
    const rules = { ...this.defaults, ...settings.rules };
    for (const control of this.controls) control.show(rules, settings);
  }
}

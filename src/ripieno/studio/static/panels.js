/**
 * Everything beside the roll: voices, the model's card, rules, history, the table of notes, help, notices.
 *
 * Each part is built again only when what it shows has changed, and keeps the focus where it was.
 */

import { barsInWords, noteName, placeOf } from "./geometry.js";
import { lengthInWords } from "./desk.js";
import { SHORTCUTS, keycaps } from "./keys.js";
import { VOICES } from "./protocol.js";
import { historyGroups, keyOf, voicesOf } from "./state.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./protocol.js").HistoryItem} HistoryItem */

/**
 * @typedef {object} House What the panels need of the page.
 * @property {Desk} desk
 * @property {(command: string) => void} obey
 * @property {(place: {step: number, pitch: number}) => void} goTo
 * @property {() => boolean} isPlaying
 * @property {() => void} hearRegion
 */

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * An element with its attributes and what is in it. `on...` listens; `true` sets an attribute, `false` leaves it out.
 *
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined | false)} inside
 */
export function el(name, attributes = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("aria-")) element.setAttribute(key, String(value));
    else if (value === false) continue;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(
    ...inside
      .filter((one) => one !== null && one !== undefined && one !== false)
      .map((one) => /** @type {Node | string} */ (one)),
  );
  return element;
}

/** @param {string} name */
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** @param {string} text "Eb4" becomes "E♭4" */
export const withSigns = (text) =>
  text
    .replace(/\b([A-G])bb(?=-?\d)/g, "$1♭♭")
    .replace(/\b([A-G])b(?=-?\d)/g, "$1♭")
    .replace(/\b([A-G])#(?=-?\d)/g, "$1♯");

/** @param {string} text */
const capital = (text) => (/^[^ ]*\./.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1)); // no file's name

/** @param {number} probability */
const percent = (probability) => `${Math.round(probability * 100)} %`;

/** @type {WeakMap<Element, string>} */
const shown = new WeakMap();
/** What had the focus and went; it has it again if it comes back. @type {WeakMap<Element, string>} */
const missed = new WeakMap();

/**
 * Put something else in an element if it would look different; what had the focus has it again.
 *
 * @param {Element} element
 * @param {unknown} signature
 * @param {() => (Node | string)[]} build
 */
function fill(element, signature, build) {
  const text = JSON.stringify(signature);
  if (shown.get(element) === text) return;
  shown.set(element, text);
  const { activeElement } = document;
  const isNowhere = !activeElement || activeElement === document.body;
  const focused = element.contains(activeElement)
    ? activeElement?.getAttribute("data-id")
    : isNowhere
      ? missed.get(element)
      : null;
  const top = element.scrollTop;
  element.replaceChildren(...build());
  element.scrollTop = top;
  missed.delete(element);
  if (!focused) return;
  const again = /** @type {HTMLElement | null} */ (element.querySelector(`[data-id="${CSS.escape(focused)}"]`));
  if (again) again.focus({ preventScroll: true });
  else missed.set(element, focused);
}

// Voices

/** @param {House} house */
export function showVoices({ desk }) {
  const { settings } = desk;
  const locked = VOICES.map((voice) => settings?.locks.voices.some((lock) => lock.voice === voice) ?? false);
  const signature = [
    [...desk.voices],
    [...desk.mutedVoices],
    [...desk.soloVoices],
    [...desk.mutedAuthors],
    [...desk.soloAuthors],
    locked,
  ];
  fill(byId("voices"), signature, () => {
    const tiny = (
      /** @type {string} */ id,
      /** @type {string} */ text,
      /** @type {string} */ label,
      /** @type {boolean} */ isOn,
      /** @type {() => void} */ onclick,
    ) =>
      el(
        "button",
        {
          type: "button",
          class: "tiny",
          "data-id": id,
          "aria-pressed": isOn,
          "aria-label": label,
          title: label,
          onclick,
        },
        text,
      );
    const strips = VOICES.map((name, voice) => {
      const lock = el(
        "button",
        {
          type: "button",
          class: "tiny",
          "data-id": `k${voice}`,
          "aria-pressed": locked[voice],
          "aria-label": `Keep the ${name} as it is`,
          title: `Keep the ${name} as it is: the model does not change it`,
          onclick: () => desk.lockVoice(voice),
        },
        icon(locked[voice] ? "lock" : "unlock"),
      );
      return el(
        "div",
        { class: "strip", role: "group", "aria-label": capital(name) },
        el(
          "button",
          {
            type: "button",
            class: "who",
            "data-id": `v${voice}`,
            "aria-pressed": desk.voices.has(voice),
            title: `Choose the ${name} (${name[0].toUpperCase()})`,
            onclick: () => desk.toggleVoice(voice),
          },
          el("span", { class: `swatch v${voice}`, "aria-hidden": "true" }),
          capital(name),
        ),
        tiny(`m${voice}`, "M", `Mute the ${name}`, desk.mutedVoices.has(voice), () => desk.mute(voice)),
        tiny(`s${voice}`, "S", `The ${name} alone`, desk.soloVoices.has(voice), () => desk.mute(voice, true)),
        lock,
      );
    });
    const authors = /** @type {const} */ (["yours", "model"]).map((author) =>
      el(
        "div",
        { class: "strip author", role: "group", "aria-label": author === "yours" ? "Your notes" : "The model’s notes" },
        el(
          "span",
          { class: "who" },
          el("span", { class: `swatch ${author}`, "aria-hidden": "true" }),
          author === "yours" ? "Yours" : "The model’s",
        ),
        tiny(
          `m${author}`,
          "M",
          author === "yours" ? "Mute your notes" : "Mute the model’s notes",
          desk.mutedAuthors.has(author),
          () => desk.muteAuthor(author),
        ),
        tiny(
          `s${author}`,
          "S",
          author === "yours" ? "Your notes alone" : "The model’s notes alone",
          desk.soloAuthors.has(author),
          () => desk.muteAuthor(author, true),
        ),
      ),
    );
    return [...strips, ...authors];
  });
}

// What is chosen

/** @param {House} house */
export function showChosen({ desk, obey }) {
  const n = desk.selected.size;
  const hasRegion = desk.region !== null || desk.voices.size > 0;
  const bar = byId("chosen");
  const isHidden = (!n && !hasRegion) || desk.state.alternatives !== null || desk.waiting.has("again");
  bar.hidden = isHidden;
  if (isHidden) return;
  const what = n ? (n === 1 ? "1 note" : `${n} notes`) : desk.chosenInWords();
  fill(bar, [what, n > 0, desk.isLooping, desk.region !== null], () => {
    const button = (
      /** @type {string} */ command,
      /** @type {string} */ text,
      /** @type {string} */ key,
      /** @type {boolean | undefined} */ isOn = undefined,
    ) =>
      el(
        "button",
        { type: "button", "data-id": command, "aria-pressed": isOn, onclick: () => obey(command) },
        text,
        " ",
        el("kbd", {}, key),
      );
    return [
      el("span", { class: "what" }, capital(what)),
      button("again", "Other ways", "R"),
      button("lock", "Keep", "K"),
      n ? button("duplicate", "Duplicate", "Ctrl D") : "",
      n ? button("remove", "Delete", "Del") : desk.region ? button("loop", "Loop", "L", desk.isLooping) : "",
      button("leave", "Clear", "Esc"),
    ];
  });
}

// The model's card

/** @param {House} house */
export function showPartner(house) {
  const { desk, obey } = house;
  const { state } = desk;
  byId("suggest").setAttribute("aria-pressed", String(desk.isSuggesting));
  byId("doubts").setAttribute("aria-pressed", String(desk.isDoubting));
  byId("fill-text").textContent = desk.isRunning ? "Stop" : "Fill";
  for (const id of ["suggest", "again", "fill", "inner", "doubts"])
    byId(id).disabled = !state.isModelReady || !state.settings;
  const card = byId("partner");
  const button = (/** @type {string} */ command, /** @type {string} */ text, /** @type {string} */ key, more = {}) =>
    el(
      "button",
      { type: "button", "data-id": command, onclick: () => obey(command), ...more },
      text,
      " ",
      el("kbd", {}, key),
    );
  const lines = (/** @type {string[]} */ ...texts) =>
    texts.map((text, i) => el("p", { class: i ? "quiet" : "title" }, text));

  if (!state.isModelReady) {
    const text = state.modelText || "It is being loaded; you can write meanwhile.";
    fill(card, ["loading", text], () => lines("The model is not there yet", text));
  } else if (desk.isRunning && state.run) {
    const { run: number, n_changes: done, n_left: left } = state.run;
    const n = notesOfRun(desk, number);
    fill(card, ["run", n, done, left && Math.round(left)], () => [
      el("p", { class: "title" }, desk.region ? `Filling ${barsInWords(desk.bars, desk.region)}` : "Filling the piece"),
      el("progress", {
        class: "progress",
        max: 1,
        value: left === null ? false : done / Math.max(done + left, 1),
        "aria-label": "How far the model is",
      }),
      el("p", { class: "quiet" }, `${n} note${n === 1 ? "" : "s"} so far; what you do meanwhile holds`),
      el("div", { class: "buttons" }, button("fill", "Stop", "F")),
    ]);
  } else if (desk.waiting.has("again")) {
    fill(card, ["asking"], () => lines("Three other ways …"));
  } else if (state.alternatives) {
    showAlternatives(house, card);
  } else if (desk.isSuggesting) {
    const suggestion = desk.shownSuggestion;
    const all = state.suggestions;
    if (suggestion && all) {
      const n = all.suggestions.length;
      fill(card, ["suggestion", suggestion.token, desk.suggestion, n, desk.key?.name], () => [
        el(
          "p",
          { class: "note" },
          suggestion.action === "add"
            ? noteName(suggestion.note.pitch, desk.key)
            : `without ${noteName(suggestion.note.pitch, desk.key)}`,
        ),
        el(
          "p",
          {},
          [
            suggestion.voice,
            placeText(desk, suggestion.note.onset),
            lengthInWords(suggestion.note.duration, desk.beat(suggestion.note.onset)),
          ]
            .filter(Boolean)
            .join(", "),
        ),
        el(
          "p",
          { class: "sure", title: percent(suggestion.probability) },
          sureness(suggestion.probability),
          capital(suggestion.sureness),
          n > 1 ? el("span", { class: "quiet" }, `${desk.suggestion + 1} of ${n}`) : "",
        ),
        el(
          "div",
          { class: "buttons" },
          button("accept", "Accept", "Tab", { class: "primary" }),
          button("refuse", "Refuse", "⌫"),
          n > 1
            ? el(
                "button",
                {
                  type: "button",
                  "data-id": "next",
                  "aria-label": "The next best",
                  title: "The next best (↓)",
                  onclick: () => desk.walk(1),
                },
                "Next ",
                el("kbd", {}, "↓"),
              )
            : "",
        ),
      ]);
    } else if (desk.waiting.has("suggest") || !all || desk.isStale) {
      fill(card, ["listening"], () => lines("Listening …"));
    } else {
      fill(card, ["none", all.text], () =>
        lines("Nothing to suggest", withSigns(all.text ?? "The piece is finished.")),
      );
    }
  } else if (desk.isDoubting) {
    const cells = state.doubts?.cells.length ?? 0;
    const notes = state.doubts?.notes.filter((one) => one.belongs < 0.5).length ?? 0;
    fill(card, ["doubts", desk.waiting.has("doubts"), notes, cells], () =>
      !state.doubts
        ? lines("Listening …")
        : lines(
            notes
              ? `${notes} note${notes === 1 ? "" : "s"} that the model would not have written`
              : "The model doubts no note",
            "A wave under a note: the wider, the less it belongs. Dotted: what the model misses. The pointer on a note shows how sure it is.",
          ),
    );
  } else {
    const run = state.run;
    const ended =
      run &&
      {
        finished: "The piece is finished",
        stopped: "Stopped",
        failed: "The model could not go on",
        nothing: "Nothing to change under the rules and locks",
        running: "",
      }[run.state];
    const n = run ? notesOfRun(desk, run.run) : 0;
    fill(card, ["idle", ended, n, desk.notes.length > 0], () =>
      ended
        ? lines(
            `${ended}${n ? `: ${n} note${n === 1 ? "" : "s"}` : ""}`,
            "Choose bars above the roll and voices below the bar, then R for three other ways. All of it can be undone in the history.",
          )
        : desk.notes.length
          ? lines(
              "Your notes stay yours",
              "Fill lets the model write until it is done. Suggest goes note by note. Other ways offers three settings of the bars and voices that you choose.",
            )
          : lines("Write a line first", "The model listens to what is there and writes around it."),
    );
  }
}

/** Does an entry of the history leave anything? @param {HistoryItem} item */
const isSomething = (item) => item.kind !== "notes" || item.added.length > 0 || item.removed.length > 0;

/** What a run has done, in notes. @param {Desk} desk @param {number} run */
function notesOfRun(desk, run) {
  let n = 0;
  for (const item of desk.state.history.values()) if (item.run === run && isSomething(item)) n += 1;
  return n;
}

/** @param {number} probability */
function sureness(probability) {
  const bar = el("span", {});
  /** @type {HTMLElement} */ (bar).style.width = percent(probability).replace(" ", "");
  return el("span", { class: "meter", "aria-hidden": "true" }, bar);
}

/** @param {Desk} desk @param {number} step */
function placeText(desk, step) {
  const { bar, beat } = placeOf(desk.bars, step);
  return `bar ${bar}, beat ${Math.round(beat * 100) / 100}`;
}

/** @param {House} house @param {Element} card */
function showAlternatives({ desk, obey, isPlaying, hearRegion }, card) {
  const open = desk.state.alternatives;
  if (!open) return;
  const bars = open.bars[0] === open.bars[1] ? `bar ${open.bars[0]}` : `bars ${open.bars[0]}–${open.bars[1]}`;
  const title = [open.voices.length === 4 || !open.voices.length ? "" : open.voices.join(" and "), bars]
    .filter(Boolean)
    .join(", ");
  const n = open.alternatives.length;
  fill(card, ["ways", open.id, desk.alternative, isPlaying()], () => {
    if (!n) {
      return [
        el("p", { class: "title" }, `No other way for ${title}`),
        el(
          "p",
          { class: "quiet" },
          "Locks, rules or your own notes leave nothing to change there. Let other ways replace your notes too (Rules), or choose more.",
        ),
        el(
          "div",
          { class: "buttons" },
          el(
            "button",
            { type: "button", "data-id": "close", onclick: () => desk.closeAlternatives() },
            "Close ",
            el("kbd", {}, "Esc"),
          ),
        ),
      ];
    }
    const way = (/** @type {number} */ which) =>
      el(
        "button",
        {
          type: "button",
          "data-id": `way${which}`,
          "aria-pressed": desk.alternative === which,
          title:
            which < 0
              ? "The piece as it is"
              : `${open.alternatives[which].add.length} notes in place of ${open.alternatives[which].remove.length}`,
          onclick: () => desk.showAlternative(which),
        },
        which < 0 ? "As it is" : String(which + 1),
      );
    return [
      el(
        "div",
        { class: "head" },
        el("p", { class: "title" }, `Other ways: ${title}`),
        el(
          "button",
          {
            type: "button",
            class: "icon",
            "data-id": "close",
            "aria-label": "Close: leave it as it is",
            title: "Leave it as it is (Esc)",
            onclick: () => desk.closeAlternatives(),
          },
          "✕",
        ),
      ),
      el(
        "div",
        { class: "ways", role: "group", "aria-label": "Which is shown" },
        way(-1),
        ...open.alternatives.map((_, i) => way(i)),
      ),
      el(
        "div",
        { class: "buttons" },
        el(
          "button",
          {
            type: "button",
            class: "primary",
            "data-id": "take",
            disabled: desk.alternative < 0,
            onclick: () => obey("accept"),
          },
          "Take ",
          el("kbd", {}, "Tab"),
        ),
        el(
          "button",
          { type: "button", "data-id": "hear", onclick: hearRegion },
          isPlaying() ? "Stop " : "Hear ",
          el("kbd", {}, "Space"),
        ),
        el(
          "button",
          { type: "button", "data-id": "more", title: "Three more", onclick: () => obey("again") },
          "More ",
          el("kbd", {}, "R"),
        ),
      ),
    ];
  });
}

// Rules

const DARING = [
  [0.5, "timid"],
  [0.7, "careful"],
  [0.9, "as usual"],
  [1.1, "daring"],
  [9, "reckless"],
];

/** @param {number} temperature */
const daring = (temperature) => String(DARING.find(([most]) => temperature <= Number(most))?.[1]);

/** @param {House} house */
export function showRules({ desk }) {
  const { settings } = desk;
  if (!settings) return;
  const form = byId("rules-form");
  const { rules, locks } = settings;
  /** @type {Record<string, string>} */
  const values = {
    max_removals: String([0, 1, 2, 4, 8].find((n) => n >= rules.max_removals) ?? 100000),
    n_voices: String(rules.n_voices),
    lowest: rules.lowest === null ? "" : noteName(rules.lowest, settings.key),
    highest: rules.highest === null ? "" : noteName(rules.highest, settings.key),
    melody: rules.melody,
    key: rules.key ?? "",
    temperature: String(rules.temperature),
    seed: String(rules.seed),
    quality: rules.quality,
    mend: rules.mend,
  };
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements.namedItem(name);
    if (field !== document.activeElement && field.value !== value) field.value = value;
  }
  form.elements.namedItem("key").placeholder = settings.key.is_guessed
    ? `${settings.key.name} (as heard)`
    : settings.key.name;
  byId("daring").value = `${daring(rules.temperature)} (${rules.temperature})`;
  byId("including-mine").checked = desk.includesMine;

  /** @type {[string, object][]} */
  const chips = [
    ...locks.voices.map((lock) => /** @type {[string, object]} */ ([lock.voice, { voices: [lock.voice] }])),
    ...locks.bars.map((bar) => /** @type {[string, object]} */ ([`bar ${bar}`, { bars: [bar] }])),
    ...locks.pitches.map(
      (pitch) => /** @type {[string, object]} */ ([`all ${noteName(pitch, settings.key)}`, { pitches: [pitch] }]),
    ),
  ];
  if (locks.notes.length)
    chips.push([locks.notes.length === 1 ? "1 note" : `${locks.notes.length} notes`, { notes: locks.notes }]);
  fill(byId("locks"), chips, () => [
    el("h3", {}, "Locked: the model leaves it as it is"),
    chips.length
      ? el(
          "ul",
          {},
          ...chips.map(([text, what]) =>
            el(
              "li",
              {},
              el(
                "button",
                {
                  type: "button",
                  "data-id": text,
                  "aria-label": `Unlock ${text}`,
                  title: "Unlock",
                  onclick: () =>
                    desk.send({ type: "lock", locked: false, notes: [], voices: [], bars: [], pitches: [], ...what }),
                },
                text,
                " ✕",
              ),
            ),
          ),
        )
      : el(
          "p",
          { class: "quiet" },
          "Nothing. Choose notes, bars or voices and press K; a key of the piano with the right button locks its row.",
        ),
  ]);
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

const KEYS = [
  "C",
  "G",
  "D",
  "A",
  "E",
  "B",
  "F#",
  "F",
  "Bb",
  "Eb",
  "Ab",
  "Db",
  "A minor",
  "E minor",
  "B minor",
  "F# minor",
  "C# minor",
  "G# minor",
  "D minor",
  "G minor",
  "C minor",
  "F minor",
  "Bb minor",
  "Eb minor",
];

/** @param {House} house */
export function wireRules({ desk }) {
  byId("keys-list").replaceChildren(...KEYS.map((value) => el("option", { value })));
  const form = byId("rules-form");
  form.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
  form.addEventListener("input", (/** @type {Event} */ event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (field.name === "temperature") byId("daring").value = `${daring(Number(field.value))} (${field.value})`;
  });
  form.addEventListener("change", (/** @type {Event} */ event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (field.id === "including-mine") {
      desk.includesMine = field.checked;
      return;
    }
    /** @type {any} */
    let value = field.value.trim();
    if (field.name === "lowest" || field.name === "highest") {
      value = pitchOf(field.value);
      if (value === undefined) {
        desk.say(`“${field.value}” is no note; write one as C4 (middle C), F#3 or Bb2`, true);
        return;
      }
    } else if (field.name === "key") value = value || null;
    else if (!["melody", "quality", "mend"].includes(field.name)) value = Number(value);
    if (field.type === "number" && !field.checkValidity()) {
      desk.say(`${field.min} to ${field.max}, please`, true);
      return;
    }
    desk.setRules({ [field.name]: value });
  });
  byId("reseed").addEventListener("click", () => desk.setRules({ seed: Math.floor(Math.random() * 100000) }));
}

// History

const SHOWN_AT_FIRST = 150;
let nShown = SHOWN_AT_FIRST;
/** @type {Set<number>} runs whose notes are shown */
const opened = new Set();

/** @param {House} house */
export function showHistory(house) {
  const { desk } = house;
  const panel = byId("history");
  if (panel.hidden) return;
  const { history, run } = desk.state;
  const signature = [
    history.size,
    [...history.values()]
      .filter((item) => item.undone || item.overwritten)
      .map((item) => [item.batch, item.undone, item.overwritten]),
    run?.run,
    run?.state,
    nShown,
    [...opened],
    desk.settings?.key.name,
    history.size ? [...history.values()].at(-1)?.text : "",
  ];
  fill(panel, signature, () => {
    const groups = historyGroups(new Map([...history].filter(([, item]) => isSomething(item))));
    if (!groups.length)
      return [
        el(
          "p",
          { class: "quiet" },
          "Everything that you and the model do is listed here, and any of it can be undone at any time.",
        ),
      ];
    let left = nShown;
    /** @type {Node[]} */
    const parts = [];
    for (const group of groups) {
      if (left <= 0) break;
      if (group.run === null) {
        const items = group.items.slice(0, left);
        left -= items.length;
        parts.push(el("div", { class: "group" }, ...items.map((item) => entry(house, item))));
        continue;
      }
      parts.push(runGroup(house, group.run, group.items, left));
      left -= opened.has(group.run) ? group.items.length : 1;
    }
    if (left <= 0)
      parts.push(
        el(
          "button",
          { type: "button", "data-id": "earlier", onclick: () => ((nShown += SHOWN_AT_FIRST), showHistory(house)) },
          "Show earlier",
        ),
      );
    return parts;
  });
}

/** @param {House} house @param {number} run @param {HistoryItem[]} items @param {number} most */
function runGroup(house, run, items, most) {
  const { desk } = house;
  const isLive = items.some((item) => !item.undone);
  const isGoing = desk.isRunning && desk.state.run?.run === run;
  const isOpen = opened.has(run);
  const n = items.filter((item) => item.kind === "notes").length;
  return el(
    "section",
    { class: "group", "aria-label": `Run of the model, ${n} notes` },
    el(
      "header",
      {},
      el(
        "button",
        {
          type: "button",
          "data-id": `open${run}`,
          "aria-expanded": isOpen,
          "aria-label": isOpen ? "Hide its notes" : "Show its notes",
          onclick: () => {
            if (!opened.delete(run)) opened.add(run);
            showHistory(house);
          },
        },
        isOpen ? "▾" : "▸",
      ),
      el("span", { class: "title" }, `${isGoing ? "Filling" : "Filled"}: ${n} note${n === 1 ? "" : "s"}`),
      el(
        "button",
        {
          type: "button",
          "data-id": `run${run}`,
          onclick: () => desk.send({ type: isLive ? "undo" : "redo", batch: null, run }),
        },
        isLive ? "Undo all" : "Redo all",
      ),
    ),
    ...(isOpen ? items.slice(0, most).map((item) => entry(house, item)) : []),
  );
}

/** @param {House} house @param {HistoryItem} item */
function entry({ desk, goTo }, item) {
  const by = item.author === "user" ? "you" : "the model";
  const [note] = [...item.added, ...item.removed];
  const text = withSigns(item.text);
  return el(
    "div",
    { class: `entry${item.undone ? " undone" : ""}` },
    el("span", { class: `mark ${item.author}`, "aria-hidden": "true" }),
    el(
      "span",
      { class: "text", title: `${by}: ${text}`, onclick: () => note && goTo({ step: note.onset, pitch: note.pitch }) },
      el("span", { class: "hidden" }, `${by}: `),
      text,
    ),
    item.probability !== null &&
      el(
        "span",
        { class: "chance", title: "how likely the model found it when it wrote it" },
        percent(item.probability),
      ),
    item.overwritten && !item.undone
      ? el(
          "span",
          { class: "quiet chance", title: "Later changes decide here; undoing this would change nothing" },
          "overwritten",
        )
      : el(
          "button",
          {
            type: "button",
            "data-id": `b${item.batch}`,
            "aria-label": `${item.undone ? "Redo" : "Undo"} ${text}, ${by}`,
            onclick: () => desk.send({ type: item.undone ? "redo" : "undo", batch: item.batch, run: null }),
          },
          item.undone ? "Redo" : "Undo",
        ),
  );
}

// The table of notes

let nRows = 200;

/** @param {House} house */
export function showTable(house) {
  const { desk, goTo } = house;
  const panel = byId("table");
  if (panel.hidden) return;
  const { region, notes } = desk;
  const voices = voicesOf(notes);
  const rows = notes.filter((note) => !region || (note.onset < region.to && note.onset + note.duration > region.from));
  const signature = [
    rows
      .slice(0, nRows)
      .map((note) => [
        keyOf(note),
        note.duration,
        voices.get(keyOf(note)),
        note.author,
        desk.selected.has(keyOf(note)),
      ]),
    rows.length,
    region,
    desk.key?.name,
    nRows,
  ];
  fill(panel, signature, () => {
    if (!rows.length) return [el("p", { class: "quiet" }, region ? "No notes in these bars." : "No notes yet.")];
    return [
      el(
        "table",
        {},
        el("caption", { class: "hidden" }, region ? `Notes in ${barsInWords(desk.bars, region)}` : "All notes"),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            ...["Note", "Bar", "Beat", "Length", "Voice", "By"].map((head) => el("th", { scope: "col" }, head)),
          ),
        ),
        el(
          "tbody",
          {},
          ...rows.slice(0, nRows).map((note) => {
            const { bar, beat } = placeOf(desk.bars, note.onset);
            const by = note.author === "model" ? "model" : note.author === "file" ? "file" : "you";
            return el(
              "tr",
              { class: desk.selected.has(keyOf(note)) ? "chosen-row" : false },
              el(
                "td",
                {},
                el(
                  "button",
                  {
                    type: "button",
                    "data-id": keyOf(note),
                    title: "Show it in the roll",
                    onclick: () => goTo({ step: note.onset, pitch: note.pitch }),
                  },
                  noteName(note.pitch, desk.key),
                ),
              ),
              el("td", {}, String(bar)),
              el("td", {}, String(Math.round(beat * 100) / 100)),
              el("td", {}, lengthInWords(note.duration, desk.beat(note.onset))),
              el("td", {}, VOICES[voices.get(keyOf(note)) ?? 0]),
              el("td", {}, by),
            );
          }),
        ),
      ),
      rows.length > nRows
        ? el(
            "button",
            { type: "button", "data-id": "more", onclick: () => ((nRows += 400), showTable(house)) },
            `Show more (${rows.length - nRows})`,
          )
        : "",
    ];
  });
}

// Tabs

/** @param {(which: string) => void} onShow */
export function wireTabs(onShow) {
  const names = ["rules", "history", "table"];
  const show = (/** @type {string} */ name, isFocused = true) => {
    for (const other of names) {
      const tab = byId(`tab-${other}`);
      tab.setAttribute("aria-selected", String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
      byId(other).hidden = other !== name;
    }
    if (isFocused) byId(`tab-${name}`).focus();
    onShow(name);
  };
  names.forEach((name, i) => {
    const tab = byId(`tab-${name}`);
    tab.addEventListener("click", () => show(name));
    tab.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      show(names[(i + by + names.length) % names.length]);
    });
  });
  return show;
}

// Help

/** What is done with a pointer or a finger; the keys stand in keys.js. */
export const GESTURES = [
  ["Pencil, click", "a note of the last length; drag to make it longer"],
  ["Drag a note", "move it; by its ends, stretch it; with Alt, a copy"],
  ["Right click, double click", "delete a note; on glass, press long"],
  ["Arrow, drag", "choose the notes in a rectangle; with Shift, more"],
  ["Click above the roll", "choose a bar; drag, or Shift and click, for several"],
  ["Click a ghost", "accept the suggestion"],
  ["Piano keys", "sound; with the right button, lock a row"],
  ["Wheel", "scroll; with Shift, sideways"],
  ["Ctrl and wheel", "zoom in time; with Shift too, in pitch"],
  ["Middle button, drag", "move the roll; on glass, two fingers"],
];

export function buildHelp() {
  const groups = [...new Set(SHORTCUTS.map((shortcut) => shortcut.group))];
  const list = (/** @type {string} */ title, /** @type {[Node[], string][]} */ rows) =>
    el(
      "section",
      {},
      el("h3", {}, title),
      el("dl", {}, ...rows.flatMap(([keys, text]) => [el("dt", {}, ...keys), el("dd", {}, text)])),
    );
  byId("help-body").replaceChildren(
    ...groups.map((group) =>
      list(
        group,
        SHORTCUTS.filter((shortcut) => shortcut.group === group).map(({ keys, text }) => [
          keys.flatMap((press, i) => [
            ...(i ? [document.createTextNode(" or ")] : []),
            ...keycaps(press).flatMap((key, j) => [...(j ? [document.createTextNode(" ")] : []), el("kbd", {}, key)]),
          ]),
          text,
        ]),
      ),
    ),
    list(
      "With the pointer",
      GESTURES.map(([how, text]) => [[document.createTextNode(how)], text]),
    ),
  );
}

// Notices

let lastNotice = 0;

/** @param {{text: string, isError: boolean, count: number} | null} notice */
export function showNotice(notice) {
  if (!notice || notice.count === lastNotice) return;
  lastNotice = notice.count;
  const box = byId("notices");
  const one = el("p", { class: `notice${notice.isError ? " error" : ""}` }, capital(withSigns(notice.text)));
  box.append(one);
  while (box.children.length > 3) box.firstElementChild?.remove();
  const close = () => one.remove();
  one.addEventListener("click", close);
  setTimeout(close, 3500 + notice.text.length * 60);
}

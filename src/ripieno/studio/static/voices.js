/**
 * The voices and the authors, each to be chosen, heard and kept; and what is chosen.
 */

import { commandButton, keycapsOf } from "./commands.js";
import { byId, el, fill, icon } from "./dom.js";
import { VOICES } from "./protocol.js";
import { capital, countOfNotes } from "./words.js";

/** @typedef {import("./page.js").Page} Page */

const AUTHORS = /** @type {const} */ ([
  { author: "yours", name: "Yours", notes: "your notes" },
  { author: "model", name: "The model’s", notes: "the model’s notes" },
]);

/** A button of one letter or sign. @param {string} id @param {string} label @param {boolean} isOn @param {() => void} onclick @param {string | Node} sign */
const tiny = (id, label, isOn, onclick, sign) =>
  el(
    "button",
    { type: "button", class: "tiny", "data-id": id, "aria-pressed": isOn, "aria-label": label, title: label, onclick },
    sign,
  );

/** The strips of the voices and of the authors. @param {Page} page */
export function showVoices({ desk }) {
  const { settings } = desk;
  const locked = VOICES.map((voice) => settings?.locks.voices.some((lock) => lock.voice === voice) ?? false);
  const { mix } = desk;
  fill(byId("voices"), [[...desk.voices], mix.signature, locked], () => {
    const strips = VOICES.map((name, voice) => {
      const who = {
        type: "button",
        class: "who",
        "data-id": `v${voice}`,
        "aria-pressed": desk.voices.has(voice),
        title: `Choose the ${name} (${keycapsOf(name)})`,
        onclick: () => desk.toggleVoice(voice),
      };
      const swatch = el("span", { class: `swatch v${voice}`, "aria-hidden": "true" });
      const sign = icon(locked[voice] ? "lock" : "unlock");
      return el(
        "div",
        { class: "strip", role: "group", "aria-label": capital(name) },
        el("button", who, swatch, capital(name)),
        tiny(`m${voice}`, `Mute the ${name}`, mix.mutedVoices.has(voice), () => desk.mute(voice), "M"),
        tiny(`s${voice}`, `The ${name} alone`, mix.soloVoices.has(voice), () => desk.mute(voice, true), "S"),
        tiny(`k${voice}`, `Keep the ${name} as it is`, locked[voice], () => desk.lockVoice(voice), sign),
      );
    });
    const authors = AUTHORS.map(({ author, name, notes }) => {
      const mute = (isSolo = false) => desk.muteAuthor(author, isSolo);
      return el(
        "div",
        { class: "strip author", role: "group", "aria-label": capital(notes) },
        el("span", { class: "who" }, el("span", { class: `swatch ${author}`, "aria-hidden": "true" }), name),
        tiny(`m${author}`, `Mute ${notes}`, mix.mutedAuthors.has(author), () => mute(), "M"),
        tiny(`s${author}`, `${capital(notes)} alone`, mix.soloAuthors.has(author), () => mute(true), "S"),
      );
    });
    return [...strips, ...authors];
  });
}

/** What is chosen. @param {Page} page */
export function showChosen(page) {
  const { desk } = page;
  const n = desk.selected.size;
  const hasRegion = desk.region !== null || desk.voices.size > 0;
  const bar = byId("chosen");
  const isHidden = (!n && !hasRegion) || desk.state.alternatives !== null || desk.asking.waiting.has("again");
  bar.hidden = isHidden;
  if (isHidden) return;
  const what = n ? countOfNotes(n) : desk.chosenInWords();
  fill(bar, [what, n > 0, desk.isLooping, desk.region !== null], () => {
    return [
      el("span", { class: "what" }, capital(what)),
      commandButton(page, "again", "Other ways"),
      commandButton(page, "lock", "Keep"),
      n ? commandButton(page, "duplicate", "Duplicate") : "",
      n
        ? commandButton(page, "remove", "Delete")
        : desk.region
          ? commandButton(page, "loop", "Loop", { "aria-pressed": desk.isLooping })
          : "",
      commandButton(page, "leave", "Clear"),
    ];
  });
}

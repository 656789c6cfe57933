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

/** The strips of the voices and of the authors. @param {Page} page */
export function showVoices({ desk }) {
  const { settings } = desk;
  const locked = VOICES.map((voice) => settings?.locks.voices.some((lock) => lock.voice === voice) ?? false);
  const { mix } = desk;
  fill(byId("voices"), [[...desk.voices], mix.signature, locked], () => {
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
            title: `Choose the ${name} (${keycapsOf(name)})`,
            onclick: () => desk.toggleVoice(voice),
          },
          el("span", { class: `swatch v${voice}`, "aria-hidden": "true" }),
          capital(name),
        ),
        tiny(`m${voice}`, "M", `Mute the ${name}`, mix.mutedVoices.has(voice), () => desk.mute(voice)),
        tiny(`s${voice}`, "S", `The ${name} alone`, mix.soloVoices.has(voice), () => desk.mute(voice, true)),
        lock,
      );
    });
    const authors = AUTHORS.map(({ author, name, notes }) =>
      el(
        "div",
        { class: "strip author", role: "group", "aria-label": capital(notes) },
        el("span", { class: "who" }, el("span", { class: `swatch ${author}`, "aria-hidden": "true" }), name),
        tiny(`m${author}`, "M", `Mute ${notes}`, mix.mutedAuthors.has(author), () => desk.muteAuthor(author)),
        tiny(`s${author}`, "S", `${capital(notes)} alone`, mix.soloAuthors.has(author), () =>
          desk.muteAuthor(author, true),
        ),
      ),
    );
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

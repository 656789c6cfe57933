/**
 * The notes as a table, for those who do not see the roll: all of them, or those of the chosen bars.
 */

import { byId, el, fill } from "./dom.js";
import { barsInWords, noteName, placeOf } from "./geometry.js";
import { VOICES } from "./protocol.js";
import { keyOf, voicesOf } from "./state.js";
import { lengthInWords } from "./words.js";

/** @typedef {import("./page.js").Page} Page */

let nRows = 200;

/** @param {Page} page */
export function showTable(page) {
  const { desk } = page;
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
                    onclick: () => page.goTo({ step: note.onset, pitch: note.pitch }),
                  },
                  noteName(note.pitch, desk.key),
                ),
              ),
              el("td", {}, String(bar)),
              el("td", {}, String(Math.round(beat * 100) / 100)),
              el("td", {}, lengthInWords(desk.bars, note)),
              el("td", {}, VOICES[voices.get(keyOf(note)) ?? 0]),
              el("td", {}, by),
            );
          }),
        ),
      ),
      rows.length > nRows
        ? el(
            "button",
            { type: "button", "data-id": "more", onclick: () => ((nRows += 400), showTable(page)) },
            `Show more (${rows.length - nRows})`,
          )
        : "",
    ];
  });
}

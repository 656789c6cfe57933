/**
 * The history: everything that was done, newest first, each run of the model as one line that opens.
 */

import { byId, el, fill } from "./dom.js";
import { historyGroups, isSomething } from "./state.js";
import { countOfNotes, percent, withSigns } from "./words.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./protocol.js").HistoryItem} HistoryItem */

const SHOWN_AT_FIRST = 150;
let nShown = SHOWN_AT_FIRST;
/** @type {Set<number>} runs whose notes are shown */
const opened = new Set();

/** @param {Page} page */
export function showHistory(page) {
  const { desk } = page;
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
        parts.push(el("div", { class: "group" }, ...items.map((item) => entry(page, item))));
        continue;
      }
      parts.push(runGroup(page, group.run, group.items, left));
      left -= opened.has(group.run) ? group.items.length : 1;
    }
    if (left <= 0)
      parts.push(
        el(
          "button",
          { type: "button", "data-id": "earlier", onclick: () => ((nShown += SHOWN_AT_FIRST), showHistory(page)) },
          "Show earlier",
        ),
      );
    return parts;
  });
}

/** @param {Page} page @param {number} run @param {HistoryItem[]} items @param {number} most */
function runGroup(page, run, items, most) {
  const { desk } = page;
  const isLive = items.some((item) => !item.undone);
  const isGoing = desk.isRunning && desk.state.run?.run === run;
  const isOpen = opened.has(run);
  const n = items.filter((item) => item.kind === "notes").length;
  return el(
    "section",
    { class: "group", "aria-label": `Run of the model, ${countOfNotes(n)}` },
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
            showHistory(page);
          },
        },
        isOpen ? "▾" : "▸",
      ),
      el("span", { class: "title" }, `${isGoing ? "Filling" : "Filled"}: ${countOfNotes(n)}`),
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
    ...(isOpen ? items.slice(0, most).map((item) => entry(page, item)) : []),
  );
}

/** @param {Page} page @param {HistoryItem} item */
function entry(page, item) {
  const { desk } = page;
  const by = item.author === "user" ? "you" : "the model";
  const [note] = [...item.added, ...item.removed];
  const text = withSigns(item.text);
  return el(
    "div",
    { class: `entry${item.undone ? " undone" : ""}` },
    el("span", { class: `mark ${item.author}`, "aria-hidden": "true" }),
    el(
      "span",
      {
        class: "text",
        title: `${by}: ${text}`,
        onclick: () => note && page.goTo({ step: note.onset, pitch: note.pitch }),
      },
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
          { class: "quiet chance", title: "Later changes decide here: undoing this one changes nothing" },
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

/**
 * The help: every command with its keys, and what the pointer does.
 */

import { COMMANDS } from "./commands.js";
import { byId, el } from "./dom.js";
import { keycaps } from "./keys.js";

/** What is done with a pointer or a finger; the keys stand in commands.js. */
const GESTURES = [
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
  const groups = [...new Set(COMMANDS.map((command) => command.group))];
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
        COMMANDS.filter((command) => command.group === group).map(({ keys, label }) => [
          keys.flatMap((press, i) => [
            ...(i ? [document.createTextNode(" or ")] : []),
            ...keycaps(press).flatMap((key, j) => [...(j ? [document.createTextNode(" ")] : []), el("kbd", {}, key)]),
          ]),
          label,
        ]),
      ),
    ),
    list(
      "With the pointer",
      GESTURES.map(([how, text]) => [[document.createTextNode(how)], text]),
    ),
  );
}

/**
 * The whole piece as a picture of its own.
 */

import { drawRoll } from "./draw.js";
import { drawKeyboard, drawRuler } from "./edges.js";
import { HIGHEST, LOWEST } from "./geometry.js";

/** @typedef {import("./draw.js").Scene} Scene */
/** @typedef {import("./pen.js").Pen} Pen */
/** @typedef {import("./pen.js").Theme} Theme */

/**
 * The whole piece as a picture of its own, with title and legend.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Scene} scene
 * @param {Theme} theme
 * @param {string} title
 */
export function drawPicture(canvas, scene, theme, title) {
  let low = HIGHEST;
  let high = LOWEST;
  for (const note of scene.notes) {
    low = Math.min(low, note.pitch);
    high = Math.max(high, note.pitch);
  }
  if (high < low) [low, high] = [57, 72];
  const margin = 24;
  const head = 56;
  const keys = 56;
  const ruler = 26;
  const rowHeight = 14;
  const stepWidth = Math.max(Math.min(14, 15000 / scene.bars.end), 2);
  const height = (high - low + 5) * rowHeight;
  const width = scene.bars.end * stepWidth;
  canvas.width = (width + keys + 2 * margin) * 2;
  canvas.height = (height + head + ruler + 2 * margin) * 2;
  const pen = /** @type {Pen} */ (canvas.getContext("2d"));
  const view = { stepWidth, rowHeight, left: 0, top: (HIGHEST - high - 2) * rowHeight, width: width + 1, height };
  const within = (
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {number} */ w,
    /** @type {number} */ h,
    /** @type {() => void} */ paint,
  ) => {
    pen.save();
    pen.setTransform(2, 0, 0, 2, x * 2, y * 2);
    pen.beginPath();
    pen.rect(0, 0, w, h);
    pen.clip();
    paint();
    pen.restore();
  };
  pen.fillStyle = theme.paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(2, 0, 0, 2, 0, 0);
  pen.fillStyle = theme.ink;
  pen.textBaseline = "alphabetic";
  pen.font = `600 20px ${theme.font}`;
  pen.fillText(title, margin, margin + 22);
  pen.font = `12px ${theme.font}`;
  pen.fillStyle = theme.softInk;
  pen.fillText("filled: yours     ◆ outlined: the model’s     S A T B: the voices", margin, margin + 42);
  const top = margin + head;
  within(margin + keys, top, width + 1, ruler, () =>
    drawRuler(
      pen,
      view,
      { bars: scene.bars, region: null, loop: null, locked: [], phrases: [], playhead: null },
      theme,
      ruler,
    ),
  );
  within(margin, top + ruler, keys, height, () =>
    drawKeyboard(pen, view, { key: scene.key, sounding: new Set(), hovered: null, lockedRows: [] }, theme, keys),
  );
  const plain = {
    ...scene,
    fading: [],
    ghosts: [],
    region: null,
    locked: [],
    lockedRows: [],
    range: null,
    isFaint: false,
  };
  within(margin + keys, top + ruler, width + 1, height, () => drawRoll(pen, view, plain, theme));
}

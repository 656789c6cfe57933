/**
 * What every picture is drawn with: a sharp canvas, the page's colours, and a few shapes.
 */

import { VOICES } from "./protocol.js";

/** @typedef {CanvasRenderingContext2D} Pen */
/** @typedef {Record<string, string> & {voices: string[], soft: string[], onVoices: string[], font: string}} Theme */

/** "S", "A", "T", "B" */
export const VOICE_LETTERS = VOICES.map((voice) => voice[0].toUpperCase());

/** The colours of the page's style sheet, as they are now. @param {Element} element @returns {Theme} */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const read = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  const names = [
    "paper",
    "row",
    "row-out",
    "ink",
    "soft-ink",
    "line",
    "beat",
    "bar",
    "accent",
    "warn",
    "key-white",
    "key-black",
    "key-line",
    "key-ink",
    "ruler",
    "select",
    "lock",
  ];
  /** @type {any} */
  const theme = Object.fromEntries(
    names.map((name) => [name.replace(/-(.)/g, (_, letter) => letter.toUpperCase()), read(name)]),
  );
  theme.voices = VOICES.map(read);
  theme.soft = VOICES.map((voice) => read(`${voice}-soft`));
  theme.onVoices = VOICES.map((voice) => read(`on-${voice}`));
  theme.font = style.fontFamily;
  return theme;
}

/**
 * A canvas as sharp as the screen.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @returns {Pen}
 */
export function prepare(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const pen = /** @type {Pen} */ (canvas.getContext("2d"));
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

/** @type {WeakMap<object, Map<string, CanvasPattern>>} */
const patterns = new WeakMap();

/** Slanted lines over what may not change. */
export function hatch(
  /** @type {Pen} */ pen,
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {number} */ width,
  /** @type {number} */ height,
  /** @type {Theme} */ theme,
  /** @type {number} */ widest,
) {
  const left = Math.max(x, 0);
  const right = Math.min(x + width, widest);
  if (right <= left) return;
  let known = patterns.get(pen);
  if (!known) patterns.set(pen, (known = new Map()));
  let pattern = known.get(theme.lock);
  if (!pattern) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const brush = /** @type {Pen} */ (tile.getContext("2d"));
    brush.strokeStyle = theme.lock;
    brush.lineWidth = 1;
    brush.beginPath();
    for (const shift of [-8, 0, 8]) {
      brush.moveTo(shift - 1, 9);
      brush.lineTo(shift + 9, -1);
    }
    brush.stroke();
    pattern = /** @type {CanvasPattern} */ (pen.createPattern(tile, "repeat"));
    known.set(theme.lock, pattern);
  }
  pen.fillStyle = pattern;
  pen.fillRect(left, y, right - left, height);
}

/** A path with round corners where there is room for them. */
export function outline(
  /** @type {Pen} */ pen,
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {number} */ width,
  /** @type {number} */ height,
) {
  pen.beginPath();
  const radius = Math.min(3, height / 4, width / 4);
  if (radius < 1) pen.rect(x, y, width, height);
  else pen.roundRect(x, y, width, height, radius);
}

/** @param {Pen} pen @param {number} x @param {number} y @param {number} size @param {string} colour */
export function diamond(pen, x, y, size, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(x - size, y);
  pen.lineTo(x, y - size);
  pen.lineTo(x + size, y);
  pen.lineTo(x, y + size);
  pen.closePath();
  pen.fill();
}

/** @param {Pen} pen @param {number} x @param {number} y @param {string} colour */
export function padlock(pen, x, y, colour) {
  pen.globalAlpha = 1;
  pen.fillStyle = colour;
  pen.fillRect(x - 3, y - 0.5, 6, 4.5);
  pen.strokeStyle = colour;
  pen.lineWidth = 1.2;
  pen.beginPath();
  pen.arc(x, y - 0.5, 2, Math.PI, 0);
  pen.stroke();
}

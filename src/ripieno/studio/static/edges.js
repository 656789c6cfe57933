/**
 * What frames the roll: the ruler above it and the piano at its left.
 */

import {
  barIndex,
  barOf,
  gridLines,
  isBlackKey,
  noteName,
  pitchToY,
  placeOf,
  stepToX,
  visiblePitches,
  visibleSteps,
} from "./geometry.js";
import { padlock } from "./pen.js";

/** @typedef {import("./geometry.js").View} View */
/** @typedef {import("./geometry.js").Bars} Bars */
/** @typedef {import("./geometry.js").Key} Key */
/** @typedef {import("./geometry.js").Stretch} Stretch */
/** @typedef {import("./pen.js").Pen} Pen */
/** @typedef {import("./pen.js").Theme} Theme */
/** @typedef {import("./protocol.js").Phrase} Phrase */

/**
 * Bars, beats, the loop and the selected bars above the roll.
 *
 * @param {Pen} pen
 * @param {View} view its `height` is that of the roll, not of the ruler
 * @param {{bars: Bars, region: Stretch | null, loop: Stretch | null, locked: readonly Stretch[],
 *   phrases: readonly Phrase[], playhead: number | null}} scene
 * @param {Theme} theme
 * @param {number} height
 */
export function drawRuler(pen, view, scene, theme, height) {
  const { bars } = scene;
  pen.fillStyle = theme.ruler;
  pen.fillRect(0, 0, view.width, height);
  if (scene.region) {
    const x = stepToX(view, scene.region.from);
    pen.fillStyle = theme.select;
    pen.fillRect(x, 0, stepToX(view, scene.region.to) - x, height);
    pen.fillStyle = theme.accent;
    pen.fillRect(x, height - 3, stepToX(view, scene.region.to) - x, 3);
  }
  if (scene.loop) {
    const x = stepToX(view, scene.loop.from);
    const end = stepToX(view, scene.loop.to);
    pen.fillStyle = theme.accent;
    pen.fillRect(x, 0, end - x, 4);
    pen.beginPath();
    pen.moveTo(x, 0);
    pen.lineTo(x + 7, 0);
    pen.lineTo(x, 9);
    pen.moveTo(end, 0);
    pen.lineTo(end - 7, 0);
    pen.lineTo(end, 9);
    pen.fill();
  }
  const seen = visibleSteps(view);
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  const first = barIndex(bars, Math.min(seen.from, bars.end - 1));
  const barWidth =
    (barOf(bars, bars.starts[Math.min(1, bars.starts.length - 1)]).to - (bars.starts[1] ?? 0)) * view.stepWidth;
  const every = barWidth > 34 ? 1 : barWidth > 17 ? 2 : barWidth > 8 ? 4 : 8;
  for (const { step, kind } of gridLines(bars, view)) {
    if (kind === "sixteenth" || step >= bars.end) continue;
    const x = Math.round(stepToX(view, step));
    pen.fillStyle = kind === "bar" ? theme.bar : theme.beat;
    pen.fillRect(x, kind === "bar" ? 4 : height - 7, 1, height);
    if (kind === "beat" && view.stepWidth * 4 > 40) {
      pen.fillStyle = theme.softInk;
      pen.font = `10px ${theme.font}`;
      pen.fillText(String(Math.round(placeOf(bars, step).beat * 100) / 100), x + 3, height - 7);
    }
  }
  for (let i = first; i < bars.starts.length && bars.starts[i] <= seen.to; i++) {
    if (bars.pickup && i === 0) continue;
    const number = bars.first + i;
    if ((number - 1) % every) continue;
    pen.fillStyle = theme.ink;
    pen.font = `600 12px ${theme.font}`;
    pen.fillText(String(number), stepToX(view, bars.starts[i]) + 5, height / 2 - 1);
  }
  for (const stretch of scene.locked) {
    const x = Math.max(stepToX(view, stretch.from), 0);
    const end = stepToX(view, stretch.to);
    if (end > 14 && x < view.width) padlock(pen, Math.min(end, view.width) - 10, height / 2, theme.ink);
  }
  for (const { end, sure } of scene.phrases) phraseEnd(pen, stepToX(view, end), sure < 1 ? theme.softInk : theme.ink);
  if (scene.playhead !== null) {
    const x = stepToX(view, scene.playhead);
    pen.fillStyle = theme.accent;
    pen.beginPath();
    pen.moveTo(x - 5, height - 8);
    pen.lineTo(x + 5, height - 8);
    pen.lineTo(x, height);
    pen.fill();
  }
  pen.fillStyle = theme.bar;
  pen.fillRect(0, height - 1, view.width, 1);
}

/** A breath mark. @param {Pen} pen @param {number} x @param {string} colour fainter where it is guessed */
function phraseEnd(pen, x, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x - 4, 5, 2.5, 0, 2 * Math.PI);
  pen.fill();
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x - 2, 5);
  pen.quadraticCurveTo(x - 2, 9, x - 6, 11);
  pen.stroke();
}

/**
 * The piano at the left.
 *
 * @param {Pen} pen
 * @param {View} view
 * @param {{key: Key | null, sounding: ReadonlySet<number>, hovered: number | null, lockedRows: readonly number[]}} scene
 * @param {Theme} theme
 * @param {number} width
 */
export function drawKeyboard(pen, view, scene, theme, width) {
  pen.fillStyle = theme.keyWhite;
  pen.fillRect(0, 0, width, view.height);
  const { low, high } = visiblePitches(view);
  const rows = view.rowHeight;
  for (let pitch = low; pitch <= high; pitch++) {
    const y = pitchToY(view, pitch);
    const isBlack = isBlackKey(pitch);
    if (isBlack) {
      pen.fillStyle = theme.keyBlack;
      pen.fillRect(0, y + 0.5, width * 0.6, rows - 1);
      pen.fillStyle = theme.keyLine;
      pen.fillRect(width * 0.6, Math.round(y + rows / 2), width * 0.4, 1);
    } else if (!isBlackKey(pitch - 1)) {
      pen.fillStyle = theme.keyLine;
      pen.fillRect(0, Math.round(y + rows) - 1, width, 1);
    }
    if (scene.sounding.has(pitch) || scene.hovered === pitch) {
      pen.fillStyle = theme.accent;
      pen.globalAlpha = scene.sounding.has(pitch) ? 0.75 : 0.3;
      pen.fillRect(0, y, isBlack ? width * 0.6 : width, rows - 1);
      pen.globalAlpha = 1;
    }
    const isNamed = pitch % 12 === 0 || scene.hovered === pitch || (rows >= 15 && !isBlack);
    if (isNamed && rows >= 7) {
      pen.fillStyle = theme.keyInk;
      pen.globalAlpha = scene.hovered === pitch || pitch % 12 === 0 ? 1 : 0.65;
      pen.font = `${pitch % 12 === 0 || scene.hovered === pitch ? 600 : 400} ${Math.min(rows * 0.72, 11)}px ${theme.font}`;
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      pen.fillText(noteName(pitch, scene.key), width - 5, y + rows / 2 + 0.5);
      pen.globalAlpha = 1;
    }
    if (scene.lockedRows.includes(pitch)) padlock(pen, 8, y + rows / 2, isBlack ? theme.keyWhite : theme.keyInk);
  }
  pen.fillStyle = theme.bar;
  pen.fillRect(width - 1, 0, 1, view.height);
}

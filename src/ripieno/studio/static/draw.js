/**
 * The roll on its canvas, and what moves over it. Nothing here knows messages, pointers or the page.
 *
 * Whose a note is can be told without colour: yours are filled, the model's are outlined and carry a diamond at their
 * head. Voices have colours, and a letter where a note is wide enough.
 */

import {
  gridLines,
  isBlackKey,
  noteBox,
  noteName,
  pitchToY,
  scaleOf,
  stepToX,
  visiblePitches,
  visibleSteps,
} from "./geometry.js";
import { VOICE_LETTERS, diamond, hatch, outline, padlock } from "./pen.js";

/** @typedef {import("./geometry.js").View} View */
/** @typedef {import("./geometry.js").Bars} Bars */
/** @typedef {import("./geometry.js").Key} Key */
/** @typedef {import("./geometry.js").Stretch} Stretch */
/** @typedef {import("./pen.js").Pen} Pen */
/** @typedef {import("./pen.js").Theme} Theme */

/**
 * @typedef {object} DrawnNote
 * @property {number} onset
 * @property {number} pitch
 * @property {number} duration
 * @property {number} voice 0 = soprano ... 3 = bass
 * @property {boolean} isModels
 * @property {boolean} [isSelected]
 * @property {boolean} [isLocked]
 * @property {boolean} [isMuted]
 * @property {number} [glow] 1 just arrived ... 0 long there
 * @property {number} [doubt] 0 surely belongs ... 1 surely does not; left out when nobody asked
 */

/**
 * @typedef {object} Ghost What might be.
 * @property {number} onset
 * @property {number} pitch
 * @property {number} duration
 * @property {number} voice
 * @property {boolean} adds false: this note would go
 * @property {string} [label]
 * @property {boolean} [isFaint]
 */

/**
 * @typedef {object} Scene
 * @property {Bars} bars
 * @property {Key | null} key
 * @property {readonly DrawnNote[]} notes ordered by onset
 * @property {readonly {onset: number, pitch: number, duration: number, voice: number, left: number}[]} fading
 *   notes just removed; `left` runs from 1 to 0
 * @property {readonly Ghost[]} ghosts
 * @property {Stretch | null} region the bars that are selected
 * @property {readonly Stretch[]} locked bars
 * @property {readonly number[]} lockedRows pitches
 * @property {{low: number, high: number} | null} range what the model may add
 * @property {boolean} isFaint all notes pale, because an alternative is shown over them
 */

/**
 * @typedef {object} Overlay
 * @property {{step: number, pitch: number, length: number} | null} caret
 * @property {number | null} playhead step
 * @property {{x: number, y: number, width: number, height: number} | null} band pixels, while notes are being selected
 * @property {boolean} isFocused
 */

/** @param {Pen} pen @param {View} view @param {Scene} scene @param {Theme} theme */
export function drawRoll(pen, view, scene, theme) {
  drawGrid(pen, view, scene, theme);
  const seen = visibleSteps(view);
  const pitches = visiblePitches(view);
  const isSeen = (/** @type {{onset: number, duration: number, pitch: number}} */ note) =>
    note.onset < seen.to &&
    note.onset + note.duration > seen.from &&
    note.pitch >= pitches.low &&
    note.pitch <= pitches.high;
  for (const note of scene.fading) if (isSeen(note)) drawFading(pen, view, note, theme);
  pen.globalAlpha = scene.isFaint ? 0.7 : 1;
  const hasText = view.rowHeight >= 12;
  pen.font = `600 ${Math.min(Math.round(view.rowHeight * 0.66), 13)}px ${theme.font}`;
  pen.textBaseline = "middle";
  for (const note of scene.notes) {
    if (note.onset >= seen.to) break;
    if (isSeen(note)) drawNote(pen, view, note, theme, scene.key, hasText, scene.isFaint ? 0.7 : 1);
  }
  pen.globalAlpha = 1;
  for (const ghost of scene.ghosts) if (isSeen(ghost)) drawGhost(pen, view, ghost, theme, scene.key);
}

/** @param {Pen} pen @param {View} view @param {Scene} scene @param {Theme} theme */
function drawGrid(pen, view, scene, theme) {
  const { width, height } = view;
  const { low, high } = visiblePitches(view);
  const inKey = scaleOf(scene.key);
  pen.fillStyle = theme.row;
  pen.fillRect(0, 0, width, height);
  const rows = view.rowHeight;
  pen.fillStyle = theme.rowOut;
  for (let pitch = low; pitch <= high; pitch++) {
    const isOut = inKey.size ? !inKey.has(pitch % 12) : isBlackKey(pitch);
    if (isOut) pen.fillRect(0, pitchToY(view, pitch), width, rows);
  }
  if (rows >= 8) {
    pen.fillStyle = theme.line;
    for (let pitch = low; pitch <= high; pitch++) {
      const y = Math.round(pitchToY(view, pitch) + rows) - 1;
      const isTonic = scene.key && pitch % 12 === scene.key.tonic;
      pen.globalAlpha = isTonic ? 1 : 0.45;
      pen.fillRect(0, y, width, 1);
    }
    pen.globalAlpha = 1;
  }
  if (scene.range) {
    pen.fillStyle = theme.paper;
    pen.globalAlpha = 0.6;
    const above = pitchToY(view, scene.range.high);
    const below = pitchToY(view, scene.range.low) + rows;
    if (above > 0) pen.fillRect(0, 0, width, above);
    if (below < height) pen.fillRect(0, below, width, height - below);
    pen.globalAlpha = 1;
  }
  if (scene.region) {
    const x = stepToX(view, scene.region.from);
    pen.fillStyle = theme.select;
    pen.fillRect(x, 0, stepToX(view, scene.region.to) - x, height);
  }
  for (const stretch of scene.locked)
    hatch(pen, stepToX(view, stretch.from), 0, (stretch.to - stretch.from) * view.stepWidth, height, theme, width);
  for (const pitch of scene.lockedRows) hatch(pen, 0, pitchToY(view, pitch), width, rows, theme, width);
  for (const { step, kind } of gridLines(scene.bars, view)) {
    pen.fillStyle = kind === "bar" ? theme.bar : kind === "beat" ? theme.beat : theme.line;
    pen.globalAlpha = kind === "sixteenth" ? 0.55 : 1;
    pen.fillRect(Math.round(stepToX(view, step)), 0, 1, height);
  }
  pen.globalAlpha = 1;
  const end = stepToX(view, scene.bars.end);
  if (end < width) {
    pen.fillStyle = theme.paper;
    pen.fillRect(end + 1, 0, width - end, height);
    pen.fillStyle = theme.bar;
    pen.fillRect(Math.round(end) + 3, 0, 3, height);
  }
}

/** @param {Pen} pen @param {View} view @param {DrawnNote} note @param {Theme} theme */
function drawNote(
  pen,
  view,
  note,
  theme,
  /** @type {Key | null} */ key,
  /** @type {boolean} */ hasText,
  /** @type {number} */ alpha,
) {
  const box = noteBox(view, note);
  const [x, y] = [box.x + 0.5, box.y + 0.5];
  const width = Math.max(box.width - 1.5, 1);
  const height = Math.max(box.height - 1.5, 2);
  const colour = theme.voices[note.voice];
  pen.globalAlpha = note.isMuted ? 0.35 * alpha : alpha;
  if (note.glow) {
    pen.fillStyle = theme.accent;
    pen.globalAlpha = alpha * note.glow * 0.45;
    outline(pen, x - 4, y - 4, width + 8, height + 8);
    pen.fill();
    pen.globalAlpha = alpha;
  }
  const isSmall = width < 5 || height < 6;
  if (isSmall) {
    pen.fillStyle = note.isModels ? theme.soft[note.voice] : colour;
    pen.fillRect(x, y, width, height);
    if (note.isModels) {
      pen.fillStyle = colour;
      pen.fillRect(x, y, width, 1);
      pen.fillRect(x, y + height - 1, width, 1);
    }
  } else if (note.isModels) {
    pen.fillStyle = theme.soft[note.voice];
    outline(pen, x + 0.75, y + 0.75, width - 1.5, height - 1.5);
    pen.fill();
    pen.strokeStyle = colour;
    pen.lineWidth = 1.5;
    pen.stroke();
    if (width >= 11) diamond(pen, x + 7, y + height / 2, Math.min(height * 0.22, 3.2), colour);
  } else {
    pen.fillStyle = colour;
    outline(pen, x, y, width, height);
    pen.fill();
  }
  if (note.isSelected) {
    pen.strokeStyle = theme.ink;
    pen.lineWidth = 2;
    outline(pen, x - 1, y - 1, width + 2, height + 2);
    pen.stroke();
  }
  if (note.doubt !== undefined && note.doubt > 0.5) drawDoubt(pen, x, y, width, height, note.doubt, theme);
  const left = Math.max(x, 0); // the name of a note that begins out of sight stays in sight
  const room = x + width - left;
  if (hasText && room > (note.isLocked ? 50 : 34)) {
    pen.fillStyle = note.isModels ? theme.ink : theme.onVoices[note.voice];
    pen.textAlign = "left";
    pen.fillText(noteName(note.pitch, key), left + (note.isModels && left === x ? 13 : 5), y + height / 2 + 0.5);
    if (room > (note.isLocked ? 72 : 58)) {
      pen.textAlign = "right";
      pen.globalAlpha *= 0.75;
      pen.fillText(VOICE_LETTERS[note.voice], x + width - (note.isLocked ? 17 : 5), y + height / 2 + 0.5);
    }
  }
  if (note.isLocked && width > 14 && height > 9)
    padlock(pen, x + width - 9, y + height / 2, note.isModels ? theme.ink : theme.onVoices[note.voice]);
  pen.globalAlpha = alpha;
}

/** A wave under a note, the wider the less it belongs. */
function drawDoubt(
  /** @type {Pen} */ pen,
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {number} */ width,
  /** @type {number} */ height,
  /** @type {number} */ doubt,
  /** @type {Theme} */ theme,
) {
  const wave = 7; // pixels
  const tall = 1.4 + 1.6 * doubt;
  pen.strokeStyle = theme.warn;
  pen.lineWidth = 1.5;
  pen.beginPath();
  const base = y + height + 1;
  pen.moveTo(x, base);
  for (let along = 0; along + wave / 2 < width; along += wave) {
    pen.quadraticCurveTo(x + along + wave / 4, base + tall, x + along + wave / 2, base);
    pen.quadraticCurveTo(x + along + (3 * wave) / 4, base - tall, x + along + wave, base);
  }
  pen.stroke();
}

/** @param {Pen} pen @param {View} view */
function drawFading(
  pen,
  view,
  /** @type {{onset: number, pitch: number, duration: number, voice: number, left: number}} */ note,
  /** @type {Theme} */ theme,
) {
  const { x, y, width, height } = noteBox(view, note);
  pen.globalAlpha = Math.min(1, note.left * 1.4);
  pen.strokeStyle = theme.voices[note.voice];
  pen.lineWidth = 1.25;
  pen.setLineDash([3, 3]);
  outline(pen, x + 1, y + 1, Math.max(width - 2.5, 1), height - 2.5);
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

/** @param {Pen} pen @param {View} view @param {Ghost} ghost @param {Theme} theme @param {Key | null} key */
function drawGhost(pen, view, ghost, theme, key) {
  const { x, y, width, height } = noteBox(view, ghost);
  const colour = theme.voices[ghost.voice];
  pen.globalAlpha = ghost.isFaint ? 0.5 : 1;
  outline(pen, x + 1, y + 1, Math.max(width - 2.5, 2), height - 2.5);
  if (ghost.adds) {
    pen.fillStyle = theme.paper;
    pen.fill();
    pen.fillStyle = theme.soft[ghost.voice];
    pen.fill();
  }
  pen.strokeStyle = ghost.adds ? colour : theme.warn;
  pen.lineWidth = 2;
  pen.setLineDash([5, 3]);
  pen.stroke();
  pen.setLineDash([]);
  if (!ghost.adds) {
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(x + 2, y + height - 3);
    pen.lineTo(x + width - 3, y + 2);
    pen.stroke();
  }
  pen.globalAlpha = 1;
  if (!ghost.label) return;
  const text = `${noteName(ghost.pitch, key)}  ${ghost.label}`;
  pen.font = `600 12px ${theme.font}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  const wide = pen.measureText(text).width + 16;
  const top = y - 24 > 0 ? y - 24 : y + height + 4;
  const left = Math.max(Math.min(x, view.width - wide - 4), 4);
  pen.fillStyle = theme.ink;
  outline(pen, left, top, wide, 20);
  pen.fill();
  pen.fillStyle = theme.paper;
  pen.fillText(text, left + 8, top + 10.5);
}

/**
 * What moves while nothing changes: cursor, playhead, the band that selects.
 *
 * @param {Pen} pen @param {View} view @param {Overlay} overlay @param {Theme} theme
 */
export function drawOverlay(pen, view, overlay, theme) {
  pen.clearRect(0, 0, view.width, view.height);
  const { caret, playhead, band } = overlay;
  if (caret) {
    const { x, y, width, height } = noteBox(view, { onset: caret.step, pitch: caret.pitch, duration: caret.length });
    pen.strokeStyle = overlay.isFocused ? theme.accent : theme.softInk;
    pen.lineWidth = overlay.isFocused ? 2 : 1;
    pen.globalAlpha = overlay.isFocused ? 1 : 0.6;
    pen.strokeRect(x + 0.5, y - 0.5, Math.max(width - 1, 3), height);
    pen.globalAlpha = overlay.isFocused ? 0.5 : 0.25;
    pen.fillStyle = theme.accent;
    pen.fillRect(Math.round(x), 0, 1, view.height);
    pen.globalAlpha = 1;
  }
  if (band) {
    pen.fillStyle = theme.select;
    pen.fillRect(band.x, band.y, band.width, band.height);
    pen.strokeStyle = theme.accent;
    pen.lineWidth = 1;
    pen.strokeRect(band.x + 0.5, band.y + 0.5, band.width, band.height);
  }
  if (playhead !== null) {
    const x = stepToX(view, playhead);
    pen.fillStyle = theme.accent;
    pen.fillRect(x - 0.75, 0, 1.5, view.height);
  }
}

/**
 * Drawing: a scene on a canvas. Nothing here knows messages, pointers or the page.
 *
 * Whose a note is can be told without colour: yours are filled, the model's are outlined and carry a diamond at their
 * head. Voices have colours, and a letter where a note is wide enough.
 */

import {
  HIGHEST,
  LOWEST,
  barIndex,
  barOf,
  gridLines,
  isBlackKey,
  noteBox,
  noteName,
  pitchToY,
  placeOf,
  scaleOf,
  stepToX,
  visiblePitches,
  visibleSteps,
} from "./geometry.js";

/** @typedef {import("./geometry.js").View} View */
/** @typedef {import("./geometry.js").Bars} Bars */
/** @typedef {import("./geometry.js").Key} Key */
/** @typedef {import("./geometry.js").Stretch} Stretch */
/** @typedef {CanvasRenderingContext2D} Pen */

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
 * @property {Stretch | null} loop
 * @property {boolean} isFocused
 */

/** @typedef {Record<string, string> & {voices: string[], soft: string[], onVoices: string[], font: string}} Theme */

export const VOICE_LETTERS = ["S", "A", "T", "B"];

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
  const voices = ["soprano", "alto", "tenor", "bass"];
  theme.voices = voices.map(read);
  theme.soft = voices.map((voice) => read(`${voice}-soft`));
  theme.onVoices = voices.map((voice) => read(`on-${voice}`));
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

/** @type {WeakMap<object, Map<string, CanvasPattern>>} */
const patterns = new WeakMap();

/** Slanted lines over what may not change. */
function hatch(
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
function outline(
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

/** @param {Pen} pen @param {number} x @param {number} y @param {number} size @param {string} colour */
function diamond(pen, x, y, size, colour) {
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

/**
 * Bars, beats, the loop and the selected bars above the roll.
 *
 * @param {Pen} pen
 * @param {View} view its `height` is that of the roll, not of the ruler
 * @param {{bars: Bars, region: Stretch | null, loop: Stretch | null, isLooping: boolean, locked: readonly Stretch[], playhead: number | null}} scene
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
    pen.globalAlpha = scene.isLooping ? 1 : 0.4;
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
    pen.globalAlpha = 1;
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
      { bars: scene.bars, region: null, loop: null, isLooping: false, locked: [], playhead: null },
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

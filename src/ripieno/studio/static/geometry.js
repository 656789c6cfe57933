/**
 * Where things are: steps and pitches to pixels and back, bars and beats, what lies under a pointer.
 *
 * Everything here is a pure function. A step is a sixteenth; a pitch is a MIDI number; pixels are those of CSS, counted
 * from the upper left corner of the roll, without keyboard and ruler.
 */

/**
 * @typedef {object} View What part of the roll is seen, and how large.
 * @property {number} stepWidth pixels for one step
 * @property {number} rowHeight pixels for one pitch
 * @property {number} left pixels scrolled to the right
 * @property {number} top pixels scrolled down
 * @property {number} width of the window, in pixels
 * @property {number} height of the window, in pixels
 */

/**
 * @typedef {object} Bars Where the bars of a piece begin.
 * @property {number[]} starts step of each bar line; the first is 0, also where a pickup begins there
 * @property {number} first number of the first of them: 0 for a pickup
 * @property {number} pickup steps before the first bar line; 0 without a pickup
 * @property {number} end the step after the last
 * @property {{step: number, numerator: number, denominator: number}[]} meters each from its step on
 */

/** @typedef {{onset: number, pitch: number, duration: number}} Run A note as the roll holds it. */

/** @typedef {{from: number, to: number}} Stretch Steps; `to` is the first one after it. */

export const LOWEST = 21; // the piano's keys; a roll has all of MIDI's pitches, but nobody scrolls there
export const HIGHEST = 108;
export const N_ROWS = HIGHEST - LOWEST + 1;

const MIN_STEP = 1.5;
const MAX_STEP = 96;
const MIN_ROW = 5;
const MAX_ROW = 44;
const EDGE = 7; // pixels at a note's ends by which it is stretched
const MARGIN = 16; // steps that can be seen after the end

/** @param {View} view @param {number} step */
export const stepToX = (view, step) => step * view.stepWidth - view.left;

/** The step under x, with its fraction. @param {View} view @param {number} x */
export const xToStep = (view, x) => (x + view.left) / view.stepWidth;

/** The upper edge of a pitch's row. @param {View} view @param {number} pitch */
export const pitchToY = (view, pitch) => (HIGHEST - pitch) * view.rowHeight - view.top;

/** The pitch whose row lies under y. @param {View} view @param {number} y */
export const yToPitch = (view, y) => HIGHEST - Math.floor((y + view.top) / view.rowHeight);

/** @param {View} view @param {Run} note @returns {{x: number, y: number, width: number, height: number}} */
export function noteBox(view, note) {
  return {
    x: stepToX(view, note.onset),
    y: pitchToY(view, note.pitch),
    width: note.duration * view.stepWidth,
    height: view.rowHeight,
  };
}

/**
 * Kept within the piece: no further left than its beginning, no further right than a bar after its end.
 *
 * @param {View} view
 * @param {number} nSteps
 * @returns {View}
 */
export function clampView(view, nSteps) {
  const stepWidth = clamp(view.stepWidth, MIN_STEP, MAX_STEP);
  const rowHeight = clamp(view.rowHeight, MIN_ROW, MAX_ROW);
  const right = Math.max((nSteps + MARGIN) * stepWidth - view.width, 0);
  const bottom = Math.max(N_ROWS * rowHeight - view.height, 0);
  return { ...view, stepWidth, rowHeight, left: clamp(view.left, 0, right), top: clamp(view.top, 0, bottom) };
}

/**
 * What is under the pointer stays under it.
 *
 * @param {View} view
 * @param {number} factor above 1 enlarges
 * @param {number} x of the pointer
 * @param {number} nSteps
 */
export function zoomTime(view, factor, x, nSteps) {
  const stepWidth = clamp(view.stepWidth * factor, MIN_STEP, MAX_STEP);
  return clampView({ ...view, stepWidth, left: xToStep(view, x) * stepWidth - x }, nSteps);
}

/** @param {View} view @param {number} factor @param {number} y of the pointer @param {number} nSteps */
export function zoomPitch(view, factor, y, nSteps) {
  const rowHeight = clamp(view.rowHeight * factor, MIN_ROW, MAX_ROW);
  const top = ((y + view.top) / view.rowHeight) * rowHeight - y;
  return clampView({ ...view, rowHeight, top }, nSteps);
}

/** @param {View} view @param {number} dx @param {number} dy @param {number} nSteps */
export const pan = (view, dx, dy, nSteps) => clampView({ ...view, left: view.left + dx, top: view.top + dy }, nSteps);

/**
 * The whole piece across, its pitches in the middle.
 *
 * @param {View} view
 * @param {Run[]} notes
 * @param {number} nSteps
 */
export function fit(view, notes, nSteps) {
  let low = 48;
  let high = 79;
  for (const note of notes) {
    low = Math.min(low, note.pitch);
    high = Math.max(high, note.pitch);
  }
  const rows = high - low + 1 + 6;
  const rowHeight = clamp(view.height / rows, 11, 20);
  const stepWidth = clamp(view.width / (nSteps + 1), 6, 26);
  const middle = (HIGHEST - (high + low) / 2 + 0.5) * rowHeight;
  return clampView({ ...view, rowHeight, stepWidth, left: 0, top: middle - view.height / 2 }, nSteps);
}

/**
 * Scrolled just so far that a stretch and a pitch are seen.
 *
 * @param {View} view
 * @param {{from: number, to: number, pitch?: number}} what
 * @param {number} nSteps
 */
export function reveal(view, what, nSteps) {
  let { left, top } = view;
  const margin = Math.min(2 * view.stepWidth, view.width / 4);
  const [start, end] = [what.from * view.stepWidth, what.to * view.stepWidth];
  if (start - margin < left) left = start - margin;
  else if (end + margin > left + view.width) left = Math.min(end + margin - view.width, start - margin);
  if (what.pitch !== undefined) {
    const y = (HIGHEST - what.pitch) * view.rowHeight;
    if (y - view.rowHeight < top) top = y - view.rowHeight;
    else if (y + 2 * view.rowHeight > top + view.height) top = y + 2 * view.rowHeight - view.height;
  }
  return clampView({ ...view, left, top }, nSteps);
}

/** Where to scroll so that what plays is seen: a page on, when it leaves. @param {View} view @param {number} step */
export function follow(view, step, /** @type {number} */ nSteps) {
  const x = stepToX(view, step);
  if (x >= 0 && x < view.width * 0.92) return view;
  return clampView({ ...view, left: step * view.stepWidth - view.width * 0.08 }, nSteps);
}

/** The steps that are seen. @param {View} view @returns {Stretch} */
export const visibleSteps = (view) => ({
  from: Math.max(Math.floor(xToStep(view, 0)), 0),
  to: Math.ceil(xToStep(view, view.width)),
});

/** @param {View} view @returns {{low: number, high: number}} */
export const visiblePitches = (view) => ({
  low: Math.max(yToPitch(view, view.height), LOWEST),
  high: Math.min(yToPitch(view, 0), HIGHEST),
});

/**
 * The note under a point, the newest on top, and by what it is held.
 *
 * @template {Run} T
 * @param {View} view
 * @param {readonly T[]} notes
 * @param {number} x
 * @param {number} y
 * @param {number} [reach] pixels by which a note may be missed: a finger is wider than a pointer
 * @returns {{note: T, zone: "start" | "middle" | "end"} | null}
 */
export function noteAt(view, notes, x, y, reach = 0) {
  const step = xToStep(view, x);
  const pitch = yToPitch(view, y);
  const wider = reach / view.stepWidth;
  for (let i = notes.length - 1; i >= 0; i--) {
    const note = notes[i];
    if (note.pitch !== pitch || step < note.onset - wider || step >= note.onset + note.duration + wider) continue;
    const width = note.duration * view.stepWidth;
    const edge = Math.min(EDGE, width / 4);
    const fromLeft = x - stepToX(view, note.onset);
    const zone = fromLeft > width - edge ? "end" : fromLeft < edge ? "start" : "middle";
    return { note, zone };
  }
  return null;
}

/**
 * The notes that a rectangle touches.
 *
 * @template {Run} T
 * @param {readonly T[]} notes
 * @param {{from: number, to: number, low: number, high: number}} box steps with fractions, and pitches
 */
export const notesIn = (notes, box) =>
  notes.filter(
    (note) =>
      note.onset < box.to && note.onset + note.duration > box.from && note.pitch >= box.low && note.pitch <= box.high,
  );

/** The grid line at or before a step. @param {number} step @param {number} grid steps */
export const snapDown = (step, grid) => Math.floor(step / grid + 1e-9) * grid;

/** The nearest grid line. @param {number} step @param {number} grid steps */
export const snap = (step, grid) => Math.round(step / grid) * grid;

/** Which of the bars a step lies in, counted from 0. @param {Bars} bars @param {number} step */
export function barIndex(bars, step) {
  let low = 0;
  let high = bars.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (bars.starts[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The bar that a step lies in. @param {Bars} bars @param {number} step @returns {Stretch} */
export function barOf(bars, step) {
  const i = barIndex(bars, clamp(step, 0, bars.end - 1));
  return { from: bars.starts[i], to: bars.starts[i + 1] ?? bars.end };
}

/** A stretch made whole bars. @param {Bars} bars @param {Stretch} stretch @returns {Stretch} */
export const wholeBars = (bars, stretch) => ({
  from: barOf(bars, stretch.from).from,
  to: barOf(bars, Math.max(stretch.to - 1, stretch.from)).to,
});

/** @param {Bars} bars @param {number} step */
export function meterAt(bars, step) {
  let found = bars.meters[0] ?? { step: 0, numerator: 4, denominator: 4 };
  for (const meter of bars.meters) if (meter.step <= step) found = meter;
  return found;
}

/**
 * Where a step is, as a musician counts: beat 2.5 lies half a beat after the second.
 *
 * @param {Bars} bars
 * @param {number} step
 * @returns {{bar: number, beat: number}}
 */
export function placeOf(bars, step) {
  const i = barIndex(bars, step);
  const meter = meterAt(bars, step);
  let offset = step - bars.starts[i];
  // a pickup is the end of a bar
  if (bars.pickup && i === 0) offset = step - bars.pickup + Math.ceil((16 * meter.numerator) / meter.denominator);
  return { bar: bars.first + i, beat: 1 + (offset * meter.denominator) / 16 };
}

/** "bar 2, beat 3" @param {Bars} bars @param {number} step */
export function placeInWords(bars, step) {
  const { bar, beat } = placeOf(bars, step);
  return `bar ${bar}, beat ${Math.round(beat * 1000) / 1000}`;
}

/** "bar 3" or "bars 3–4" @param {Bars} bars @param {Stretch} stretch */
export function barsInWords(bars, stretch) {
  const first = bars.first + barIndex(bars, stretch.from);
  const last = bars.first + barIndex(bars, Math.max(stretch.to - 1, stretch.from));
  return barNumbersInWords(first, last);
}

/** "bar 3" or "bars 3–4" @param {number} first @param {number} last */
export const barNumbersInWords = (first, last) => (first === last ? `bar ${first}` : `bars ${first}–${last}`);

/**
 * The lines of the grid within a stretch, from bars down to sixteenths as there is room for them.
 *
 * @param {Bars} bars
 * @param {View} view
 * @returns {{step: number, kind: "bar" | "beat" | "sixteenth"}[]}
 */
export function gridLines(bars, view) {
  const seen = visibleSteps(view);
  const lines = [];
  for (let i = barIndex(bars, Math.min(seen.from, bars.end)); i < bars.starts.length; i++) {
    const start = bars.starts[i];
    const end = bars.starts[i + 1] ?? bars.end;
    if (start > seen.to) break;
    const meter = meterAt(bars, start);
    const beat = 16 / meter.denominator;
    // in a pickup the beats are counted from the bar line that it leads to
    const phase = bars.pickup && i === 0 ? bars.pickup % beat : 0;
    for (let step = start; step < end; step++) {
      const isBeat = (step - start - phase) % beat === 0;
      /** @type {"bar" | "beat" | "sixteenth"} */
      const kind = step === start && !(bars.pickup && i === 0) ? "bar" : isBeat ? "beat" : "sixteenth";
      if (kind === "beat" && beat * view.stepWidth < 7) continue;
      if (kind === "sixteenth" && view.stepWidth < 9) continue;
      lines.push({ step, kind });
    }
  }
  lines.push({ step: bars.end, kind: /** @type {const} */ ("bar") });
  return lines;
}

const LETTERS = "FCGDAEB"; // the line of fifths; C is place 0
const SIGNS = ["♭♭", "♭", "", "♯", "x"];
const SIGN_WORDS = [" double flat", " flat", "", " sharp", " double sharp"];

/** @typedef {{tonic: number, mode: "major" | "minor", n_sharps: number}} Key `n_sharps` is negative for flats. */

/**
 * A pitch as a musician writes it in a key: "B♭4"; 60 is C4. As `ripieno.music.harmony.note_name` does.
 *
 * @param {number} pitch
 * @param {Key | null} [key]
 * @param {boolean} [inWords] "B flat 4", for those who listen
 */
export function noteName(pitch, key = null, inWords = false) {
  const lowest = (key?.n_sharps ?? 0) - (key?.mode === "minor" ? 2 : 3);
  const place = lowest + modulo(pitch * 7 - lowest, 12);
  const octave = Math.floor((pitch - Math.floor((place + 1) / 7)) / 12) - 1;
  const letter = LETTERS[modulo(place + 1, 7)];
  const sign = Math.floor((place + 1) / 7) + 2;
  return inWords ? `${letter}${SIGN_WORDS[sign]} ${octave}` : `${letter}${SIGNS[sign]}${octave}`;
}

/** "B♭ minor" @param {Key} key */
export function keyName(key) {
  const place = key.n_sharps + (key.mode === "minor" ? 3 : 0);
  return `${LETTERS[modulo(place + 1, 7)]}${SIGNS[Math.floor((place + 1) / 7) + 2]} ${key.mode}`;
}

const SCALES = { major: [0, 2, 4, 5, 7, 9, 11], minor: [0, 2, 3, 5, 7, 8, 10] };

/** Pitch classes of a key. @param {Key | null} key @returns {Set<number>} */
export const scaleOf = (key) => new Set(key ? SCALES[key.mode].map((step) => (key.tonic + step) % 12) : []);

/** @param {number} pitch */
export const isBlackKey = (pitch) => [1, 3, 6, 8, 10].includes(modulo(pitch, 12));

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/** @param {number} value @param {number} by */
const modulo = (value, by) => ((value % by) + by) % by;

/**
 * Pointers, wheels and fingers on the roll, the ruler and the keyboard, turned into what the desk does.
 *
 * A drag lives in `host.drag` from the moment a note is taken hold of until it is dropped; nothing that arrives meanwhile
 * touches it.
 */

import * as editing from "./editing.js";
import {
  barOf,
  noteAt,
  notesIn,
  pan,
  pitchToY,
  snap,
  stepToX,
  xToStep,
  yToPitch,
  zoomPitch,
  zoomTime,
} from "./geometry.js";
import { keyOf, shapeOf } from "./state.js";

/** @typedef {import("./geometry.js").View} View */
/** @typedef {import("./protocol.js").Note} Note */
/** @typedef {import("./protocol.js").NoteShape} NoteShape */
/** @typedef {import("./desk.js").Desk} Desk */

/**
 * @typedef {object} Drag What is being done to notes; the roll draws `dropped` in place of `held`.
 * @property {"move" | "start" | "end" | "draw"} kind
 * @property {readonly Note[]} held
 * @property {readonly NoteShape[]} dropped
 * @property {boolean} isCopy
 */

/**
 * @typedef {object} Host What gestures need of the page.
 * @property {Desk} desk
 * @property {View} view
 * @property {(view: View) => void} setView
 * @property {(pitch: number, voice: number) => void} preview
 * @property {(step: number) => void} seek
 * @property {(place: {step: number, pitch: number} | null) => void} hover
 * @property {() => void} redraw
 * @property {Drag | null} drag
 * @property {{x: number, y: number, width: number, height: number} | null} band
 */

const SLOP = 4; // pixels that a click may wander
const FINGER = 10; // pixels by which a finger may miss
const LONG_PRESS = 550; // milliseconds
const EDGE = 26; // pixels from the window's edge within which a drag scrolls
const TWICE = 450; // milliseconds within which two clicks are one double click

/** @typedef {{x: number, y: number}} Point */

export class Gestures {
  /**
   * @param {Host} host
   * @param {{roll: HTMLElement, ruler: HTMLElement, keyboard: HTMLElement}} surfaces
   */
  constructor(host, { roll, ruler, keyboard }) {
    this.host = host;
    this.roll = roll;
    /** @type {((point: Point, event: PointerEvent | null) => void) | null} */
    this.onMove = null;
    /** @type {((isCancelled: boolean) => void) | null} */
    this.onEnd = null;
    /** @type {Map<number, Point>} fingers that are down */
    this.fingers = new Map();
    this.at = { x: 0, y: 0 };
    this.pointer = -1;
    // A click that drew a note is half of a double click that is not to delete it.
    this.lastClick = { time: -Infinity, key: "", hasDrawn: false };
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.scroller = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.pressTimer = undefined;

    roll.addEventListener("pointerdown", (event) => this.down(event));
    roll.addEventListener("pointermove", (event) => this.move(event));
    roll.addEventListener("pointerup", (event) => this.up(event, false));
    roll.addEventListener("pointercancel", (event) => this.up(event, true));
    roll.addEventListener("pointerleave", () => this.fingers.size === 0 && !this.onMove && host.hover(null));
    for (const surface of [roll, ruler, keyboard]) {
      surface.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      surface.addEventListener("contextmenu", (event) => event.preventDefault());
    }
    ruler.addEventListener("pointerdown", (event) => this.chooseBars(event, ruler));
    keyboard.addEventListener("pointerdown", (event) => this.playKeys(event, keyboard));
    keyboard.addEventListener(
      "pointermove",
      (event) =>
        event.buttons ||
        host.hover({ step: host.desk.caret.step, pitch: yToPitch(host.view, this.#point(event, keyboard).y) }),
    );
    keyboard.addEventListener("pointerleave", () => host.hover(null));
  }

  /** @param {MouseEvent} event @param {HTMLElement} [surface] @returns {Point} */
  #point(event, surface = this.roll) {
    const box = surface.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** Let go of what is held, as if nothing had happened. */
  cancel() {
    const end = this.onEnd;
    this.#finish();
    end?.(true);
    this.host.redraw();
  }

  get isBusy() {
    return this.onMove !== null;
  }

  #finish() {
    this.onMove = null;
    this.onEnd = null;
    clearInterval(this.scroller);
    this.scroller = undefined;
    clearTimeout(this.pressTimer);
  }

  /** @param {PointerEvent} event */
  down(event) {
    const { host } = this;
    const { desk, view } = host;
    const point = this.#point(event);
    const isFinger = event.pointerType === "touch";
    if (isFinger) {
      this.fingers.set(event.pointerId, point);
      if (this.fingers.size === 2) {
        this.cancel();
        this.#pinch();
        return;
      }
    }
    if (this.onMove) return;
    this.roll.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.at = point;
    if (event.button === 1) {
      event.preventDefault();
      this.#pan(point);
      return;
    }
    const step = xToStep(view, point.x);
    const pitch = yToPitch(view, point.y);
    const hit = noteAt(view, desk.notes, point.x, point.y, isFinger ? FINGER : 0);
    if (event.button === 2) {
      if (hit) desk.edit(editing.erase(desk.selected.has(keyOf(hit.note)) ? desk.selectedNotes : [hit.note]), false);
      return;
    }
    if (event.button !== 0) return;
    const ghost = desk.asking.shownSuggestion;
    if (ghost && noteAt(view, [ghost.note], point.x, point.y, isFinger ? FINGER : 0)) {
      desk.asking.accept();
      return;
    }
    desk.moveCaret({ step: hit ? hit.note.onset : desk.snapped(step), pitch });
    if (hit) {
      const key = keyOf(hit.note);
      const last = this.lastClick;
      this.lastClick = { time: event.timeStamp, key, hasDrawn: false };
      if (event.timeStamp - last.time < TWICE && last.key === key && !last.hasDrawn) {
        desk.edit(editing.erase([hit.note]), false);
        return;
      }
      if (event.shiftKey || event.ctrlKey || event.metaKey) {
        desk.toggle(hit.note);
        if (!desk.selected.has(key)) return;
      } else if (!desk.selected.has(key)) {
        desk.choose([hit.note]);
      }
      host.preview(hit.note.pitch, desk.voiceOf(hit.note));
      this.#drag(hit.note, isFinger && hit.zone === "start" ? "middle" : hit.zone, point, event.altKey);
      if (isFinger) this.#longPress(hit.note);
      return;
    }
    if (step >= desk.nSteps) {
      desk.choose([]);
      return;
    }
    if (desk.tool === "draw") this.#draw(step, pitch, event);
    else this.#band(point, event.shiftKey || event.ctrlKey || event.metaKey);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const point = this.#point(event);
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, point);
    if (!this.onMove) {
      this.#look(point);
      return;
    }
    if (event.pointerId !== this.pointer && this.fingers.size < 2) return;
    if (Math.hypot(point.x - this.at.x, point.y - this.at.y) > SLOP) clearTimeout(this.pressTimer);
    this.onMove(point, event);
    this.#scrollAtEdge(point);
    this.host.redraw();
  }

  /** @param {PointerEvent} event @param {boolean} isCancelled */
  up(event, isCancelled) {
    this.fingers.delete(event.pointerId);
    if (event.pointerId !== this.pointer && this.fingers.size > 0) return;
    const end = this.onEnd;
    this.#finish();
    end?.(isCancelled);
    this.host.redraw();
  }

  /** What the pointer would take hold of. @param {Point} point */
  #look(point) {
    const { host } = this;
    const { desk, view } = host;
    const hit = noteAt(view, desk.notes, point.x, point.y);
    const step = xToStep(view, point.x);
    const ghost = desk.asking.shownSuggestion;
    const isOnGhost = ghost && noteAt(view, [ghost.note], point.x, point.y);
    const pencil = step < desk.nSteps && desk.tool === "draw" ? "crosshair" : "default";
    this.roll.style.cursor = isOnGhost ? "pointer" : !hit ? pencil : hit.zone === "middle" ? "grab" : "ew-resize";
    host.hover({ step: Math.floor(step), pitch: yToPitch(view, point.y) });
  }

  /** @param {Point} begin */
  #pan(begin) {
    const { host } = this;
    let last = begin;
    this.roll.style.cursor = "grabbing";
    this.onMove = (point) => {
      host.setView(pan(host.view, last.x - point.x, last.y - point.y, host.desk.nSteps));
      last = point;
    };
    this.onEnd = () => (this.roll.style.cursor = "default");
  }

  #pinch() {
    const { host } = this;
    const ends = () => {
      const [a, b] = [...this.fingers.values()];
      return {
        x: (a.x + b.x) / 2,
        y: (a.y + b.y) / 2,
        wide: Math.max(Math.abs(a.x - b.x), 24),
        tall: Math.max(Math.abs(a.y - b.y), 24),
      };
    };
    let last = ends();
    const isWide = last.wide > last.tall;
    this.onMove = () => {
      if (this.fingers.size < 2) return;
      const next = ends();
      let view = pan(host.view, last.x - next.x, last.y - next.y, host.desk.nSteps);
      if (isWide) view = zoomTime(view, next.wide / last.wide, next.x, host.desk.nSteps);
      else view = zoomPitch(view, next.tall / last.tall, next.y, host.desk.nSteps);
      host.setView(view);
      last = next;
    };
    this.onEnd = () => {};
  }

  /** @param {Note} note */
  #longPress(note) {
    this.pressTimer = setTimeout(() => {
      this.cancel();
      this.host.desk.edit(editing.erase([note]), false);
      globalThis.navigator?.vibrate?.(15);
    }, LONG_PRESS);
  }

  /**
   * Move or stretch what is chosen.
   *
   * @param {Note} grabbed
   * @param {"start" | "middle" | "end"} zone
   * @param {Point} begin
   * @param {boolean} isCopy
   */
  #drag(grabbed, zone, begin, isCopy) {
    const { host } = this;
    const { desk } = host;
    const held = desk.selectedNotes;
    const beginStep = xToStep(host.view, begin.x);
    const beginPitch = yToPitch(host.view, begin.y);
    let lastPitch = grabbed.pitch;
    let hasMoved = false;
    /** @type {NoteShape[]} */
    let dropped = held.map(shapeOf);
    this.onMove = (point) => {
      if (!hasMoved && Math.hypot(point.x - begin.x, point.y - begin.y) <= SLOP) return;
      hasMoved = true;
      const by = xToStep(host.view, point.x) - beginStep;
      // what lay off the grid comes onto it
      const edge = zone === "end" ? grabbed.onset + grabbed.duration : grabbed.onset;
      const steps = snap(edge + by, desk.grid) - edge;
      if (zone === "middle") {
        dropped = editing.moved(held, steps, yToPitch(host.view, point.y) - beginPitch, desk.nSteps);
        const now = dropped[held.indexOf(grabbed)]?.pitch ?? grabbed.pitch;
        if (now !== lastPitch) host.preview(now, desk.voiceOf(grabbed));
        lastPitch = now;
        this.roll.style.cursor = "grabbing";
      } else {
        dropped = editing.stretched(held, zone, steps, desk.nSteps);
      }
      host.drag = { kind: zone === "middle" ? "move" : zone, held, dropped, isCopy };
    };
    this.onEnd = (isCancelled) => {
      host.drag = null;
      if (isCancelled || !hasMoved) return;
      const change = isCopy ? { remove: [], add: dropped } : editing.dropOf(held, dropped, desk.notes);
      if (!desk.edit(change)) return;
      const after = dropped[held.indexOf(grabbed)];
      if (after) {
        if (zone !== "middle") desk.length = after.duration;
        desk.moveCaret({ step: after.onset, pitch: after.pitch });
      }
    };
  }

  /** @param {number} step @param {number} pitch @param {PointerEvent} event */
  #draw(step, pitch, event) {
    const { host } = this;
    const { desk } = host;
    const from = desk.snapped(step);
    const begin = this.at.x;
    let note = editing.drawn(from, from, pitch, desk.length, desk.grid, desk.nSteps);
    const show = () => (host.drag = { kind: "draw", held: [], dropped: [note], isCopy: false });
    host.preview(pitch, 1);
    show();
    host.redraw();
    this.onMove = (point) => {
      const isDragged = Math.abs(point.x - begin) > SLOP;
      const to = isDragged ? xToStep(host.view, point.x) : from;
      note = editing.drawn(from, to, pitch, desk.length, desk.grid, desk.nSteps);
      if (isDragged && to <= from) note = { ...note, duration: Math.min(desk.grid, desk.nSteps - from) };
      show();
    };
    this.onEnd = (isCancelled) => {
      host.drag = null;
      if (isCancelled) return;
      desk.length = note.duration;
      desk.edit({ remove: [], add: [note] });
      this.lastClick = { time: event.timeStamp, key: keyOf(note), hasDrawn: true };
    };
  }

  /** @param {Point} begin @param {boolean} isMore */
  #band(begin, isMore) {
    const { host } = this;
    const { desk } = host;
    const before = isMore ? [...desk.selectedNotes] : [];
    const from = { step: xToStep(host.view, begin.x), pitch: yToPitch(host.view, begin.y) };
    if (!isMore) desk.choose([]);
    this.onMove = (point) => {
      const to = { step: xToStep(host.view, point.x), pitch: yToPitch(host.view, point.y) };
      const box = {
        from: Math.min(from.step, to.step),
        to: Math.max(from.step, to.step),
        low: Math.min(from.pitch, to.pitch),
        high: Math.max(from.pitch, to.pitch),
      };
      const x = stepToX(host.view, box.from);
      const y = pitchToY(host.view, box.high);
      host.band = {
        x,
        y,
        width: stepToX(host.view, box.to) - x,
        height: pitchToY(host.view, box.low) + host.view.rowHeight - y,
      };
      desk.choose([...before, ...notesIn(desk.notes, box)]);
    };
    this.onEnd = () => (host.band = null);
  }

  /** @param {Point} point */
  #scrollAtEdge(point) {
    const { host } = this;
    const { view } = host;
    const over = (/** @type {number} */ at, /** @type {number} */ size) =>
      at < EDGE ? at - EDGE : at > size - EDGE ? at - size + EDGE : 0;
    const dx = over(point.x, view.width);
    const dy = over(point.y, view.height);
    clearInterval(this.scroller);
    this.scroller = undefined;
    if ((!dx && !dy) || this.fingers.size > 1 || (!host.drag && !host.band)) return;
    this.scroller = setInterval(() => {
      host.setView(pan(host.view, dx / 2, dy / 3, host.desk.nSteps));
      this.onMove?.(point, null);
      host.redraw();
    }, 30);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    const { host } = this;
    const { desk, view } = host;
    const unit = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? view.height : 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    const point = this.#point(event);
    if (event.ctrlKey || event.metaKey) {
      const factor = Math.exp(-(dy || dx) * 0.0025);
      host.setView(
        event.shiftKey ? zoomPitch(view, factor, point.y, desk.nSteps) : zoomTime(view, factor, point.x, desk.nSteps),
      );
    } else if (event.shiftKey) {
      host.setView(pan(view, dx || dy, 0, desk.nSteps));
    } else {
      host.setView(pan(view, dx, dy, desk.nSteps));
    }
    if (this.onMove && !this.fingers.size) this.onMove(point, null);
    host.redraw();
  }

  /**
   * Above the roll: a click chooses a bar, or only that one no longer; a drag, or Shift and a click, several.
   *
   * @param {PointerEvent} event
   * @param {HTMLElement} ruler
   */
  chooseBars(event, ruler) {
    if (event.button !== 0) return;
    const { host } = this;
    const { desk } = host;
    const stepAt = (/** @type {PointerEvent} */ moved) =>
      Math.max(0, Math.min(xToStep(host.view, this.#point(moved, ruler).x), desk.nSteps - 0.01));
    const begin = stepAt(event);
    const bar = barOf(desk.bars, begin);
    const was = desk.region;
    const isOnly = was && was.from === bar.from && was.to === bar.to;
    const anchor = event.shiftKey && was ? was : bar;
    let isDragged = false;
    const choose = (/** @type {number} */ step) => {
      const other = barOf(desk.bars, step);
      desk.chooseBars({ from: Math.min(anchor.from, other.from), to: Math.max(anchor.to, other.to) });
    };
    if (!isOnly || event.shiftKey) choose(begin);
    desk.moveCaret({ step: bar.from, pitch: desk.caret.pitch });
    host.seek(bar.from);
    ruler.setPointerCapture(event.pointerId);
    const onMove = (/** @type {PointerEvent} */ moved) => {
      if (Math.abs(stepAt(moved) - begin) * host.view.stepWidth > SLOP) isDragged = true;
      if (isDragged) choose(stepAt(moved));
    };
    const onUp = () => {
      ruler.removeEventListener("pointermove", onMove);
      ruler.removeEventListener("pointerup", onUp);
      ruler.removeEventListener("pointercancel", onUp);
      if (isOnly && !isDragged && !event.shiftKey) desk.chooseBars(null);
    };
    ruler.addEventListener("pointermove", onMove);
    ruler.addEventListener("pointerup", onUp);
    ruler.addEventListener("pointercancel", onUp);
  }

  /** The piano at the left sounds; with Alt or the right button its rows are locked. @param {PointerEvent} event @param {HTMLElement} keyboard */
  playKeys(event, keyboard) {
    const { host } = this;
    const pitchOf = (/** @type {PointerEvent} */ moved) => yToPitch(host.view, this.#point(moved, keyboard).y);
    let last = pitchOf(event);
    if (event.altKey || event.button === 2) {
      host.desk.lockRow(last);
      return;
    }
    if (event.button !== 0) return;
    host.desk.moveCaret({ step: host.desk.caret.step, pitch: last });
    host.preview(last, 1);
    keyboard.setPointerCapture(event.pointerId);
    const onMove = (/** @type {PointerEvent} */ moved) => {
      const pitch = pitchOf(moved);
      if (pitch !== last) host.preview(pitch, 1);
      last = pitch;
    };
    const onUp = () => keyboard.removeEventListener("pointermove", onMove);
    keyboard.addEventListener("pointermove", onMove);
    keyboard.addEventListener("pointerup", onUp, { once: true });
    keyboard.addEventListener("pointercancel", onUp, { once: true });
  }
}

/**
 * The desk: the piece as it is known, what the person has chosen, and everything that a hand can do with it.
 *
 * It knows neither page nor sound; both look at it and are told by `changed` when it is different.
 */

import { Asking } from "./asking.js";
import * as editing from "./editing.js";
import { HIGHEST, LOWEST, barOf, barsInWords, clamp, snapDown, wholeBars } from "./geometry.js";
import { locking } from "./locks.js";
import { Mix } from "./mix.js";
import { togglingEnd } from "./phrases.js";
import { VOICES } from "./protocol.js";
import { changing } from "./rules.js";
import { barsOf, isModels, keyOf, nothing, notesOf, reduce, shapeOf, voicesOf, withAlternative } from "./state.js";
import { beatAt, together } from "./words.js";

/** @typedef {import("./protocol.js").Note} Note */
/** @typedef {import("./protocol.js").NoteShape} NoteShape */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./geometry.js").Stretch} Stretch */

/** What is sent, without the id that `send` gives it. @typedef {{type: string, [key: string]: unknown}} Wish */

export class Desk {
  /**
   * @param {object} options
   * @param {(wish: Wish) => string | null} options.send returns the id it gave; null: nothing is open
   * @param {(what: string) => void} [options.changed]
   * @param {() => number} [options.now] milliseconds
   */
  constructor({ send, changed = () => {}, now = () => performance.now() }) {
    this.send = send;
    this.changed = changed;
    this.now = now;
  }

  /** @type {State} */
  state = nothing();
  /** @type {"select" | "draw"} */
  tool = "draw";
  /** Keys of the chosen notes. @type {Set<string>} */
  selected = new Set();
  /** The chosen bars, in steps. @type {Stretch | null} */
  region = null;
  /** The chosen voices. @type {Set<number>} */
  voices = new Set();
  caret = { step: 0, pitch: 67 };
  length = 4; // steps of the next note that is written
  grid = 1; // steps that the pointer snaps to
  /** @type {NoteShape[]} */
  clip = [];
  isLooping = false;
  /** What the model is asked. */
  asking = new Asking(this);
  /** What is heard. */
  mix = new Mix();

  // What is there

  get settings() {
    return this.state.settings;
  }

  get bars() {
    return this.settings ? barsOf(this.settings) : { starts: [0], first: 1, pickup: 0, end: 16, meters: [] };
  }

  get nSteps() {
    return this.settings?.n_steps ?? 16;
  }

  get key() {
    return this.settings?.key ?? null;
  }

  get isRunning() {
    return this.state.run?.state === "running";
  }

  /** The notes as they are, pending edits done. */
  get notes() {
    return notesOf(this.state);
  }

  /** @param {NoteShape} note */
  voiceOf(note) {
    return voicesOf(this.notes).get(keyOf(note)) ?? 0;
  }

  get selectedNotes() {
    return this.notes.filter((note) => this.selected.has(keyOf(note)));
  }

  /** Numbers of the chosen bars. @returns {[number, number] | null} */
  get chosenBars() {
    return this.region ? this.barNumbers(this.region) : null;
  }

  /** @param {Stretch} stretch @returns {[number, number]} */
  barNumbers(stretch) {
    const { settings } = this;
    const inside = (settings?.bars ?? []).filter(
      (bar) => bar.start < stretch.to && bar.start + bar.n_steps > stretch.from,
    );
    return [inside[0]?.number ?? 1, inside.at(-1)?.number ?? 1];
  }

  /** The notes, the alternative that is shown in place of what it would replace. */
  get shownNotes() {
    const { shownAlternative } = this.asking;
    return shownAlternative
      ? withAlternative(this.notes, shownAlternative, this.state.alternatives?.voices ?? [])
      : this.notes;
  }

  /** The notes that are heard: mutes obeyed, the alternative that is shown in place of what it would replace. */
  heard() {
    const notes = this.shownNotes;
    const voices = voicesOf(notes);
    return notes
      .map((note) => ({ ...shapeOf(note), voice: voices.get(keyOf(note)) ?? 0, isModels: isModels(note) }))
      .filter((note) => this.mix.isHeard(note.voice, note.isModels));
  }

  // What comes in

  /** @param {ServerMessage | import("./state.js").LocalMessage} message */
  receive(message) {
    if (this.asking.isUnwanted(message)) return;
    const before = this.state;
    this.state = reduce(before, message, this.now());
    if (this.state.notes !== before.notes || this.state.pending !== before.pending) this.#forgetGone();
    this.asking.follow(message, before);
    this.changed(message.type);
  }

  #forgetGone() {
    if (!this.selected.size) return;
    const there = new Set(this.notes.map(keyOf));
    for (const key of this.selected) if (!there.has(key)) this.selected.delete(key);
  }

  /** @param {string} text @param {boolean} [isError] */
  say(text, isError = false) {
    this.receive({ type: "say", text, isError });
  }

  // Writing

  /**
   * @param {editing.Change | null} change
   * @param {boolean} [choose] the notes that come are chosen
   */
  edit(change, choose = true) {
    if (!change || (!change.remove.length && !change.add.length)) return false;
    const limit = this.state.limits?.notes ?? Infinity;
    if (this.notes.length + change.add.length - change.remove.length > limit) {
      this.say(`a piece holds ${limit} notes at the most; delete some first`, true);
      return false;
    }
    const id = this.send({ type: "edit", remove: change.remove.map(shapeOf), add: change.add.map(shapeOf) });
    if (!id) return false;
    this.asking.isStale = true;
    this.state = reduce(this.state, { type: "edit", id, remove: change.remove, add: change.add }, this.now());
    this.selected = new Set(choose ? change.add.map(keyOf) : []);
    this.changed("edit");
    return true;
  }

  /** The note that sounds at a place. @param {number} step @param {number} pitch */
  noteAt(step, pitch) {
    return this.notes.find((note) => note.pitch === pitch && note.onset <= step && step < note.onset + note.duration);
  }

  /** Chosen notes, else the one under the cursor. */
  get atHand() {
    const chosen = this.selectedNotes;
    if (chosen.length) return chosen;
    const there = this.noteAt(this.caret.step, this.caret.pitch);
    return there ? [there] : [];
  }

  /** Write a note at the cursor, and go on after it. */
  write(step = this.caret.step, pitch = this.caret.pitch, length = this.length) {
    const note = editing.drawn(step, step, pitch, length, this.grid, this.nSteps);
    if (!this.edit({ remove: [], add: [note] }, false)) return null;
    this.moveCaret({ step: Math.min(step + note.duration, this.nSteps - 1), pitch });
    return note;
  }

  removeAtHand() {
    return this.edit(editing.erase(this.atHand), false);
  }

  /** Move the chosen notes, or the cursor where none is chosen. @param {number} steps @param {number} semitones */
  nudge(steps, semitones) {
    const notes = this.selectedNotes;
    if (!notes.length) {
      const { caret } = this;
      this.moveCaret({ step: caret.step + steps, pitch: caret.pitch + semitones });
      return;
    }
    if (this.edit(editing.move(notes, steps, semitones, this.nSteps))) {
      const by = editing.reach(notes, steps, semitones, this.nSteps);
      this.moveCaret({ step: this.caret.step + by.steps, pitch: this.caret.pitch + by.semitones });
    }
  }

  /** @param {1 | -1} direction */
  nudgeBar(direction) {
    const notes = this.selectedNotes;
    const from = notes.length ? notes[0].onset : this.caret.step;
    const bar = barOf(this.bars, from);
    const other = barOf(this.bars, direction > 0 ? bar.to : Math.max(bar.from - 1, 0));
    const steps = direction > 0 ? bar.to - bar.from : bar.from > 0 ? other.from - bar.from : 0;
    if (notes.length) this.nudge(steps, 0);
    else
      this.moveCaret({
        step: direction > 0 ? bar.to : from > bar.from ? bar.from : other.from,
        pitch: this.caret.pitch,
      });
  }

  /** @param {number} steps */
  lengthen(steps) {
    const notes = this.selectedNotes;
    if (!notes.length) {
      this.length = clamp(this.length + steps, 1, this.nSteps);
      this.changed("caret");
      return;
    }
    if (this.edit(editing.stretch(notes, "end", steps, this.nSteps)) && notes.length === 1) {
      this.length = Math.max(notes[0].duration + steps, 1);
    }
  }

  /** @param {{step: number, pitch: number}} place */
  moveCaret({ step, pitch }) {
    this.caret = { step: clamp(step, 0, this.nSteps - 1), pitch: clamp(pitch, LOWEST, HIGHEST) };
    this.changed("caret");
  }

  /** @param {1 | -1} direction */
  toNote(direction) {
    const { caret, notes } = this;
    const order = (/** @type {NoteShape} */ note) => note.onset * 128 + note.pitch;
    const here = this.noteAt(caret.step, caret.pitch);
    const place = here ? order(here) : caret.step * 128 + caret.pitch + 0.5 * -direction;
    const found =
      direction > 0 ? notes.find((note) => order(note) > place) : notes.findLast((note) => order(note) < place);
    if (found) this.moveCaret({ step: found.onset, pitch: found.pitch });
  }

  /** @param {Iterable<NoteShape>} notes @param {boolean} [isMore] */
  choose(notes, isMore = false) {
    const keys = [...notes].map(keyOf);
    this.selected = new Set(isMore ? [...this.selected, ...keys] : keys);
    this.changed("selection");
  }

  /** Choose a note, or no longer. @param {NoteShape} note */
  toggle(note) {
    const key = keyOf(note);
    if (!this.selected.delete(key)) this.selected.add(key);
    this.changed("selection");
  }

  chooseAll() {
    const { region, voices } = this;
    const voiceOf = voicesOf(this.notes);
    this.choose(
      this.notes.filter(
        (note) =>
          (!region || (note.onset < region.to && note.onset + note.duration > region.from)) &&
          (!voices.size || voices.has(voiceOf.get(keyOf(note)) ?? 0)),
      ),
    );
  }

  copy() {
    const notes = this.selectedNotes;
    if (notes.length) this.clip = editing.copied(notes);
    return notes.length;
  }

  cut() {
    if (this.copy()) this.edit(editing.erase(this.selectedNotes), false);
  }

  paste() {
    if (!this.clip.length) return;
    const { step } = this.caret;
    if (!this.edit(editing.paste(this.clip, step, this.nSteps))) return;
    const length = Math.max(...this.clip.map((note) => note.onset + note.duration));
    this.moveCaret({ step: step + length, pitch: this.caret.pitch });
  }

  duplicate() {
    this.edit(editing.duplicate(this.selectedNotes, this.nSteps, beatAt(this.bars, this.caret.step)));
  }

  undo() {
    this.send({ type: "undo", batch: null, run: null });
  }

  redo() {
    this.send({ type: "redo", batch: null, run: null });
  }

  // Bars and voices

  /** @param {Stretch | null} stretch made whole bars */
  chooseBars(stretch) {
    this.region = stretch && wholeBars(this.bars, stretch);
    this.#chosenInBars();
    if (!this.region) this.isLooping = false;
    this.asking.barsChanged();
    this.changed("region");
  }

  /** What is chosen last counts: bars and voices, no longer notes. */
  #chosenInBars() {
    this.asking.choiceChanged();
    this.selected = new Set();
  }

  /** The chosen bars begin, or end, with the cursor's. @param {"from" | "to"} which */
  barEdge(which) {
    const bar = barOf(this.bars, this.caret.step);
    const other = this.region ?? bar;
    if (which === "from") this.chooseBars({ from: bar.from, to: Math.max(other.to, bar.to) });
    else this.chooseBars({ from: Math.min(other.from, bar.from), to: bar.to });
  }

  /** @param {number} voice */
  toggleVoice(voice) {
    if (!this.voices.delete(voice)) this.voices.add(voice);
    this.#chosenInBars();
    this.changed("region");
  }

  /** "alto, bars 3–4" */
  chosenInWords() {
    const voices = [...this.voices].sort().map((voice) => VOICES[voice]);
    const parts = [
      voices.length === VOICES.length ? "all voices" : together(voices),
      this.region && barsInWords(this.bars, this.region),
    ];
    return parts.filter(Boolean).join(", ");
  }

  // Locks

  /** Lock what is chosen, or unlock it: notes; bars; voices; the notes of voices in bars. */
  lock() {
    const { settings, region } = this;
    if (!settings) return "";
    const what = this.#lockable();
    if (!what) {
      if (!region) this.say("choose notes, bars or voices to lock first");
      return "";
    }
    const wish = locking(settings.locks, what);
    this.send(wish);
    return wish.locked ? "locked" : "unlocked";
  }

  /** @returns {import("./locks.js").Lockable | null} */
  #lockable() {
    const { region, voices } = this;
    let notes = this.selectedNotes;
    if (!notes.length && region && voices.size) {
      const voiceOf = voicesOf(this.notes);
      notes = this.notes.filter(
        (note) => note.onset >= region.from && note.onset < region.to && voices.has(voiceOf.get(keyOf(note)) ?? 0),
      );
      return notes.length ? { notes } : null;
    }
    if (notes.length) return { notes };
    if (region) {
      const [first, last] = this.barNumbers(region);
      const bars = this.settings?.bars.map((bar) => bar.number) ?? [];
      return { bars: bars.filter((number) => number >= first && number <= last) };
    }
    if (voices.size) return { voices: [...voices].map((voice) => VOICES[voice]) };
    const under = this.noteAt(this.caret.step, this.caret.pitch);
    return under ? { notes: [under] } : null;
  }

  /** @param {number} pitch */
  lockRow(pitch) {
    if (this.settings) this.send(locking(this.settings.locks, { pitches: [pitch] }));
  }

  /** @param {number} voice */
  lockVoice(voice) {
    if (this.settings) this.send(locking(this.settings.locks, { voices: [VOICES[voice]] }));
  }

  // Phrases

  /** A phrase ends at a step, or no longer. @param {number} step @returns {string} what is said of it */
  togglePhraseEnd(step) {
    if (!this.settings) return "";
    const { rule, isAdded } = togglingEnd(this.settings.phrases, this.bars, step);
    this.send(changing({ phrases: rule }));
    return isAdded ? "a phrase ends here" : "no phrase ends here";
  }

  // Hearing

  /** @param {number} voice @param {boolean} [isSolo] */
  mute(voice, isSolo = false) {
    this.mix.mute(voice, isSolo);
    this.changed("mute");
  }

  /** @param {import("./mix.js").Author} author @param {boolean} [isSolo] */
  muteAuthor(author, isSolo = false) {
    this.mix.muteAuthor(author, isSolo);
    this.changed("mute");
  }

  /** Close what is open, one thing at a time. */
  leave() {
    const { asking } = this;
    if (this.state.alternatives || asking.waiting.has("again")) asking.closeAlternatives();
    else if (this.selected.size) this.choose([]);
    else if (asking.isSuggesting) asking.suggest(false);
    else if (asking.isDoubting) asking.doubt(false);
    else if (this.region || this.voices.size) {
      this.voices.clear();
      this.chooseBars(null);
    } else return false;
    return true;
  }

  /** @param {number} step with its fraction */
  snapped(step) {
    return clamp(snapDown(step, this.grid), 0, this.nSteps - 1);
  }
}

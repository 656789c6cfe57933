/**
 * The desk: the piece as it is known, what the person has chosen and opened, and everything that can be done with it.
 *
 * It knows neither page nor sound; both look at it and are told by `changed` when it is different.
 */

import * as editing from "./editing.js";
import {
  HIGHEST,
  LOWEST,
  barOf,
  barsInWords,
  clamp,
  meterAt,
  noteName,
  placeInWords,
  snapDown,
  wholeBars,
} from "./geometry.js";
import { VOICES } from "./protocol.js";
import {
  barsOf,
  isLocked,
  isModels,
  keyOf,
  nothing,
  notesOf,
  reduce,
  shapeOf,
  voicesOf,
  withAlternative,
} from "./state.js";

/** @typedef {import("./protocol.js").Note} Note */
/** @typedef {import("./protocol.js").NoteShape} NoteShape */
/** @typedef {import("./protocol.js").Settings} Settings */
/** @typedef {import("./protocol.js").Rules} Rules */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./geometry.js").Stretch} Stretch */
/** @typedef {"yours" | "model"} Author */

const ALTERNATIVES = 3;
const SUGGESTIONS = 5;

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
  isSuggesting = false;
  suggestion = 0; // which of them is shown
  isStale = false; // the music has changed since suggestions were asked for
  alternative = -1; // which of them is shown; -1: the piece as it is
  round = 0; // how often alternatives were asked for
  includesMine = false; // alternatives may replace the person's own notes
  hasChosenSince = false; // something else was chosen since alternatives were asked for
  isDoubting = false;
  areDoubtsStale = false;
  /** @type {Set<number>} */
  mutedVoices = new Set();
  /** @type {Set<number>} */
  soloVoices = new Set();
  /** @type {Set<Author>} */
  mutedAuthors = new Set();
  /** @type {Set<Author>} */
  soloAuthors = new Set();
  /** What is being waited for: "suggest", "again", ... and the id of the request. @type {Map<string, string>} */
  waiting = new Map();

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

  /** The alternative that is shown. */
  get shownAlternative() {
    return this.state.alternatives?.alternatives[this.alternative] ?? null;
  }

  /** The suggestion that is shown. */
  get shownSuggestion() {
    return this.isSuggesting && !this.isRunning ? (this.state.suggestions?.suggestions[this.suggestion] ?? null) : null;
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

  /** The notes that are heard: mutes obeyed, the alternative that is shown in place of what it would replace. */
  heard() {
    const { shownAlternative, state } = this;
    const notes = shownAlternative
      ? withAlternative(this.notes, shownAlternative, state.alternatives?.voices ?? [])
      : this.notes;
    const voices = voicesOf(notes);
    return notes
      .map((note) => ({ ...shapeOf(note), voice: voices.get(keyOf(note)) ?? 0, isModels: isModels(note) }))
      .filter((note) => this.isHeard(note.voice, note.isModels));
  }

  /** @param {number} voice @param {boolean} isModels */
  isHeard(voice, isModels) {
    /** @type {Author} */
    const author = isModels ? "model" : "yours";
    if (this.soloVoices.size ? !this.soloVoices.has(voice) : this.mutedVoices.has(voice)) return false;
    return this.soloAuthors.size ? this.soloAuthors.has(author) : !this.mutedAuthors.has(author);
  }

  // What comes in

  /** @param {ServerMessage | import("./state.js").LocalMessage} message */
  receive(message) {
    // An answer that nobody waits for any more: what asked for it was closed meanwhile.
    if (message.type === "alternatives" && this.waiting.get("again") !== message.id) return;
    if (message.type === "suggestions" && this.waiting.get("suggest") !== message.id) return;
    const before = this.state;
    this.state = reduce(before, message, this.now());
    if (message.type === "welcome" || message.type === "lost") {
      this.waiting.clear();
      if (message.type === "lost") this.isStale = true;
    }
    if ("id" in message && message.id) {
      for (const [what, id] of this.waiting) {
        if (id !== message.id) continue;
        this.waiting.delete(what);
        if (what === "decide") this.isStale = true;
        if (what === "run" && message.type === "error") this.state = { ...this.state, run: null };
        if (what === "again" && message.type === "error") this.round -= 1;
      }
    }
    if (message.type === "suggestions") this.suggestion = 0;
    if (message.type === "alternatives") this.alternative = message.alternatives.length ? 0 : -1;
    if (this.state.notes !== before.notes || this.state.pending !== before.pending) this.#forgetGone();
    if (this.state.seq !== before.seq) {
      this.isStale = true;
      if (this.state.doubts && this.isDoubting) this.areDoubtsStale = true;
    }
    if (before.run?.state === "running" && !this.isRunning) this.isStale = true;
    this.ask();
    this.changed(message.type);
  }

  /** Ask for what is shown and no longer fits: one question of each kind at a time. */
  ask() {
    const { state } = this;
    if (state.connection !== "open" || !state.isModelReady || state.pending.length || this.isRunning) return;
    if (this.isSuggesting && this.isStale && !this.waiting.has("suggest") && !this.waiting.has("decide")) {
      this.isStale = false;
      this.#wait("suggest", { type: "suggest", n: SUGGESTIONS, bars: this.chosenBars });
    }
    if (this.isDoubting && (this.areDoubtsStale || !state.doubts) && !this.waiting.has("doubts")) {
      this.areDoubtsStale = false;
      this.#wait("doubts", { type: "doubts" });
    }
  }

  /** @param {string} what @param {Wish} wish */
  #wait(what, wish) {
    const id = this.send(wish);
    if (id) this.waiting.set(what, id);
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
    this.isStale = true;
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
    const beat = 16 / meterAt(this.bars, this.caret.step).denominator;
    this.edit(editing.duplicate(this.selectedNotes, this.nSteps, beat));
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
    if (this.isSuggesting) {
      this.isStale = true;
      this.ask();
    }
    this.changed("region");
  }

  /** What is chosen last counts: bars and voices, no longer notes. */
  #chosenInBars() {
    this.hasChosenSince = true;
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
      voices.length === 4 ? "all voices" : voices.join(" and "),
      this.region && barsInWords(this.bars, this.region),
    ];
    return parts.filter(Boolean).join(", ");
  }

  // The model

  /** @param {boolean} [isOn] */
  suggest(isOn = !this.isSuggesting) {
    this.isSuggesting = isOn;
    this.isStale = true;
    if (!isOn) {
      this.state = reduce(this.state, { type: "dropSuggestions" });
      this.waiting.delete("suggest");
    } else {
      this.closeAlternatives();
      this.selected = new Set(); // so that up, down and Backspace are about the suggestion
    }
    this.ask();
    this.changed("suggest");
  }

  /** @param {1 | -1} direction */
  walk(direction) {
    const n = this.state.suggestions?.suggestions.length ?? 0;
    if (n) this.suggestion = (this.suggestion + direction + n) % n;
    this.changed("suggest");
  }

  accept() {
    return this.#decide("accept");
  }

  refuse() {
    return this.#decide("refuse");
  }

  /** @param {"accept" | "refuse"} how */
  #decide(how) {
    const suggestion = this.shownSuggestion;
    if (!suggestion || this.waiting.has("decide")) return null;
    this.#wait("decide", { type: how, suggestion: suggestion.token });
    this.state = reduce(this.state, { type: "dropSuggestions" });
    this.changed("suggest");
    return suggestion;
  }

  /** What R is about: what is chosen, else the cursor's bar. @returns {{bars: [number, number], region: Stretch, voices: number[]}} */
  get askedFor() {
    const notes = this.selectedNotes;
    const voiceOf = voicesOf(this.notes);
    let { region } = this;
    let voices = [...this.voices];
    if (notes.length && !region) {
      region = wholeBars(this.bars, {
        from: notes[0].onset,
        to: Math.max(...notes.map((note) => note.onset + note.duration)),
      });
      if (!voices.length) voices = [...new Set(notes.map((note) => voiceOf.get(keyOf(note)) ?? 0))];
    }
    region ??= barOf(this.bars, this.caret.step);
    return { bars: this.barNumbers(region), region, voices: voices.sort() };
  }

  /**
   * Ask for three other ways.
   *
   * @param {{bars?: [number, number], voices?: number[], includingMine?: boolean}} [what] what is chosen, unless given
   */
  again(what = {}) {
    if (this.waiting.has("again")) return;
    const open = this.state.alternatives;
    const asked = this.askedFor;
    const bars = what.bars ?? (open && !this.hasChosenSince ? open.bars : asked.bars);
    const voices =
      what.voices ?? (open && !this.hasChosenSince ? open.voices.map((voice) => VOICES.indexOf(voice)) : asked.voices);
    this.hasChosenSince = false;
    if (what.includingMine !== undefined) this.includesMine = what.includingMine;
    this.round += 1;
    const seed = ((this.settings?.rules.seed ?? 0) * 1009 + this.round * 3) % 2 ** 31;
    this.isSuggesting = false;
    this.waiting.delete("suggest");
    this.alternative = -1;
    this.#wait("again", {
      type: "regenerate",
      bars,
      voices: voices.map((voice) => VOICES[voice]),
      n: ALTERNATIVES,
      seed,
      including_mine: this.includesMine,
    });
    this.changed("alternatives");
  }

  /** Keep the bass, redo the inner voices: the whole piece, or the chosen bars. */
  redoInner() {
    const all = this.settings?.bars ?? [];
    this.again({ bars: this.chosenBars ?? [all[0]?.number ?? 1, all.at(-1)?.number ?? 1], voices: [1, 2] });
  }

  /** @param {number} which -1: the piece as it is */
  showAlternative(which) {
    const n = this.state.alternatives?.alternatives.length ?? 0;
    this.alternative = clamp(which, -1, n - 1);
    this.changed("alternatives");
  }

  /** @param {1 | -1} direction */
  walkAlternatives(direction) {
    const n = (this.state.alternatives?.alternatives.length ?? 0) + 1;
    this.showAlternative(((this.alternative + 1 + direction + n) % n) - 1);
  }

  take(which = this.alternative) {
    const alternative = this.state.alternatives?.alternatives[which];
    if (!alternative) return false;
    this.send({ type: "take", alternative: alternative.token });
    this.closeAlternatives();
    return true;
  }

  closeAlternatives() {
    this.alternative = -1;
    this.waiting.delete("again");
    if (!this.state.alternatives) return;
    this.state = reduce(this.state, { type: "dropAlternatives" });
    this.changed("alternatives");
  }

  /** Run, or stop. */
  fill() {
    if (this.waiting.has("run") || this.waiting.has("stop")) return;
    if (this.isRunning) {
      this.#wait("stop", { type: "stop" });
    } else {
      this.closeAlternatives();
      this.state = reduce(this.state, { type: "dropSuggestions" });
      this.#wait("run", { type: "run", bars: this.chosenBars, iterations: null });
    }
    this.changed("run");
  }

  /** @param {boolean} [isOn] */
  doubt(isOn = !this.isDoubting) {
    this.isDoubting = isOn;
    if (!isOn) this.state = reduce(this.state, { type: "dropDoubts" });
    this.ask();
    this.changed("doubts");
  }

  /** @param {Partial<Rules>} changes null puts a rule back to where nothing is said */
  setRules(changes) {
    const unset = Object.entries(changes)
      .filter(([, value]) => value === null)
      .map(([name]) => name);
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null));
    this.send({ type: "rules", changes: given, unset });
  }

  /** Lock what is chosen, or unlock it: notes; bars; voices; the notes of voices in bars. */
  lock() {
    const { settings, region, voices } = this;
    if (!settings) return "";
    const { locks } = settings;
    let notes = this.selectedNotes;
    if (!notes.length && region && voices.size) {
      const voiceOf = voicesOf(this.notes);
      notes = this.notes.filter(
        (note) => note.onset >= region.from && note.onset < region.to && voices.has(voiceOf.get(keyOf(note)) ?? 0),
      );
      if (!notes.length) return "";
    }
    /** @type {Wish} */
    let wish;
    if (notes.length) {
      const known = new Set(locks.notes.map(keyOf));
      const locked = !notes.every((note) => known.has(keyOf(note)));
      wish = { type: "lock", locked, notes: notes.map(shapeOf), voices: [], bars: [], pitches: [] };
    } else if (region) {
      const [first, last] = this.barNumbers(region);
      const bars = settings.bars.map((bar) => bar.number).filter((number) => number >= first && number <= last);
      const locked = !bars.every((number) => locks.bars.includes(number));
      wish = { type: "lock", locked, notes: [], voices: [], bars, pitches: [] };
    } else if (voices.size) {
      const names = [...voices].map((voice) => VOICES[voice]);
      const locked = !names.every((name) => locks.voices.some((lock) => lock.voice === name));
      wish = { type: "lock", locked, notes: [], voices: names, bars: [], pitches: [] };
    } else {
      const under = this.noteAt(this.caret.step, this.caret.pitch);
      if (!under) {
        this.say("choose notes, bars or voices to lock first");
        return "";
      }
      const locked = !locks.notes.some((lock) => keyOf(lock) === keyOf(under));
      wish = { type: "lock", locked, notes: [shapeOf(under)], voices: [], bars: [], pitches: [] };
    }
    this.send(wish);
    return wish.locked ? "locked" : "unlocked";
  }

  /** @param {number} pitch */
  lockRow(pitch) {
    const locked = !this.settings?.locks.pitches.includes(pitch);
    this.send({ type: "lock", locked, notes: [], voices: [], bars: [], pitches: [pitch] });
  }

  /** @param {number} voice */
  lockVoice(voice) {
    const name = VOICES[voice];
    const locked = !this.settings?.locks.voices.some((lock) => lock.voice === name);
    this.send({ type: "lock", locked, notes: [], voices: [name], bars: [], pitches: [] });
  }

  // Hearing

  /** @param {number} voice @param {boolean} [isSolo] */
  mute(voice, isSolo = false) {
    const set = isSolo ? this.soloVoices : this.mutedVoices;
    if (!set.delete(voice)) set.add(voice);
    this.changed("mute");
  }

  /** @param {Author} author @param {boolean} [isSolo] */
  muteAuthor(author, isSolo = false) {
    const set = isSolo ? this.soloAuthors : this.mutedAuthors;
    if (!set.delete(author)) set.add(author);
    this.changed("mute");
  }

  /** Close what is open, one thing at a time. */
  leave() {
    if (this.state.alternatives || this.waiting.has("again")) this.closeAlternatives();
    else if (this.selected.size) this.choose([]);
    else if (this.isSuggesting) this.suggest(false);
    else if (this.isDoubting) this.doubt(false);
    else if (this.region || this.voices.size) {
      this.voices.clear();
      this.chooseBars(null);
    } else return false;
    return true;
  }

  // In words

  /** How sure the model is that a note belongs, where it was asked. @param {NoteShape} note @returns {number | null} */
  belongs(note) {
    const found = this.isDoubting && this.state.doubts?.notes.find((one) => keyOf(one.note) === keyOf(note));
    return found ? found.belongs : null;
  }

  /**
   * "A4, bar 2, beat 3, alto, added by the model, likely"
   *
   * @param {{step: number, pitch: number}} place
   * @param {boolean} [isSpoken] for those who listen: "A flat 4"
   */
  describe({ step, pitch }, isSpoken = false) {
    const name = noteName(pitch, this.key, isSpoken);
    const note = this.noteAt(step, pitch);
    const where = placeInWords(this.bars, note ? note.onset : step);
    const ghost = this.shownSuggestion;
    const isGhost =
      ghost && ghost.note.pitch === pitch && ghost.note.onset <= step && step < ghost.note.onset + ghost.note.duration;
    const offered = isGhost ? `${ghost.action === "add" ? "suggested" : "would be taken back"}, ${ghost.sureness}` : "";
    if (!note) return [name, where, offered || "silent"].join(", ");
    const by = { file: "from the file", user: "yours", model: "added by the model" }[note.author];
    const belongs = this.belongs(note);
    const parts = [name, where, lengthInWords(note.duration, this.beat(note.onset)), VOICES[this.voiceOf(note)], by];
    if (belongs !== null) parts.push(surenessOf(belongs));
    if (offered) parts.push(offered);
    if (this.settings && isLocked(this.settings, note)) parts.push("locked");
    if (this.selected.has(keyOf(note))) parts.push("chosen");
    return parts.join(", ");
  }

  /** Steps of a beat there. @param {number} step */
  beat(step) {
    return 16 / meterAt(this.bars, step).denominator;
  }

  /** @param {number} step with its fraction */
  snapped(step) {
    return clamp(snapDown(step, this.grid), 0, this.nSteps - 1);
  }
}

/** As the server divides it. @param {number} probability */
export const surenessOf = (probability) => (probability >= 0.7 ? "sure" : probability >= 0.4 ? "likely" : "unsure");

/** @param {number} steps @param {number} beat */
export function lengthInWords(steps, beat = 4) {
  const beats = steps / beat;
  if (beats === 1) return "1 beat";
  return `${Math.round(beats * 100) / 100} beats`;
}

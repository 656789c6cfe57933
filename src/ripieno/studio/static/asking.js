/**
 * What the model is asked, and what it offers: suggestions, other ways, runs, doubts.
 *
 * One question of each kind is on its way at a time; an answer that nobody waits for any more is not heard.
 */

import { barOf, clamp, wholeBars } from "./geometry.js";
import { VOICES } from "./protocol.js";
import { seedOf } from "./rules.js";
import { keyOf, reduce, voicesOf } from "./state.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./desk.js").Wish} Wish */
/** @typedef {import("./geometry.js").Stretch} Stretch */
/** @typedef {import("./protocol.js").NoteShape} NoteShape */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./state.js").State} State */

const ALTERNATIVES = 3;
const SUGGESTIONS = 5;
const INNER = [1, 2]; // alto and tenor

export class Asking {
  isSuggesting = false;
  suggestion = 0; // which of them is shown
  isStale = false; // the music has changed since suggestions were asked for
  alternative = -1; // which of them is shown; -1: the piece as it is
  round = 0; // how often alternatives were asked for
  includesMine = false; // alternatives may replace the person's own notes
  hasChosenSince = false; // something else was chosen since alternatives were asked for
  isDoubting = false;
  areDoubtsStale = false;
  /** What is being waited for: "suggest", "again", ... and the id of the request. @type {Map<string, string>} */
  waiting = new Map();

  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
  }

  /** The alternative that is shown. */
  get shownAlternative() {
    return this.desk.state.alternatives?.alternatives[this.alternative] ?? null;
  }

  /** The suggestion that is shown. */
  get shownSuggestion() {
    const { isRunning, state } = this.desk;
    return this.isSuggesting && !isRunning ? (state.suggestions?.suggestions[this.suggestion] ?? null) : null;
  }

  /** The suggestion that is shown, if it lies there. @param {number} step @param {number} pitch */
  suggestionAt(step, pitch) {
    const { shownSuggestion } = this;
    if (!shownSuggestion) return null;
    const { note } = shownSuggestion;
    return note.pitch === pitch && note.onset <= step && step < note.onset + note.duration ? shownSuggestion : null;
  }

  /** How sure the model is that a note belongs, where it was asked. @param {NoteShape} note @returns {number | null} */
  belongs(note) {
    const { doubts } = this.desk.state;
    const found = this.isDoubting && doubts?.notes.find((one) => keyOf(one.note) === keyOf(note));
    return found ? found.belongs : null;
  }

  // What comes in

  /** Was what asked for it closed meanwhile? @param {ServerMessage | import("./state.js").LocalMessage} message */
  isUnwanted(message) {
    if (message.type === "alternatives") return this.waiting.get("again") !== message.id;
    if (message.type === "suggestions") return this.waiting.get("suggest") !== message.id;
    return false;
  }

  /** @param {ServerMessage | import("./state.js").LocalMessage} message @param {State} before */
  follow(message, before) {
    const { desk } = this;
    if (message.type === "welcome" || message.type === "lost") {
      this.waiting.clear();
      if (message.type === "lost") this.isStale = true;
    }
    if ("id" in message && message.id) {
      for (const [what, id] of this.waiting) {
        if (id !== message.id) continue;
        this.waiting.delete(what);
        if (what === "decide") this.isStale = true;
        if (what === "run" && message.type === "error") desk.state = { ...desk.state, run: null };
        if (what === "again" && message.type === "error") this.round -= 1;
      }
    }
    if (message.type === "suggestions") this.suggestion = 0;
    if (message.type === "alternatives") this.alternative = message.alternatives.length ? 0 : -1;
    if (desk.state.seq !== before.seq) {
      this.isStale = true;
      if (desk.state.doubts && this.isDoubting) this.areDoubtsStale = true;
    }
    if (before.run?.state === "running" && !desk.isRunning) this.isStale = true;
    this.ask();
  }

  /** Ask for what is shown and no longer fits: one question of each kind at a time. */
  ask() {
    const { isRunning, state, chosenBars } = this.desk;
    if (state.connection !== "open" || !state.isModelReady || state.pending.length || isRunning) return;
    if (this.isSuggesting && this.isStale && !this.waiting.has("suggest") && !this.waiting.has("decide")) {
      this.isStale = false;
      this.#wait("suggest", { type: "suggest", n: SUGGESTIONS, bars: chosenBars });
    }
    if (this.isDoubting && (this.areDoubtsStale || !state.doubts) && !this.waiting.has("doubts")) {
      this.areDoubtsStale = false;
      this.#wait("doubts", { type: "doubts" });
    }
  }

  /** @param {string} what @param {Wish} wish */
  #wait(what, wish) {
    const id = this.desk.send(wish);
    if (id) this.waiting.set(what, id);
  }

  /** @param {"dropSuggestions" | "dropAlternatives" | "dropDoubts"} type */
  #drop(type) {
    this.desk.state = reduce(this.desk.state, { type });
  }

  /** What is chosen is no longer what was asked about. */
  choiceChanged() {
    this.hasChosenSince = true;
  }

  /** Suggestions keep to the chosen bars. */
  barsChanged() {
    if (!this.isSuggesting) return;
    this.isStale = true;
    this.ask();
  }

  // One note at a time

  /** @param {boolean} [isOn] */
  suggest(isOn = !this.isSuggesting) {
    this.isSuggesting = isOn;
    this.isStale = true;
    if (!isOn) {
      this.#drop("dropSuggestions");
      this.waiting.delete("suggest");
    } else {
      this.closeAlternatives();
      this.desk.selected = new Set(); // so that up, down and Backspace are about the suggestion
    }
    this.ask();
    this.desk.changed("suggest");
  }

  /** @param {1 | -1} direction */
  walk(direction) {
    const n = this.desk.state.suggestions?.suggestions.length ?? 0;
    if (n) this.suggestion = (this.suggestion + direction + n) % n;
    this.desk.changed("suggest");
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
    this.#drop("dropSuggestions");
    this.desk.changed("suggest");
    return suggestion;
  }

  // Other ways

  /** What R is about: what is chosen, else the cursor's bar. @returns {{bars: [number, number], voices: number[]}} */
  get askedFor() {
    const { desk } = this;
    const notes = desk.selectedNotes;
    const voiceOf = voicesOf(desk.notes);
    let { region } = desk;
    let voices = [...desk.voices];
    if (notes.length && !region) {
      region = wholeBars(desk.bars, {
        from: notes[0].onset,
        to: Math.max(...notes.map((note) => note.onset + note.duration)),
      });
      if (!voices.length) voices = [...new Set(notes.map((note) => voiceOf.get(keyOf(note)) ?? 0))];
    }
    region ??= barOf(desk.bars, desk.caret.step);
    return { bars: desk.barNumbers(region), voices: voices.sort() };
  }

  /** The bars that the other ways which are open were asked for, in steps. @returns {Stretch | null} */
  get askedAbout() {
    const { alternatives, settings } = this.desk.state;
    const first = settings?.bars.find((bar) => bar.number === alternatives?.bars[0]);
    const last = settings?.bars.find((bar) => bar.number === alternatives?.bars[1]);
    return first && last ? { from: first.start, to: last.start + last.n_steps } : null;
  }

  /**
   * Ask for three other ways.
   *
   * @param {{bars?: [number, number], voices?: number[]}} [what] what is chosen, unless given
   */
  again(what = {}) {
    if (this.waiting.has("again")) return;
    const open = this.hasChosenSince ? null : this.desk.state.alternatives;
    const asked = this.askedFor;
    const bars = what.bars ?? open?.bars ?? asked.bars;
    const voices = what.voices?.map(nameOf) ?? open?.voices ?? asked.voices.map(nameOf);
    this.hasChosenSince = false;
    this.round += 1;
    const seed = (seedOf(this.desk.settings) * 1009 + this.round * ALTERNATIVES) % 2 ** 31;
    this.isSuggesting = false;
    this.waiting.delete("suggest");
    this.alternative = -1;
    this.#wait("again", {
      type: "regenerate",
      bars,
      voices,
      n: ALTERNATIVES,
      seed,
      including_mine: this.includesMine,
    });
    this.desk.changed("alternatives");
  }

  /** Keep the bass, redo the inner voices: the whole piece, or the chosen bars. */
  redoInner() {
    const all = this.desk.settings?.bars ?? [];
    this.again({ bars: this.desk.chosenBars ?? [all[0]?.number ?? 1, all.at(-1)?.number ?? 1], voices: INNER });
  }

  /** @param {number} which -1: the piece as it is */
  showAlternative(which) {
    const n = this.desk.state.alternatives?.alternatives.length ?? 0;
    this.alternative = clamp(which, -1, n - 1);
    this.desk.changed("alternatives");
  }

  /** @param {1 | -1} direction */
  walkAlternatives(direction) {
    const n = (this.desk.state.alternatives?.alternatives.length ?? 0) + 1;
    this.showAlternative(((this.alternative + 1 + direction + n) % n) - 1);
  }

  take() {
    const alternative = this.shownAlternative;
    if (!alternative) return false;
    this.desk.send({ type: "take", alternative: alternative.token });
    this.closeAlternatives();
    return true;
  }

  closeAlternatives() {
    this.alternative = -1;
    this.waiting.delete("again");
    if (!this.desk.state.alternatives) return;
    this.#drop("dropAlternatives");
    this.desk.changed("alternatives");
  }

  // Runs, and doubts

  /** Run, or stop. */
  fill() {
    if (this.waiting.has("run") || this.waiting.has("stop")) return;
    if (this.desk.isRunning) {
      this.#wait("stop", { type: "stop" });
    } else {
      this.closeAlternatives();
      this.#drop("dropSuggestions");
      this.#wait("run", { type: "run", bars: this.desk.chosenBars, iterations: null });
    }
    this.desk.changed("run");
  }

  /** @param {boolean} [isOn] */
  doubt(isOn = !this.isDoubting) {
    this.isDoubting = isOn;
    if (!isOn) this.#drop("dropDoubts");
    this.ask();
    this.desk.changed("doubts");
  }
}

/** @param {number} voice */
const nameOf = (voice) => VOICES[voice];

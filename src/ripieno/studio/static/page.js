/**
 * The page as one thing: what it knows, drawn when something has changed, and what gestures, commands and panels ask of
 * it.
 */

import { commandNamed } from "./commands.js";
import { Desk } from "./desk.js";
import { byId } from "./dom.js";
import { drawOverlay, drawRoll } from "./draw.js";
import { drawKeyboard, drawRuler } from "./edges.js";
import { Files } from "./files.js";
import * as geometry from "./geometry.js";
import { Gestures } from "./gestures.js";
import { remember } from "./kept.js";
import { lockedBars } from "./locks.js";
import { StepEntry, listen } from "./midi.js";
import { showPanels, showWhere } from "./panels.js";
import { prepare, themeOf } from "./pen.js";
import { Player } from "./player.js";
import { sceneOf } from "./scene.js";
import { newId } from "./socket.js";
import { StaffView } from "./staff.js";
import { reduce } from "./state.js";
import { describe } from "./words.js";

/** @typedef {import("./geometry.js").View} View */
/** @typedef {import("./protocol.js").Health} Health */
/** @typedef {{step: number, pitch: number}} Place */

const BPM = 88; // while no piece is open
const LOOKED = 90; // milliseconds from one look of the panels to the next while the model streams
const HEARD_ANEW = new Set(["entries", "edit", "welcome", "mute", "alternatives", "voices", "done", "error"]);

export class Page {
  desk = new Desk({ send: (wish) => this.send(wish), changed: (what) => this.changed(what) });
  /** @type {View} */
  view = { stepWidth: 14, rowHeight: 14, left: 0, top: 0, width: 800, height: 500 };
  /** @type {import("./gestures.js").Drag | null} */
  drag = null;
  /** @type {{x: number, y: number, width: number, height: number} | null} */
  band = null;
  /** @type {Place | null} */
  hovered = null;
  /** @type {import("./socket.js").Connection | null} */
  connection = null;
  /** @type {Health | null} */
  health = null;
  /** @type {import("./rules.js").RulesPanel | null} */
  rules = null;
  isRefused = false; // by the server: trying again changes nothing
  theme = themeOf(document.body);
  player = new Player(
    {
      notes: () => this.heard(),
      tempos: () => [{ step: 0, bpm: this.desk.settings?.bpm ?? BPM }],
      end: () => this.desk.nSteps,
    },
    () => this.changed("playing"),
  );
  staff = new StaffView(byId("staff"), byId("score"));
  files = new Files(this);
  gestures = new Gestures(this, { roll: byId("overlay"), ruler: byId("ruler"), keyboard: byId("keyboard") });

  #hasFitted = false;
  #isAsked = false; // a frame is asked for
  #isRollDirty = true;
  #arePanelsDirty = true;
  #panelsAt = 0;
  #playedFrom = 0; // where Enter goes back to
  /** @type {(() => void) | null} */
  #stopMidi = null;
  /** @type {{key: readonly unknown[], notes: import("./player.js").Heard[]} | null} */
  #heardNow = null;

  /** @param {import("./desk.js").Wish} wish */
  send(wish) {
    if (!this.connection) return null;
    const id = newId();
    this.connection.send({ ...wish, id });
    return id;
  }

  /** Do what a command of commands.js says. @param {string} name @returns {boolean} false: it means nothing now */
  obey(name) {
    if (commandNamed(name).does(this) === false) return false;
    this.redraw(true);
    return true;
  }

  /** What is heard, reckoned once for each state. */
  heard() {
    const { desk } = this;
    const key = [desk.notes, desk.asking.alternative, desk.state.alternatives, desk.mix.signature];
    if (!this.#heardNow || this.#heardNow.key.some((part, i) => part !== key[i]))
      this.#heardNow = { key, notes: desk.heard() };
    return this.#heardNow.notes;
  }

  // What has changed is drawn in the next frame

  /** @param {string} what */
  changed(what) {
    const { desk } = this;
    if (what === "caret") {
      this.speak(describe(desk, desk.caret, true));
      this.staff.mark(desk.caret.step);
    }
    if (HEARD_ANEW.has(what)) this.player.changed();
    if (what === "welcome" || what === "entries") this.player.tones?.load(desk.notes.map((note) => note.pitch));
    if (what === "welcome") this.#begun();
    if (what === "suggestions") this.#offered();
    if (what === "alternatives" && desk.asking.shownAlternative && desk.state.alternatives) {
      const n = desk.state.alternatives.alternatives.length;
      this.speak(`way ${desk.asking.alternative + 1} of ${n}`);
    }
    if (what === "running" && desk.state.run && !desk.isRunning)
      this.speak(`the model has stopped after ${desk.state.run.n_changes} changes`);
    if (what === "done" || what === "entries") this.staff.changed(desk.state.seq);
    if (desk.state.hasGap) this.connection?.again();
    this.redraw(what !== "caret");
  }

  #begun() {
    const { desk } = this;
    if (!this.#hasFitted && desk.settings) {
      this.#hasFitted = true;
      this.resize();
      this.view = geometry.fit(this.view, [...desk.notes], desk.nSteps);
      const opening = desk.notes.filter((note) => note.onset === desk.notes[0].onset).map((note) => note.pitch);
      desk.caret = { step: 0, pitch: opening.length ? Math.max(...opening) : desk.caret.pitch };
    }
    this.staff.changed(desk.state.seq);
  }

  #offered() {
    const { desk } = this;
    const suggestion = desk.asking.shownSuggestion;
    if (!suggestion) {
      if (desk.asking.isSuggesting) this.speak(desk.state.suggestions?.text ?? "nothing to suggest");
      return;
    }
    const { note } = suggestion;
    this.reveal(note.onset, note.onset + note.duration, note.pitch);
    this.speak(
      `${suggestion.action === "add" ? "suggested" : "the model would take back"}: ${geometry.noteName(note.pitch, desk.key, true)}, ` +
        `${geometry.placeInWords(desk.bars, note.onset)}, ${suggestion.voice ?? ""}, ${suggestion.sureness}`,
    );
  }

  /** @param {string} text for those who listen */
  speak = (text) => {
    byId("spoken").textContent = text;
  };

  /** @param {boolean} [withPanels] */
  redraw(withPanels = false) {
    this.#isRollDirty = true;
    if (withPanels) this.#arePanelsDirty = true;
    this.#askFrame();
  }

  #askFrame() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => this.#frame());
  }

  #frame() {
    this.#isAsked = false;
    const { desk, player } = this;
    const now = performance.now();
    const playhead = player.isPlaying ? player.position : null;
    if (playhead !== null) {
      if (!this.drag && !this.band) {
        const view = geometry.follow(this.view, playhead, desk.nSteps);
        if (view !== this.view) {
          this.view = view;
          this.#isRollDirty = true;
        }
      }
      this.staff.mark(playhead);
    }
    const isMoving = desk.state.fading.length > 0 || desk.state.arrived.size > 0;
    if (isMoving) {
      desk.state = reduce(desk.state, { type: "forget" }, now);
      this.#isRollDirty = true;
    }
    if (this.#isRollDirty) {
      this.#isRollDirty = false;
      const { width, height } = this.view;
      drawRoll(prepare(byId("notes"), width, height), this.view, this.scene(now), this.theme);
    }
    this.#drawMoving(playhead);
    // while the model streams, lists are built anew some times a second, not sixty
    if (this.#arePanelsDirty && (!desk.isRunning || now - this.#panelsAt > LOOKED)) {
      this.#arePanelsDirty = false;
      this.#panelsAt = now;
      showPanels(this);
    }
    if (player.isPlaying || isMoving || this.#arePanelsDirty) this.#askFrame();
  }

  /** @param {number | null} playhead */
  #drawMoving(playhead) {
    const { band, desk, theme, view } = this;
    const { caret, region, settings } = desk;
    const at = playhead ?? caret.step;
    drawOverlay(
      prepare(byId("overlay"), view.width, view.height),
      view,
      {
        caret: playhead === null ? { ...caret, length: Math.min(desk.length, 4) } : null,
        playhead,
        band,
        isFocused: document.activeElement === byId("roll"),
      },
      theme,
    );
    const ruler = byId("ruler").clientHeight;
    const locked = settings ? lockedBars(settings) : [];
    const phrases = settings?.phrases ?? [];
    const above = { bars: desk.bars, region, loop: desk.isLooping ? region : null, locked, phrases, playhead: at };
    drawRuler(prepare(byId("ruler"), view.width, ruler), view, above, theme, ruler);
    const sounds = (/** @type {import("./player.js").Heard} */ note) =>
      playhead !== null && note.onset <= playhead && playhead < note.onset + note.duration;
    const keyboard = byId("keyboard").clientWidth;
    const beside = {
      key: desk.key,
      sounding: new Set(
        playhead === null
          ? []
          : this.heard()
              .filter(sounds)
              .map((note) => note.pitch),
      ),
      hovered: this.hovered?.pitch ?? null,
      lockedRows: settings?.locks.pitches ?? [],
    };
    drawKeyboard(prepare(byId("keyboard"), keyboard, view.height), view, beside, theme, keyboard);
    showWhere(this, at);
  }

  /** Everything that the roll shows. @param {number} now */
  scene(now) {
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    return sceneOf(this.desk, this.drag, { now, isStill });
  }

  // Looking

  /** @param {View} view */
  setView(view) {
    this.view = view;
    this.redraw();
  }

  /** @param {number} from @param {number} to steps @param {number} pitch */
  reveal(from, to, pitch) {
    this.setView(geometry.reveal(this.view, { from, to, pitch }, this.desk.nSteps));
  }

  revealCaret() {
    const { step, pitch } = this.desk.caret;
    this.reveal(step, step + 1, pitch);
  }

  resize() {
    const { width, height } = byId("overlay").getBoundingClientRect();
    this.view = geometry.clampView(
      { ...this.view, width: Math.max(width, 50), height: Math.max(height, 50) },
      this.desk.nSteps,
    );
    this.redraw();
  }

  /** @param {Place | null} place */
  hover(place) {
    this.hovered = place;
    this.redraw();
  }

  /** @param {Place} place */
  goTo(place) {
    const { desk } = this;
    desk.moveCaret(place);
    const note = desk.noteAt(place.step, place.pitch);
    this.reveal(place.step, place.step + (note?.duration ?? 4), place.pitch);
    byId("roll").focus({ preventScroll: true });
  }

  toggleStaff() {
    if (!this.health?.score) {
      this.desk.say("this installation cannot draw staves");
      return;
    }
    const isShown = this.staff.toggle();
    byId("staff-button").setAttribute("aria-pressed", String(isShown));
    remember("staff", isShown ? "1" : "");
    this.staff.changed(this.desk.state.seq);
    this.resize();
  }

  // Hearing

  play(step = this.desk.caret.step) {
    const { desk } = this;
    const loop = desk.isLooping ? desk.region : null;
    const from = loop && (step < loop.from || step >= loop.to) ? loop.from : step >= desk.nSteps - 1 ? 0 : step;
    this.#playFrom(from, loop);
  }

  /** @param {number} from @param {geometry.Stretch | null} loop */
  #playFrom(from, loop) {
    this.#playedFrom = from;
    this.player.play(from, loop).catch(() => this.desk.say("this browser plays no sound; the rest works", true));
  }

  playOrStop() {
    if (this.player.isPlaying) this.stop(false);
    else this.play();
  }

  /** The bars that other ways were asked for, again and again. */
  hearRegion() {
    const { desk, player } = this;
    if (player.isPlaying) {
      player.stop();
      return;
    }
    const region = desk.asking.askedAbout ?? desk.region;
    if (region) this.#playFrom(region.from, region);
  }

  /** @param {boolean} goesBack */
  stop(goesBack) {
    const { desk, player } = this;
    const step = player.isPlaying ? Math.min(Math.floor(player.position), desk.nSteps - 1) : desk.caret.step;
    player.stop();
    desk.moveCaret({ step: goesBack ? this.#playedFrom : step, pitch: desk.caret.pitch });
  }

  loop() {
    const { desk, player } = this;
    if (!desk.region) desk.chooseBars(geometry.barOf(desk.bars, player.isPlaying ? player.position : desk.caret.step));
    desk.isLooping = !desk.isLooping;
    this.speak(desk.isLooping ? `${desk.chosenInWords()} in a loop` : "no loop");
    player.setLoop(desk.isLooping ? desk.region : null);
    desk.changed("region");
  }

  /** Where it plays, if it does. @param {number} step */
  seek = (step) => {
    if (this.player.isPlaying) this.play(step);
  };

  /** @param {number} pitch @param {number} voice */
  preview = (pitch, voice) => {
    if (!this.player.isPlaying) this.player.preview(pitch, voice).catch(() => {});
  };

  // Writing

  /** @param {number} steps @param {number} semitones */
  nudge(steps, semitones) {
    const { desk } = this;
    desk.nudge(steps, semitones);
    if (semitones) this.preview(desk.caret.pitch, 1);
    this.revealCaret();
  }

  /** Through suggestions. @param {1 | -1} direction */
  walk(direction) {
    this.desk.asking.walk(direction);
    this.#offered();
  }

  /** @param {"select" | "draw"} tool */
  setTool(tool) {
    this.desk.tool = tool;
    this.speak(tool === "select" ? "arrow" : "pencil");
    this.redraw(true);
  }

  async toggleMidi() {
    const button = byId("midi");
    if (this.#stopMidi) {
      this.#stopMidi();
      this.#stopMidi = null;
      button.setAttribute("aria-pressed", "false");
      return;
    }
    const { desk } = this;
    const entry = new StepEntry(
      (pitch) => {
        const step = desk.caret.step;
        desk.write(step, pitch);
        desk.moveCaret({ step, pitch });
        this.preview(pitch, 1);
      },
      () => desk.moveCaret({ step: desk.caret.step + desk.length, pitch: desk.caret.pitch }),
    );
    try {
      this.#stopMidi = await listen(entry);
      button.setAttribute("aria-pressed", "true");
      desk.say("the MIDI keyboard writes at the cursor now");
    } catch (error) {
      desk.say(`no MIDI keyboard: ${error instanceof Error ? error.message : error}`, true);
    }
  }
}

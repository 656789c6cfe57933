/**
 * The page: wires desk, socket, player, gestures, panels and canvases together, and draws when something has changed.
 */

import { Desk, surenessOf } from "./desk.js";
import { drawKeyboard, drawOverlay, drawPicture, drawRoll, drawRuler, prepare, themeOf } from "./draw.js";
import * as geometry from "./geometry.js";
import { Gestures } from "./gestures.js";
import { commandOf } from "./keys.js";
import { StepEntry, hasMidi, listen } from "./midi.js";
import {
  buildHelp,
  byId,
  el,
  showChosen,
  showHistory,
  showNotice,
  showPartner,
  showRules,
  showTable,
  showVoices,
  wireRules,
  wireTabs,
  withSigns,
} from "./panels.js";
import { Player, render, secondsAt, wavOf } from "./player.js";
import { VOICES } from "./protocol.js";
import { Connection, newId } from "./socket.js";
import { StaffView } from "./staff.js";
import { Tones } from "./tones.js";
import { FADE, GLOW, isLocked, isModels, keyOf, voicesOf, withAlternative } from "./state.js";

/** @typedef {import("./geometry.js").View} View */
/** @typedef {import("./draw.js").DrawnNote} DrawnNote */
/** @typedef {import("./draw.js").Ghost} Ghost */
/** @typedef {import("./draw.js").Scene} Scene */
/** @typedef {import("./protocol.js").Health} Health */
/** @typedef {import("./protocol.js").PieceInfo} PieceInfo */

const RULER = 30; // pixels, as in studio.css
const KEYBOARD = 56;
const TYPES = [
  ["mid", "MIDI", "for notation programs and sequencers"],
  ["wav", "Sound (WAV)", "as it is heard here"],
  ["png", "Picture (PNG)", "the whole roll"],
  ["svg", "Picture (SVG)", "drawn by lines, for print"],
  ["ripieno", "Project", "with its whole history"],
  ["musicxml", "MusicXML", "for notation programs"],
];

/** The page as one thing: what gestures and panels need of it. */
class Page {
  constructor() {
    // handed to the panels by themselves
    this.obey = this.obey.bind(this);
    this.goTo = this.goTo.bind(this);
    this.isPlaying = this.isPlaying.bind(this);
    this.hearRegion = this.hearRegion.bind(this);
    this.desk = new Desk({ send: (wish) => this.send(wish), changed: (what) => this.changed(what) });
    /** @type {View} */
    this.view = { stepWidth: 14, rowHeight: 14, left: 0, top: 0, width: 800, height: 500 };
    /** @type {import("./gestures.js").Drag | null} */
    this.drag = null;
    /** @type {{x: number, y: number, width: number, height: number} | null} */
    this.band = null;
    /** @type {{step: number, pitch: number} | null} */
    this.hovered = null;
    /** @type {Connection | null} */
    this.connection = null;
    /** @type {Health | null} */
    this.health = null;
    this.hasFitted = false;
    this.isRefused = false; // by the server: trying again changes nothing
    this.isAsked = false; // a frame is asked for
    this.isRollDirty = true;
    this.arePanelsDirty = true;
    this.panelsAt = 0;
    this.playedFrom = 0; // where Enter goes back to
    this.theme = themeOf(document.body);
    /** @type {(() => void) | null} */
    this.stopMidi = null;
    this.player = new Player(
      {
        notes: () => this.heard(),
        tempos: () => [{ step: 0, bpm: this.desk.settings?.bpm ?? 88 }],
        end: () => this.desk.nSteps,
      },
      () => this.changed("playing"),
    );
    this.staff = new StaffView(byId("staff"), byId("score"));
    /** @type {{key: unknown, notes: import("./player.js").Heard[]} | null} */
    this.heardNow = null;
  }

  /** @param {import("./desk.js").Wish} wish */
  send(wish) {
    if (!this.connection) return null;
    const id = newId();
    this.connection.send({ ...wish, id });
    return id;
  }

  /** What is heard, reckoned once for each state. */
  heard() {
    const { desk } = this;
    const key = [
      desk.notes,
      desk.alternative,
      desk.state.alternatives,
      ...[desk.mutedVoices, desk.soloVoices, desk.mutedAuthors, desk.soloAuthors].map((set) => [...set].join()),
    ];
    const known = this.heardNow;
    if (known && /** @type {unknown[]} */ (known.key).every((part, i) => part === key[i])) return known.notes;
    const notes = desk.heard();
    this.heardNow = { key, notes };
    return notes;
  }

  // What has changed is drawn in the next frame

  /** @param {string} what */
  changed(what) {
    const { desk } = this;
    if (what === "caret") {
      this.speak(desk.describe(desk.caret, true));
      this.staff.mark(desk.caret.step);
    } else {
      this.isRollDirty = true;
      this.arePanelsDirty = true;
    }
    if (["entries", "edit", "welcome", "mute", "alternatives", "voices", "done", "error"].includes(what))
      this.player?.changed();
    if (what === "welcome" || what === "entries") this.player.tones?.load(desk.notes.map((note) => note.pitch));
    if (what === "welcome") this.#begun();
    if (what === "suggestions") this.#offered();
    if (what === "alternatives" && desk.shownAlternative && desk.state.alternatives) {
      const n = desk.state.alternatives.alternatives.length;
      this.speak(`way ${desk.alternative + 1} of ${n}`);
    }
    if (what === "running" && !desk.isRunning)
      this.speak(`the model has stopped after ${desk.state.run?.n_changes ?? 0} changes`);
    if (what === "done" || what === "entries") this.staff.changed(desk.state.seq);
    if (desk.state.hasGap) this.connection?.again();
    this.redraw();
  }

  #begun() {
    const { desk } = this;
    if (!this.hasFitted && desk.settings) {
      this.hasFitted = true;
      this.resize();
      this.view = geometry.fit(this.view, [...desk.notes], desk.nSteps);
      const opening = desk.notes.filter((note) => note.onset === desk.notes[0].onset).map((note) => note.pitch);
      desk.caret = { step: 0, pitch: Math.max(...opening, opening.length ? 0 : 67) };
    }
    this.staff.changed(desk.state.seq);
  }

  #offered() {
    const { desk } = this;
    const suggestion = desk.shownSuggestion;
    if (!suggestion) {
      if (desk.isSuggesting) this.speak(desk.state.suggestions?.text ?? "nothing to suggest");
      return;
    }
    const { note } = suggestion;
    this.setView(
      geometry.reveal(this.view, { from: note.onset, to: note.onset + note.duration, pitch: note.pitch }, desk.nSteps),
    );
    this.speak(
      `${suggestion.action === "add" ? "suggested" : "to be taken back"}: ${geometry.noteName(note.pitch, desk.key, true)}, ` +
        `${geometry.placeInWords(desk.bars, note.onset)}, ${suggestion.voice ?? ""}, ${suggestion.sureness}`,
    );
  }

  /** @param {string} text for those who listen */
  speak(text) {
    byId("spoken").textContent = text;
  }

  redraw() {
    this.isRollDirty = true;
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame(() => this.frame());
  }

  frame() {
    this.isAsked = false;
    const { desk, player } = this;
    const now = performance.now();
    let playhead = null;
    if (player.isPlaying) {
      playhead = player.position;
      if (!this.drag && !this.band) {
        const view = geometry.follow(this.view, playhead, desk.nSteps);
        if (view !== this.view) {
          this.view = view;
          this.isRollDirty = true;
        }
      }
      this.staff.mark(playhead);
    }
    const isMoving = desk.state.fading.length > 0 || desk.state.arrived.size > 0;
    if (isMoving) {
      desk.state = reduceForget(desk, now);
      this.isRollDirty = true;
    }
    if (this.isRollDirty) {
      this.isRollDirty = false;
      this.drawAll(now);
    }
    this.drawMoving(playhead);
    // while the model streams, lists are built anew some times a second, not sixty
    const isDue = !desk.isRunning || now - this.panelsAt > 90;
    if (this.arePanelsDirty && isDue) {
      this.arePanelsDirty = false;
      this.panelsAt = now;
      this.showPanels();
    }
    if (player.isPlaying || isMoving || this.arePanelsDirty) {
      if (!this.isAsked) {
        this.isAsked = true;
        requestAnimationFrame(() => this.frame());
      }
    }
  }

  /** @param {number} now */
  drawAll(now) {
    const scene = this.scene(now);
    drawRoll(prepare(byId("notes"), this.view.width, this.view.height), this.view, scene, this.theme);
  }

  /** @param {number | null} playhead */
  drawMoving(playhead) {
    const { desk, view, theme } = this;
    const isFocused = document.activeElement === byId("roll");
    const showsCaret = !this.player.isPlaying;
    drawOverlay(
      prepare(byId("overlay"), view.width, view.height),
      view,
      {
        caret: showsCaret ? { ...desk.caret, length: Math.min(desk.length, 4) } : null,
        playhead,
        band: this.band,
        loop: null,
        isFocused,
      },
      theme,
    );
    const ruler = {
      bars: desk.bars,
      region: desk.region,
      loop: desk.region,
      isLooping: desk.isLooping,
      locked: this.lockedBars(),
      playhead: playhead ?? desk.caret.step,
    };
    drawRuler(
      prepare(byId("ruler"), view.width, RULER),
      view,
      { ...ruler, loop: desk.isLooping ? desk.region : null },
      theme,
      RULER,
    );
    const sounding = new Set(
      playhead === null
        ? []
        : this.heard()
            .filter((note) => note.onset <= playhead && playhead < note.onset + note.duration)
            .map((note) => note.pitch),
    );
    const lockedRows = desk.settings?.locks.pitches ?? [];
    drawKeyboard(
      prepare(byId("keyboard"), KEYBOARD, view.height),
      view,
      { key: desk.key, sounding, hovered: this.hovered?.pitch ?? null, lockedRows },
      theme,
      KEYBOARD,
    );
    const at = geometry.placeOf(desk.bars, Math.min(Math.floor(playhead ?? desk.caret.step), desk.nSteps - 1));
    const text = `${at.bar} : ${Math.floor(at.beat)}`;
    const output = byId("position");
    if (output.value !== text) output.value = text;
    this.showWhere();
  }

  lockedBars() {
    const { settings } = this.desk;
    return (settings?.bars ?? [])
      .filter((bar) => settings?.locks.bars.includes(bar.number))
      .map((bar) => ({ from: bar.start, to: bar.start + bar.n_steps }));
  }

  /** Everything that the roll shows. @param {number} now @returns {Scene} */
  scene(now) {
    const { desk, drag } = this;
    const { settings, state } = desk;
    const alternative = desk.shownAlternative;
    const voiceNames = state.alternatives?.voices ?? [];
    const all = alternative ? withAlternative(desk.notes, alternative, voiceNames) : desk.notes;
    const voices = voicesOf(all);
    // what it removes and adds just so has not changed
    const before = new Map(alternative?.remove.map((shape) => [keyOf(shape), shape.duration]));
    const come = new Set(alternative?.add.filter((shape) => before.get(keyOf(shape)) !== shape.duration).map(keyOf));
    const held = new Set(drag && !drag.isCopy ? drag.held.map(keyOf) : []);
    const doubts =
      desk.isDoubting && state.doubts
        ? new Map(state.doubts.notes.map((one) => [keyOf(one.note), 1 - one.belongs]))
        : null;
    const hasLocks =
      settings &&
      (settings.locks.notes.length ||
        settings.locks.voices.length ||
        settings.locks.bars.length ||
        settings.locks.pitches.length);
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    /** @type {DrawnNote[]} */
    const notes = [];
    /** @type {Ghost[]} */
    const ghosts = [];
    for (const note of all) {
      const key = keyOf(note);
      const voice = voices.get(key) ?? 0;
      if (come.has(key)) {
        ghosts.push({ onset: note.onset, pitch: note.pitch, duration: note.duration, voice, adds: true });
        continue;
      }
      if (held.has(key)) continue;
      const came = state.arrived.get(key);
      notes.push({
        onset: note.onset,
        pitch: note.pitch,
        duration: note.duration,
        voice,
        isModels: isModels(note),
        isSelected: desk.selected.has(key),
        isLocked: hasLocks ? isLocked(/** @type {any} */ (settings), note) : false,
        isMuted: !desk.isHeard(voice, isModels(note)),
        glow: came === undefined || isStill ? 0 : Math.max(0, 1 - (now - came) / GLOW),
        doubt: doubts?.get(key),
      });
    }
    if (alternative) {
      const stays = new Set(alternative.add.map(keyOf));
      const sung = voicesOf(desk.notes);
      for (const note of desk.notes) {
        const key = keyOf(note);
        if (before.has(key) && !stays.has(key))
          ghosts.unshift({ ...note, voice: sung.get(key) ?? 0, adds: false, isFaint: true });
      }
    }
    if (drag) {
      drag.dropped.forEach((note, i) => {
        const from = drag.held[i];
        notes.push({ ...note, voice: from ? desk.voiceOf(from) : 0, isModels: false, isSelected: true });
      });
      notes.sort((a, b) => a.onset - b.onset);
    }
    const suggestion = desk.shownSuggestion;
    if (suggestion) {
      const voice = suggestion.voice ? VOICES.indexOf(suggestion.voice) : desk.voiceOf(suggestion.note);
      ghosts.push({ ...suggestion.note, voice, adds: suggestion.action === "add", label: suggestion.sureness });
    }
    if (doubts && state.doubts) {
      for (const run of runsOf(state.doubts.cells.filter((cell) => !cell.sounds && cell.probability >= 0.5))) {
        ghosts.push({ ...run, voice: 1, adds: true, isFaint: true });
      }
    }
    const rules = settings?.rules;
    const limits = state.limits;
    const range =
      rules && (rules.lowest !== null || rules.highest !== null)
        ? { low: rules.lowest ?? limits?.lowest ?? 0, high: rules.highest ?? limits?.highest ?? 127 }
        : null;
    return {
      bars: desk.bars,
      key: desk.key,
      notes,
      fading: state.fading.map(({ note, at }) => ({
        ...note,
        voice: note.voice ? VOICES.indexOf(note.voice) : 0,
        left: isStill ? 1 : 1 - (now - at) / FADE,
      })),
      ghosts,
      region: desk.region,
      locked: this.lockedBars(),
      lockedRows: settings?.locks.pitches ?? [],
      range,
      isFaint: alternative !== null,
    };
  }

  // What stands around the roll

  showPanels() {
    const { desk } = this;
    const { settings, state } = desk;
    showVoices(this);
    showChosen(this);
    showPartner(this);
    showRules(this);
    showHistory(this);
    showTable(this);
    showNotice(state.notice);
    if (settings) {
      const name = byId("name");
      name.disabled = false;
      if (name !== document.activeElement) name.value = settings.name;
      document.title = `${settings.name} – Ripieno`;
      const tempo = byId("tempo");
      if (tempo !== document.activeElement) tempo.value = String(Math.round(settings.bpm * 10) / 10);
      const [meter] = desk.bars.meters;
      byId("reading").textContent =
        `${geometry.keyName(settings.key)}, ${meter?.numerator ?? 4}/${meter?.denominator ?? 4}`;
      byId("empty").hidden = desk.notes.length > 0 || this.drag !== null;
    }
    byId("tool-select").setAttribute("aria-checked", String(desk.tool === "select"));
    byId("tool-draw").setAttribute("aria-checked", String(desk.tool === "draw"));
    byId("loop").setAttribute("aria-pressed", String(desk.isLooping));
    byId("loop").disabled = !desk.region;
    const { isPlaying } = this.player;
    byId("play").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    byId("play-icon").setAttribute("href", `icons.svg#${isPlaying ? "pause" : "play"}`);
    const line = byId("line");
    const waits = state.pending.length > 0;
    line.className = `line${state.connection === "lost" ? " lost" : state.connection !== "open" || waits ? " waiting" : ""}`;
    const text = {
      open: waits ? "saving …" : "all kept",
      connecting: "connecting …",
      lost: this.isRefused ? "no piece is open" : "the studio has stopped; coming back as soon as it runs",
    }[state.connection];
    if (byId("line-text").textContent !== text) byId("line-text").textContent = text;
    byId("hint").textContent = this.hint();
  }

  hint() {
    const { desk } = this;
    if (desk.state.alternatives) return "↑↓ other ways · Space hear · Tab take · R more · Esc close";
    if (desk.isSuggesting) return "Tab accept · ⌫ refuse · ↑↓ next best · Esc stop suggesting";
    if (desk.selected.size) return "arrows move · Alt ←→ shorter, longer · Del delete · R other ways · K keep";
    return "N write · Space play · G suggest · F fill · R other ways · ? all shortcuts";
  }

  showWhere() {
    const { desk } = this;
    const where = byId("where");
    const place = this.hovered ?? desk.caret;
    let text = desk.describe(place);
    const note = desk.noteAt(place.step, place.pitch);
    const belongs = note && desk.belongs(note);
    if (typeof belongs === "number") text += ` (${Math.round(belongs * 100)} % that it belongs)`;
    const suggestion = desk.shownSuggestion;
    if (
      suggestion &&
      suggestion.note.pitch === place.pitch &&
      suggestion.note.onset <= place.step &&
      place.step < suggestion.note.onset + suggestion.note.duration
    ) {
      text += ` (${Math.round(suggestion.probability * 100)} %)`;
    }
    if (where.textContent !== text) where.textContent = text;
  }

  // What gestures and panels ask for

  /** @param {View} view */
  setView(view) {
    this.view = view;
    this.redraw();
  }

  /** @param {number} pitch @param {number} voice */
  preview(pitch, voice) {
    if (!this.player.isPlaying) this.player.preview(pitch, voice).catch(() => {});
  }

  /** @param {number} step */
  seek(step) {
    if (this.player.isPlaying) this.play(step);
  }

  /** @param {{step: number, pitch: number} | null} place */
  hover(place) {
    this.hovered = place;
    this.redraw();
  }

  /** @param {{step: number, pitch: number}} place */
  goTo(place) {
    const { desk } = this;
    desk.moveCaret(place);
    const note = desk.noteAt(place.step, place.pitch);
    this.setView(
      geometry.reveal(
        this.view,
        { from: place.step, to: place.step + (note?.duration ?? 4), pitch: place.pitch },
        desk.nSteps,
      ),
    );
    byId("roll").focus({ preventScroll: true });
  }

  isPlaying() {
    return this.player.isPlaying;
  }

  // Playing

  play(step = this.desk.caret.step) {
    const { desk, player } = this;
    const loop = desk.isLooping ? desk.region : null;
    const from = loop && (step < loop.from || step >= loop.to) ? loop.from : step >= desk.nSteps - 1 ? 0 : step;
    this.playedFrom = from;
    player.play(from, loop).catch(() => desk.say("this browser lets no sound out; the rest works", true));
  }

  /** The bars that other ways were asked for, again and again. */
  hearRegion() {
    const { desk, player } = this;
    if (player.isPlaying) {
      player.stop();
      return;
    }
    const open = desk.state.alternatives;
    const bars = desk.settings?.bars ?? [];
    const first = bars.find((bar) => bar.number === open?.bars[0]);
    const last = bars.find((bar) => bar.number === open?.bars[1]);
    const region = first && last ? { from: first.start, to: last.start + last.n_steps } : desk.region;
    if (!region) return;
    this.playedFrom = region.from;
    player.play(region.from, region).catch(() => {});
  }

  /** @param {boolean} goesBack */
  stop(goesBack) {
    const { desk, player } = this;
    const step = player.isPlaying ? Math.min(Math.floor(player.position), desk.nSteps - 1) : desk.caret.step;
    player.stop();
    desk.moveCaret({ step: goesBack ? this.playedFrom : step, pitch: desk.caret.pitch });
  }

  // Commands

  /**
   * Obey a command of keys.js, or of a button.
   *
   * @param {string} command
   * @returns {boolean} false: it means nothing now, and the key keeps its usual meaning
   */
  obey(command) {
    const { desk, player } = this;
    const hasWays = desk.state.alternatives !== null;
    const walks = desk.isSuggesting && desk.state.suggestions !== null && !desk.selected.size;
    const chosen = desk.selectedNotes.length > 0;
    switch (command) {
      case "play":
        if (hasWays) this.hearRegion();
        else if (player.isPlaying) this.stop(false);
        else this.play();
        break;
      case "stop":
        this.stop(true);
        break;
      case "loop":
        this.loop();
        break;
      case "toStart":
        desk.moveCaret({ step: 0, pitch: desk.caret.pitch });
        this.seek(0);
        break;
      case "toEnd":
        desk.moveCaret({ step: desk.nSteps - 1, pitch: desk.caret.pitch });
        break;
      case "mute":
        if (!desk.voices.size) desk.say("choose the voices to mute first: S, A, T, B");
        for (const voice of desk.voices) desk.mute(voice);
        break;
      case "selectTool":
      case "drawTool":
        if (hasWays) desk.showAlternative(command === "selectTool" ? 0 : 1);
        else this.setTool(command === "selectTool" ? "select" : "draw");
        break;
      case "write": {
        const note = desk.write();
        if (note) this.preview(note.pitch, desk.voiceOf(note));
        break;
      }
      case "pick": {
        const note = desk.noteAt(desk.caret.step, desk.caret.pitch);
        if (note) desk.toggle(note);
        this.speak(desk.describe(desk.caret, true));
        break;
      }
      case "up":
      case "down": {
        const direction = command === "up" ? 1 : -1;
        if (hasWays) desk.walkAlternatives(direction > 0 ? -1 : 1);
        else if (walks) this.walk(direction > 0 ? -1 : 1);
        else this.nudge(0, direction);
        break;
      }
      case "left":
      case "right":
        if (hasWays) desk.walkAlternatives(command === "left" ? -1 : 1);
        else this.nudge((command === "left" ? -1 : 1) * (chosen ? 1 : desk.grid), 0);
        break;
      case "octaveUp":
      case "octaveDown":
        this.nudge(0, command === "octaveUp" ? 12 : -12);
        break;
      case "barLeft":
      case "barRight":
        desk.nudgeBar(command === "barLeft" ? -1 : 1);
        this.#revealCaret();
        break;
      case "shorter":
      case "longer":
        desk.lengthen(command === "shorter" ? -1 : 1);
        this.speak(chosen ? desk.describe(desk.caret, true) : `notes of ${desk.length} sixteenths`);
        break;
      case "nextNote":
      case "previousNote":
        desk.toNote(command === "nextNote" ? 1 : -1);
        this.#revealCaret();
        break;
      case "remove":
        if (desk.removeAtHand()) this.speak("deleted");
        break;
      case "undo":
        desk.undo();
        break;
      case "redo":
        desk.redo();
        break;
      case "copy":
        if (!desk.copy()) return false;
        keepClip(desk.clip);
        this.speak(`${desk.clip.length} notes copied`);
        break;
      case "cut":
        if (!chosen) return false;
        desk.cut();
        keepClip(desk.clip);
        break;
      case "paste":
        desk.clip = keptClip() ?? desk.clip;
        desk.paste();
        break;
      case "duplicate":
        desk.duplicate();
        break;
      case "all":
        desk.chooseAll();
        this.speak(`${desk.selected.size} notes chosen`);
        break;
      case "leave":
        if (this.drag || this.band) this.gestures?.cancel();
        else return desk.leave();
        break;
      case "firstBar":
      case "lastBar":
        desk.barEdge(command === "firstBar" ? "from" : "to");
        this.speak(`${desk.chosenInWords()} chosen`);
        break;
      case "soprano":
      case "alto":
      case "tenor":
      case "bass":
        desk.toggleVoice(["soprano", "alto", "tenor", "bass"].indexOf(command));
        this.speak(desk.voices.size ? `${desk.chosenInWords()} chosen` : "no voice chosen");
        break;
      case "lock": {
        const done = desk.lock();
        if (done) this.speak(done);
        break;
      }
      case "again":
        desk.again();
        break;
      case "suggest":
        desk.suggest();
        if (!desk.isSuggesting) this.speak("no more suggestions");
        break;
      case "accept":
        if (hasWays) {
          if (desk.take()) this.speak("taken");
        } else {
          const taken = desk.accept();
          if (!taken) return false;
          if (taken.action === "add") this.preview(taken.note.pitch, taken.voice ? VOICES.indexOf(taken.voice) : 1);
          desk.moveCaret({ step: taken.note.onset, pitch: taken.note.pitch });
          this.speak("accepted");
        }
        break;
      case "refuse":
        if (hasWays) desk.closeAlternatives();
        else if (walks && desk.shownSuggestion) {
          if (desk.refuse()) this.speak("refused");
        } else if (desk.removeAtHand()) this.speak("deleted");
        break;
      case "fill":
        desk.fill();
        this.speak(desk.isRunning ? "stopping" : "the model writes");
        break;
      case "doubts":
        desk.doubt();
        break;
      case "closer":
      case "farther": {
        const x = geometry.stepToX(this.view, desk.caret.step);
        const middle = x >= 0 && x <= this.view.width ? x : this.view.width / 2;
        this.setView(geometry.zoomTime(this.view, command === "closer" ? 1.25 : 0.8, middle, desk.nSteps));
        break;
      }
      case "whole":
        this.setView(geometry.fit(this.view, [...desk.notes], desk.nSteps));
        break;
      case "staff":
        this.toggleStaff();
        break;
      case "save":
        this.saveAs("mid");
        break;
      case "open":
        byId("file").click();
        break;
      case "help":
        if (!byId("help").open) byId("help").showModal();
        break;
      default:
        return false;
    }
    this.arePanelsDirty = true;
    this.redraw();
    return true;
  }

  /** @type {Gestures | null} */
  gestures = null;

  /** @param {number} steps @param {number} semitones */
  nudge(steps, semitones) {
    const { desk } = this;
    desk.nudge(steps, semitones);
    if (semitones) this.preview(desk.caret.pitch, 1);
    this.#revealCaret();
  }

  #revealCaret() {
    const { desk } = this;
    const { step, pitch } = desk.caret;
    this.setView(geometry.reveal(this.view, { from: step, to: step + 1, pitch }, desk.nSteps));
  }

  /** @param {1 | -1} direction */
  walk(direction) {
    this.desk.walk(direction);
    this.#offered();
  }

  /** @param {"select" | "draw"} tool */
  setTool(tool) {
    this.desk.tool = tool;
    this.speak(tool === "select" ? "arrow" : "pencil");
    this.arePanelsDirty = true;
    this.redraw();
  }

  loop() {
    const { desk, player } = this;
    if (!desk.region) {
      const at = player.isPlaying ? player.position : desk.caret.step;
      desk.chooseBars(geometry.barOf(desk.bars, at));
    }
    desk.isLooping = !desk.isLooping;
    this.speak(desk.isLooping ? `${desk.chosenInWords()} in a loop` : "no loop");
    player.setLoop(desk.isLooping ? desk.region : null);
    desk.changed("region");
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

  // In and out

  get fileName() {
    return (this.desk.settings?.name ?? "piece").replace(/[\\/:*?"<>|]+/g, " ").trim() || "piece";
  }

  /** @param {string} format */
  exportUrl(format) {
    return new URL(`api/pieces/${this.desk.state.piece}/export/${format}`, document.baseURI).href;
  }

  /** @param {string} format */
  async saveAs(format) {
    const { desk } = this;
    try {
      let blob;
      if (format === "wav") blob = await this.wav();
      else if (format === "png") blob = await this.png();
      else {
        const response = await fetch(this.exportUrl(format));
        if (!response.ok)
          throw new Error((await response.json().catch(() => null))?.text ?? `the studio answered ${response.status}`);
        blob = await response.blob();
      }
      const link = el("a", { download: `${this.fileName}.${format}`, href: URL.createObjectURL(blob) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(/** @type {HTMLAnchorElement} */ (link).href), 60000);
      desk.say(`${this.fileName}.${format} is saved with your downloads`);
    } catch (error) {
      desk.say(
        `${this.fileName}.${format} could not be saved: ${error instanceof Error ? error.message : error}`,
        true,
      );
    }
  }

  async wav() {
    const { desk } = this;
    const tempos = this.player.music.tempos();
    const buffer = await render(this.heard(), { tempos, from: 0, to: desk.nSteps, tones: this.player.tones });
    return new Blob([wavOf([buffer.getChannelData(0), buffer.getChannelData(1)], buffer.sampleRate)], {
      type: "audio/wav",
    });
  }

  /** @returns {Promise<Blob>} */
  async png() {
    const canvas = document.createElement("canvas");
    drawPicture(canvas, this.scene(performance.now()), this.theme, this.desk.settings?.name ?? "");
    return new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large"))), "image/png"),
    );
  }

  /** @param {File} file */
  async open(file) {
    const { desk } = this;
    const most = desk.state.limits?.upload_bytes ?? 8 * 2 ** 20;
    if (file.size > most) {
      desk.say(
        `${file.name} is too large: ${Math.round(file.size / 2 ** 20)} MB; the studio opens files up to ${Math.round(most / 2 ** 20)} MB`,
        true,
      );
      return;
    }
    try {
      const response = await fetch(`api/pieces/import?name=${encodeURIComponent(file.name)}`, {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body: await file.arrayBuffer(),
      });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.text ?? `the studio answered ${response.status}`);
      if (answer.remarks?.length) remember("remarks", JSON.stringify(answer.remarks), sessionStorage);
      show(answer.piece.id);
    } catch (error) {
      desk.say(
        error instanceof TypeError
          ? "the studio does not answer; start it again with `ripieno studio`"
          : String(/** @type {Error} */ (error).message),
        true,
      );
    }
  }

  async listPieces() {
    const list = byId("recent");
    const answer = await fetch("api/pieces")
      .then((response) => response.json())
      .catch(() => null);
    /** @type {PieceInfo[]} */
    const pieces = answer?.pieces ?? [];
    list.replaceChildren(
      ...pieces.slice(0, 20).map((piece) =>
        el(
          "li",
          {},
          el(
            "a",
            {
              href: `?piece=${encodeURIComponent(piece.id)}`,
              "aria-current": piece.id === this.desk.state.piece ? "page" : null,
            },
            el("span", {}, piece.name),
            el("span", { class: "quiet" }, ago(piece.changed)),
          ),
          piece.id !== this.desk.state.piece &&
            el(
              "button",
              {
                type: "button",
                class: "icon",
                "aria-label": `Forget ${piece.name}`,
                title: "Forget this piece and its history",
                onclick: () => this.forget(piece),
              },
              "✕",
            ),
        ),
      ),
    );
  }

  /** @param {PieceInfo} piece */
  async forget(piece) {
    if (!confirm(`Forget “${piece.name}” with its whole history? It cannot be brought back.`)) return;
    const response = await fetch(`api/pieces/${encodeURIComponent(piece.id)}`, { method: "DELETE" }).catch(() => null);
    if (!response?.ok) this.desk.say(`“${piece.name}” could not be forgotten`, true);
    await this.listPieces();
  }

  listFormats() {
    const known = new Set([...(this.health?.formats ?? []), "wav", "png"]);
    byId("formats").replaceChildren(
      ...TYPES.filter(([format]) => known.has(format)).map(([format, name, text]) =>
        el(
          "li",
          {},
          el(
            "button",
            { type: "button", "data-format": format, onclick: () => (byId("save").hidePopover(), this.saveAs(format)) },
            el("span", {}, name),
            el("span", { class: "quiet" }, text),
          ),
        ),
      ),
    );
  }

  async toggleMidi() {
    const button = byId("midi");
    if (this.stopMidi) {
      this.stopMidi();
      this.stopMidi = null;
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
      this.stopMidi = await listen(entry);
      button.setAttribute("aria-pressed", "true");
      desk.say("keys of the MIDI keyboard are written at the cursor");
    } catch (error) {
      desk.say(`no MIDI keyboard: ${error instanceof Error ? error.message : error}`, true);
    }
  }

  resize() {
    const box = byId("roll").getBoundingClientRect();
    const width = Math.max(box.width - KEYBOARD, 50);
    const height = Math.max(box.height - RULER, 50);
    this.view = geometry.clampView({ ...this.view, width, height }, this.desk.nSteps);
    this.redraw();
  }
}

/** @param {Desk} desk @param {number} now */
function reduceForget(desk, now) {
  const { state } = desk;
  const fading = state.fading.filter((gone) => now - gone.at < FADE);
  const arrived = new Map([...state.arrived].filter(([, at]) => now - at < GLOW));
  return { ...state, fading, arrived };
}

/** Cells side by side as runs. @param {{step: number, pitch: number}[]} cells */
function runsOf(cells) {
  const sorted = [...cells].sort((a, b) => a.pitch - b.pitch || a.step - b.step);
  /** @type {{onset: number, pitch: number, duration: number}[]} */
  const runs = [];
  for (const cell of sorted) {
    const last = runs.at(-1);
    if (last && last.pitch === cell.pitch && last.onset + last.duration === cell.step) last.duration += 1;
    else runs.push({ onset: cell.step, pitch: cell.pitch, duration: 1 });
  }
  return runs;
}

/** @param {number} seconds since 1970 */
function ago(seconds) {
  const minutes = Math.round((Date.now() / 1000 - seconds) / 60);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 60 * 24) return `${Math.round(minutes / 60)} h ago`;
  return new Date(seconds * 1000).toLocaleDateString();
}

/** @param {string} name @param {string} value */
function remember(name, value, where = localStorage) {
  try {
    where.setItem(`ripieno-${name}`, value);
  } catch {
    // a browser that keeps nothing still works
  }
}

/** @param {string} name */
function remembered(name, where = localStorage) {
  try {
    return where.getItem(`ripieno-${name}`);
  } catch {
    return null;
  }
}

/** What was copied can be pasted in another piece. @param {readonly object[]} clip */
const keepClip = (clip) => remember("clip", JSON.stringify(clip));

function keptClip() {
  try {
    return JSON.parse(remembered("clip") ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} piece */
function show(piece) {
  location.assign(`?piece=${encodeURIComponent(piece)}`);
}

// The beginning

/** @param {Page} page */
function wire(page) {
  const { desk, player } = page;
  const on = (/** @type {string} */ id, /** @type {string} */ event, /** @type {(event: any) => void} */ act) =>
    byId(id).addEventListener(event, act);
  for (const [id, command] of [
    ["stop", "stop"],
    ["loop", "loop"],
    ["undo", "undo"],
    ["redo", "redo"],
    ["suggest", "suggest"],
    ["again", "again"],
    ["fill", "fill"],
    ["doubts", "doubts"],
    ["tool-select", "selectTool"],
    ["tool-draw", "drawTool"],
    ["staff-button", "staff"],
    ["help-button", "help"],
  ]) {
    on(id, "click", () => page.obey(command));
  }
  on("play", "click", () => (player.isPlaying ? page.stop(false) : page.play()));
  on("inner", "click", () => desk.redoInner());
  on("drag-out", "click", () => page.saveAs("mid"));
  on("drag-out", "dragstart", (/** @type {DragEvent} */ event) => {
    const url = page.exportUrl("mid");
    event.dataTransfer?.setData("DownloadURL", `audio/midi:${page.fileName}.mid:${url}`);
    event.dataTransfer?.setData("text/uri-list", url);
    if (event.dataTransfer) event.dataTransfer.effectAllowed = "copy";
  });
  on("midi", "click", () => page.toggleMidi());
  byId("midi").hidden = !hasMidi();
  on("grid", "change", (event) => {
    desk.grid = Number(event.target.value);
    remember("grid", event.target.value);
  });
  byId("grid").value = remembered("grid") ?? "2";
  if (!byId("grid").value) byId("grid").value = "2";
  desk.grid = Number(byId("grid").value);
  on("tempo", "change", (event) => {
    if (!event.target.checkValidity() || !event.target.value) {
      desk.say(
        `a tempo of ${event.target.value || "nothing"} cannot be played here; take ${event.target.min} to ${event.target.max}`,
        true,
      );
      event.target.value = String(desk.settings?.bpm ?? 88);
      return;
    }
    page.send({ type: "tempo", bpm: Number(event.target.value) });
  });
  on("name", "change", (event) => {
    const name = event.target.value.trim();
    if (name && name !== desk.settings?.name) page.send({ type: "rename", name });
    else event.target.value = desk.settings?.name ?? "";
  });
  on("longer-piece", "click", () => page.send({ type: "lengthen", bars: 4 }));
  for (const id of ["name", "tempo"]) {
    on(id, "keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" || event.key === "Escape") byId("roll").focus();
    });
  }

  // menus open under their buttons
  for (const [button, menu, fill] of /** @type {[string, string, () => void][]} */ ([
    ["pieces-button", "pieces", () => page.listPieces()],
    ["save-button", "save", () => page.listFormats()],
  ])) {
    on(menu, "beforetoggle", (/** @type {any} */ event) => {
      if (event.newState !== "open") return;
      fill();
      const box = byId(button).getBoundingClientRect();
      const wide = Math.min(21 * 16, window.innerWidth - 24);
      byId(menu).style.top = `${box.bottom + 6}px`;
      byId(menu).style.left = `${Math.max(12, Math.min(box.left, window.innerWidth - wide - 12))}px`;
    });
  }
  on("open-file", "click", () => byId("file").click());
  on("file", "change", (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) page.open(file);
  });
  on("new-piece", "click", () => {
    byId("pieces").hidePopover();
    byId("begin-problem").textContent = "";
    byId("begin").showModal();
  });
  on("begin-cancel", "click", () => byId("begin").close());
  on("begin-form", "submit", async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(byId("begin-form")));
    const answer = await beginPiece({
      name: String(given.name),
      bars: Number(given.bars),
      meter: String(given.meter),
      key: String(given.key),
      bpm: Number(given.bpm),
    });
    if (typeof answer === "string") show(answer);
    else byId("begin-problem").textContent = answer.text;
  });

  // files dropped on the page
  let depth = 0;
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  addEventListener("dragenter", (event) => hasFiles(event) && ((depth += 1), (byId("drop").hidden = false)));
  addEventListener("dragleave", (event) => hasFiles(event) && (depth -= 1) <= 0 && (byId("drop").hidden = true));
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    depth = 0;
    byId("drop").hidden = true;
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    page.open(file);
  });

  addEventListener("keydown", (event) => pressed(page, event));
  // After a click on a button the keys are about the music again; who pressed it by key stays where they are.
  document.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest?.("button");
    if (event.detail > 0 && button?.closest(".partner, .voices, .chosen, .transport, [aria-label='Writing']"))
      byId("roll").focus({ preventScroll: true });
  });
  for (const name of ["focus", "blur"]) on("roll", name, () => page.redraw());
  new ResizeObserver(() => page.resize()).observe(byId("roll"));
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(prefers-reduced-motion: reduce)"]) {
    matchMedia(query).addEventListener("change", () => {
      page.theme = themeOf(document.body);
      page.redraw();
    });
  }
  addEventListener("online", () => page.connection?.hurry());
  document.addEventListener("visibilitychange", () => document.hidden || page.connection?.hurry());
  page.gestures = new Gestures(page, { roll: byId("overlay"), ruler: byId("ruler"), keyboard: byId("keyboard") });
  on("overlay", "pointerdown", () => byId("roll").focus({ preventScroll: true }));
  wireRules(page);
  wireTabs(() => {
    page.arePanelsDirty = true;
    page.redraw();
  });
  buildHelp();
}

/** @param {Page} page @param {KeyboardEvent} event */
function pressed(page, event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const command = commandOf(event);
  if (!command) return;
  const isWritten = target.matches("input:not([type=checkbox]):not([type=range]), select, textarea");
  if (isWritten && !["save", "open"].includes(command)) return;
  const isButton = target.matches("button, a, summary, input");
  const presses = event.key === " " || event.key === "Enter";
  if (isButton && presses) return;
  if (target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
  if (target.matches("[role=tab]") && event.key.startsWith("Arrow")) return;
  if (
    target.matches(".tabpanel, .staff, .help-body") &&
    ["Home", "End", "ArrowUp", "ArrowDown", " "].includes(event.key)
  )
    return;
  // Tab accepts where the music is; elsewhere it goes on to the next thing.
  if (command === "accept" && target.id !== "roll" && target !== document.body) return;
  if (
    event.repeat &&
    ["accept", "again", "fill", "suggest", "play", "doubts", "lock", "write"].includes(command) &&
    command !== "write"
  ) {
    event.preventDefault();
    return;
  }
  if (page.obey(command)) event.preventDefault();
}

/**
 * @param {{name: string, bars: number, meter: string, key: string, bpm: number}} what
 * @returns {Promise<string | {text: string}>} the id of the piece, or what went wrong
 */
async function beginPiece(what) {
  try {
    const response = await fetch("api/pieces", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(what),
    });
    const answer = await response.json();
    return response.ok ? answer.piece.id : { text: answer.text ?? "the piece could not be begun" };
  } catch {
    return { text: "the studio does not answer; start it again with `ripieno studio`" };
  }
}

/** The piece that the address names, else the one the program was started with, else the newest, else a new one. */
async function whichPiece() {
  const asked = new URLSearchParams(location.search).get("piece");
  if (asked) return asked;
  const answer = await fetch("api/pieces").then((response) => response.json());
  const found = answer.current ?? answer.pieces[0]?.id;
  if (found) return found;
  const begun = await beginPiece({ name: "Untitled", bars: 8, meter: "4/4", key: "C", bpm: 88 });
  if (typeof begun !== "string") throw new Error(begun.text);
  return begun;
}

async function start() {
  const page = new Page();
  wire(page);
  page.resize();
  const { desk } = page;
  try {
    const [health, piece] = await Promise.all([fetch("api/health").then((response) => response.json()), whichPiece()]);
    page.health = health;
    byId("staff-button").hidden = !health.score;
    if (health.soundfont !== null && globalThis.AudioContext) page.player.tones = new Tones("api/sound/");
    if (health.model === "missing") desk.receive({ type: "ready", model_ready: false, text: health.text });
    history.replaceState(null, "", `?piece=${encodeURIComponent(piece)}`);
    page.staff.url = `api/pieces/${encodeURIComponent(piece)}/score.svg`;
    if (health.score && remembered("staff")) page.toggleStaff();
    const address = new URL(`api/pieces/${encodeURIComponent(piece)}/socket`, document.baseURI);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    page.connection = new Connection({
      url: address.href,
      seen: () => desk.state.seq,
      receive: (message) => desk.receive(message),
      changed: (why, code) => {
        if (why === "refused") {
          page.isRefused = true;
          desk.receive({ type: "lost" });
          if (desk.state.notice?.isError) return; // the server has said why
          desk.say(
            code === 4404
              ? "there is no such piece here; open another one"
              : "the studio does not let this window in; load the page again",
            true,
          );
        } else desk.receive({ type: why });
      },
    });
    const remarks = JSON.parse(remembered("remarks", sessionStorage) ?? "[]");
    remember("remarks", "[]", sessionStorage);
    for (const remark of remarks) desk.say(withSigns(remark));
  } catch (error) {
    desk.say(
      error instanceof TypeError
        ? "the studio does not answer; start it again with `ripieno studio`"
        : String(/** @type {Error} */ (error).message),
      true,
    );
    desk.receive({ type: "lost" });
  }
  // For those who look behind the page, and for the tests.
  Object.assign(globalThis, {
    ripieno: { page, desk, player: page.player, render, secondsAt, surenessOf, drawRoll, prepare, byId },
  });
}

start();

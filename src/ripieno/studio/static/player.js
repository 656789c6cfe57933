/**
 * Hearing: notes are scheduled ahead on the audio clock, which never drifts; a timer only looks a little ahead.
 *
 * The sound is made here, for chorales: a soft organ stop, two pipes to a note, in a room. The same pipes play live, into
 * a file (`render`), and into the tests.
 */

/** @typedef {import("./geometry.js").Stretch} Stretch */
/** @typedef {{step: number, bpm: number}} Tempo Quarter notes a minute from a step on. */
/** @typedef {{onset: number, pitch: number, duration: number, voice: number}} Heard A note that sounds. */

const STEPS_PER_QUARTER = 4;
const AHEAD = 0.15; // seconds that are scheduled; a change that arrives later than this before its time is still heard
const AHEAD_HIDDEN = 1.6; // a tab in the background looks once a second at best
const LONGEST_WAIT = 3000; // milliseconds for the tones of a SoundFont
const TICK = 30; // milliseconds between two looks
const ATTACK = 0.018;
const RELEASE = 0.14;
const TAIL = 1.8; // seconds in which the room falls silent

// Time

/** Seconds from step 0 to a step. @param {readonly Tempo[]} tempos @param {number} step */
export function secondsAt(tempos, step) {
  let seconds = 0;
  for (let i = 0; i < tempos.length; i++) {
    const from = i === 0 ? Math.min(0, step) : tempos[i].step;
    const to = tempos[i + 1]?.step ?? Infinity;
    if (step <= from && i > 0) break;
    seconds += ((Math.min(step, to) - from) * 60) / tempos[i].bpm / STEPS_PER_QUARTER;
  }
  return seconds;
}

/** The step at so many seconds after step 0. @param {readonly Tempo[]} tempos @param {number} seconds */
export function stepAt(tempos, seconds) {
  let left = seconds;
  for (let i = 0; ; i++) {
    const perStep = 60 / tempos[i].bpm / STEPS_PER_QUARTER;
    const from = i === 0 ? 0 : tempos[i].step;
    const to = tempos[i + 1]?.step ?? Infinity;
    if (left <= (to - from) * perStep) return from + left / perStep;
    left -= (to - from) * perStep;
  }
}

/**
 * What is passed between two moments when playing began at `start`: stretches of the piece, each with the moment at
 * which it begins. A loop turns one stretch into several.
 *
 * @param {readonly Tempo[]} tempos
 * @param {number} start step at moment 0
 * @param {Stretch | null} loop
 * @param {number} from seconds
 * @param {number} to seconds
 * @returns {{from: number, to: number, at: number, round: number}[]} `at`: the moment of its step `from`
 */
export function passed(tempos, start, loop, from, to) {
  const inLoop = loop !== null && start < loop.to;
  const firstEnd = inLoop ? secondsAt(tempos, loop.to) - secondsAt(tempos, start) : Infinity;
  const pieces = [];
  let round = 0;
  let moment = from;
  const length = inLoop ? secondsAt(tempos, loop.to) - secondsAt(tempos, loop.from) : Infinity;
  if (inLoop && moment >= firstEnd) round = 1 + Math.floor((moment - firstEnd) / length + 1e-9);
  while (moment < to - 1e-9) {
    const begin = round === 0 ? 0 : firstEnd + (round - 1) * length;
    const origin = secondsAt(tempos, round === 0 ? start : /** @type {Stretch} */ (loop).from);
    const end = Math.min(round === 0 ? firstEnd : begin + length, to);
    pieces.push({
      from: stepAt(tempos, origin + moment - begin),
      to: stepAt(tempos, origin + end - begin),
      at: moment,
      round,
    });
    moment = end;
    round++;
  }
  return pieces;
}

/** Where playing is after so many seconds. */
export function positionAt(
  /** @type {readonly Tempo[]} */ tempos,
  /** @type {number} */ start,
  /** @type {Stretch | null} */ loop,
  /** @type {number} */ seconds,
) {
  const [piece] = passed(tempos, start, loop, seconds, seconds + 1e-6);
  return piece ? piece.from : start;
}

/** @param {number} pitch MIDI number @returns {number} Hz */
export const frequencyOf = (pitch) => 440 * 2 ** ((pitch - 69) / 12);

// Sound

const PARTIALS = [0, 1, 0.5, 0.24, 0.16, 0.07, 0.045, 0.02, 0.035]; // how strong each harmonic of a pipe is
const DETUNED = 2.4; // cents between the two pipes and the written pitch
const PLACES = [-0.28, -0.1, 0.12, 0.3]; // where the voices stand, left to right
const LOUDNESS = [0.17, 0.135, 0.14, 0.18]; // the outer voices lead

/** The instrument, in one audio context: an organ, or the tones of a SoundFont as far as they are here. */
export class Organ {
  /** @param {BaseAudioContext} context @param {import("./tones.js").Tones | null} [tones] */
  constructor(context, tones = null) {
    this.context = context;
    this.tones = tones;
    const { imaginary, real } = { imaginary: new Float32Array(PARTIALS), real: new Float32Array(PARTIALS.length) };
    this.wave = context.createPeriodicWave(real, imaginary);
    this.out = context.createGain();
    this.out.gain.value = 0.7;
    const limiter = new DynamicsCompressorNode(context, {
      threshold: -9,
      knee: 6,
      ratio: 12,
      attack: 0.004,
      release: 0.2,
    });
    const room = new ConvolverNode(context, { buffer: roomOf(context) });
    const wet = new GainNode(context, { gain: 0.16 });
    this.out.connect(limiter);
    this.out.connect(room).connect(wet).connect(limiter);
    limiter.connect(context.destination);
  }

  /**
   * Sound one note.
   *
   * @param {number} pitch
   * @param {number} voice 0 = soprano ... 3 = bass
   * @param {number} when on the context's clock
   * @param {number} seconds
   * @returns {Pipe}
   */
  sound(pitch, voice, when, seconds) {
    const { context } = this;
    const frequency = frequencyOf(pitch);
    const place = Math.max(0, Math.min(voice, 3));
    const level = LOUDNESS[place] * Math.min(1, (frequency / 110) ** 0.12);
    const gain = new GainNode(context, { gain: 0 });
    const panner = new StereoPannerNode(context, { pan: PLACES[place] });
    const tone = this.tones?.get(pitch);
    /** @type {AudioScheduledSourceNode[]} */
    const pipes = tone
      ? [new AudioBufferSourceNode(context, { buffer: tone })]
      : [-DETUNED, DETUNED].map(
          (detune) => new OscillatorNode(context, { periodicWave: this.wave, frequency, detune }),
        );
    for (const pipe of pipes) {
      pipe.connect(gain);
      pipe.start(when);
    }
    if (tone) gain.connect(panner).connect(this.out);
    else {
      const shade = new BiquadFilterNode(context, {
        type: "lowpass",
        frequency: Math.min(frequency * 7, 7000),
        Q: 0.3,
      });
      gain.connect(shade).connect(panner).connect(this.out);
    }
    gain.gain.setValueAtTime(0, when);
    gain.gain.linearRampToValueAtTime(level, when + ATTACK);
    const pipe = new Pipe(gain, pipes, when, level);
    pipe.end(when + Math.max(seconds, ATTACK + 0.001));
    return pipe;
  }
}

/** One note that sounds or is about to. */
export class Pipe {
  /**
   * @param {GainNode} gain
   * @param {AudioScheduledSourceNode[]} pipes
   * @param {number} start
   * @param {number} level
   */
  constructor(gain, pipes, start, level) {
    this.gain = gain;
    this.pipes = pipes;
    this.start = start;
    this.level = level;
    this.stopsAt = Infinity;
  }

  /** Let go at a moment; what was said before about its end no longer holds. @param {number} when */
  end(when) {
    if (when === this.stopsAt) return;
    this.stopsAt = when;
    const { gain } = this.gain;
    const after = this.start + ATTACK;
    if (when <= this.start) {
      gain.cancelScheduledValues(0);
      for (const pipe of this.pipes) pipe.stop(this.start);
      return;
    }
    if (when < after) {
      gain.cancelScheduledValues(when);
      gain.linearRampToValueAtTime((this.level * (when - this.start)) / ATTACK, when);
    } else {
      // The attack stays: what is set again in the past would count as set now.
      gain.cancelScheduledValues(after + 1e-4);
    }
    gain.setTargetAtTime(0, Math.max(when, this.start + 2e-4), RELEASE / 4);
    for (const pipe of this.pipes) pipe.stop(when + RELEASE * 2);
  }
}

/** How a room answers: noise that dies away, darker as it does. The same every time. @param {BaseAudioContext} context */
function roomOf(context) {
  const length = Math.round(TAIL * context.sampleRate);
  const buffer = context.createBuffer(2, length, context.sampleRate);
  let seed = 1;
  for (let side = 0; side < 2; side++) {
    const samples = buffer.getChannelData(side);
    let soft = 0;
    for (let i = 0; i < length; i++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
      const time = i / length;
      soft += (seed / 2 ** 31 - soft) * (0.55 - 0.45 * time);
      samples[i] = soft * Math.exp(-7.5 * time) * Math.min(1, i / (0.012 * context.sampleRate));
    }
  }
  return buffer;
}

/**
 * A stretch of music as sound, computed as fast as the machine can.
 *
 * @param {readonly Heard[]} notes
 * @param {{tempos: readonly Tempo[], from: number, to: number, sampleRate?: number, tones?: import("./tones.js").Tones | null}} options
 * @returns {Promise<AudioBuffer>}
 */
export async function render(notes, { tempos, from, to, sampleRate = 44100, tones = null }) {
  await tones?.load(notes.map((note) => note.pitch));
  const begin = secondsAt(tempos, from);
  const seconds = secondsAt(tempos, to) - begin + TAIL;
  const context = new OfflineAudioContext(2, Math.ceil(seconds * sampleRate), sampleRate);
  const organ = new Organ(context, tones);
  for (const note of notes) {
    const end = note.onset + note.duration;
    if (end <= from || note.onset >= to) continue;
    const start = secondsAt(tempos, Math.max(note.onset, from)) - begin;
    organ.sound(note.pitch, note.voice, start, secondsAt(tempos, Math.min(end, to)) - begin - start);
  }
  return context.startRendering();
}

/**
 * A WAV file: 16 bits, as every program reads it.
 *
 * @param {readonly Float32Array[]} channels
 * @param {number} sampleRate
 * @returns {ArrayBuffer}
 */
export function wavOf(channels, sampleRate) {
  const [nChannels, nFrames] = [channels.length, channels[0].length];
  const size = nFrames * nChannels * 2;
  const buffer = new ArrayBuffer(44 + size);
  const view = new DataView(buffer);
  const write = (/** @type {number} */ at, /** @type {string} */ text) =>
    [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + size, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, nChannels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * nChannels * 2, true);
  view.setUint16(32, nChannels * 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, size, true);
  let at = 44;
  for (let i = 0; i < nFrames; i++) {
    for (const channel of channels) {
      view.setInt16(at, Math.round(Math.max(-1, Math.min(1, channel[i])) * 32767), true);
      at += 2;
    }
  }
  return buffer;
}

/**
 * @typedef {object} Music What the player asks for whenever it looks.
 * @property {() => readonly Heard[]} notes those to be heard, ordered by onset
 * @property {() => readonly Tempo[]} tempos
 * @property {() => number} end the step after the last
 */

/** Plays what is there now, while it changes. */
export class Player {
  /**
   * @param {Music} music
   * @param {(isPlaying: boolean) => void} [onChange]
   * @param {() => AudioContext} [makeContext]
   */
  constructor(music, onChange = () => {}, makeContext = () => new AudioContext({ latencyHint: "interactive" })) {
    this.music = music;
    this.onChange = onChange;
    this.makeContext = makeContext;
    this.isPlaying = false;
    this.turn = 0; // counts plays and stops
    /** @type {Stretch | null} */
    this.loop = null;
    /** @type {import("./tones.js").Tones | null} set before it first sounds */
    this.tones = null;
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {Organ | null} */
    this.organ = null;
    /** @type {readonly Tempo[]} */
    this.tempos = [];
    this.start = 0; // step at which playing began
    this.startedAt = 0; // and when, on the audio clock
    this.done = 0; // seconds since then that are scheduled
    /** @type {Map<string, {pipe: Pipe, begins: number}>} */
    this.sounding = new Map();
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  /** Must first be called from a click or a key: browsers allow no sound before. */
  async wake() {
    if (!this.context) {
      this.context = this.makeContext();
      this.organ = new Organ(this.context, this.tones);
    }
    if (this.context.state === "suspended") await this.context.resume();
  }

  /** @param {number} step @param {Stretch | null} [loop] */
  async play(step, loop = null) {
    this.stop(false);
    this.isPlaying = true;
    const turn = ++this.turn;
    await this.wake();
    await this.#have(this.music.notes().map((note) => note.pitch));
    if (turn !== this.turn) return; // stopped meanwhile, or begun anew
    this.loop = loop;
    this.#anchor(step);
    this.timer = setInterval(() => this.look(), TICK);
    this.look();
    this.onChange(true);
  }

  stop(tell = true) {
    this.turn++;
    clearInterval(this.timer);
    for (const { pipe } of this.sounding.values()) pipe.end(this.context?.currentTime ?? 0);
    this.sounding.clear();
    const was = this.isPlaying;
    this.isPlaying = false;
    if (was && tell) this.onChange(false);
  }

  /** The step that is heard now. */
  get position() {
    if (!this.context || !this.isPlaying) return this.start;
    const latency = this.context.outputLatency || 0;
    const elapsed = Math.max(this.context.currentTime - latency - this.startedAt, 0);
    return Math.min(positionAt(this.tempos, this.start, this.loop, elapsed), this.music.end());
  }

  /** One note at once, as when it is clicked. @param {number} pitch @param {number} [voice] @param {number} [seconds] */
  async preview(pitch, voice = 1, seconds = 0.4) {
    await this.wake();
    await this.#have([pitch]);
    if (this.organ && this.context) this.organ.sound(pitch, voice, this.context.currentTime + 0.005, seconds);
  }

  /** Wait for tones, but not for long: the organ sounds where one is missing. @param {number[]} pitches */
  async #have(pitches) {
    if (this.tones)
      await Promise.race([this.tones.load(pitches), new Promise((done) => setTimeout(done, LONGEST_WAIT))]);
  }

  /** Another loop from where it is now; null plays on to the end. @param {Stretch | null} loop */
  setLoop(loop) {
    const step = this.position;
    this.loop = loop;
    if (this.isPlaying) this.#restart(loop && (step < loop.from || step >= loop.to) ? loop.from : step);
  }

  /** The music has changed: what sounds is brought in line, what begins later is looked up when its time comes. */
  changed() {
    if (!this.isPlaying || !this.context || !this.organ) return;
    const tempos = this.music.tempos();
    if (JSON.stringify(tempos) !== JSON.stringify(this.tempos)) {
      this.#restart(this.position);
      return;
    }
    // What was scheduled is gone through again. A note that sounds on keeps its pipe.
    const now = this.context.currentTime;
    const elapsed = Math.max(now - this.startedAt, 0);
    const before = this.sounding;
    this.sounding = new Map();
    for (const piece of passed(tempos, this.start, this.loop, elapsed, this.done)) {
      for (const note of this.music.notes()) {
        if (note.onset >= piece.to || note.onset + note.duration <= piece.from) continue;
        this.#soundIn(piece, note, before);
      }
    }
    for (const [key, { pipe }] of before) if (!this.sounding.has(key)) pipe.end(now);
  }

  look() {
    const { context } = this;
    if (!context || !this.organ) return;
    const elapsed = context.currentTime - this.startedAt;
    const ahead = globalThis.document?.hidden ? AHEAD_HIDDEN : AHEAD;
    const to = elapsed + ahead;
    const end = this.music.end();
    for (const piece of passed(this.tempos, this.start, this.loop, Math.max(this.done, 0), to)) {
      // a note that sounds already where a stretch begins is begun there: at the start, and after a change of loop
      const isFresh = this.done === 0 || (piece.round > 0 && this.loop && Math.abs(piece.from - this.loop.from) < 1e-6);
      for (const note of this.music.notes()) {
        if (note.onset >= piece.to) break;
        const begins = note.onset >= piece.from - 1e-6;
        if (begins || (isFresh && note.onset + note.duration > piece.from)) this.#soundIn(piece, note, this.sounding);
      }
    }
    this.done = to;
    for (const [key, { pipe }] of this.sounding) if (pipe.stopsAt < context.currentTime) this.sounding.delete(key);
    if (!this.loop && positionAt(this.tempos, this.start, null, elapsed) > end + 1) this.stop();
  }

  /**
   * @param {{from: number, to: number, at: number, round: number}} piece
   * @param {Heard} note
   * @param {Map<string, {pipe: Pipe, begins: number}>} known
   */
  #soundIn(piece, note, known) {
    const { tempos, organ, context } = this;
    if (!organ || !context) return;
    const origin = secondsAt(tempos, piece.from);
    // In a loop a note ends with it.
    const last =
      this.loop && this.start < this.loop.to
        ? Math.min(note.onset + note.duration, this.loop.to)
        : note.onset + note.duration;
    const begins = Math.max(
      note.onset,
      this.loop && piece.round > 0 ? this.loop.from : piece.round === 0 ? this.start : 0,
    );
    const at = this.startedAt + piece.at + secondsAt(tempos, begins) - origin;
    const ends = this.startedAt + piece.at + secondsAt(tempos, last) - origin;
    const key = `${piece.round}:${note.pitch}:${note.onset}`;
    const old = known.get(key);
    if (old) {
      old.pipe.end(ends);
      this.sounding.set(key, old);
      return;
    }
    const now = context.currentTime;
    if (ends <= now) return;
    const start = Math.max(at, now);
    this.sounding.set(key, { pipe: organ.sound(note.pitch, note.voice, start, ends - start), begins: start });
  }

  /** @param {number} step */
  #anchor(step) {
    this.tempos = this.music.tempos();
    this.start = step;
    this.startedAt = /** @type {AudioContext} */ (this.context).currentTime + 0.06;
    this.done = 0;
  }

  /** @param {number} step */
  #restart(step) {
    const now = /** @type {AudioContext} */ (this.context).currentTime;
    for (const { pipe } of this.sounding.values()) pipe.end(now);
    this.sounding.clear();
    this.#anchor(step);
    this.startedAt = now;
    this.look();
  }
}

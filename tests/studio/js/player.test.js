import assert from "node:assert/strict";
import { test } from "node:test";

import { Player, passed, positionAt, secondsAt, stepAt, wavOf } from "../../../src/ripieno/studio/static/player.js";

const steady = [{ step: 0, bpm: 120 }]; // a step is an eighth of a second
const slowing = [
  { step: 0, bpm: 120 },
  { step: 16, bpm: 60 },
];
const near = (/** @type {number} */ a, /** @type {number} */ b) =>
  assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

test("steps and seconds agree, also where the tempo changes", () => {
  near(secondsAt(steady, 16), 2);
  near(secondsAt(slowing, 20), 3);
  for (const step of [0, 5.5, 16, 40]) near(stepAt(slowing, secondsAt(slowing, step)), step);
});

test("without a loop one stretch is passed", () => {
  const [only, ...others] = passed(steady, 8, null, 0, 1);
  assert.equal(others.length, 0);
  near(only.from, 8);
  near(only.to, 16);
});

test("a loop is passed again and again", () => {
  const pieces = passed(steady, 4, { from: 0, to: 8 }, 0, 2.5);
  assert.deepEqual(
    pieces.map((piece) => piece.round),
    [0, 1, 2],
  );
  assert.deepEqual(
    pieces.map((piece) => Math.round(piece.from)),
    [4, 0, 0],
  );
  assert.deepEqual(
    pieces.map((piece) => Math.round(piece.to)),
    [8, 8, 8],
  );
  near(pieces[2].at, 1.5);
  near(positionAt(steady, 4, { from: 0, to: 8 }, 0.75), 2);
  near(positionAt(steady, 4, { from: 0, to: 8 }, 1.5 + 0.25), 2);
});

test("looking twice at half the time passes the same as once", () => {
  const loop = { from: 2, to: 7 };
  const whole = passed(slowing, 0, loop, 0, 4).reduce((sum, piece) => sum + piece.to - piece.from, 0);
  let parts = 0;
  for (let time = 0; time < 4 - 1e-9; time += 0.1)
    for (const piece of passed(slowing, 0, loop, time, time + 0.1)) parts += piece.to - piece.from;
  near(whole, parts);
});

test("a WAV file says how long it is", () => {
  const buffer = wavOf([new Float32Array([0, 1, -1]), new Float32Array([0, 0.5, -2])], 44100);
  const view = new DataView(buffer);
  assert.equal(buffer.byteLength, 44 + 12);
  assert.equal(view.getUint32(4, true), 36 + 12);
  assert.equal(view.getUint32(40, true), 12);
  assert.deepEqual(
    [0, 2, 4, 6, 8, 10].map((at) => view.getInt16(44 + at, true)),
    [0, 0, 32767, 16384, -32767, -32767],
  );
});

/** An audio clock that is set by hand, and an organ that writes down what it is asked for. */
function rehearsal(/** @type {{onset: number, pitch: number, duration: number, voice: number}[]} */ notes) {
  const context = { currentTime: 0, outputLatency: 0, state: "running" };
  /** @type {{pitch: number, start: number, end: number}[]} */
  const played = [];
  const organ = {
    sound(
      /** @type {number} */ pitch,
      /** @type {number} */ _voice,
      /** @type {number} */ start,
      /** @type {number} */ seconds,
    ) {
      const one = { pitch, start, end: start + seconds };
      played.push(one);
      return {
        get stopsAt() {
          return one.end;
        },
        end: (/** @type {number} */ when) => void (one.end = Math.max(when, one.start)),
      };
    },
  };
  const music = { notes: () => notes, tempos: () => steady, end: () => 64 };
  const player = new Player(
    music,
    () => {},
    () => /** @type {any} */ (context),
  );
  Object.assign(player, { context, organ });
  const go = (/** @type {number} */ until) => {
    for (; context.currentTime < until; context.currentTime += 0.03) player.look();
  };
  return { player, played, notes, context, go };
}

test("notes are played at their time, once", async () => {
  const { player, played, go } = rehearsal([
    { onset: 0, pitch: 60, duration: 4, voice: 0 },
    { onset: 4, pitch: 62, duration: 4, voice: 0 },
    { onset: 8, pitch: 64, duration: 4, voice: 0 },
  ]);
  await player.play(0);
  go(2);
  player.stop();
  assert.deepEqual(
    played.map((note) => note.pitch),
    [60, 62, 64],
  );
  near(played[1].start - played[0].start, 0.5);
  near(played[1].end - played[1].start, 0.5);
});

test("playing from the middle of a note plays what is left of it", async () => {
  const { player, played, go } = rehearsal([{ onset: 0, pitch: 60, duration: 8, voice: 0 }]);
  await player.play(4);
  go(0.2);
  player.stop();
  assert.equal(played.length, 1);
  near(Math.round((played[0].start - 0.06) * 100), 0);
});

test("a note that arrives while it plays is heard, one that goes falls silent", async () => {
  const { player, played, notes, context, go } = rehearsal([{ onset: 0, pitch: 60, duration: 32, voice: 0 }]);
  await player.play(0);
  go(0.5);
  notes.push({ onset: 2, pitch: 67, duration: 30, voice: 1 });
  player.changed();
  assert.equal(played.length, 2);
  near(played[1].start, context.currentTime);
  notes.shift();
  player.changed();
  near(played[0].end, context.currentTime);
  go(1);
  player.stop();
  assert.equal(played.length, 2, "what sounds on is not struck again");
});

test("played, stopped and played again while tones are awaited, it plays once and can be stopped", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { player, played, context } = rehearsal([{ onset: 0, pitch: 60, duration: 4, voice: 0 }]);
  /** @type {(() => void)[]} */
  const arrive = [];
  player.tones = /** @type {any} */ ({ load: () => new Promise((done) => void arrive.push(() => done(undefined))) });
  const first = player.play(0);
  while (!arrive.length) await Promise.resolve();
  player.stop();
  const second = player.play(0);
  while (arrive.length < 2) await Promise.resolve();
  for (const one of arrive) one();
  await Promise.all([first, second]);
  assert.equal(played.length, 1);
  player.stop();
  let looks = 0;
  player.look = () => void looks++;
  context.currentTime = 1;
  t.mock.timers.tick(1000);
  assert.equal(looks, 0, "no timer is left");
});

test("each round of a loop is played once, and notes end with the loop", async () => {
  const { player, played, go } = rehearsal([
    { onset: 0, pitch: 60, duration: 2, voice: 0 },
    { onset: 2, pitch: 62, duration: 30, voice: 0 },
  ]);
  await player.play(0, { from: 0, to: 4 });
  go(1.5);
  player.stop();
  assert.deepEqual(
    played.map((note) => note.pitch),
    [60, 62, 60, 62, 60, 62, 60],
  );
  near(played[1].end, played[2].start);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { Desk } from "../../../src/ripieno/studio/static/desk.js";
import { keyOf } from "../../../src/ripieno/studio/static/state.js";
import { describe } from "../../../src/ripieno/studio/static/words.js";

/** @typedef {import("../../../src/ripieno/studio/static/protocol.js").Note} Note */

const bar = (/** @type {number} */ number) => ({
  number,
  start: 16 * (number - 1),
  n_steps: 16,
  numerator: 4,
  denominator: 4,
});

/** @returns {Note} */
const note = (
  /** @type {number} */ onset,
  /** @type {number} */ pitch,
  /** @type {Note["voice"]} */ voice = "soprano",
  /** @type {Note["author"]} */ author = "user",
) => ({
  onset,
  pitch,
  duration: 4,
  author,
  voice,
  batch: 0,
});

/** A desk with a piece on it, and what it sends. */
function desk(/** @type {Note[]} */ notes, /** @type {object} */ locks = {}) {
  /** @type {any[]} */
  const sent = [];
  const made = new Desk({
    send: (wish) => {
      sent.push({ ...wish, id: `r${sent.length}` });
      return `r${sent.length - 1}`;
    },
    now: () => 0,
  });
  made.receive(
    /** @type {any} */ ({
      type: "welcome",
      protocol: 2,
      version: "",
      piece: "p",
      seq: 5,
      entries: [],
      run: null,
      model_ready: true,
      state: {
        notes,
        history: [],
        settings: {
          name: "x",
          bpm: 90,
          n_steps: 64,
          key: { name: "C major", tonic: 0, mode: "major", n_sharps: 0, is_guessed: false },
          bars: [1, 2, 3, 4].map(bar),
          phrases: [
            { start: 0, rest: 24, end: 32, place: "2", sure: 0.7 },
            { start: 32, rest: 60, end: 64, place: "4", sure: 1 },
          ],
          rules: { seed: 0 },
          locks: { notes: [], voices: [], bars: [], pitches: [], ...locks },
        },
      },
      limits: { notes: 100, lowest: 28, highest: 91 },
    }),
  );
  return { desk: made, sent };
}

const entries = (/** @type {Note[]} */ added, /** @type {Note[]} */ gone = [], seq = 6) =>
  /** @type {any} */ ({
    type: "entries",
    entries: [
      {
        seq,
        kind: "edit",
        author: "model",
        batch: 9,
        run: 0,
        id: null,
        text: "",
        gone,
        new: added,
        items: [],
        settings: null,
      },
    ],
  });

const offered = (/** @type {string} */ id) =>
  /** @type {any} */ ({
    type: "suggestions",
    id,
    seq: 5,
    n_left: 3,
    text: null,
    suggestions: [
      {
        token: "a",
        action: "add",
        note: { onset: 4, pitch: 64, duration: 4 },
        voice: "alto",
        probability: 0.8,
        sureness: "sure",
        text: "",
      },
      {
        token: "b",
        action: "add",
        note: { onset: 4, pitch: 60, duration: 4 },
        voice: "tenor",
        probability: 0.2,
        sureness: "unsure",
        text: "",
      },
    ],
  });

test("suggestions are asked for once, and again when the music has changed", () => {
  const { desk: it, sent } = desk([note(0, 67)]);
  it.asking.suggest();
  it.asking.ask();
  assert.deepEqual(
    sent.map((wish) => wish.type),
    ["suggest"],
  );
  it.receive(offered("r0"));
  assert.equal(it.asking.shownSuggestion?.token, "a");
  it.asking.walk(1);
  assert.equal(it.asking.shownSuggestion?.token, "b");
  it.asking.walk(1);
  assert.equal(it.asking.shownSuggestion?.token, "a");
  it.receive(entries([note(0, 60, "tenor", "model")]));
  assert.deepEqual(
    sent.map((wish) => wish.type),
    ["suggest", "suggest"],
  );
});

test("a change that comes while suggestions are awaited is asked about afterwards", () => {
  const { desk: it, sent } = desk([note(0, 67)]);
  it.asking.suggest();
  it.receive(entries([note(0, 60, "tenor", "model")]));
  assert.equal(sent.length, 1);
  it.receive(offered("r0"));
  assert.equal(sent.length, 2);
});

test("one edit asks for suggestions once, though its entry, its answer and who sings it come one by one", () => {
  const { desk: it, sent } = desk([note(0, 67)]);
  it.asking.suggest();
  it.receive(offered("r0"));
  it.edit({ remove: [], add: [{ onset: 8, pitch: 67, duration: 4 }] });
  it.receive({
    ...entries([note(8, 67)]),
    entries: entries([note(8, 67)]).entries.map((/** @type {object} */ one) => ({ ...one, id: "r1", author: "user" })),
  });
  it.receive(/** @type {any} */ ({ type: "done", id: "r1", seq: 6, text: null }));
  it.receive(offered("r2"));
  it.receive(/** @type {any} */ ({ type: "voices", seq: 6, notes: [{ onset: 8, pitch: 67, voice: "alto" }] }));
  assert.deepEqual(
    sent.map((wish) => wish.type),
    ["suggest", "edit", "suggest"],
  );
});

test("accepting sends the one that is shown, once, and then asks for the next", () => {
  const { desk: it, sent } = desk([note(0, 67)]);
  it.asking.suggest();
  it.receive(offered("r0"));
  it.asking.walk(1);
  it.asking.accept();
  it.asking.accept();
  assert.deepEqual(
    sent.slice(1).map((wish) => [wish.type, wish.suggestion]),
    [["accept", "b"]],
  );
  it.receive(/** @type {any} */ ({ type: "done", id: "r1", seq: 6, text: null }));
  assert.equal(sent.at(-1).type, "suggest");
});

test("suggestions keep to the chosen bars", () => {
  const { desk: it, sent } = desk([note(0, 67)]);
  it.chooseBars({ from: 20, to: 40 });
  it.asking.suggest();
  assert.deepEqual(sent[0].bars, [2, 3]);
});

test("other ways are asked for what is chosen: bars and voices, or the notes", () => {
  const { desk: it, sent } = desk([note(0, 67), note(18, 62, "alto", "model"), note(36, 60, "alto", "model")]);
  it.chooseBars({ from: 16, to: 48 });
  it.toggleVoice(1);
  it.asking.again();
  assert.deepEqual([sent[0].bars, sent[0].voices, sent[0].n], [[2, 3], ["alto"], 3]);
  it.receive(
    /** @type {any} */ ({ type: "alternatives", id: "r0", seq: 5, bars: [2, 3], voices: ["alto"], alternatives: [] }),
  );
  it.asking.again();
  assert.deepEqual([sent[1].bars, sent[1].voices], [[2, 3], ["alto"]]);
  assert.notEqual(sent[1].seed, sent[0].seed, "R again brings three more");
  it.leave();
  it.leave();
  it.choose([note(36, 60)]);
  it.asking.again();
  assert.deepEqual([sent[2].bars, sent[2].voices], [[3, 3], ["alto"]]);
});

test("without anything chosen other ways are for the cursor's bar", () => {
  const { desk: it, sent } = desk([note(0, 67)]);
  it.moveCaret({ step: 50, pitch: 60 });
  it.asking.again();
  assert.deepEqual([sent[0].bars, sent[0].voices], [[4, 4], []]);
});

test("an alternative that is shown is heard, and nothing has changed until it is taken", () => {
  const { desk: it, sent } = desk([note(0, 67), note(0, 60, "alto", "model")]);
  it.asking.again({ bars: [1, 1], voices: [1] });
  it.receive(
    /** @type {any} */ ({
      type: "alternatives",
      id: "r0",
      seq: 5,
      bars: [1, 1],
      voices: ["alto"],
      alternatives: [
        {
          token: "t",
          seed: 1,
          remove: [{ onset: 0, pitch: 60, duration: 4 }],
          add: [{ onset: 0, pitch: 64, duration: 4 }],
        },
      ],
    }),
  );
  assert.deepEqual(
    it.heard().map((one) => one.pitch),
    [64, 67],
  );
  it.asking.showAlternative(-1);
  assert.deepEqual(
    it.heard().map((one) => one.pitch),
    [60, 67],
  );
  assert.deepEqual(
    it.notes.map((one) => one.pitch),
    [60, 67],
  );
  assert.equal(it.asking.take(), false);
  it.asking.showAlternative(0);
  assert.ok(it.asking.take());
  assert.deepEqual([sent[1].type, sent[1].alternative], ["take", "t"]);
});

test("ways that come after they were closed stay closed", () => {
  const { desk: it } = desk([note(0, 67)]);
  it.asking.again();
  it.leave();
  it.receive(
    /** @type {any} */ ({ type: "alternatives", id: "r0", seq: 5, bars: [1, 1], voices: [], alternatives: [] }),
  );
  assert.equal(it.state.alternatives, null);
  it.asking.suggest();
  it.leave();
  it.receive(offered("r1"));
  assert.equal(it.state.suggestions, null);
});

test("a run is begun once and stopped once, however often it is asked for", () => {
  const { desk: it, sent } = desk([note(0, 67)]);
  it.asking.fill();
  it.asking.fill();
  assert.deepEqual(
    sent.map((wish) => wish.type),
    ["run"],
  );
  it.receive(/** @type {any} */ ({ type: "done", id: "r0", seq: 5, text: null }));
  it.receive({ type: "running", run: { run: 0, state: "running", n_changes: 0, n_left: null, id: "r0" } });
  it.asking.fill();
  it.asking.fill();
  assert.deepEqual(
    sent.map((wish) => wish.type),
    ["run", "stop"],
  );
});

test("the bass is kept when the inner voices are done again", () => {
  const { desk: it, sent } = desk([note(0, 67)]);
  it.asking.redoInner();
  assert.deepEqual(
    [sent[0].bars, sent[0].voices],
    [
      [1, 4],
      ["alto", "tenor"],
    ],
  );
});

test("K locks notes, bars or voices, and unlocks them", () => {
  const { desk: it, sent } = desk([note(0, 67), note(16, 48, "bass", "model"), note(20, 60, "alto", "model")], {
    bars: [3],
  });
  it.choose([note(0, 67)]);
  it.lock();
  assert.deepEqual([sent[0].notes.length, sent[0].locked], [1, true]);
  it.choose([]);
  it.chooseBars({ from: 16, to: 32 });
  it.lock();
  assert.deepEqual([sent[1].bars, sent[1].locked], [[2], true]);
  it.toggleVoice(3);
  it.lock();
  assert.deepEqual(sent[2].notes.map(keyOf), ["16:48"], "a voice in some bars is its notes there");
  it.chooseBars(null);
  it.lock();
  assert.deepEqual([sent[3].voices, sent[3].bars], [["bass"], []]);
  it.toggleVoice(3);
  it.chooseBars({ from: 32, to: 48 });
  it.lock();
  assert.deepEqual([sent[4].bars, sent[4].locked], [[3], false]);
});

test("mute and solo go by voice and by author", () => {
  const { desk: it } = desk([note(0, 67), note(0, 60, "alto", "model"), note(0, 43, "bass", "model")]);
  const heard = () => it.heard().map((one) => one.pitch);
  it.mute(3);
  assert.deepEqual(heard(), [60, 67]);
  it.mute(3, true);
  assert.deepEqual(heard(), [43], "alone is stronger than mute");
  it.mute(3, true);
  it.mute(3);
  it.muteAuthor("model");
  assert.deepEqual(heard(), [67]);
  it.muteAuthor("model", true);
  assert.deepEqual(heard(), [43, 60]);
});

test("the cursor is told as a musician says it", () => {
  const { desk: it } = desk([note(24, 61, "alto", "model")], { bars: [2] });
  assert.equal(
    describe(it, { step: 26, pitch: 61 }, true),
    "C sharp 4, bar 2, beat 3, 1 beat, alto, added by the model, locked",
  );
  assert.equal(describe(it, { step: 0, pitch: 60 }), "C4, bar 1, beat 1, silent");
  it.asking.isDoubting = true;
  it.receive(
    /** @type {any} */ ({
      type: "doubts",
      id: "d",
      seq: 5,
      cells: [],
      n_left: 0,
      notes: [{ note: { onset: 24, pitch: 61, duration: 4 }, belongs: 0.5 }],
    }),
  );
  assert.match(describe(it, { step: 24, pitch: 61 }), /likely/);
});

test("arrows move the chosen notes, else the cursor", () => {
  const { desk: it, sent } = desk([note(0, 67)]);
  it.nudge(2, 1);
  assert.deepEqual(it.caret, { step: 2, pitch: 68 });
  it.choose(it.notes);
  it.nudge(0, 12);
  assert.deepEqual(sent[0].add, [{ onset: 0, pitch: 79, duration: 4 }]);
  assert.deepEqual([...it.selected], ["0:79"], "they stay chosen");
  it.nudgeBar(1);
  assert.deepEqual(sent[1].add, [{ onset: 16, pitch: 79, duration: 4 }]);
});

test("the cursor goes from note to note", () => {
  const { desk: it } = desk([note(0, 60), note(0, 67), note(8, 64)]);
  it.moveCaret({ step: 0, pitch: 60 });
  it.toNote(1);
  assert.deepEqual(it.caret, { step: 0, pitch: 67 });
  it.toNote(1);
  assert.deepEqual(it.caret, { step: 8, pitch: 64 });
  it.toNote(-1);
  assert.deepEqual(it.caret, { step: 0, pitch: 67 });
});

test("notes that are gone are no longer chosen", () => {
  const { desk: it } = desk([note(0, 67), note(4, 69)]);
  it.chooseAll();
  it.receive(entries([], [note(4, 69)]));
  assert.deepEqual([...it.selected], ["0:67"]);
});

test("Escape closes one thing at a time", () => {
  const { desk: it } = desk([note(0, 67)]);
  it.chooseBars({ from: 0, to: 16 });
  it.asking.suggest();
  it.chooseAll();
  assert.ok(it.leave());
  assert.equal(it.selected.size, 0);
  assert.ok(it.leave());
  assert.equal(it.asking.isSuggesting, false);
  assert.ok(it.leave());
  assert.equal(it.region, null);
  assert.equal(it.leave(), false);
});

test("more notes than a piece holds are not drawn", () => {
  const { desk: it, sent } = desk(Array.from({ length: 50 }, (_, i) => note(i, 40 + i)));
  it.edit({ remove: [], add: Array.from({ length: 51 }, (_, i) => ({ onset: i, pitch: 30, duration: 1 })) });
  assert.equal(sent.length, 0);
  assert.match(it.state.notice?.text ?? "", /100 notes/);
});

test("a phrase ends at the cursor, or no longer", () => {
  const { desk: made, sent } = desk([]);
  const said = () => sent.at(-1).changes.phrases;
  assert.equal(made.togglePhraseEnd(12), "a phrase ends here");
  assert.equal(said(), "1:4, 2, 4");
  assert.equal(made.togglePhraseEnd(26), "no phrase ends here");
  assert.equal(said(), "4");
  assert.equal(sent.at(-1).type, "rules");
});

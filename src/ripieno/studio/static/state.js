/**
 * What is known of a piece: a pure reducer of the server's messages, and of the edits that it has not answered yet.
 *
 * The server's log is the document. An edit is shown at once and kept in `pending` until its entry comes back or it is
 * refused; what is seen is always the confirmed notes with the pending edits on top.
 */

import { VOICES } from "./protocol.js";

/** @typedef {import("./protocol.js").Note} Note */
/** @typedef {import("./protocol.js").NoteShape} NoteShape */
/** @typedef {import("./protocol.js").Entry} Entry */
/** @typedef {import("./protocol.js").HistoryItem} HistoryItem */
/** @typedef {import("./protocol.js").Settings} Settings */
/** @typedef {import("./protocol.js").Voice} Voice */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./geometry.js").Bars} Bars */

/** @typedef {{id: string, remove: NoteShape[], add: NoteShape[]}} Edit */

/**
 * @typedef {object} State
 * @property {"connecting" | "open" | "lost"} connection
 * @property {string | null} piece
 * @property {number | null} seq of the last entry that is known; null: nothing is
 * @property {boolean} hasGap an entry is missing: say hello again
 * @property {Settings | null} settings
 * @property {ReadonlyMap<string, Note>} notes those that the server has confirmed
 * @property {readonly Edit[]} pending
 * @property {ReadonlyMap<number, HistoryItem>} history by batch
 * @property {import("./protocol.js").RunState | null} run the latest
 * @property {boolean} isModelReady
 * @property {string} modelText
 * @property {import("./protocol.js").Limits | null} limits
 * @property {import("./protocol.js").Suggestions | null} suggestions
 * @property {import("./protocol.js").Alternatives | null} alternatives
 * @property {import("./protocol.js").Doubts | null} doubts
 * @property {readonly {note: Note, at: number}[]} fading notes that went, and when, in milliseconds
 * @property {ReadonlyMap<string, number>} arrived when the model's newest notes came
 * @property {{text: string, isError: boolean, count: number} | null} notice the last thing to be said
 */

/** @typedef {{type: "lost"} | {type: "connecting"} | ({type: "edit"} & Edit) | {type: "forget"} | {type: "dropSuggestions"}
 *   | {type: "dropAlternatives"} | {type: "dropDoubts"} | {type: "say", text: string, isError?: boolean}} LocalMessage */

export const FADE = 1400; // milliseconds for which a removed note is seen as an outline
export const GLOW = 700;

/** @returns {State} */
export const nothing = () => ({
  connection: "connecting",
  piece: null,
  seq: null,
  hasGap: false,
  settings: null,
  notes: new Map(),
  pending: [],
  history: new Map(),
  run: null,
  isModelReady: false,
  modelText: "",
  limits: null,
  suggestions: null,
  alternatives: null,
  doubts: null,
  fading: [],
  arrived: new Map(),
  notice: null,
});

/** No two notes share onset and pitch. @param {{onset: number, pitch: number}} note */
export const keyOf = (note) => `${note.onset}:${note.pitch}`;

/** @param {NoteShape} note @returns {NoteShape} */
export const shapeOf = ({ onset, pitch, duration }) => ({ onset, pitch, duration });

/**
 * What follows from a message.
 *
 * @param {State} state
 * @param {ServerMessage | LocalMessage} message
 * @param {number} [now] milliseconds
 * @returns {State}
 */
export function reduce(state, message, now = 0) {
  switch (message.type) {
    case "welcome": {
      const base = {
        ...state,
        connection: /** @type {const} */ ("open"),
        piece: message.piece,
        hasGap: false,
        run: message.run ?? endedRun(state.run),
        isModelReady: message.model_ready,
        limits: message.limits,
        suggestions: null,
        alternatives: null,
        doubts: null,
      };
      if (message.state) {
        const known = message.state;
        return {
          ...base,
          seq: message.seq,
          settings: known.settings,
          notes: new Map(known.notes.map((note) => [keyOf(note), note])),
          history: new Map(known.history.map((item) => [item.batch, item])),
          fading: [],
          arrived: new Map(),
        };
      }
      return { ...withEntries(base, message.entries, now) };
    }
    case "entries":
      return withEntries(state, message.entries, now);
    case "ready":
      return { ...state, isModelReady: message.model_ready, modelText: message.text };
    case "done": {
      const next = { ...state, pending: without(state.pending, message.id) };
      return message.text ? { ...next, notice: notice(state, message.text) } : next;
    }
    case "error":
      return {
        ...state,
        pending: without(state.pending, message.id),
        notice: notice(state, message.text, true),
      };
    case "suggestions":
      return { ...state, suggestions: message };
    case "alternatives":
      return { ...state, alternatives: message };
    case "doubts":
      return { ...state, doubts: message };
    case "voices": {
      const notes = new Map(state.notes);
      for (const sung of message.notes) {
        const note = notes.get(keyOf(sung));
        if (note && note.voice !== sung.voice) notes.set(keyOf(sung), { ...note, voice: sung.voice });
      }
      return { ...state, notes };
    }
    case "running":
      return { ...state, run: message.run };
    case "edit":
      return { ...state, pending: [...state.pending, { id: message.id, remove: message.remove, add: message.add }] };
    case "lost":
      return { ...state, connection: "lost", run: endedRun(state.run), alternatives: null, suggestions: null };
    case "connecting":
      return { ...state, connection: state.connection === "lost" ? "lost" : "connecting" };
    case "dropSuggestions":
      return { ...state, suggestions: null };
    case "dropAlternatives":
      return { ...state, alternatives: null };
    case "dropDoubts":
      return { ...state, doubts: null };
    case "say":
      return { ...state, notice: notice(state, message.text, message.isError) };
    case "forget": {
      const fading = state.fading.filter((gone) => now - gone.at < FADE);
      const arrived = new Map([...state.arrived].filter(([, at]) => now - at < GLOW));
      return { ...state, fading, arrived };
    }
    default:
      return state; // a newer server may say more
  }
}

/** @param {readonly Edit[]} edits @param {string | null} id @returns {readonly Edit[]} the same ones where none has the id */
const without = (edits, id) => (edits.some((edit) => edit.id === id) ? edits.filter((edit) => edit.id !== id) : edits);

/** @param {State["run"]} run A run that nobody reports on any more. @returns {State["run"]} */
const endedRun = (run) => (run && run.state === "running" ? { ...run, state: "stopped" } : run);

/** @param {State} state @param {string} text @param {boolean} [isError] */
const notice = (state, text, isError = false) => ({ text, isError, count: (state.notice?.count ?? 0) + 1 });

/** @param {State} state @param {Entry[]} entries @param {number} now @returns {State} */
function withEntries(state, entries, now) {
  const notes = new Map(state.notes);
  const history = new Map(state.history);
  const arrived = new Map(state.arrived);
  let { settings, seq, pending } = state;
  const fading = state.fading.filter((gone) => now - gone.at < FADE);
  for (const entry of entries) {
    if (seq !== null && entry.seq <= seq) continue; // told before
    if (seq === null || entry.seq > seq + 1) return { ...state, hasGap: true };
    seq = entry.seq;
    const gone = [];
    for (const shape of entry.gone) {
      const note = notes.get(keyOf(shape));
      notes.delete(keyOf(shape));
      if (note) gone.push(note);
    }
    for (const note of entry.new) {
      // who sings it is told later; until then it looks as what it replaces
      const before = gone.find((other) => other.pitch === note.pitch && overlaps(other, note));
      notes.set(keyOf(note), note.voice ? note : { ...note, voice: before?.voice ?? null });
      if (entry.author === "model" && !before) arrived.set(keyOf(note), now);
    }
    for (const note of gone) {
      if (!entry.new.some((other) => other.pitch === note.pitch && overlaps(other, note)))
        fading.push({ note, at: now });
    }
    for (const item of entry.items) history.set(item.batch, item);
    if (entry.settings) settings = entry.settings;
    if (entry.id) pending = without(pending, entry.id);
  }
  return { ...state, notes, history, arrived, settings, seq, pending, fading };
}

/** @param {NoteShape} one @param {NoteShape} other */
const overlaps = (one, other) => one.onset < other.onset + other.duration && other.onset < one.onset + one.duration;

/**
 * What an edit leaves, as the server reckons too (both read tests/studio/golden.json): notes to be removed must be there
 * just so; a new note cuts what sounds at its pitch.
 *
 * @param {ReadonlyMap<string, Note>} notes
 * @param {{remove: readonly NoteShape[], add: readonly NoteShape[]}} edit
 * @returns {Map<string, Note> | null} null: a note to be removed is not there
 */
export function applyEdit(notes, edit) {
  const after = new Map(notes);
  /** @type {Map<string, Voice | null>} */
  const sung = new Map();
  for (const shape of edit.remove) {
    const note = after.get(keyOf(shape));
    if (!note || note.duration !== shape.duration) return null;
    after.delete(keyOf(shape));
    sung.set(keyOf(shape), note.voice);
  }
  const byPlace = edit.remove.length === edit.add.length;
  edit.add.forEach((shape, i) => {
    const end = shape.onset + shape.duration;
    for (const note of notesAtPitch(after, shape.pitch)) {
      const noteEnd = note.onset + note.duration;
      if (note.onset >= end || noteEnd <= shape.onset) continue;
      after.delete(keyOf(note));
      if (note.onset < shape.onset) after.set(keyOf(note), { ...note, duration: shape.onset - note.onset });
      if (noteEnd > end) after.set(`${end}:${note.pitch}`, { ...note, onset: end, duration: noteEnd - end });
    }
    // A note that only moved is sung by whom it was.
    const voice = byPlace ? (sung.get(keyOf(edit.remove[i])) ?? null) : null;
    after.set(keyOf(shape), { ...shapeOf(shape), author: "user", voice, batch: null });
  });
  return after;
}

/** @param {Map<string, Note>} notes @param {number} pitch */
const notesAtPitch = (notes, pitch) => [...notes.values()].filter((note) => note.pitch === pitch);

/** @type {WeakMap<ReadonlyMap<string, Note>, Map<readonly Edit[], Note[]>>} */
const known = new WeakMap();

/**
 * The notes as they are seen, ordered by onset and pitch: confirmed ones, with the pending edits done.
 *
 * @param {State} state
 * @returns {readonly Note[]}
 */
export function notesOf(state) {
  let byPending = known.get(state.notes);
  if (!byPending) known.set(state.notes, (byPending = new Map()));
  let found = byPending.get(state.pending);
  if (!found) {
    let notes = state.notes;
    for (const edit of state.pending) notes = applyEdit(notes, edit) ?? notes;
    found = [...notes.values()].sort((a, b) => a.onset - b.onset || a.pitch - b.pitch);
    byPending.clear();
    byPending.set(state.pending, found);
  }
  return found;
}

/** @param {Note} note */
export const isModels = (note) => note.author === "model";

/** @type {WeakMap<readonly Note[], Map<string, number>>} */
const seated = new WeakMap();

/**
 * Which voice every note is drawn in, 0 = soprano ... 3 = bass: as the server told, and a guess by height where it has
 * not yet.
 *
 * @param {readonly Note[]} notes ordered by onset
 * @returns {Map<string, number>}
 */
export function voicesOf(notes) {
  let found = seated.get(notes);
  if (found) return found;
  found = new Map();
  for (let i = 0; i < notes.length; i++) {
    const note = notes[i];
    const told = note.voice ? VOICES.indexOf(note.voice) : -1;
    found.set(keyOf(note), told >= 0 ? told : guessVoice(notes, i, found));
  }
  seated.set(notes, found);
  return found;
}

const USUAL = [71, 65, 57, 49]; // where each voice is at home

/** @param {readonly Note[]} notes @param {number} i @param {ReadonlyMap<string, number>} before */
function guessVoice(notes, i, before) {
  const note = notes[i];
  const taken = new Set();
  let above = -1; // the lowest voice that sings higher at the same time
  let below = 4;
  for (let j = Math.max(0, i - 40); j < Math.min(notes.length, i + 12); j++) {
    const other = notes[j];
    if (j === i || other.onset > note.onset || other.onset + other.duration <= note.onset) continue;
    const voice = other.voice ? VOICES.indexOf(other.voice) : before.get(keyOf(other));
    if (voice === undefined || voice < 0) continue;
    taken.add(voice);
    if (other.pitch > note.pitch) above = Math.max(above, voice);
    else below = Math.min(below, voice);
  }
  let best = 0;
  let least = Infinity;
  for (let voice = 0; voice < 4; voice++) {
    const crossing = voice <= above || voice >= below ? 20 : 0;
    const cost = Math.abs(USUAL[voice] - note.pitch) + crossing + (taken.has(voice) ? 40 : 0);
    if (cost < least) [best, least] = [voice, cost];
  }
  return best;
}

/** @type {WeakMap<Settings, Bars>} */
const barred = new WeakMap();

/** The bars of a piece as geometry wants them. @param {Settings} settings @returns {Bars} */
export function barsOf(settings) {
  let found = barred.get(settings);
  if (!found) {
    const { bars } = settings;
    const [first] = bars;
    found = {
      starts: bars.map((bar) => bar.start),
      first: first?.number ?? 1,
      pickup: first?.number === 0 ? first.n_steps : 0,
      end: settings.n_steps,
      meters: bars
        .filter(
          (bar, i) => i === 0 || bar.numerator !== bars[i - 1].numerator || bar.denominator !== bars[i - 1].denominator,
        )
        .map((bar) => ({ step: bar.start, numerator: bar.numerator, denominator: bar.denominator })),
    };
    barred.set(settings, found);
  }
  return found;
}

/**
 * @typedef {object} HistoryGroup
 * @property {number | null} run null: done by hand, or accepted
 * @property {HistoryItem[]} items newest first
 */

/** Does an item of the history leave anything? @param {HistoryItem} item */
export const isSomething = (item) => item.kind !== "notes" || item.added.length > 0 || item.removed.length > 0;

/**
 * The history, newest first: each run is one group, and so is everything between two runs.
 *
 * @param {ReadonlyMap<number, HistoryItem>} history
 * @returns {HistoryGroup[]}
 */
export function historyGroups(history) {
  const items = [...history.values()].sort((a, b) => b.batch - a.batch);
  /** @type {HistoryGroup[]} */
  const groups = [];
  /** @type {Map<number, HistoryGroup>} */
  const runs = new Map();
  for (const item of items) {
    const last = groups.at(-1);
    const group = item.run === null ? (last?.run === null ? last : undefined) : runs.get(item.run);
    if (group) {
      group.items.push(item);
      continue;
    }
    const begun = { run: item.run, items: [item] };
    groups.push(begun);
    if (item.run !== null) runs.set(item.run, begun);
  }
  return groups;
}

/**
 * An alternative done to the notes.
 *
 * @param {readonly Note[]} notes
 * @param {import("./protocol.js").Alternative} alternative
 * @param {readonly Voice[]} voices those that were asked for
 * @returns {Note[]}
 */
export function withAlternative(notes, alternative, voices) {
  const gone = new Set(alternative.remove.map(keyOf));
  const voice = voices.length === 1 ? voices[0] : null;
  /** @type {Note[]} */
  const come = alternative.add.map((shape) => ({ ...shape, author: "model", voice, batch: null }));
  return [...notes.filter((note) => !gone.has(keyOf(note))), ...come].sort(
    (a, b) => a.onset - b.onset || a.pitch - b.pitch,
  );
}

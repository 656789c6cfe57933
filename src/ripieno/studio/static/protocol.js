/**
 * The messages, as types: what docs/studio-protocol.md describes and messages.py checks.
 *
 * @typedef {"soprano" | "alto" | "tenor" | "bass"} Voice
 * @typedef {{onset: number, pitch: number, duration: number}} NoteShape
 * @typedef {NoteShape & {author: "file" | "user" | "model", voice: Voice | null, batch: number | null}} Note
 * @typedef {{number: number, start: number, n_steps: number, numerator: number, denominator: number}} Bar
 * @typedef {{name: string, tonic: number, mode: "major" | "minor", n_sharps: number, is_guessed: boolean}} WireKey
 *
 * @typedef {Record<string, any>} Rules options by name; which there are, the schema says (rules.js)
 * @typedef {{notes: NoteShape[], voices: {voice: Voice, notes: NoteShape[]}[], bars: number[], pitches: number[]}} Locks
 * @typedef {{start: number, rest: number, end: number, place: string, sure: number}} Phrase
 * @typedef {{name: string, rules: Rules, locks: Locks, bpm: number, key: WireKey, n_steps: number, bars: Bar[],
 *   phrases: Phrase[]}} Settings
 *
 * @typedef {object} HistoryItem
 * @property {number} batch
 * @property {number | null} run
 * @property {"notes" | "setting"} kind
 * @property {"user" | "model"} author
 * @property {string} text
 * @property {NoteShape[]} added
 * @property {NoteShape[]} removed
 * @property {number | null} probability
 * @property {number} time
 * @property {boolean} undone
 * @property {boolean} overwritten
 *
 * @typedef {object} Entry
 * @property {number} seq
 * @property {"edit" | "undo" | "redo" | "setting"} kind
 * @property {"user" | "model"} author
 * @property {number} batch
 * @property {number | null} run
 * @property {string | null} id
 * @property {string} text
 * @property {NoteShape[]} gone
 * @property {Note[]} new
 * @property {HistoryItem[]} items
 * @property {Settings | null} settings
 *
 * @typedef {{run: number, state: "running" | "finished" | "stopped" | "failed" | "nothing", n_changes: number, n_left: number | null,
 *   id: string | null}} RunState
 * @typedef {{settings: Settings, notes: Note[], history: HistoryItem[]}} PieceState
 * @typedef {{message_bytes: number, messages_per_second: number, upload_bytes: number, windows: number, pieces: number,
 *   notes: number, bars: number, steps: number, lowest: number, highest: number}} Limits
 *
 * @typedef {object} Suggestion
 * @property {string} token
 * @property {"add" | "remove"} action
 * @property {NoteShape} note
 * @property {Voice | null} voice
 * @property {number} probability
 * @property {"sure" | "likely" | "unsure"} sureness
 * @property {string} text
 *
 * @typedef {{token: string, seed: number, remove: NoteShape[], add: NoteShape[]}} Alternative
 *
 * @typedef {{type: "welcome", protocol: number, version: string, piece: string, seq: number, state: PieceState | null,
 *   entries: Entry[], run: RunState | null, model_ready: boolean, limits: Limits}} Welcome
 * @typedef {{type: "ready", model_ready: boolean, text: string}} Ready
 * @typedef {{type: "entries", entries: Entry[]}} Entries
 * @typedef {{type: "done", id: string, seq: number, text: string | null}} Done
 * @typedef {{type: "suggestions", id: string, seq: number, suggestions: Suggestion[], n_left: number | null,
 *   text: string | null}} Suggestions
 * @typedef {{type: "alternatives", id: string, seq: number, bars: [number, number], voices: Voice[],
 *   alternatives: Alternative[]}} Alternatives
 * @typedef {{type: "doubts", id: string, seq: number, notes: {note: NoteShape, belongs: number}[],
 *   cells: {step: number, pitch: number, sounds: boolean, probability: number}[], n_left: number | null}} Doubts
 * @typedef {{type: "voices", seq: number, notes: {onset: number, pitch: number, voice: Voice | null}[]}} Voices
 * @typedef {{type: "running", run: RunState}} Running
 * @typedef {{type: "error", id: string | null, code: string, text: string}} Problem
 * @typedef {Welcome | Ready | Entries | Done | Suggestions | Alternatives | Doubts | Voices | Running | Problem} ServerMessage
 *
 * @typedef {{id: string, name: string, created: number, changed: number, n_entries: number, is_open: boolean}} PieceInfo
 * @typedef {{protocol: number, version: string, model: "loading" | "ready" | "missing", text: string, formats: string[],
 *   score: boolean, soundfont: string | null}} Health
 */

export const PROTOCOL = 2;

/** @type {readonly Voice[]} */
export const VOICES = ["soprano", "alto", "tenor", "bass"];

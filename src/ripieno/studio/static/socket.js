/**
 * The line to the server: says hello, comes back when it is cut, and sends again what was not answered.
 *
 * A request that is sent twice with one id is carried out once, so sending again does no harm.
 */

import { PROTOCOL } from "./protocol.js";

/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {{type: string, id: string, [key: string]: unknown}} Request */

const QUESTIONS = new Set(["suggest", "regenerate", "doubts"]); // whose answers are of no use after a break
const FIRST_WAIT = 150; // milliseconds before the first try to come back
const LONGEST_WAIT = 3000;
const FATAL = new Set([1008, 4404]); // refused, and no such piece: trying again changes nothing

/** A name that no other request has. */
export const newId = () =>
  globalThis.crypto?.randomUUID?.() ?? `r${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

export class Connection {
  /**
   * @param {object} options
   * @param {string} options.url
   * @param {() => number | null} options.seen number of the last entry that is known
   * @param {(message: ServerMessage) => void} options.receive
   * @param {(why: "connecting" | "lost" | "refused", code?: number) => void} options.changed
   * @param {(url: string) => WebSocket} [options.open]
   */
  constructor({ url, seen, receive, changed, open = (address) => new WebSocket(address) }) {
    this.url = url;
    this.seen = seen;
    this.receive = receive;
    this.changed = changed;
    this.open = open;
    this.wait = FIRST_WAIT;
    this.isReady = false;
    this.isClosed = false;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {Map<string, Request>} requests without an answer, in order */
    this.unanswered = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.#connect();
  }

  /** @param {Request} request */
  send(request) {
    this.unanswered.set(request.id, request);
    if (this.isReady) this.socket?.send(JSON.stringify(request));
  }

  /** Say hello again, for instance because an entry is missing. */
  again() {
    this.socket?.close();
  }

  /** At once, not when the wait is over. */
  hurry() {
    if (this.socket || this.isClosed) return;
    clearTimeout(this.timer);
    this.#connect();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  #connect() {
    this.changed("connecting");
    const socket = this.open(this.url);
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", protocol: PROTOCOL, seen: this.seen() }));
    socket.onmessage = (event) => {
      if (this.socket !== socket) return;
      /** @type {ServerMessage} */
      const message = JSON.parse(event.data);
      if (message.type === "welcome") {
        this.wait = FIRST_WAIT;
        this.receive(message);
        this.isReady = true;
        for (const [id, request] of [...this.unanswered]) {
          if (QUESTIONS.has(request.type) && this.hadBreak) this.unanswered.delete(id);
          else socket.send(JSON.stringify(request));
        }
        this.hadBreak = false;
        return;
      }
      if ("id" in message && message.id) this.unanswered.delete(message.id);
      this.receive(message);
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.isReady = false;
      this.hadBreak = true;
      if (this.isClosed) return;
      if (FATAL.has(event.code)) {
        this.isClosed = true;
        this.changed("refused", event.code);
        return;
      }
      this.changed("lost");
      this.timer = setTimeout(() => this.#connect(), this.wait);
      this.wait = Math.min(this.wait * 1.7, LONGEST_WAIT);
    };
  }

  /** @type {boolean} */
  hadBreak = false;
}

/**
 * Files and pieces: opened, begun, saved, dropped on the page, listed, forgotten.
 */

import { byId, el } from "./dom.js";
import { keepRemarks } from "./kept.js";
import { drawPicture } from "./picture.js";
import { render, wavOf } from "./player.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./protocol.js").PieceInfo} PieceInfo */

const AWAY = "the studio does not answer; start it again with `ripieno studio`";
const LISTED = 20; // pieces
const MENU = 21 * 16; // pixels, at the most

/** What a piece is saved as, and what for; sound and picture the page makes by itself. */
const FORMATS = [
  ["mid", "MIDI", "for notation programs and sequencers"],
  ["wav", "Sound (WAV)", "as it is heard here"],
  ["png", "Picture (PNG)", "the whole roll"],
  ["svg", "Picture (SVG)", "drawn by lines, for print"],
  ["ripieno", "Project", "with its whole history"],
  ["musicxml", "MusicXML", "for notation programs"],
];

/** What went wrong, for people. @param {unknown} error */
export const troubleOf = (error) =>
  error instanceof TypeError ? AWAY : error instanceof Error ? error.message : String(error);

/** What the server answers; an error that says what it says where it refuses. @param {string} path @param {RequestInit} [request] */
export async function ask(path, request) {
  const response = await fetch(path, request);
  if (response.ok) return response;
  throw new Error((await response.json().catch(() => null))?.text ?? `the studio answered ${response.status}`);
}

/** @param {string} path @param {RequestInit} [request] */
export const askJson = async (path, request) => (await ask(path, request)).json();

/** @param {string} piece */
export const pathOf = (piece) => `api/pieces/${encodeURIComponent(piece)}`;

/** Begin an empty piece; its id. What is left out is as the server has it. @param {Record<string, string | number>} what */
export async function beginPiece(what) {
  const headers = { "Content-Type": "application/json" };
  const { piece } = await askJson("api/pieces", { method: "POST", headers, body: JSON.stringify(what) });
  return /** @type {string} */ (piece.id);
}

/** @param {string} piece */
const show = (piece) => location.assign(`?piece=${encodeURIComponent(piece)}`);

export class Files {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.#wireMenus();
    this.#wireBegin();
    this.#wireDrop();
    byId("open-file").addEventListener("click", () => byId("file").click());
    byId("file").addEventListener("change", (/** @type {any} */ event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) this.open(file);
    });
    const out = byId("drag-out");
    out.addEventListener("click", () => this.saveAs("mid"));
    out.addEventListener("dragstart", (/** @type {DragEvent} */ event) => {
      const url = this.exportUrl("mid");
      event.dataTransfer?.setData("DownloadURL", `audio/midi:${this.fileName}.mid:${url}`);
      event.dataTransfer?.setData("text/uri-list", url);
      if (event.dataTransfer) event.dataTransfer.effectAllowed = "copy";
    });
  }

  /** Menus open under their buttons. */
  #wireMenus() {
    for (const [button, menu, fill] of /** @type {[string, string, () => void][]} */ ([
      ["pieces-button", "pieces", () => this.listPieces()],
      ["save-button", "save", () => this.listFormats()],
    ])) {
      byId(menu).addEventListener("beforetoggle", (/** @type {any} */ event) => {
        if (event.newState !== "open") return;
        fill();
        const box = byId(button).getBoundingClientRect();
        const wide = Math.min(MENU, window.innerWidth - 24);
        byId(menu).style.top = `${box.bottom + 6}px`;
        byId(menu).style.left = `${Math.max(12, Math.min(box.left, window.innerWidth - wide - 12))}px`;
      });
    }
  }

  #wireBegin() {
    const problem = byId("begin-problem");
    byId("new-piece").addEventListener("click", () => {
      byId("pieces").hidePopover();
      problem.textContent = "";
      const { limits } = this.page.desk.state;
      if (limits) byId("begin-form").elements.namedItem("bars").max = limits.bars;
      byId("begin").showModal();
    });
    byId("begin-cancel").addEventListener("click", () => byId("begin").close());
    byId("begin-form").addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const { bars, bpm, ...more } = Object.fromEntries(new FormData(byId("begin-form")));
      try {
        show(await beginPiece({ .../** @type {any} */ (more), bars: Number(bars), bpm: Number(bpm) }));
      } catch (error) {
        problem.textContent = troubleOf(error);
      }
    });
  }

  /** Files dropped on the page. */
  #wireDrop() {
    let depth = 0;
    const isFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    const go = (/** @type {number} */ to) => {
      depth = Math.max(to, 0);
      byId("drop").hidden = depth === 0;
    };
    addEventListener("dragenter", (event) => isFiles(event) && go(depth + 1));
    addEventListener("dragleave", (event) => isFiles(event) && go(depth - 1));
    addEventListener("dragover", (event) => isFiles(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      go(0);
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      this.open(file);
    });
  }

  get fileName() {
    return (this.page.desk.settings?.name ?? "piece").replace(/[\\/:*?"<>|]+/g, " ").trim() || "piece";
  }

  /** @param {string} format */
  exportUrl(format) {
    return new URL(`${pathOf(this.page.desk.state.piece ?? "")}/export/${format}`, document.baseURI).href;
  }

  /** @param {string} format */
  async saveAs(format) {
    const { desk } = this.page;
    const name = `${this.fileName}.${format}`;
    try {
      const blob =
        format === "wav"
          ? await this.#wav()
          : format === "png"
            ? await this.#png()
            : await (await ask(this.exportUrl(format))).blob();
      const link = /** @type {HTMLAnchorElement} */ (el("a", { download: name, href: URL.createObjectURL(blob) }));
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      desk.say(`${name} is saved with your downloads`);
    } catch (error) {
      desk.say(`${name} could not be saved: ${error instanceof Error ? error.message : error}`, true);
    }
  }

  async #wav() {
    const { desk, player } = this.page;
    const tempos = player.music.tempos();
    const buffer = await render(this.page.heard(), { tempos, from: 0, to: desk.nSteps, tones: player.tones });
    const channels = [buffer.getChannelData(0), buffer.getChannelData(1)];
    return new Blob([wavOf(channels, buffer.sampleRate)], { type: "audio/wav" });
  }

  /** @returns {Promise<Blob>} */
  async #png() {
    const { desk, theme } = this.page;
    const canvas = document.createElement("canvas");
    drawPicture(canvas, this.page.scene(performance.now()), theme, desk.settings?.name ?? "");
    return new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large"))), "image/png"),
    );
  }

  /** @param {File} file */
  async open(file) {
    const { desk } = this.page;
    const most = desk.state.limits?.upload_bytes ?? Infinity;
    if (file.size > most) {
      const inMB = (/** @type {number} */ bytes) => `${Math.round(bytes / 2 ** 20)} MB`;
      desk.say(`${file.name} is too large: ${inMB(file.size)}; the studio opens files up to ${inMB(most)}`, true);
      return;
    }
    try {
      const answer = await askJson(`api/pieces/import?name=${encodeURIComponent(file.name)}`, {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body: await file.arrayBuffer(),
      });
      if (answer.remarks.length) keepRemarks(answer.remarks);
      show(answer.piece.id);
    } catch (error) {
      desk.say(troubleOf(error), true);
    }
  }

  async listPieces() {
    const { piece: current } = this.page.desk.state;
    const answer = await askJson("api/pieces").catch(() => null);
    /** @type {PieceInfo[]} */
    const pieces = answer?.pieces ?? [];
    byId("recent").replaceChildren(
      ...pieces.slice(0, LISTED).map((piece) => {
        const isCurrent = piece.id === current;
        const href = `?piece=${encodeURIComponent(piece.id)}`;
        const forget = {
          type: "button",
          class: "icon",
          "aria-label": `Forget ${piece.name}`,
          title: "Forget this piece and its history",
          onclick: () => this.forget(piece),
        };
        return el(
          "li",
          {},
          el(
            "a",
            { href, "aria-current": isCurrent ? "page" : null },
            el("span", {}, piece.name),
            el("span", { class: "quiet" }, ago(piece.changed)),
          ),
          !isCurrent && el("button", forget, "✕"),
        );
      }),
    );
  }

  /** @param {PieceInfo} piece */
  async forget(piece) {
    if (!confirm(`Forget “${piece.name}” with its whole history? It cannot be brought back.`)) return;
    const isGone = await ask(pathOf(piece.id), { method: "DELETE" }).catch(() => null);
    if (!isGone) this.page.desk.say(`“${piece.name}” could not be forgotten`, true);
    await this.listPieces();
  }

  listFormats() {
    const known = new Set([...(this.page.health?.formats ?? []), "wav", "png"]);
    const save = (/** @type {string} */ format) => {
      byId("save").hidePopover();
      this.saveAs(format);
    };
    byId("formats").replaceChildren(
      ...FORMATS.filter(([format]) => known.has(format)).map(([format, name, use]) => {
        const more = { type: "button", "data-format": format, onclick: () => save(format) };
        return el("li", {}, el("button", more, el("span", {}, name), el("span", { class: "quiet" }, use)));
      }),
    );
  }
}

/** @param {number} seconds since 1970 */
function ago(seconds) {
  const minutes = Math.round((Date.now() / 1000 - seconds) / 60);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 60 * 24) return `${Math.round(minutes / 60)} h ago`;
  return new Date(seconds * 1000).toLocaleDateString();
}

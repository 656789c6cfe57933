/**
 * The staff view: engraved on the server, fetched anew when the music has come to rest, and followed while it plays.
 */

const REST = 500; // milliseconds without a change before it is engraved again

export class StaffView {
  /** @param {HTMLElement} pane @param {HTMLElement} score */
  constructor(pane, score) {
    this.pane = pane;
    this.score = score;
    this.url = "";
    /** @type {number | null} seq of what is shown */
    this.shown = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.isFetching = false;
    this.at = 0; // the step that was marked last
    /** @type {{step: number, end: number, element: Element}[]} notes by the step they begin on, where the server tells */
    this.notes = [];
    /** @type {Element[]} */
    this.marked = [];
  }

  toggle() {
    this.pane.hidden = !this.pane.hidden;
    if (!this.pane.hidden) this.shown = null;
    return !this.pane.hidden;
  }

  /** @param {number | null} seq */
  changed(seq) {
    if (this.pane.hidden || seq === null || seq === this.shown || !this.url) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#fetch(seq), this.shown === null ? 0 : REST);
  }

  /** @param {number} seq */
  async #fetch(seq) {
    if (this.isFetching) {
      this.timer = setTimeout(() => this.#fetch(seq), REST);
      return;
    }
    this.isFetching = true;
    try {
      const response = await fetch(`${this.url}?seq=${seq}`);
      const text = await response.text();
      if (!response.ok) throw new Error(JSON.parse(text).text);
      const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
      if (svg.nodeName !== "svg") throw new Error("the staves could not be read");
      const left = this.pane.scrollLeft;
      this.score.replaceChildren(document.importNode(svg, true));
      this.pane.scrollLeft = left;
      this.shown = seq;
      this.notes = [...this.score.querySelectorAll("[data-step]")].map((element) => {
        const step = Number(element.getAttribute("data-step"));
        return { step, end: step + Number(element.getAttribute("data-duration") ?? 1), element };
      });
      this.marked = [];
      this.mark(this.at);
    } catch (error) {
      const message = document.createElement("p");
      message.className = "message";
      message.textContent = error instanceof Error ? error.message : String(error);
      this.score.replaceChildren(message);
      this.notes = [];
      this.marked = [];
      this.shown = seq;
    } finally {
      this.isFetching = false;
    }
  }

  /** Show what sounds at a step. @param {number} step */
  mark(step) {
    this.at = step;
    if (this.pane.hidden || !this.notes.length) return;
    const sounding = this.notes.filter((note) => note.step <= step && step < note.end);
    const now = sounding.map((note) => note.element);
    if (now.length === this.marked.length && now.every((element, i) => element === this.marked[i])) return;
    for (const element of this.marked) element.classList.remove("sounding");
    for (const element of now) element.classList.add("sounding");
    this.marked = now;
    const newest = Math.max(...sounding.map((note) => note.step)); // the first head of a long note may lie far back
    const box = sounding.find((note) => note.step === newest)?.element.getBoundingClientRect();
    const pane = this.pane.getBoundingClientRect();
    if (!box) return;
    if (box.left < pane.left + 40 || box.right > pane.right - 40)
      this.pane.scrollLeft += box.left - pane.left - pane.width * 0.15;
    if (box.top < pane.top || box.bottom > pane.bottom) this.pane.scrollTop += box.top - pane.top - pane.height * 0.3;
  }
}

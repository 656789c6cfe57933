/**
 * The tones of a SoundFont that the person has chosen, fetched from the server when they are first needed.
 */

const RATE = 48000; // as the server renders them

export class Tones {
  /** @param {string} url what a pitch is put behind */
  constructor(url) {
    this.url = url;
    /** @type {Map<number, AudioBuffer>} */
    this.buffers = new Map();
    /** @type {Map<number, Promise<void>>} */
    this.coming = new Map();
  }

  /** The tone of a pitch, if it is here already. @param {number} pitch */
  get(pitch) {
    return this.buffers.get(pitch);
  }

  /** Have some pitches here; what cannot be had is left to the organ. @param {Iterable<number>} pitches */
  async load(pitches) {
    await Promise.all([...new Set(pitches)].map((pitch) => this.#one(pitch)));
  }

  /** @param {number} pitch */
  #one(pitch) {
    let coming = this.coming.get(pitch);
    if (!coming) {
      coming = this.#fetch(pitch).catch(() => {
        this.coming.delete(pitch); // asked for again next time
      });
      this.coming.set(pitch, coming);
    }
    return coming;
  }

  /** @param {number} pitch */
  async #fetch(pitch) {
    const response = await fetch(`${this.url}${pitch}`);
    if (!response.ok) throw new Error(`no tone of pitch ${pitch}`);
    const decoder = new OfflineAudioContext(1, 1, RATE);
    this.buffers.set(pitch, await decoder.decodeAudioData(await response.arrayBuffer()));
  }
}

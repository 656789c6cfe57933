/**
 * A MIDI keyboard: keys pressed together become a chord at the cursor, and letting go of all of them moves it on.
 */

export class StepEntry {
  /**
   * @param {(pitch: number) => void} write a note at the cursor, which stays
   * @param {() => void} advance
   */
  constructor(write, advance) {
    this.write = write;
    this.advance = advance;
    /** @type {Set<number>} */
    this.down = new Set();
  }

  /** @param {ArrayLike<number>} bytes of one MIDI message */
  hear(bytes) {
    const kind = bytes[0] & 0xf0;
    const pitch = bytes[1];
    if (kind === 0x90 && bytes[2] > 0) {
      if (this.down.has(pitch)) return;
      this.down.add(pitch);
      this.write(pitch);
    } else if (kind === 0x80 || kind === 0x90) {
      if (this.down.delete(pitch) && this.down.size === 0) this.advance();
    }
  }
}

/**
 * Listen to every keyboard that is plugged in, or will be.
 *
 * @param {StepEntry} entry
 * @returns {Promise<() => void>} what stops listening
 */
export async function listen(entry) {
  const access = await navigator.requestMIDIAccess();
  const attach = () => {
    for (const input of access.inputs.values()) input.onmidimessage = (event) => event.data && entry.hear(event.data);
  };
  access.onstatechange = attach;
  attach();
  if (access.inputs.size === 0) throw new Error("no MIDI keyboard is plugged in");
  return () => {
    access.onstatechange = null;
    for (const input of access.inputs.values()) input.onmidimessage = null;
  };
}

export const hasMidi = () => typeof navigator !== "undefined" && "requestMIDIAccess" in navigator;

/**
 * What is heard: voices and authors that are mute, or sound alone.
 */

/** @typedef {"yours" | "model"} Author */

export class Mix {
  /** @type {Set<number>} */
  mutedVoices = new Set();
  /** @type {Set<number>} */
  soloVoices = new Set();
  /** @type {Set<Author>} */
  mutedAuthors = new Set();
  /** @type {Set<Author>} */
  soloAuthors = new Set();

  /** @param {number} voice @param {boolean} [isSolo] */
  mute(voice, isSolo = false) {
    toggle(isSolo ? this.soloVoices : this.mutedVoices, voice);
  }

  /** @param {Author} author @param {boolean} [isSolo] */
  muteAuthor(author, isSolo = false) {
    toggle(isSolo ? this.soloAuthors : this.mutedAuthors, author);
  }

  /** @param {number} voice @param {boolean} isModels */
  isHeard(voice, isModels) {
    /** @type {Author} */
    const author = isModels ? "model" : "yours";
    if (this.soloVoices.size ? !this.soloVoices.has(voice) : this.mutedVoices.has(voice)) return false;
    return this.soloAuthors.size ? this.soloAuthors.has(author) : !this.mutedAuthors.has(author);
  }

  /** The same text means that the same is heard. */
  get signature() {
    return [this.mutedVoices, this.soloVoices, this.mutedAuthors, this.soloAuthors]
      .map((set) => [...set].join())
      .join(";");
  }
}

/** @template T @param {Set<T>} set @param {T} one */
function toggle(set, one) {
  if (!set.delete(one)) set.add(one);
}

/**
 * What the browser keeps for the next visit; one that keeps nothing still works.
 */

/** @param {string} name @param {string} value @param {"localStorage" | "sessionStorage"} [where] */
export function remember(name, value, where = "localStorage") {
  try {
    globalThis[where].setItem(`ripieno-${name}`, value);
  } catch {
    // nothing is kept
  }
}

/** @param {string} name @param {"localStorage" | "sessionStorage"} [where] */
export function remembered(name, where = "localStorage") {
  try {
    return globalThis[where].getItem(`ripieno-${name}`);
  } catch {
    return null;
  }
}

/** What was copied can be pasted in another piece. @param {readonly object[]} clip */
export const keepClip = (clip) => remember("clip", JSON.stringify(clip));

export function keptClip() {
  try {
    return JSON.parse(remembered("clip") ?? "null");
  } catch {
    return null;
  }
}

/** What is to be said of a file once its piece is shown. @param {readonly string[]} remarks */
export const keepRemarks = (remarks) => remember("remarks", JSON.stringify(remarks), "sessionStorage");

/** @returns {string[]} */
export function takeRemarks() {
  const remarks = JSON.parse(remembered("remarks", "sessionStorage") ?? "[]");
  keepRemarks([]);
  return remarks;
}

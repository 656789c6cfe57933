/**
 * Keys, as people write them and read them: "Shift+Ctrl+Z". What they do stands in commands.js.
 */

/** @typedef {{key: string, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, altKey: boolean}} Press */

/** A press as commands.js writes it. On a Mac the command key is Ctrl. @param {Press} press */
export function pressName(press) {
  const key = press.key === " " ? "Space" : press.key.length === 1 ? press.key.toUpperCase() : press.key;
  const isSign = key.length === 1 && key.toLowerCase() === key.toUpperCase(); // Shift is part of how "?" is typed
  const isThirdLevel = isSign && press.altKey && press.ctrlKey; // as "[" is typed on many keyboards
  const isCtrl = (press.ctrlKey || press.metaKey) && !isThirdLevel;
  return [press.shiftKey && !isSign && "Shift", press.altKey && !isThirdLevel && "Alt", isCtrl && "Ctrl", key]
    .filter(Boolean)
    .join("+");
}

const SIGNS = new Map([
  ["ArrowUp", "↑"],
  ["ArrowDown", "↓"],
  ["ArrowLeft", "←"],
  ["ArrowRight", "→"],
  ["Escape", "Esc"],
  ["Delete", "Del"],
  ["Backspace", "⌫"],
]);

/** "Shift+ArrowUp" as one reads it on keys. @param {string} keys @returns {string[]} */
export const keycaps = (keys) => (keys === "+" ? ["+"] : keys.split("+").map((key) => SIGNS.get(key) ?? key));

/**
 * Elements of the page: found, made, and filled anew when what they show has changed.
 */

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * An element with its attributes and what is in it. `on...` listens; `true` sets an attribute, `false` leaves it out.
 *
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined | false)} inside
 */
export function el(name, attributes = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("aria-")) element.setAttribute(key, String(value));
    else if (value === false) continue;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(
    ...inside
      .filter((one) => one !== null && one !== undefined && one !== false)
      .map((one) => /** @type {Node | string} */ (one)),
  );
  return element;
}

/** @param {string} name */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** @type {WeakMap<Element, string>} */
const shown = new WeakMap();
/** What had the focus and went; it has it again if it comes back. @type {WeakMap<Element, string>} */
const missed = new WeakMap();

/**
 * Put something else in an element if it would look different; what had the focus has it again.
 *
 * @param {Element} element
 * @param {unknown} signature
 * @param {() => (Node | string)[]} build
 */
export function fill(element, signature, build) {
  const text = JSON.stringify(signature);
  if (shown.get(element) === text) return;
  shown.set(element, text);
  const { activeElement } = document;
  const isNowhere = !activeElement || activeElement === document.body;
  const focused = element.contains(activeElement)
    ? activeElement?.getAttribute("data-id")
    : isNowhere
      ? missed.get(element)
      : null;
  const top = element.scrollTop;
  element.replaceChildren(...build());
  element.scrollTop = top;
  missed.delete(element);
  if (!focused) return;
  const again = /** @type {HTMLElement | null} */ (element.querySelector(`[data-id="${CSS.escape(focused)}"]`));
  if (again) again.focus({ preventScroll: true });
  else missed.set(element, focused);
}

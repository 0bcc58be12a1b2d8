// Elements made from text, never from markup: whatever a client sent shows as it was sent.

/** Returns an element. `on…` properties listen; `true` sets and `false` or `null` leaves an attribute out. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null).map(asNode));
  return made;
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

export const byId = (id) => document.getElementById(id);

export const button = (text, onclick, properties = {}) =>
  el("button", { type: "button", onclick, ...properties }, text);

export const badge = (text, kind = "") => el("span", { class: `badge ${kind}` }, text);

export const labelled = (text, input, properties = {}) => el("label", properties, text, " ", input);

/** Returns a copy of one of the selects that the server knows the choices of. */
export function choices(name, value) {
  const select = byId("choices").content.querySelector(`[name=${name}]`).cloneNode(true);
  if (value !== undefined) select.value = value;
  return select;
}

/** Returns what the fields of a form hold, without the empty ones; numbers as numbers. */
export function filled(form) {
  const values = {};
  for (const field of form.elements) {
    const text = field.value.trim();
    if (field.name && text !== "") values[field.name] = field.type === "number" ? Number(text) : text;
  }
  return values;
}

/** Puts `children` into `parent`; what was typed into forms, what was open and the focus stay. */
export function refill(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  const typed = [...parent.querySelectorAll("form [data-focus]")].filter(isTyped).map((field) => [field.dataset.focus, field.value]);
  const open = [...parent.querySelectorAll("details[open]")].map((details) => details.dataset.focus);
  parent.replaceChildren(...children);
  const find = (name) => parent.querySelector(`[data-focus="${CSS.escape(name)}"]`);
  for (const [name, value] of typed) Object.assign(find(name) ?? {}, { value });
  for (const name of open) Object.assign(find(name) ?? {}, { open: true });
  if (focused) find(focused)?.focus({ preventScroll: true });
}

function isTyped(field) {
  return field.tagName === "SELECT" ? field.selectedIndex > 0 : field.value !== field.defaultValue;
}

/** Calls `send` with what the submitted form holds, and empties the form when that succeeds. */
export function sending(send) {
  return async (event) => {
    event.preventDefault();
    const form = event.target;
    if (await send(filled(form), form)) form.reset();
  };
}

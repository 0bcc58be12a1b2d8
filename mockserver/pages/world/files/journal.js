// The journal as it is written: filtered by the server, newest first, each entry opens to its exchange.

import { curlLine } from "./curl.js";
import { ask, attempt, one } from "./api.js";
import { badge, button, byId, el, filled } from "./dom.js";
import { openStream } from "./stream.js";

const MOST = 200;
const EARLIER = 50;
const STATES = { live: "live", lost: "connecting again", refused: "refused", paused: "paused" };
let close = null;
let turn = 0;
let heard = () => {};

/** Opens the stream; `onexchange` is called with each exchange beside the list. */
export function prepareJournal(onexchange) {
  heard = onexchange;
  byId("filter").addEventListener("submit", (event) => { event.preventDefault(); restart(); });
  byId("pause").addEventListener("click", () => (close ? pause() : restart()));
  byId("wipe").addEventListener("click", wipe);
  restart();
}

/** Shows the exchanges of one organization only. */
export function filterBy(organization) {
  byId("filter").elements.organization.value = organization;
  restart();
  byId("journal").scrollIntoView();
  byId("journal").focus({ preventScroll: true });
}

function restart() {
  close?.();
  wipe();
  const query = filled(byId("filter"));
  const mine = ++turn;
  const isOver = () => turn !== mine;
  let isNew = true;
  const onstate = (kind, text) => {
    state(kind, text);
    if (kind === "live" && isNew) attempt(() => showEarlier(query, isOver), "");
    isNew = false;
  };
  close = openStream(new URLSearchParams(query), { onexchange: show, onmissed: miss, onstate });
  byId("pause").setAttribute("aria-pressed", "false");
}

/** Shows the last exchanges before the stream began; only an organization's journal can be asked for them. */
async function showEarlier({ organization, ...query }, isOver) {
  if (organization === undefined) return;
  const journal = one(organization, "/journal");
  const { total } = await ask("GET", `${journal}?limit=1`);
  const rest = new URLSearchParams({ ...query, after: Math.max(0, total - EARLIER) });
  const { exchanges } = await ask("GET", `${journal}?${rest}`);
  if (isOver()) return;
  const shown = new Set([...byId("exchanges").children].map((item) => item.dataset.number));
  const earlier = exchanges.filter((exchange) => !shown.has(String(exchange.number)));
  byId("exchanges").append(...earlier.reverse().map(entry));
  byId("empty").hidden ||= earlier.length > 0;
}

function pause() {
  close();
  close = null;
  byId("pause").setAttribute("aria-pressed", "true");
  state("paused", "");
}

function wipe() {
  byId("exchanges").replaceChildren();
  byId("empty").hidden = false;
}

function state(kind, text) {
  const output = byId("stream");
  output.className = `badge ${kind === "live" ? "good" : "warn"}`;
  output.textContent = text ? `${STATES[kind]}: ${text}` : STATES[kind];
}

function miss(count) {
  put(el("li", { class: "missed quiet" }, `${count} exchanges were answered too fast to be shown.`));
}

function show(exchange) {
  put(entry(exchange));
  heard(exchange);
}

function put(item) {
  const list = byId("exchanges");
  list.prepend(item);
  while (list.children.length > MOST) list.lastElementChild.remove();
  byId("empty").hidden = true;
}

function entry(exchange) {
  const kind = exchange.status < 400 ? "good" : exchange.status < 500 ? "warn" : "bad";
  const details = el("details", {},
    el("summary", {},
      badge(exchange.status, kind), el("b", {}, exchange.method), el("code", { class: "path" }, exchange.path),
      el("span", { class: "quiet" }, exchange.organization ?? "no organization")));
  details.addEventListener("toggle", () => details.append(opened(exchange)), { once: true });
  return el("li", { "data-number": exchange.number }, details);
}

function opened(exchange) {
  const facts = [
    ["Answered", new Date(exchange.at * 1000).toISOString()],
    ["Took", `${(exchange.took * 1000).toFixed(1)} ms`],
    ["Operation", exchange.operation ?? `none; the nearest is ${exchange.nearest ?? "unknown"}`],
    ["Rule that refused", exchange.rule && `${exchange.rule}: ${sentence(exchange.rule)}`],
    ["Fault", exchange.fault],
    ["Key", exchange.key && `${exchange.key} in ${exchange.key_places.join(", ")}`],
    ["Query", exchange.query],
    ["Next page", exchange.next_page],
  ].filter(([, value]) => value);
  const line = curlLine(exchange, location.origin);
  return el("div", { class: "exchange" },
    el("dl", {}, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    el("h3", {}, "Headers"),
    el("pre", { tabindex: 0 }, Object.entries(exchange.headers).map(([name, value]) => `${name}: ${value}`).join("\n") || "none"),
    ...(exchange.body ? [el("h3", {}, `Body, ${exchange.body_size} bytes`), el("pre", { tabindex: 0 }, exchange.body)] : []),
    el("h3", {}, isWhole(exchange) ? "Send it again" : "Send it again, with the part of its body that was kept"),
    el("pre", { tabindex: 0, class: "curl" }, line),
    button("Copy the line", (event) => copy(line, event.target)));
}

function isWhole(exchange) {
  return new TextEncoder().encode(exchange.body).length >= exchange.body_size;
}

function sentence(id) {
  return byId("rules").querySelector(`[data-rule="${CSS.escape(id)}"]`)?.textContent ?? "";
}

async function copy(text, pressed) {
  pressed.textContent = await navigator.clipboard.writeText(text).then(() => "Copied", () => "The browser forbids it");
}

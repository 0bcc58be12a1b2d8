// The chosen organization: everything that can be done to it by hand.

import { ask, attempt, one } from "./api.js";
import { clockControls } from "./clock.js";
import { badge, button, byId, choices, el, labelled, refill, sending } from "./dom.js";

let chosen = null;
let asking = Promise.resolve();
let changed = async () => {};
let follow = () => {};

/** Says what to do after each change, and how to filter the journal by an organization. */
export function prepareDetail(afterChange, filterBy) {
  changed = afterChange;
  follow = filterBy;
}

export const chosenId = () => chosen;

/** Shows the organization `id`. */
export async function choose(id) {
  if (id !== chosen) byId("detail").replaceChildren();
  chosen = id;
  await refreshDetail();
}

/** Asks for the chosen organization anew, and shows it; what is being typed stays. */
export function refreshDetail(force = true) {
  const id = chosen;
  if (id !== null && (force || !byId("detail").querySelector("input:focus, select:focus"))) {
    asking = Promise.allSettled([asking]).then(() => show(id)); // one after the other, so that the latest answer stays
  }
  return asking;
}

async function show(id) {
  if (id !== chosen) return;
  let answers;
  try {
    const organization = await ask("GET", one(id));
    answers = [organization, ...await Promise.all(["/headroom", "/clock", "/faults"].map((rest) => ask("GET", one(id, rest))))];
  } catch (error) {
    if (error.status !== 404) throw error;
    if (id === chosen) leave(id);
    return;
  }
  if (id !== chosen) return;
  const [organization, headroom, clock, faults] = answers;
  refill(byId("detail"), ...parts(organization, headroom, clock, faults.faults));
}

function leave(id) {
  chosen = null;
  byId("detail").replaceChildren(el("p", { class: "quiet" }, `There is no organization ${id} any more.`));
}

async function remove(id) {
  chosen = null; // nobody asks for it while it goes
  await asking.catch(() => {});
  try {
    await ask("DELETE", one(id));
  } catch (error) {
    chosen = id;
    throw error;
  }
  leave(id);
  byId("detail").focus();
}

async function act(deed, done) {
  const isDone = await attempt(deed, done);
  if (isDone) refreshBoth();
  return isDone;
}

/** Asks again in the background, so that a form is emptied before it is shown anew. */
function refreshBoth() {
  Promise.all([refreshDetail(), changed()]).catch(() => {});
}

function parts(organization, headroom, clock, faults) {
  const { id } = organization;
  return [
    el("div", { class: "line" },
      el("h2", {}, organization.name || id), el("code", {}, id),
      button("Show in the journal", () => follow(id), { "data-focus": "follow" })),
    part("Windows", windows(id, headroom, organization)),
    part("Clock", clockControls(clock, one(id, "/clock"), id, refreshBoth)),
    part("Subscription", subscription(organization)),
    part("Accounts", el("ul", { class: "rows" }, ...organization.accounts.map((account) => accountRow(id, account)))),
    part("Keys", el("ul", { class: "rows" }, ...organization.keys.map((key) => keyRow(id, key, clock.now)))),
    part("Faults", faultList(id, faults)),
    el("div", { class: "buttons" },
      button("Reset", () => sure(`Reset ${id}?`) && act(() => ask("POST", one(id, "/reset")), `${id} is as it was made.`), { "data-focus": "reset" }),
      button("Remove", () => sure(`Remove ${id} and its keys?`) && act(() => remove(id), `${id} is removed.`), { class: "grave", "data-focus": "remove" })),
  ];
}

const part = (title, ...content) => el("section", { "aria-label": title }, el("h3", {}, title), ...content);

const sure = (question) => window.confirm(question);

function windows(id, headroom, organization) {
  const exhaust = (name) =>
    button(`Exhaust ${name}`, () => act(() => ask("POST", one(id, "/exhaust"), { windows: [name] }), `${id}: the ${name} is used up.`), { "data-focus": `exhaust-${name}` });
  const fill = { remaining_minute: headroom.limit_minute, remaining_day: headroom.limit_day };
  const set = sending((body) => act(() => ask("PUT", one(id, "/headroom"), body), `${id}: the windows are set.`));
  const field = (name) => el("input", { type: "number", name: `remaining_${name}`, "data-focus": `remaining-${name}` });
  return el("div", {},
    gauge("Minute", headroom.remaining_minute, headroom.limit_minute),
    gauge("Day", headroom.remaining_day, headroom.limit_day),
    organization.mode === "enforce" ? null : el("p", { class: "quiet" }, `Nothing is refused: the limiter's mode is ${organization.mode}.`),
    el("div", { class: "buttons" }, exhaust("minute"), exhaust("day"),
      button("Fill both", () => act(() => ask("PUT", one(id, "/headroom"), fill), `${id}: both windows are full.`), { "data-focus": "fill" })),
    el("form", { onsubmit: set }, labelled("Left of the minute", field("minute")), labelled("Left of the day", field("day")), el("button", {}, "Set")));
}

/** Returns a window as a gauge with its numbers. */
export function gauge(name, left, limit) {
  const text = `${left} of ${limit}`;
  const meter = el("meter", { min: 0, max: Math.max(limit, 1), low: limit * 0.1, high: limit * 0.3, optimum: limit, value: left, "aria-label": `${name}: ${text} left` }, text);
  return el("div", { class: "gauge" }, el("span", { "aria-hidden": "true" }, name), meter, el("span", { class: "number", "aria-hidden": "true" }, text));
}

function subscription(organization) {
  const select = choices("subscription", organization.subscription);
  select.dataset.focus = "subscription";
  select.addEventListener("change", () =>
    act(() => ask("PATCH", one(organization.id), { subscription: select.value }), `${organization.id}: the subscription is ${select.value}.`));
  return labelled("State of the billing", select);
}

function accountRow(id, account) {
  const lost = account.state === "sync_lost";
  const state = lost ? "connected" : "sync_lost";
  const change = () => act(() => ask("PATCH", one(id, `/accounts/${account.id}`), { state }), `Account ${account.id}: ${state}.`);
  return el("li", {},
    el("span", {}, el("b", {}, account.name), " ", el("code", {}, account.id)),
    badge(account.state, lost ? "bad" : "good"),
    button(lost ? "Restore session" : "Lose session", change, { "data-focus": `account-${account.id}`, "aria-label": `${lost ? "Restore" : "Lose"} the session of account ${account.id}` }));
}

function keyRow(id, key, now) {
  const isExpired = key.expires !== null && Date.parse(key.expires) <= Date.parse(now);
  const state = key.revoked ? "revoked" : isExpired ? "expired" : "valid";
  const change = () => act(() => ask("PATCH", one(id, `/keys/${encodeURIComponent(key.id)}`), { revoked: !key.revoked }), `Key ${key.id} is ${key.revoked ? "valid again" : "revoked"}.`);
  const copy = () => attempt(() => navigator.clipboard.writeText(key.key), `Key ${key.id} is in the clipboard.`);
  const all = key.permissions.includes("*");
  const permissions = all
    ? el("span", { class: "quiet" }, "all permissions")
    : el("details", { "data-focus": `key-${key.id}` }, el("summary", {}, `${key.permissions.length} permissions`), el("ul", {}, ...key.permissions.map((name) => el("li", {}, el("code", {}, name)))));
  return el("li", {},
    el("span", {}, el("code", {}, key.id), key.note ? el("span", { class: "quiet" }, ` ${key.note}`) : null, permissions,
      key.expires ? el("span", { class: "quiet" }, ` until ${key.expires}`) : null),
    badge(state, state === "valid" ? "good" : "bad"),
    button("Copy", copy, { "data-focus": `copy-${key.id}`, "aria-label": `Copy the key ${key.id}` }),
    button(key.revoked ? "Restore" : "Revoke", change, { "data-focus": `key-${key.id}`, "aria-label": `${key.revoked ? "Restore" : "Revoke"} the key ${key.id}` }));
}

function faultList(id, faults) {
  const clearAll = () => act(() => ask("DELETE", one(id, "/faults")), `${id}: every fault is cleared.`);
  return el("div", {},
    faults.length ? el("ul", { class: "rows" }, ...faults.map((fault) => faultRow(id, fault))) : el("p", { class: "quiet" }, "None is planted."),
    faults.length ? el("div", { class: "buttons" }, button("Clear all faults", clearAll, { "data-focus": "clear-faults" })) : null,
    el("details", { "data-focus": "plant" }, el("summary", {}, "Plant a fault"), faultForm(id)));
}

function faultRow(id, fault) {
  const what = fault.kind === "status" ? `status ${fault.status}` : fault.kind;
  const clear = () => act(() => ask("DELETE", one(id, `/faults/${encodeURIComponent(fault.id)}`)), `Fault ${fault.id} is cleared.`);
  return el("li", {},
    el("span", {}, el("b", {}, what), ` on ${fault.operation ?? "any operation"}`, el("span", { class: "quiet" }, ` met ${fault.uses}${fault.times ? ` of ${fault.times}` : ""}`)),
    badge(fault.state, fault.state === "active" ? "warn" : ""),
    button("Clear", clear, { "data-focus": `fault-${fault.id}`, "aria-label": `Clear the fault ${fault.id}` }));
}

function faultForm(id) {
  const plant = sending(({ status, ...rest }) => {
    const body = rest.kind === "status" ? { ...rest, status } : rest;
    return act(() => ask("POST", one(id, "/faults"), body), `${id}: the fault is planted.`);
  });
  const kinds = choices("kind");
  kinds.dataset.focus = "new-kind";
  const number = (name, properties) => el("input", { type: "number", name, "data-focus": `new-${name}`, ...properties });
  return el("form", { onsubmit: plant },
    labelled("Kind", kinds),
    labelled("Status", number("status", { value: 502 })),
    labelled("Operation", el("input", { name: "operation", list: "operations", placeholder: "any", autocomplete: "off", "data-focus": "new-operation" })),
    labelled("Requests", number("times", { placeholder: 1 })),
    labelled("Latency in seconds", number("latency", { step: "any", placeholder: 0 })),
    el("button", {}, "Plant"));
}

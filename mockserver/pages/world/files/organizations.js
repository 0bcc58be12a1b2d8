// The list of organizations: searched, paged, each with its two windows.

import { ask, attempt } from "./api.js";
import { choose, chosenId, gauge } from "./detail.js";
import { badge, byId, el, refill, sending } from "./dom.js";

const SIZE = 8;
let offset = 0;
let search = "";
let asked = 0;

/** Asks for the present page, and shows it. */
export async function refreshList() {
  const turn = ++asked;
  const query = new URLSearchParams({ limit: SIZE, offset, headroom: true, ...(search && { search }) });
  const page = await ask("GET", `/organizations?${query}`);
  if (page.organizations.length === 0 && offset > 0) {
    offset = Math.max(0, Math.floor((page.total - 1) / SIZE) * SIZE);
    return refreshList();
  }
  if (turn !== asked) return;
  refill(byId("list"), ...page.organizations.map(row));
  byId("page").textContent = page.total ? `${offset + 1}–${offset + page.organizations.length} of ${page.total}` : "None found";
  byId("before").disabled = offset === 0;
  byId("after").disabled = offset + SIZE >= page.total;
  if (!search) byId("population").textContent = `${page.total} organizations`;
}

function row(organization) {
  const { id, subscription, accounts, keys, headroom } = organization;
  const lost = accounts.filter((account) => account.state === "sync_lost").length;
  const pick = async () => {
    await attempt(() => choose(id), "");
    mark();
    byId("detail").scrollIntoView({ block: "nearest" });
    byId("detail").focus({ preventScroll: true });
  };
  return el("li", {},
    el("button", { type: "button", class: "pick", onclick: pick, "data-id": id, "data-focus": `pick-${id}`, "aria-pressed": String(id === chosenId()) },
      el("span", { class: "line" }, el("b", {}, organization.name || id), organization.name ? el("code", {}, id) : null),
      el("span", { class: "line" },
        badge(subscription, subscription === "active" ? "good" : "bad"),
        el("span", { class: "quiet" }, `${count(accounts, "account")}${lost ? `, ${lost} lost` : ""}, ${count(keys, "key")}`))),
    gauge("Minute", headroom.remaining_minute, headroom.limit_minute),
    gauge("Day", headroom.remaining_day, headroom.limit_day));
}

const count = (things, name) => `${things.length} ${name}${things.length === 1 ? "" : "s"}`;

function mark() {
  for (const pick of byId("list").querySelectorAll(".pick")) {
    pick.setAttribute("aria-pressed", String(pick.dataset.id === chosenId()));
  }
}

/** Lets the search, the pages and the form for a new organization do what they say. */
export function prepareList() {
  const form = byId("search");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => turnTo(0, form.elements.search.value.trim()));
  byId("before").addEventListener("click", () => turnTo(Math.max(0, offset - SIZE)));
  byId("after").addEventListener("click", () => turnTo(offset + SIZE));
  byId("mint").addEventListener("submit", sending(mint));
}

function turnTo(place, text = search) {
  offset = place;
  search = text;
  attempt(refreshList, "");
}

async function mint({ permissions, ...body }) {
  const key = permissions === undefined ? {} : { permissions: permissions.split(/[\s,]+/) };
  let made = null;
  const deed = async () => { made = await ask("POST", "/organizations", { ...body, keys: [key] }); };
  const isDone = await attempt(deed, "The organization is made, with a key.");
  if (isDone) await Promise.all([choose(made.id), refreshList()]);
  return isDone;
}

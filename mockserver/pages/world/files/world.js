// Puts the page together, and asks again after whatever happens in the world.

import { ask, attempt } from "./api.js";
import { prepareAnything } from "./anything.js";
import { clockControls } from "./clock.js";
import { prepareDetail, refreshDetail } from "./detail.js";
import { byId, refill } from "./dom.js";
import { filterBy, prepareJournal } from "./journal.js";
import { prepareList, refreshList } from "./organizations.js";

const SOON = 250;
const SOMETIMES = 5000;
let waiting = false;

async function refreshClock() {
  const clock = await ask("GET", "/clock");
  refill(byId("world-time"), clockControls(clock, "/clock", "The world", refreshAll));
}

async function refreshAll() {
  await Promise.all([refreshClock(), refreshList(), refreshDetail()]);
}

/** Asks again once for all that happens within a moment. */
function refreshSoon() {
  if (waiting) return;
  waiting = true;
  setTimeout(async () => {
    waiting = false;
    await Promise.all([refreshList(), refreshDetail(false)]).catch(() => {});
  }, SOON);
}

async function refreshSometimes() {
  if (!document.hidden) {
    const typing = byId("world-time").contains(document.activeElement);
    await Promise.all([typing ? null : refreshClock(), refreshList(), refreshDetail(false)]).catch(() => {});
  }
  setTimeout(refreshSometimes, SOMETIMES);
}

byId("reset-world").addEventListener("click", async () => {
  if (!window.confirm("Reset the world? Every organization that isn't seeded goes.")) return;
  if (await attempt(() => ask("POST", "/reset"), "The world is as it was seeded.")) await refreshAll();
});
prepareDetail(refreshList, filterBy);
prepareList();
prepareAnything(refreshAll);
prepareJournal(refreshSoon);
attempt(refreshAll, "");
setTimeout(refreshSometimes, SOMETIMES);

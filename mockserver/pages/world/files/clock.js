// The controls of a clock, the same for the world's and for an organization's.

import { attempt, ask } from "./api.js";
import { badge, button, el, labelled, sending } from "./dom.js";

const STEPS = [["1 min", 60], ["1 h", 3600], ["1 day", 86400]];

/** Returns the controls of the clock at `path`; `whose` names it, `changed` is called after each move. */
export function clockControls(clock, path, whose, changed) {
  const move = async (body, done) => {
    const isDone = await attempt(() => ask("POST", path, body), `${whose}: ${done}`);
    if (isDone) changed();
    return isDone;
  };
  const step = ([text, seconds]) =>
    button(`+${text}`, () => move({ advance: seconds }, `${text} passed.`), {
      "data-focus": `clock-${seconds}`, "aria-label": `Advance by ${text}`,
    });
  const frozen = clock.mode === "frozen";
  return el("div", { class: "clock" },
    el("p", {}, el("time", { datetime: clock.now }, shownTime(clock.now)), " ", badge(clock.mode, frozen ? "warn" : "")),
    el("div", { class: "buttons" },
      ...STEPS.map(step),
      frozen
        ? button("Resume", () => move({ run: true }, "the clock runs on."), { "data-focus": "clock-run" })
        : button("Freeze", () => move({ freeze: true }, "the clock stands still."), { "data-focus": "clock-run" }),
      button("Real time", () => move({ reset: true }, "the clock is back at real time."), { "data-focus": "clock-reset" })),
    advanceForm(move));
}

function advanceForm(move) {
  const onsubmit = sending(({ seconds }) => move({ advance: seconds }, `${seconds} seconds passed.`));
  const input = el("input", { name: "seconds", type: "number", step: "any", required: true, "data-focus": "clock-seconds" });
  return el("form", { onsubmit }, labelled("Seconds to advance", input), el("button", {}, "Advance"));
}

/** Returns a time of the control API, in UTC, as people read it. */
export function shownTime(text) {
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}

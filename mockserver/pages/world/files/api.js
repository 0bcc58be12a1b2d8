// The control API, and what the page says of its answers.

import { byId } from "./dom.js";

const SHOWN = 6000;
let fading;

/** Returns the answer of the control API; throws an `Error` whose text is the refusal. */
export async function ask(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  let answer;
  try {
    answer = await fetch(`/_mock${path}`, options);
  } catch {
    throw new Error("The mock doesn't answer; is it still running?");
  }
  return answer.ok ? answer.json() : refused(answer);
}

/** Throws the refusal that `answer` is. */
export async function refused(answer) {
  const body = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(body.error ?? `The mock answered ${answer.status}.`), { status: answer.status });
}

export const one = (id, rest = "") => `/organizations/${encodeURIComponent(id)}${rest}`;

/** Does what `deed` does, and says what came of it; returns whether it was done. */
export async function attempt(deed, done) {
  try {
    await deed();
  } catch (error) {
    say("refusal", error.message);
    say("done", "");
    return false;
  }
  say("refusal", "");
  say("done", done);
  return true;
}

function say(id, text) {
  byId(id).textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => { byId("done").textContent = ""; }, SHOWN);
}

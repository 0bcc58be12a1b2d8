// Whatever the control API can do and the page has no button for, sent by hand.

import { ask, attempt } from "./api.js";
import { chosenId } from "./detail.js";
import { byId, el } from "./dom.js";

const JSON_TYPE = "application/json";
let calls = [];

/** Lets the form send any call that the control API describes; `refresh` follows each. */
export function prepareAnything(refresh) {
  const details = byId("anything");
  const form = details.querySelector("form");
  details.addEventListener("toggle", () => { if (details.open && !calls.length) attempt(() => load(form), ""); });
  form.elements.call.addEventListener("change", () => propose(form));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { method } = calls[form.elements.call.selectedIndex];
    const deed = async () => {
      const answer = await send(method, form.elements.path.value.trim(), form.elements.body.value.trim());
      byId("answer").textContent = JSON.stringify(answer, null, 2);
    };
    byId("answer").textContent = "";
    if (await attempt(deed, "It is done; the answer stands below the form.")) await refresh().catch(() => {});
  });
}

async function load(form) {
  const document = await ask("GET", "/openapi.json");
  calls = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods)
    .filter(([, call]) => call.operationId && call.operationId !== "stream_journal")
    .map(([method, call]) => ({ method: method.toUpperCase(), path, summary: call.summary, tag: call.tags[0], body: example(document, call) })));
  const groups = Map.groupBy ? [...Map.groupBy(calls, (call) => call.tag)] : [["Calls", calls]];
  calls = groups.flatMap(([, grouped]) => grouped);
  form.elements.call.replaceChildren(...groups.map(([tag, grouped]) =>
    el("optgroup", { label: tag }, ...grouped.map((call) => el("option", {}, call.summary)))));
  propose(form);
}

/** Returns the body that the description shows, or `undefined` where the call takes none. */
function example(document, call) {
  const named = call.requestBody?.$ref;
  const body = named ? document.components.requestBodies[named.split("/").at(-1)] : call.requestBody;
  const content = body?.content[JSON_TYPE];
  return content && (content.example ?? Object.values(content.examples ?? {})[0]?.value ?? {});
}

function propose(form) {
  const { method, path, body } = calls[form.elements.call.selectedIndex];
  const id = chosenId();
  form.elements.path.value = id ? path.replace("{organization}", encodeURIComponent(id)) : path;
  form.elements.body.value = body === undefined ? "" : JSON.stringify(body, null, 1);
  byId("method").textContent = method;
}

async function send(method, path, text) {
  const open = /\{(\w+)\}/.exec(path);
  if (open) throw new Error(`Put something in the place of {${open[1]}} in the path.`);
  let body;
  try {
    body = text === "" ? undefined : JSON.parse(text);
  } catch (error) {
    throw new Error(`The body isn't JSON: ${error.message}`);
  }
  return ask(method, path, body);
}

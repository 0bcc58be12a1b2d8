// Server-sent events, read with fetch: unlike EventSource it hands out the text of a refusal.

import { refused } from "./api.js";

const AGAIN = 1000;

/** Keeps a stream open until it is closed, or refused for good; returns what closes it. */
export function openStream(query, { onexchange, onmissed, onstate }) {
  const control = new AbortController();
  keepOpen();
  return () => control.abort();

  async function keepOpen() {
    while (!control.signal.aborted) {
      try {
        await listen();
      } catch (error) {
        if (control.signal.aborted) return;
        onstate(error.status ? "refused" : "lost", error.status ? error.message : "");
        if (error.status && error.status !== 503) return;
      }
      await new Promise((wake) => setTimeout(wake, AGAIN));
    }
  }

  async function listen() {
    const answer = await fetch(`/_mock/journal/stream?${query}`, { signal: control.signal });
    if (!answer.ok) await refused(answer);
    onstate("live", "");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const events = (text + value).split("\n\n");
      text = events.pop();
      events.forEach(hand);
    }
    onstate("lost", "");
  }

  function hand(event) {
    const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
    if (fields.data === undefined) return;
    if (fields.event === "missed") onmissed(JSON.parse(fields.data).count);
    else onexchange(JSON.parse(fields.data));
  }
}

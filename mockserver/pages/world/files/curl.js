// A line for the shell that sends the same request again, with the key as a variable.

const MASK = "fm_api_***";
const VARIABLE = '"$FANSMETRIC_KEY"';
const CONTROLS = /[\0-\t\v-\x1f\x7f-\x9f]/;
const CONTROL = /[\0-\x1f\x7f-\x9f]/g;

/** Returns the line for `exchange`; `origin` is where the mock answers. */
export function curlLine(exchange, origin) {
  const globs = /[[\]{}]/.test(exchange.query) ? ["-g"] : []; // else curl takes them for patterns
  const words = ["curl", ...globs, ...method(exchange.method), quoted(origin + target(exchange))];
  if (exchange.key_places.includes("authorization")) words.push("-H", `"Authorization: Bearer $FANSMETRIC_KEY"`);
  if (exchange.key_places.includes("x-api-key")) words.push("-H", `"X-API-Key: $FANSMETRIC_KEY"`);
  if (exchange.headers["content-type"]) words.push("-H", quoted(`Content-Type: ${exchange.headers["content-type"]}`));
  if (exchange.body) words.push("--data-raw", quoted(exchange.body));
  return words.join(" ");
}

function method(name) {
  if (name === "GET") return [];
  return name === "HEAD" ? ["-I"] : ["-X", quoted(name)];
}

function target({ path, query }) {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return query ? `${encoded}?${query}` : encoded;
}

function quoted(text) {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return text.split(MASK).map((part) => (CONTROLS.test(part) ? spelled(part) : plain(part))).join(VARIABLE);
}

const plain = (part) => `'${part.replaceAll("'", `'\\''`)}'`;

/** Returns `part` with its control characters by number: pasted as they are, a terminal would obey them. */
function spelled(part) {
  const code = (mark) => mark.charCodeAt(0).toString(16).padStart(4, "0");
  return `$'${part.replace(/[\\']/g, "\\$&").replace(CONTROL, (mark) => `\\u${code(mark)}`)}'`;
}

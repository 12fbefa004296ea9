// What the page asks of its server. The token, if any, comes after # in the address and is kept in memory only.

import { sentence } from "./words.js";

export class Refused extends Error {}

let token = "";

export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return false;
  token = given;
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

const headers = more => (token ? { ...more, Authorization: `Bearer ${token}` } : more);
const address = path => new URL(path, document.baseURI);
const GONE = "The server does not answer: it has stopped, or the network is down. Start it again and try once more.";
const CHANGED = "The file was changed, moved or removed while it was sent: choose it again.";
const TOKEN = "The server wants its token: open its address with #token=… at the end.";

// one line for what went wrong; the server's own where it gave one
function refusal(status, text, retryAfter) {
  let detail = "";
  try {
    detail = JSON.parse(text).detail;
    if (Array.isArray(detail)) detail = detail.map(each => each.msg).join("; ");
  } catch {
    // no JSON: something between the page and the server has answered
  }
  if (status === 401) return TOKEN;
  if (status === 429)
    return `The server is busy: try again${Number(retryAfter) > 0 ? ` in ${Number(retryAfter)} s` : " in a moment"}.`;
  return detail ? sentence(detail) : `The server has answered ${status} without a reason.`;
}

async function asked(path, options = {}) {
  let response;
  try {
    response = await fetch(address(path), { cache: "no-store", ...options, headers: headers(options.headers ?? {}) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(GONE);
  }
  if (!response.ok)
    throw new Refused(refusal(response.status, await response.text(), response.headers.get("Retry-After")));
  return response;
}

export const askModel = async () => (await asked("model")).json();

export async function askExport(timeline, format) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(timeline) };
  return (await asked(`export?format=${format}`, options)).blob();
}

export async function askExplanation(file, name, options, signal) {
  const form = new FormData();
  form.append("file", file, name);
  return (await asked(`explain?${new URLSearchParams(options)}`, { method: "POST", body: form, signal })).json();
}

// browsers give no more of a file that has changed since it was chosen
const canBeRead = file =>
  file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );

// XMLHttpRequest, since fetch does not tell how much has been sent
export function askTimeline(file, name, options, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(),
      form = new FormData(),
      url = address("timeline");
    form.append("file", file, name);
    for (const [option, value] of Object.entries(options)) url.searchParams.set(option, value);
    request.open("POST", url);
    for (const [header, value] of Object.entries(headers({}))) request.setRequestHeader(header, value);
    request.upload.addEventListener(
      "progress",
      event => event.lengthComputable && onProgress(event.loaded / event.total),
    );
    request.upload.addEventListener("load", () => onProgress(1));
    request.addEventListener("error", async () => reject(new Refused((await canBeRead(file)) ? GONE : CHANGED)));
    request.addEventListener("abort", () => reject(signal.reason));
    request.addEventListener("load", () => {
      if (request.status !== 200) {
        reject(new Refused(refusal(request.status, request.responseText, request.getResponseHeader("Retry-After"))));
        return;
      }
      try {
        resolve(JSON.parse(request.responseText));
      } catch {
        reject(new Refused("The server’s answer was cut off: try once more."));
      }
    });
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

export function openLive() {
  const url = address("live");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  let socket;
  try {
    socket = new WebSocket(url, token ? ["ser", `token.${token}`] : ["ser"]);
  } catch {
    throw new Refused(TOKEN); // a token of characters that no WebSocket can carry
  }
  socket.binaryType = "arraybuffer";
  return socket;
}

// A WebSocket does not tell why it was refused: ask for something else, which does.
export async function whyClosed(event, ready) {
  if (event.reason) return sentence(event.reason);
  try {
    await askModel();
  } catch (error) {
    return error.message;
  }
  return ready
    ? "The server has ended the stream: try once more."
    : "The server takes no live stream now, it is busy: try again in a moment.";
}

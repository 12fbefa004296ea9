// The page that needs no server: a file or the microphone in, probabilities out, all computed by predictor.js.

import { makeBars } from "./bars.js";
import { colourNames, colourVariable } from "./colours.js";
import { microphoneMissing, openMicrophone } from "./microphone.js";
import { Refused } from "./server.js";
import { showTimeline } from "./timeline_view.js";
import { toInt16, wavFile } from "./wav.js";
import { byId, clock, count, duration, element, isolated, listed, percent, sentence, size } from "./words.js";

const MOST_BYTES = 1e9; // more than an hour of 24 bits, 48 kHz, stereo; browsers hold no more in one piece
const BROWSER_RATE = 48000; // Hz, that a browser decodes to what does not say its rate
const LIVE_SECONDS = 3, LIVE_EVERY = 0.5; // s
const FLOOR = -60; // dB, the low end of the meter
const languages = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });
const audio = byId("audio"), speak = byId("speak"), choose = byId("choose"), file = byId("file");

let about = null, names = new Map(), working = null, session = null, shown = { answer: null, remove: () => {}, url: "" };

// ---- the worker

const worker = new Worker(new URL("predictor.js", import.meta.url), { type: "module" }), waiting = new Map();
let number = 0;

worker.onmessage = ({ data: { id, result, error, progress } }) => {
  const { resolve, reject, onProgress } = waiting.get(id);
  if (progress) {
    onProgress?.(progress);
    return;
  }
  waiting.delete(id);
  if (!error) resolve(result);
  else if (error.kind === "refused") reject(new Refused(error.message));
  else reject(error.kind === "cancelled" ? new DOMException(error.message, "AbortError") : new Error(error.message));
};
worker.onerror = event => {
  event.preventDefault();
  for (const { reject } of waiting.values()) reject(new Error(event.message || "its worker does not start; is a file of the folder missing?"));
  waiting.clear();
};

function ask(kind, content = {}, { onProgress = null, transfer = [], signal = null } = {}) {
  const id = ++number;
  signal?.addEventListener("abort", () => worker.postMessage({ kind: "cancel", id }));
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject, onProgress });
    worker.postMessage({ kind, id, ...content }, transfer);
  });
}

// ---- words

const say = text => { byId("status").textContent = text; };

function complain(error) {
  const message = error instanceof Refused ? sentence(error.message || "") : `The page has failed: ${error.message}`;
  byId("error").textContent = message;
  byId("error").hidden = false;
}

function silence() {
  byId("error").textContent = "";
  byId("error").hidden = true;
}

function busy() {
  choose.disabled = Boolean(!about || working || session);
  speak.disabled = Boolean(!about || working || microphoneMissing());
  byId("inputs").hidden = Boolean(session);
  byId("settings").inert = Boolean(working);
}

const options = () => ({ calibrated: byId("calibrated").checked, windows: byId("windows").checked });

// ---- what is known of the model

async function meetModel() {
  try {
    about = await ask("start");
  } catch (error) {
    byId("model-line").textContent = "No model.";
    complain(error);
    return;
  }
  names = colourNames(about.emotions);
  const { learnt_from: learnt, audio: cleaning, limits } = about, corpora = Object.entries(learnt.corpora);
  byId("model-line").replaceChildren("Model: ", element("b", { textContent: about.model }), `. It tells apart ${listed(about.emotions)}.`);
  const synthetic = corpora.filter(([, corpus]) => corpus.synthetic).map(([name]) => name);
  byId("synthetic").hidden = !synthetic.length;
  byId("synthetic").textContent = about.synthetic
    ? "⚠ Synthetic speech only: this model knows no human voice, and its answers say nothing about real voices."
    : `⚠ Synthetic speech in what the model learnt from (${listed(synthetic)}): that part knows no human voice.`;
  byId("file-limits").textContent = `WAV is read as Python reads it, and gives its numbers. Other formats are decoded by the browser: theirs may differ a little. ${limits.shortest} to ${cleaning.max_seconds} s as a whole, up to ${duration(limits.most_seconds)} over time.`;
  byId("live-limits").textContent = microphoneMissing() || "The browser is asked to leave the sound as it is.";
  byId("live-limits").classList.toggle("red", Boolean(microphoneMissing()));
  byId("knows").textContent = `${about.model} learnt from ${count(learnt.clips ?? 0)} clips${learnt.speakers ? ` of ${count(learnt.speakers)} speakers` : ""}.${about.synthetic ? "" : " Most published corpora are acted: such emotions are stronger and purer than those of daily life."} What it says of other languages and other ways of speaking is a guess. Unlike ser predict, this page does not tell when a recording is unlike those.${about.copies_left_out.length ? ` Nor does it answer by changed copies of a recording, too (${about.copies_left_out.join(", ")}), as the model does there: its answers differ somewhat.` : ""} ${about.terms}`;
  byId("corpora-region").hidden = !corpora.length;
  byId("corpora").tBodies[0].replaceChildren(...corpora.map(([name, corpus]) => {
    const cell = (textContent, className = "") => element("td", { textContent, className });
    const spoken = (corpus.languages ?? []).filter(code => code !== "synthetic").map(code => (/^[a-z]{2,3}(-|$)/.test(code) ? languages.of(code) : code));
    return element("tr", {}, element("th", { scope: "row", textContent: name }), cell(count(corpus.clips ?? 0), "num"), cell(corpus.speakers ? count(corpus.speakers) : "unknown", "num"),
      cell(spoken.join(", ") || (corpus.synthetic ? "none" : "unknown")), cell(corpus.synthetic ? "synthetic" : "human"), cell(corpus.licence || (corpus.synthetic ? "made by this repository" : "unknown")));
  }));
  byId("foot").textContent = `Written by ser ${about.version}; the model runs in ONNX Runtime Web (MIT licence).`;
  busy();
}

// ---- a file

// What the browser makes of a file; to its own rate where that is told, as browsers resample in other ways than Python.
async function decoded(bytes, stated, name) {
  const rate = about.rates.includes(stated) ? stated : BROWSER_RATE;
  let buffer;
  try {
    buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
  } catch {
    throw new Refused(`not readable as audio: this browser cannot decode ${name}; give it as WAV with PCM samples`);
  }
  const how = rate === stated ? "" : ` and brought to ${rate / 1000} kHz`;
  return {
    channels: Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel)),
    rate: buffer.sampleRate,
    remarks: [`decoded${how} by the browser: Python’s numbers may differ a little`],
  };
}

async function analyse(recording, name, { remarks = [], keep = false } = {}) {
  if (!about || working || session) return;
  silence();
  if (recording.size > MOST_BYTES) {
    complain(new Refused(`${name} has ${size(recording.size)}; at most ${size(MOST_BYTES)} are taken`));
    return;
  }
  working = new AbortController();
  busy();
  const bar = byId("progress-bar"), text = byId("progress-text");
  const onProgress = ({ stage, share }) => {
    if (share) bar.value = share;
    else bar.removeAttribute("value");
    text.textContent = `${stage}: ${name}${share ? `, ${percent(share)}` : ""}`;
  };
  onProgress({ stage: "Reading", share: 0 });
  byId("progress").hidden = false;
  say(`Listening to ${name}.`);
  byId("cancel").focus();
  try {
    const asked = { name, options: options() }, how = { onProgress, signal: working.signal };
    const bytes = new Uint8Array(await recording.arrayBuffer());
    let answer = await ask("analyse", { ...asked, bytes, remarks }, { ...how, transfer: [bytes.buffer] });
    if ("decode" in answer) {
      const given = await decoded(await recording.arrayBuffer(), answer.decode, name);
      answer = await ask("analyse", { ...asked, ...given, remarks: [...remarks, ...given.remarks] }, how);
    }
    show(answer, recording, keep);
  } catch (error) {
    if (error.name === "AbortError") say("Cancelled.");
    else complain(error);
    choose.disabled = false;
    choose.focus();
  } finally {
    working = null;
    byId("progress").hidden = true;
    busy();
  }
}

choose.addEventListener("click", () => file.click());
file.addEventListener("change", () => {
  const [chosen] = file.files;
  if (chosen) analyse(chosen, chosen.name);
  file.value = ""; // so that the same one can be chosen again
});
byId("cancel").addEventListener("click", () => working?.abort());

addEventListener("dragover", event => {
  event.preventDefault();
  byId("drop").classList.add("over");
});
addEventListener("dragleave", event => event.relatedTarget ?? byId("drop").classList.remove("over"));
addEventListener("drop", event => {
  event.preventDefault(); // or the browser leaves the page for the file
  byId("drop").classList.remove("over");
  const { files, items } = event.dataTransfer;
  if (working || session) return;
  silence();
  if ([...items].some(item => item.webkitGetAsEntry?.()?.isDirectory)) complain(new Refused("That is a folder: drop a file."));
  else if (!files.length) complain(new Refused("That is no file."));
  else if (files.length > 1) complain(new Refused("One file at a time, please."));
  else analyse(files[0], files[0].name);
});

// ---- the microphone

const inDecibels = value => Math.max(FLOOR, 20 * Math.log10(Math.max(value, 1e-6)));

async function listen() {
  const chunks = [], update = makeBars(byId("live-bars"), about.emotions, names), meter = byId("meter"), [bar, mark] = meter.children;
  let samples = 0, clipped = 0, recent = new Float32Array(0), asked = 0, running = false, finish;
  const stopped = new Promise(resolve => { finish = resolve; });
  session = { stop: reason => finish(reason ?? "") };
  for (const [id, text] of [["live-emotion", "…"], ["live-speech", "waiting for the microphone"], ["capture-line", ""], ["live-time", clock(0)]]) byId(id).textContent = text;
  byId("clipped").hidden = byId("not-obeyed").hidden = true;
  byId("live").hidden = false;
  update(null);
  busy();
  byId("stop").focus();
  let rate = 0;

  async function look() {
    running = true;
    try {
      const answer = await ask("live", { samples: recent.slice(), rate, options: options() });
      if (answer.refused) byId("live-speech").textContent = "silence";
      else {
        update(answer.probabilities);
        byId("live-emotion").textContent = answer.emotion;
        byId("live-speech").textContent = `the last ${Math.min(LIVE_SECONDS, samples / rate).toFixed(0)} s`;
      }
    } catch (error) {
      finish(error);
    }
    running = false;
  }

  function take(block) {
    const { out, clipped: more, peak, squares } = toInt16(block), level = Math.sqrt(squares / block.length);
    chunks.push(out);
    samples += block.length;
    clipped += more;
    bar.style.transform = `scaleX(${1 - inDecibels(level) / FLOOR})`;
    mark.style.left = `calc(${100 * (1 - inDecibels(peak) / FLOOR)}% - 2px)`;
    meter.classList.toggle("over", more > 0);
    meter.setAttribute("aria-valuenow", Math.round(inDecibels(level)));
    meter.setAttribute("aria-valuetext", `${Math.round(inDecibels(level))} decibels`);
    byId("live-time").textContent = clock(samples / rate);
    if (clipped) {
      byId("clipped").hidden = false;
      byId("clipped").textContent = `Too loud: ${count(clipped)} ${clipped === 1 ? "sample is" : "samples are"} clipped. Move away from the microphone, or turn it down.`;
    }
    const together = new Float32Array(Math.min(recent.length + block.length, Math.round(LIVE_SECONDS * rate)));
    together.set(recent.subarray(Math.max(0, recent.length + block.length - together.length)));
    together.set(block, together.length - block.length);
    recent = together;
    if (!running && samples - asked >= LIVE_EVERY * rate) {
      asked = samples;
      look();
    }
    if (samples > about.limits.most_seconds * rate) finish("The recording has reached its limit.");
  }

  const microphone = await openMicrophone(finish);
  try {
    ({ rate } = microphone);
    const { label, remarks } = microphone;
    if (!about.rates.includes(rate)) throw new Refused(`The microphone has a rate of ${rate} Hz, which this page does not know.`);
    byId("capture-line").textContent = `${label || "Microphone"}, ${rate / 1000} kHz${remarks.length ? "" : ", as it is: all processing is off"}`;
    byId("not-obeyed").hidden = !remarks.length;
    byId("not-obeyed").textContent = remarks.join(" ");
    byId("live-speech").textContent = "listening";
    say("Listening.");
    microphone.hear(take);
    const reason = await stopped;
    await microphone.stop();
    if (reason instanceof Error) throw reason;
    return { recording: wavFile(chunks, rate), remarks: reason ? [...remarks, reason] : remarks };
  } finally {
    await microphone.stop().catch(() => {});
  }
}

byId("stop").addEventListener("click", () => session?.stop());
addEventListener("pagehide", () => session?.stop());
speak.addEventListener("click", async () => {
  silence();
  audio.pause();
  try {
    const { recording, remarks } = await listen();
    session = null;
    byId("live").hidden = true;
    const now = new Date(), two = value => String(value).padStart(2, "0");
    const name = `recording ${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())} ${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}.wav`;
    await analyse(recording, name, { remarks, keep: true });
  } catch (error) {
    complain(error);
  } finally {
    session = null;
    byId("live").hidden = true;
    busy();
    if (document.activeElement === document.body) speak.focus();
  }
});

// ---- the answer

function showWhole({ whole, calibrated, seconds }) {
  byId("whole").hidden = Boolean(whole.refused);
  if (whole.refused) return;
  byId("whole-label").textContent = `${whole.seconds.toFixed(1)} s of sound in ${seconds.toFixed(1)} s. It sounds like`;
  byId("whole-emotion").textContent = whole.emotion;
  byId("whole-unfamiliar").hidden = !whole.unfamiliar;
  byId("whole-unfamiliar").textContent = whole.unfamiliar;
  byId("calibrated-line").textContent = calibrated ? ", calibrated" : "";
  byId("probabilities").tBodies[0].replaceChildren(...Object.entries(whole.probabilities).map(([emotion, probability]) => {
    const bar = element("i"), track = element("span", { className: "track" }, bar);
    bar.style.setProperty("--c", colourVariable(names, emotion));
    bar.style.transform = `scaleX(${probability})`;
    track.setAttribute("aria-hidden", "true");
    return element("tr", { className: emotion === whole.emotion ? "most" : "" }, element("th", { scope: "row", textContent: emotion }), element("td", { className: "num", textContent: probability.toFixed(4) }), element("td", { className: "bar" }, track));
  }));
}

function showOverTime(answer) {
  byId("over-time").hidden = !answer.channels.length;
  if (!answer.channels.length) return () => {};
  const [{ shares, speaking_seconds: speaking }] = answer.channels;
  const parts = Object.entries(shares).map(([emotion, share]) => `${isolated(emotion || "no answer")} ${percent(share)}`);
  byId("shares").textContent = `${speaking.toFixed(1)} s of ${answer.seconds.toFixed(1)} s are no pause${parts.length ? `: ${parts.join(", ")}` : ""}.`;
  return showTimeline({ place: byId("timeline"), tablePlace: byId("table-place"), audio, timeline: answer });
}

function show(answer, recording, keep) {
  shown.remove();
  URL.revokeObjectURL(shown.url);
  audio.pause();
  const url = URL.createObjectURL(recording), remarks = [...answer.remarks];
  if (answer.whole.refused) remarks.push(`No answer of the whole: ${answer.whole.refused}`);
  audio.hidden = false;
  audio.src = url;
  byId("unplayable").hidden = true;
  Object.assign(byId("keep"), { hidden: !keep, href: url, download: answer.name });
  byId("result-name").textContent = answer.name;
  byId("remarks").hidden = !remarks.length;
  byId("remarks").replaceChildren(...remarks.map(remark => element("li", { textContent: sentence(remark) })));
  byId("result").hidden = false;
  showWhole(answer);
  shown = { answer, url, remove: showOverTime(answer) };
  say(`Done: ${answer.whole.refused ? byId("shares").textContent : `it sounds like ${answer.whole.emotion}.`}`);
  byId("result-title").focus();
}

audio.addEventListener("error", () => {
  if (!audio.getAttribute("src")) return;
  audio.hidden = true;
  byId("unplayable").hidden = false;
  byId("unplayable").textContent = "This browser cannot play this file. The answer is complete nevertheless.";
});

// ---- what is saved

const digits = probability => String(Number(probability.toPrecision(6)));
const quoted = text => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

// The columns of `ser timeline`; without windows, the whole as the one segment.
function asCsv({ emotions, seconds, whole, channels }) {
  const segments = channels[0]?.segments ?? [{ start: 0, end: seconds, speech: true, ...whole }];
  const rows = segments.map(({ start, end, speech, emotion, probabilities, unfamiliar }) => [
    1, digits(start), digits(end), speech, emotion, ...emotions.map(each => (probabilities ? digits(probabilities[each]) : "")), unfamiliar,
  ]);
  const head = ["channel", "start", "end", "speech", "emotion", ...emotions.map(each => `p_${each}`), "unfamiliar"];
  return [head, ...rows].map(row => `${row.map(cell => quoted(String(cell))).join(",")}\r\n`).join("");
}

// The JSON of `ser timeline`, which reads it back, and the whole beside it.
function asJson({ name, seconds, emotions, model, remarks, calibrated, whole, channels }) {
  const segment = { start: 0, end: seconds, speech: true, emotion: whole.emotion, probabilities: whole.probabilities, unfamiliar: whole.unfamiliar };
  const one = { shares: { [whole.emotion]: 1 }, speaking_seconds: seconds, segments: [segment] };
  const kept = channels.map(({ peaks, peaks_per_second: rate, ...channel }) => channel);
  return `${JSON.stringify({ name, seconds, emotions, model, remarks, channels: kept.length ? kept : [one], whole, calibrated }, null, 1)}\n`;
}

for (const [id, suffix, type, write] of [["save-csv", "csv", "text/csv", asCsv], ["save-json", "json", "application/json", asJson]]) {
  byId(id).addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([write(shown.answer)], { type }));
    const stem = shown.answer.name.replace(/\.[^.]*$/, "").replace(/[\\/:*?"<>|\p{Cc}]/gu, "_") || "answer";
    element("a", { href: url, download: `${stem}.${suffix}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    say(`Saved as ${stem}.${suffix}.`);
  });
}

busy();
meetModel();

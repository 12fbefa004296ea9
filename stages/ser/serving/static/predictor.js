// The worker that runs the model: the page stays quick while it computes.

import * as ort from "./onnxruntime-web/ort.wasm.min.js";
import { requireAudible, requireLength, soundIn, withoutOffset } from "./cleaning.js";
import { checkLimits, isBigEndian, mixed, statedRate, wavChannels, wavLayout } from "./recordings.js";
import { readTable, resampled } from "./resampling.js";
import { Refused } from "./server.js";

const PEAKS_PER_SECOND = 50, MOST_PEAKS = 4000;
const LEAST_PROBABILITY = 1e-6; // as of ser/probabilities/temperature.py

let about = null, session = null;
const tables = new Map(), cancelled = new Set();

async function fetched(name) {
  const response = await fetch(new URL(name, import.meta.url)).catch(() => {
    throw new Refused(`${name} cannot be fetched: the web server that this page comes from does not answer`);
  });
  if (!response.ok) throw new Refused(`${name} is missing beside the page (${response.status}): write the page anew with ser serve --static`);
  return response.arrayBuffer();
}

async function start() {
  about = JSON.parse(new TextDecoder().decode(await fetched("about.json")));
  const [wasm, graph] = await Promise.all([fetched("onnxruntime-web/ort-wasm-simd-threaded.wasm"), fetched("model.onnx")]);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = wasm;
  ort.env.wasm.wasmPaths = { mjs: new URL("onnxruntime-web/ort-wasm-simd-threaded.js", import.meta.url).href };
  ort.env.logLevel = "error";
  session = await ort.InferenceSession.create(new Uint8Array(graph), { executionProviders: ["wasm"], logSeverityLevel: 3 });
  return about;
}

// Probabilities of a clip at the model's rate, in the order of the emotions.
async function probabilitiesOf(y, calibrated) {
  const signal = new ort.Tensor("float32", y.slice(), [1, y.length]); // a copy: a part of a larger buffer is not taken
  const { probabilities } = await session.run({ signal }, ["probabilities"]);
  const found = Array.from(probabilities.data);
  signal.dispose();
  probabilities.dispose();
  return calibrated ? scaled(found, about.temperature) : found;
}

function scaled(probabilities, temperature) {
  const logits = probabilities.map(p => Math.log(Math.max(p, LEAST_PROBABILITY)) / temperature), most = Math.max(...logits);
  const powers = logits.map(logit => Math.exp(logit - most)), sum = powers.reduce((a, b) => a + b, 0);
  return powers.map(power => power / sum);
}

const byEmotion = probabilities => Object.fromEntries(about.emotions.map((emotion, i) => [emotion, probabilities[i]]));
const mostProbable = probabilities => about.emotions[probabilities.indexOf(Math.max(...probabilities))];

async function atModelRate(y, rate, pause = null) {
  const target = about.audio.sample_rate;
  if (rate === target) return y;
  if (!tables.has(rate)) tables.set(rate, readTable(await fetched(`resampling-${rate}.bin`)));
  return resampled(y, tables.get(rate), pause);
}

// What one clip sounds like, of samples at the model's rate; refused as Python refuses.
async function answered(y, calibrated) {
  const { audio, limits } = about, sound = soundIn(y, audio, limits), probabilities = await probabilitiesOf(y, calibrated);
  const unfamiliar = sound < limits.short ? `${sound.toFixed(2)} s of sound, which is short` : "";
  return { emotion: mostProbable(probabilities), probabilities: byEmotion(probabilities), unfamiliar, seconds: sound };
}

const refusedOr = async answer => {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message };
    throw error;
  }
};

// The samples of a recording: of a WAV file its bytes, of others what the browser has decoded.
function heard({ bytes, channels, rate }) {
  const { limits } = about;
  if (channels) return { channels, rate };
  if (bytes.length === 0) throw new Refused("the file is empty");
  if (isBigEndian(bytes)) throw new Refused("a big-endian WAV file (RIFX), which browsers take for noise: give it as RIFF");
  const layout = wavLayout(bytes);
  if (!layout?.readable) return { decode: statedRate(bytes) };
  checkLimits(layout.rate, layout.channels, limits);
  if (!about.rates.includes(layout.rate)) return { decode: null, stated: layout.rate };
  if (layout.missing) throw new Refused(`truncated: the header promises more audio than the ${(layout.frames / layout.rate).toFixed(2)} s there are`);
  if (layout.frames > limits.most_seconds * layout.rate) throw new Refused(`longer than ${limits.most_seconds} s (${(layout.frames / layout.rate).toFixed(1)} s)`);
  return { channels: wavChannels(bytes, layout), rate: layout.rate };
}

function peaksOf(y, rate) {
  const parts = Math.max(1, Math.ceil((y.length / rate) * PEAKS_PER_SECOND)), together = Math.ceil(parts / MOST_PEAKS);
  const perSecond = PEAKS_PER_SECOND / together, peaks = new Array(Math.ceil((y.length / rate) * perSecond)).fill(0);
  for (let i = 0; i < y.length; i++) {
    const at = Math.min(peaks.length - 1, Math.floor((i / rate) * perSecond));
    peaks[at] = Math.max(peaks[at], Math.abs(y[i]));
  }
  return { peaks: peaks.map(peak => Number(peak.toFixed(4))), peaks_per_second: perSecond };
}

// Windows that overlap as a timeline: each stands for the time around its middle, the first and the last reach to the ends.
async function windowsOf(y, seconds, calibrated, pause) {
  const { window, hop, audio, limits } = about, rate = audio.sample_rate, length = Math.round(window * rate), step = Math.round(hop * rate);
  const count = Math.max(1, Math.floor((y.length - length) / step) + 1);
  const levels = Array.from({ length: count }, (_, i) => {
    const part = y.subarray(i * step, i * step + length);
    return 10 * Math.log10(part.reduce((sum, value) => sum + value * value, 1e-30) / part.length);
  });
  const loudest = levels.reduce((most, level) => Math.max(most, level), -Infinity), segments = [];
  for (let i = 0; i < count; i++) {
    const start = i === 0 ? 0 : i * hop + (window - hop) / 2, end = i === count - 1 ? seconds : (i + 1) * hop + (window - hop) / 2;
    const part = y.subarray(i * step, i === count - 1 && count === 1 ? y.length : i * step + length);
    const nothing = { start, end, speech: false, emotion: "", probabilities: null, unfamiliar: "" };
    if (levels[i] < loudest - limits.pause_db) {
      segments.push(nothing);
    } else {
      const answer = await refusedOr(() => answered(part, calibrated));
      if (answer.refused?.startsWith("silent")) segments.push(nothing);
      else if (answer.refused) segments.push({ ...nothing, speech: true, unfamiliar: answer.refused });
      else segments.push({ start, end, speech: true, emotion: answer.emotion, probabilities: answer.probabilities, unfamiliar: answer.unfamiliar });
    }
    await pause((i + 1) / count);
  }
  return segments;
}

function sharesOf(segments) {
  const spoken = segments.filter(({ speech }) => speech), whole = spoken.reduce((sum, { start, end }) => sum + end - start, 0), shares = {};
  for (const { start, end, emotion } of spoken) shares[emotion] = (shares[emotion] ?? 0) + (end - start) / whole;
  return { shares: Object.fromEntries(Object.entries(shares).sort((a, b) => b[1] - a[1])), speaking_seconds: whole };
}

async function analyse({ id, name, options, ...given }) {
  const { audio, limits } = about, remarks = [...(given.remarks ?? [])], { calibrated } = options;
  const pause = stage => async share => {
    postMessage({ id, progress: { stage, share } });
    await new Promise(resolve => setTimeout(resolve)); // so that a request to cancel is heard
    if (cancelled.delete(id)) throw new DOMException("cancelled", "AbortError");
  };
  await pause("Reading")(0);
  const { channels, rate, ...other } = heard(given);
  if (!channels) return other;
  checkLimits(rate, channels.length, limits);
  if (channels[0]?.length > limits.most_seconds * rate) throw new Refused(`longer than ${limits.most_seconds} s (${(channels[0].length / rate).toFixed(1)} s)`);
  const { y: mono, taken } = mixed(channels, limits);
  if (taken !== null) remarks.push(`the channels cancel each other: channel ${taken + 1}, the loudest, is taken`);
  requireLength(mono.length, rate, limits);
  requireAudible(mono, limits);
  const level = audio.remove_dc ? withoutOffset(mono) : mono;
  requireAudible(level, limits);
  const y = await atModelRate(level, rate, pause("Resampling")), seconds = mono.length / rate;
  requireAudible(y, limits);
  const tooLong = mono.length > audio.max_seconds * rate;
  await pause("Listening to the whole")(0);
  const whole = await refusedOr(() => {
    if (tooLong) throw new Refused(`longer than ${audio.max_seconds} s (${seconds.toFixed(1)} s)`);
    return answered(y, calibrated);
  });
  if (whole.refused && !tooLong) throw new Refused(whole.refused); // and so are its windows
  const wanted = tooLong || (options.windows && seconds > about.window);
  const segments = wanted ? await windowsOf(y, seconds, calibrated, pause("Listening to the windows")) : null;
  const channel = segments && { ...sharesOf(segments), segments, ...peaksOf(mono, rate) };
  return { name, seconds, emotions: about.emotions, model: about.model, remarks, calibrated, whole, channels: channel ? [channel] : [] };
}

// What the last seconds sound like while somebody speaks; null where that cannot be said.
async function live({ samples, rate, options }) {
  try {
    requireLength(samples.length, rate, about.limits);
    requireAudible(samples, about.limits);
    return await answered(await atModelRate(about.audio.remove_dc ? withoutOffset(samples) : samples, rate), options.calibrated);
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message };
    throw error;
  }
}

const KINDS = { start, analyse, live };
let last = Promise.resolve(); // one after another: a session runs one thing at a time

onmessage = ({ data }) => {
  if (data.kind === "cancel") {
    cancelled.add(data.id);
    return;
  }
  last = last.then(async () => {
    try {
      postMessage({ id: data.id, result: await KINDS[data.kind](data) });
    } catch (error) {
      const kind = error instanceof Refused ? "refused" : error.name === "AbortError" ? "cancelled" : "failed";
      postMessage({ id: data.id, error: { kind, message: error.message ?? String(error) } });
    }
    cancelled.delete(data.id);
  });
};

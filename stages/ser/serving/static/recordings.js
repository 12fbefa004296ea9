// From a file's bytes to mono samples: WAV is read here, at its own rate, as Python reads it (ser/audio/recordings.py).

import { Refused } from "./server.js";

const STREAMED = 0x7f000000 - 0x1000; // bytes; what programs state that cannot seek back, see ser/audio/container_chunks.py
const PCM = 1, FLOAT = 3, EXTENSIBLE = 0xfffe;
const text = (bytes, at, count) => String.fromCharCode(...bytes.subarray(at, at + count));

// The layout of a WAV file; null of any other. `readable` says whether `wavChannels` knows how its samples are written.
export function wavLayout(bytes) {
  if (text(bytes, 0, 4) !== "RIFF" || text(bytes, 8, 4) !== "WAVE") return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let layout = null;
  for (let place = 12; place + 8 <= bytes.length;) {
    const name = text(bytes, place, 4), claim = view.getUint32(place + 4, true), start = place + 8, available = bytes.length - start;
    if (name === "fmt " && claim >= 16 && available >= 16 && !layout) {
      let tag = view.getUint16(start, true);
      if (tag === EXTENSIBLE && claim >= 40 && available >= 40) tag = view.getUint16(start + 24, true);
      const channels = view.getUint16(start + 2, true), frame = view.getUint16(start + 12, true);
      const width = channels ? frame / channels : 0; // bytes a sample
      const readable = tag === PCM ? [1, 2, 3, 4].includes(width) : tag === FLOAT && [4, 8].includes(width);
      layout = { tag, channels, frame, width, rate: view.getUint32(start + 4, true), readable };
    }
    if (name === "data") {
      if (!layout) return null;
      // the headers counted as well, or a placeholder: then what is there is all there is
      const counted = view.getUint32(4, true) + 8 === bytes.length && (claim === bytes.length || claim === bytes.length - 8);
      const stated = claim === 0 || claim >= STREAMED || counted ? available : claim;
      const frames = Math.floor(Math.min(stated, available) / (layout.frame || 1));
      return { ...layout, start, frames, missing: Math.floor(stated / (layout.frame || 1)) > frames };
    }
    place = start + claim + (claim % 2);
  }
  return null;
}

export const isBigEndian = bytes => text(bytes, 0, 4) === "RIFX";

// The samples of each channel, float32 of full scale 1.
export function wavChannels(bytes, { tag, channels, width, frame, start, frames }) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = {
    1: at => (bytes[at] - 128) / 128,
    2: at => view.getInt16(at, true) / 32768,
    3: at => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608,
    4: tag === FLOAT ? at => view.getFloat32(at, true) : at => view.getInt32(at, true) / 2147483648,
    8: at => view.getFloat64(at, true),
  }[width];
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(frames);
    for (let i = 0, at = start + channel * width; i < frames; i++, at += frame) samples[i] = read(at);
    return samples;
  });
}

// The rate that a file says, where that is easily told: a browser that decodes to it need not resample. Else null.
export function statedRate(bytes) {
  const layout = wavLayout(bytes);
  if (layout) return layout.rate;
  if (text(bytes, 0, 4) === "fLaC" && bytes.length > 21) return (bytes[18] << 12) | (bytes[19] << 4) | (bytes[20] >> 4);
  if (text(bytes, 0, 4) === "OggS" && text(bytes, 28, 7) === "\x01vorbis") return bytes[40] | (bytes[41] << 8) | (bytes[42] << 16);
  return null;
}

const decibels = db => 10 ** (db / 20);

export function checkLimits(rate, channels, limits) {
  if (rate < limits.min_rate || rate > limits.max_rate) throw new Refused(`a sample rate of ${rate} Hz; ${limits.min_rate} to ${limits.max_rate} are read`);
  if (channels > limits.max_channels) throw new Refused(`${channels} channels; up to ${limits.max_channels} are read`);
}

// The mean of the channels; the loudest one where they cancel each other, and then its number from 0.
export function mixed(channels, limits) {
  const count = channels.length, length = channels[0]?.length ?? 0, powers = new Float64Array(count + 1), sums = new Float64Array(count + 1);
  const y = new Float32Array(length);
  let peak = 0;
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let c = 0; c < count; c++) {
      const value = channels[c][i];
      if (!Number.isFinite(value)) throw new Refused("NaN or infinite samples");
      peak = Math.max(peak, Math.abs(value));
      sums[c] += value;
      powers[c] += value * value;
      sum += value;
    }
    y[i] = sum / count;
    sums[count] += y[i];
    powers[count] += y[i] * y[i];
  }
  if (peak > decibels(limits.loudest_db)) throw new Refused(`no sound: samples exceed full scale by more than ${limits.loudest_db} dB`);
  if (length === 0) throw new Refused("no samples");
  if (count === 1) return { y, taken: null };
  const power = powers.map((value, c) => value / length - (sums[c] / length) ** 2);
  const unrelated = power.subarray(0, count).reduce((sum, value) => sum + value, 0) / count ** 2;
  if (power[count] >= decibels(limits.cancelled_db) ** 2 * unrelated || unrelated <= 0) return { y, taken: null };
  const taken = power.subarray(0, count).indexOf(power.subarray(0, count).reduce((most, value) => Math.max(most, value)));
  return { y: channels[taken], taken };
}

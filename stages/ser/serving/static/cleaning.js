// What is refused, in the words of Python (ser/audio/cleaning.py): the model's graph cleans, but it refuses nothing.

import { Refused } from "./server.js";

const decibels = db => 10 ** (db / 20);
const seconds = number => number.toFixed(2);

export function peakOf(y, from = 0, to = y.length) {
  let peak = 0;
  for (let i = from; i < to; i++) peak = Math.max(peak, Math.abs(y[i]));
  return peak;
}

export function requireAudible(y, limits) {
  const peak = peakOf(y);
  if (peak < decibels(limits.silence_db)) throw new Refused(`silent: no sample reaches ${limits.silence_db} dB of full scale`);
  if (peak > decibels(limits.loudest_db)) throw new Refused(`no sound: samples exceed full scale by more than ${limits.loudest_db} dB`);
}

export function requireLength(samples, rate, limits) {
  if (samples < limits.shortest * rate) throw new Refused(`too short: ${seconds(samples / rate)} s, at least ${limits.shortest} s wanted`);
}

export function withoutOffset(y) {
  let sum = 0;
  for (const value of y) sum += value;
  const mean = Math.fround(sum / y.length);
  return y.map(value => value - mean);
}

// How many samples trimming leaves, as `ser.audio.cleaning.trim` does.
export function trimmedLength(y, topDb, block) {
  const blocks = Math.floor(y.length / block), energy = new Float64Array(blocks + 5);
  for (let i = 0; i < y.length; i++) energy[2 + Math.floor(i / block)] += y[i] * y[i];
  const level = Array.from({ length: 1 + blocks }, (_, i) => energy[i] + energy[i + 1] + energy[i + 2] + energy[i + 3]);
  const least = level.reduce((most, value) => Math.max(most, value), 0) * decibels(-topDb) ** 2;
  const first = level.findIndex(value => value > least), last = level.findLastIndex(value => value > least);
  return Math.min(y.length, (last + 1) * block) - first * block;
}

// s of sound in a clip at the model's rate; refused where that is too little.
export function soundIn(y, audio, limits) {
  requireAudible(y, limits);
  let samples = y.length;
  if (audio.trim_db !== null) samples = trimmedLength(y, audio.trim_db, limits.trim_block);
  if (samples < limits.least_sound * audio.sample_rate) throw new Refused(`too short: ${seconds(samples / audio.sample_rate)} s after trimming, at least ${limits.least_sound} s wanted`);
  return (audio.fixed_samples ?? samples) / audio.sample_rate;
}

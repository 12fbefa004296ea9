// Samples as 16-bit integers, and a WAV file of them.

// Rounded, not cut off, and held at the ends. Also returns how many lay at or beyond an end, the peak and the sum of
// squares.
export function toInt16(samples) {
  const out = new Int16Array(samples.length);
  let clipped = 0,
    peak = 0,
    squares = 0;
  for (let i = 0; i < samples.length; i++) {
    const value = Math.round(samples[i] * 32768);
    out[i] = Math.max(-32768, Math.min(32767, value));
    clipped += value >= 32767 || value <= -32768;
    peak = Math.max(peak, Math.abs(samples[i]));
    squares += samples[i] * samples[i];
  }
  return { out, clipped, peak, squares };
}

export function wavFile(chunks, rate) {
  const bytes = 2 * chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const header = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  header.setUint32(4, 36 + bytes, true);
  text(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true); // PCM, one channel
  header.setUint32(24, rate, true);
  header.setUint32(28, 2 * rate, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  text(36, "data");
  header.setUint32(40, bytes, true);
  return new Blob([header, ...chunks], { type: "audio/wav" }); // every browser runs on little-endian machines
}

// Resampling as soxr does it in Python, by a table of its filter (ser/serving/resampling_tables.py).

export function readTable(buffer) {
  const [up, down, length, offset, rows, columns] = new Int32Array(buffer, 0, 6);
  const taps = new Float32Array(buffer, 24, up * length), start = new Float32Array(buffer, 24 + 4 * up * length, rows * columns);
  return { up, down, length, offset, rows, columns, taps, start };
}

// `y` at the new rate. `pause`, if given, is awaited after each part, so that the caller can be asked to stop.
export async function resampled(y, table, pause = null) {
  const { up, down, length, offset, rows, columns, taps, start } = table;
  const out = new Float32Array(Math.floor((y.length * up) / down + 0.5)), part = 160_000;
  for (let from = 0; from < out.length; from += part) {
    const to = Math.min(from + part, out.length);
    for (let m = from; m < to; m++) {
      const phase = m % up, first = Math.floor(m / up) * down + Math.floor((phase * down) / up) + offset, row = phase * length;
      const low = Math.max(0, -first), high = Math.min(length, y.length - first);
      let sum = 0;
      for (let k = low; k < high; k++) sum += taps[row + k] * y[first + k];
      out[m] = sum;
    }
    if (pause) await pause(to / out.length);
  }
  for (let m = 0; m < Math.min(rows, out.length); m++) {
    let sum = out[m];
    for (let n = 0; n < Math.min(columns, y.length); n++) sum += start[m * columns + n] * y[n];
    out[m] = sum;
  }
  return out;
}

// Elements, and numbers in words. Whatever comes from a file or the server is set as text, never read as HTML.

export const UNSURE = "unsure"; // what a segment is called whose emotion is less probable than was asked for

export const byId = id => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function clock(seconds, digits = 0) {
  const unit = 10 ** digits,
    whole = Math.round(Math.max(0, seconds) * unit) / unit;
  const hours = Math.floor(whole / 3600),
    minutes = Math.floor(whole / 60) % 60;
  const rest = (whole % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 6) / 10} min`;
  return `${Math.round(seconds / 360) / 10} h`;
}

export function size(bytes) {
  return bytes < 1e6
    ? `${Math.max(1, Math.round(bytes / 1e3))} kB`
    : `${Number((bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0))} MB`;
}

export const percent = share => `${Math.round(100 * share)}\u00a0%`;

export const count = number => number.toLocaleString("en");

export const sentence = text => {
  const trimmed = String(text).trim();
  return trimmed[0]?.toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? "" : ".");
};

// a name in any script, which must not turn round the numbers beside it
export const isolated = name => `\u2068${name}\u2069`;

export function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

export function named(segment) {
  return !segment.speech ? "pause" : segment.emotion || "no answer";
}

export function mostProbable(probabilities) {
  return Object.entries(probabilities).reduce((most, each) => (each[1] > most[1] ? each : most), ["", -1]);
}

// how probable the emotion is that was answered; of "unsure", how probable the most probable one
export function certainty(segment) {
  if (!segment.probabilities) return null;
  return segment.probabilities[segment.emotion] ?? mostProbable(segment.probabilities)[1];
}

// Pictures of a timeline on a canvas: the whole recording, and the part of it that is looked at.

import { clock, named, UNSURE } from "./words.js";

const AXIS = 18,
  WAVE = 64,
  STRIP = 26,
  ROW = 16,
  GAP = 7,
  TITLE = 19; // heights, px
export const GUTTER = 74,
  MARGIN = 10; // px left and right of the time that is shown
const OVERVIEW = 34,
  BAR = 3; // px: height of the overview, a bar of the waveform and its gap
const SHORTEST = 12; // px, of what a letter and … fit into
const SOFT = 0.6; // power of the waveform: shouting must not make all else a line
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200]; // s between marks

export function height(timeline) {
  const channels = timeline.channels.length,
    titles = channels > 1 ? TITLE : 0;
  return AXIS + channels * (titles + WAVE + STRIP + GAP + ROW * timeline.emotions.length + GAP);
}

// the segment at a time, by bisection
export function segmentAt(segments, time) {
  let low = 0,
    high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (segments[middle].start <= time) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

// Make the canvas as large as wanted in the screen's own pixels, and return what to draw with, in CSS pixels.
function prepared(canvas, width, tall, colours) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(tall * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${tall}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = colours.panel;
  pen.fillRect(0, 0, width, tall);
  pen.textBaseline = "middle";
  pen.font = `11px ${colours.sans}`;
  return pen;
}

const loudest = timeline =>
  Math.max(0.02, ...timeline.channels.map(({ peaks }) => peaks.reduce((most, peak) => Math.max(most, peak), 0)));

// bars of the waveform between two times, each in the colour of its segment
function drawWave(pen, channel, top, tall, left, right, timeOf, full, colours) {
  const { peaks, peaks_per_second: rate, segments } = channel;
  let at = segmentAt(segments, timeOf(left));
  for (let x = left; x < right; x += BAR) {
    const from = timeOf(x),
      to = timeOf(x + BAR),
      first = Math.floor(from * rate),
      last = Math.max(first + 1, Math.ceil(to * rate));
    let peak = 0;
    for (let i = Math.max(0, first); i < Math.min(last, peaks.length); i++) peak = Math.max(peak, peaks[i]);
    while (at < segments.length - 1 && segments[at + 1].start <= (from + to) / 2) at++;
    const segment = segments[at],
      reach = Math.max(1, tall * (peak / full) ** SOFT);
    pen.fillStyle = segment?.speech ? colours.of(segment.emotion) : colours.strong;
    pen.globalAlpha = segment?.speech ? 1 : 0.55;
    pen.fillRect(x, top + (tall - reach) / 2, BAR - 1, reach);
  }
  pen.globalAlpha = 1;
}

export function drawOverview(canvas, timeline, width, colours) {
  const tall = OVERVIEW * timeline.channels.length,
    pen = prepared(canvas, width, tall, colours),
    full = loudest(timeline);
  timeline.channels.forEach((channel, i) =>
    drawWave(
      pen,
      channel,
      OVERVIEW * i + 2,
      OVERVIEW - 4,
      0,
      width,
      x => (x / width) * timeline.seconds,
      full,
      colours,
    ),
  );
}

function drawAxis(pen, timeline, view, colours, tall) {
  const step = STEPS.find(each => each * view.scale >= 64) ?? STEPS.at(-1);
  pen.textAlign = "left";
  for (let n = Math.floor(view.from / step); n * step <= Math.min(view.to, timeline.seconds); n++) {
    const time = n * step,
      x = Math.round(view.x(time)) + 0.5;
    if (x < GUTTER - 1) continue;
    pen.strokeStyle = colours.rule;
    pen.beginPath();
    pen.moveTo(x, AXIS - 4);
    pen.lineTo(x, tall);
    pen.stroke();
    pen.fillStyle = colours.muted;
    const text = clock(time, step < 1 ? 1 : 0);
    if (x + pen.measureText(text).width < view.width) pen.fillText(text, x + 3, AXIS / 2);
  }
}

function drawName(pen, text, left, width, y) {
  if (width < SHORTEST) return;
  const fits = word => pen.measureText(word).width <= width - 5;
  let short = text;
  while (short.length > 2 && !fits(short === text ? text : `${short}…`)) short = short.slice(0, -1);
  if (short !== text) short += "…";
  if (fits(short)) pen.fillText(short, left + 3, y);
}

function drawStrip(pen, segment, left, right, top, here, colours) {
  const width = right - left,
    sure = Boolean(segment.probabilities) && segment.emotion !== UNSURE;
  pen.fillStyle = colours.panel;
  pen.fillRect(left, top, width, STRIP);
  pen.fillStyle = pen.strokeStyle = colours.of(segment.emotion);
  pen.globalAlpha = sure ? (here ? 0.5 : 0.28) : here ? 0.2 : 0.06;
  pen.fillRect(left, top, width, STRIP);
  pen.globalAlpha = 1;
  if (sure) pen.fillRect(left, top, width, 3);
  else {
    pen.setLineDash([3, 2]);
    pen.strokeRect(left + 0.5, top + 0.5, Math.max(1, width - 1), STRIP - 1);
    pen.setLineDash([]);
  }
  if (here) {
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1.5;
    pen.strokeRect(left + 0.75, top + 0.75, Math.max(1, width - 1.5), STRIP - 1.5);
    pen.lineWidth = 1;
  }
  if (segment.unfamiliar && width > 9) {
    pen.fillStyle = colours.red;
    pen.beginPath();
    pen.moveTo(right - 9, top);
    pen.lineTo(right, top);
    pen.lineTo(right, top + 9);
    pen.fill();
  }
  const seen = Math.max(left, GUTTER);
  pen.fillStyle = colours.ink;
  drawName(pen, named(segment), seen, right - seen, top + STRIP / 2 + 1.5);
}

// What is seen of the timeline at a scale, px a second, from a time on; `time` is where the playhead is.
export function drawDetail(canvas, timeline, { from, scale, width, time }, colours) {
  const tall = height(timeline),
    pen = prepared(canvas, width, tall, colours),
    full = loudest(timeline);
  const view = { from, scale, width, to: from + (width - GUTTER) / scale, x: at => GUTTER + (at - from) * scale };
  const end = Math.min(width, view.x(timeline.seconds));
  drawAxis(pen, timeline, view, colours, tall);
  let top = AXIS;
  timeline.channels.forEach((channel, number) => {
    if (timeline.channels.length > 1) {
      pen.fillStyle = colours.ink;
      pen.textAlign = "left";
      pen.font = `600 11px ${colours.sans}`;
      pen.fillText(`channel ${number + 1}`, 2, top + TITLE / 2);
      pen.font = `11px ${colours.sans}`;
      top += TITLE;
    }
    const strip = top + WAVE,
      rows = strip + STRIP + GAP,
      phase = (from * scale) % BAR; // bars stay where they are in time
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER, 0, width - GUTTER, tall);
    pen.clip();
    drawWave(pen, channel, top + 4, WAVE - 8, GUTTER - phase, end, x => from + (x - GUTTER) / scale, full, colours);
    pen.textAlign = "left";
    timeline.emotions.forEach((_, row) => {
      pen.fillStyle = colours.rule;
      pen.fillRect(GUTTER, rows + ROW * (row + 1) - 1, end - GUTTER, 1);
    });
    const now = segmentAt(channel.segments, time);
    let reached = 0; // px: of segments narrower than one, which an hour and more has, the first in each is drawn
    for (
      let i = segmentAt(channel.segments, from);
      i < channel.segments.length && channel.segments[i].start < view.to;
      i++
    ) {
      const segment = channel.segments[i],
        left = view.x(segment.start),
        right = Math.max(left + 1, view.x(segment.end) - 1);
      if (!segment.speech || (left < reached && right - left <= 1 && i !== now)) continue;
      reached = right;
      drawStrip(pen, segment, left, right, strip, i === now, colours);
      if (segment.probabilities) {
        timeline.emotions.forEach((emotion, row) => {
          const reach = (ROW - 3) * segment.probabilities[emotion];
          pen.fillStyle = colours.of(emotion);
          pen.fillRect(left, rows + ROW * (row + 1) - 1 - reach, right - left, reach);
        });
      }
    }
    pen.restore();
    pen.textAlign = "right";
    pen.fillStyle = colours.muted;
    timeline.emotions.forEach((emotion, row) => {
      let short = emotion;
      while (pen.measureText(short).width > GUTTER - 12) short = short.slice(0, -1);
      pen.fillText(short === emotion ? emotion : `${short.slice(0, -1)}…`, GUTTER - 8, rows + ROW * (row + 0.5) + 1);
    });
    top = rows + ROW * timeline.emotions.length + GAP;
  });
}

// The timeline on the page: pictures, playhead, player and what is said at the playhead, all in step.

import { makeBars } from "./bars.js";
import { colourNames, colourVariable, palette } from "./colours.js";
import { drawDetail, drawOverview, GUTTER, height, MARGIN, segmentAt } from "./drawing.js";
import { showTable } from "./segment_table.js";
import { certainty, clock, element, named, percent, UNSURE } from "./words.js";

const READABLE = 26; // px a second, at least: most names of emotions fit into an utterance of 2 s
const SEEN = 24; // s, at most
const CLOSEST = 400; // px a second
const ZOOM = 1.6;

// Fill `place` and `tablePlace`; returns what takes it off again. `audio` is a player that has, or has not, its sound.
// `explain`, if there is one, is asked for what decided the answer for a segment of a channel.
export function showTimeline({ place, tablePlace, audio, timeline, explain }) {
  const names = colourNames(timeline.emotions),
    controller = new AbortController(),
    { signal } = controller;
  const { channels } = timeline,
    seconds = Math.max(timeline.seconds, 0.01);
  let colours = palette(names),
    scale = 1,
    time = 0,
    until = null,
    playable = Boolean(audio.src),
    frame = 0,
    current = "";

  const overview = element("canvas", { className: "overview" });
  const overviewHead = element("i", { className: "head" }),
    overviewPart = element("i", { className: "part" });
  const overviewBox = element("div", { className: "overview-box" }, overview, overviewPart, overviewHead);
  overviewBox.setAttribute("aria-hidden", "true"); // the slider below does all that it does
  const detail = element("canvas"),
    head = element("i", { className: "head" });
  const sticky = element("div", { className: "sticky" }, detail, head),
    length = element("div", { className: "length" }, sticky);
  const scroller = element("div", { className: "scroller", tabIndex: 0 }, length);
  for (const [name, value] of Object.entries({
    role: "slider",
    "aria-label": "Position in the recording",
    "aria-valuemin": 0,
    "aria-valuemax": Number(seconds.toFixed(2)),
  }))
    scroller.setAttribute(name, value);
  const where = element("span", { className: "where" });
  const button = (textContent, label, act) => {
    const made = element("button", { type: "button", textContent });
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  };
  const tools = element(
    "div",
    { className: "tools" },
    button("−", "Zoom out", () => zoom(scale / ZOOM)),
    button("+", "Zoom in", () => zoom(scale * ZOOM)),
    button("Whole", "Show the whole recording", () => zoom(0)),
    where,
  );
  const said = channels.map((_, number) => {
    const title = element("h4"),
      list = element("ul", { className: "bars" }),
      why = element("p", { className: "red small" });
    list.setAttribute("aria-label", "Probabilities at the playhead");
    const ask = element("button", { type: "button", className: "why", textContent: "What decided?", hidden: true });
    ask.addEventListener("click", () => explain(segmentsNow()[number], number));
    return {
      number,
      title,
      why,
      ask,
      update: makeBars(list, timeline.emotions, names),
      box: element("div", {}, element("div", {}, title, why, ask), list),
    };
  });
  place.replaceChildren(
    overviewBox,
    tools,
    scroller,
    element("div", { className: channels.length > 1 ? "current" : "current single" }, ...said.map(({ box }) => box)),
  );
  const table = showTable({ place: tablePlace, timeline, names, play: playSegment });

  const width = () => scroller.clientWidth;
  const whole = () => (width() - GUTTER - MARGIN) / seconds;
  const from = () => scroller.scrollLeft / scale;

  function draw() {
    if (!width()) return;
    drawDetail(detail, timeline, { from: from(), scale, width: width(), time }, colours);
    placeHeads();
  }

  function drawAll() {
    if (!width()) return;
    drawOverview(overview, timeline, overviewBox.clientWidth, colours);
    draw();
  }

  function placeHeads() {
    const x = GUTTER + (time - from()) * scale,
      all = overviewBox.clientWidth,
      seen = (width() - GUTTER) / scale;
    head.style.transform = `translateX(${x}px)`;
    head.hidden = x < GUTTER - 1 || x > width();
    overviewHead.style.transform = `translateX(${(time / seconds) * all}px)`;
    overviewPart.hidden = seen >= seconds;
    overviewPart.style.left = `${(from() / seconds) * all}px`;
    overviewPart.style.width = `${Math.min(1, seen / seconds) * all}px`;
  }

  // the time at the playhead stays where it is, if it is seen
  function zoom(wanted) {
    const x = (time - from()) * scale,
      kept = x >= 0 && x <= width() - GUTTER ? x : 0,
      at = kept ? time : from();
    scale = Math.min(Math.max(wanted, whole()), Math.max(CLOSEST, whole()));
    length.style.width = `${Math.max(width(), Math.floor(GUTTER + seconds * scale + MARGIN))}px`;
    scroller.scrollLeft = Math.max(0, at * scale - kept);
    draw();
  }

  const segmentsNow = () => channels.map(({ segments }) => segments[segmentAt(segments, time)]);

  function inWords(segment) {
    const sure = certainty(segment);
    return (
      named(segment) +
      (sure === null ? "" : segment.emotion === UNSURE ? `, at most ${percent(sure)}` : `, ${percent(sure)}`)
    );
  }

  // show a time: playhead, numbers, the segment that is there
  function show(reveal) {
    const now = segmentsNow(),
      x = (time - from()) * scale,
      room = width() - GUTTER;
    if (reveal && (x < 0 || x > room - 12))
      scroller.scrollLeft = time * scale - room * (reveal === "follow" ? 0.08 : 0.4);
    const key = now.map(segment => segment?.start).join();
    if (key !== current) {
      current = key;
      said.forEach(({ number, title, why, ask, update }) => {
        showSaid(now[number], number, title, why, update);
        ask.hidden = !explain || !now[number]?.probabilities;
      });
      table.here(now);
      draw();
    } else {
      placeHeads();
    }
    where.textContent = `${clock(time, 1)} of ${clock(seconds, 1)}`;
    const words = now
      .map((segment, number) =>
        segment ? (channels.length > 1 ? `channel ${number + 1} ` : "") + inWords(segment) : "",
      )
      .join("; ");
    scroller.setAttribute("aria-valuenow", time.toFixed(2));
    scroller.setAttribute("aria-valuetext", `${clock(time, 1)} of ${clock(seconds, 1)}: ${words}`);
  }

  function showSaid(segment, number, title, why, update) {
    const span = segment
      ? `${channels.length > 1 ? `channel ${number + 1}, ` : ""}${clock(segment.start, 1)} – ${clock(segment.end, 1)}`
      : "";
    title.replaceChildren(segment ? named(segment) : "–", element("small", { textContent: span }));
    title.style.setProperty("--c", segment?.speech ? colourVariable(names, segment.emotion) : "var(--rule)");
    why.textContent = segment?.unfamiliar ? `${segment.probabilities ? "Unfamiliar: " : ""}${segment.unfamiliar}` : "";
    update(segment?.probabilities ?? null);
  }

  function seek(to, reveal = true) {
    until = null;
    time = Math.min(Math.max(0, to), seconds);
    if (playable) audio.currentTime = time;
    show(reveal);
  }

  function playSegment(segment) {
    seek(segment.start);
    if (!playable) return;
    until = segment.end;
    audio.play().catch(() => {}); // the player's own error says why
  }

  function follow() {
    const inSight = time >= from() && (time - from()) * scale <= width() - GUTTER;
    if (audio.paused && Math.abs(audio.currentTime - time) < 0.01) return; // where it was sent, but for rounding
    time = Math.min(audio.currentTime, seconds);
    if (until !== null && time >= until - 0.005) {
      time = until;
      until = null;
      audio.pause();
      audio.currentTime = time; // it has gone on until now
    }
    show(inSight && "follow");
  }

  function tick() {
    follow();
    frame = audio.paused ? 0 : requestAnimationFrame(tick);
  }

  const on = (target, kind, act, more) => target.addEventListener(kind, act, { signal, ...more });
  on(audio, "play", () => {
    frame ||= requestAnimationFrame(tick);
  });
  on(audio, "timeupdate", () => playable && !audio.seeking && follow()); // in the background nothing is drawn
  on(audio, "seeked", () => playable && audio.paused && follow());
  on(audio, "error", () => {
    playable = false;
  });

  const timeIn = event => (event.clientX - scroller.getBoundingClientRect().left - GUTTER) / scale + from();
  const timeInOverview = event =>
    ((event.clientX - overviewBox.getBoundingClientRect().left) / overviewBox.clientWidth) * seconds;
  // a mouse drags the playhead; a finger scrolls, and its tap seeks
  for (const [target, at, fingers] of [
    [sticky, timeIn, false],
    [overviewBox, timeInOverview, true],
  ]) {
    on(target, "pointerdown", event => {
      if (event.button !== 0 || (event.pointerType === "touch" && !fingers)) return;
      target.setPointerCapture(event.pointerId);
      seek(at(event), fingers);
    });
    on(target, "pointermove", event => target.hasPointerCapture(event.pointerId) && seek(at(event), fingers));
    on(target, "click", event => event.pointerType === "touch" && !fingers && seek(at(event), false));
  }

  const all = channels.flatMap(({ segments }) => segments.map(({ start }) => start)).sort((a, b) => a - b);
  const next = () => all.find(start => start > time + 0.01) ?? seconds;
  const previous = () => all.findLast(start => start < time - 0.3) ?? 0;
  const steps = {
    ArrowRight: event => seek(event.shiftKey ? next() : time + 1),
    ArrowUp: () => seek(time + 1),
    ArrowLeft: event => seek(event.shiftKey ? previous() : time - 1),
    ArrowDown: () => seek(time - 1),
    PageUp: () => seek(time + 10),
    PageDown: () => seek(time - 10),
    Home: () => seek(0),
    End: () => seek(seconds),
    "+": () => zoom(scale * ZOOM),
    "-": () => zoom(scale / ZOOM),
    " ": () => playable && (audio.paused ? audio.play().catch(() => {}) : audio.pause()),
  };
  on(scroller, "keydown", event => {
    if (!steps[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    steps[event.key](event);
  });
  on(scroller, "scroll", draw);
  on(
    scroller,
    "wheel",
    event => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(scale * ZOOM ** (-event.deltaY / 100));
    },
    { passive: false },
  );

  const recolour = () => {
    colours = palette(names);
    drawAll();
  };
  on(matchMedia("(prefers-color-scheme: dark)"), "change", recolour);
  let before = 0;
  const observer = new ResizeObserver(() => {
    if (width() === before || !width()) return;
    before = width();
    scroller.style.height = "";
    zoom(scale);
    drawAll();
  });
  observer.observe(scroller);
  sticky.style.height = `${height(timeline)}px`;
  zoom(Math.max(READABLE, (width() - GUTTER) / SEEN));
  drawAll();
  show(false);

  return () => {
    controller.abort();
    observer.disconnect();
    cancelAnimationFrame(frame);
    place.replaceChildren();
    tablePlace.replaceChildren();
  };
}

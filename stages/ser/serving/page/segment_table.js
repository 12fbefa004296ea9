// The segments of a timeline as a table, some rows at a time: an hour has a thousand and more.

import { colourVariable } from "./colours.js";
import { certainty, clock, count, element, named, percent } from "./words.js";

const FIRST = 25,
  MORE = 200; // rows

export function showTable({ place, timeline, names, play }) {
  const several = timeline.channels.length > 1;
  const all = timeline.channels.flatMap(({ segments }, channel) => segments.map(segment => ({ segment, channel })));
  all.sort((a, b) => a.segment.start - b.segment.start || a.channel - b.channel);
  const spoken = all.filter(({ segment }) => segment.speech);
  const rows = new Map();
  let shown = FIRST,
    here = [];

  const body = element("tbody"),
    shownText = element("span"),
    more = element("button", { type: "button" });
  const pauses = element("input", { type: "checkbox", id: "pauses" });
  const head = (textContent, className = "") => element("th", { scope: "col", textContent, className });
  const table = element(
    "table",
    { className: several ? "segments several" : "segments" },
    element("caption", {
      textContent:
        "Segments. Unfamiliar (a red corner in the picture): how the sound differs from what the model learnt from.",
    }),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "col" }, element("span", { className: "hidden", textContent: "Play" })),
        ...(several ? [head("Channel", "num channel")] : []),
        head("Start", "num"),
        head("End", "num"),
        head("Emotion"),
        head("Probability", "num sure"),
        head("Unfamiliar", "why"),
      ),
    ),
    body,
  );
  const scroll = element("div", { className: "scroll", tabIndex: 0 }, table);
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Table of the segments");

  function row({ segment, channel }) {
    const whose = several ? `, channel ${channel + 1}` : "";
    const start = element("button", { type: "button", textContent: "▶" });
    start.setAttribute(
      "aria-label",
      `Play ${named(segment)} from ${clock(segment.start, 1)} to ${clock(segment.end, 1)}${whose}`,
    );
    start.addEventListener("click", () => play(segment));
    const emotion = element("b", { className: segment.speech ? "emotion" : "", textContent: named(segment) });
    if (segment.speech) emotion.style.setProperty("--c", colourVariable(names, segment.emotion));
    const sure = certainty(segment),
      cell = (textContent, className = "") => element("td", { textContent, className });
    const made = element(
      "tr",
      { className: segment.speech ? "" : "pause" },
      element("td", {}, start),
      ...(several ? [cell(channel + 1, "num")] : []),
      cell(clock(segment.start, 1), "num"),
      cell(clock(segment.end, 1), "num"),
      element("td", {}, emotion),
      cell(sure === null ? "–" : percent(sure), "num"),
      cell(segment.unfamiliar, "why"),
    );
    rows.set(segment, made);
    return made;
  }

  function mark() {
    for (const made of body.querySelectorAll(".here")) made.classList.remove("here");
    for (const segment of here) rows.get(segment)?.classList.add("here");
  }

  function fill(fromStart) {
    const wanted = pauses.checked ? all : spoken;
    if (fromStart) {
      rows.clear();
      body.replaceChildren();
    }
    body.append(...wanted.slice(body.children.length, shown).map(row));
    const left = wanted.length - body.children.length;
    more.hidden = left <= 0;
    more.textContent = `Show ${count(Math.min(MORE, left))} more`;
    shownText.textContent =
      left > 0
        ? `${count(body.children.length)} of ${count(wanted.length)}`
        : `${count(wanted.length)} ${wanted.length === 1 ? "segment" : "segments"}`;
    mark();
  }

  more.addEventListener("click", () => {
    const first = body.children.length;
    shown += MORE;
    fill(false);
    if (more.hidden) body.children[first]?.querySelector("button").focus(); // the button that had it is gone
  });
  pauses.addEventListener("change", () => {
    shown = FIRST;
    fill(true);
  });
  place.replaceChildren(
    scroll,
    element("p", { className: "more" }, more, shownText, element("label", {}, pauses, " pauses too")),
  );
  fill(true);
  return {
    here(segments) {
      here = segments;
      mark();
    },
  };
}

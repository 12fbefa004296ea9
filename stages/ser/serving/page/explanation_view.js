// What decided an answer: stretches of time below the waveform, groups of features as bars; all of it as numbers, too.

import { element, sentence } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const WAVE = 60, // units of the picture's height: the waveform, and the effects below it
  EFFECTS = 110,
  WIDE = 1000;
const signed = effect => (effect < 0 ? "−" : "+") + Math.abs(effect).toFixed(2);
const side = effect => (effect > 0 ? "for" : "against");
const time = seconds => `${seconds.toFixed(2)} s`;

function shape(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function picture({ stretches, peaks, in_words: words }) {
  const begin = stretches[0].start,
    length = Math.max(stretches.at(-1).end - begin, 0.01),
    x = seconds => ((seconds - begin) / length) * WIDE;
  const loudest = Math.max(...peaks, 1e-6),
    most = Math.max(0.1, ...stretches.map(({ effect, error }) => Math.abs(effect) + error)),
    y = effect => WAVE + EFFECTS / 2 - (effect / most) * (EFFECTS / 2 - 4);
  const svg = shape("svg", { viewBox: `0 0 ${WIDE} ${WAVE + EFFECTS}`, preserveAspectRatio: "none", role: "img" });
  svg.setAttribute("aria-label", `Waveform, and the effect of each stretch of time: ${words[1]}`);
  const wave = peaks.map((peak, number) => [(number + 0.5) * (WIDE / peaks.length), (peak / loudest) * (WAVE / 2 - 2)]);
  const outline = [...wave.map(([at, high]) => [at, WAVE / 2 - high]), ...wave.reverse().map(([at, high]) => [at, WAVE / 2 + high])];
  for (const { start, end, effect, stands_out: out } of stretches)
    if (out) svg.append(shape("rect", { class: `out ${side(effect)}`, x: x(start), width: x(end) - x(start), y: 0, height: WAVE + EFFECTS }));
  svg.append(shape("polygon", { class: "wave", points: outline.map(point => point.join()).join(" ") }));
  for (const { start, end, effect, error } of stretches) {
    const middle = x((start + end) / 2);
    svg.append(
      shape("rect", {
        class: side(effect),
        x: x(start) + 1,
        width: Math.max(1, x(end) - x(start) - 2),
        y: Math.min(y(0), y(effect)),
        height: Math.abs(y(effect) - y(0)),
      }),
      shape("line", { class: "error", x1: middle, x2: middle, y1: y(effect - error), y2: y(effect + error) }),
    );
  }
  svg.append(shape("line", { class: "zero", x1: 0, x2: WIDE, y1: y(0), y2: y(0) }));
  return element(
    "figure",
    { className: "stretches" },
    svg,
    element("p", { className: "label ends" }, element("span", { textContent: time(begin) }), element("span", { textContent: time(begin + length) })),
  );
}

function bars({ groups, emotion }) {
  const list = element("ul", { className: "sides" }),
    most = Math.max(0.1, ...groups.map(({ effect }) => Math.abs(effect)));
  list.setAttribute("aria-label", `Groups of features that spoke for ${emotion}, or against it`);
  for (const { name, effect } of groups) {
    const bar = element("i", { className: side(effect) });
    bar.style.setProperty("--share", Math.abs(effect) / most);
    const track = element("span", { className: "track" }, bar);
    track.setAttribute("aria-hidden", "true");
    list.append(element("li", {}, element("span", { textContent: name }), track, element("b", { textContent: signed(effect) })));
  }
  return list;
}

function table({ stretches }) {
  const head = element("tr");
  for (const [label, className] of [["From", "num"], ["To", "num"], ["Effect", "num"], ["Error", "num"], ["", ""]])
    head.append(element(label ? "th" : "td", { textContent: label, className, ...(label && { scope: "col" }) }));
  const body = element("tbody");
  for (const { start, end, effect, error, stands_out: out } of stretches) {
    const row = element("tr");
    for (const text of [time(start), time(end), signed(effect), error.toFixed(2)])
      row.append(element("td", { className: "num", textContent: text }));
    row.append(element("td", { textContent: out ? "stands out" : "" }));
    body.append(row);
  }
  const numbers = element("table", {}, element("caption", { textContent: "Effect of each stretch of time (nats)" }), element("thead", {}, head), body);
  const scroll = element("div", { className: "scroll", tabIndex: 0 }, numbers);
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Effect of each stretch of time");
  return element("details", {}, element("summary", { textContent: "As numbers" }), scroll);
}

export function showExplanation(place, explanation) {
  const [answer, ofTime, ofGroups] = explanation.in_words.map(sentence);
  place.replaceChildren(
    element("p", { textContent: answer }),
    element("p", { className: "of-time", textContent: ofTime }),
    picture(explanation),
    element("p", { className: "of-groups", textContent: ofGroups }),
    ...(explanation.groups.length ? [bars(explanation)] : []),
    element("p", {
      className: "note",
      textContent:
        "To the right and up: spoke for the emotion. A stretch of time: by how much the log odds are higher with it than with an average one. A group of features: what its values add to the log odds in place of the usual ones. In nats.",
    }),
    table(explanation),
  );
}

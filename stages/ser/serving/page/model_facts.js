// What is known of the model: what it tells apart, what it learnt from, what the server allows.

import { byId, count, duration, element, listed, size } from "./words.js";

const LOCAL = ["localhost", "127.0.0.1", "[::1]"];
const ACTED = " Most published corpora are acted: such emotions are stronger and purer than those of daily life.";
const languages = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });

const languageName = code => (/^[a-z]{2,3}(-|$)/.test(code) ? languages.of(code) : code);

function corpusRow([name, corpus]) {
  const cell = (textContent, className = "") => element("td", { textContent, className });
  const spoken = (corpus.languages ?? []).filter(code => code !== "synthetic").map(languageName);
  return element(
    "tr",
    {},
    element("th", { scope: "row", textContent: name }),
    cell(count(corpus.clips ?? 0), "num"),
    cell(corpus.speakers ? count(corpus.speakers) : "unknown", "num"),
    cell(spoken.join(", ") || (corpus.synthetic ? "none" : "unknown")),
    cell(corpus.synthetic ? "synthetic" : "human"),
    cell(corpus.licence || (corpus.synthetic ? "made by this repository" : "unknown")),
  );
}

export function showModel(model, noMicrophone) {
  const { limits, learnt_from: learnt } = model;
  const corpora = Object.entries(learnt.corpora ?? {});
  const name = element("b", { textContent: model.model });
  byId("model-line").replaceChildren("Model: ", name, `. It tells apart ${listed(model.emotions)}.`);
  const synthetic = corpora.filter(([, corpus]) => corpus.synthetic).map(([corpus]) => corpus);
  byId("synthetic").hidden = !synthetic.length;
  byId("synthetic").textContent = model.synthetic
    ? "⚠ Synthetic speech only: this model knows no human voice, and its answers say nothing about real voices."
    : `⚠ Synthetic speech in what the model learnt from (${listed(synthetic)}): that part knows no human voice.`;
  byId("file-limits").textContent = `At most ${size(limits.bytes)} and ${duration(limits.seconds)}.`;
  const asked = `At most ${duration(limits.live_seconds)}. The browser is asked to leave the sound as it is.`;
  byId("live-limits").textContent = noMicrophone || asked;
  byId("live-limits").classList.toggle("red", Boolean(noMicrophone));
  byId("where").textContent = LOCAL.includes(location.hostname)
    ? "Your recording stays on this machine: the server runs here, and keeps nothing."
    : `Your recording is sent to the server at ${location.host}, which does not keep it.`;
  const speakers = learnt.speakers ? ` of ${count(learnt.speakers)} speakers` : "";
  byId("knows").textContent =
    `${model.model} learnt from ${count(learnt.clips ?? 0)} clips${speakers}.${model.synthetic ? "" : ACTED} ` +
    `What it says of other languages and other ways of speaking is a guess. ${model.terms}`;
  byId("by-speaker").hidden = !model.by_speaker;
  byId("corpora-region").hidden = !corpora.length;
  byId("corpora").tBodies[0].replaceChildren(...corpora.map(corpusRow));
  byId("foot").textContent = `ser ${model.version}. Formats, settings and the server’s other answers: docs/use.md.`;
}

// The page as a whole: the model, a file or the microphone in, a timeline out.

import { colourNames, colourVariable } from "./colours.js";
import { showExplanation } from "./explanation_view.js";
import { listen, recordingName } from "./live.js";
import { microphoneMissing } from "./microphone.js";
import { showModel } from "./model_facts.js";
import { askExplanation, askExport, askModel, askTimeline, Refused, takeToken } from "./server.js";
import { showTimeline } from "./timeline_view.js";
import { byId, clock, element, isolated, percent, sentence, size, UNSURE } from "./words.js";

const EXPORTS = [
  ["csv", "CSV", "csv"],
  ["json", "JSON", "json"],
  ["rttm", "RTTM", "rttm"],
  ["vtt", "WebVTT", "vtt"],
  ["srt", "SRT", "srt"],
  ["audacity", "Audacity", "txt"],
  ["textgrid", "Praat TextGrid", "TextGrid"],
  ["eaf", "ELAN", "eaf"],
];
const audio = byId("audio"),
  speak = byId("speak"),
  choose = byId("choose"),
  file = byId("file");

let model = null,
  names = new Map(),
  upload = null,
  session = null,
  rescued = null,
  explaining = null,
  shown = { timeline: null, remove: () => {}, urls: [] };

const say = text => {
  byId("status").textContent = text;
};

function complain(error, recording = null) {
  const message = error instanceof Refused ? error.message : `The page has failed: ${error.message}`;
  byId("error").textContent = message;
  byId("error").hidden = !message;
  rescued = recording;
  byId("rescue").hidden = !recording;
}

// to a button that is there again, if what had the focus is gone
function giveFocus(button) {
  if (document.activeElement === document.body || !document.activeElement.checkVisibility()) button.focus();
}

function silence() {
  complain(new Refused(""));
}

function busy() {
  const missing = microphoneMissing();
  choose.disabled = Boolean(!model || upload || session);
  speak.disabled = Boolean(!model || upload || missing);
  byId("settings").inert = Boolean(upload);
}

const options = () => ({ calibrated: byId("calibrated").checked, certainty: Number(byId("certainty").value) });

async function meetModel() {
  silence();
  try {
    model = await askModel();
  } catch (error) {
    byId("model-line").textContent = "No model.";
    complain(error);
    return;
  }
  names = colourNames(model.emotions);
  showModel(model, microphoneMissing());
  busy();
}

// ---- a file

async function analyse(recording, name) {
  if (!model || upload || session) return;
  silence();
  if (recording.size > model.limits.bytes) {
    complain(new Refused(`${name} has ${size(recording.size)}; the server takes at most ${size(model.limits.bytes)}.`));
    return;
  }
  upload = new AbortController();
  busy();
  const bar = byId("progress-bar"),
    text = byId("progress-text"),
    [window, hop] = byId("cut").value.split(" ");
  byId("progress").hidden = false;
  const onProgress = share => {
    if (share < 1) bar.value = share;
    else bar.removeAttribute("value");
    text.textContent = share < 1 ? `Sending ${name}: ${percent(share)}` : `Listening to ${name} …`;
  };
  onProgress(0);
  say(`Sending ${name}.`);
  byId("cancel").focus();
  try {
    const timeline = await askTimeline(
      recording,
      name,
      { ...options(), mix: byId("mix").checked, ...(window && { window, hop }) },
      { onProgress, signal: upload.signal },
    );
    show(timeline, recording);
  } catch (error) {
    if (error.name === "AbortError") say("Cancelled.");
    else complain(error, recording instanceof File ? null : recording);
  } finally {
    upload = null;
    byId("progress").hidden = true;
    busy();
    giveFocus(choose);
  }
}

choose.addEventListener("click", () => file.click());
file.addEventListener("change", () => {
  const [chosen] = file.files;
  if (chosen) analyse(chosen, chosen.name);
  file.value = ""; // so that the same one can be chosen again
});
byId("cancel").addEventListener("click", () => upload?.abort());
byId("send-again").addEventListener("click", () => rescued && analyse(rescued, `${recordingName(new Date())}.wav`));

addEventListener("dragover", event => {
  event.preventDefault();
  byId("drop").classList.add("over");
});
addEventListener("dragleave", event => event.relatedTarget ?? byId("drop").classList.remove("over"));
addEventListener("drop", event => {
  event.preventDefault(); // or the browser leaves the page for the file
  byId("drop").classList.remove("over");
  const { files, items } = event.dataTransfer;
  if (upload || session) return;
  if ([...items].some(item => item.webkitGetAsEntry?.()?.isDirectory))
    complain(new Refused("That is a folder: drop a file."));
  else if (!files.length) complain(new Refused("That is no file."));
  else if (files.length > 1) complain(new Refused("One file at a time, please."));
  else analyse(files[0], files[0].name);
});

// ---- the microphone

speak.addEventListener("click", async () => {
  silence();
  audio.pause();
  session = listen({
    emotions: model.emotions,
    names,
    liveSeconds: model.limits.live_seconds,
    options: options(),
    say,
  });
  busy();
  try {
    const { timeline, recording, note } = await session.finished;
    timeline.name = `${recordingName(new Date())}.wav`;
    if (note) timeline.remarks = [...timeline.remarks, note];
    session = null;
    show(timeline, recording, true);
  } catch (error) {
    session = null;
    complain(error, error.recording ?? null);
  }
  busy();
  giveFocus(speak);
});
byId("stop").addEventListener("click", () => session?.stop());
addEventListener("pagehide", () => session?.stop());

// ---- the timeline

function wholeInWords(timeline) {
  const length = seconds => (timeline.seconds < 120 ? `${seconds.toFixed(1)} s` : clock(seconds));
  return timeline.channels.map(({ shares, speaking_seconds: speaking }, number) => {
    const parts = Object.entries(shares),
      bar = element("span", { className: "shares" });
    bar.setAttribute("aria-hidden", "true");
    for (const [emotion, share] of parts) {
      const part = element("i");
      part.style.flexGrow = share;
      if (emotion && emotion !== UNSURE)
        part.style.background = colourVariable(colourNames(timeline.emotions), emotion);
      bar.append(part);
    }
    const whose = timeline.channels.length > 1 ? `Channel ${number + 1}: ` : "";
    const words = parts.map(([emotion, share]) => `${isolated(emotion || "no answer")} ${percent(share)}`).join(", ");
    const nobody = whose ? "nobody speaks." : "Nobody speaks.";
    return element(
      "span",
      {},
      speaking > 0
        ? `${whose}${length(speaking)} of ${length(timeline.seconds)} is speech: ${words}.`
        : `${whose}${nobody}`,
      ...(speaking > 0 ? [bar] : []),
    );
  });
}

// what decided the answer for a segment: the server hears it again, some hundred times
async function explain(recording, timeline, segment, channel) {
  silence();
  const wait = byId("explanation-wait");
  explaining?.abort();
  const own = (explaining = new AbortController());
  byId("explanation-place").replaceChildren();
  byId("explanation").hidden = false;
  wait.hidden = false;
  wait.textContent = `Listening to ${clock(segment.start, 1)} – ${clock(segment.end, 1)} again, without parts of it …`;
  say(wait.textContent);
  byId("explanation-title").focus();
  try {
    const found = await askExplanation(
      recording,
      timeline.name,
      {
        start: segment.start,
        end: segment.end,
        calibrated: timeline.calibrated,
        ...(timeline.channels.length > 1 && { channel: channel + 1 }),
        ...(segment.emotion !== UNSURE && { emotion: segment.emotion }),
      },
      own.signal,
    );
    if (explaining !== own) return;
    wait.hidden = true;
    showExplanation(byId("explanation-place"), found);
    say(found.in_words.map(sentence).join(" "));
  } catch (error) {
    if (explaining !== own || error.name === "AbortError") return;
    byId("explanation").hidden = true;
    complain(error);
  }
}

function show(timeline, recording, keep = false) {
  const { calibrated } = options();
  explaining?.abort();
  byId("explanation").hidden = true;
  shown.remove();
  shown.urls.forEach(url => URL.revokeObjectURL(url));
  audio.pause();
  const url = recording ? URL.createObjectURL(recording) : "";
  if (url) audio.src = url;
  else audio.removeAttribute("src");
  byId("unplayable").hidden = true;
  audio.hidden = !url;
  Object.assign(byId("keep"), { hidden: !keep || !url, href: url, download: timeline.name });
  byId("result-name").textContent = timeline.name;
  byId("whole").replaceChildren(...wholeInWords(timeline));
  byId("remarks").hidden = !timeline.remarks.length;
  byId("remarks").replaceChildren(...timeline.remarks.map(remark => element("li", { textContent: sentence(remark) })));
  byId("result").hidden = false;
  const remove = showTimeline({
    place: byId("timeline"),
    tablePlace: byId("table-place"),
    audio,
    timeline,
    explain: recording && ((segment, channel) => explain(recording, { ...timeline, calibrated }, segment, channel)),
  });
  shown = { timeline, remove, urls: url ? [url] : [] };
  say(`Done: ${byId("whole").textContent}`);
  byId("result-title").focus();
}

audio.addEventListener("error", () => {
  if (!audio.getAttribute("src")) return;
  audio.hidden = true;
  byId("unplayable").hidden = false;
  byId("unplayable").textContent =
    "This browser cannot play the format of this file. The timeline is complete nevertheless.";
});

byId("exports").append(
  ...EXPORTS.map(([format, label, suffix]) => {
    const button = element("button", { type: "button", textContent: label });
    button.addEventListener("click", async () => {
      silence();
      try {
        const url = URL.createObjectURL(await askExport(shown.timeline, format));
        const stem = shown.timeline.name.replace(/\.[^.]*$/, "").replace(/[\\/:*?"<>|\p{Cc}]/gu, "_") || "timeline";
        element("a", { href: url, download: `${stem}.${suffix}` }).click();
        setTimeout(() => URL.revokeObjectURL(url), 60_000);
        say(`Saved as ${stem}.${suffix}.`);
      } catch (error) {
        complain(error);
      }
    });
    return button;
  }),
);

addEventListener("hashchange", () => takeToken() && meetModel());
takeToken();
busy();
meetModel();

// Speaking: from the microphone to the server and back, and what is shown meanwhile.

import { makeBars } from "./bars.js";
import { colourVariable } from "./colours.js";
import { openMicrophone } from "./microphone.js";
import { openLive, Refused, whyClosed } from "./server.js";
import { toInt16, wavFile } from "./wav.js";
import { byId, certainty, clock, count, duration, element, named, percent } from "./words.js";

const DECIBELS = -60; // where the meter begins
const SILENT_AFTER = 2; // s of samples that are all 0
const BEHIND = 5; // s that wait to be sent
const SHOWN = 200; // finished segments
const END = '{"end":true}';

export function recordingName(when) {
  const two = number => String(number).padStart(2, "0");
  const day = [when.getFullYear(), when.getMonth() + 1, when.getDate()].map(two).join("-");
  return `microphone ${day} ${[when.getHours(), when.getMinutes(), when.getSeconds()].map(two).join(".")}`;
}

// Listen until `stop` is called, or the limit is reached. Returns { stop, finished }; `finished` resolves to
// { timeline, recording, note } and is rejected with a Refused that has the `recording`, if there is one.
export function listen({ emotions, names, liveSeconds, options, say }) {
  const chunks = [],
    waiting = [],
    panel = showPanel(emotions, names);
  let microphone,
    socket,
    ready = false,
    stopping = false,
    ended = false,
    samples = 0,
    clipped = 0,
    zeros = 0,
    note = "";
  let settle, refuse;
  const finished = new Promise((resolve, reject) => {
    settle = resolve;
    refuse = reject;
  });
  const recording = () => (samples ? wavFile(chunks, microphone.rate) : null);

  const send = chunk => (ready && socket.readyState === WebSocket.OPEN ? socket.send(chunk) : waiting.push(chunk));

  function take(block) {
    if (ended) return;
    const left = Math.floor(liveSeconds * microphone.rate) - samples;
    const { out, clipped: now, peak, squares } = toInt16(left < block.length ? block.subarray(0, left) : block);
    if (!out.length) return;
    chunks.push(out);
    samples += out.length;
    clipped += now;
    zeros = peak === 0 ? zeros + out.length : 0;
    panel.level(peak, Math.sqrt(squares / out.length), samples / microphone.rate, now);
    if (clipped) panel.clipped(clipped);
    if (zeros > SILENT_AFTER * microphone.rate) panel.speech("The microphone gives nothing at all: is it muted?");
    if (socket.bufferedAmount > BEHIND * 2 * microphone.rate)
      panel.speech("The server is behind: what it shows is some seconds old.");
    send(out);
    if (samples >= Math.floor(liveSeconds * microphone.rate)) {
      note = `Stopped by itself after ${duration(liveSeconds)}, as long as the server listens.`;
      if (!stopping) stop();
    }
  }

  function fail(error) {
    if (ended) return;
    ended = true;
    const kept = microphone?.stop();
    Promise.resolve(kept).then(() => {
      panel.close();
      error.recording = recording();
      socket?.close();
      refuse(error);
    });
  }

  async function stop() {
    if (ended) return;
    if (stopping || !microphone) {
      fail(new Refused(stopping ? "Cancelled. What was recorded is still here." : note));
      return;
    }
    stopping = true;
    panel.finishing();
    await microphone.stop(); // what is left of the last block comes before this returns
    if (!samples) fail(new Refused(note || "Nothing was recorded."));
    else if (ready) socket.send(END);
    else waiting.push(END);
  }

  function answered(message) {
    if (ended) return;
    if (message.type === "ready") {
      ready = true;
      for (const chunk of waiting.splice(0)) socket.send(chunk);
      if (!stopping) panel.speech("listening");
    } else if (message.type === "live") {
      panel.live(message);
    } else if (message.type === "segment") {
      panel.segment(message);
    } else if (message.type === "error") {
      fail(new Refused(message.detail));
    } else if (message.type === "timeline") {
      ended = true;
      microphone.stop(); // it still runs where the server has stopped by itself
      panel.close();
      settle({ timeline: message.timeline, recording: recording(), note });
    }
  }

  async function start() {
    microphone = await openMicrophone(reason => {
      note = reason;
      if (!stopping) stop();
    });
    if (ended) {
      await microphone.stop(); // it was stopped before it was open
      return;
    }
    panel.opened(microphone);
    say("Listening.");
    socket = openLive();
    socket.addEventListener("open", () =>
      socket.send(JSON.stringify({ format: "s16", sample_rate: microphone.rate, ...options })),
    );
    socket.addEventListener("message", ({ data }) => answered(JSON.parse(data)));
    socket.addEventListener("close", async event => !ended && fail(new Refused(await whyClosed(event, ready))));
    microphone.hear(take);
  }

  start().catch(fail);
  return { stop, finished };
}

function showPanel(emotions, names) {
  const section = byId("live"),
    inputs = byId("inputs"),
    meter = byId("meter"),
    list = byId("live-segments"),
    update = makeBars(byId("live-bars"), emotions, names);
  inputs.hidden = true;
  byId("give-title").textContent = "Listening";
  section.hidden = false;
  byId("stop").textContent = "Stop";
  byId("stop").focus();
  for (const id of ["not-obeyed", "clipped"]) byId(id).hidden = true;
  byId("live-emotion").textContent = "…";
  byId("live-speech").textContent = "waiting for the microphone";
  byId("capture-line").textContent = "";
  byId("live-time").textContent = clock(0);
  list.replaceChildren(
    element("li", { className: "nothing", textContent: "No utterance is finished yet: a pause ends one." }),
  );
  update(null);
  const decibels = value => Math.max(DECIBELS, 20 * Math.log10(Math.max(value, 1e-6)));
  return {
    opened({ rate, label, remarks }) {
      byId("capture-line").textContent =
        `${label || "Microphone"}, ${rate / 1000} kHz${remarks.length ? "" : ", as it is: all processing is off"}`;
      byId("not-obeyed").hidden = !remarks.length;
      byId("not-obeyed").textContent = remarks.join(" ");
      byId("live-speech").textContent = "waiting for the server";
    },
    level(peak, rms, seconds, over) {
      const [bar, mark] = meter.children;
      bar.style.transform = `scaleX(${1 - decibels(rms) / DECIBELS})`;
      mark.style.left = `calc(${100 * (1 - decibels(peak) / DECIBELS)}% - 2px)`;
      meter.classList.toggle("over", over > 0);
      meter.setAttribute("aria-valuenow", Math.round(decibels(rms)));
      meter.setAttribute("aria-valuetext", `${Math.round(decibels(rms))} decibels`);
      byId("live-time").textContent = clock(seconds);
    },
    clipped(samples) {
      byId("clipped").hidden = false;
      byId("clipped").textContent =
        `Too loud: ${count(samples)} ${samples === 1 ? "sample is" : "samples are"} clipped. ` +
        "Move away from the microphone, or turn it down.";
    },
    speech(text) {
      byId("live-speech").textContent = text;
    },
    live({ speech, probabilities, emotion }) {
      if (probabilities) update(probabilities); // else those of the last words stay, paler
      if (probabilities) byId("live-emotion").textContent = emotion || "no answer";
      byId("live-bars").classList.toggle("old", !speech);
      const heard = byId("live-emotion").textContent !== "…";
      byId("live-speech").textContent = speech
        ? "somebody speaks"
        : heard
          ? "silence; so sounded the last words"
          : "silence so far";
    },
    segment(segment) {
      if (!segment.speech) return;
      list.querySelector(".nothing")?.remove();
      const emotion = element("b", { textContent: named(segment) }),
        sure = certainty(segment);
      emotion.style.setProperty("--c", colourVariable(names, segment.emotion));
      list.prepend(
        element(
          "li",
          {},
          element("span", { textContent: `${clock(segment.start, 1)} – ${clock(segment.end, 1)}` }),
          emotion,
          element("span", { textContent: sure === null ? segment.unfamiliar : percent(sure) }),
        ),
      );
      if (list.children.length > SHOWN) list.lastElementChild.remove();
    },
    finishing() {
      byId("stop").textContent = "Cancel";
      byId("live-speech").textContent = "finishing …";
    },
    close() {
      section.hidden = true;
      inputs.hidden = false;
      byId("give-title").textContent = "Give a recording, or speak";
    },
  };
}

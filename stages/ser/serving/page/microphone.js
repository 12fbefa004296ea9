// The microphone as it is: all processing off, at its own rate, by an AudioWorklet; and what the browser made of that.

import { Refused } from "./server.js";
import { listed } from "./words.js";

const PROCESSING = {
  echoCancellation: "echo cancellation",
  noiseSuppression: "noise suppression",
  autoGainControl: "automatic gain control",
  voiceIsolation: "voice isolation",
};
const WHY = {
  NotAllowedError:
    "The microphone is not allowed: allow it for this page in the browser’s settings, then press Speak again.",
  NotFoundError: "There is no microphone.",
  NotReadableError: "The microphone cannot be opened: another program may be using it.",
  AbortError: "The microphone cannot be opened.",
};

export function microphoneMissing() {
  if (!window.isSecureContext)
    return "Browsers open the microphone only over https, or on the machine itself (127.0.0.1).";
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode)
    return "This browser cannot hand over the microphone’s samples: use a newer one.";
  return "";
}

// what the browser does to the sound although it was asked not to, and what it does not tell
export function disobedience(settings, contextRate) {
  const named = names => names.map(name => PROCESSING[name]),
    all = Object.keys(PROCESSING);
  const on = named(all.filter(name => settings[name])); // `true`, or the name of a kind
  const untold = named(all.filter(name => settings[name] === undefined && name !== "voiceIsolation"));
  const lines = [];
  if (on.length)
    lines.push(
      `The browser keeps ${listed(on)} on although it was asked not to: it changes how loud and how clear the ` +
        "voice is. Do not trust the levels, nor the emotions.",
    );
  if (untold.length)
    lines.push(
      `The browser does not tell whether ${listed(untold)} ${untold.length > 1 ? "are" : "is"} off: ` +
        "the levels may not be the microphone’s.",
    );
  if (settings.sampleRate && settings.sampleRate !== contextRate)
    lines.push(`The browser resamples the microphone from ${settings.sampleRate} to ${contextRate} Hz.`);
  return lines;
}

// Returns { rate, label, remarks, hear, stop }: `hear` is given what takes the samples; none before is lost.
export async function openMicrophone(onEnded) {
  const asked = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
  let stream, context;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: asked });
  } catch (error) {
    throw new Refused(WHY[error.name] ?? `The microphone cannot be opened (${error.name}).`);
  }
  const [track] = stream.getAudioTracks();
  const close = () => {
    stream.getTracks().forEach(each => each.stop());
    return context && context.state !== "closed" ? context.close() : undefined;
  };
  try {
    const settings = track.getSettings();
    context = new AudioContext({
      latencyHint: "interactive",
      ...(settings.sampleRate && { sampleRate: settings.sampleRate }),
    });
    await context.audioWorklet.addModule(new URL("capture.js", import.meta.url));
    const source = context.createMediaStreamSource(stream);
    const capture = new AudioWorkletNode(context, "capture", { channelCount: 1, channelCountMode: "explicit" });
    let finished;
    const flushed = new Promise(resolve => {
      finished = resolve;
    });
    capture.onprocessorerror = () => onEnded("The browser has stopped recording.");
    track.addEventListener("ended", () => onEnded("The microphone has gone."));
    source.connect(capture).connect(context.destination); // silence; unconnected, some browsers do not run it
    await context.resume();
    const hear = take => {
      capture.port.onmessage = ({ data }) => (data ? take(data) : finished());
    };
    let stopped;
    const stop = () => (stopped ??= end());
    const end = async () => {
      capture.port.postMessage("stop");
      await Promise.race([flushed, new Promise(resolve => setTimeout(resolve, 500))]);
      capture.disconnect();
      await close();
    };
    return {
      rate: context.sampleRate,
      label: track.label,
      remarks: disobedience(settings, context.sampleRate),
      hear,
      stop,
    };
  } catch (error) {
    await close();
    throw new Refused(`The browser cannot record: ${error.message}`);
  }
}

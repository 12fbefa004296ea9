"""What a page records in headless Chromium: MediaRecorder on its fake microphone, or on sounds that the page plays.

Beside every recording runs one of plain samples, which says what the others were given.
"""

import base64
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from format_measures import Signal, clicking_speech, delay

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WRITER = "Chromium"
FED_RATE = 48000  # Hz
FED_SECONDS = 12.0
SECONDS = 3.02  # of a recording, which no packet divides
PLAIN = "audio/webm;codecs=pcm"
SIDE_BY_SIDE = 10  # clips that are recorded at once
MARGIN = 0.15  # s at each end of a recording in which no click is looked for
TRIES = 5
PACKET = 2880  # samples at 48 kHz, 60 ms; what does not fill one is lost
LOOKAHEAD = 312  # samples at 48 kHz that the coder is behind, lost at the end
DROPPED = "drops up to 67 ms of the end"
FROM_MICROPHONE = """async ({kinds, slice, milliseconds, rate}) => {
  const plain = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
  const microphone = await navigator.mediaDevices.getUserMedia({audio: plain});
  let stream = microphone;
  if (rate) {
    const context = new AudioContext({sampleRate: rate});
    const end = new MediaStreamAudioDestinationNode(context, {channelCount: 1});
    context.createMediaStreamSource(microphone).connect(end);
    stream = end.stream;
  }
  await new Promise(done => setTimeout(done, 300));
  const made = kinds.map(kind => recorder(stream, kind));
  made.forEach(each => slice ? each.start(slice) : each.start());
  await new Promise(done => setTimeout(done, milliseconds));
  made.forEach(each => each.stop());
  const files = await Promise.all(made.map(each => each.whole));
  microphone.getTracks().forEach(track => track.stop());
  return files;
}"""
FROM_FILES = """async ({kinds, names}) => {
  const context = new AudioContext({sampleRate: 48000});
  return Promise.all(names.map(async name => {
    const sound = await context.decodeAudioData(await (await fetch(name)).arrayBuffer());
    const end = new MediaStreamAudioDestinationNode(context, {channelCount: 1});
    const source = new AudioBufferSourceNode(context, {buffer: sound});
    source.connect(end);
    const made = kinds.map(kind => recorder(end.stream, kind));
    made.forEach(each => each.start());
    await new Promise(done => setTimeout(done, 500));
    source.start();
    await new Promise(done => source.onended = done);
    await new Promise(done => setTimeout(done, 500));
    made.forEach(each => each.stop());
    return Promise.all(made.map(each => each.whole));
  }));
}"""
PAGE = b"""<!doctype html><title>recorder</title><script>
function recorder(stream, {type, bits}) {
  const made = new MediaRecorder(stream, bits ? {mimeType: type, audioBitsPerSecond: bits} : {mimeType: type});
  const parts = [];
  made.ondataavailable = event => parts.push(event.data);
  made.whole = new Promise(done => made.onstop = async () => {
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    done(btoa(text));
  });
  return made;
}</script>"""


class BrowserRow(NamedTuple):
    """What is asked of MediaRecorder; `slice` is the milliseconds of its parts, `rate` that of an AudioContext."""

    format: str
    type: str
    suffix: str
    bits: int | None = None
    slice: int | None = None
    rate: int | None = None


ROWS = (
    BrowserRow("WebM, PCM", PLAIN, ".webm"),
    BrowserRow("WebM, Opus", "audio/webm;codecs=opus", ".webm"),
    BrowserRow("WebM, Opus, 16 kbit/s", "audio/webm;codecs=opus", ".webm", bits=16000),
    BrowserRow("WebM, Opus, in parts", "audio/webm;codecs=opus", ".webm", slice=250),
    BrowserRow("WebM, Opus, mono at 48000 Hz", "audio/webm;codecs=opus", ".webm", rate=48000),
    BrowserRow("WebM, Opus, mono at 16000 Hz", "audio/webm;codecs=opus", ".webm", rate=16000),
    BrowserRow("MKV, Opus", "video/x-matroska;codecs=opus", ".mkv"),
    BrowserRow("MP4, Opus", "audio/mp4;codecs=opus", ".m4a"),
    BrowserRow("MP4, Opus, in parts", "audio/mp4;codecs=opus", ".m4a", slice=250),
    BrowserRow("MP4, Opus, mono at 48000 Hz", "audio/mp4;codecs=opus", ".m4a", rate=48000),
)
SPOKEN = ("WebM, Opus", "WebM, Opus, 16 kbit/s", "MP4, Opus")  # what clips are recorded as


def find_browser() -> str | None:
    """Return the path of Chromium, as the environment variable CHROME has it or as it is installed."""
    return os.environ.get("CHROME") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serve the page and the files of a folder on 127.0.0.1 and return the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = folder / Path(self.path).name
            found = path.is_file()
            self.send_response(200)
            self.send_header("Content-Type", "audio/wav" if found else "text/html")
            self.end_headers()
            self.wfile.write(path.read_bytes() if found else PAGE)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _page(fed: Path, folder: Path) -> Iterator:
    """Open the page in a browser whose microphone plays a file, once."""
    from playwright.sync_api import sync_playwright

    options = [
        "--headless=new",
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={fed}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    ]
    with _served(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), headless=False, args=options)
        page = browser.new_page()
        page.goto(address)
        yield page
        browser.close()


def record_microphone(folder: Path) -> dict[str, tuple[bytes, Signal]]:
    """Record clicking speech from the fake microphone.

    Returns
    -------
    dict
        From the format of each of `ROWS` that the browser knows to the file, and what it was given.
    """
    fed = clicking_speech(FED_RATE, FED_SECONDS)
    path = folder / "fed.wav"
    soundfile.write(path, fed.y, FED_RATE)
    recorded = {}
    with _page(path, folder) as page:
        known = [row for row in ROWS if page.evaluate("type => MediaRecorder.isTypeSupported(type)", row.type)]
        for slice_, rate in dict.fromkeys((row.slice, row.rate) for row in known):
            rows = [row for row in known if (row.slice, row.rate) == (slice_, rate)]
            *files, given = _record_together(page, rows, slice_, rate, fed)
            recorded |= {row.format: (file, given) for row, file in zip(rows, files, strict=True)}
    return recorded


def _record_together(page, rows: Sequence[BrowserRow], slice_: int | None, rate: int | None, fed: Signal) -> list:
    """Record several formats between two recordings of samples, until these two begin with the same sample."""
    plain = {"type": PLAIN, "bits": None}
    kinds = [plain, *({"type": row.type, "bits": row.bits} for row in rows), plain]
    asked = {"kinds": kinds, "slice": slice_, "milliseconds": SECONDS * 1000, "rate": rate}
    for _ in range(TRIES):
        before, *files, behind = map(base64.b64decode, page.evaluate(FROM_MICROPHONE, asked))
        first, second = (plain_samples(each)[0] for each in (before, behind))
        shared = min(len(first), len(second))
        if np.array_equal(first[:shared], second[:shared]):
            files = [before if row.type == PLAIN else file for row, file in zip(rows, files, strict=True)]
            return [*files, _given(before, fed)]
    raise RuntimeError(f"two recorders that were started together began at different samples, {TRIES} times")


def _given(file: bytes, fed: Signal) -> Signal:
    """Return what was recorded, and where the clicks of what was fed are in it."""
    y, rate = plain_samples(file)
    start, _ = delay(np.repeat(y, 1), _resampled(fed, rate), round(FED_SECONDS * rate))
    places = [round(place * rate / fed.sample_rate) + int(start) for place in fed.clicks]
    margin = round(MARGIN * rate)
    return Signal(y, rate, [place for place in places if margin < place < len(y) - margin])


def _resampled(fed: Signal, rate: int) -> np.ndarray:
    import soxr

    return fed.y if rate == fed.sample_rate else soxr.resample(fed.y, fed.sample_rate, rate, "VHQ")


def plain_samples(file: bytes) -> tuple[np.ndarray, int]:
    """Return the samples of a WebM file of floats, the mean of its channels, and their rate: read by hand."""
    blocks, rate, channels = [], 0, 1
    for name, content in _elements(file):
        if name == 0xB5:
            rate = round(float(np.frombuffer(content, ">f4" if len(content) == 4 else ">f8")[0]))
        elif name == 0x9F:
            channels = int.from_bytes(content)
        elif name == 0xA3:
            blocks.append(np.frombuffer(content[4:], "<f4"))  # behind the track, the time and the flags
    return np.concatenate(blocks).reshape(-1, channels).mean(axis=1), rate


def _elements(file: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the elements of Matroska that hold no others, one after another."""
    inside = {0x18538067, 0x1654AE6B, 0xAE, 0xE1, 0x1F43B675}  # segment, tracks, track, audio, cluster
    at = 0
    while at < len(file):
        name, at = _number(file, at, marked=True)
        size, at = _number(file, at)
        if name not in inside:
            yield name, file[at : at + size]
            at += size


def _number(file: bytes, at: int, *, marked: bool = False) -> tuple[int, int]:
    width = 9 - file[at].bit_length()
    value = int.from_bytes(file[at : at + width])
    return value if marked else value & ~(1 << 7 * width), at + width


def record_clips(clips: Sequence[Path], folder: Path) -> Iterator[tuple[Path, dict[str, Path]]]:
    """Play WAV files to recorders, some at a time.

    Yields
    ------
    clip : Path
    files : dict
        From each format of `SPOKEN` to the recording, in `folder`.
    """
    rows = [row for row in ROWS if row.format in SPOKEN]
    kinds = [{"type": row.type, "bits": row.bits} for row in rows]
    with _page(clips[0], clips[0].parent) as page:
        for start in range(0, len(clips), SIDE_BY_SIDE):
            some = clips[start : start + SIDE_BY_SIDE]
            recorded = page.evaluate(FROM_FILES, {"kinds": kinds, "names": [clip.name for clip in some]})
            for clip, files in zip(some, recorded, strict=True):
                paths = {}
                for number, (row, file) in enumerate(zip(rows, files, strict=True)):
                    paths[row.format] = folder / f"{clip.stem}-{number}{row.suffix}"
                    paths[row.format].write_bytes(base64.b64decode(file))
                yield clip, paths

"""What of a recording comes back, format by format and writer by writer.

Every format is written by whoever has a writer installed (FFmpeg, SoX, LAME, … ; Chromium's MediaRecorder), or byte by
byte as its specification has it, and read as `prepare` and `predict` read it: length, first and last 100 ms, level, and
the place of clicks. A format that cannot be written here is left out, and said. With RAVDESS in --raw: the share of
clips in which a model hears the same emotion, of formats that do not measure just as they did. Then the bands that
formats keep, and the speed of decoding.
Writes reports/benchmarks/formats.json and the tables of docs/formats.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stages"))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before anything loads a BLAS

import soundfile  # noqa: E402
import soxr  # noqa: E402
from tqdm import tqdm  # noqa: E402

import browser_recordings  # noqa: E402
import format_emotions  # noqa: E402
import format_rows  # noqa: E402
import format_tables  # noqa: E402
import format_writers  # noqa: E402
import raw_bytes  # noqa: E402
from features import describe_machine, evenly  # noqa: E402
from format_measures import BAND_FLOOR, BANDS, Signal, band_levels, clicking_speech, compare, speech  # noqa: E402
from format_writers import EXACT, PLACED, NotWrittenError, Row  # noqa: E402
from ser.audio.decoding import UnusableAudioError, decode  # noqa: E402
from ser.storage.samples import to_int16  # noqa: E402
from ser.storage.whole_files import write_json  # noqa: E402

REPORT, PAGE = ROOT / "reports/benchmarks/formats.json", ROOT / "docs/formats.md"
MAX_SECONDS = 30.0
LATEST = 2.0  # ms, how late a click may be where the delay is known
WANTED = {EXACT: "exact", PLACED: "placed"}
ROUNDS = 7
BAND_SECONDS = 20.0
MODEL_RATE = 16000  # Hz, at which the bands are compared
IN_BANDS = (  # format and writer
    ("WAV, 16 bits, 48000 Hz", "libsndfile"),
    ("WAV, 16 bits, 16000 Hz", "libsndfile"),
    ("WAV, 16 bits, 8000 Hz", "libsndfile"),
    ("WAV, µ-law", "libsndfile"),
    ("M4A, AAC, 48000 Hz", "FFmpeg"),
    ("M4A, AAC, 16000 Hz", "FFmpeg"),
    ("MP3, constant, 16000 Hz", "LAME"),
    ("MP3, constant, 160 kbit/s, 16000 Hz", "LAME"),
    ("MP3, constant, 44100 Hz", "LAME"),
    ("Ogg Vorbis", "oggenc"),
    ("Ogg Opus", "opusenc"),
    ("Ogg Opus, 16 kbit/s", "opusenc"),
    ("WMA 2, 44100 Hz", "FFmpeg"),
    ("AC-3", "FFmpeg"),
    ("AMR, 8 kHz, 12.2 kbit/s", "OpenCORE"),
    ("AMR, 16 kHz", "VisualOn"),
    ("GSM 6.10", "FFmpeg"),
    ("G.722", "FFmpeg"),
    ("Ogg Speex, 8000 Hz", "speexenc"),
    ("Ogg Speex, 16000 Hz", "speexenc"),
)
TIMED = ("wav", "flac", "mp3", "ogg", "m4a", "webm")  # as FFmpeg writes them
TIMED_SECONDS = (3.7, 29.0)


def bench(raw: Path, clips: int, only: str, anew: bool) -> None:
    rows = [row for row in (*format_rows.rows(), *raw_bytes.rows()) if only in f"{row.format} {row.writer}"]
    result: dict = {"machine": describe_machine() | tool_versions(), "rows": [], "not_written": []}
    with tempfile.TemporaryDirectory(prefix="ser-formats-") as name:
        measure_rows(rows, Path(name), result)
    asked = any(only in f"{row.format} {browser_recordings.WRITER}" for row in browser_recordings.ROWS)
    if asked and browser_recordings.find_browser():
        with tempfile.TemporaryDirectory(prefix="ser-formats-") as name:
            measure_browser(Path(name), result)
    elif asked:
        print(f"no browser: none of {', '.join(browser_recordings.NAMES)} is installed")
        result["not_written"].append({"format": "WebM, MP4", "writer": "Chromium", "reason": "it is not installed"})
    if (raw / "ravdess").is_dir() and clips:
        add_emotions(raw, clips, rows, result, {} if anew else known_shares(clips))
    else:
        print(f"no emotions: there is no {raw}/ravdess (--raw names the folder that holds it)")
    result["bands"] = {"kHz": BANDS, "floor": BAND_FLOOR, "rows": band_rows(rows)}
    result["speed"] = speeds()
    for row in result["rows"]:
        if not row["as_it_should"]:
            print(f"  not as it should be: {row['format']}, {row['writer']}: {row['refused'] or brief(row)}")
    if not only:
        write_json(result, REPORT)
        format_tables.fill(PAGE, json.loads(REPORT.read_text()))


def measure_rows(rows: list[Row], folder: Path, result: dict) -> None:
    """Write and read every format."""
    for number, row in enumerate(tqdm(rows, unit="format")):
        signal = clicking_speech(row.sample_rate)
        wav, file = folder / f"{number:03d}-source.wav", folder / f"{number:03d}{row.suffix}"
        soundfile.write(wav, signal.y, row.sample_rate, subtype="PCM_16")
        try:
            row.write(wav, file)
        except NotWrittenError as error:
            print(f"  left out: {row.format}, {row.writer}: {error}")
            result["not_written"].append({"format": row.format, "writer": row.writer, "reason": str(error)})
            continue
        result["rows"].append(measure(row, file, signal))


def measure(row: Row, file: Path, original: Signal) -> dict:
    """Read a file and say how it differs from what it was made from."""
    told = {"format": row.format, "writer": row.writer, "sample_rate": row.sample_rate}
    wanted = {"wanted": WANTED.get(row.frame, "within a frame"), "frame": row.frame}
    words = {"delay": row.delay, "note": row.note}
    try:
        recording = decode(file, max_seconds=MAX_SECONDS)
    except UnusableAudioError as error:
        return told | {"refused": str(error), "exact": False, "as_it_should": False} | wanted | words
    found = compare(recording.y, recording.sample_rate, original)._asdict()
    return (
        told
        | {"read_as": recording.encoding, "read_rate": recording.sample_rate, "refused": None}
        | found
        | wanted
        | {"as_it_should": as_it_should(row, found)}
        | words
    )


def as_it_should(row: Row, found: dict) -> bool:
    """Judge a row: the very samples; as many at the same places; or within a frame and `LATEST`."""
    if row.frame == EXACT:
        return found["exact"]
    longest = 0 if row.frame == PLACED else row.frame
    length = -max(longest, row.dropped) - 1 < found["length_error"] < longest + 1
    return length and abs(found["click_ms"]) <= LATEST


def measure_browser(folder: Path, result: dict) -> None:
    """Record in the browser, and read that."""
    print("recording in the browser", flush=True)
    given = {row.format: row for row in browser_recordings.ROWS}
    for name, (content, original) in browser_recordings.record_microphone(folder).items():
        asked = given.pop(name)
        plain = asked.type == browser_recordings.PLAIN
        row = Row(
            name,
            browser_recordings.WRITER,
            original.sample_rate,
            asked.suffix,
            EXACT if plain else browser_recordings.PACKET,
            print,
            delay="" if plain else "Chromium's",
            note="" if plain else browser_recordings.DROPPED,
            dropped=browser_recordings.PACKET + browser_recordings.LOOKAHEAD,
        )
        file = folder / f"recorded{asked.suffix}"
        file.write_bytes(content)
        result["rows"].append(measure(row, file, original))
    for row in given.values():
        print(f"  left out: {row.format}: this browser does not record {row.type}")
        result["not_written"].append({"format": row.format, "writer": browser_recordings.WRITER, "reason": row.type})


def known_shares(clips: int) -> dict[str, float]:
    """Return the shares of equal emotions in the report that is there, if they are of so many clips, by their rows."""
    before = json.loads(REPORT.read_text()) if REPORT.is_file() else {}
    if before.get("clips") != clips:
        return {}
    return {without_share(row): share for row in before["rows"] if (share := row.get("equal_emotions")) is not None}


def without_share(row: dict) -> str:
    return json.dumps({key: value for key, value in row.items() if key != "equal_emotions"}, sort_keys=True)


def add_emotions(raw: Path, clips: int, rows: list[Row], result: dict, known: dict[str, float]) -> None:
    """Add the share of equal emotions to every row whose samples are not those of the WAV file.

    Those of rows that measure just as they did are known: it takes half an hour to measure all.
    """
    changed = {(row["format"], row["writer"]) for row in result["rows"] if not row["exact"] and not row["refused"]}
    changed -= {(row["format"], row["writer"]) for row in result["rows"] if without_share(row) in known}
    asked = [row for row in rows if (row.format, row.writer) in changed]
    print(f"training on RAVDESS; emotions of {len(asked)} formats and the browser's", flush=True)
    with format_emotions.trained(raw) as (model, files):
        chosen = evenly(files, clips)
        by_format, by_rate = format_emotions.shares_of_rows(model, chosen, asked)
    result["clips"] = len(chosen)
    result["emotions_by_rate"] = {str(rate): value for rate, value in by_rate.items()}
    for row in result["rows"]:
        row["equal_emotions"] = known.get(without_share(row), by_format.get((row["format"], row["writer"])))


def band_rows(rows: list[Row]) -> list[dict]:
    """Return what formats keep of each band, at the rate that models work at, re the speech at 48 kHz."""
    original, found = speech(BAND_SECONDS, max(format_emotions.RATES)), []
    by_name = {(row.format, row.writer): row for row in rows}
    with tempfile.TemporaryDirectory(prefix="ser-formats-") as name:
        wav = Path(name) / "speech.wav"
        for row in filter(None, map(by_name.get, IN_BANDS)):
            y = soxr.resample(original, max(format_emotions.RATES), row.sample_rate, "VHQ")
            soundfile.write(wav, to_int16(y), row.sample_rate)
            file = Path(name) / f"coded{row.suffix}"
            try:
                row.write(wav, file)
                recording = decode(file, max_seconds=MAX_SECONDS)
            except (NotWrittenError, UnusableAudioError) as error:
                print(f"  no bands of {row.format}: {error}")
                continue
            heard = recording.y
            if recording.sample_rate != MODEL_RATE:
                heard = soxr.resample(recording.y, recording.sample_rate, MODEL_RATE)  # as `prepare` does
            levels = band_levels(heard, MODEL_RATE, original, max(format_emotions.RATES))
            told = {"format": row.format, "writer": row.writer, "sample_rate": row.sample_rate}
            found.append(told | {"db": levels})
    return found


def speeds() -> dict[str, list[float]]:
    """Return by format how many times faster than real time one core decodes a short and a long file."""
    cores, found = os.sched_getaffinity(0), {}
    with tempfile.TemporaryDirectory(prefix="ser-formats-") as name:
        wav = Path(name) / "source.wav"
        os.sched_setaffinity(0, {min(cores)})  # whatever else decodes, in other processes too, shares this core
        for suffix in TIMED:
            found[suffix] = []
            for seconds in TIMED_SECONDS:
                soundfile.write(wav, to_int16(speech(seconds, 48000)), 48000)
                file = Path(name) / f"coded.{suffix}"
                try:
                    format_writers.run_tool("ffmpeg -nostdin -v error -y -i {wav} {out}", wav, file)
                    found[suffix].append(round(seconds / decoding_time(file), 1))
                except (NotWrittenError, UnusableAudioError) as error:
                    print(f"  no speed of {suffix}: {error}")
        os.sched_setaffinity(0, cores)
    return found


def decoding_time(file: Path) -> float:
    """Return the median seconds of several rounds, by the clock."""
    decode(file, max_seconds=MAX_SECONDS)
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        decode(file, max_seconds=MAX_SECONDS)
        times.append(time.perf_counter() - started)
    return median(times)


def tool_versions() -> dict[str, str]:
    """Return the first line of what each writer says of its version."""
    found = {"libsndfile": soundfile.__libsndfile_version__, "PyAV": version("av")}
    for tool, option in (
        ("ffmpeg", "-version"),
        ("sox", "--version"),
        ("lame", "--version"),
        ("twolame", "--help"),
        ("oggenc", "--version"),
        ("opusenc", "--version"),
        ("speexenc", "--version"),
        ("chromium", "--version"),
    ):
        if shutil.which(tool):
            said = subprocess.run([tool, option], capture_output=True, text=True, errors="replace")
            lines = [line.strip() for line in (said.stdout + said.stderr).splitlines() if any(map(str.isdigit, line))]
            found[tool] = lines[0][:80] if lines else "unknown"
    return found


def brief(row: dict) -> str:
    return f"length {row['length_error']:+g} samples of {row['frame']}, click {row['click_ms']:+g} ms"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raw", type=Path, default=ROOT.parent / "corpora", help="of ravdess/ (default: ../corpora)")
    parser.add_argument("--clips", type=int, default=200, help="of RAVDESS; 0: no emotions (default: %(default)s)")
    parser.add_argument("--anew", action="store_true", help="emotions also of rows that measure just as they did")
    parser.add_argument("--only", default="", metavar="WORD", help="rows with this in format or writer; writes nothing")
    arguments = parser.parse_args()
    bench(arguments.raw.resolve(), arguments.clips, arguments.only, arguments.anew)

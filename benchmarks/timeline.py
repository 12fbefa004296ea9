"""What a timeline of a long recording costs: processor time beside that of the detector alone, and memory.

A recording of so many hours is made of clips with pauses between them: of the demo corpus, or of a folder (--audio).
Its timeline is made by the best model of data/models, on one core (`dvc repro` trains it). The reference is Silero VAD
by itself on the same samples, in the same run. Writes reports/benchmarks/timeline.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from training import cpu_name

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stages"))

from ser.corpora.audio_folders import audio_files  # noqa: E402
from ser.demo.synthetic_speech import demo_table, synthesize  # noqa: E402
from ser.storage.samples import to_int16  # noqa: E402

RATE = 16000  # Hz
CLIPS = 60  # that are said over and over
PAUSES = (0.5, 3.0)  # s
LOUDNESS = 0.05  # root mean square
DETECTOR = """
import sys
import numpy as np, soundfile
from ser.speech.voice_activity import VoiceActivity
activity = VoiceActivity()
for block in soundfile.blocks(sys.argv[1], 1 << 19, dtype="float32"):
    activity.feed(block)
"""


def main(hours: float, audio: Path | None) -> None:
    """Make the recording, measure, and write the report."""
    with tempfile.TemporaryDirectory(prefix="ser-bench-") as name:
        recording, made = Path(name) / "long.wav", Path(name) / "long.json"
        write_recording(recording, hours, clips_of(audio))
        command = [sys.executable, "-m", "ser.commands", "timeline", recording, "--format", "json", "--output", made]
        seconds, peak = measured(command)
        alone, _ = measured([sys.executable, "-c", DETECTOR, recording])
        timeline = json.loads(made.read_text())
    report = {
        "machine": {"processor": cpu_name(), "cores": 1},
        "audio": audio.name if audio else "demo",
        "model": timeline["model"],
        "hours": round(timeline["seconds"] / 3600, 3),
        "speech": round(timeline["channels"][0]["speaking_seconds"] / timeline["seconds"], 3),
        "segments": len(timeline["channels"][0]["segments"]),
        "processor_seconds": round(seconds, 1),
        "times_real_time": round(timeline["seconds"] / seconds, 1),
        "detector_alone_seconds": round(alone, 1),
        "ratio_to_detector": round(seconds / alone, 2),
        "peak_mib": round(peak / 1024),
    }
    (ROOT / "reports/benchmarks/timeline.json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


def clips_of(audio: Path | None) -> list[np.ndarray]:
    """Return clips at `RATE`: the first of the demo corpus, or some of a folder."""
    if audio is None:
        section = {"seed": 1, "speakers": 5, "emotions": ["anger", "neutral", "sadness"], "sentences": 2, "takes": 2}
        return [synthesize(clip, 1, RATE) for clip in demo_table(section).to_dict("records")]
    files = audio_files(audio)
    read = (soundfile.read(file, dtype="float32", always_2d=True) for file in files[:: max(1, len(files) // CLIPS)])
    return [soxr.resample(y.mean(axis=1), sr, RATE) for y, sr in read]


def write_recording(path: Path, hours: float, clips: list[np.ndarray]) -> None:
    """Write clips with pauses, over and over, as a WAV file of 16 bits."""
    rng = np.random.default_rng(1)
    parts = []
    for y in clips:
        parts += [np.zeros(round(rng.uniform(*PAUSES) * RATE)), y * (LOUDNESS / np.sqrt(np.mean(np.square(y))))]
    once = to_int16(np.concatenate(parts))
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        left = round(hours * 3600 * RATE)
        while left > 0:
            file.write(once[:left])
            left -= len(once)


def measured(command: Sequence[str | Path]) -> tuple[float, int]:
    """Return the processor seconds that a process takes on one core, and its largest memory in KiB."""
    kept = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    environment = kept | {"PYTHONPATH": str(ROOT / "stages"), "OMP_THREAD_LIMIT": "1"}
    core = min(os.sched_getaffinity(0))
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:4]} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--audio", type=Path, help="a folder of recordings, instead of the demo corpus")
    arguments = parser.parse_args()
    main(arguments.hours, arguments.audio)

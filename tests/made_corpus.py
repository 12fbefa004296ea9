"""One corpus of one's own in the shapes in which people keep such: 60 clips, five people, four words for emotions."""

import io
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from ser.audio.cleaning import to_int16

SR = 16000
SPEAKERS = ("José", "Zoë", "Ana", "spk04", "007")
EMOTIONS = ("neşeli", "frustrated", "calm", "愤怒")
TAKES = ("1", "2", "3")
PAUSE = 0.25  # s between clips in a long recording


class Clip(NamedTuple):
    """A clip; ``samples`` are 16-bit ones, shape (samples,)."""

    speaker: str
    emotion: str
    take: str
    samples: np.ndarray

    @property
    def stem(self) -> str:
        return f"{self.speaker}_{self.emotion}_{self.take}"


def made_clips() -> list[Clip]:
    """Return the clips: noise that nobody takes for another's, of lengths that are whole milliseconds."""
    clips = []
    for speaker in SPEAKERS:
        for emotion in EMOTIONS:
            for take in TAKES:
                rng = np.random.default_rng(list(f"{speaker}{emotion}{take}".encode()))
                length = SR // 1000 * int(rng.integers(450, 700))
                loud = np.hanning(length) * rng.standard_normal(length)
                clips.append(Clip(speaker, emotion, take, to_int16(0.1 * loud.astype(np.float32))))
    return clips


def wav(samples: np.ndarray) -> bytes:
    """Return a WAV file of 16-bit samples."""
    file = io.BytesIO()
    soundfile.write(file, samples, SR, format="WAV", subtype="PCM_16")
    return file.getvalue()


def tree(clips: Sequence[Clip], pattern: str) -> dict[str, bytes]:
    """Return WAV files by their path, such as ``{emotion}/{speaker}/{take}.wav``."""
    return {
        pattern.format(speaker=clip.speaker, emotion=clip.emotion, take=clip.take, stem=clip.stem): wav(clip.samples)
        for clip in clips
    }


def write(folder: Path, files: dict[str, bytes | str]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def decomposed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return files whose names are in NFD, as archives of macOS have them."""
    return {unicodedata.normalize("NFD", name): content for name, content in files.items()}


def stitched(clips: Sequence[Clip]) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Return a long recording of all clips, and where each lies (s)."""
    pause = np.zeros(int(PAUSE * SR), np.int16)
    parts, times, at = [pause], [], len(pause)
    for clip in clips:
        times.append((at / SR, (at + len(clip.samples)) / SR))
        parts += [clip.samples, pause]
        at += len(clip.samples) + len(pause)
    return np.concatenate(parts), times


def lines(rows: Sequence[dict[str, str]]) -> str:
    """Return JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

"""The recording of a row of the table of clips: a file, a piece or a channel of one, or a clip of the demo corpus."""

import os
import threading
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ser.audio.decoding import Recording, UnusableAudioError
from ser.corpora.clip_sources import split_source
from ser.corpora.source_files import open_source
from ser.demo.synthetic_speech import SYNTHETIC, synthesize
from ser.settings.prepare_sections import Demo, Prepare
from ser.streams.recording_pieces import read_piece

DIFFERENT = "its channels carry different speech"  # the reason of a file with several people begins so
REMEDY = "set prepare.channels to each, or to the one that is meant"

_own = threading.local()  # the file that this thread has opened last


def open_recording(file: dict, raw_path: Path | str, settings: Prepare, demo: Demo) -> Recording:
    """Decode what a row of `ser.audit.survey.list_files` stands for, or synthesize a clip of the demo corpus.

    The channel that its source names is taken, or else the one of ``prepare.channels``, or else the mean of all.

    Raises
    ------
    UnusableAudioError, OSError
        See `ser.streams.recording_pieces.read_piece`.
    """
    if file["source"] == SYNTHETIC:
        y = synthesize(file | {"emotion": file["acted"]}, demo.seed, settings.sample_rate)
        return Recording(y.astype(np.float32), settings.sample_rate, 1, "synthetic")
    source = split_source(file["source"])
    whole = source.start is None and source.end is None
    opened = open_source(source.path, raw_path) if whole else _opened_once(source.path, raw_path)
    read = partial(read_piece, opened, source.start, source.end, max_seconds=settings.max_seconds)
    recording = read(channel=source.channel)
    if source.channel is not None or isinstance(settings.channels, str) or recording.channels == 1:
        return recording
    if settings.channels > recording.channels:
        raise UnusableAudioError(
            f"it has {recording.channels} channels, and prepare.channels is {settings.channels}: set it to one of them"
        )
    return read(channel=settings.channels)


def _opened_once(path: str, raw_path: Path | str) -> Path | BinaryIO:
    """Return a file of which pieces are read one after another: a thread takes it out of its archive once."""
    key = path, os.path.abspath(raw_path)
    if getattr(_own, "key", None) != key:
        _own.file, _own.key = open_source(path, raw_path), key
    return _own.file


def why_not_mixed(recording: Recording) -> str:
    """Return why the channels of a recording are not to be mixed; empty if they may be."""
    if not recording.different:
        return ""
    *most, last = map(str, recording.different)
    return f"{DIFFERENT} ({', '.join(most)} and {last}): {REMEDY}"

"""Files with another person on each channel, as of calls: each channel becomes a clip and a speaker of its own."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pandas as pd

from ser.audio.decoding import UnusableAudioError, plain_source
from ser.audit.clip_recordings import open_recording
from ser.compute.parallel import parallel_map
from ser.corpora.clip_sources import format_source, split_source
from ser.corpora.source_files import open_source
from ser.demo.synthetic_speech import SYNTHETIC
from ser.settings.compute_section import Compute
from ser.settings.prepare_sections import Demo, Prepare
from ser.streams.recording_pieces import LONGEST

OF_ONE_PERSON = ("sex", "age", "ethnicity")  # what a table says of a file; of which of its people is unknown


def separate_channels(
    files: pd.DataFrame, raw_path: Path | str, settings: Prepare, demo: Demo, *, compute: Compute
) -> pd.DataFrame:
    """Make a row of every channel of the files whose channels carry different speech.

    Parameters
    ----------
    files : pd.DataFrame
        See `ser.audit.survey.list_files`.
    raw_path, settings, demo, compute
        See `ser.audit.survey.hear_all`.

    Returns
    -------
    pd.DataFrame
        `files`, sorted by ``clip`` as before. The clip of a channel is ``<clip>/channel-1``, its speaker
        ``<speaker>/1``, unknown where that of the file is. Files whose source names a channel stay as they are.
    """
    rows = files.to_dict("records")
    asked = [row for row in rows if row["readable"] and not row["reason"] and _has_all_channels(row["source"])]
    work = partial(different_channels, raw_path=raw_path, settings=settings, demo=demo)
    found = parallel_map(work, asked, compute=compute, label="channels", chunk=16)
    different = {row["clip"]: channels for row, channels in zip(asked, found, strict=True) if channels}
    if not different:
        return files
    known = set(files["clip"])
    separate = [part for row in rows for part in _parts(row, different.get(row["clip"], ()), known)]
    return pd.DataFrame(separate, columns=files.columns).sort_values("clip", ignore_index=True)


def _has_all_channels(source: str) -> bool:
    return source != SYNTHETIC and split_source(source).channel is None


def different_channels(file: dict, raw_path: Path | str, settings: Prepare, demo: Demo) -> tuple[int, ...]:
    """Return the channels of a file, from 1, that carry different speech; none of one that cannot be used."""
    try:
        if _is_mono(file["source"], raw_path):
            return ()
        return open_recording(file, raw_path, settings, demo).different
    except (UnusableAudioError, OSError):
        return ()  # the reason is found again


def _is_mono(source: str, raw_path: Path | str) -> bool:
    """Tell whether a file has one channel, as far as its header says so at once."""
    path = split_source(source).path
    opened = open_source(path, raw_path)
    with open(opened, "rb", buffering=0) if isinstance(opened, Path) else nullcontext(opened) as file:
        plain = plain_source(file, path, LONGEST)
        if plain is None:
            return False
        with plain.open_signal() as signal:
            return signal.channels == 1


def _parts(row: dict, channels: tuple[int, ...], known: set[str]) -> list[dict]:
    """Return the rows of the channels of a file; the row itself if there are none to tell apart."""
    if not channels:
        return [row]
    path, start, end, _ = split_source(row["source"])
    found = []
    for channel in channels:
        clip, speaker = f"{row['clip']}/channel-{channel}", row["speaker"]
        source = format_source(path, start, end, channel)
        part = row | dict.fromkeys(OF_ONE_PERSON, "") | {"clip": clip, "source": source}
        part["speaker"] = f"{speaker}/{channel}" if speaker else ""
        if clip in known:
            part |= {
                "clip": source,
                "reason": f"another file has the name that this channel would get, {clip}: rename it",
            }
        found.append(part)
    return found

"""RAVDESS, the Ryerson audio-visual database of emotional speech and song.

Livingstone & Russo 2018, PLoS ONE 13(5) e0196391; https://zenodo.org/records/1188976; CC BY-NC-SA 4.0.

A name has seven two-digit fields: modality, vocal channel, emotion, intensity, statement, repetition, actor, as in
``03-01-06-01-02-01-12.wav``; the published folder is ``Actor_12``.
"""

import re
from pathlib import PurePosixPath

from ser.corpora.labels import Labels, UnusableNameError

LANGUAGE = "en"

MODALITIES = {"01": "audio and video", "02": "video", "03": "audio"}
CHANNELS = {"01": "speech", "02": "song"}
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
INTENSITIES = {"01": "normal", "02": "strong"}
STATEMENTS = {"01": "kids", "02": "dogs"}
REPETITIONS = {"01": "1", "02": "2"}
ACTORS = {f"{number:02d}" for number in range(1, 25)}  # odd numbers are male, even ones female

_FIELDS = (
    ("modality", MODALITIES),
    ("vocal channel", CHANNELS),
    ("emotion", EMOTIONS),
    ("intensity", INTENSITIES),
    ("statement", STATEMENTS),
    ("repetition", REPETITIONS),
    ("actor", ACTORS),
)


def parse_name(path: PurePosixPath) -> Labels:
    """Return the labels that a path inside the corpus states.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, or names another actor than its folder.
    """
    codes = path.stem.split("-")
    if not re.fullmatch(r"\d\d(-\d\d){6}", path.stem):
        raise UnusableNameError("the name is not seven two-digit fields, as in 03-01-06-01-02-01-12")
    for code, (field, allowed) in zip(codes, _FIELDS, strict=True):
        if code not in allowed:
            raise UnusableNameError(f"{field} {code} does not exist in RAVDESS")
    _, channel, emotion, intensity, statement, _, actor = codes
    folder = re.fullmatch(r"actor_?(\d+)", path.parent.name, re.IGNORECASE)
    if folder and int(folder[1]) != int(actor):
        raise UnusableNameError(f"the name says actor {actor}, the folder {path.parent.name}")
    suffix = "-song" if CHANNELS[channel] == "song" else ""
    return Labels(
        speaker=actor,
        sex="male" if int(actor) % 2 else "female",
        emotion=EMOTIONS[emotion],
        intensity=INTENSITIES[intensity],
        statement=STATEMENTS[statement] + suffix,
    )

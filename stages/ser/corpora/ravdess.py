"""RAVDESS, the Ryerson audio-visual database of emotional speech and song.

A name has seven two-digit fields: modality, vocal channel, emotion, intensity, statement, repetition, actor, as in
``03-01-06-01-02-01-12.wav``; the published folder is ``Actor_12``.
"""

import re
from pathlib import PurePosixPath

from ser.corpora.corpus_facts import About, Download
from ser.corpora.labels import Labels, Table, UnusableNameError, code_of, require_codes, require_folder

FILES = "https://zenodo.org/records/1188976/files"
ABOUT = About(
    title="RAVDESS, the Ryerson audio-visual database of emotional speech and song",
    language="en",
    clips=2452,  # 1,440 spoken and 1,012 sung
    speakers=24,
    names="`Actor_12/03-01-06-01-02-01-12.wav`: modality (`03` sound only), vocal channel (`01` speech, `02` song), "
    "emotion, intensity (`01` normal, `02` strong), statement (`01` kids, `02` dogs), repetition and actor (odd "
    "numbers are male), two digits each. Neutral is always of normal intensity, nobody sings disgust or surprise, "
    "actor 18 does not sing.",
    citation="Livingstone, S. R. & Russo, F. A. (2018). The Ryerson Audio-Visual Database of Emotional Speech and Song "
    "(RAVDESS). PLoS ONE 13(5), e0196391. https://doi.org/10.1371/journal.pone.0196391",
    licence="CC BY-NC-SA 4.0",
    home="https://zenodo.org/records/1188976",
    downloads=(
        Download(
            f"{FILES}/Audio_Speech_Actors_01-24.zip",
            "Audio_Speech_Actors_01-24.zip",
            208_468_073,
            "bc696df654c87fed845eb13823edef8a",
        ),
        Download(
            f"{FILES}/Audio_Song_Actors_01-24.zip",
            "Audio_Song_Actors_01-24.zip",
            225_505_317,
            "5411230427d67a21e18aa4d466e6d1b9",
        ),
    ),
)

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


def parse_name(path: PurePosixPath, table: Table | None = None) -> Labels:
    """Return the labels that a path inside the corpus states; there is no side table.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, or names another actor than its folder.
    """
    if not re.fullmatch(r"[0-9]{2}(-[0-9]{2}){6}", path.stem):
        raise UnusableNameError("the name is not seven two-digit fields, as in 03-01-06-01-02-01-12")
    modality, channel, emotion, intensity, statement, repetition, actor = path.stem.split("-")
    require_codes(
        "RAVDESS",
        ("modality", modality, MODALITIES),
        ("vocal channel", channel, CHANNELS),
        ("emotion", emotion, EMOTIONS),
        ("intensity", intensity, INTENSITIES),
        ("statement", statement, STATEMENTS),
        ("repetition", repetition, REPETITIONS),
        ("actor", actor, ACTORS),
    )
    feeling, song = EMOTIONS[emotion], CHANNELS[channel] == "song"
    if MODALITIES[modality] == "video":
        raise UnusableNameError("modality 02 is video without sound")
    if feeling == "neutral" and intensity != "01":
        raise UnusableNameError("neutral has no strong intensity in RAVDESS")
    if song and feeling in {"disgust", "surprise"}:
        raise UnusableNameError(f"{feeling} is not sung in RAVDESS")
    if song and actor == "18":
        raise UnusableNameError("actor 18 does not sing in RAVDESS")
    folder = re.fullmatch(r"actor_?([0-9]+)", path.parent.name, re.IGNORECASE)
    of_folder = folder and folder[1].lstrip("0").zfill(2)
    require_folder(f"actor {actor}", path.parent.name, actor, of_folder)
    return Labels(
        speaker=actor,
        sex="male" if int(actor) % 2 else "female",
        emotion=feeling,
        intensity=INTENSITIES[intensity],
        statement=STATEMENTS[statement] + ("-song" if song else ""),
        take=REPETITIONS[repetition],
        name=path.stem,
    )


def format_name(labels: Labels, modality: str = "03") -> str:
    """Return the published name of the clip with these labels, without suffix."""
    statement, _, song = labels.statement.partition("-")
    codes = (
        modality,
        "02" if song else "01",
        code_of(EMOTIONS, labels.emotion),
        code_of(INTENSITIES, labels.intensity),
        code_of(STATEMENTS, statement),
        code_of(REPETITIONS, labels.take),
        labels.speaker,
    )
    return "-".join(codes)

"""TESS, the Toronto emotional speech set.

Pichora-Fuller & Dupuis 2020, https://doi.org/10.5683/SP2/E8H2MF; CC BY-NC-ND 4.0.

A name is speaker (older or younger adult female), word and emotion, as in ``OAF_back_angry.wav``; ``ps`` is pleasant
surprise.
"""

import re
from pathlib import PurePosixPath

from ser.corpora.emotions import emotion_of_word
from ser.corpora.labels import Labels, UnusableNameError

LANGUAGE = "en"

SPEAKERS = {"OAF": "OAF", "OA": "OAF", "YAF": "YAF"}  # one published file is called OA_bite_neutral
EMOTIONS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sadness",
}

_NAME = re.compile(r"(?P<speaker>[A-Z]+)_(?P<word>[a-z]+)_(?P<emotion>[a-z]+)")


def parse_name(path: PurePosixPath) -> Labels:
    """Return the labels that a path inside the corpus states.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, or if the published folder (``OAF_angry``) disagrees with it.
    """
    name = _NAME.fullmatch(path.stem)
    if not name:
        raise UnusableNameError("the name is not speaker, word and emotion, as in OAF_back_angry")
    for field, allowed in (("speaker", SPEAKERS), ("emotion", EMOTIONS)):
        if name[field] not in allowed:
            raise UnusableNameError(f"{field} {name[field]} does not exist in TESS")
    speaker, emotion = SPEAKERS[name["speaker"]], EMOTIONS[name["emotion"]]
    folder = re.fullmatch(r"(OAF|YAF)_(\w+)", path.parent.name)  # pleasant surprise is spelled in several ways there
    if folder and (folder[1] != speaker or emotion_of_word(folder[2]) not in (None, emotion)):
        raise UnusableNameError(f"the name says {speaker} and {emotion}, the folder {path.parent.name}")
    return Labels(speaker, "female", emotion, statement=name["word"])

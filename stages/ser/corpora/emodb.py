"""EMO-DB, the Berlin database of emotional speech.

Burkhardt et al. 2005, Interspeech, 1517–1520; http://emodb.bilderbar.info; free for research.

A name is speaker, text, emotion and version, as in ``03a01Fa.wav``. Copies sorted into one folder an emotion
(``angry/03a01Wa.wav``) are read too; there a name outside the scheme leaves the speaker unknown.
"""

import re
from pathlib import PurePosixPath

from ser.corpora.emotions import emotion_of_word
from ser.corpora.labels import Labels, UnusableNameError

LANGUAGE = "de"

SEXES = {
    "03": "male",
    "08": "female",
    "09": "female",
    "10": "male",
    "11": "male",
    "12": "male",
    "13": "female",
    "14": "female",
    "15": "male",
    "16": "female",
}
TEXTS = {"a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"}
EMOTIONS = {  # first letters of the German words: Wut, Langeweile, Ekel, Angst, Freude, Trauer, neutral
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}

_NAME = re.compile(r"(?P<speaker>\d\d)(?P<text>[ab]\d\d)(?P<emotion>[A-Z])(?P<version>[a-z])")


def parse_name(path: PurePosixPath) -> Labels:
    """Return the labels that a path inside the corpus states.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme and no folder names an emotion, or if name and folder disagree.
    """
    of_folder = emotion_of_word(path.parent.name)
    name = _NAME.fullmatch(path.stem)
    if not name:
        if of_folder is None:
            raise UnusableNameError("the name is not speaker, text, emotion and version, as in 03a01Fa")
        return Labels(speaker="", sex="", emotion=of_folder)
    for field, allowed in (("speaker", SEXES), ("text", TEXTS), ("emotion", EMOTIONS)):
        if name[field] not in allowed:
            raise UnusableNameError(f"{field} {name[field]} does not exist in EMO-DB")
    emotion = EMOTIONS[name["emotion"]]
    if of_folder not in (None, emotion):
        raise UnusableNameError(f"the name says {emotion}, the folder {path.parent.name}")
    return Labels(name["speaker"], SEXES[name["speaker"]], emotion, statement=name["text"])

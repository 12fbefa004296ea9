"""EMO-DB, the Berlin database of emotional speech.

A name is speaker, text, emotion and version, as in ``03a01Fa.wav``. Copies sorted into one folder an emotion
(``angry/03a01Wa.wav``) are read too; there a name outside the scheme leaves speaker and published name unknown.
"""

import re
from pathlib import PurePosixPath

from ser.corpora.corpus_facts import About, Download
from ser.corpora.labels import Labels, Table, UnusableNameError, code_of, require_codes, require_folder
from ser.naming.emotion_words import emotion_of_word

ABOUT = About(
    title="EMO-DB, the Berlin database of emotional speech",
    language="de",
    clips=535,
    speakers=10,
    names="`wav/03a01Fa.wav`: speaker, text, emotion (first letter of the German word) and version, which counts the "
    "takes of a text. In a copy sorted into one folder an emotion (`angry/…`) other names are read too, without a "
    "speaker.",
    citation="Burkhardt, F., Paeschke, A., Rolfes, M., Sendlmeier, W. & Weiss, B. (2005). A database of German "
    "emotional speech. Interspeech 2005, 1517–1520. https://doi.org/10.21437/Interspeech.2005-446",
    licence="free for research; the edition of audEERING is under CC0 1.0",
    home="http://emodb.bilderbar.info",
    downloads=(Download("http://emodb.bilderbar.info/download/download.zip", "download.zip"),),
)

SPEAKERS = {  # sex and age
    "03": ("male", "31"),
    "08": ("female", "34"),
    "09": ("female", "21"),
    "10": ("male", "32"),
    "11": ("male", "26"),
    "12": ("male", "30"),
    "13": ("female", "32"),
    "14": ("female", "35"),
    "15": ("male", "25"),
    "16": ("female", "31"),
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

_NAME = re.compile(r"(?P<speaker>[0-9]{2})(?P<text>[ab][0-9]{2})(?P<emotion>[A-Z])(?P<version>[a-z])")


def parse_name(path: PurePosixPath, table: Table | None = None) -> Labels:
    """Return the labels that a path inside the corpus states; there is no side table.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, or if name and folder disagree.
    """
    of_folder = emotion_of_word(path.parent.name)
    name = _NAME.fullmatch(path.stem)
    if not name:
        raise UnusableNameError("the name is not speaker, text, emotion and version, as in 03a01Fa")
    require_codes(
        "EMO-DB",
        ("speaker", name["speaker"], SPEAKERS),
        ("text", name["text"], TEXTS),
        ("emotion", name["emotion"], EMOTIONS),
    )
    emotion = EMOTIONS[name["emotion"]]
    require_folder(emotion, path.parent.name, emotion, of_folder)
    sex, age = SPEAKERS[name["speaker"]]
    return Labels(
        speaker=name["speaker"],
        sex=sex,
        emotion=emotion,
        statement=name["text"],
        take=name["version"],
        age=age,
        name=path.stem,
    )


def format_name(labels: Labels) -> str:
    """Return the published name of the clip with these labels, without suffix."""
    return f"{labels.speaker}{labels.statement}{code_of(EMOTIONS, labels.emotion)}{labels.take}"

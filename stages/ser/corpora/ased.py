"""ASED, the Amharic speech emotion dataset.

A name is emotion with the number of its folder, sentence, repetition, sex and speaker, as in ``a5-03-01-02-50.wav``;
the published folder is the emotion's (``05Angry``).
"""

import re
from pathlib import PurePosixPath

from ser.corpora.corpus_facts import About
from ser.corpora.labels import Labels, Table, UnusableNameError, code_of, name_by_scheme, require_codes, require_folder
from ser.naming.emotion_words import emotion_of_word

ABOUT = About(
    title="ASED, the Amharic speech emotion dataset",
    language="am",
    clips=2474,
    speakers=65,
    names="`05Angry/a5-03-01-02-50.wav`: emotion with the number of its folder, sentence (`01` and `02` are the same "
    "texts in all emotions, `03` to `07` belong to one), repetition, sex (`01` female, `02` male) and speaker. One "
    "clip is published as `S4-04-02-01-29`.",
    citation="Retta, E. A., Almekhlafi, E., Sutcliffe, R., Mhamed, M., Ali, H. & Feng, J. (2023). A New Amharic Speech "
    "Emotion Dataset and Classification Benchmark. ACM Transactions on Asian and Low-Resource Language Information "
    "Processing 22(1). https://doi.org/10.1145/3529759",
    licence="none stated",
    home="https://github.com/Ethio2021/ASED_V1",
    instructions="`git clone https://github.com/Ethio2021/ASED_V1`; take the five folders, one an emotion.",
)

EMOTIONS = {
    "n1": "neutral",
    "f2": "fear",
    "h3": "happiness",
    "s4": "sadness",
    "a5": "anger",
}
SENTENCES = {f"{number:02d}" for number in range(1, 8)}
COMMON = {"01", "02"}  # spoken in all emotions
REPETITIONS = {"01": "1", "02": "2"}
SEXES = {"01": "female", "02": "male"}
SPEAKERS = {f"{number:02d}" for number in range(1, 66)}
ODDITIES = {"s4-04-02-01-29": "S4-04-02-01-29"}  # by the scheme: as published

_NAME = re.compile(r"([a-z][0-9])-([0-9]{2})-([0-9]{2})-([0-9]{2})-([0-9]{2})")


def parse_name(path: PurePosixPath, table: Table | None = None) -> Labels:
    """Return the labels that a path inside the corpus states; there is no side table.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, or names another emotion than its folder.
    """
    stem = name_by_scheme(path.stem, ODDITIES)
    name = _NAME.fullmatch(stem)
    if not name:
        raise UnusableNameError("the name is not emotion, sentence, repetition, sex, speaker, as in a5-03-01-02-50")
    code, sentence, repetition, sex, speaker = name.groups()
    require_codes(
        "ASED",
        ("emotion", code, EMOTIONS),
        ("sentence", sentence, SENTENCES),
        ("repetition", repetition, REPETITIONS),
        ("sex", sex, SEXES),
        ("speaker", speaker, SPEAKERS),
    )
    emotion = EMOTIONS[code]
    of_folder = emotion_of_word(path.parent.name.lstrip("0123456789"))
    require_folder(emotion, path.parent.name, emotion, of_folder)
    return Labels(
        speaker=speaker,
        sex=SEXES[sex],
        emotion=emotion,
        statement=sentence if sentence in COMMON else code[0] + sentence,
        take=REPETITIONS[repetition],
        name=ODDITIES.get(stem, stem),
    )


def format_name(labels: Labels) -> str:
    """Return the published name of the clip with these labels, without suffix."""
    codes = (
        code_of(EMOTIONS, labels.emotion),
        labels.statement[-2:],
        code_of(REPETITIONS, labels.take),
        code_of(SEXES, labels.sex),
        labels.speaker,
    )
    name = "-".join(codes)
    return ODDITIES.get(name, name)

"""URDU, emotional utterances from Urdu talk shows.

A name is speaker, number of the file among the speaker's of that emotion, emotion and number of the file among all of
that emotion, as in ``SM2_F3_A025.wav``; the published folder is the emotion's (``Angry``).
"""

import re
from pathlib import PurePosixPath

from ser.corpora.corpus_facts import About
from ser.corpora.labels import Labels, Table, UnusableNameError, code_of, require_codes, require_folder
from ser.naming.emotion_words import emotion_of_word

ABOUT = About(
    title="URDU, emotional utterances from Urdu talk shows",
    language="ur",
    clips=400,
    speakers=29,
    names="`Angry/SM2_F3_A025.wav`: speaker (`SM` a man, `SF` a woman), number of the file among the speaker's of that "
    "emotion, emotion, number of the file among the 100 of that emotion (with one 0 before it). The names tell 29 "
    "speakers apart; the publication counts 38. What is said is unknown.",
    citation="Latif, S., Qayyum, A., Usman, M. & Qadir, J. (2018). Cross Lingual Speech Emotion Recognition: Urdu vs. "
    "Western Languages. FIT 2018, 88–93. https://doi.org/10.1109/FIT.2018.00023",
    licence="research only",
    home="https://github.com/siddiquelatif/URDU-Dataset",
    instructions="`git clone https://github.com/siddiquelatif/URDU-Dataset`; take the four folders, one an emotion.",
)

EMOTIONS = {"A": "anger", "H": "happiness", "N": "neutral", "S": "sadness"}
# fmt: off
CLIPS = {  # clips of each speaker, in the order in which the numbers of an emotion's files run through them
    "A": {"SM1": 22, "SM2": 28, "SM3": 2, "SM4": 48},
    "H": {"SF1": 12, "SF2": 2, "SF3": 2, "SF4": 4, "SF5": 4, "SF6": 14, "SF7": 6, "SF8": 2, "SM17": 2, "SM18": 2,
          "SM19": 2, "SM3": 2, "SM5": 8, "SM6": 10, "SM7": 28},
    "N": {"SF9": 4, "SM20": 10, "SM21": 4, "SM22": 2, "SM3": 8, "SM5": 72},
    "S": {"SF10": 2, "SF11": 4, "SM23": 6, "SM24": 38, "SM25": 40, "SM26": 2, "SM27": 4, "SM6": 4},
}
# fmt: on
SPEAKERS = {speaker for clips in CLIPS.values() for speaker in clips}

_NAME = re.compile(r"(?P<speaker>S[FM][0-9]{1,2})_F(?P<file>[0-9]{1,2})_(?P<emotion>[A-Z])0(?P<number>[0-9]{1,3})")


def parse_name(path: PurePosixPath, table: Table | None = None) -> Labels:
    """Return the labels that a path inside the corpus states; there is no side table.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, or names another emotion than its folder.
    """
    name = _NAME.fullmatch(path.stem)
    if not name:
        raise UnusableNameError("the name is not speaker, file, emotion and number, as in SM2_F3_A025")
    speaker, file, code, number = name.groups()
    require_codes("URDU", ("speaker", speaker, SPEAKERS), ("emotion", code, EMOTIONS))
    emotion, clips = EMOTIONS[code], CLIPS[code].get(speaker, 0)
    if not 1 <= int(file) <= clips:
        raise UnusableNameError(f"file {file} does not exist in URDU: speaker {speaker} has {clips} of {emotion}")
    labels = Labels(
        speaker=speaker,
        sex="female" if speaker.startswith("SF") else "male",
        emotion=emotion,
        take=file,
        name=path.stem,
    )
    if format_name(labels) != path.stem:
        raise UnusableNameError(f"number 0{number} is not that of file {file} of speaker {speaker}, {emotion}")
    require_folder(emotion, path.parent.name, emotion, emotion_of_word(path.parent.name))
    return labels


def format_name(labels: Labels) -> str:
    """Return the published name of the clip with these labels, without suffix."""
    code, take = code_of(EMOTIONS, labels.emotion), int(labels.take)
    speakers = list(CLIPS[code])
    before = sum(CLIPS[code][speaker] for speaker in speakers[: speakers.index(labels.speaker)])
    return f"{labels.speaker}_F{take}_{code}0{before + take}"

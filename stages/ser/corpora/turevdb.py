"""TurEV-DB, the Turkish emotion-voice database.

A name is speaker, emotion and word, as in ``1234_kz_acik.wav``; the published folder is the emotion's (``Angry``).
"""

import re
from pathlib import PurePosixPath

from ser.corpora.corpus_facts import About
from ser.corpora.labels import Labels, Table, UnusableNameError, code_of, require_codes, require_folder
from ser.naming.emotion_words import emotion_of_word

ABOUT = About(
    title="TurEV-DB, the Turkish emotion-voice database",
    language="tr",
    clips=1735,
    speakers=6,
    names="`Sound Source/Angry/1234_kz_acik.wav`: speaker, emotion and one of 82 words, written without Turkish "
    "letters. The sex of the speakers is not stated.",
    citation="Canpolat, S. F., Ormanoğlu, Z. & Zeyrek, D. (2020). Turkish Emotion Voice Database (TurEV-DB). "
    "SLTU-CCURL 2020, 368–375. https://aclanthology.org/2020.sltu-1.52",
    licence="CC BY-NC-ND 4.0",
    home="https://github.com/Xeonen/TurEV-DB",
    instructions="`git clone https://github.com/Xeonen/TurEV-DB`; take `Sound Source/`.",
)

SPEAKERS = {"1157", "1234", "1358", "1984", "6783", "7895"}
EMOTIONS = {
    "kz": "anger",
    "sk": "calm",
    "mt": "happiness",
    "hl": "sadness",
}
_WORDS = """
acik algi beste bugu cay cekirge cene ceren cilek defne demet demir deve deyim dil dizge dugun eger elmacik eski
firildak gezi gicik goz gunes gurbuz hekim igde isirgan japon kagit karton kedi kemik kibir kiler kirgin koku konuk
koy kulac kusluk kustah lokma lufer melek mujde nasil nicin odenek ogul okul olcut ordek orgu pamuk pas pihti rihtim
saf sarap sarj satir senlik sepet serin sevgi simit soba sucuk tahta tembel tirtil turev unlu utanc vurgu yanki yazim
yigilmak yigin zeytin
"""
WORDS = frozenset(_WORDS.split())

_NAME = re.compile(r"(?P<speaker>[0-9]{4})_(?P<emotion>[a-z]{2})_(?P<word>[a-z]+)")


def parse_name(path: PurePosixPath, table: Table | None = None) -> Labels:
    """Return the labels that a path inside the corpus states; there is no side table.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, or names another emotion than its folder.
    """
    name = _NAME.fullmatch(path.stem)
    if not name:
        raise UnusableNameError("the name is not speaker, emotion and word, as in 1234_kz_acik")
    speaker, code, word = name.groups()
    require_codes("TurEV-DB", ("speaker", speaker, SPEAKERS), ("emotion", code, EMOTIONS), ("word", word, WORDS))
    emotion = EMOTIONS[code]
    require_folder(emotion, path.parent.name, emotion, emotion_of_word(path.parent.name))
    return Labels(speaker, "", emotion, statement=word, name=path.stem)


def format_name(labels: Labels) -> str:
    """Return the published name of the clip with these labels, without suffix."""
    return f"{labels.speaker}_{code_of(EMOTIONS, labels.emotion)}_{labels.statement}"

"""TESS, the Toronto emotional speech set.

A name is speaker (older or younger adult female), word and emotion, as in ``OAF_back_angry.wav``; ``ps`` is pleasant
surprise.
"""

import re
from pathlib import PurePosixPath

from ser.corpora.corpus_facts import About
from ser.corpora.labels import Labels, Table, UnusableNameError, code_of, name_by_scheme, require_codes, require_folder
from ser.naming.emotion_words import emotion_of_word

ABOUT = About(
    title="TESS, the Toronto emotional speech set",
    language="en",
    clips=2800,
    speakers=2,
    names="`OAF_angry/OAF_back_angry.wav`: speaker (`OAF` the older, `YAF` the younger woman), one of the 200 words of "
    "the NU-6 lists, emotion. One clip is published as `OA_bite_neutral`.",
    citation="Pichora-Fuller, M. K. & Dupuis, K. (2020). Toronto emotional speech set (TESS). Borealis. "
    "https://doi.org/10.5683/SP2/E8H2MF",
    licence="CC BY-NC-ND 4.0",
    home="https://doi.org/10.5683/SP2/E8H2MF",
    instructions="Open the home page, choose all files of the data set and download them; copies with one folder for "
    "each speaker and emotion are read as well.",
)

SPEAKERS = {"OAF": "64", "YAF": "26"}  # their ages
EMOTIONS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sadness",
}
_WORDS = """
back bar base bath bean beg bite boat bone book bought burn cab calm came cause chain chair chalk chat check cheek
chief choice cool dab date dead death deep dime dip ditch dodge dog doll door fail fall far fat fit five food gap gas
gaze germ get gin goal good goose gun half hall hash hate have haze hire hit hole home hurl hush jail jar join judge
jug juice keen keep keg kick kill king kite knock late laud lean learn lease lid life limb live loaf long lore lose
lot love luck make match merge mess met mill mob mode mood moon mop mouse nag name near neat nice note numb pad page
pain pass pearl peg perch phone pick pike pole pool puff rag raid rain raise rat reach read red ring ripe road room
rose rot rough rush said sail search seize sell shack shall shawl sheep shirt should shout size soap soup sour south
sub such sure take talk tape team tell thin third thought thumb time tip tire ton tool tough turn vine voice void vote
wag walk wash week wheat when which whip white wife wire witch yearn yes young youth
"""
WORDS = frozenset(_WORDS.split())
ODDITIES = {"OAF_bite_neutral": "OA_bite_neutral"}  # by the scheme: as published

_NAME = re.compile(r"(?P<speaker>[A-Z]+)_(?P<word>[a-z]+)_(?P<emotion>[a-z]+)")


def parse_name(path: PurePosixPath, table: Table | None = None) -> Labels:
    """Return the labels that a path inside the corpus states; there is no side table.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, or if the published folder (``OAF_angry``) disagrees with it.
    """
    stem = name_by_scheme(path.stem, ODDITIES)
    name = _NAME.fullmatch(stem)
    if not name:
        raise UnusableNameError("the name is not speaker, word and emotion, as in OAF_back_angry")
    speaker, word, code = name.groups()
    require_codes("TESS", ("speaker", speaker, SPEAKERS), ("word", word, WORDS), ("emotion", code, EMOTIONS))
    emotion = EMOTIONS[code]
    folder = re.fullmatch(r"(OAF|YAF)_(.+)", path.parent.name)
    if folder:  # pleasant surprise is spelled in several ways there
        of_folder = folder[1], emotion_of_word(folder[2].replace("-", "_")) or emotion
        require_folder(f"{speaker} and {emotion}", path.parent.name, (speaker, emotion), of_folder)
    return Labels(
        speaker=speaker,
        sex="female",
        emotion=emotion,
        statement=word,
        age=SPEAKERS[speaker],
        name=ODDITIES.get(stem, stem),
    )


def format_name(labels: Labels) -> str:
    """Return the published name of the clip with these labels, without suffix."""
    name = f"{labels.speaker}_{labels.statement}_{code_of(EMOTIONS, labels.emotion)}"
    return ODDITIES.get(name, name)

"""EMOVO, a corpus of Italian emotional speech.

A name is emotion, actor and sentence, as in ``gio-f1-b2.wav``; the published folder is the actor's (``f1``).
"""

import re
from pathlib import PurePosixPath

from ser.corpora.corpus_facts import About
from ser.corpora.labels import Labels, Table, UnusableNameError, code_of, require_codes, require_folder

ABOUT = About(
    title="EMOVO, a corpus of Italian emotional speech",
    language="it",
    clips=588,
    speakers=6,
    names="`f1/gio-f1-b2.wav`: emotion (first letters of the Italian word), actor (three women, three men) and "
    "sentence (`b` short, `l` long, `n` nonsense, `d` question).",
    citation="Costantini, G., Iadarola, I., Paoloni, A. & Todisco, M. (2014). EMOVO Corpus: an Italian Emotional "
    "Speech Database. LREC 2014, 3501–3504.",
    licence="free for research",
    home="http://voice.fub.it/activities/corpora/emovo/index.html",
    instructions="Download the corpus from the home page. Where that does not answer: the archive that other toolkits "
    "take is at https://drive.google.com/file/d/1SUtaKeA-LYnKaD3qv87Y5wYgihJiNJAo/view.",
)

ACTORS = {  # sex and age
    "f1": ("female", "28"),
    "f2": ("female", "23"),
    "f3": ("female", "25"),
    "m1": ("male", "30"),
    "m2": ("male", "27"),
    "m3": ("male", "30"),
}
EMOTIONS = {  # rabbia, disgusto, paura, gioia, neutro, tristezza, sorpresa
    "rab": "anger",
    "dis": "disgust",
    "pau": "fear",
    "gio": "happiness",
    "neu": "neutral",
    "tri": "sadness",
    "sor": "surprise",
}
SENTENCES = {"b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2"}

_NAME = re.compile(r"(?P<emotion>[a-z]{3})-(?P<actor>[a-z][0-9])-(?P<sentence>[a-z][0-9])")


def parse_name(path: PurePosixPath, table: Table | None = None) -> Labels:
    """Return the labels that a path inside the corpus states; there is no side table.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, or names another actor than its folder.
    """
    name = _NAME.fullmatch(path.stem)
    if not name:
        raise UnusableNameError("the name is not emotion, actor and sentence, as in gio-f1-b2")
    emotion, actor, sentence = name.groups()
    require_codes("EMOVO", ("emotion", emotion, EMOTIONS), ("actor", actor, ACTORS), ("sentence", sentence, SENTENCES))
    folder = path.parent.name.lower()
    require_folder(f"actor {actor}", path.parent.name, actor, folder if folder in ACTORS else None)
    sex, age = ACTORS[actor]
    return Labels(actor, sex, EMOTIONS[emotion], statement=sentence, age=age, name=path.stem)


def format_name(labels: Labels) -> str:
    """Return the published name of the clip with these labels, without suffix."""
    return f"{code_of(EMOTIONS, labels.emotion)}-{labels.speaker}-{labels.statement}"

"""SAVEE, the Surrey audio-visual expressed emotion database.

A name is emotion and sentence, as in ``a01.wav``, in a folder of the speaker (``DC``); copies in one folder put the
speaker before it: ``DC_a01.wav``.
"""

import re
from pathlib import PurePosixPath

from ser.corpora.corpus_facts import About
from ser.corpora.labels import Labels, Table, UnusableNameError, require_codes, require_folder

ABOUT = About(
    title="SAVEE, the Surrey audio-visual expressed emotion database",
    language="en",
    clips=480,
    speakers=4,
    names="`AudioData/DC/a01.wav`, in copies also `DC_a01.wav`: speaker (four men), emotion and sentence, 15 of each "
    "emotion and 30 neutral ones. Sentences are counted within their emotion: `a01` and `d01` may or may not be one "
    "text.",
    citation="Haq, S. & Jackson, P. J. B. (2010). Multimodal emotion recognition. In W. Wang (ed.), Machine Audition: "
    "Principles, Algorithms and Systems, 398–423. IGI Global. https://doi.org/10.4018/978-1-61520-919-4.ch017",
    licence="free for research, on registration",
    home="http://kahlan.eps.surrey.ac.uk/savee/",
    instructions="Register at http://personal.ee.surrey.ac.uk/Personal/P.Jackson/SAVEE/Register.html; the link you "
    "are sent leads to `Data/Zip/AudioData.zip`.",
)

SPEAKERS = {"DC", "JE", "JK", "KL"}
EMOTIONS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}

_NAME = re.compile(r"(?:(?P<speaker>[A-Z]{2})_)?(?P<emotion>[a-z]{1,2})(?P<sentence>[0-9]{2})")


def parse_name(path: PurePosixPath, table: Table | None = None) -> Labels:
    """Return the labels that a path inside the corpus states; there is no side table.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, no folder or name tells the speaker, or folder and name disagree.
    """
    name = _NAME.fullmatch(path.stem)
    if not name:
        raise UnusableNameError("the name is not emotion and sentence, as in a01, or with the speaker, as in DC_a01")
    of_folder = path.parent.name if path.parent.name in SPEAKERS else None
    speaker = name["speaker"] or of_folder
    if speaker is None:
        raise UnusableNameError("neither the name nor the folder is of a speaker, as in DC_a01 or DC/a01")
    require_codes("SAVEE", ("speaker", speaker, SPEAKERS), ("emotion", name["emotion"], EMOTIONS))
    emotion = EMOTIONS[name["emotion"]]
    sentences = range(1, 31 if emotion == "neutral" else 16)
    require_codes("SAVEE", (f"sentence {emotion}", name["sentence"], {f"{number:02d}" for number in sentences}))
    require_folder(f"speaker {speaker}", path.parent.name, speaker, of_folder)
    statement = name["emotion"] + name["sentence"]
    return Labels(speaker, "male", emotion, statement=statement, name=f"{speaker}_{statement}")


def format_name(labels: Labels) -> str:
    """Return the unambiguous name of the clip with these labels, without suffix: with the speaker before it."""
    return f"{labels.speaker}_{labels.statement}"

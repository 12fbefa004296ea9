"""CREMA-D, the crowd-sourced emotional multimodal actors dataset.

Cao et al. 2014, IEEE Trans. Affective Computing 5(4) 377–390; https://github.com/CheyneyComputerScience/CREMA-D;
Open Database License.

A name is actor, sentence, emotion and intensity, as in ``1001_DFA_ANG_XX.wav``.
"""

import re
from pathlib import PurePosixPath

from ser.corpora.labels import Labels, UnusableNameError

LANGUAGE = "en"

ACTORS = {str(number) for number in range(1001, 1092)}
# fmt: off
FEMALE = {str(number) for number in (  # VideoDemographics.csv of the corpus
    1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025, 1028, 1029, 1030, 1037,
    1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060, 1061, 1063, 1072, 1073, 1074, 1075, 1076, 1078,
    1079, 1082, 1084, 1089, 1091,
)}
# fmt: on
SENTENCES = {"IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI"}
EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": "", "X": ""}  # one published name ends in a single X

_NAME = re.compile(r"(?P<actor>\d{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<intensity>[A-Z]{1,2})")


def parse_name(path: PurePosixPath) -> Labels:
    """Return the labels that a path inside the corpus states.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme.
    """
    name = _NAME.fullmatch(path.stem)
    if not name:
        raise UnusableNameError("the name is not actor, sentence, emotion and intensity, as in 1001_DFA_ANG_XX")
    for field, allowed in (
        ("actor", ACTORS),
        ("sentence", SENTENCES),
        ("emotion", EMOTIONS),
        ("intensity", INTENSITIES),
    ):
        if name[field] not in allowed:
            raise UnusableNameError(f"{field} {name[field]} does not exist in CREMA-D")
    return Labels(
        speaker=name["actor"],
        sex="female" if name["actor"] in FEMALE else "male",
        emotion=EMOTIONS[name["emotion"]],
        intensity=INTENSITIES[name["intensity"]],
        statement=name["sentence"],
    )

"""CREMA-D, the crowd-sourced emotional multimodal actors dataset.

A name is actor, sentence, emotion and intensity, as in ``1001_DFA_ANG_XX.wav``. Age and ethnicity of the actors are in
``VideoDemographics.csv``.
"""

import re
from pathlib import PurePosixPath

from ser.corpora.corpus_facts import About
from ser.corpora.labels import Labels, Table, UnusableNameError, code_of, name_by_scheme, require_codes
from ser.corpora.side_tables import BrokenTableError, read_rows, require_age, require_value

ABOUT = About(
    title="CREMA-D, the crowd-sourced emotional multimodal actors dataset",
    language="en",
    clips=7442,
    speakers=91,
    names="`AudioWAV/1001_DFA_ANG_XX.wav`: actor, sentence, emotion and intensity (`LO`, `MD`, `HI`, or `XX` where "
    "none was asked for). Only the sentence `IEO` is spoken in three intensities; one clip is published as "
    "`1040_ITH_SAD_X`. Age and ethnicity of the actors come from `VideoDemographics.csv`, where it is there.",
    citation="Cao, H., Cooper, D. G., Keutmann, M. K., Gur, R. C., Nenkova, A. & Verma, R. (2014). CREMA-D: "
    "Crowd-sourced Emotional Multimodal Actors Dataset. IEEE Transactions on Affective Computing 5(4), 377–390. "
    "https://doi.org/10.1109/TAFFC.2014.2336244",
    licence="Open Database License 1.0, contents under the Database Contents License 1.0",
    home="https://github.com/CheyneyComputerScience/CREMA-D",
    instructions="The clips are in Git LFS: `git lfs install`, then "
    "`git clone https://github.com/CheyneyComputerScience/CREMA-D`; take `AudioWAV/` and `VideoDemographics.csv`. "
    "Downloaded without Git LFS, each WAV file is a pointer of some 130 bytes.",
)
TABLE = "VideoDemographics.csv"

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
INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": ""}
ODDITIES = {"1040_ITH_SAD_XX": "1040_ITH_SAD_X"}  # by the scheme: as published

_NAME = re.compile(r"(?P<actor>[0-9]{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<intensity>[A-Z]{2})")


def parse_name(path: PurePosixPath, table: Table | None = None) -> Labels:
    """Return the labels that a path inside the corpus and the table of the actors state.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme.
    """
    stem = name_by_scheme(path.stem, ODDITIES)
    name = _NAME.fullmatch(stem)
    if not name:
        raise UnusableNameError("the name is not actor, sentence, emotion and intensity, as in 1001_DFA_ANG_XX")
    actor, sentence, emotion, intensity = name.groups()
    require_codes(
        "CREMA-D",
        ("actor", actor, ACTORS),
        ("sentence", sentence, SENTENCES),
        ("emotion", emotion, EMOTIONS),
        ("intensity", intensity, INTENSITIES),
    )
    # 1,365 of the 7,442 published clips have an intensity, as many as 91 actors, 5 emotions and 3 intensities make
    graded = sentence == "IEO" and EMOTIONS[emotion] != "neutral"
    if graded != (intensity != "XX"):
        raise UnusableNameError(f"{emotion} is not spoken with intensity {intensity} in the sentence {sentence}")
    labels = Labels(
        speaker=actor,
        sex="female" if actor in FEMALE else "male",
        emotion=EMOTIONS[emotion],
        intensity=INTENSITIES[intensity],
        statement=sentence,
        name=ODDITIES.get(stem, stem),
    )
    return labels._replace(**(table or {}).get(actor, {}))


def format_name(labels: Labels) -> str:
    """Return the published name of the clip with these labels, without suffix."""
    emotion, intensity = code_of(EMOTIONS, labels.emotion), code_of(INTENSITIES, labels.intensity)
    name = f"{labels.speaker}_{labels.statement}_{emotion}_{intensity}"
    return ODDITIES.get(name, name)


def read_table(content: bytes) -> dict[str, dict[str, str]]:
    """Return sex, age and ethnicity of each actor in ``VideoDemographics.csv``.

    Raises
    ------
    BrokenTableError
        If the content is not that table.
    """
    actors = {}
    for line, row in read_rows(content, TABLE, ("ActorID", "Age", "Sex", "Race", "Ethnicity")):
        require_value(TABLE, line, "Sex", row["Sex"], {"Male", "Female"})
        require_age(TABLE, line, row["Age"])
        if row["ActorID"] in actors:
            raise BrokenTableError(f"{TABLE}: line {line}: actor {row['ActorID']} is there twice")
        ethnicity = ", ".join(row[column] for column in ("Race", "Ethnicity") if row[column] not in ("", "Unknown"))
        actors[row["ActorID"]] = {"sex": row["Sex"].lower(), "age": row["Age"], "ethnicity": ethnicity}
    return actors

"""nEMO, a corpus of Polish emotional speech.

A name is speaker, emotion and sentence, as in ``WR0_surprised_64.wav``. The age of the speakers is in ``data.tsv``.
"""

import re
from pathlib import PurePosixPath

from ser.corpora.corpus_facts import About
from ser.corpora.labels import Labels, Table, UnusableNameError, code_of, require_codes
from ser.corpora.side_tables import BrokenTableError, read_rows, require_age, require_value

ABOUT = About(
    title="nEMO, a corpus of Polish emotional speech",
    language="pl",
    clips=4481,
    speakers=9,
    names="`samples/WR0_surprised_64.wav`: speaker, emotion and sentence (1 to 90). The age of the speakers comes from "
    "`data.tsv`, where it is there; what it says of a clip must agree with the clip's name.",
    citation="Christop, I. (2024). nEMO: Dataset of Emotional Speech in Polish. LREC-COLING 2024. "
    "https://arxiv.org/abs/2404.06292",
    licence="CC BY-NC-SA 4.0",
    home="https://github.com/amu-cai/nEMO",
    instructions="`git clone https://github.com/amu-cai/nEMO`; take `samples/` and `data.tsv`. It is also at "
    "https://huggingface.co/datasets/amu-cai/nEMO.",
)
TABLE = "data.tsv"

SPEAKERS = {
    "EB0": "female",
    "IC0": "female",
    "KD0": "female",
    "KS0": "male",
    "MK0": "female",
    "MP0": "male",
    "SM0": "male",
    "TP0": "male",
    "WR0": "male",
}
EMOTIONS = {
    "anger": "anger",
    "fear": "fear",
    "happiness": "happiness",
    "neutral": "neutral",
    "sadness": "sadness",
    "surprised": "surprise",
}
SENTENCES = {str(number) for number in range(1, 91)}

_NAME = re.compile(r"(?P<speaker>[A-Z]{2}[0-9])_(?P<emotion>[a-z]+)_(?P<sentence>[0-9]{1,2})")


def parse_name(path: PurePosixPath, table: Table | None = None) -> Labels:
    """Return the labels that a path inside the corpus and the table of its clips state.

    Raises
    ------
    UnusableNameError
        If the name breaks the scheme, or says something else than the table.
    """
    name = _NAME.fullmatch(path.stem)
    if not name:
        raise UnusableNameError("the name is not speaker, emotion and sentence, as in WR0_surprised_64")
    speaker, word, sentence = name.groups()
    require_codes(
        "nEMO", ("speaker", speaker, SPEAKERS), ("emotion", word, EMOTIONS), ("sentence", sentence, SENTENCES)
    )
    labels = Labels(speaker, SPEAKERS[speaker], EMOTIONS[word], statement=sentence, name=path.stem)
    row = (table or {}).get(path.stem, {})
    for field in ("speaker", "sex", "emotion"):
        stated = getattr(labels, field)
        if row.get(field, stated) != stated:
            raise UnusableNameError(f"the name says {field} {stated}, {TABLE} {row[field]}")
    return labels._replace(age=row.get("age", ""))


def format_name(labels: Labels) -> str:
    """Return the published name of the clip with these labels, without suffix."""
    return f"{labels.speaker}_{code_of(EMOTIONS, labels.emotion)}_{labels.statement}"


def read_table(content: bytes) -> dict[str, dict[str, str]]:
    """Return speaker, sex, age and emotion of each clip in ``data.tsv``, by the clip's name.

    Raises
    ------
    BrokenTableError
        If the content is not that table.
    """
    clips = {}
    columns = ("file_id", "emotion", "speaker_id", "gender", "age")
    for line, row in read_rows(content, TABLE, columns):
        require_value(TABLE, line, "emotion", row["emotion"], EMOTIONS)
        require_value(TABLE, line, "gender", row["gender"], {"female", "male"})
        require_age(TABLE, line, row["age"])
        clip = row["file_id"].removesuffix(".wav")
        if clip in clips:
            raise BrokenTableError(f"{TABLE}: line {line}: clip {clip} is there twice")
        clips[clip] = {
            "speaker": row["speaker_id"],
            "sex": row["gender"],
            "age": row["age"],
            "emotion": EMOTIONS[row["emotion"]],
        }
    return clips

"""What the audit says of the properties that give emotions away: their names, what to do, the verdict in a sentence.

Page, printed lines, report and model card all take it from here, and from the one table ``cues.csv``.
"""

from typing import NamedTuple

import pandas as pd

from ser.storage.recorded_level import LEVEL_CUES

CUE, LEAK = 0.05, 0.25  # UAR above chance
POOLED = "(all)"  # all corpora together, in the column ``corpus``
BY_CHANCE = "not more than chance would explain at this size"
NO_LEVEL = "leave level out of extract.functionals.groups"
OTHER_SOURCES = "The emotions come from different sources"


class Words(NamedTuple):
    """A property as a person calls it, and in a sentence what to do where it tells the emotions."""

    name: str
    remedy: str


WORDS = {
    "seconds": Words(
        "length",
        "Listen to the shortest and the longest clips: if somebody cut or padded them emotion by emotion, cut all to "
        "the length of the shortest (prepare.fixed_samples); people who take longer over sad sentences are speech, no "
        "fault.",
    ),
    "leading_zeros": Words(
        "digital silence at the start",
        "The files were padded or cut emotion by emotion: leave prepare.trim_db on, which cuts silence off.",
    ),
    "trailing_zeros": Words(
        "digital silence at the end",
        "The files were padded or cut emotion by emotion: leave prepare.trim_db on, which cuts silence off.",
    ),
    "peak_db": Words(
        "level of the loudest sample",
        f"Leave prepare.normalize on, which takes the level away, and {NO_LEVEL}; loud anger is speech, but another "
        "microphone changes it.",
    ),
    "level_db": Words(
        "mean level",
        f"Set prepare.normalize: rms, which gives all clips the same, and {NO_LEVEL}; loud anger is speech, but "
        "another microphone changes it.",
    ),
    "level_active": Words(
        "level of the speech without its pauses",
        f"Leave prepare.normalize on, which takes the level away, and {NO_LEVEL}; loud anger is speech, but another "
        "microphone changes it.",
    ),
    "dc": Words(
        "constant offset (DC)",
        "If emotions were recorded with different devices, look what else differs; prepare.remove_dc: true takes the "
        "offset away.",
    ),
    "clipped": Words(
        "clipping",
        "Loud emotions were cut off at full scale, and nothing brings that back: take recordings of a lower level, or "
        "leave clipped ones out (findings.csv names them).",
    ),
    "bandwidth": Words(
        "bandwidth",
        "If emotions come from different sources, take all from one, or set prepare.sample_rate to about twice the "
        "narrowest bandwidth, which cuts all alike; quiet speech reaches less far up, which is no fault.",
    ),
    "sample_rate": Words(
        "sample rate",
        f"{OTHER_SOURCES}: take all from one, or set prepare.sample_rate to the lowest rate, so that none has "
        "more than another.",
    ),
    "channels": Words(
        "number of channels",
        f"{OTHER_SOURCES}: take all from one; prepare mixes channels to one, which takes away the number and leaves "
        "the rest of the difference.",
    ),
    "speaker": Words(
        "speaker",
        "Speakers do not show all emotions equally often: test on speakers that are not learnt from (split.scheme: "
        "kfold), and record all emotions of everyone, or leave out who shows few.",
    ),
    "statement": Words(
        "spoken sentence",
        "Sentences are not spoken in all emotions equally often: keep those that all emotions share, or test on other "
        "sentences by a table of folds (split.scheme: predefined).",
    ),
    "container": Words(
        "kind of file (container)",
        f"{OTHER_SOURCES}: take all from one; converting the files does not bring back what was lost.",
    ),
    "codec": Words(
        "codec",
        f"{OTHER_SOURCES}: take all from one; converting the files does not bring back what a codec took away.",
    ),
    "corpus": Words(
        "corpus",
        "The corpora do not show the same emotions equally often: keep those that all show (prepare.emotions: shared), "
        "or test on a corpus that is not learnt from (split.scheme: cross_corpus).",
    ),
}


class Told(NamedTuple):
    """What one property of one corpus tells.

    ``verdict`` is "leak", "cue" or empty; ``by_chance``: it lies above the limit of a cue, which so few clips do by
    accident; ``p`` is how often such a one is found by accident, None where that was not tested.
    """

    cue: str
    corpus: str
    uar: float
    chance: float
    verdict: str
    by_chance: bool
    p: float | None

    @property
    def name(self) -> str:
        """The property as a person calls it."""
        return WORDS[self.cue].name if self.cue in WORDS else self.cue.replace("_", " ")

    @property
    def whose(self) -> str:
        return "all corpora together" if self.corpus == POOLED else self.corpus

    @property
    def score(self) -> str:
        return f"UAR {self.uar:.3f} (chance {self.chance:.3f})"

    @property
    def verdict_words(self) -> str:
        """The verdict for a table."""
        return {"leak": "⚠ leak", "cue": "cue"}.get(self.verdict, BY_CHANCE if self.by_chance else "")

    @property
    def p_words(self) -> str:
        return "–" if self.p is None else f"{self.p:.3f}"


class Found(NamedTuple):
    """A property that gives emotions away, and what it tells in each corpus in which it does, the most first."""

    told: list[Told]

    @property
    def leaks(self) -> bool:
        """Whether it is a leak in one of the corpora."""
        return any(told.verdict == "leak" for told in self.told)

    @property
    def cue(self) -> str:
        return self.told[0].cue

    @property
    def name(self) -> str:
        return self.told[0].name

    @property
    def verdict_words(self) -> str:
        return "⚠ leak" if self.leaks else "cue"

    @property
    def scores(self) -> str:
        """The scores in the corpora."""
        if len({told.chance for told in self.told}) > 1:
            return "; ".join(f"{told.score} in {told.whose}" for told in self.told)
        uars = ", ".join(f"{told.uar:.3f} in {told.whose}" for told in self.told)
        return f"UAR {uars} (chance {self.told[0].chance:.3f})"

    @property
    def remedy(self) -> str:
        """What to do about it, a sentence."""
        return WORDS[self.cue].remedy if self.cue in WORDS else ""


def told_by(cues: pd.DataFrame) -> list[Told]:
    """Return what each property tells, those that tell most first.

    Parameters
    ----------
    cues : pd.DataFrame
        What the audit found; see `ser.audit.label_leaks.measure_cues`.
    """
    rows = cues.sort_values("excess", ascending=False, kind="stable").to_dict("records")
    return [
        Told(
            cue=row["cue"],
            corpus=row["corpus"],
            uar=row["uar"],
            chance=row["chance"],
            verdict=row["verdict"],
            by_chance=row["verdict"] == "" and row["excess"] > CUE,
            p=None if pd.isna(pd.to_numeric(row.get("p"), errors="coerce")) else float(row["p"]),
        )
        for row in rows
    ]


def found_in(cues: pd.DataFrame) -> list[Found]:
    """Return the properties that are leaks and then those that are cues, each kind by how much it tells."""
    told_of: dict[str, list[Told]] = {}
    for told in told_by(cues):
        if told.verdict:
            told_of.setdefault(told.cue, []).append(told)
    return sorted((Found(told) for told in told_of.values()), key=lambda found: not found.leaks)


def verdict_of(cues: pd.DataFrame) -> str:
    """Say in a sentence, without its stop, whether properties of the files give the emotions away."""
    if cues.empty:
        return "no property of the raw files was measured: it takes a corpus with two emotions"
    leaks = {found.cue for found in found_in(cues) if found.leaks}
    weaker = {found.cue for found in found_in(cues) if not found.leaks}
    if leaks:
        more = f", and {len(weaker)} more tell{_s(weaker)} better than chance" if weaker else ""
        return (
            f"{_properties(leaks)} of the raw files alone give{_s(leaks)} the emotion away{more}: scores on these data "
            "mean little"
        )
    if weaker:
        none = "not so" if len(weaker) == 1 else "none of them so"
        return (
            f"{_properties(weaker)} of the raw files alone tell{_s(weaker)} the emotions better than chance, {none} "
            "well that it would be a leak"
        )
    seeming = {one.cue for one in told_by(cues) if one.by_chance}
    more = f" ({_properties(seeming)} seem{_s(seeming)} to: {BY_CHANCE})" if seeming else ""
    return f"no property of the raw files alone tells the emotions better than chance{more}"


def leaking_level(cues: pd.DataFrame) -> str:
    """Say where the level alone gives the emotions away, and what to do; empty if it does not."""
    leaks = [told for told in told_by(cues) if told.cue in LEVEL_CUES and told.verdict == "leak"]
    if not leaks:
        return ""
    worst = leaks[0]
    return (
        f"how loud clips were recorded gives the emotions of {worst.corpus} away ({worst.name} alone: UAR "
        f"{worst.uar:.3f}, chance {worst.chance:.3f}): {NO_LEVEL}"
    )


def _properties(cues: set[str]) -> str:
    return f"{len(cues)} propert{'y' if len(cues) == 1 else 'ies'}"


def _s(cues: set[str]) -> str:
    return "s" if len(cues) == 1 else ""

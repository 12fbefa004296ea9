"""The table of an ablation as a page of Markdown, with the protocol beside every number."""

import math
from pathlib import Path

import jinja2
import pandas as pd

from ser.experiments.ablation_variants import BASE
from ser.reporting.markdown import prose
from ser.storage.clip_tables import speakers_in_words

TEMPLATE = Path(__file__).with_name("ablation_page.md")
NONE = "–"


def page(rows: pd.DataFrame, *, failed: dict[str, str], **facts: object) -> str:
    """Return the page.

    Parameters
    ----------
    rows : pd.DataFrame
        See `ser.experiments.ablation_variants.judge`.
    failed : dict of str to str
        The reason by variant.
    **facts : object
        ``corpora``, ``emotions`` (lists of str), ``clips``, ``speakers``, ``cores`` (int), ``commit``, ``settings``
        (text by dotted key: the base's that differ from the commit's) and ``confidence``.
    """
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {
        "score": _score,
        "signed": _signed,
        "difference": _difference,
        "protocol": _protocol,
        "settings": lambda changes: ", ".join(f"`{change}`" for change in changes.split(", ") if change) or NONE,
        "minutes": lambda value: NONE if math.isnan(value) else f"{value:.1f}",
        "prose": prose,
        "speakers_in_words": speakers_in_words,
    }
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        rows=rows,
        failed=failed,
        optimism=optimism(rows),
        chance=1 / len(facts["emotions"]),
        share=f"{100 * facts['confidence']:g} %",
        base_protocol=_protocol(rows[rows["variant"] == BASE].iloc[0]),
        **facts,
    )


def optimism(rows: pd.DataFrame) -> pd.DataFrame:
    """Return ``model, uar, low, high`` of the base with ``random_uar`` beside it; no rows if the base is no better.

    Parameters
    ----------
    rows : pd.DataFrame
        ``variant, model, scheme, speaker_dependent, uar, low, high``.
    """
    base = rows[(rows["variant"] == BASE) & ~rows["speaker_dependent"]]
    random = rows[(rows["scheme"] == "random") & (rows["variant"] != BASE)].rename(columns={"uar": "random_uar"})
    both = base.merge(random[["model", "random_uar"]], on="model").sort_values("uar", ascending=False)
    return both[["model", "uar", "low", "high", "random_uar"]]


def _protocol(row) -> str:
    name = f"{row.scheme}, {row.folds} folds, normalised by {row.normalization}"
    return f"🔴 **speaker-dependent**: {name}" if row.speaker_dependent else f"speaker-independent: {name}"


def _difference(row) -> str:
    if math.isnan(row.difference):
        return NONE
    if math.isnan(row.difference_low):
        return _signed(row.difference)
    return f"{_signed(row.difference)} ({_signed(row.difference_low)} to {_signed(row.difference_high)})"


def _score(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.3f}"


def _signed(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:+.3f}".replace("-", "−")

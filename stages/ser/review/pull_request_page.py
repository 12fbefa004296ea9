"""The report on a pull request as Markdown that GitHub takes as a comment."""

import re
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.evaluation.comparisons import BETTER, NO_EVIDENCE, UNKNOWN, WORSE
from ser.reporting.markdown import code, code_html, prose
from ser.review.pull_request import ADDED, REMOVED, UNCHANGED

TEMPLATE = Path(__file__).with_name("pull_request_page.md")
MOST_CHARACTERS = 60_000  # GitHub takes 65,536 in a comment; its own count of some characters is higher
SCORES = {"accuracy": "accuracy", "f1_macro": "F1", "precision_macro": "precision", "auc_macro": "AUC", "ece": "ECE"}
LIST_LENGTHS = (40, 20, 10, 5, 2)  # rows of each list, fewer until the page is short enough


def headline(models: pd.DataFrame, main: str, *, confidence: float, plain: bool = False) -> str:
    """Return the verdict in a sentence of Markdown, or of plain text.

    It is that on the main model. Where this has none but others have, theirs comes first: what has become worse
    before what has become better, the largest change of them.

    Parameters
    ----------
    models : pd.DataFrame
        See `ser.review.pull_request.compare_metrics`.
    """
    rows = models.set_index("model")
    if set(rows["verdict"]) == {UNCHANGED}:
        return "No change: every model gives every test clip the same emotion as before"
    sentence = verdict_on(rows.loc[main], confidence, plain=plain)
    others = rows[rows["verdict"].isin([WORSE, BETTER])]
    if main in others.index or others.empty or rows.at[main, "verdict"] not in (NO_EVIDENCE, UNCHANGED):
        return sentence
    worst_first = others.assign(size=-others["difference"].abs()).sort_values(
        ["verdict", "size"], ascending=[False, True]
    )
    sentence = sentence[0].lower() + sentence[1:]
    return f"{verdict_on(worst_first.iloc[0], confidence, plain=plain)}; {sentence}"


def verdict_on(row: pd.Series, confidence: float, *, plain: bool) -> str:
    """Return the verdict on one model, a row of `ser.review.pull_request.compare_metrics`, in a sentence."""
    name = row.name if plain else code(row.name)
    scores, size = f"{score(row['old'])} → {score(row['new'])}", score(abs(row["difference"]))
    return {
        BETTER: f"Better: {name} gains {size} UAR, {scores} ({interval(row, confidence)})",
        WORSE: f"Worse: {name} loses {size} UAR, {scores} ({interval(row, confidence)})",
        NO_EVIDENCE: f"No evidence of a change: UAR of {name} {scores}, {change(row, confidence)}",
        UNCHANGED: f"No change of {name}: it gives every test clip the same emotion as before",
        UNKNOWN: f"Cannot be told: UAR of {name} {scores}, without an interval",
        ADDED: f"New model: {name} has UAR {score(row['new'])}, with none to compare it with",
        REMOVED: f"Removed: {name} had UAR {score(row['old'])}",
    }[row["verdict"]]


def gate_line(row: pd.Series, base: str, *, confidence: float) -> str:
    """Return whether a model may pass, in a line; `row` is that of a model in `compare_metrics`.

    Raises
    ------
    InputError
        Only one revision has the model.
    """
    if row["verdict"] in (ADDED, REMOVED):
        where = base if row["verdict"] == REMOVED else "this branch"
        raise InputError(f"only {where} has {row.name}: name a model that both have as MODEL")
    scores = f"UAR of {row.name} {score(row['old'])} → {score(row['new'])}"
    if row["verdict"] == UNCHANGED:
        return f"passed: {scores}: every test clip gets the same emotion as on {base}"
    if row["high"] < 0:
        return f"failed: {scores} is worse than on {base} beyond chance: {change(row, confidence)}"
    return f"passed: {scores} is {'better' if row['low'] > 0 else 'not clearly worse'}: {change(row, confidence)}"


def change(row: pd.Series, confidence: float) -> str:
    """Return a difference and its interval."""
    return f"{signed(row['difference'])} ({interval(row, confidence)})"


def interval(row: pd.Series, confidence: float) -> str:
    """Return the interval of a difference."""
    return f"{percent(confidence)} interval {signed(row['low'])} to {signed(row['high'])}"


def percent(share: float) -> str:
    """Return a share in percent."""
    return f"{100 * share:g} %"


def about_others(models: pd.DataFrame, main: str) -> str:
    """Return a sentence on the verdicts on all other models; an empty text if there are none."""
    others = models[models["model"] != main]
    parts = []
    for word in (BETTER, WORSE, ADDED, REMOVED, NO_EVIDENCE, UNCHANGED, UNKNOWN):
        names = list(others.loc[others["verdict"] == word, "model"])
        if names:
            listed = word in (BETTER, WORSE, ADDED, REMOVED) and len(names) <= 5
            count = f"**{len(names)} {word}**" if word in (BETTER, WORSE) else f"{len(names)} {word}"
            parts.append(count + (f" ({', '.join(map(code, names))})" if listed else ""))
    return f"Other models: {', '.join(parts)}." if parts else ""


def alone_significant(models: pd.DataFrame) -> pd.Series:
    """Return whether a model's own interval excludes 0, but not the verdict, which is corrected for several."""
    return (models["verdict"] == NO_EVIDENCE) & ((models["low"] > 0) | (models["high"] < 0))


def render(*, models: pd.DataFrame, main: str, confidence: float, **content) -> str:
    """Return the page, its lists cut as far as `MOST_CHARACTERS` demands.

    Parameters
    ----------
    models : pd.DataFrame
        See `ser.review.pull_request.compare_metrics`.
    main : str
        The model that the verdict is about.
    confidence : float
        Of the intervals.
    **content
        What else the template names.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    filters = (code, code_html, prose, score, signed, probability)
    environment.filters |= {function.__name__: function for function in filters}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    models = models.assign(alone=alone_significant(models))
    content |= {
        "headline": headline(models, main, confidence=confidence),
        "others": about_others(models, main),
        "models": models,
        "main": main,
        "tests": int(models.loc[models["model"] != main, "p"].notna().sum()),
        "percent": percent(confidence),
        "level": f"{1 - confidence:.4g}",
        "scores": SCORES,
    }
    for most in LIST_LENGTHS:
        page = re.sub(r"\n{3,}", "\n\n", template.render(most=most, **content))
        if len(page) <= MOST_CHARACTERS:
            break
    return page


def score(value: float | None) -> str:
    """Return a score with three digits; NaN and None are dashes."""
    return "–" if value is None or np.isnan(value) else f"{value:.3f}"


def signed(value: float) -> str:
    """Return a difference with three digits and its sign."""
    if np.isnan(value):
        return "–"
    return "0.000" if abs(value) < 0.0005 else f"{value:+.3f}".replace("-", "−")


def probability(value: float) -> str:
    """Return a p-value."""
    return "–" if np.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"

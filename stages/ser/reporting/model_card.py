"""The model card of a run (Mitchell et al. 2019): what the model is for, what it was made of and how good it is.

References
----------
.. [1] M. Mitchell et al., "Model cards for model reporting", FAT* 2019.
"""

import json
import re
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from ser.audit.cue_words import found_in, verdict_of
from ser.corpora.known_corpora import KNOWN
from ser.demo.synthetic_speech import SYNTHETIC
from ser.evaluation.subgroups import tested_emotions
from ser.reporting.html_tables import decimal, is_missing, percent, span
from ser.reporting.reported_run import (
    Run,
    collapse_mark,
    flat_settings,
    level_warning,
    score_of,
    synthetic_corpora,
    terms_of_weights,
)
from ser.storage.clip_tables import count_speakers, speakers_in_words
from ser.storage.model_cards import licence_in_words
from ser.storage.whole_files import written

TEMPLATE = Path(__file__).with_name("model_card.md")
FUSION = "fuse"  # the trainer of models that are made of others
LANGUAGES = {"am": "Amharic", "de": "German", "en": "English", "it": "Italian", "pl": "Polish", "tr": "Turkish"}
LANGUAGES |= {"ur": "Urdu", "synthetic": "none (synthetic)", "": "unknown"}


def write_model_card(path: Path | str, run: Run) -> None:
    """Write the card of a run's best model on validation speakers, with the scores of all, as Markdown."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=plain
    )
    environment.filters |= {"code": code}
    helpers = {"decimal": decimal, "percent": percent, "span": span, "is_missing": is_missing, "score_of": score_of}
    helpers |= {"collapse_mark": collapse_mark, "speakers_in_words": speakers_in_words}
    environment.globals |= helpers
    singles = [model for model in run.models if run.trainers[model] != FUSION]
    groups = run.tables["groups"]
    groups = groups[groups["model"] == run.best]
    gaps = run.tables["gaps"]
    text = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        run=run,
        protocol=run.protocol,
        best=run.best,
        fused=run.trainers[run.best] == FUSION,
        members=run.settings["fuse"]["members"] or singles,
        corpora=corpora_of(run),
        inherited=" ".join(terms_of_weights(run)),
        synthetic=(run.clips["source"] == SYNTHETIC).all(),
        lacking=(groups.loc[groups["group"] != "speaker", "emotions"] < tested_emotions(run.protocol["chance"])).any(),
        groups={kind: rows.to_dict("records") for kind, rows in groups.groupby("group")},
        synthetic_corpora=synthetic_corpora(run),
        level_warning=level_warning(run),
        cue_verdict=verdict_of(run.tables["cues"]),
        found=found_in(run.tables["cues"]),
        tested=tested_emotions(run.protocol["chance"]),
        collapsed=run.tables["collapsed"].to_dict("records"),
        gap=next(iter(gaps[gaps["model"] == run.best].to_dict("records")), None),
        emotions=_rows_of(run, "per_class"),
        calibration=next(iter(_rows_of(run, "calibration")), None),
        settings=settings_of(run, run.best),
    )
    with written(path) as temporary:
        temporary.write_text(re.sub(r"\n{3,}", "\n\n", text) + "\n", encoding="utf-8")


def corpora_of(run: Run) -> list[dict]:
    """Return for each corpus its clips, speakers and languages, and what is known of its licence."""
    lines = []
    for corpus, clips in run.clips.groupby("corpus"):
        about = KNOWN[corpus].ABOUT if corpus in KNOWN else None
        languages = [LANGUAGES.get(language, language) for language in sorted(clips["language"].unique())]
        speakers = count_speakers(clips["speaker"])
        line = {"corpus": corpus, "clips": len(clips), "speakers": speakers, "languages": languages}
        line |= {"minutes": clips["seconds"].sum() / 60, "synthetic": run.origin[corpus]["synthetic"]}
        line |= {"licence": licence_in_words(run.origin[corpus]), "stated": run.origin[corpus]["licence"] != ""}
        lines.append(line | {"about": about})
    return lines


def settings_of(run: Run, model: str) -> dict[str, str]:
    """Return the settings that made a model, by their dotted keys, as JSON."""
    trainer = run.trainers[model]
    trainers = sorted(set(run.trainers.values())) if trainer == FUSION else [trainer]
    names = ("prepare", "split", "augment", "extract", "train", *trainers)
    sections = {name: run.settings[name] for name in names if name in run.settings}
    if trainer == "train_ml":
        shared = {"select", "balance", "tune", "inner_folds", model}
        sections[trainer] = {key: value for key, value in sections[trainer].items() if key in shared}
    return {key: json.dumps(value, ensure_ascii=False) for key, value in flat_settings(sections).items()}


def plain(value: object) -> str:
    """Return a value as text that Markdown takes literally, in one line; `Markup` stays as it is."""
    if isinstance(value, Markup):
        return value
    return Markup(re.sub(r"([\\`*_\[\]<>|#&])", r"\\\1", re.sub(r"\s+", " ", str(value))))


def code(value: object) -> Markup:
    """Return a value as a code span that can stand in a table."""
    text = " ".join(str(value).split()).replace("`", "'").replace("|", "\\|")
    return Markup(f"`{text}`")


def _rows_of(run: Run, name: str) -> list[dict]:
    table: pd.DataFrame = run.tables[name]
    return table[table["model"] == run.best].to_dict("records")

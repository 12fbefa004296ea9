"""The report of a run: one self-contained HTML page, the same bytes from run to run."""

from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from ser.audit.cue_words import found_in, verdict_of
from ser.audit.page_style import page_style
from ser.errors import InputError
from ser.evaluation.subgroups import tested_emotions
from ser.reporting.feature_section import feature_panels, shown_speakers
from ser.reporting.html_tables import are_wide, breakable, decimal, is_missing, p_text, percent, span
from ser.reporting.map_section import map_data, map_script, map_sounds, overview_style
from ser.reporting.overview_files import Overview
from ser.reporting.provenance import package_versions
from ser.reporting.report_sounds import (
    DYNAMIC_RANGE_DB,
    read_sounds,
    spectrogram_image,
    typical_clips,
    worst_mistakes,
)
from ser.reporting.reported_run import (
    Run,
    collapse_mark,
    kept_epochs,
    level_warning,
    score_of,
    synthetic_corpora,
    terms_of_weights,
)
from ser.reporting.shown_tables import TABLES_OF_THE_REPORT, counts_table, settings_table
from ser.reporting.sound_sources import COLUMNS, sound, waveform
from ser.settings.report_section import Report
from ser.storage.clip_tables import speakers_in_words
from ser.storage.model_cards import licence_in_words, voices_of
from ser.storage.prediction_tables import emotions_of, predicted_emotions, probabilities_of
from ser.storage.shards import Ragged
from ser.storage.whole_files import written

TEMPLATE = Path(__file__).with_name("html_report.html")
SHOWN_MODELS = 15  # in matrices: more cells than a page can hold
LEFT_TO_A_PERSON = 0.2  # share of the clips, the least certain ones


def write_report(
    path: Path | str, run: Run, overview: Overview, audio: Ragged | None, charts: dict[str, str], settings: Report
) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
    run : Run
    overview : Overview
    audio : Ragged, or None
        Samples of all clips, 16 bits, in the order of ``run.clips``. None: nothing that is cut from them is shown,
        neither sound nor waveform nor spectrogram (of which speech can be made again).
    charts : dict of str to str
        See `read_charts`.
    settings : Report
        The section ``report``.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"decimal": decimal, "percent": percent, "span": span, "p_text": p_text}
    environment.globals |= {"breakable": breakable, "is_missing": is_missing, "speakers_in_words": speakers_in_words}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    shown = examples(run, audio, settings.clip_seconds)
    worst = mistakes_of_the_best(run, audio, settings.mistakes, settings.clip_seconds)
    mapped = map_sounds(run, overview, audio, settings.map_sounds, settings.clip_seconds) if audio else {}
    heard = {clip["corpus"] for clip in [*shown, *worst["rows"]]} if audio else set()
    heard |= set(run.clips["corpus"].iloc[[*mapped]])
    page = template.render(
        page_style=page_style(),
        run=run,
        protocol=run.protocol,
        best=run.best,
        scores={score: score_of(run, run.best, score) for score in ("uar", "accuracy")},
        charts={name: Markup(text) for name, text in charts.items()},
        tables={name: make(run) for name, make in TABLES_OF_THE_REPORT.items()},
        counts={column: counts_table(run, column) for column in ("sex", "corpus")},
        settings=settings_table(run),
        packages=package_versions(run.trainers, run.settings),
        differences=differences(run),
        matrices=confusion_matrices(run),
        coverage=coverage_of_the_rest(run),
        gap=gap_of_the_best(run),
        collapse=collapse_mark(run, run.best),
        kept=kept_epochs(run),
        synthetic=synthetic_corpora(run),
        level_warning=level_warning(run),
        tested=tested_emotions(run.protocol["chance"]),
        findings=run.tables["findings"]["finding"].value_counts().sort_index().to_dict(),
        cue_verdict=verdict_of(run.tables["cues"]),
        found=found_in(run.tables["cues"]),
        examples=shown,
        mistakes=worst,
        sounds=audio is not None,
        voices=voices_of({name: about for name, about in run.origin.items() if name in heard}),
        licences={name: licence_in_words(about) for name, about in run.origin.items()},
        inherited=terms_of_weights(run),
        clip_seconds=settings.clip_seconds,
        overview=overview,
        overview_style=overview_style(),
        map_data=map_data(run, overview, mapped),
        map_script=map_script(),
        mapped=len(mapped),
        panels=feature_panels(overview),
        shown_speakers=shown_speakers(overview),
        speaker_count=int(overview.speakers["speaker"].nunique()),
        picture={"columns": COLUMNS, "range": DYNAMIC_RANGE_DB},
    )
    with written(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def read_charts(folder: Path) -> dict[str, str]:
    """Return the charts that `evaluate` has drawn, ``<svg>`` elements by name; there is none without numbers for it.

    Raises
    ------
    InputError
        If there are none at all.
    """
    charts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.svg"))}
    if not charts:
        raise InputError(f"{folder} has no charts: run `dvc repro evaluate`")
    return charts


def differences(run: Run) -> dict:
    """Return the pairwise comparisons as a matrix, and what they say of the best model."""
    table = run.tables["differences"]
    cells = {(row["first"], row["second"]): row for row in table.to_dict("records")}
    of_best = table[(table["first"] == run.best) | (table["second"] == run.best)]
    other = of_best["first"].where(of_best["first"] != run.best, of_best["second"])
    proven = (of_best["verdict"] == "better").to_numpy()
    leads = (of_best["first"] == run.best).to_numpy()
    rank = {model: place for place, model in enumerate(run.models)}
    return {
        "models": run.models[:SHOWN_MODELS],
        "cells": cells,
        "pairs": len(table),
        "better": int((table["verdict"] == "better").sum()),
        "tested": bool(table["p_holm"].notna().any()),
        "worse_than_best": sorted(other[proven & leads], key=rank.get),
        "better_than_best": sorted(other[proven & ~leads], key=rank.get),
        "like_the_best": sorted(other[~proven], key=rank.get),
    }


def confusion_matrices(run: Run) -> list[dict]:
    """Return a confusion matrix a model: ``model, emotions, rows, upright`` and its UAR; a row has ``cells``."""
    matrices = []
    for model in run.models[:SHOWN_MODELS]:
        table = run.predictions[model]
        emotions = emotions_of(table)
        counts = pd.crosstab(table["emotion"].to_numpy(), predicted_emotions(table))
        counts = counts.reindex(index=emotions, columns=emotions, fill_value=0).to_numpy()
        rows = [
            {"emotion": emotion, "clips": int(line.sum()), "cells": [(int(n), n / max(line.sum(), 1)) for n in line]}
            for emotion, line in zip(emotions, counts, strict=True)
        ]
        matrix = {"model": model, **score_of(run, model), "emotions": emotions, "rows": rows}
        matrices.append(matrix | {"upright": are_wide(emotions)})
    return matrices


def coverage_of_the_rest(run: Run) -> dict | None:
    """Return the accuracy of the best model when a person takes the clips that it is least certain of."""
    table = run.tables["coverage"]
    rows = table[table["model"] == run.best].set_index("coverage")["accuracy"]
    kept = rows[(rows.index - (1 - LEFT_TO_A_PERSON)).to_series().abs().to_numpy() < 0.001]
    if kept.empty:
        return None
    return {"left": LEFT_TO_A_PERSON, "accuracy": kept.iloc[0], "all": rows.iloc[-1]}


def gap_of_the_best(run: Run) -> dict | None:
    """Return the row of ``gaps.csv`` of the best model."""
    gaps = run.tables["gaps"]
    rows = gaps[gaps["model"] == run.best].to_dict("records")
    return rows[0] if rows else None


def examples(run: Run, audio: Ragged | None, seconds: float) -> list[dict]:
    """Return a clip of each emotion with sound and pictures: that which the best model is surest of."""
    rows = typical_clips(run.predictions[run.best])
    if audio is None:
        return _without_sound(run, rows)
    return [
        line | {"waveform": waveform(line["y"]), "spectrogram": spectrogram_image(line["y"], run.sample_rate)}
        for line in _with_sound(run, rows, audio, seconds)
    ]


def mistakes_of_the_best(run: Run, audio: Ragged | None, count: int, seconds: float) -> dict:
    """Return the worst mistakes of the best model with their sound, and how many mistakes there are."""
    table = run.predictions[run.best]
    rows = worst_mistakes(table, count)
    lines = _without_sound(run, rows) if audio is None else _with_sound(run, rows, audio, seconds)
    wrong = int((predicted_emotions(table) != table["emotion"].to_numpy()).sum())
    names = ("emotion", "predicted", "speaker")
    choices = {name: sorted({line[name] for line in lines if line[name]}) for name in names}
    return {"rows": lines, "wrong": wrong, "clips": len(table), "choices": choices}


def _with_sound(run: Run, rows: pd.DataFrame, audio: Ragged, seconds: float) -> list[dict]:
    """Return what `_without_sound` does, and the beginning of each clip."""
    sounds = read_sounds(audio, run.clips, list(rows["clip"]), run.sample_rate, seconds)
    lines = []
    for line in _without_sound(run, rows):
        y = sounds[line["clip"]]
        more = {"y": y, "sound": sound(y, run.sample_rate), "shown_seconds": len(y) / run.sample_rate}
        lines.append(line | more)
    return lines


def _without_sound(run: Run, rows: pd.DataFrame) -> list[dict]:
    """Return rows of predictions with what is known of their clips, and their probabilities."""
    known = run.clips.set_index("clip")
    lines = []
    for line, shares in zip(rows.to_dict("records"), probabilities_of(rows), strict=True):
        about = known.loc[line["clip"], ["speaker", "sex", "corpus", "statement", "seconds", "source"]].to_dict()
        probabilities = sorted(zip(emotions_of(rows), shares, strict=True), key=lambda pair: -pair[1])
        line = {key: line[key] for key in ("clip", "emotion", "predicted", "probability")}
        lines.append(line | about | {"probabilities": probabilities})
    return lines

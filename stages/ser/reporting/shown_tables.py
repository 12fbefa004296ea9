"""The tables of the report: which columns of the evaluation's tables are shown, and how."""

import json

import pandas as pd

from ser.audit.cue_words import told_by
from ser.evaluation.subgroups import tested_emotions
from ser.reporting.html_tables import Cell, Column, Table, count, interval, make_table, number, p_value, words
from ser.reporting.provenance import Changed, changed_settings, used_settings
from ser.reporting.reported_run import PSEUDO_MODELS, Run, collapse_mark, flat_settings
from ser.settings.all_sections import default_params

RECALL_DROP = "recall_drop_"  # and an emotion: a column of importance.csv
FEW = 6  # columns that any page has room for


def scores_table(run: Run) -> Table:
    """Return all models with chance and majority, best first."""
    scores = run.tables["scores"]
    wide = scores.pivot(index="model", columns="score")
    wide.columns = [f"{score} {bound}" for bound, score in wide.columns]
    order = [model for model in [*run.models, *PSEUDO_MODELS] if model in wide.index]
    names = ["uar", "accuracy", "f1_macro", "precision_macro", "auc_macro", "brier", "ece"]
    expected = [f"{name} {bound}" for name in names for bound in ("value", "low", "high")]
    frame = wide.reindex(index=order, columns=expected).reset_index()
    columns = [
        Column("model", lambda row: Cell(f"{row['model']} {collapse_mark(run, row['model'])}".strip()), numeric=False),
        number("UAR", "uar value", bar=True),
        interval("interval of UAR", "uar low", "uar high"),
        number("accuracy", "accuracy value"),
        interval("interval of accuracy", "accuracy low", "accuracy high"),
        number("macro F1", "f1_macro value"),
        number("macro precision", "precision_macro value"),
        number("AUC", "auc_macro value"),
        number("Brier", "brier value"),
        number("ECE", "ece value"),
    ]
    return make_table(frame, "Scores over all test clips", columns, source="scores.csv")


def collapsed_table(run: Run) -> Table:
    """Return the folds in which models tell nothing apart, with the likely reason."""
    place = {model: position for position, model in enumerate(run.models)}
    frame = run.tables["collapsed"].sort_values("model", key=lambda names: names.map(place), kind="stable")
    columns = [
        words("model", "model"),
        count("fold", "fold"),
        words("says", "emotion"),
        number("for this share of the test clips", "share"),
        number("UAR of the fold", "uar"),
        words("likely reason", "reason"),
    ]
    return make_table(frame, "Models that collapsed: one emotion for every clip", columns, source="collapsed.csv")


def emotions_table(run: Run) -> Table:
    """Return the scores of each emotion, of all models, best model first."""
    place = {model: position for position, model in enumerate(run.models)}
    frame = run.tables["per_class"].sort_values("model", key=lambda names: names.map(place), kind="stable")
    columns = [
        words("model", "model"),
        words("emotion", "emotion"),
        number("recall", "sensitivity", bar=True),
        interval("interval of recall"),
        number("precision", "precision"),
        number("F1", "f1"),
        number("specificity", "specificity"),
        number("AUC", "auc"),
        count("clips", "clips"),
    ]
    return make_table(frame, "Scores of each emotion against all others", columns, source="per_class.csv")


def differences_table(run: Run) -> Table:
    """Return all pairs of models, the largest difference first."""
    frame = run.tables["differences"].sort_values("difference", ascending=False, kind="stable")
    columns = [
        words("first", "first"),
        words("second", "second"),
        number("difference of UAR", "difference", signed=True),
        interval("interval", signed=True),
        p_value("p", "p"),
        p_value("p (Holm)", "p_holm"),
        words("verdict", "verdict"),
        count("only first right", "only_first_right"),
        count("only second right", "only_second_right"),
        p_value("McNemar p", "mcnemar_p"),
    ]
    return make_table(frame, "All pairs of models", columns, source="differences.csv")


def calibration_table(run: Run) -> Table:
    """Return how probabilities fare before and after temperature scaling."""
    place = {model: position for position, model in enumerate(run.models)}
    frame = run.tables["calibration"].sort_values("model", key=lambda names: names.map(place), kind="stable")
    columns = [words("model", "model"), number("temperature", "temperature", 2)]
    for label, name in (("ECE", "ece"), ("Brier", "brier"), ("log loss", "log_loss")):
        columns += [number(label, name), number(f"{label}, scaled", f"{name}_scaled")]
    return make_table(frame, "Calibration before and after temperature scaling", columns, source="calibration.csv")


def importance_table(run: Run) -> Table:
    """Return which groups of features matter for which emotion, best model first, in each what matters most first."""
    place = {model: position for position, model in enumerate(run.models)}
    frame = run.tables["importance"].sort_values("model", key=lambda names: names.map(place), kind="stable")
    emotions = [name.removeprefix(RECALL_DROP) for name in frame.columns if name.startswith(RECALL_DROP)]
    columns = [
        words("model", "model"),
        words("group", "group"),
        count("features", "features"),
        number("UAR", "uar_drop", signed=True),
        *(number(emotion, f"{RECALL_DROP}{emotion}", signed=True) for emotion in emotions),
    ]
    caption = "UAR lost, and recall of each emotion, when a group of features is exchanged between validation clips"
    return make_table(frame, caption, columns, source="importance.csv")


def speakers_table(run: Run) -> Table:
    """Return the speakers of the best model, worst first, then those who show fewer emotions."""
    about = run.clips.drop_duplicates("speaker").set_index("speaker")[["sex", "corpus"]]
    rows = _groups(run, ["speaker"]).join(about, on="value").fillna({"sex": "", "corpus": ""})
    columns = [
        words("speaker", "value"),
        words("sex", "sex"),
        words("corpus", "corpus"),
        count("clips", "clips"),
        _emotions(run),
        number("UAR", "uar", bar=True),
        number("accuracy", "accuracy"),
    ]
    return make_table(
        rows, f"UAR of {run.best} by speaker, worst first{_others_last(rows)}", columns, source="groups.csv"
    )


def groups_table(run: Run) -> Table:
    """Return sexes and corpora of the best model."""
    columns = [
        words("group", "group"),
        words("value", "value"),
        count("speakers", "speakers"),
        count("clips", "clips"),
        _emotions(run),
        number("UAR", "uar", bar=True),
        interval("interval"),
        number("accuracy", "accuracy"),
    ]
    frame = _groups(run, ["sex", "corpus"])
    return make_table(frame, f"UAR of {run.best} by sex and corpus{_others_last(frame)}", columns, source="groups.csv")


def gaps_table(run: Run) -> Table:
    """Return the spread over speakers, of all models."""
    place = {model: position for position, model in enumerate(run.models)}
    frame = run.tables["gaps"].sort_values("model", key=lambda names: names.map(place), kind="stable")
    columns = [
        words("model", "model"),
        count("speakers", "compared_speakers"),
        count("emotions", "compared_emotions"),
        words("worst speaker", "worst_speaker"),
        number("UAR of worst", "worst_uar"),
        words("best speaker", "best_speaker"),
        number("UAR of best", "best_uar"),
        number("SD over speakers", "speaker_deviation"),
    ]
    caption = "Spread over speakers, over the emotions that all who are compared show"
    return make_table(frame, caption, columns, source="gaps.csv")


def sexes_table(run: Run) -> Table:
    """Return the gap between the sexes, of all models."""
    place = {model: position for position, model in enumerate(run.models)}
    frame = run.tables["gaps"].dropna(subset="sex_gap")
    frame = frame.sort_values("model", key=lambda names: names.map(place), kind="stable")
    columns = [
        words("model", "model"),
        count("emotions of both sexes", "sex_emotions"),
        number("UAR, female − male", "sex_gap", signed=True),
        interval("interval", "sex_gap_low", "sex_gap_high", signed=True),
    ]
    return make_table(frame, "Gap between the sexes, over the emotions that both show", columns, source="gaps.csv")


def cues_table(run: Run) -> Table:
    """Return what the properties of the raw files alone tell."""
    told = told_by(run.tables["cues"])
    frame = pd.DataFrame(
        [(one.whose, one.name, one.uar, one.chance, one.uar - one.chance, one.p, one.verdict_words) for one in told],
        columns=["corpus", "property", "uar", "chance", "excess", "p", "verdict"],
    )
    columns = [
        words("corpus", "corpus"),
        words("property", "property"),
        number("UAR", "uar"),
        number("chance", "chance"),
        number("above chance", "excess", signed=True),
        *([p_value("p", "p")] if any(one.p is not None for one in told) else []),
        Column("verdict", lambda row: Cell(row["verdict"]), numeric=False),
    ]
    caption = "How well single properties of the raw files tell the emotions"
    return make_table(frame, caption, columns, source="data/cues.csv", longest=60)


def quarantine_table(run: Run) -> Table:
    """Return the files that could not be used."""
    columns = [words("corpus", "corpus"), words("file", "file"), words("reason", "reason")]
    return make_table(run.tables["quarantine"], "Files that were left out", columns, source="data/quarantine.csv")


def counts_table(run: Run, by: str) -> Table:
    """Return the clips by emotion and a column of ``counts.csv``: whichever has more values than fit has the rows."""
    counts = run.tables["counts"]
    counts = counts.assign(**{by: counts[by].replace("", "unknown")})
    rows, beside = ("emotion", by) if counts[by].nunique() <= max(counts["emotion"].nunique(), FEW) else (by, "emotion")
    table = counts.pivot_table(index=rows, columns=beside, values="clips", aggfunc="sum", fill_value=0)
    names = [str(name) for name in table.columns]
    table.columns = [f"clips of {name}" for name in names]
    table["clips"] = table.sum(axis=1)
    frame = table.reset_index()
    columns = [words(rows, rows), *(count(name, f"clips of {name}") for name in names), count("all", "clips")]
    return make_table(frame, f"Clips by {rows} and {beside}", columns, source="data/counts.csv")


def settings_table(run: Run) -> Table:
    """Return every setting by its dotted key; of a trainer that is left out only that it is."""
    flat = flat_settings(used_settings(run.settings))
    frame = pd.DataFrame(
        {"key": list(flat), "value": [json.dumps(value, ensure_ascii=False) for value in flat.values()]}
    )
    columns = [words("key", "key"), words("value", "value")]
    return make_table(frame, "Settings of the run (params.yaml)", columns, longest=1000)


def changed_table(run: Run) -> Table:
    """Return the settings that differ from the defaults."""
    changed = changed_settings(run.settings, default_params().model_dump())
    columns = [words("key", "key"), words("default", "default"), words("here", "here")]
    frame = pd.DataFrame(changed, columns=Changed._fields)
    return make_table(frame, "Settings that differ from the defaults", columns, longest=1000)


def _groups(run: Run, kinds: list[str]) -> pd.DataFrame:
    groups = run.tables["groups"]
    rows = groups[(groups["model"] == run.best) & groups["group"].isin(kinds)]
    tested = tested_emotions(run.protocol["chance"])
    rows = rows.assign(rank=rows["group"].map(kinds.index), lacking=rows["emotions"] < tested)
    return rows.sort_values(["rank", "lacking", "uar", "value"], kind="stable", ignore_index=True)


def _emotions(run: Run) -> Column:
    """Return the column that says of a group how many emotions it shows, marked where it lacks some."""
    tested = tested_emotions(run.protocol["chance"])

    def cell(row: dict) -> Cell:
        mark = "⚠ " if row["lacking"] else ""
        return Cell(f"{mark}{row['emotions']:.0f} of {tested}", float(row["emotions"]))

    return Column("emotions", cell)


def _others_last(rows: pd.DataFrame) -> str:
    """Return what the caption of a table of `_groups` has to add."""
    return "; ⚠: over fewer emotions, not to be compared with the others" if rows["lacking"].any() else ""


TABLES_OF_THE_REPORT = {
    "scores": scores_table,
    "collapsed": collapsed_table,
    "emotions": emotions_table,
    "importance": importance_table,
    "differences": differences_table,
    "calibration": calibration_table,
    "speakers": speakers_table,
    "groups": groups_table,
    "gaps": gaps_table,
    "sexes": sexes_table,
    "cues": cues_table,
    "quarantine": quarantine_table,
    "changed": changed_table,
}

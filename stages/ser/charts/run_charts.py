"""All charts of a run, each drawn once and written twice: as a picture, and as a part of the report's page."""

import shutil
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ser.charts.curves import coverage_chart, precision_recall_chart, reliability_chart, roc_chart, training_chart
from ser.charts.figures import save_png, svg
from ser.charts.score_plots import confusion_chart, groups_chart, importance_chart, scores_chart, speakers_chart
from ser.evaluation.model_scores import CHANCE, MAJORITY
from ser.lettering.picture_letters import Lettering
from ser.storage.whole_files import written

LABELS = {  # what a screen reader says in the report; that has its own confusion matrices
    "scores": "Unweighted average recall of every model with its interval; the numbers are in the table of scores.",
    "roc": "ROC curves of the models, mean of the emotions.",
    "precision_recall": "Precision-recall curves of the models, mean of the emotions.",
    "reliability": "Accuracy against confidence of the best models, before and after temperature scaling.",
    "coverage": "Accuracy over the clips that a model is most certain of, against their share.",
    "speakers": "UAR of {best} on each speaker; the numbers are in the table of speakers.",
    "groups": "UAR of {best} by sex and by corpus; the numbers are in the table of groups.",
    "training_curves": "Loss, accuracy and UAR by epoch of the models that are trained in epochs.",
    "importance": "UAR lost without each group of features, by model.",
}
WITHOUT_PICTURE = ("groups",)


def write_charts(
    tables: dict[str, pd.DataFrame], clips: pd.DataFrame, protocol: dict, *, pictures: Path, parts: Path
) -> None:
    """Write the charts that there are numbers for.

    Parameters
    ----------
    tables : dict of str to pd.DataFrame
        Those of ``reports/``, by name.
    clips : pd.DataFrame
        The table of clips.
    protocol : dict
        What ``reports/protocol.json`` says; a warning stands on every picture, and once in the report.
    pictures, parts : Path
        Folders of the PNG and of the SVG files; what was in them before is gone.
    """
    for folder in (pictures, parts):
        shutil.rmtree(folder, ignore_errors=True)
    lettering = Lettering(protocol["emotions"])
    for name, figure in _figures(tables, clips, protocol).items():
        lettering.use_fonts(figure)  # before either is laid out; a page is drawn with the reader's own fonts
        if name in LABELS:
            with written(parts / f"{name}.svg") as temporary:
                temporary.write_text(svg(figure, LABELS[name].format(best=protocol["best"])), encoding="utf-8")
        if name not in WITHOUT_PICTURE:
            save_png(figure, pictures / f"{name}.png", protocol["warning"], lettering=lettering)
    if lettering.note():
        print(lettering.note())


def _figures(tables: dict[str, pd.DataFrame], clips: pd.DataFrame, protocol: dict) -> dict[str, Figure]:
    best, chance = protocol["best"], protocol["chance"]
    models = [model for model in tables["scores"]["model"].unique() if model not in (CHANCE, MAJORITY)]
    groups = tables["groups"][tables["groups"]["model"] == best]
    figures = {
        "scores": scores_chart(tables["scores"]),
        "confusion": confusion_chart(tables["confusion"]),
        "roc": roc_chart(tables["roc"], tables["scores"]),
        "precision_recall": precision_recall_chart(tables["precision_recall"], highlight=models),
        "reliability": reliability_chart(tables["reliability"], models),
        "coverage": coverage_chart(tables["coverage"], highlight=models),
    }
    if (groups["group"] == "speaker").any():
        sex = clips.drop_duplicates("speaker").set_index("speaker")["sex"].to_dict()
        figures["speakers"] = speakers_chart(groups, best, chance, sex=sex)
    if groups["group"].isin(["sex", "corpus"]).any():
        figures["groups"] = groups_chart(groups, best, chance)
    if len(tables["training"]):
        figures["training_curves"] = training_chart(tables["training"], chance)
    if len(tables["importance"]):
        figures["importance"] = importance_chart(tables["importance"])
    return figures

"""Charts: what is drawn, told from the pixels, and the same bytes each time."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from ser.charts import RED, confusion_chart, mean_over_folds, roc_chart, score_chart, training_chart

EMOTIONS = ["anger", "fear", "joy"]
WARNING = "speaker-dependent split: not comparable with results on unseen speakers (split.scheme is random)"


def draw_confusion(path: Path, warning: str) -> None:
    counts = pd.DataFrame([[5, 1, 0], [0, 0, 0], [2, 2, 2]], index=EMOTIONS, columns=EMOTIONS)
    shares = counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0)
    confusion_chart(shares, counts, path, title="svm", warning=warning)


def draw_roc(path: Path, warning: str) -> None:
    rates = np.linspace(0, 1, 11)
    models = [f"model_{i:02d}" for i in range(12)]
    curves = {model: pd.DataFrame({"fpr": rates, "tpr": rates ** (1 / (i + 1))}) for i, model in enumerate(models)}
    areas = {model: 1 - 1 / (i + 2) for i, model in enumerate(models)}
    roc_chart(curves, areas, path, warning=warning)


def draw_scores(path: Path, warning: str) -> None:
    score_chart({"svm": 0.61, "lstm": 0.72}, 0.25, path, warning=warning)


def history() -> pd.DataFrame:
    """Return two models of two folds; fold 1 stops after 3 of 5 epochs."""
    rows = [(model, fold, epoch) for model in ("a", "b") for fold in (0, 1) for epoch in range(1, 4 if fold else 6)]
    table = pd.DataFrame(rows, columns=["model", "fold", "epoch"])
    series = ["loss", "accuracy", "validation_loss", "validation_accuracy", "validation_uar"]
    return table.assign(**dict.fromkeys(series, 0.1 * table["epoch"] + 0.2 * table["fold"]))


def draw_training(path: Path, warning: str) -> None:
    training_chart(history(), 0.25, path, warning=warning)


CHARTS = [draw_confusion, draw_roc, draw_scores, draw_training]


def red_pixels(path: Path) -> int:
    """Count the pixels that have exactly the banner's colour."""
    pixels = np.round(matplotlib.image.imread(path)[..., :3] * 255).astype(int)
    return int((pixels == [int(RED[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=-1).sum())


@pytest.mark.parametrize("draw", CHARTS)
def test_a_chart_is_the_same_bytes_each_time(draw, tmp_path):
    draw(tmp_path / "one.png", "")
    draw(tmp_path / "two.png", "")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert b"Matplotlib" not in (tmp_path / "one.png").read_bytes()


@pytest.mark.parametrize("draw", CHARTS)
def test_a_warning_is_a_red_banner_within_the_picture(draw, tmp_path):
    draw(tmp_path / "plain.png", "")
    draw(tmp_path / "warned.png", WARNING)
    assert red_pixels(tmp_path / "plain.png") == 0
    assert red_pixels(tmp_path / "warned.png") > 200
    edges = matplotlib.image.imread(tmp_path / "warned.png")[:, [0, -1], :3]
    assert (edges == 1).all()


def test_the_mean_ends_where_less_than_half_of_the_folds_are_left():
    rows = history().query("model == 'a'")
    mean = mean_over_folds(rows, "loss")
    assert mean.index.tolist() == [1, 2, 3, 4, 5]
    assert np.allclose(mean, [0.2, 0.3, 0.4, 0.4, 0.5])
    third = rows[rows["fold"] == 1].assign(fold=2)
    assert mean_over_folds(pd.concat([rows, third]), "loss").index.tolist() == [1, 2, 3]


def test_epochs_without_a_value_do_not_enter_the_mean():
    rows = history().query("model == 'a'")
    rows.loc[rows["fold"] == 1, "loss"] = np.nan
    assert np.allclose(mean_over_folds(rows, "loss"), [0.1, 0.2, 0.3, 0.4, 0.5])

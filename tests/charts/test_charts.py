"""Charts: what is drawn, told from the figures and the pixels, and the same bytes each time."""

import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from report_tables import make_clips, make_predictions, write_evaluation
from ser.charts.curves import (
    coverage_chart,
    mean_over_folds,
    precision_recall_chart,
    reliability_chart,
    roc_chart,
    training_chart,
)
from ser.charts.figures import HIGHLIGHTED, RED, save_png, short_name, svg
from ser.charts.score_plots import confusion_chart, groups_chart, importance_chart, scores_chart, speakers_chart
from ser.reporting.reported_run import TABLES, read_table

WARNING = "speaker-dependent split: not comparable with results on unseen speakers (split.scheme is random)"
EMOTIONS = ["anger", "fear", "joy"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> dict[str, pd.DataFrame]:
    """The tables of an evaluation of seven models on eight speakers."""
    folder = tmp_path_factory.mktemp("reports")
    clips = make_clips(speakers=8, emotions=EMOTIONS)
    models = {f"model_{i}": make_predictions(clips, 0.5 + 0.4 * i, i, EMOTIONS) for i in range(7)}
    write_evaluation(folder, clips, models)
    tables = {name: read_table(folder / f"{name}.csv") for name in (*TABLES, "confusion")}
    return tables | {name: tables[name][tables[name]["model"] > "model_5"] for name in ("training", "importance")}


DRAW = {
    "scores": lambda t: scores_chart(t["scores"]),
    "confusion": lambda t: confusion_chart(t["confusion"]),
    "roc": lambda t: roc_chart(t["roc"], t["scores"]),
    "precision_recall": lambda t: precision_recall_chart(t["precision_recall"]),
    "reliability": lambda t: reliability_chart(t["reliability"], ["model_6", "model_5"]),
    "coverage": lambda t: coverage_chart(t["coverage"]),
    "training": lambda t: training_chart(t["training"], 1 / 3),
    "speakers": lambda t: speakers_chart(t["groups"], "model_6", 1 / 3),
    "groups": lambda t: groups_chart(t["groups"], "model_6", 1 / 3),
    "importance": lambda t: importance_chart(t["importance"]),
}


def red_pixels(path: Path) -> int:
    """Count the pixels that have exactly the banner's colour."""
    pixels = np.round(matplotlib.image.imread(path)[..., :3] * 255).astype(int)
    return int((pixels == [int(RED[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=-1).sum())


def words_of(figure: Figure) -> list[str]:
    """Return all texts of a figure, those of its legends and ticks included."""
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


@pytest.fixture(scope="module")
def drawn(tables, tmp_path_factory) -> dict[str, tuple[Path, str]]:
    """Each chart as a PNG file and as SVG, drawn once."""
    folder = tmp_path_factory.mktemp("drawn")
    return {name: draw_to(folder / f"{name}.png", name, tables) for name in DRAW}


def draw_to(path: Path, name: str, tables: dict[str, pd.DataFrame]) -> tuple[Path, str]:
    figure = DRAW[name](tables)
    save_png(figure, path)
    return path, svg(figure, f'the "{name}" <chart>')


@pytest.mark.parametrize("name", DRAW)
def test_a_chart_is_the_same_bytes_each_time(name, tables, drawn, tmp_path):
    path, text = draw_to(tmp_path / "again.png", name, tables)
    assert path.read_bytes() == drawn[name][0].read_bytes()
    assert text == drawn[name][1]
    assert b"Matplotlib" not in path.read_bytes()
    assert "Matplotlib" not in text


@pytest.mark.parametrize("name", DRAW)
def test_a_warning_is_a_red_banner_within_the_picture(name, tables, drawn, tmp_path):
    save_png(DRAW[name](tables), tmp_path / "warned.png", WARNING)
    assert red_pixels(drawn[name][0]) == 0
    assert red_pixels(tmp_path / "warned.png") > 200
    edges = matplotlib.image.imread(tmp_path / "warned.png")[:, [0, -1], :3]
    assert (edges == 1).all()


@pytest.mark.parametrize(("warning", "times"), [("", 1), (WARNING, 2)])
def test_a_chart_that_is_written_twice_is_laid_out_once_unless_a_banner_joins_it(
    tables, monkeypatch, tmp_path, warning, times
):
    laid_out, execute = [], ConstrainedLayoutEngine.execute
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", lambda self, fig: laid_out.append(execute(self, fig)))
    figure = DRAW["coverage"](tables)
    assert "<text" in svg(figure, "coverage")
    save_png(figure, tmp_path / "coverage.png", warning)
    assert len(laid_out) == times


def test_svg_suits_a_page_that_holds_several(drawn):
    pages = {name: text for name, (_, text) in drawn.items()}
    identifiers = [identifier for text in pages.values() for identifier in re.findall(r'\bid="([^"]+)"', text)]
    assert len(identifiers) == len(set(identifiers)) > 20
    for name, text in pages.items():
        root = ElementTree.fromstring(text)
        assert root.get("role") == "img"
        assert root.get("aria-label") == f'the "{name}" <chart>'
        assert root.get("viewBox")
        assert root.get("width") is None
        assert "<text" in text
        assert "#000000" not in text
        assert "<style" not in text
        used = set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", text))
        assert used <= set(re.findall(r'\bid="([^"]+)"', text))


def test_numbers_of_labels_keep_all_their_digits(tables):
    uar = tables["scores"].query("score == 'uar' and model == 'model_6'")["value"].iloc[0]
    assert f">{uar:.3f}<" in svg(scores_chart(tables["scores"]), "scores")


def test_scores_are_sorted_and_chance_is_a_line(tables):
    axes = scores_chart(tables["scores"]).axes[0]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    uar = tables["scores"].query("score == 'uar'").set_index("model")["value"]
    assert labels[::-1] == list(uar.drop(["chance", "majority"]).index)
    lines = {line.get_label(): line.get_xdata()[0] for line in axes.get_lines() if "chance" in line.get_label()}
    assert lines == {"chance and majority 0.333": pytest.approx(1 / 3, abs=1e-4)}


def test_without_intervals_points_are_left(tables):
    bare = tables["scores"].assign(low=np.nan, high=np.nan)
    figure = scores_chart(bare)
    assert [len(lines.get_segments()) for lines in figure.axes[0].collections] == [0]
    assert len(figure.axes[0].get_lines()[0].get_xdata()) == 7


def test_few_models_have_a_colour_and_the_others_share_an_entry(tables):
    figure = roc_chart(tables["roc"], tables["scores"])
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(entries) == HIGHLIGHTED + 2
    assert entries[HIGHLIGHTED].startswith("3 others")
    area = tables["scores"].query("score == 'auc_macro' and model == 'model_6'")["value"].iloc[0]
    assert f"model_6  {area:.3f}" in entries


def test_a_model_has_the_same_colour_in_all_charts_of_curves(tables):
    order = list(tables["scores"].query("score == 'uar'")["model"][:7])
    colors = []
    for figure in (
        roc_chart(tables["roc"], tables["scores"]),
        precision_recall_chart(tables["precision_recall"], highlight=order),
        coverage_chart(tables["coverage"], highlight=order),
    ):
        lines = {line.get_label().split()[0]: line.get_color() for line in figure.axes[0].get_lines()}
        colors.append([lines[model] for model in order[:HIGHLIGHTED]])
    assert colors[0] == colors[1] == colors[2]
    assert len(set(colors[0])) == HIGHLIGHTED


def test_chance_of_precision_is_the_mean_share_of_the_emotions(tables):
    assert "chance  0.333" in words_of(precision_recall_chart(tables["precision_recall"]))


def test_an_absent_emotion_is_a_dash_in_the_confusion_matrix(tables):
    confusion = tables["confusion"].copy()
    confusion.loc[confusion["actual"] == "fear", ["clips", "share"]] = [0, np.nan]
    assert words_of(confusion_chart(confusion)).count("–") == 3


@pytest.mark.parametrize("speakers", [91, 1000])
def test_many_speakers_are_dots_and_only_the_ends_are_named(speakers):
    rows = {
        "model": "a",
        "group": "speaker",
        "value": [f"c:{i:04d}" for i in range(speakers)],
        "clips": 10,
        "emotions": 4,
    }
    groups = pd.DataFrame(rows).assign(uar=np.linspace(0.2, 0.9, speakers))
    figure = speakers_chart(groups, "a", 0.25, sex=dict.fromkeys(groups["value"][::2], "female"))
    words = words_of(figure)
    assert [word for word in words if word.startswith("c:")] == ["c:0000", f"c:{speakers - 1:04d}"]
    assert f"female ({(speakers + 1) // 2})" in words
    assert figure.get_figheight() < 5


def test_names_are_no_formulas(tables):
    hostile = "x:$\\frac{1}{"
    groups = tables["groups"].replace(
        {"value": {tables["groups"].query("group == 'speaker'")["value"].iloc[0]: hostile}}
    )
    assert hostile in words_of(speakers_chart(groups, "model_6", 1 / 3))


def history() -> pd.DataFrame:
    """Return a model of two folds; fold 1 stops after 3 of 5 epochs."""
    rows = [("a", fold, epoch) for fold in (0, 1) for epoch in range(1, 4 if fold else 6)]
    table = pd.DataFrame(rows, columns=["model", "fold", "epoch"])
    return table.assign(loss=0.1 * table["epoch"] + 0.2 * table["fold"])


def test_the_mean_ends_where_less_than_half_of_the_folds_are_left():
    rows = history()
    mean = mean_over_folds(rows, "loss")
    assert mean.index.tolist() == [1, 2, 3, 4, 5]
    assert np.allclose(mean, [0.2, 0.3, 0.4, 0.4, 0.5])
    third = rows[rows["fold"] == 1].assign(fold=2)
    assert mean_over_folds(pd.concat([rows, third]), "loss").index.tolist() == [1, 2, 3]


def test_epochs_without_a_value_do_not_enter_the_mean():
    rows = history()
    rows.loc[rows["fold"] == 1, "loss"] = np.nan
    assert np.allclose(mean_over_folds(rows, "loss"), [0.1, 0.2, 0.3, 0.4, 0.5])


def lacking(tables: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, str]:
    """Return the groups where the speaker with the highest UAR shows two of three emotions, and who that is."""
    groups = tables["groups"].query("model == 'model_6'").copy()
    best = groups[groups["group"] == "speaker"].sort_values(["uar", "value"]).index[-1]
    groups.loc[best, "emotions"] = 2
    return groups, groups.at[best, "value"]


def test_a_speaker_who_lacks_emotions_is_hollow_named_so_and_not_in_the_mean(tables):
    groups, speaker = lacking(tables)
    figure = speakers_chart(groups, "model_6", 1 / 3)
    words, others = words_of(figure), groups[(groups["group"] == "speaker") & (groups["value"] != speaker)]
    assert f"{speaker}, 2 of 3 emotions" in words
    assert f"mean of the speakers {others['uar'].mean():.3f}" in words
    assert "fewer than 3 emotions (1)" in words
    faces = figure.axes[0].collections[0].get_facecolors()
    assert [face[3] for face in faces] == [1] * 7 + [0]
    assert not [word for word in words_of(speakers_chart(tables["groups"], "model_6", 1 / 3)) if "emotions" in word]


def test_a_speaker_who_lacks_emotions_comes_last_and_is_not_the_best(tables):
    groups, speaker = lacking(tables)
    groups.loc[groups["value"] == speaker, "uar"] = 0.0
    labels = [text.get_text() for text in speakers_chart(groups, "model_6", 1 / 3).axes[0].get_yticklabels()]
    assert labels[-1] == f"{speaker}, 2 of 3 emotions"
    many = pd.DataFrame({"model": "a", "group": "speaker", "value": [f"c:{i:04d}" for i in range(50)], "clips": 10})
    many = many.assign(uar=np.linspace(0.2, 0.9, 50), emotions=np.where(np.arange(50) < 48, 4, 2))
    words = words_of(speakers_chart(many, "a", 0.25))
    assert [word for word in words if word.startswith("c:")] == ["c:0000", "c:0047"]
    assert "50 speakers, worst first, hollow last" in words


def test_a_group_that_lacks_emotions_says_so(tables):
    groups = tables["groups"].query("model == 'model_6'").copy()
    groups.loc[groups["value"] == "female", "emotions"] = 2
    words = words_of(groups_chart(groups, "model_6", 1 / 3))
    assert "female (4 speakers), 2 of 3 emotions" in words
    assert "male (4 speakers)" in words


def test_a_long_name_keeps_its_beginning_and_its_end():
    name = "wav2vec2-large-robust-12-ft-emotion-msp-dim2_frozen"
    assert short_name(name) == "wav2vec2-…sp-dim2_frozen"
    assert [len(short_name(name, longest)) for longest in (10, 21, 50, 51)] == [10, 21, 50, 51]
    assert short_name("discriminant_analysis", 21) == "discriminant_analysis"


def test_the_chart_of_the_scores_grows_with_the_names():
    rows = {"score": "uar", "value": [0.5, 0.4, 0.25], "low": 0.3, "high": 0.6}
    names = ("discriminant_analysis", "x" * 60)
    short, long = (scores_chart(pd.DataFrame({"model": ["mlp", name, "chance"], **rows})) for name in names)
    assert short.get_size_inches()[0] == 5.4
    for figure in (short, long):
        figure.draw_without_rendering()
        assert figure.axes[0].get_position().width * figure.get_size_inches()[0] > 2

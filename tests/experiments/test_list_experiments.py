"""The table and the chart of experiments, of real ones and of made-up tables."""

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from ser.charts.parallel_coordinates import axis_heights, parallel_coordinates
from ser.errors import InputError
from ser.experiments.listing import parameters_of, read_experiments, tabulate_experiments
from toy_repository import call, dvc, run, toy_repository


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A commit with an experiment that ran and one that waits."""
    folder = toy_repository(tmp_path_factory.mktemp("toy"))
    change = "train_ml.svm_rbf.C="
    dvc(folder, "exp", "run", "--temp", "-C", "data/raw/clip.txt", "-n", "new", "-S", f"{change}10.0")
    dvc(folder, "exp", "run", "--queue", "-n", "waits", "-S", f"{change}20.0", "-S", "tune.trials=3")
    return folder


def test_table_of_real_experiments(repository):
    printed = call(repository, "experiments")
    table = pd.read_csv(repository / "reports/experiments.csv").set_index("experiment")
    assert list(table.index) == ["new", "main", "waits"]  # by validation; by test it would be the other way round
    assert list(table["train_ml.svm_rbf.C"]) == [10.0, 5.0, 20.0]
    assert parameters_of(table) == ["train_ml.svm_rbf.C"]  # neither what they share nor tune.trials
    assert table.loc["new", ["validation_uar", "test_uar", "test_low", "test_high"]].to_list() == [
        0.825,
        0.575,
        0.525,
        0.625,
    ]
    assert table.loc["waits", "state"] == "queued"
    assert table.loc["waits", ["validation_uar", "test_uar", "test_low"]].isna().all()
    assert list(table["parent"].fillna("")) == ["main", "", "main"]
    assert "choose by the validation UAR" in printed and "0.825" in printed
    assert matplotlib.image.imread(repository / "reports/experiments.png").std() > 0.05
    assert run(repository, "git", "status", "--porcelain") == ""


def test_those_of_all_commits(repository, monkeypatch):
    monkeypatch.chdir(repository)
    start = run(repository, "git", "rev-parse", "HEAD")[:7]
    run(repository, "git", "commit", "-q", "--allow-empty", "-m", "later")
    assert set(read_experiments("svm_rbf")["experiment"]) == {"main"}
    table = read_experiments("svm_rbf", everything=True).set_index("experiment")
    assert table.loc["new", "parent"] == start
    assert table.loc["new", "validation_uar"] == 0.825


def test_unknown_model(repository, monkeypatch):
    monkeypatch.chdir(repository)
    with pytest.raises(InputError, match="no experiment has a score of cnn"):
        read_experiments("cnn")


def test_parameters_that_not_all_have():
    commit = {"State": None, "typ": "baseline", "validation.m": 0.5, "m.uar": 0.4, "evaluate.x": 1}
    failed = commit | {
        "Experiment": "a",
        "rev": "1234567",
        "typ": "branch_base",
        "State": "Failed",
        "validation.m": None,
    }
    rows = [
        commit | {"Experiment": None, "rev": "workspace", "train_ml.select": 1},
        commit | {"Experiment": None, "rev": "main", "fuse.members": "[]", "train_ml.tune": "True"},
        failed | {"fuse.members": None, "train_ml.tune": "False"},
        failed | {"fuse.members": None, "train_ml.tune": None},
    ]
    table = tabulate_experiments(rows, "m")
    assert parameters_of(table) == ["train_ml.tune"]  # of members there is one value, of the workspace no row
    assert list(table["state"]) == ["", "failed", "failed"]


def test_heights_on_an_axis():
    heights, ticks = axis_heights(pd.Series([0.001, 0.1, 0.01, None], dtype=object))
    np.testing.assert_allclose(heights, [0, 1, 0.5, np.nan])  # logarithmic: they span more than a decade
    assert [label for _, label in ticks] == ["0.001", "0.01", "0.1"]
    heights, _ = axis_heights(pd.Series([1, 3, 2]))
    np.testing.assert_allclose(heights, [0, 1, 0.5])
    heights, ticks = axis_heights(pd.Series(["scale", 1.0, 2.0, None], dtype=object))
    assert heights[0] > heights[2] > heights[1] == 0 and np.isnan(heights[3])
    assert {label for _, label in ticks} == {"scale", "1", "2"}
    heights, ticks = axis_heights(pd.Series(["b", "a", "b"]))
    np.testing.assert_allclose(heights, [1, 0, 1])
    assert axis_heights(pd.Series([7.0, 7.0]))[1] == [(0.5, "7")]


@pytest.mark.parametrize("count", [1, 2, 200])
def test_chart_of_one_and_of_many(tmp_path, count):
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "train_ml.svm_rbf.C": 10 ** random.uniform(-1, 2, count),
            "train_ml.svm_rbf.gamma": random.choice(np.array(["scale", 0.01, None], dtype=object), count),
            "train_ml.tune": random.choice(["True", "False"], count),
            "validation_uar": random.uniform(0.5, 0.9, count),
        }
    )
    if count > 1:
        table.loc[1, "validation_uar"] = np.nan  # a failed one
    columns = list(table.columns[:-1]) if count > 1 else []
    for name in ("a.png", "b.png"):
        parallel_coordinates(table, columns, "validation_uar", tmp_path / name, title="t")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    pixels = matplotlib.image.imread(tmp_path / "a.png")
    assert pixels.shape[1] > 400 and pixels[..., :3].std() > 0.02

"""The stages `fuse` and `evaluate`, run as `dvc repro` runs them, on synthetic predictions."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dvc_render import VegaRenderer
from sklearn.metrics import recall_score

from conftest import ROOT, run_script, run_stage
from evaluate import SERIES, evaluate, print_by_corpus, print_summary, read_all
from ser.errors import InputError
from ser.evaluation.model_scores import best_model, ranking
from ser.storage.csv_tables import write_csv
from ser.storage.prediction_tables import emotions_of, read_predictions, write_predictions
from synthetic_predictions import collapsed_in, write_trained

EMOTIONS = ["anger", "fear", "happiness", "neutral", "sadness"]
MODELS = {  # model: trainer, how well it separates the emotions
    "cnn": ("train_cnn", 0.3),
    "lstm": ("train_lstm", 1.5),
    "svm_rbf": ("train_ml", 1.2),
}
FOLDS = 4


def synthetic_clips() -> pd.DataFrame:
    """Return 12 speakers with 5 sentences in each emotion."""
    rows = [
        {
            "clip": f"demo/{speaker:02d}_{emotion}_{sentence}",
            "corpus": "demo",
            "speaker": f"demo:{speaker:02d}",
            "sex": "female" if speaker % 2 else "male",
            "emotion": emotion,
            "statement": str(sentence),
        }
        for speaker in range(12)
        for emotion in EMOTIONS
        for sentence in range(5)
    ]
    return pd.DataFrame(rows).sort_values("clip", ignore_index=True)


def synthetic_folds(clips: pd.DataFrame) -> pd.DataFrame:
    """Return four folds by speaker; the validation part of each is one speaker of the next."""
    speaker = clips["speaker"].str[-2:].astype(int)
    folds = {"clip": clips["clip"]}
    for fold in range(FOLDS):
        validation = speaker == (fold + 1) % FOLDS
        folds[f"fold_{fold}"] = np.select([speaker % FOLDS == fold, validation], ["test", "validation"], "train")
    return pd.DataFrame(folds)


def synthetic_predictions(clips: pd.DataFrame, folds: pd.DataFrame, separation: float, seed: int) -> pd.DataFrame:
    """Return a prediction table of a model whose scores for the true emotion are `separation` deviations higher."""
    rng = np.random.default_rng(seed)
    parts = []
    for fold in range(FOLDS):
        rows = clips.assign(fold=fold, part=folds[f"fold_{fold}"])
        parts.append(rows[rows["part"] != "train"])
    table = pd.concat(parts, ignore_index=True)[["clip", "fold", "part", "emotion"]]
    logits = rng.normal(size=(len(table), len(EMOTIONS)))
    logits += separation * (table["emotion"].to_numpy()[:, None] == np.array(EMOTIONS))
    odds = np.exp(logits)
    return table.join(pd.DataFrame(odds / odds.sum(axis=1, keepdims=True), columns=[f"p_{e}" for e in EMOTIONS]))


def synthetic_history(epochs: int, seed: int) -> pd.DataFrame:
    """Return learning curves of `FOLDS` folds that stop after `epochs` epochs and then one later each."""
    rng = np.random.default_rng(seed)
    rows = []
    for fold in range(FOLDS):
        epoch = np.arange(1, epochs + fold + 1)
        fit = 1 - np.exp(-epoch / 5)
        noise = rng.normal(scale=0.03, size=(5, len(epoch)))
        series = [1.6 - 1.3 * fit, 0.2 + 0.7 * fit, 1.6 - 0.6 * fit, 0.2 + 0.4 * fit, 0.2 + 0.38 * fit]
        names = ["loss", "accuracy", "validation_loss", "validation_accuracy", "validation_uar"]
        rows.append(pd.DataFrame({"fold": fold, "epoch": epoch, **dict(zip(names, series + noise, strict=True))}))
    return pd.concat(rows, ignore_index=True)


def write_inputs(folder: Path, models: dict[str, tuple[str, float]] = MODELS) -> None:
    """Write all that the two stages read."""
    clips = synthetic_clips()
    folds = synthetic_folds(clips)
    write_csv(clips.assign(seconds=2.0), folder / "data/prepared/clips.csv")
    write_csv(folds, folder / "data/folds.csv")
    trained: dict[str, dict[str, pd.DataFrame]] = {}
    for seed, (model, (trainer, separation)) in enumerate(models.items()):
        trained.setdefault(trainer, {})[model] = synthetic_predictions(clips, folds, separation, seed)
        if trainer != "train_ml":
            write_csv(synthetic_history(12 + seed, seed), folder / "data/history" / trainer / f"{model}.csv")
        importance = pd.DataFrame({"fold": range(FOLDS), "group": "pitch", "features": 3, "uar_drop": 0.1})
        for emotion in emotions_of(trained[trainer][model]):
            importance[f"recall_drop_{emotion}"] = [0.2 * len(emotion), *[np.nan] * (FOLDS - 1)]
        write_csv(importance, folder / "data/importance" / trainer / f"{model}.csv")
    for trainer, tables in trained.items():
        write_trained(folder, trainer, tables)
    shutil.copy(ROOT / "params.yaml", folder / "params.yaml")
    (folder / "stages").symlink_to(ROOT / "stages")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which both stages have run, and what `evaluate` printed."""
    folder = tmp_path_factory.mktemp("evaluated")
    write_inputs(folder)
    assert run_stage(folder, "fuse").returncode == 0
    result = run_stage(folder, "evaluate")
    assert result.returncode == 0, result.stderr
    return folder, result.stdout


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder with all inputs, in which no stage has run."""
    write_inputs(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_metrics_are_those_of_the_predictions(evaluated):
    folder, _ = evaluated
    metrics = json.loads((folder / "reports/metrics.json").read_text())
    assert list(metrics) == sorted([*MODELS, "ensemble"])
    for model, (trainer, _) in MODELS.items():
        table = pd.read_csv(folder / "data/predictions" / trainer / f"{model}.csv").query("part == 'test'")
        predicted = table[[f"p_{e}" for e in EMOTIONS]].idxmax(axis=1).str.removeprefix("p_")
        assert metrics[model]["uar"] == round(recall_score(table["emotion"], predicted, average="macro"), 4)
    assert all(isinstance(value, float) for scores in metrics.values() for value in scores.values())


def test_fusing_independent_models_is_better_than_the_mean_member(evaluated):
    metrics = json.loads((evaluated[0] / "reports/metrics.json").read_text())
    members = [metrics[model]["uar"] for model in MODELS]
    assert metrics["ensemble"]["uar"] > np.mean(members) + 0.1


OF_EVERY_MODEL = ["per_class", "groups", "gaps", "calibration", "reliability", "coverage", "roc", "precision_recall"]
CHARTS = [
    "confusion",
    "coverage",
    "importance",
    "precision_recall",
    "reliability",
    "roc",
    "scores",
    "speakers",
    "training_curves",
]


def test_tables_hold_every_model(evaluated):
    reports = evaluated[0] / "reports"
    models = sorted([*MODELS, "ensemble"])
    tables = {path.stem: pd.read_csv(path) for path in reports.glob("*.csv")}
    assert {name: sorted(tables[name]["model"].unique()) for name in OF_EVERY_MODEL} == dict.fromkeys(
        OF_EVERY_MODEL, models
    )
    assert sorted(tables["training"]["model"].unique()) == ["cnn", "lstm"]
    importance = tables["importance"]
    assert sorted(importance["model"]) == sorted(MODELS)
    by_emotion = importance.filter(like="recall_drop_")
    assert by_emotion.shape[1] > 1  # of the only fold that showed each of them
    for name, falls in by_emotion.items():
        assert falls.to_numpy() == pytest.approx(0.2 * len(name.removeprefix("recall_drop_")))
    assert len(tables["differences"]) == 4 * 3 / 2
    assert sorted(path.stem for path in (reports / "images/evaluation").iterdir()) == CHARTS


def test_the_table_of_scores_ranks_the_models_and_ends_with_guessing(evaluated):
    scores = pd.read_csv(evaluated[0] / "reports/scores.csv")
    uar = scores[scores["score"] == "uar"].set_index("model")
    assert list(uar.index[-2:]) == ["chance", "majority"]
    assert list(uar.index[:2]) == ["ensemble", "lstm"]
    assert uar.loc["chance", "value"] == 0.2
    models = uar[:-2]
    assert models["value"].is_monotonic_decreasing
    assert ((models["low"] < models["value"]) & (models["value"] < models["high"])).all()
    metrics = json.loads((evaluated[0] / "reports/metrics.json").read_text())
    for row in scores[~scores["model"].isin(["chance", "majority"]) & (scores["score"] != "brier")].itertuples():
        assert metrics[row.model][row.score] == row.value


def test_the_confusion_matrix_is_that_of_the_best_model(evaluated):
    reports = evaluated[0] / "reports"
    pairs = pd.read_csv(reports / "confusion.csv")
    assert set(pairs["model"]) == {json.loads((reports / "protocol.json").read_text())["best"]} == {"ensemble"}
    recalls = pairs[pairs["actual"] == pairs["predicted"]].set_index("actual")["share"]
    expected = pd.read_csv(reports / "per_class.csv").query("model == 'ensemble'").set_index("emotion")["sensitivity"]
    assert recalls.to_dict() == expected.to_dict()


def test_settings_are_chosen_by_validation_rows_alone(evaluated):
    folder, _ = evaluated
    found = json.loads((folder / "reports/validation.json").read_text())["validation"]
    for model, (trainer, _) in MODELS.items():
        table = pd.read_csv(folder / "data/predictions" / trainer / f"{model}.csv").query("part == 'validation'")
        predicted = table[[f"p_{e}" for e in EMOTIONS]].idxmax(axis=1).str.removeprefix("p_")
        assert found[model] == round(recall_score(table["emotion"], predicted, average="macro"), 4)
    assert "ensemble" in found


def test_an_ensemble_comes_after_the_model_that_it_equals():
    table = pd.DataFrame({"model": ["ensemble", "lstm", "cnn"], "score": "uar", "value": [0.7, 0.7, 0.5]})
    assert ranking(table) == ["lstm", "ensemble", "cnn"]
    assert ranking(table.assign(value=[0.8, 0.7, 0.7])) == ["ensemble", "cnn", "lstm"]


def test_the_best_model_is_that_of_the_validation_speakers_and_not_of_the_test_clips():
    assert best_model(["a", "b", "c"], {"a": 0.5, "b": 0.7, "c": 0.7}) == "b"
    assert best_model(["a", "b"], {"b": 0.7}) == "a"  # without validation clips there is only the test


def test_summary_is_sorted_by_uar_and_has_no_warning(evaluated):
    _, output = evaluated
    assert output.index("ensemble") < output.index("lstm") < output.index("cnn") < output.index("chance")
    assert "95 % interval" in output
    assert "speaker-dependent" not in output
    assert "note" not in output


def test_same_bytes_from_run_to_run_whatever_lies_beside_what_the_stages_declare(evaluated, tmp_path):
    """DVC would not notice if a table changed that no stage wrote."""
    folder = shutil.copytree(evaluated[0], tmp_path / "copy", symlinks=True)
    before = contents(folder / "reports")
    ensemble = (folder / "data/predictions/fuse/ensemble.csv").read_bytes()
    for kind in ("predictions", "history", "importance"):
        stray = folder / "data" / kind / "x/y.csv"
        stray.parent.mkdir()
        shutil.copy(folder / "data" / kind / "train_lstm/lstm.csv", stray)
    assert run_stage(folder, "fuse").returncode == 0
    assert run_script(folder, "evaluate").returncode == 0
    assert contents(folder / "reports") == before
    assert (folder / "data/predictions/fuse/ensemble.csv").read_bytes() == ensemble


def test_a_run_without_epochs_importance_speakers_or_sexes_lacks_what_they_give(
    evaluated, tmp_path, monkeypatch, capsys
):
    inputs = shutil.copytree(evaluated[0], tmp_path / "copy")
    monkeypatch.chdir(inputs)
    for gone in ("predictions/train_ml", "predictions/fuse", "history", "importance"):
        shutil.rmtree(inputs / "data" / gone)
    clips = pd.read_csv(inputs / "data/prepared/clips.csv")
    write_csv(clips.assign(speaker="", sex=""), inputs / "data/prepared/clips.csv")
    evaluate()
    assert "no intervals: the speakers of some clips are unknown" in capsys.readouterr().out
    images = sorted(path.stem for path in (inputs / "reports/images/evaluation").iterdir())
    assert images == sorted(set(CHARTS) - {"importance", "speakers", "training_curves"})
    header = (inputs / "reports/training.csv").read_text()
    assert header == "model,fold,epoch,loss,accuracy,validation_loss,validation_accuracy,validation_uar\n"
    assert pd.read_csv(inputs / "reports/importance.csv").empty
    scores = pd.read_csv(inputs / "reports/scores.csv")
    assert sorted(set(scores["model"])) == ["chance", "cnn", "lstm", "majority"]
    assert scores[["low", "high"]].isna().all(axis=None)


def without_speakers(folder: Path) -> None:
    clips = pd.read_csv(folder / "data/prepared/clips.csv")
    write_csv(clips.assign(speaker=""), folder / "data/prepared/clips.csv")


def of_two_corpora(folder: Path) -> None:
    clips = pd.read_csv(folder / "data/prepared/clips.csv")
    write_csv(
        clips.assign(corpus=np.where(clips["speaker"] < "demo:06", "a.b", "c")), folder / "data/prepared/clips.csv"
    )


def change_tables(change):
    """Return what changes the predictions of every model."""

    def of_all(folder: Path) -> None:
        for path in sorted((folder / "data/predictions").glob("*/*.csv")):
            write_predictions(change(pd.read_csv(path)), path)

    return of_all


def never_angry(table: pd.DataFrame) -> pd.DataFrame:
    left = table[[f"p_{emotion}" for emotion in EMOTIONS]].assign(p_anger=0.0)
    return table.assign(**left.div(left.sum(axis=1), axis=0))


def without_an_ensemble(folder: Path) -> None:
    shutil.rmtree(folder / "data/predictions/fuse")


ODD = {
    "no known speakers": without_speakers,
    "two corpora": of_two_corpora,
    "one fold": change_tables(lambda table: table[table["fold"] == 0]),
    "no validation rows": change_tables(lambda table: table[table["part"] == "test"]),
    "an emotion never predicted": change_tables(never_angry),
    "an emotion that no test clip shows": change_tables(
        lambda table: table[(table["part"] == "validation") | (table["emotion"] != "anger")]
    ),
    "validation of one emotion": change_tables(
        lambda table: table[(table["part"] == "test") | (table["emotion"] == "anger")]
    ),
    "certain and wrong": change_tables(
        lambda table: table.assign(**{f"p_{emotion}": float(emotion == "fear") for emotion in EMOTIONS})
    ),
    "no ensemble": without_an_ensemble,
}


@pytest.mark.parametrize("odd", ODD)
def test_metrics_are_numbers_that_dvc_shows_whatever_the_run(odd, evaluated, tmp_path, monkeypatch, capsys):
    """Of at most four digits, of which `dvc metrics diff` shows five; none is NaN, a truth value, a list or a text."""
    folder = shutil.copytree(evaluated[0], tmp_path / "copy")
    monkeypatch.chdir(folder)
    monkeypatch.setattr("evaluate.write_charts", lambda *_, **__: None)
    ODD[odd](folder)
    evaluate()
    found = [json.loads((folder / f"reports/{name}.json").read_text()) for name in ("metrics", "validation")]
    values = [value for file in found for scores in file.values() for value in scores.values()]
    assert len(found[0]) >= 3 and len(values) >= 18
    assert all(type(value) is float and 0 <= value <= 1 and value == round(value, 4) for value in values)


def test_a_speaker_dependent_split_is_reported_in_red_and_on_the_charts(evaluated, tmp_path, monkeypatch, capsys):
    copy = shutil.copytree(evaluated[0], tmp_path / "copy")
    before = contents(copy / "reports")
    params = (copy / "params.yaml").read_text()
    (copy / "params.yaml").write_text(params.replace("scheme: kfold", "scheme: random"))
    monkeypatch.chdir(copy)
    evaluate()
    assert "\033[31mspeaker-dependent split: not comparable" in capsys.readouterr().out
    after = contents(copy / "reports")
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {name for name in before if name.endswith(".png")} | {"protocol.json"}


def test_a_model_that_collapsed_in_a_fold_is_a_red_line_and_in_a_table(evaluated, tmp_path, monkeypatch, capsys):
    copy = shutil.copytree(evaluated[0], tmp_path / "copy")
    monkeypatch.chdir(copy)
    assert (copy / "reports/collapsed.csv").read_text() == "model,fold,emotion,share,uar,reason\n"
    path = copy / "data/predictions/train_lstm/lstm.csv"
    table = collapsed_in(pd.read_csv(path), 2)
    write_predictions(table, path)
    evaluate()
    told = "\033[31mlstm collapsed in fold 2: it says anger for 100 % of the test clips, UAR 0.200;"
    assert told in capsys.readouterr().out
    found = pd.read_csv(copy / "reports/collapsed.csv")
    assert found[["model", "fold", "emotion", "share", "uar"]].to_numpy().tolist() == [["lstm", 2, "anger", 1.0, 0.2]]
    assert found["reason"][0].startswith("it learnt (training accuracy")  # its history says so


def test_the_uar_of_a_corpus_that_lacks_emotions_is_not_printed_as_one_of_its_kind(capsys):
    groups = pd.DataFrame({"model": "a", "group": "corpus", "value": ["x", "y"], "emotions": [4, 3], "uar": [0.5, 0.7]})
    print_by_corpus(groups, 4)
    printed = capsys.readouterr().out
    assert "UAR by tested corpus, not to be compared where the emotions are others" in printed
    assert "x  y (3 of 4 emotions)" in printed
    print_by_corpus(groups.assign(emotions=4), 4)
    assert "emotions" not in capsys.readouterr().out


def test_validation_by_statement_is_a_note_and_no_warning(inputs, monkeypatch, capsys):
    folds = pd.read_csv(inputs / "data/folds.csv")
    position = folds.index[folds["fold_2"] == "validation"][0]
    folds.loc[position, "fold_2"] = "train"
    write_csv(folds, inputs / "data/folds.csv")
    params = (inputs / "params.yaml").read_text()
    (inputs / "params.yaml").write_text(params.replace("normalization: train", "normalization: speaker"))
    monkeypatch.chdir(inputs)
    evaluate()
    output = capsys.readouterr().out
    assert output.startswith("note: fold_2: speakers are both in training and validation")
    assert output.endswith("; normalised by speaker\n")
    protocol = json.loads((inputs / "reports/protocol.json").read_text())
    assert (protocol["warning"], protocol["normalisation"], protocol["normalisation_warning"]) == ("", "speaker", "")
    print_summary(pd.read_csv(inputs / "reports/scores.csv"), protocol | {"normalisation_warning": "takes it away"})
    assert capsys.readouterr().out.startswith("\033[31mtakes it away")


@pytest.mark.parametrize("stage", ["fuse", "evaluate"])
def test_no_predictions_is_one_line(stage, tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    result = run_stage(tmp_path, stage)
    assert result.returncode == 1
    assert result.stderr.startswith("error: no predictions in data/predictions")
    assert result.stderr.count("\n") == 1


def test_fuse_takes_the_members_it_is_told_and_never_itself(inputs):
    params = (inputs / "params.yaml").read_text()
    for members in ("\n    - lstm\n    - cnn", " []"):
        (inputs / "params.yaml").write_text(params.replace("members: []", f"members:{members}"))
        result = run_stage(inputs, "fuse")
        assert result.returncode == 0, result.stderr
        count = members.count("-") or len(MODELS)
        assert f"ensemble of {count} models" in result.stdout
    assert result.stdout.startswith("ensemble of 3 models by mean: cnn 0.33, ")
    (inputs / "params.yaml").write_text(params.replace("method: mean ", "method: weights "))
    warned, done = run_stage(inputs, "fuse").stdout.splitlines()
    assert warned.startswith("fuse: warning: ")  # a speaker a fold validates
    weights = done.split(": ")[1]
    table = pd.read_csv(inputs / "reports/fusion.csv")
    means = table.groupby("member")["weight"].mean()
    assert weights.startswith(f"{means.idxmax()} {means.max():.2f}, ")
    assert table.groupby("fold")["weight"].sum().round(3).tolist() == [1.0] * FOLDS
    fused = read_predictions(inputs / "data/predictions", ["fuse"])["ensemble"]
    assert np.allclose(fused[[f"p_{e}" for e in EMOTIONS]].sum(axis=1), 1)


def test_fuse_lists_the_models_there_are(inputs):
    params = (inputs / "params.yaml").read_text()
    (inputs / "params.yaml").write_text(params.replace("members: []", "members:\n    - lstn"))
    result = run_stage(inputs, "fuse")
    assert result.returncode == 1
    assert "lstn" in result.stderr
    assert ", ".join(sorted(MODELS)) in result.stderr


def test_a_history_without_a_column_is_named_with_its_remedy(inputs):
    path = inputs / "data/history/train_lstm/lstm.csv"
    write_csv(pd.read_csv(path).drop(columns="loss"), path)
    with pytest.raises(InputError, match=r"lstm.csv lacks the column loss: run `dvc repro --force train_lstm`"):
        read_all(inputs / "data/history", ["fold", "epoch", *SERIES])


TEMPLATES = {
    "fusion": ("fusion.csv", "weight", "member"),
    "confusion_best": ("confusion.csv", "predicted", "actual"),
    "precision_recall": ("precision_recall.csv", "recall", "precision"),
    "reliability": ("reliability.csv", "confidence", "accuracy"),
    "roc": ("roc.csv", "fpr", "tpr"),
    "scores": ("scores.csv", "value", "model"),
    "training_curves": ("training.csv", "epoch", "validation_uar"),
}


def values_of(spec: object, names: set[str]) -> set[str]:
    """Return all texts that a Vega-Lite specification holds under these keys, at any depth but not in its data."""
    if isinstance(spec, list):
        return {text for item in spec for text in values_of(item, names)}
    if not isinstance(spec, dict):
        return set()
    found = {value for key, value in spec.items() if key in names and isinstance(value, str)}
    return found.union(*(values_of(value, names) for key, value in spec.items() if key != "data"))


def test_there_is_no_other_template():
    of_prepare = {"quarantine", "cues"}
    assert {path.stem for path in (ROOT / ".dvc/plots").glob("*.json")} == TEMPLATES.keys() | of_prepare


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_filled_and_its_fields_are_in_the_table(template, evaluated):
    name, x, y = TEMPLATES[template]
    table = pd.read_csv(evaluated[0] / "reports" / name, dtype=str).assign(rev="workspace", field=y)
    rows = table.to_dict("records")
    spec = VegaRenderer(
        rows, name, template=template, template_dir=str(ROOT / ".dvc/plots"), x=x, y=y, x_label="x", y_label="y"
    ).get_filled_template()
    assert spec["data"]["values"] == rows
    spec["data"] = None
    assert "<DVC_METRIC" not in json.dumps(spec)
    assert values_of(spec, {"field"}) <= set(table.columns) | values_of(spec, {"as"})

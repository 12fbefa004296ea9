"""Train on one corpus, test on another: the shared emotions, the folds, and a score for each tested corpus."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import scipy.signal
import soundfile
from sklearn.metrics import recall_score

import ser
from conftest import ROOT, run_stage, set_params, workplace
from evaluate import evaluate
from ser.audio.cleaning import to_int16
from ser.audit.survey import file_table
from ser.corpora.corpus_entries import COLUMNS
from ser.demo.synthetic_speech import demo_table, synthesize
from ser.errors import InputError
from ser.settings.all_sections import load_params
from ser.storage.prediction_tables import write_predictions
from ser.storage.recorded_level import LEVELS
from ser.training.dataset import Inputs, crosses_corpora, without_level

PREPARE = load_params(ROOT / "params.yaml").prepare


def files(corpus: str, emotions: list[str], reason: str = "") -> pd.DataFrame:
    clips = [f"{corpus}/{emotion}-{take}" for emotion in emotions for take in range(2)]
    table = pd.DataFrame({"clip": clips, "corpus": corpus, "emotion": np.repeat(emotions, 2), "source": clips})
    return table.assign(reason=reason).reindex(columns=[*COLUMNS, "reason"], fill_value="")


def wanted(tables: list[pd.DataFrame], **changes) -> set[str]:
    found = file_table(tables, PREPARE.model_copy(update={"emotions": "shared"} | changes))
    return set(found.loc[found["wanted"] & (found["emotion"] != ""), "emotion"])


def test_shared_are_the_emotions_of_all_corpora():
    three = [
        files("a", ["anger", "calm", "fear"]),
        files("b", ["fear", "anger", "boredom"]),
        files("c", ["boredom", "anger", "fear"]),
    ]
    assert wanted(three) == {"anger", "fear"}
    assert wanted(three[:1]) == {"anger", "calm", "fear"}


def test_shared_are_found_after_renaming():
    tables = [files("a", ["anger", "calm"]), files("b", ["anger", "neutral"])]
    assert wanted(tables, rename={"calm": "neutral"}) == {"anger", "neutral"}


def test_files_of_no_use_share_nothing():
    tables = [files("a", ["anger", "fear"]), files("b", ["anger", "fear"])]
    assert wanted([*tables, files("b", ["calm"], reason="broken name"), files("a", ["calm"])]) == {"anger", "fear"}


def test_too_few_shared_emotions_are_named():
    with pytest.raises(InputError, match="1 emotions in common .* \\(a: anger, calm; b: anger, fear\\): .*rename"):
        wanted([files("a", ["anger", "calm"]), files("b", ["anger", "fear"])])


def test_corpora_are_crossed_where_no_fold_learns_from_what_it_tests():
    clips = pd.DataFrame({"corpus": ["a", "a", "b", "b"]})
    crossed = {
        "clip": range(4),
        "fold_0": ["test", "test", "train", "validation"],
        "fold_1": ["train"] * 2 + ["test"] * 2,
    }
    assert crosses_corpora(clips, pd.DataFrame(crossed))
    assert not crosses_corpora(clips, pd.DataFrame(crossed | {"fold_1": ["train", "test", "test", "test"]}))
    assert not crosses_corpora(clips.assign(corpus="a"), pd.DataFrame(crossed))


# --- the stages, on two corpora that show one emotion each that the other does not


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small_ravdess):
    """A place to run stages in, with RAVDESS's and a corpus of folders: anger, neutral and boredom of 3 speakers."""
    folder = workplace(
        tmp_path_factory.mktemp("cross"),
        prepare__corpora=["ravdess", "mine"],
        prepare__emotions="shared",
        split__scheme="cross_corpus",
        augment__copies=0,
        extract__functionals__set="mean",
        extract__functionals__groups=["mfcc", "level"],
        extract__frames__groups=["mfcc"],
        train_ml__models=["logistic_regression"],
    )
    raw = folder / "data/raw"
    shutil.copytree(small_ravdess / "ravdess", raw / "ravdess")
    settings = {"seed": 4, "speakers": 3, "emotions": ["anger", "boredom", "neutral"], "sentences": 2, "takes": 2}
    for clip in demo_table(settings).to_dict("records"):
        path = raw / "mine" / clip["emotion"] / clip["speaker"].replace(":", "-") / f"{clip['clip'].split('/')[-1]}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        y = scipy.signal.lfilter(*scipy.signal.butter(3, 0.1), synthesize(clip, 4, 16000))  # a dull microphone
        soundfile.write(path, to_int16(y), 16000)
    return folder


@pytest.fixture(scope="module")
def parts(folder):
    """The table of folds with the clips beside it, of the shared emotions."""
    for stage in ("prepare", "split"):
        run = run_stage(folder, stage)
        assert run.returncode == 0, run.stderr
    return pd.read_csv(folder / "data/folds.csv").merge(pd.read_csv(folder / "data/prepared/clips.csv"), on="clip")


def test_each_corpus_is_tested_by_what_the_other_taught(parts):
    assert set(parts["emotion"]) == {"anger", "neutral"}
    assert list(parts.columns[1:3]) == ["fold_0", "fold_1"]
    for fold, tested in (("fold_0", "mine"), ("fold_1", "ravdess")):
        assert set(parts.loc[parts[fold] == "test", "corpus"]) == {tested}
        assert tested not in set(parts.loc[parts[fold] != "test", "corpus"])
        speakers = parts.groupby(fold)["speaker"].agg(set)
        assert speakers["train"] and speakers["validation"] and not speakers["train"] & speakers["validation"]


def test_models_read_no_level(folder, parts):
    """It tells corpora and microphones apart; what extract wrote stays as it is."""
    for command in ("augment", "extract prepared", "extract augmented", "train_ml"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    line = "level is left out of the functionals: every fold tests corpora that it has not learnt from"
    assert run.stdout.count(line) == 1
    extracted = json.loads((folder / "data/features/prepared/functionals.json").read_text())
    assert extracted["extract"]["functionals"]["groups"] == ["mfcc", "level"]
    place = folder / "data/models/train_ml/logistic_regression"
    for model in (place, place / "fold_0", place / "fold_1"):
        own = json.loads((model / "model.json").read_text())["input"]
        assert own["extract"]["functionals"]["groups"] == ["mfcc"]
        assert own["names"] == extracted["names"][:-6]
    importance = pd.read_csv(folder / "data/importance/train_ml/logistic_regression.csv")
    assert set(importance["group"]) == {"mfcc"}
    file = next((folder / "data/raw/ravdess").rglob("*.wav"))
    y, sr = soundfile.read(file)
    answers = [ser.load(place).predict(gain * y, sr).probabilities for gain in (1.0, 0.25)]
    np.testing.assert_allclose(*answers, atol=1e-3)


def test_level_alone_teaches_nothing_there(folder, parts):
    inputs = np.zeros((len(parts), 6), dtype=np.float32)
    description = {"kind": "functionals", "names": list(LEVELS), "extract": {"functionals": {"groups": ["level"]}}}
    with pytest.raises(InputError, match="has nothing but level"):
        without_level(Inputs(inputs, inputs, description))


def test_scores_are_given_for_each_tested_corpus(folder, parts, monkeypatch, capsys):
    rng, tables = np.random.default_rng(0), []
    for fold in (0, 1):
        rows = parts.loc[parts[f"fold_{fold}"] != "train", ["clip", f"fold_{fold}", "emotion"]]
        rows = rows.set_axis(["clip", "part", "emotion"], axis=1).assign(fold=fold)
        anger = rng.uniform(size=len(rows)) * np.where(rows["emotion"] == "anger", 1, [0.5, 0.9][fold])
        tables.append(rows.assign(p_anger=anger, p_neutral=1 - anger))
    table = pd.concat(tables, ignore_index=True)[["clip", "fold", "part", "emotion", "p_anger", "p_neutral"]]
    write_predictions(table, folder / "data/predictions/train_ml/logistic_regression.csv")
    monkeypatch.chdir(folder)
    evaluate()
    found = pd.read_csv("reports/groups.csv").query("group == 'corpus'").set_index("value")["uar"]
    tested = table[table["part"] == "test"].merge(parts[["clip", "corpus"]], on="clip")
    for corpus, rows in tested.groupby("corpus"):
        predicted = np.where(rows["p_anger"] > 0.5, "anger", "neutral")
        assert found[corpus] == pytest.approx(recall_score(rows["emotion"], predicted, average="macro"), abs=1e-4)
    printed = capsys.readouterr().out
    assert "UAR by tested corpus" in printed and f"{found['mine']:.3f}" in printed.split("UAR by tested corpus")[1]


def test_an_adapted_model_is_told_no_label_and_answers_otherwise(folder, parts):
    """The protocols of `train.adapt`: a fold's folder is the model that is tested; validation is of the one before."""
    for command in ("augment", "extract prepared", "extract augmented", "train_ml"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    path = folder / "data/predictions/train_ml/logistic_regression.csv"
    before, after = pd.read_csv(path), {}
    try:
        set_params(folder, {"train.adapt": "labels"})
        run = run_stage(folder, "train_ml")
        assert run.returncode == 1 and "set split.labelled_speakers to 2 or more" in run.stderr
        set_params(folder, {"split.labelled_speakers": 2, "split.labelled_clips": 8})
        assert run_stage(folder, "split").returncode == 0
        for adapt in ("none", "recordings", "labels"):
            set_params(folder, {"train.adapt": adapt})
            run = run_stage(folder, "train_ml")
            assert run.returncode == 0, run.stderr
            after[adapt] = pd.read_csv(path)
        place = folder / "data/models/train_ml/logistic_regression/fold_1"
        about = json.loads((place / "model.json").read_text())["adapted"]
        assert about["labelled_clips"] == 8 and about["speakers"] == 4
        card, of_all = ((at / "model_card.md").read_text() for at in (place, place.parent))
        assert (
            "How good it is" in card and "What is said below of what it learnt from is of the model as it was" in card
        )
        assert "of this model, adapted to the corpus that is tested: 0." in card
        assert "of the models of the folds, made the same way, adapted to the corpus that is tested: 0." in of_all
        assert "It was adapted" not in of_all
        tested = pd.read_csv(folder / "data/folds.csv").query("fold_1 == 'test'")["clip"]
        assert set(after["labels"].query("fold == 1 and part == 'test'")["clip"]) == set(tested)
        # whoever takes the folder gets what was tested
        files = {f"ravdess/{file.stem}": file for file in (folder / "data/raw/ravdess").rglob("*.wav")}
        clip = tested.iloc[0]
        row = after["labels"].query("fold == 1").set_index("clip").loc[clip]
        told = ser.load(place).predict(files[clip]).as_dict()
        assert {name: row[f"p_{name}"] for name in told} == pytest.approx(told, abs=1e-4)
    finally:
        set_params(folder, {"train.adapt": "none", "split.labelled_speakers": 0})
        assert run_stage(folder, "split").returncode == 0
    for table in after.values():
        same = before.merge(table, on=["clip", "fold", "part"], suffixes=("", "_now")).query("part == 'validation'")
        assert (same["p_anger"] == same["p_anger_now"]).all() and len(same)
    test = [after[name].query("part == 'test'")["p_anger"].to_numpy() for name in ("none", "recordings", "labels")]
    assert not np.allclose(test[0], test[1], atol=1e-3)


@pytest.mark.parametrize("adapt", ["recordings", "labels"])
def test_adapting_is_told_no_label_of_who_is_tested(folder, parts, adapt):
    """The leak that this could be: other labels of the tested clips, and the same answers to them."""
    table, path = folder / "data/prepared/clips.csv", folder / "data/predictions/train_ml/logistic_regression.csv"
    kept, told = table.read_bytes(), []
    set_params(folder, {"train.adapt": adapt, "split.labelled_speakers": 2, "split.labelled_clips": 8})
    try:
        assert run_stage(folder, "split").returncode == 0
        tested = set(pd.read_csv(folder / "data/folds.csv").query("fold_1 == 'test'")["clip"])
        for _ in range(2):
            for command in ("augment", "extract prepared", "extract augmented", "train_ml"):
                run = run_stage(folder, *command.split())
                assert run.returncode == 0, run.stderr
            told.append(pd.read_csv(path).query("fold == 1 and part == 'test'").set_index("clip"))
            clips = pd.read_csv(table, dtype=str, keep_default_na=False)
            other = clips["emotion"].map({"anger": "neutral", "neutral": "anger"})
            clips["emotion"] = clips["emotion"].where(~clips["clip"].isin(tested), other)
            clips.to_csv(table, index=False)
    finally:
        table.write_bytes(kept)
        set_params(folder, {"train.adapt": "none", "split.labelled_speakers": 0})
        assert run_stage(folder, "split").returncode == 0
    assert (told[0]["emotion"] != told[1]["emotion"]).all() and len(told[0])
    assert (told[0]["p_anger"] == told[1]["p_anger"]).all()


def test_adapting_is_for_other_corpora(folder, parts):
    set_params(folder, {"split.scheme": "kfold", "split.folds": 2, "train.adapt": "recordings"})
    try:
        assert run_stage(folder, "split").returncode == 0
        run = run_stage(folder, "train_ml")
        assert run.returncode == 1 and "it is for split.scheme cross_corpus, elsewhere choose none" in run.stderr
    finally:
        set_params(folder, {"split.scheme": "cross_corpus", "train.adapt": "none"})
        assert run_stage(folder, "split").returncode == 0


@pytest.mark.verify
def test_models_are_trained_across_corpora(folder, parts):
    for command in ("augment", "extract prepared", "extract augmented", "train_ml", "fuse", "evaluate"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    assert "UAR by tested corpus" in run.stdout
    groups = pd.read_csv(folder / "reports/groups.csv").query("group == 'corpus' and model == 'logistic_regression'")
    assert dict(zip(groups["value"], groups["clips"], strict=True)) == dict(parts["corpus"].value_counts())

"""The ablation: its plan, its verdicts, and a run of real DVC experiments in a small repository."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from conftest import ROOT
from ser.commands.run_ablation import VARIANTS, ablate, show
from ser.errors import InputError
from ser.experiments.ablation_page import page
from ser.experiments.ablation_variants import Ablation, Outcome, judge, plan_trials, read_ablation, score_trial
from ser.settings.all_sections import load_params
from ser.settings.overrides import collect_settings, with_settings
from synthetic_predictions import predictions, rows_to_score
from toy_repository import call, experiments, run, toy_repository

ABLATION = ("-m", "ser.commands", "ablation")
PARAMS = load_params(ROOT / "params.yaml")
COMMITTED = read_ablation(ROOT / VARIANTS)
STRONG = read_ablation(ROOT / "benchmarks/ablation_strong.yaml")
STAGES = ["train_ml", "train_lstm", "fuse"]


def ablation_of(**variants) -> Ablation:
    content = {
        name: {"changes": changes, "models": models or ["train_ml/svm_rbf"]}
        for name, (changes, models) in variants.items()
    }
    return Ablation(settings={"train_lstm.epochs": 3}, variants=content)


def plan(ablation: Ablation, given: dict | None = None, **arguments):
    return plan_trials(PARAMS, ablation, given or {}, STAGES, where="a.yaml", **arguments)


# --- the plan


def test_the_base_has_all_models_and_variants_their_own():
    ablation = ablation_of(
        off=({"augment.copies": 0}, ["train_ml/svm_rbf", "train_lstm/lstm"]),
        short=({"train_lstm.epochs": 1}, ["train_lstm/lstm"]),
    )
    base, off, short = plan(ablation, {"split.folds": 3})
    assert base.settings == {"train_lstm.epochs": 3, "split.folds": 3}
    assert base.models == ["train_ml/svm_rbf", "train_lstm/lstm"] and base.stages == ["train_lstm", "train_ml"]
    assert off.settings == base.settings | {"augment.copies": 0} and off.params.augment.copies == 0
    assert short.settings["train_lstm.epochs"] == 1 and short.stages == ["train_lstm"]
    base, short = plan(ablation, only=["short"])
    assert base.stages == ["train_lstm"]


def test_models_on_pretrained_encoders_are_scored_by_the_tables_that_are_gathered():
    """Their own stages write theirs elsewhere: those in data/predictions would be the committed ones."""
    ablation = ablation_of(head=({"train_transformer.frozen.hidden_units": 8}, ["train_transformer/w-base_frozen"]))
    stages = [*STAGES, "train_transformer", "gather_transformers"]
    committed = with_settings(PARAMS, {"train_transformer.checkpoints": {"w-base": "data/pretrained/w"}}, "params.yaml")
    base, head = plan_trials(committed, ablation, {}, stages, where="a.yaml")
    assert base.stages == head.stages == ["gather_transformers"]


def test_what_is_given_comes_before_the_file_and_a_variant_before_both():
    ablation = ablation_of(short=({"train_lstm.epochs": 1}, None), off=({"augment.copies": 0}, None))
    base, short, off = plan(ablation, {"train_lstm.epochs": 7})
    assert [trial.params.train_lstm.epochs for trial in (base, short, off)] == [7, 1, 7]


def test_names_of_experiments_change_with_what_they_depend_on():
    base, off = plan(ablation_of(**{"no, copies!": ({"augment.copies": 0}, None)}))
    other = plan(ablation_of(off=({"augment.copies": 0}, ["train_lstm/lstm"])))[0]
    names = {base.experiment("a" * 40), base.experiment("b" * 40), off.experiment("a" * 40), other.experiment("a" * 40)}
    assert len(names) == 4
    assert off.experiment("a" * 40).startswith("ablation-no-copies-")


@pytest.mark.parametrize(
    ("changes", "models", "message"),
    [
        ({"augment.copy": 0}, None, "a.yaml, x names augment.copy, which params.yaml has not"),
        ({"augment.copies": -1}, None, "a.yaml, x: augment.copies is -1: input should be greater"),
        ({"prepare.rename": {"calm": "neutral"}}, None, "cannot set .'calm': 'neutral'."),
        ({"augment.copies": 0}, ["train_xl/svm"], "a.yaml, base: no stage writes train_xl/svm"),
        (
            {"augment.copies": 0},
            ["train_ml/svm"],
            "no stage writes train_ml/svm; allowed are train_ml/logistic_regression,",
        ),
        (
            {"augment.copies": 0},
            ["train_lstm/lsmt"],
            "no stage writes train_lstm/lsmt; allowed are .*, train_lstm/lstm,",
        ),
        ({"augment.copies": 0}, ["train_transformer/wavlm_frozen"], "no stage writes train_transformer/wavlm_frozen"),
        (
            {"train_lstm.enabled": False},
            ["train_lstm/lstm"],
            "a.yaml, x: train_lstm/lstm is not trained .train_lstm.enabled is false.; allowed are train_ml/logistic_",
        ),
        (
            {"train_ml.models": ["mlp"]},
            None,
            "x: train_ml/svm_rbf is not trained .it is not in train_ml.models.; allow",
        ),
        ({"augment.copies": 0}, ["evaluate/ensemble"], "no stage writes evaluate/ensemble"),
    ],
)
def test_plans_that_cannot_be_run_stop_at_once(changes, models, message):
    with pytest.raises(InputError, match=message):
        plan(ablation_of(x=(changes, models)))


def test_a_variant_may_leave_a_trainer_out_and_ask_for_the_ensemble():
    base, without = plan(ablation_of(x=({"train_lstm.enabled": False}, ["fuse/ensemble"])))
    assert base.params.train_lstm.enabled and not without.params.train_lstm.enabled
    assert without.stages == ["fuse"]


def test_unknown_variant():
    with pytest.raises(InputError, match="a.yaml has no variant 'y'; there are: x"):
        plan(ablation_of(x=({"augment.copies": 0}, None)), only=["y"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("settings: {}\n", "key variants is missing"),
        ("settings: {}\nvariants:\n  a: {changes: {}, models: [x/y]}\n", "variants.a.changes is {}: "),
        ("settings: {}\nvariants:\n  a: {changes: {a.b: 1}, models: [y]}\n", "variants.a.models.0 is 'y': "),
        ("settings: {}\nvariants:\n  a: {change: {a.b: 1}, models: [x/y]}\n", "unknown key variants.a.change "),
        ("settings: [\n", "is not valid YAML"),
    ],
)
def test_files_that_are_no_ablation(tmp_path, text, message):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_ablation(tmp_path / "a.yaml")
    assert "a.yaml" in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(InputError, match="b.yaml not found"):
        read_ablation(tmp_path / "b.yaml")


@pytest.mark.parametrize("name", COMMITTED.variants)
def test_committed_variants_can_be_run(name):
    stages = ["train_ml", "train_lstm", "train_residual_keras", "train_cnn", "fuse"]
    for given in ([], ["strong", "train_ml.models=[logistic_regression,svm_rbf]"]):
        settings = collect_settings(given, ROOT / "overrides")
        _, trial = plan_trials(PARAMS, COMMITTED, settings, stages, only=[name], where="a")
        assert set(COMMITTED.settings) | set(settings) <= set(trial.settings)


@pytest.mark.parametrize("name", STRONG.variants)
def test_variants_of_the_strong_settings_change_them(name):
    """Taking away what the strong settings no longer have would be a row that says nothing."""
    stages = ["train_ml", "train_residual_keras", "fuse"]
    settings = collect_settings(["strong", "ravdess"], ROOT / "overrides")
    base, trial = plan_trials(PARAMS, STRONG, settings, stages, only=[name], where="a")
    assert trial.params != base.params


# --- scores and verdicts


def outcome(seed: int, skill: float, *, random: bool = False) -> Outcome:
    """Draw predictions of 12 speakers in 4 folds of speakers, or of clips."""
    table, clips = predictions(seed, clips=40, skill=skill)
    if random:
        number = table["clip"].str[-5:].astype(int)
        table["fold"] = (number + (table["part"] == "validation")) % 4
    folds = clips[["clip"]].copy()
    for number in range(4):
        parts = table[table["fold"] == number].set_index("clip")["part"]
        folds[f"fold_{number}"] = folds["clip"].map(parts).fillna("train")
    return Outcome({"svm_rbf": table}, clips, folds, 2.5)


@pytest.fixture(scope="module")
def rows():
    """A base, a variant that is much worse, one that is the base, one that differs by chance, and a random split."""
    ablation = ablation_of(
        worse=({"train_ml.svm_rbf.C": 0.001}, None),
        same=({"train_ml.svm_rbf.C": 5.0}, None),
        chance=({"train_ml.svm_rbf.C": 4.0}, None),
        random=({"split.scheme": "random"}, None),
    )
    base, *trials = plan(ablation)
    base_outcome = outcome(1, 2.0)
    outcomes = [outcome(2, 1.0), base_outcome, outcome(3, 2.0), outcome(4, 2.4, random=True)]
    tables = [score_trial(base, base_outcome, base, base_outcome)]
    tables += [score_trial(*pair, base, base_outcome) for pair in zip(trials, outcomes, strict=True)]
    return judge(pd.concat(tables, ignore_index=True), 0.95)


def test_verdicts_and_intervals(rows):
    verdicts = dict(zip(rows["variant"], rows["verdict"], strict=True))
    assert verdicts == {
        "base": "",
        "worse": "worse",
        "same": "the base itself",
        "chance": "no evidence",
        "random": "another protocol",
    }
    of = rows.set_index("variant")
    assert of.loc["worse", "difference_low"] < of.loc["worse", "difference"] < of.loc["worse", "difference_high"] < 0
    assert of.loc["random", ["difference_low", "difference_high"]].isna().all()
    assert of.loc["random", "difference"] == pytest.approx(of.loc["random", "uar"] - of.loc["base", "uar"])
    assert list(of["speaker_dependent"]) == [False, False, False, False, True]
    assert ((rows["low"] < rows["uar"]) & (rows["uar"] < rows["high"])).all()
    assert of.loc["base", ["difference", "difference_low"]].isna().all()
    expected = rows_to_score(outcome(2, 1.0).tables["svm_rbf"])
    right = (expected["predicted"] == expected["emotion"]).groupby(expected["emotion"]).mean().mean()
    assert of.loc["worse", "uar"] == pytest.approx(right)


def test_many_variants_make_a_verdict_harder(rows):
    """By itself the difference is one; among fifty like it, it is what chance would do."""
    base, variant = plan(ablation_of(x=({"train_ml.svm_rbf.C": 0.001}, None)))
    before, after = outcome(1, 2.0), outcome(2, 1.72)
    scores = [score_trial(base, before, base, before), score_trial(variant, after, base, before)]
    alone = judge(pd.concat(scores, ignore_index=True), 0.95)
    among = judge(pd.concat(scores[:1] + scores[1:] * 50, ignore_index=True), 0.95)
    assert (alone["verdict"].iloc[1], among["verdict"].iloc[1]) == ("worse", "no evidence")


FACTS = {
    "corpora": ["c"],
    "emotions": ["a", "b", "c", "d"],
    "clips": 1480,
    "speakers": 12,
    "cores": 2,
    "commit": "0" * 40,
    "settings": {"train_lstm.epochs": "3"},
    "confidence": 0.95,
}


def test_page_has_the_protocol_beside_every_number(rows):
    text = page(rows, failed={"broken": "out of `memory`"}, **FACTS)
    table = [line for line in text.splitlines() if "| svm_rbf |" in line]
    assert len(table) == 1 + len(rows)  # with the random split's own table
    assert all("speaker-independent: kfold, 4 folds, normalised by train |" in line for line in table[1:-1])
    assert "🔴 **speaker-dependent**: random, 4 folds" in table[-1] and "another protocol" in table[-1]
    assert "| `train_ml.svm_rbf.C=0.001` |" in text and "- `train_lstm.epochs: 3`" in text
    assert "1,480 clips of 12 speakers" in text and "chance is 0.250" in text
    assert "- broken: out of" in text
    base, random = (rows.set_index("variant").loc[name, "uar"] for name in ("base", "random"))
    side_by_side = next(line for line in text.splitlines() if line.startswith("| svm_rbf | "))
    assert f"{base:.3f} (" in side_by_side and f"| {random:.3f} | {random - base:+.3f} |" in side_by_side
    assert "nan" not in text


def test_page_without_a_random_split(rows):
    assert "A random split" not in page(rows[rows["variant"] != "random"], failed={}, **FACTS)


# --- real experiments

TOY = """
import csv, math, random, sys
from pathlib import Path
from ruamel.yaml import YAML

def write(path, header, rows):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])

stage, params = sys.argv[1], YAML(typ="safe", pure=True).load(Path("params.yaml"))
clips = [(f"c/{s}{e}{t}", f"c:{s}", "c", e) for s in range(6) for e in ("anger", "fear") for t in range(8)]
if stage == "prepare":
    write("data/prepared/clips.csv", ["clip", "speaker", "corpus", "emotion"], clips)
if stage == "split":
    by_clip = params["split"]["scheme"] == "random"
    fold_of = [number % 3 if by_clip else int(clip[1][-1]) % 3 for number, clip in enumerate(clips)]
    parts = [[["test", "train", "validation"][(own - fold) % 3] for fold in range(3)] for own in fold_of]
    rows = [(clip[0], *part) for clip, part in zip(clips, parts)]
    write("data/folds.csv", ["clip", "fold_0", "fold_1", "fold_2"], rows)
if stage.startswith("train"):
    name, skill = {"train_ml": ("svm_rbf", params["train_ml"]["svm_rbf"]["C"]), "train_lstm": ("lstm", 1.0)}[stage]
    if skill > 50:
        sys.exit("error: C is too high")
    emotions, rows = {clip[0]: clip[3] for clip in clips}, []
    for line in csv.DictReader(open("data/folds.csv")):
        clip, emotion = line["clip"], emotions[line["clip"]]
        score = random.Random(clip + name).gauss(0, 1) + skill * (1 if emotion == "anger" else -1)
        p = 1 / (1 + math.exp(-score))
        rows += [(clip, f, line[f"fold_{f}"], emotion, p, 1 - p) for f in range(3) if line[f"fold_{f}"] != "train"]
    write(f"data/predictions/{stage}/{name}.csv", ["clip", "fold", "part", "emotion", "p_anger", "p_fear"], rows)
"""
PIPELINE = """
stages:
  prepare:
    cmd: python train.py prepare
    deps: [train.py]
    params: [prepare.min_seconds]
    outs: [data/prepared]
  split:
    cmd: python train.py split
    deps: [train.py, data/prepared]
    params: [split.scheme]
    outs: [data/folds.csv]
  train_ml:
    cmd: python train.py train_ml
    deps: [train.py, data/prepared/clips.csv, data/folds.csv]
    params: [train_ml.svm_rbf]
    outs: [data/predictions/train_ml]
  train_lstm:
    cmd: python train.py train_lstm
    deps: [train.py, data/prepared/clips.csv, data/folds.csv]
    params: [train_lstm.epochs]
    outs: [data/predictions/train_lstm]
"""
VARIANT = """
settings:
  prepare.min_seconds: 0.4
  train_ml.svm_rbf.C: 1.5
variants:
  weaker:
    changes: {train_ml.svm_rbf.C: 0.1}
    models: [train_ml/svm_rbf]
  random split:
    changes: {split.scheme: random}
    models: [train_ml/svm_rbf]
"""


def ablation_repository(folder: Path) -> Path:
    """Make a repository whose pipeline draws predictions, with an ablation."""
    toy_repository(folder, TOY, PIPELINE)
    (folder / ".gitignore").write_text("/data\n")
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks/ablation.yaml").write_text(VARIANT)
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "ablation")
    return folder


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The repository, and what a run of its ablation printed."""
    folder = ablation_repository(tmp_path_factory.mktemp("toy"))
    return folder, call(folder, "ablation")


def test_real_experiments(repository):
    folder, printed = repository
    table = pd.read_csv(folder / "reports/benchmarks/ablation_demo.csv").set_index("variant")
    assert list(table.index) == ["base", "weaker", "random split"]
    assert table.loc["weaker", "uar"] < table.loc["base", "uar"] - 0.1
    assert list(table["scheme"]) == ["kfold", "kfold", "random"] and list(table["folds"]) == [3, 3, 3]
    assert list(table["speaker_dependent"]) == [False, False, True]
    assert list(table["verdict"].fillna("")) == ["", "worse", "another protocol"]
    assert table.loc["random split", "low"] > 0 and (table["minutes"] > 0).all()
    assert "- `train_ml.svm_rbf.C: 1.5`" in (folder / "reports/benchmarks/ablation_demo.md").read_text()
    assert f"base: svm_rbf UAR {table.loc['base', 'uar']:.3f}, validation" in printed
    assert run(folder, "git", "status", "--porcelain") == "?? reports/\n"
    names = experiments(folder)
    expected = ["ablation-base", "ablation-random-split", "ablation-weaker"]
    assert sorted(name.rpartition("-")[0] for name in names) == expected


def test_only_stages_that_are_asked_about_run(repository):
    folder, _ = repository
    logs = {path.name.rpartition("-")[0]: path.read_text() for path in folder.glob(".dvc/tmp/ablation/*.log")}
    assert "Running stage 'train_ml'" in logs["ablation-weaker"]
    assert "Running stage 'split'" not in logs["ablation-weaker"]
    assert "Running stage 'split'" in logs["ablation-random-split"]
    assert not any("train_lstm" in log for log in logs.values())


def test_what_is_done_is_not_run_again(repository, monkeypatch, capsys):
    """Neither for a single variant, whose scores are printed and leave the table alone, nor for all."""
    folder, _ = repository
    files = [*folder.glob("reports/benchmarks/*"), *folder.glob(".dvc/tmp/ablation/*.log")]
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}
    monkeypatch.chdir(folder)
    ablate([], ["weaker"])
    printed = capsys.readouterr().out
    assert "| weaker |" in printed and "random" not in printed
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files} == before
    ablate([], [])
    assert {path: path.read_bytes() for path in files} == {path: text for path, (_, text) in before.items()}


def test_changes_that_would_be_taken_along_stop_it(repository, monkeypatch):
    folder, _ = repository
    monkeypatch.chdir(folder)
    (folder / "train.py").write_text(f"{TOY}\n")
    with pytest.raises(InputError, match="uncommitted changes \\(train.py\\)"):
        ablate([], [])
    (folder / "train.py").write_text(TOY)


def test_another_file_of_variants_has_a_table_of_its_own(repository, monkeypatch, tmp_path):
    folder, _ = repository
    monkeypatch.chdir(folder)
    before = (folder / "reports/benchmarks/ablation_demo.md").read_bytes()
    (tmp_path / "parts.yaml").write_text(VARIANT.replace("weaker", "far weaker").split("  random split")[0])
    printed = call(folder, "ablation", "--file", str(tmp_path / "parts.yaml"))
    assert "far weaker: svm_rbf UAR" in printed
    table = pd.read_csv(folder / "reports/benchmarks/parts_demo.csv")
    assert list(table["variant"]) == ["base", "far weaker"]
    assert (folder / "reports/benchmarks/ablation_demo.md").read_bytes() == before


def test_variants_are_listed(capsys):
    show(COMMITTED)
    assert "features mean  (train_ml/logistic_regression, " in capsys.readouterr().out


@pytest.mark.verify
def test_stages_that_ran_before_are_restored(repository):
    folder, _ = repository
    run(folder, sys.executable, *ABLATION, "train_lstm.epochs=3", "--only", "weaker")
    log = max(folder.glob(".dvc/tmp/ablation/ablation-weaker-*.log"), key=lambda path: path.stat().st_mtime).read_text()
    assert all(f"Stage '{stage}' is cached" in log for stage in ("prepare", "train_ml"))


@pytest.mark.verify
def test_a_variant_that_fails_is_passed_over(repository):
    folder, _ = repository
    (folder / "benchmarks/ablation.yaml").write_text(VARIANT.replace("0.1", "99.0"))
    run(folder, "git", "commit", "-qam", "too high")
    printed = run(folder, sys.executable, *ABLATION, code=1)
    assert "weaker: failed: C is too high" in printed and "1 variants, 1 failed" in printed
    assert "- weaker: C is too high" in (folder / "reports/benchmarks/ablation_demo.md").read_text()
    assert "error: the base fails: C is too high" in run(
        folder, sys.executable, *ABLATION, "train_ml.svm_rbf.C=77.0", code=1
    )


def test_other_emotions_have_no_difference_and_no_verdict():
    base, variant = plan(ablation_of(fewer=({"prepare.emotions": ["anger", "fear", "happiness"]}, None)))
    before = outcome(1, 2.0)
    clips = before.clips[before.clips["emotion"] != "neutral"]
    table = before.tables["svm_rbf"]
    after = before._replace(tables={"svm_rbf": table[table["emotion"] != "neutral"]}, clips=clips)
    scores = [score_trial(base, before, base, before), score_trial(variant, after, base, before)]
    row = judge(pd.concat(scores, ignore_index=True), 0.95).iloc[1]
    assert pd.isna(row["difference"]) and row["verdict"] == "another protocol"

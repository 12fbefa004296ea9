"""The search of parameters: its space, its proposals, and what it leaves in a repository of real DVC experiments."""

import os
import shutil
import signal
import subprocess
import sys
import time

import optuna
import pytest
import yaml
from dvc.utils.hydra import apply_overrides
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.trial import TrialState
from ruamel.yaml import YAML
from zc.lockfile import LockFile

from conftest import ROOT, set_params
from ser.errors import InputError
from ser.experiments.optuna_search import add_start, best_trial, finished, next_trial, open_study, run_trial, study_name
from ser.experiments.parameter_search import search as search_parameters
from ser.experiments.search_outcome import conclude
from ser.experiments.search_space import TUNE_SPACE, search_distributions, settings_of, start_values
from ser.experiments.trials import TrialError, require_finished_commit, run_experiment
from ser.settings.all_sections import Params, load_params
from ser.settings.overrides import format_value, with_settings
from ser.settings.params_file import Section
from ser.settings.tool_sections import SearchRange
from toy_repository import call, environment, experiments, run, toy_repository, tune

SPACE = {
    "train_ml.svm_rbf.C": {"low": 0.1, "high": 100.0, "log": True},
    "train_ml.svm_rbf.gamma": ["scale", 0.00001, 0.01],
    "train_lstm.hidden_size": {"low": 8, "high": 64},
    "train_lstm.dropout": {"low": 0, "high": 0.5},
    "train_ml.mlp.hidden_sizes": [[64], [128], [128, 64]],
    "train_ml.select": [None, 40],
    "train_ml.tune": [True, False],
}


def params_with(space: dict) -> Params:
    content = load_params(ROOT / "params.yaml").model_dump()
    content["tune"]["space"] = space
    return Params.model_validate(content)


def test_space_becomes_distributions():
    found = search_distributions(params_with(SPACE))
    assert found == {
        "train_ml.svm_rbf.C": FloatDistribution(0.1, 100.0, log=True),
        "train_ml.svm_rbf.gamma": CategoricalDistribution(["scale", "0.00001", "0.01"]),
        "train_lstm.hidden_size": IntDistribution(8, 64),
        "train_lstm.dropout": FloatDistribution(0, 0.5),
        "train_ml.mlp.hidden_sizes": CategoricalDistribution(["[64]", "[128]", "[128,64]"]),
        "train_ml.select": CategoricalDistribution(["null", "40"]),
        "train_ml.tune": CategoricalDistribution(["true", "false"]),
    }


def test_a_range_of_whole_ends_is_of_fractions_where_the_parameter_is_one():
    found = search_distributions(params_with({"train_ml.svm_rbf.C": {"low": 1, "high": 100}}))
    assert found["train_ml.svm_rbf.C"] == FloatDistribution(1, 100)


def test_drawn_values_become_settings():
    drawn = {
        "train_ml.svm_rbf.C": 12.3456789,
        "train_ml.svm_rbf.gamma": "0.00001",
        "train_lstm.hidden_size": 17,
        "train_ml.mlp.hidden_sizes": "[128,64]",
        "train_ml.select": "null",
        "train_ml.tune": "false",
    }
    settings = settings_of(params_with(SPACE), drawn)
    assert settings == {
        "train_ml.svm_rbf.C": 12.35,
        "train_ml.svm_rbf.gamma": 0.00001,
        "train_lstm.hidden_size": 17,
        "train_ml.mlp.hidden_sizes": [128, 64],
        "train_ml.select": None,
        "train_ml.tune": False,
    }
    assert type(settings["train_lstm.hidden_size"]) is int
    assert with_settings(params_with(SPACE), settings, TUNE_SPACE).train_ml.svm_rbf.C == 12.35


def test_rounding_stays_inside_the_range():
    params = params_with({"train_ml.svm_rbf.C": {"low": 0.12344, "high": 1.0}})
    assert settings_of(params, {"train_ml.svm_rbf.C": 0.123441}) == {"train_ml.svm_rbf.C": 0.12344}


def test_start_values_are_those_inside_the_space():
    params = params_with(SPACE | {"train_ml.svm_poly.C": {"low": 2.0, "high": 9.0}})
    assert start_values(params, search_distributions(params)) == {
        "train_ml.svm_rbf.C": 5.0,
        "train_ml.svm_rbf.gamma": "scale",
        "train_lstm.hidden_size": 32,
        "train_lstm.dropout": 0.4,
        "train_ml.mlp.hidden_sizes": "[128]",
        "train_ml.select": "null",
        "train_ml.tune": "false",
    }


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"train_ml.svm_rbf.D": [1.0]}, "names train_ml.svm_rbf.D, which params.yaml has not"),
        ({"train_mlp.C": [1.0]}, "names train_mlp.C, which params.yaml has not"),
        ({"train_ml.svm_rbf": [1.0]}, "is a section: name one of its settings (components, C, gamma)"),
        ({"train_ml.svm_rbf.C": [1.0, -1.0]}, "tune.space: train_ml.svm_rbf.C is -1.0: input should be"),
        ({"train_ml.svm_rbf.C": {"low": 0.0, "high": 1.0}}, "tune.space: train_ml.svm_rbf.C is 0.0: input should be"),
        (
            {"train_lstm.hidden_size": {"low": 8.0, "high": 64.0}},
            "tune.space: train_lstm.hidden_size is 8.0: input should be",
        ),
        ({"train_lstm.layers": {"low": 1, "high": 5}}, "tune.space: train_lstm.layers is 5: input should be"),
        ({"train_ml.tune": [True, True]}, "allowed is each choice once"),
        ({"train_ml.select": [{"a": 1}]}, "tune.space: train_ml.select is {'a': 1}: "),
        ({"split.folds": [3, 4]}, "scores would not be comparable"),
        ({"prepare.emotions": [[], ["anger", "fear"]]}, "scores would not be comparable"),
        ({"prepare.min_seconds": [0.3, 1.0]}, "scores would not be comparable"),
        ({"prepare.trim_db": {"low": 20.0, "high": 60.0}}, "scores would not be comparable"),
        ({"prepare.normalize": ["peak", "loudness"]}, "scores would not be comparable"),
        ({"train.importance_repeats": [0, 3]}, "scores would not be comparable"),
        ({"train.seed": [1, 2, 3]}, "scores would not be comparable"),
        ({"train.normalization": ["train", "speaker"]}, "scores would not be comparable"),
        ({"evaluate.calibration_bins": [10, 20]}, "scores would not be comparable"),
    ],
)
def test_bad_spaces_stop_at_once(space, message):
    with pytest.raises(InputError) as caught:
        search_distributions(params_with(space))
    assert any(part in str(caught.value) for part in message.split("|"))
    assert "\n" not in str(caught.value)


def all_settings(section: Section, place: str = "") -> dict[str, object]:
    found = {}
    for name in type(section).model_fields:
        value, key = getattr(section, name), f"{place}{name}"
        found |= all_settings(value, f"{key}.") if isinstance(value, Section) else {key: value}
    return found


@pytest.mark.parametrize(("key", "value"), all_settings(load_params(ROOT / "params.yaml")).items())
def test_what_decides_about_clips_and_folds_cannot_be_searched(key, value):
    """By the pipeline: no setting that a stage reads which writes the clips, their labels or the folds."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    read = {name: set(stage.get("do", stage).get("params", [])) for name, stage in stages.items()}
    decide = [name for name in read if {"data/prepared", "data/folds.csv"} & set(written_by(stages[name]))]
    assert decide == ["prepare", "split"]
    # what the predictions of the models and their ensemble come from; reports and metrics come after
    bear = set(read) - {*decide, "evaluate", "report"}
    section = key.partition(".")[0]
    sections = {
        name: {param.partition(".")[0] for stage in of for param in read[stage]}
        for name, of in (("decide", decide), ("bear", bear))
    }
    allowed = section in sections["bear"] - sections["decide"] and key not in (
        "train.normalization",  # whose scores answer another question
        "train.importance_repeats",  # which is measured of finished models
    )
    allowed = allowed and not key.endswith("seed")  # which only finds luck
    try:
        search_distributions(params_with({key: [value]}))
    except InputError as error:
        if "cannot set" not in str(error):  # a mapping
            assert "scores would not be comparable" in str(error) and not allowed
    else:
        assert allowed


def written_by(stage: dict) -> list[str]:
    outs = stage.get("do", stage).get("outs", [])
    return [next(iter(out)) if isinstance(out, dict) else out for out in outs]


def test_what_is_left_out_cannot_be_searched():
    params = with_settings(params_with({"train_cnn.epochs": [3, 4]}), {"train_cnn.enabled": False}, "mine")
    with pytest.raises(InputError, match="tune.space names train_cnn.epochs, but train_cnn.enabled is false: no score"):
        search_distributions(params)
    space = {"train_cnn.epochs": [3, 4], "train_cnn.enabled": [True, False]}
    assert set(search_distributions(with_settings(params_with(space), {"train_cnn.enabled": False}, "x"))) == set(space)


@pytest.mark.parametrize("model", ["cnn", "mlp"])
def test_a_model_that_is_not_trained_stops_the_search(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_params(tmp_path, {"train_cnn.enabled": False, "train_ml.models": ["svm_rbf"]})
    with pytest.raises(InputError, match=f"tune.model is {model}, which is not trained .*: train it, or name another"):
        search_parameters(model, 1, None, tmp_path)


@pytest.mark.parametrize(
    "value",
    [0.00001, 5.0, 1e-12, 123456.75, 5, -3, True, None, "scale", "no", "null", "1e5", "", "a b, c", "it's", "x=y"]
    + [[64, 32], ["white", "pink"], [0.5], []],
)
def test_dvc_reads_values_as_they_were_meant(tmp_path, value):
    """By DVC's own reader of -S, and by that of the stages."""
    (tmp_path / "params.yaml").write_text("fuse:\n  members: old\n")
    apply_overrides(tmp_path / "params.yaml", [f"fuse.members={format_value(value)}"])
    found = YAML(typ="safe", pure=True).load(tmp_path / "params.yaml")["fuse"]["members"]
    assert found == value and type(found) is type(value)


def test_small_numbers_are_written_out():
    assert format_value(0.00001) == "0.00001"


def search(folder, trials: int, killed_after: int | None = None) -> list[dict]:
    """Search a made-up landscape with a failing corner; return the settings of each trial.

    Killed, the search leaves a trial behind that was begun, as the journal of a killed process does.
    """
    params = params_with({key: SPACE[key] for key in ("train_ml.svm_rbf.C", "train_ml.svm_rbf.gamma")})
    distributions = search_distributions(params)

    def score(settings: dict) -> float:
        if settings["train_ml.svm_rbf.C"] > 30:
            raise TrialError("C is too high")
        return 1 / (1 + abs(settings["train_ml.svm_rbf.C"] - 10)) + 0.1 * (settings["train_ml.svm_rbf.gamma"] == 0.01)

    study = open_study("s", folder)
    if not finished(study):
        add_start(study, start_values(params, distributions), distributions, {"": 0.2})
    while len(finished(study)) <= trials:
        trial = next_trial(study, distributions, seed=1)
        if trial.number == killed_after:
            return []
        run_trial(study, trial, params, f"t-{trial.number}", score)
    return [trial.user_attrs["settings"] for trial in finished(study)]


def test_a_killed_search_goes_on_with_the_same_proposals(tmp_path):
    undisturbed = search(tmp_path / "a", 16)
    search(tmp_path / "b", 16, killed_after=8)
    search(tmp_path / "b", 16, killed_after=13)
    assert search(tmp_path / "b", 16) == undisturbed
    assert len({str(settings) for settings in undisturbed}) > 10  # they do differ
    states = [trial.state for trial in finished(open_study("s", tmp_path / "b"))]
    assert TrialState.FAIL in states and TrialState.RUNNING not in states


def test_a_search_killed_before_its_trial_began_goes_on_with_the_same_proposals(tmp_path, monkeypatch):
    undisturbed, ask = search(tmp_path / "a", 13), optuna.Study.ask
    for done in (4, 11):
        search(tmp_path / "b", done)
        with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):  # between the proposal and its trial
            patch.setattr(optuna.Study, "ask", lambda study, *space: ask(study, *space) if space else 1 / 0)
            search(tmp_path / "b", 13)
    assert search(tmp_path / "b", 13) == undisturbed


@pytest.mark.parametrize(
    ("space", "taught"),
    [
        ({}, False),  # gamma is scale in params.yaml
        ({"train_ml.svm_rbf.gamma": ["scale", 0.001, 0.01]}, True),
        ({"train_ml.svm_rbf.C": {"low": 10.0, "high": 70.0}}, False),  # 5.0 in params.yaml
        ({"train_ml.select": {"low": 10, "high": 90}, "train_ml.tune": [True]}, False),  # null; a single choice
    ],
)
def test_all_parameters_are_drawn_together(tmp_path, monkeypatch, space, taught):
    """Whatever the start lacks: Optuna leaves out what one scored trial has no value for, and never takes it back."""
    shipped = load_params(ROOT / "params.yaml").model_dump()["tune"]["space"]
    params = params_with(shipped | space)
    distributions = search_distributions(params)
    together, alone = [], []
    drawn = TPESampler.sample_relative, TPESampler.sample_independent

    def relative(sampler, study, trial, search_space):
        together.append((len(study.get_trials(states=[TrialState.COMPLETE])), set(search_space)))
        return drawn[0](sampler, study, trial, search_space)

    def independent(sampler, study, trial, key, distribution):
        alone.append((len(study.get_trials(states=[TrialState.COMPLETE])), key))
        return drawn[1](sampler, study, trial, key, distribution)

    monkeypatch.setattr(TPESampler, "sample_relative", relative)
    monkeypatch.setattr(TPESampler, "sample_independent", independent)

    def score(settings: dict) -> float:
        if settings["train_ml.svm_rbf.C"] > 60:
            raise TrialError("C is too high")
        return 1 / settings["train_ml.svm_rbf.C"]

    study = open_study("s", tmp_path)
    add_start(study, start_values(params, distributions), distributions, {"": 0.2})
    for _ in range(20):
        trial = next_trial(study, distributions, seed=1)
        run_trial(study, trial, params, f"t-{trial.number}", score)
    searched = {key for key, distribution in distributions.items() if not distribution.single()}
    later = [keys for scored, keys in together if scored >= 10]
    assert later and all(keys == searched for keys in later)
    assert {key for scored, key in alone if scored >= 10} == set()
    assert min(scored for scored, _ in together) == taught  # whether the start is among what the sampler sees


def test_settings_tried_before_are_not_run_again(tmp_path):
    params = params_with({"train_ml.tune": [True, False]})
    distributions, calls = search_distributions(params), []
    study = open_study("s", tmp_path)
    add_start(study, start_values(params, distributions), distributions, {"": 0.5})
    for _ in range(6):
        trial = next_trial(study, distributions, seed=1)
        run_trial(study, trial, params, f"t-{trial.number}", lambda settings: calls.append(settings) or 0.6)
    assert sorted(call["train_ml.tune"] for call in calls) in ([False], [True], [False, True])
    assert {trial.value for trial in finished(study)[1:]} == {0.6}


def test_the_first_of_equals_is_best(tmp_path):
    params = params_with({"train_ml.svm_rbf.C": {"low": 0.1, "high": 1.0}})
    study = open_study("s", tmp_path)
    add_start(study, {}, search_distributions(params), {"": 0.5})
    run_trial(study, next_trial(study, search_distributions(params), 1), params, "t-1", lambda _: 0.5)
    assert best_trial(study).number == 0


def test_all_failing_is_an_error(tmp_path):
    def fail(settings):
        raise TrialError("out of memory")

    params = params_with({"train_ml.svm_rbf.C": {"low": 0.1, "high": 1.0}})
    study = open_study("s", tmp_path)
    add_start(study, {}, search_distributions(params), {"": 0.5})
    for _ in range(2):
        run_trial(study, next_trial(study, search_distributions(params), 1), params, "t", fail)
    with pytest.raises(InputError, match="all 2 trials failed; the last: out of memory"):
        conclude(study, params, "0" * 40)


def test_another_base_is_another_study():
    params = params_with(SPACE)
    names = {
        study_name("a" * 40, "svm_rbf", params),
        study_name("b" * 40, "svm_rbf", params),
        study_name("a" * 40, "mlp", params),
        study_name("a" * 40, "svm_rbf", params_with(SPACE | {"train_ml.tune": [True]})),
    }
    assert len(names) == 4
    longer = params.model_dump() | {"tune": params.tune.model_dump() | {"trials": 99}}
    assert study_name("a" * 40, "svm_rbf", Params.model_validate(longer)) in names


def test_ranges_of_the_file_are_valid():
    """What the repository proposes out of the box passes its own check."""
    params = load_params(ROOT / "params.yaml")
    assert set(search_distributions(params)) == set(params.tune.space)
    assert all(isinstance(entry, list | SearchRange) for entry in params.tune.space.values())


# --- real experiments -------------------------------------------------------------------------------------------------

CHOICES = {"train_ml.svm_rbf.C": [10.0], "train_ml.svm_rbf.gamma": [0.01]}


def test_search_applies_the_best_by_validation(tmp_path, monkeypatch):
    """The only setting to try is better than the start in validation and worse in test."""
    folder = toy_repository(tmp_path, tune__space=CHOICES)
    (folder / "untracked.txt").write_text("mine")
    printed = call(folder, "tune", "--trials", "1")
    names = experiments(folder)
    assert len(names) == 1 and names[0].startswith("tune-") and names[0].endswith("-1")
    assert "validation UAR: start 0.7798, best 0.9000 (+0.1202); 1 trials, 0 failed" in printed
    assert "Test scores were not used" in printed
    assert "train_ml.svm_rbf.C: 5.0 -> 10.0" in printed
    assert load_params(folder / "params.yaml").train_ml.svm_rbf.C == 10.0
    assert '"svm_rbf": 0.9' in (folder / "reports/validation.json").read_text()
    assert (folder / "untracked.txt").read_text() == "mine"
    assert (folder / "data/raw/clip.txt").exists()
    monkeypatch.chdir(folder)
    with pytest.raises(
        InputError, match="uncommitted changes \\(dvc.lock, params.yaml"
    ):  # another search would take them along
        require_finished_commit()


def start(folder, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "ser.commands", "tune", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def wait_for_trial(folder, number: int, process: subprocess.Popen) -> None:
    """Wait until a trial's experiment runs."""
    while not list(folder.glob(f".dvc/tmp/tune/*/{number}.log")):
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(3)


def trials_of(folder) -> list[dict]:
    (journal,) = folder.glob(".dvc/tmp/tune/*/journal.log")
    study = open_study(journal.parent.name, journal.parent)
    return [(trial.number, trial.value, trial.user_attrs["settings"]) for trial in finished(study)]


@pytest.mark.verify
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_killed_search_of_experiments_ends_like_an_undisturbed_one(tmp_path, number):
    undisturbed = toy_repository(tmp_path / "undisturbed")
    killed = shutil.copytree(undisturbed, tmp_path / "killed")  # of the same commit, so of the same name
    tune(undisturbed, "--trials", "4")
    process = start(killed, "--trials", "4")
    wait_for_trial(killed, 2, process)
    os.kill(process.pid, number)
    process.wait()
    assert run(killed, "git", "status", "--porcelain") == ""
    tune(killed, "--trials", "4")
    assert trials_of(killed) == trials_of(undisturbed)
    assert (killed / "params.yaml").read_text() == (undisturbed / "params.yaml").read_text()


@pytest.mark.verify
def test_failing_trials_are_passed_over(tmp_path):
    folder = toy_repository(tmp_path, tune__space=CHOICES | {"train_ml.svm_rbf.C": [60.0, 10.0]})
    printed = tune(folder, "--trials", "3")
    assert "failed: C is too high" in printed and "best: trial" in printed


@pytest.mark.verify
def test_all_failing_experiments(tmp_path):
    folder = toy_repository(tmp_path, tune__space=CHOICES | {"train_ml.svm_rbf.C": [60.0]})
    assert "error: all 2 trials failed; the last: C is too high" in tune(folder, "--trials", "2", code=1)
    assert run(folder, "git", "status", "--porcelain") == ""


@pytest.mark.verify
def test_a_locked_repository_is_no_failed_trial(tmp_path, monkeypatch):
    folder = toy_repository(tmp_path)
    monkeypatch.chdir(folder)
    commit = run(folder, "git", "rev-parse", "HEAD").strip()
    lock = LockFile(".dvc/tmp/lock")
    with pytest.raises(InputError, match="another DVC command is at work"):
        run_experiment("t-1", commit, {"train_ml.svm_rbf.C": 1.0}, [], folder / "log")
    lock.close()

"""One setting for several corpora: what each trial runs with, who goes on, and that a killed search ends as another.

Most of it with experiments that are a number; at the end with those of DVC.
"""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time

import optuna
import pytest
from optuna.trial import TrialState

from conftest import ROOT, environment, set_params
from ser.errors import InputError
from ser.experiments import parameter_search
from ser.experiments.halving import means_so_far, note_scores
from ser.experiments.optuna_search import open_study, study_name
from ser.experiments.scored_runs import scored_runs
from ser.experiments.search_space import search_distributions, shared_distributions, shared_start
from ser.experiments.trials import TrialError
from ser.settings.all_sections import load_params
from ser.settings.overrides import collect_settings, with_settings
from toy_repository import STAGE, call, experiments, run, toy_repository, tune

C, GAMMA = "train_ml.svm_rbf.C", "train_ml.svm_rbf.gamma"
SPACE = {C: {"low": 0.1, "high": 100.0, "log": True}, GAMMA: ["scale", 0.001, 0.01]}
FILES = {
    "young": {"prepare.corpora": ["young"], C: 0.3},
    "old": {"prepare.corpora": ["old"], C: 0.3},
    "noisy": {"prepare.corpora": ["noisy"], C: 50.0},
    "strong": {"train_lstm.hidden_size": 64, "train_ml.select": 40},
}
PEAKS = {"young": 1.0, "old": 10.0, "noisy": 5.0, "demo": 3.0}  # of C
RUNS = [["strong", "young"], ["strong", "old"], "noisy"]


class Killed(BaseException):
    """What `kill -9` is to a process: nothing catches it."""


class Experiments:
    """Experiments that are a number, and die before or after one of them is stored."""

    def __init__(self, monkeypatch, killed_at: tuple[int, str] | None = None, fails: str = ""):
        self.stored, self.begun, self.killed_at, self.fails = {}, [], killed_at, fails
        for name in (
            "require_clean",
            "untracked_inputs",
            "run_experiment",
            "validation_uar",
            "require_finished_commit",
        ):
            monkeypatch.setattr(parameter_search, name, getattr(self, name))

    def require_clean(self, commit):
        pass

    def require_finished_commit(self):
        return "c" * 40

    def untracked_inputs(self, params, run, *choices):
        return [run.prepare.corpora[0]]

    def run_experiment(self, name, commit, settings, copied, log, stages):
        if self.stored.get(name) == settings:
            return False
        self.begun.append(name)
        if self.killed_at == (len(self.begun), "before"):
            raise Killed
        assert stages == (["evaluate"] if len(name.split("-")) > 3 else [])
        assert copied == settings.get("prepare.corpora", ["demo"])
        if self.fails and self.fails in name:
            raise TrialError("out of memory")
        self.stored[name] = settings
        if self.killed_at == (len(self.begun), "after"):
            raise Killed
        return True

    def validation_uar(self, revision, model):
        settings = self.stored.get(revision.rpartition("/")[2], {})
        peak = PEAKS[settings.get("prepare.corpora", ["demo"])[0]]
        score = 0.8 - 0.2 * abs(math.log10(settings.get(C, 5.0) / peak)) + 0.05 * (settings.get(GAMMA) == 0.01)
        return round(score, 4)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with params.yaml and overrides/ of three corpora, in which the search is."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "overrides").mkdir()
    for name, settings in FILES.items():
        (tmp_path / f"overrides/{name}.yaml").write_text(json.dumps(settings))
    asked(tmp_path, overrides=RUNS, halving=3, space=SPACE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(folder, **tune):
    set_params(folder, {f"tune.{key}": value for key, value in tune.items()})


def search(folder, trials: int, hours: float | None = None) -> None:
    parameter_search.search(None, trials, hours, folder / "tune")


def found(folder) -> list:
    (journal,) = folder.glob("tune/*/journal.log")
    study = open_study(journal.parent.name, journal.parent)
    trials = study.get_trials()
    assert all(trial.state.is_finished() for trial in trials)
    return [
        (trial.number, trial.state.name, trial.value, trial.user_attrs, trial.params, trial.intermediate_values)
        for trial in trials
    ]


# --- what a trial runs with -------------------------------------------------------------------------------------------


def test_settings_of_the_trial_win_over_those_of_the_files(folder, monkeypatch):
    experiments = Experiments(monkeypatch)
    asked(folder, halving=None)
    search(folder, 4)
    names = {name.split("-", 2)[2]: settings for name, settings in experiments.stored.items()}
    assert list(names)[:6] == [f"{n}-{run}" for n in (0, 1) for run in ("strong-young", "strong-old", "noisy")]
    for number in range(5):
        young, old, noisy = (names[f"{number}-{run}"] for run in ("strong-young", "strong-old", "noisy"))
        assert young["train_ml.select"] == old["train_ml.select"] == 40 and "train_ml.select" not in noisy
        assert [each["prepare.corpora"] for each in (young, old, noisy)] == [["young"], ["old"], ["noisy"]]
        if number == 0:  # the start is as the files say
            assert (young[C], old[C], noisy[C]) == (0.3, 0.3, 50.0) and GAMMA not in young
        else:
            drawn = found(folder)[number][3]["settings"]
            assert all(each | drawn == each and set(drawn) == {C, GAMMA} for each in (young, old, noisy))


def test_the_score_is_the_mean_of_the_runs(folder, monkeypatch):
    experiments = Experiments(monkeypatch)
    asked(folder, halving=None)
    search(folder, 2)
    for number, _, value, attributes, *_ in found(folder):
        scores = [
            experiments.validation_uar(name, "svm_rbf") for name in experiments.stored if f"-{number}-" in name[5:]
        ]
        assert list(attributes["scores"].values()) == scores and len(scores) == 3
        assert value == pytest.approx(sum(scores) / 3)


def test_an_empty_entry_is_params_yaml_whose_start_is_not_run_again(folder, monkeypatch):
    experiments = Experiments(monkeypatch)
    asked(folder, overrides=[[], "young"], halving=None)
    search(folder, 1)
    assert [name.split("-", 2)[2] for name in experiments.begun] == ["0-young", "1-params", "1-young"]


def test_entries_with_the_same_files_have_names_of_their_own(folder):
    asked(folder, overrides=[["young", "train.seed=2"], ["young", "train.seed=3"], ["train.seed=4"]], halving=None)
    runs = scored_runs(load_params())
    assert [run.name for run in runs] == ["young-1", "young-2", "params"]
    assert [run.params.train.seed for run in runs] == [2, 3, 4]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["yuong"],
            "tune.overrides, yuong: 'yuong' is neither key=value nor a file of overrides/, which has noisy, old",
        ),
        ([["young", "train.sed=2"]], "tune.overrides, young train.sed=2 names train.sed, which params.yaml has not"),
        ([["young", "train_ml.svm_rbf.C=-1.0"]], "tune.overrides, young .*: train_ml.svm_rbf.C is -1.0: input should"),
        (["tune.trials=3"], "tune.overrides, tune.trials=3: tune.trials is for params.yaml, no run depends on it"),
        (["train_transformer.checkpoints={a: b}"], "tune.overrides, train_tr.*: `dvc exp run -S` cannot set"),
        ([["young", "train_ml.enabled=false"]], "tune.model is svm_rbf, which is not trained with young of tune.over"),
        (["young", ["young"]], "overrides is .*allowed is each value once"),
    ],
)
def test_entries_that_cannot_run_stop_the_search_at_once(folder, monkeypatch, overrides, message):
    experiments = Experiments(monkeypatch)
    asked(folder, overrides=overrides, halving=None)
    with pytest.raises(InputError, match=message) as caught:
        search(folder, 1)
    assert "\n" not in str(caught.value) and not experiments.begun


def test_halving_asks_for_two_runs(folder):
    asked(folder, overrides=["young"])
    with pytest.raises(InputError, match=r"halving is 3, overrides is \[\['young'\]\]; allowed with fewer than two"):
        load_params()


def test_the_space_is_checked_with_each_entry(folder):
    params = load_params()
    off = with_settings(params, {"train_cnn.enabled": False, "tune.space": {"train_cnn.epochs": [3, 4]}}, "mine")
    on = with_settings(off, {"train_cnn.enabled": True}, "mine")
    with pytest.raises(InputError, match="train_cnn.enabled is false: no score depends on it"):
        shared_distributions([on, off])


def test_the_sampler_learns_what_all_starts_share(folder):
    runs = [run.params for run in scored_runs(load_params())]
    distributions = search_distributions(runs[0])
    assert shared_start(runs[:2], distributions) == {C: 0.3, GAMMA: "scale"}
    assert shared_start(runs, distributions) == {GAMMA: "scale"}  # noisy has another C


def test_the_name_of_a_search_follows_its_files(folder):
    params = load_params()
    name = study_name("a" * 40, "m", params, scored_runs(params))
    alone = with_settings(params, {"tune.overrides": [], "tune.halving": None}, "mine")
    others = [
        study_name("a" * 40, "m", alone),
        study_name("a" * 40, "m", with_settings(params, {"tune.halving": 2}, "mine"), scored_runs(params)),
    ]
    (folder / "overrides/strong.yaml").write_text("train_ml.select: 41\n")
    others.append(study_name("a" * 40, "m", params, scored_runs(params)))
    assert len({name, *others}) == 4
    longer = with_settings(alone, {"tune.hours": 1.0, "tune.trials": 99}, "mine")
    assert study_name("a" * 40, "m", longer) == others[0]


# --- who goes on ------------------------------------------------------------------------------------------------------


def gone_on(scores: list[float], halving: int | None) -> list[bool]:
    """Return which trials of these first scores go on, after a start of 0.5."""
    study, result = optuna.create_study(direction="maximize"), []
    for score in [0.5, *scores]:
        trial = study.ask()
        try:
            note_scores(study, trial, {"young": score}, 2, halving)
            result.append(True)
        except optuna.TrialPruned:
            result.append(False)
        study.tell(trial, score)
    return result[1:]


def test_the_best_third_of_those_so_far_goes_on():
    #        of 2: 1; of 3: 1; of 4: 1;  5: 1;  6: 2;  7: 2;  8: 2;  9: 3
    scores = [0.6, 0.55, 0.6, 0.59, 0.59, 0.595, 0.595, 0.595]
    assert gone_on(scores, 3) == [True, False, True, False, False, False, False, True]
    assert gone_on(scores, None) == [True] * 8
    assert gone_on([0.4, 0.45, 0.3], 2) == [False, False, False]  # of 4 the best two: 0.5, 0.45


def test_the_last_run_stops_nobody():
    study = optuna.create_study(direction="maximize")
    for score in (0.9, 0.1):
        trial = study.ask()
        note_scores(study, trial, {"young": score, "old": score}, 2, 3)
        study.tell(trial, score)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 2


def test_means_so_far():
    assert means_so_far({"young": 0.5, "old": 0.7, "noisy": 0.9}) == pytest.approx([0.5, 0.6, 0.7])


def test_each_trial_gets_as_far_as_its_scores_say(folder, monkeypatch, capsys):
    """By a reckoning of its own, from the experiments that were begun."""
    experiments = Experiments(monkeypatch)
    search(folder, 14)
    names = ["strong-young", "strong-old", "noisy"]
    reached: list[list[float]] = [[], [], []]
    for number, state, _, attributes, _, so_far in found(folder):
        scores = []
        for place, run_name in enumerate(names):
            experiment = next(name for name in experiments.stored if name.endswith(f"-{number}-{run_name}"))
            scores.append(experiments.validation_uar(experiment, "svm_rbf"))
            reached[place].append(sum(scores) / len(scores))
            better = sum(other > reached[place][-1] + 1e-12 for other in reached[place])
            if number and place < 2 and better >= max(1, len(reached[place]) // 3):
                break
        assert list(attributes["scores"].values()) == scores
        assert (state == "COMPLETE") == (len(scores) == 3) and list(so_far) == list(range(len(scores)))
        begun = [name for name in experiments.begun if name.split("-")[2] == str(number)]
        assert len(begun) == len(scores)
        if state == "PRUNED":
            assert attributes["reason"].startswith(f"stopped after {names[len(scores) - 1]}, ")
    states = [state for _, state, *_ in found(folder)]
    assert states.count("PRUNED") >= 4 and states.count("COMPLETE") >= 3
    printed = capsys.readouterr().out
    assert f"14 trials, 0 failed, {states.count('PRUNED')} stopped. Test scores were not used." in printed
    assert ": stopped after strong-young, 0." in printed and "the best goes on" in printed


def test_stopped_trials_teach_the_sampler(folder, monkeypatch):
    """Else it would draw at random until ten had done all runs."""
    seen, sample = [], optuna.samplers.TPESampler._sample

    def sampled(sampler, study, trial, space):
        seen.append([each.state for each in study.get_trials()[:-1]])
        return sample(sampler, study, trial, space)

    monkeypatch.setattr(optuna.samplers.TPESampler, "_sample", sampled)
    Experiments(monkeypatch)
    search(folder, 14)
    assert seen and all(TrialState.PRUNED in states and len(states) >= 10 for states in seen)


# --- going on ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a search leaves that nothing disturbs, and how many experiments it takes."""
    place = tmp_path_factory.mktemp("undisturbed")
    shutil.copy(ROOT / "params.yaml", place)
    (place / "overrides").mkdir()
    for name, settings in FILES.items():
        (place / f"overrides/{name}.yaml").write_text(json.dumps(settings))
    asked(place, overrides=RUNS, halving=3, space=SPACE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        experiments = Experiments(patch, fails="-4-strong-old")
        search(place, 8)
        (tuned,) = place.glob("overrides/tuned-*.yaml")
    return found(place), experiments.stored, len(experiments.begun), tuned.read_text()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_search_killed_at_any_experiment_ends_as_an_undisturbed_one(folder, monkeypatch, undisturbed, when):
    trials, stored, count, tuned = undisturbed
    for number in range(1, count + 1):
        shutil.rmtree(folder / "tune", ignore_errors=True)
        experiments = Experiments(monkeypatch, (number, when), fails="-4-strong-old")
        try:
            search(folder, 8)
        except Killed:
            search(folder, 8)
        assert found(folder) == trials and experiments.stored == stored
        (again,) = folder.glob("overrides/tuned-*.yaml")
        assert again.read_text() == tuned
        again.unlink()


@pytest.mark.parametrize("method", ["report", "tell"])
def test_a_search_killed_around_its_notes_ends_as_an_undisturbed_one(folder, monkeypatch, undisturbed, method):
    """After what a trial scored was noted and before anything else."""
    place = {"report": optuna.trial.Trial, "tell": optuna.Study}[method]
    original, calls = getattr(place, method), []

    def noted(*arguments, **named):
        calls.append(method)
        killed = len(calls) % 2  # every other time
        if method == "tell" and killed:
            raise Killed
        result = original(*arguments, **named)
        if killed:
            raise Killed
        return result

    experiments = Experiments(monkeypatch, fails="-4-strong-old")
    monkeypatch.setattr(place, method, noted)
    for _ in range(100):
        try:
            search(folder, 8)
            break
        except Killed:
            continue
    assert len(calls) > 8 and found(folder) == undisturbed[0] and experiments.stored == undisturbed[1]


def test_hours_end_a_session_between_experiments(folder, monkeypatch, capsys, undisturbed):
    experiments = Experiments(monkeypatch, fails="-4-strong-old")
    sessions = 0
    while not list(folder.glob("overrides/tuned-*.yaml")):
        before, sessions = len(experiments.begun), sessions + 1
        search(folder, 8, hours=1e-9)
        assert len(experiments.begun) == before + 1 or list(folder.glob("overrides/tuned-*.yaml"))
    printed = capsys.readouterr().out
    assert sessions > 10 and "1e-09 hours have passed: 0 of 8 trials done; run it again to go on" in printed
    assert "1e-09 hours have passed: 5 of 8 trials done; best so far 0." in printed
    assert found(folder) == undisturbed[0] and experiments.stored == undisturbed[1]


def test_hours_of_params_yaml_and_time_that_is_left(folder, monkeypatch, capsys):
    experiments = Experiments(monkeypatch)
    asked(folder, hours=1000.0)
    search(folder, 1)
    assert "hours have passed" not in capsys.readouterr().out
    asked(folder, hours=1e-9, seed=2)
    count = len(experiments.begun)
    search(folder, 1)
    assert "1e-09 hours have passed" in capsys.readouterr().out and len(experiments.begun) == count + 1


def test_hours_end_a_search_of_one_run_too(folder, monkeypatch, capsys):
    experiments = Experiments(monkeypatch)
    asked(folder, overrides=[], halving=None)
    search(folder, 3, hours=1e-9)
    assert [name.split("-", 2)[2] for name in experiments.begun] == ["1"]
    assert "hours have passed: 1 of 3 trials done; best so far" in capsys.readouterr().out


# --- what comes of it -------------------------------------------------------------------------------------------------


def test_a_failing_run_fails_its_trial_and_no_other(folder, monkeypatch, capsys):
    Experiments(monkeypatch, fails="-1-noisy")
    asked(folder, halving=None)
    search(folder, 3)
    states = [(state, attributes.get("reason")) for _, state, _, attributes, *_ in found(folder)]
    assert states[1] == ("FAIL", "noisy: out of memory") and {state for state, _ in states[2:]} == {"COMPLETE"}
    assert "failed: noisy: out of memory" in capsys.readouterr().out
    assert list(found(folder)[1][3]["scores"]) == ["strong-young", "strong-old"]


def test_a_start_that_fails_stops_the_search(folder, monkeypatch):
    Experiments(monkeypatch, fails="-0-strong-old")
    with pytest.raises(InputError, match="the start with strong-old has no score: out of memory"):
        search(folder, 3)


def test_settings_that_do_not_go_together_are_not_begun(folder, monkeypatch):
    experiments = Experiments(monkeypatch)
    asked(folder, halving=None, space={"extract.n_fft": [256], "extract.hop_length": [400]})
    with pytest.raises(InputError, match="all 1 trials failed; the last: strong-young: tune.space: extract.hop_length"):
        search(folder, 1)
    assert {name.split("-")[2] for name in experiments.begun} == {"0"}


def test_the_best_is_written_as_a_file_of_overrides(folder, monkeypatch, capsys):
    Experiments(monkeypatch)
    search(folder, 12)
    trials = found(folder)
    best = max((trial for trial in trials if trial[1] == "COMPLETE"), key=lambda trial: trial[2])
    assert best[0] > 0
    (path,) = folder.glob("overrides/tuned-*.yaml")
    assert collect_settings(["strong", "young", path.stem]) == FILES["strong"] | FILES["young"] | best[3]["settings"]
    first = path.read_text().splitlines()[0]
    assert first == ("# best of 12 trials of `ser tune` by the validation speakers of strong-young, strong-old, noisy")
    printed = capsys.readouterr().out
    assert f"best: trial {best[0]}, written to overrides/{path.name}" in printed
    assert f"  {C}: 0.3 or 50.0 -> " in printed and f"next: `ser override noisy {path.stem}` and `dvc repro`" in printed
    assert (
        f"  strong-old: {trials[0][3]['scores']['strong-old']:.4f} -> {best[3]['scores']['strong-old']:.4f}" in printed
    )
    assert not list(folder.glob("overrides/.tmp-*"))


def test_no_better_trial_writes_nothing(folder, monkeypatch, capsys):
    Experiments(monkeypatch)
    asked(folder, space={C: [0.1]}, halving=None)
    search(folder, 1)
    assert "best: the start (trial 0); nothing is written" in capsys.readouterr().out
    assert not list(folder.glob("overrides/tuned-*"))


# --- real experiments -------------------------------------------------------------------------------------------------

PEAK = """
corpus = YAML(typ="safe", pure=True).load(Path("params.yaml"))["prepare"]["corpora"][0]
peak = {"young": 0.5, "old": 1.5}.get(corpus, 1)
validation = round(0.9 - 0.15 * abs(math.log10(svm["C"]) - peak), 4)
Path("reports/validation.json").write_text(json.dumps({"validation": {"svm_rbf": validation}}))
if corpus == "old" and svm["C"] == 40:
    sys.exit("error: too old")
"""
PIPELINE = """
stages:
  evaluate:
    cmd: python train.py
    deps: [train.py, data/raw]
    params: [train_ml.svm_rbf, prepare.corpora]
    outs: [data/model.txt]
    metrics:
      - reports/metrics.json: {cache: false}
      - reports/validation.json: {cache: false}
      - reports/scores.csv: {cache: false}
  report:
    cmd: python --version
    deps: [data/model.txt]
"""


def toy_of_two_corpora(folder, **changes):
    (folder / "overrides").mkdir(parents=True)
    for name in ("young", "old"):
        (folder / f"overrides/{name}.yaml").write_text(f"# {name}\nprepare.corpora:\n  - {name}\n{C}: 1.0\n")
    settings = {"overrides": ["young", "old"], "halving": 2, "space": {C: [0.5, 5.0, 10.0, 40.0]}} | changes
    return toy_repository(folder, STAGE + PEAK, PIPELINE, **{f"tune__{key}": value for key, value in settings.items()})


def test_one_setting_for_two_corpora(tmp_path):
    """Where one corpus has its best C at 3 and the other at 30; the test UAR rises towards the ends."""
    folder = toy_of_two_corpora(tmp_path, space={C: [10.0]})
    printed = call(folder, "tune", "--trials", "1")
    (path,) = folder.glob("overrides/tuned-*.yaml")
    name = path.stem.removeprefix("tuned-")
    expected = [f"tune-{name}-{trial}-{corpus}" for trial in (0, 1) for corpus in ("old", "young")]
    assert sorted(experiments(folder)) == expected
    logs = [log.read_text() for log in folder.glob(f".dvc/tmp/tune/{name}/*.log") if log.name != "journal.log"]
    assert len(logs) == 4 and all("stage 'evaluate'" in log and "'report'" not in log for log in logs)
    assert "validation UAR: start 0.7500, best 0.8250 (+0.0750); 1 trials, 0 failed" in printed
    assert "  young: 0.8250 -> 0.8250 (+0.0000)\n  old: 0.6750 -> 0.8250 (+0.1500)\n" in printed
    assert path.read_text().splitlines()[1:] == [f"{C}: 10.0"]
    assert run(folder, "git", "status", "--porcelain").split() == ["??", f"overrides/{path.name}"]


@pytest.mark.verify
def test_a_killed_search_over_two_corpora_ends_as_an_undisturbed_one(tmp_path):
    undisturbed = toy_of_two_corpora(tmp_path / "undisturbed")
    killed = shutil.copytree(undisturbed, tmp_path / "killed")
    tune(undisturbed, "--trials", "4")
    log = tmp_path / "printed"
    with log.open("w") as output:
        command = [sys.executable, "-m", "ser.commands", "tune", "--trials", "4"]
        process = subprocess.Popen(command, cwd=killed, env=environment(), stdout=output, stderr=output)
    while not list(killed.glob(".dvc/tmp/tune/*/1-young.log")):
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    time.sleep(3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while "another tune runs" in (
        printed := subprocess.run(command, cwd=killed, env=environment(), capture_output=True, text=True).stderr
    ):
        time.sleep(1)  # until its experiment has ended
    assert "error" not in printed
    assert sorted(experiments(killed)) == sorted(experiments(undisturbed))
    (path,) = undisturbed.glob("overrides/tuned-*.yaml")
    assert (killed / "overrides" / path.name).read_text() == path.read_text()

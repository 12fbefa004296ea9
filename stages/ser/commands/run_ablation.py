"""Ablation: what each part brings, every variant a DVC experiment, beside a random split.

Reads   params.yaml (committed and reproduced), benchmarks/ablation.yaml (the variants) or --file, overrides/
Writes  the experiments ablation-<variant>-<id>, reports/benchmarks/<file>_<corpora>.csv and .md (not with --only).
        .dvc/tmp/ablation keeps what the experiments print. Those that are done are kept: after an interruption run it
        again.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import pandas as pd
from tqdm import tqdm

from ser.commands.command_line import help_of
from ser.compute.parallel import available_cores
from ser.errors import InputError
from ser.experiments.ablation_page import page
from ser.experiments.ablation_variants import (
    BASE,
    Ablation,
    Outcome,
    Trial,
    judge,
    plan_trials,
    read_ablation,
    score_trial,
)
from ser.experiments.copied_inputs import untracked_inputs
from ser.experiments.trials import (
    TrialError,
    interruptible,
    reference,
    require_clean,
    require_finished_commit,
    run_experiment,
)
from ser.review.revisions import find_commit, read_folds, read_tables, read_yaml
from ser.settings.all_sections import load_params
from ser.settings.overrides import collect_settings, format_value, present_value
from ser.storage.clip_tables import count_speakers
from ser.storage.csv_tables import write_csv
from ser.storage.prediction_tables import emotions_of
from ser.storage.whole_files import write_json, write_text

VARIANTS = Path("benchmarks/ablation.yaml")
FOLDER = Path(".dvc/tmp/ablation")
REPORTS = Path("reports/benchmarks")
PLACES = ("raw.path", "augment.noise_folder", "augment.room_folder")  # which say nothing to a reader elsewhere


def ablate(overrides: Sequence[str], only: Sequence[str], file: Path = VARIANTS) -> None:
    """Run the base and its variants, one after another; write and print their scores."""
    params, ablation = load_params(), read_ablation(file)
    stages, given = read_yaml("dvc.yaml", None)["stages"], collect_settings(overrides)
    base, *trials = plan_trials(params, ablation, given, stages, only=only, where=str(file))
    commit = require_finished_commit(without=str(REPORTS))
    copied = untracked_inputs(params, *(trial.params for trial in (base, *trials)))
    tables, failed, base_outcome = [], {}, None
    with tqdm(total=1 + len(trials), unit="variant", dynamic_ncols=True) as bar:
        for trial in (base, *trials):
            bar.set_description(trial.name)
            try:
                is_base = base_outcome is not None and trial.params == base.params
                outcome = base_outcome if is_base else run_trial(trial, commit, copied)
            except TrialError as error:
                if trial.name == BASE:
                    raise InputError(f"the base fails: {error}") from None
                failed[trial.name] = str(error)
                bar.write(f"{trial.name}: failed: {error}", file=sys.stdout)
            else:
                base_outcome = base_outcome or outcome
                tables.append(score_trial(trial, outcome, base, base_outcome))
                bar.write(lines(tables[-1]), file=sys.stdout)
            bar.update()
    rows = judge(pd.concat(tables, ignore_index=True), base.params.evaluate.confidence)
    facts = describe(base, base_outcome, {key: present_value(params, key, str(file)) for key in base.settings})
    text = page(rows, failed=failed, commit=commit, **facts)
    if only:
        print(text)
        return
    name = f"{file.stem}_{'_'.join(base.params.prepare.corpora)}"
    write_csv(rows.round(4), REPORTS / f"{name}.csv")
    write_text(text, REPORTS / f"{name}.md")
    print(f"{REPORTS / name}.csv, {REPORTS / name}.md: {len(trials) - len(failed)} variants, {len(failed)} failed")
    if failed:
        sys.exit(1)


def run_trial(trial: Trial, commit: str, copied: list[str]) -> Outcome:
    """Run a trial's experiment, if it has not been, and read what it left."""
    require_clean(commit, without=str(REPORTS))
    name, started = trial.experiment(commit), time.perf_counter()
    minutes = FOLDER / f"{name}.json"
    ran = run_experiment(name, commit, trial.settings, copied, FOLDER / f"{name}.log", trial.stages)
    if ran:
        write_json({"minutes": round((time.perf_counter() - started) / 60, 2)}, minutes)
    revision = find_commit(reference(name, commit))
    try:
        paths = {path.partition("/")[2]: f"data/predictions/{path}.csv" for path in trial.models}
        tables, clips = read_tables(revision, paths)
        folds = read_folds(revision)
    except InputError as error:
        raise TrialError(f"{error}; or `dvc exp remove {name}`, and it runs again") from None
    taken = json.loads(minutes.read_text())["minutes"] if minutes.is_file() else float("nan")
    return Outcome(tables, clips, folds, taken)


def describe(base: Trial, outcome: Outcome, committed: dict) -> dict:
    """Return what stands at the head of the page."""
    table = next(iter(outcome.tables.values()))
    tested = outcome.clips[outcome.clips["clip"].isin(table.loc[table["part"] == "test", "clip"])]
    changed = {key: value for key, value in base.settings.items() if value != committed[key] and key not in PLACES}
    return {
        "corpora": sorted(tested["corpus"].unique()),
        "emotions": emotions_of(table),
        "clips": len(tested),
        "speakers": count_speakers(tested["speaker"]),
        "cores": available_cores(),
        "settings": {key: format_value(value) for key, value in changed.items()} or {"all": "as committed"},
        "confidence": base.params.evaluate.confidence,
    }


def lines(table: pd.DataFrame) -> str:
    """Return the scores of a variant, a line a model."""
    change = "" if table["variant"].iloc[0] == BASE else " ({difference:+.3f})"
    text = "{variant}: {model} UAR {uar:.3f}" + change + ", validation {validation_uar:.3f}"
    return "\n".join(text.format(**row) for row in table.to_dict("records"))


def show(ablation: Ablation) -> None:
    """Print the base and the variants."""
    print("base\n  " + "\n  ".join(f"{key}: {format_value(value)}" for key, value in ablation.settings.items()))
    for name, variant in ablation.variants.items():
        print(f"{name}  ({', '.join(variant.models)})")
        print("  " + "\n  ".join(f"{key}: {format_value(value)}" for key, value in variant.changes.items()))


@click.command(help=help_of(__doc__))
@click.argument("settings", nargs=-1, metavar="[NAME_OR_KEY=VALUE]...")
@click.option(
    "--file", default=VARIANTS, type=click.Path(path_type=Path), show_default=True, help="The variants, a YAML file."
)
@click.option("--only", multiple=True, metavar="VARIANT", help="Print its scores; repeatable.")
@click.option("--list", "listing", is_flag=True, help="Print the variants, and run nothing.")
def command(settings: tuple[str, ...], file: Path, only: tuple[str, ...], listing: bool) -> None:
    if listing:
        show(read_ablation(file))
    else:
        with interruptible(FOLDER):
            ablate(settings, only, file)

"""Search for better parameters: every trial is a DVC experiment, scored by the UAR on validation speakers.

Reads   params.yaml (tune: what is searched, for which model, how long), overrides/ (those of tune.overrides), the
        experiments' reports/validation.json
Writes  the experiments tune-<study>-<number>; the best is applied to the workspace. With tune.overrides, of which each
        has an experiment, overrides/tuned-<study>.yaml: the best settings for all of them. .dvc/tmp/tune keeps what a
        search that was interrupted needs to go on: run it again.
"""

from pathlib import Path

import click

from ser.commands.command_line import help_of
from ser.experiments.trials import interruptible

FOLDER = Path(".dvc/tmp/tune")


@click.command(help=help_of(__doc__))
@click.option("--model", help="Instead of tune.model.")
@click.option(
    "--trials", type=click.IntRange(min=1), help="Instead of tune.trials; a finished search with more goes on."
)
@click.option(
    "--hours", type=click.FloatRange(min=0, min_open=True), help="Instead of tune.hours; run it again to go on."
)
def command(model: str | None, trials: int | None, hours: float | None) -> None:
    from ser.experiments.parameter_search import search  # Optuna, which the help does not need

    with interruptible(FOLDER):
        search(model, trials, hours, FOLDER)

"""List all experiments with what they changed and what came out, as a table and a chart.

Reads   the experiments of HEAD (--all: of every commit), by DVC
Writes  reports/experiments.csv, reports/experiments.png (not in git)
"""

from pathlib import Path

import click
import pandas as pd

from ser.charts.parallel_coordinates import parallel_coordinates
from ser.commands.command_line import help_of
from ser.errors import InputError
from ser.experiments.listing import parameters_of, read_experiments
from ser.settings.all_sections import load_params
from ser.storage.csv_tables import write_csv

REPORTS = Path("reports")


def list_experiments(model: str | None, everything: bool) -> None:
    """Print the experiments, best validation UAR first, and write the table and the chart."""
    model = model or load_params().tune.model
    table = read_experiments(model, everything=everything)
    write_csv(table, REPORTS / "experiments.csv")
    empty = [
        column for column in ("state", "test_low", "test_high") if not table[column].replace("", pd.NA).notna().any()
    ]
    shown = table.drop(columns=empty)
    print(f"UAR of {model}")
    print(shown.to_string(index=False, na_rep="", float_format="{:.4g}".format, line_width=None))
    print("choose by the validation UAR; the test UAR is to be reported once, of the one that was chosen")
    if table["validation_uar"].notna().any():
        title = f"{table['validation_uar'].notna().sum()} experiments by the validation UAR of {model}, the best bold"
        parallel_coordinates(table, parameters_of(table), "validation_uar", REPORTS / "experiments.png", title=title)
        print("reports/experiments.csv, reports/experiments.png")
    else:
        raise InputError("no experiment has reports/validation.json: no chart")


@click.command(help=help_of(__doc__))
@click.option("--model", help="Whose scores.  [default: tune.model]")
@click.option("--all", "everything", is_flag=True, help="The experiments of every commit, not of HEAD only.")
def command(model: str | None, everything: bool) -> None:
    list_experiments(model, everything)

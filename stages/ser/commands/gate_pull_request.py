"""Let a pull request pass unless one model has become worse than chance explains.

Compares the UAR of a model in the workspace with that at the commit where the branch left BASE, over the same test
clips, paired, with speakers as the units.

Exit codes:
  0  not worse, or not beyond the confidence interval (evaluate.confidence) of the difference
  1  worse: the whole interval is below 0
  2  nothing was compared: no such model or commit, no predictions of one revision, other folds, …
     (make turns 1 into 2 as well: where the code matters, run `ser gate`)

Reads   git, and through DVC data/predictions/<trainer>/<model>.csv and data/prepared/clips.csv of both revisions
"""

import sys
import traceback
from pathlib import Path

import click

from ser.commands.command_line import help_of
from ser.errors import InputError


def gate(base_name: str, model: str) -> bool:
    """Print the comparison of a model with that of the base and return whether it is worse.

    Raises
    ------
    InputError
        They cannot be compared.
    """
    if not Path("dvc.yaml").is_file():
        raise InputError("this is no clone of the project: change to its root, where dvc.yaml is")
    # here: the help needs none of it
    import numpy as np
    import pandas as pd

    from ser.networks.collapse import collapsed_folds
    from ser.review.pull_request import UNCHANGED, compare_results, luck_is_hidden, main_model
    from ser.review.pull_request_page import gate_line
    from ser.review.revision_changes import same_output
    from ser.review.revisions import find_commit, fork_point, read_confidence, read_results, read_yaml

    base = fork_point(find_commit(base_name), find_commit("HEAD"))
    confidence = read_confidence(base)  # a branch does not choose what is asked of it
    same = same_output(*(read_yaml("dvc.lock", commit) for commit in (base, None)), "data/predictions") is True
    old, new = read_results(base), read_results(None)
    main = main_model(old.metrics, new.metrics, model)
    models, problem = compare_results(old, new, main, same=same, confidence=confidence)
    row = models.set_index("model").loc[main]
    if problem:
        raise InputError(problem)
    print(gate_line(row, base_name, confidence=confidence))
    if np.isnan(row["high"]) and row["verdict"] != UNCHANGED:
        raise InputError("there is no interval: an emotion is that of a single speaker")
    if row["verdict"] != UNCHANGED and luck_is_hidden(new.tables):
        print("note: with so few folds this may be the luck of one training: compare several seeds, or use more folds")
    if main in new.tables and len(folds := collapsed_folds(new.tables[main], pd.DataFrame())["fold"]):
        print(f"note: {main} collapsed in fold {', '.join(map(str, folds))}: see reports/collapsed.csv")
    return bool(row["high"] < 0)


@click.command(help=help_of(__doc__))
@click.option("--base", default="main", show_default=True, help="Branch that is merged into, or any commit.")
@click.option("--model", default="", help="Whose UAR.  [default: ensemble, else the best of the base]")
def command(base: str, model: str) -> int:
    try:
        return 1 if gate(base, model) else 0
    except InputError as error:
        print(f"error: nothing compared: {error}", file=sys.stderr)
    except Exception:
        traceback.print_exc()  # Python's own code would be 1, which means worse
    return 2

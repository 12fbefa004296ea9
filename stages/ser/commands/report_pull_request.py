"""Report on a pull request: its scores, classes, speakers, parameters, data and charts beside those of its base.

Outside the pipeline; nothing is rerun. The base is the commit at which the branch left BASE, the head is the
workspace. Scores and charts come from git, predictions from the workspace, DVC's cache or its remote. Without the
predictions of both revisions there are no intervals and no verdicts, and the report says why.

Reads   git, and through DVC data/predictions/<trainer>/<model>.csv and data/prepared/clips.csv of both revisions
Writes  reports/pr.md and its pictures, reports/pr/
"""

import shutil
from pathlib import Path

import click
import pandas as pd

from ser.charts.difference_plot import difference_chart
from ser.commands.command_line import help_of
from ser.evaluation.comparisons import BETTER, WORSE
from ser.review.pull_request import (
    Results,
    compare_results,
    luck_is_hidden,
    main_model,
    moved_classes,
    moved_rows,
    moved_speakers,
)
from ser.review.pull_request_page import headline, render
from ser.review.revision_changes import (
    changed_counts,
    changed_params,
    changed_rows,
    changed_stages,
    describe_data,
    outdated_params,
    same_output,
)
from ser.review.revisions import (
    commits_between,
    count_missing,
    find_commit,
    fork_point,
    list_files,
    read_confidence,
    read_csv,
    read_file,
    read_results,
    read_yaml,
    uncommitted_changes,
)
from ser.storage.whole_files import write_bytes, write_text

PAGE, PICTURES = Path("reports/pr.md"), Path("reports/pr")
MOST_MOVES = 4  # models whose classes and speakers are shown


def pr_report(base_name: str, model: str, images: str) -> None:
    """Write the report and print its verdict."""
    head, tip = find_commit("HEAD"), find_commit(base_name)
    base = fork_point(tip, head)
    confidence = read_confidence(base)  # a branch does not choose what is asked of it
    old, new = read_results(base), read_results(None)
    main = main_model(old.metrics, new.metrics, model)
    locks = [read_yaml("dvc.lock", commit) for commit in (base, None)]
    same = same_output(*locks, "data/predictions") is True
    outdated = outdated_params(locks[1], read_yaml("params.yaml", None))
    models, problem = compare_results(old, new, main, same=same, confidence=confidence)
    PAGE.unlink(missing_ok=True)  # there is no page before all its pictures are there
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    chart = models["low"].notna().any()
    if chart:
        difference_chart(models, PICTURES / "differences.png", confidence=confidence)
    page = render(
        models=models,
        main=main,
        confidence=confidence,
        problem=problem,
        old_metrics=old.metrics,
        new_metrics=new.metrics,
        base_name=base_name,
        base=base[:7],
        head=head[:7],
        behind=count_missing(tip, head),
        lucky=chart and luck_is_hidden(new.tables),
        uncommitted=uncommitted_changes(),
        commits=commits_between(base, head),
        params=changed_params(*(read_yaml("params.yaml", commit) for commit in (base, None))),
        stages=changed_stages(*locks),
        outdated=outdated,
        data=describe_data(*locks),
        counts=changed_counts(*both("data/counts", base)),
        files=[(name, *changed_rows(*both(f"data/{name}", base))) for name in ("quarantine", "findings")],
        collapsed=[(place.model, place.fold, place.emotion) for place in collapsed(base).itertuples()],
        moves=[(name, *moves(name, old, new, base)) for name in worth_a_look(models, main)],
        chart="pr/differences.png" if chart and not images else "",
        pictures=changed_pictures(base, head, images),
    )
    write_text(page, PAGE)
    print(f"{headline(models, main, confidence=confidence, plain=True)}; see {PAGE}")
    if outdated:
        print(f"note: these results are not of today's parameters ({', '.join(outdated)}): run `dvc repro` first")


def both(name: str, base: str) -> list[pd.DataFrame | None]:
    """Return a table of the reports at both revisions."""
    return [read_csv(f"reports/{name}.csv", commit) for commit in (base, None)]


def collapsed(base: str) -> pd.DataFrame:
    """Return ``model, fold, emotion`` of the folds in which a model collapsed and has not done so before."""
    columns = ["model", "fold", "emotion"]
    tables = [None if table is None else table[columns] for table in both("collapsed", base)]
    return changed_rows(*tables)[0].reindex(columns=columns)


def worth_a_look(models: pd.DataFrame, main: str) -> list[str]:
    """Return the models whose classes and speakers are shown: the main one, and those with a verdict."""
    found = models.loc[models["verdict"].isin([BETTER, WORSE]) & (models["model"] != main), "model"]
    return [main, *found][:MOST_MOVES]


def moves(model: str, old: Results, new: Results, base: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the classes and the speakers of a model that moved, from predictions, else from the reports' tables."""
    if model in old.tables and model in new.tables:
        tables = old.tables[model], new.tables[model]
        return moved_classes(*tables), moved_speakers(*tables, old.clips, new.clips)
    classes, groups = ([read_csv(f"reports/{name}.csv", c) for c in (base, None)] for name in ("per_class", "groups"))
    return (
        moved_rows(*classes, {"model": model}, name="emotion", score="sensitivity"),
        moved_rows(*groups, {"model": model, "group": "speaker"}, name="value", score="uar"),
    )


def changed_pictures(base: str, head: str, images: str) -> list[tuple[str, str, str]]:
    """Return the name of each chart that differs and the links to it at both revisions (empty: there is none)."""
    folder = "reports/images/evaluation"
    found = []
    for path in sorted({*list_files(folder, base), *list_files(folder, None)}):
        old, new = read_file(path, base), read_file(path, None)
        if Path(path).suffix != ".png" or Path(path).name.startswith(".") or old == new:
            continue
        links = [f"{images}/{base}/{path}", f"{images}/{head}/{path}"]
        if not images:
            copy = PICTURES / "base" / Path(path).relative_to("reports")
            links = [copy.relative_to("reports").as_posix(), path.removeprefix("reports/")]
            if old is not None:
                write_bytes(old, copy)
        found.append((Path(path).stem, *(link if side else "" for link, side in zip(links, (old, new), strict=True))))
    return found


@click.command(help=help_of(__doc__))
@click.option("--base", default="main", show_default=True, help="Branch that is merged into, or any commit.")
@click.option("--model", default="", help="Whose verdict comes first.  [default: ensemble, else the best of the base]")
@click.option(
    "--images",
    default="",
    metavar="URL",
    help="Absolute links URL/<commit>/<path> instead of relative ones, for a comment on GitHub: "
    "https://github.com/<owner>/<repository>/raw",
)
def command(base: str, model: str, images: str) -> None:
    pr_report(base, model, images.rstrip("/"))

"""Tables of another revision: what is a name stays one, whatever it looks like."""

import subprocess

import pytest

from ser.review import revisions
from ser.review.pull_request import moved_rows
from ser.review.revision_changes import changed_counts

NAMES = ["NA", "None", "nan", "007", "1e5", "满意"]


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """A repository whose last commit has tables of labels and speakers that look like something else."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "reports/data"
    folder.mkdir(parents=True)
    lines = [f"mine,{name},female,mine:{name},{10 + place}" for place, name in enumerate(NAMES)]
    (folder / "counts.csv").write_text("\n".join(["corpus,emotion,sex,speaker,clips", *lines]), encoding="utf-8")
    lines = [f"svm,speaker,{name},4,0.{place}5" for place, name in enumerate(NAMES)]
    (tmp_path / "reports/groups.csv").write_text("\n".join(["model,group,value,clips,uar", *lines]), encoding="utf-8")
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "t"]):
        subprocess.run(["git", *command], check=True)
    return tmp_path / "reports"


def test_names_that_look_like_numbers_or_gaps_are_names(reports):
    for commit in ("HEAD", None):
        counts = revisions.read_csv("reports/data/counts.csv", commit)
        assert list(counts["emotion"]) == NAMES and counts["clips"].sum() == 75
        assert list(revisions.read_csv("reports/groups.csv", commit)["value"]) == NAMES
    assert changed_counts(counts, counts.assign(clips=counts["clips"] + 1))["emotion"].tolist() == sorted(NAMES)


def test_speakers_of_such_names_are_compared_by_them(reports):
    old = revisions.read_csv("reports/groups.csv", "HEAD")
    new = old.assign(uar=1 - old["uar"])
    moved = moved_rows(old, new, {"model": "svm", "group": "speaker"}, name="value", score="uar")
    assert set(moved.iloc[:, 0].astype(str)) == set(NAMES)


def test_predictions_of_such_labels_are_read():
    rows = ["clip,fold,part,emotion,p_007,p_NA", "mine/NA,0,test,NA,0.25,0.75", "mine/1,0,test,007,0.75,0.25"]
    table = revisions._read_table("\n".join(rows).encode(), "svm.csv")
    assert list(table["emotion"]) == ["NA", "007"] and list(table["clip"]) == ["mine/NA", "mine/1"]

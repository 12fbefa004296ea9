"""`ser explain`: what it prints and writes, and what it refuses."""

import csv
import io
import json

import pytest

from conftest import run_stage


def run(trained, *arguments):
    return run_stage(trained, "explain", "svm_rbf", *map(str, arguments))


def test_stretches_groups_and_what_they_say_are_printed(trained, clips):
    done = run(trained, clips[0])
    assert done.returncode == 0, done.stderr
    first, _, *lines = done.stdout.splitlines()
    emotion = first.split(":")[0]
    assert emotion in ("anger", "neutral", "sadness") and "probability 0." in first
    assert lines[0].split() == ["start", "end", "effect", "error"]
    assert any("stands out" in line or "stand out" in line for line in lines)
    assert any(line.split()[:1] == ["pitch"] for line in lines)
    assert "of the features" in lines[-1] or "no group" in lines[-1]
    assert done.stderr.startswith("warning: this model learnt from synthetic speech only")


def test_what_is_printed_is_what_is_written(trained, clips, tmp_path):
    names = ("a.csv", "a.json", "a.PNG", "a.svg", "a.pdf")
    outputs = [word for name in names for word in ("--output", tmp_path / name)]
    done = run(trained, clips[0], "--format", "json", *outputs)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    found = json.loads(done.stdout)
    assert found == json.loads((tmp_path / "a.json").read_text())
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    for kind, name in (("time", "stretches"), ("features", "groups")):
        effects = [float(row["effect"]) for row in rows if row["of"] == kind]
        assert effects == pytest.approx([each["effect"] for each in found[name]], abs=1e-4)
    assert (tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG")
    before = (tmp_path / "a.PNG").read_bytes()
    run(trained, clips[0], "--output", tmp_path / "a.PNG")
    assert (tmp_path / "a.PNG").read_bytes() == before


def test_another_emotion_is_explained_when_it_is_asked_for(trained, clips):
    found = [
        json.loads(run(trained, clips[0], "--format", "json", "--emotion", name).stdout)
        for name in ("anger", "sadness")
    ]
    assert [each["emotion"] for each in found] == ["anger", "sadness"]
    assert found[0]["answer"] == found[1]["answer"]
    assert found[0]["groups"] != found[1]["groups"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--emotion", "joy"], "the model does not know the emotion joy: it knows anger, neutral, sadness"),
        (["--output", "a.txt"], "a.txt: allowed are .csv, .json, .png, .svg, .pdf"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(trained, clips, arguments, said):
    done = run(trained, clips[0], *arguments)
    assert done.returncode != 0
    assert said in done.stderr and "Traceback" not in done.stderr


def test_a_file_without_sound_is_named(trained, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no sound")
    done = run(trained, tmp_path / "a.wav")
    assert done.returncode == 1 and f"{tmp_path}/a.wav: " in done.stderr

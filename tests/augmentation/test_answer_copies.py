"""Copies that an answer is the mean of: made as those to learn from are, listed apart from them."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from conftest import environment, run_stage, workplace
from ser.augmentation.answer_copies import LIMITS, MOST, answer_copy, parse_copy, wrong_copies
from ser.augmentation.changed_copies import augment
from ser.demo.synthetic_speech import demo_table, synthesize
from ser.errors import InputError
from ser.settings.all_sections import default_params
from ser.settings.augment_section import Augment
from ser.settings.params_file import validated
from ser.storage.recorded_level import LEVELS
from ser.storage.samples import to_float, to_int16
from ser.storage.shards import Ragged

SR = 16000
COPIES = ["speed 0.92", "speed 1.08", "pitch -1.5", "pitch +1.5", "stretch 1.1"]


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    table = demo_table({"speakers": 1, "emotions": ["anger"], "sentences": 1, "takes": 1})
    return to_int16(synthesize(table.iloc[0], 1, SR))


def answers_of(texts: object) -> list[str]:
    """Return the setting as it is read, given to it in params.yaml."""
    section = default_params().augment.model_dump() | {"answers": texts}
    return validated(Augment, section, "params.yaml").answers


@pytest.mark.parametrize("text", COPIES)
def test_a_copy_is_one_to_learn_from_whose_strength_is_not_drawn(samples, text):
    kind, amount = parse_copy(text)
    one = [amount, amount]
    settings = SimpleNamespace(speed=one, stretch=one, semitones=one)
    wanted, _ = augment(to_float(samples), SR, kind, settings, np.random.default_rng(0))
    np.testing.assert_array_equal(answer_copy(samples, SR, text), to_int16(wanted))
    assert answer_copy(samples, SR, text).dtype == np.int16
    lasting = len(samples) / (1.0 if kind == "pitch" else amount)
    assert abs(len(answer_copy(samples, SR, text)) - lasting) <= 1


@pytest.mark.parametrize("text", COPIES)
def test_a_copy_has_the_power_of_its_recording_and_stays_within_full_scale(samples, text):
    quiet = samples // 2  # as loud as it gets, a copy may not be louder
    copy = to_float(answer_copy(quiet, SR, text))
    assert np.mean(np.square(copy)) == pytest.approx(np.mean(np.square(to_float(quiet))), rel=1e-3)
    square = to_int16(np.sign(np.sin(np.arange(SR) * 0.05)))
    assert np.abs(answer_copy(square, SR, text).astype(int)).max() >= 32000


@pytest.mark.parametrize("seconds", [0.1, 0.3])
@pytest.mark.parametrize("text", [f"{kind} {limit:g}" for kind, limits in LIMITS.items() for limit in limits])
def test_the_shortest_recording_has_copies_of_every_strength(samples, seconds, text):
    copy = answer_copy(samples[: round(seconds * SR)], SR, text)
    assert len(copy) >= 0.04 * SR and copy.any()
    assert not answer_copy(np.zeros(1600, np.int16), SR, text).any()


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ("speed 0.92", "no list"),
        ([0.92], "no list"),
        (["noise 10"], "known are such as"),
        (["speed"], "known are such as"),
        (["speed fast"], "known are such as"),
        (["speed 0.4"], "allowed are 0.5 to 2"),
        (["speed nan"], "allowed are 0.5 to 2"),
        (["pitch 13"], "allowed are -12 to 12"),
        (["pitch 1.5", "pitch +1.5"], "two alike"),
        ([f"pitch {number}" for number in range(1, MOST + 2)], f"more than {MOST}"),
    ],
)
def test_what_is_no_copy_is_said(texts, reason):
    assert reason in wrong_copies(texts)
    assert wrong_copies(COPIES) == wrong_copies([]) == ""


@pytest.mark.parametrize("kind", LIMITS)
def test_the_settings_allow_what_is_read_and_nothing_else(kind):
    low, high = LIMITS[kind]
    for text in (f"{kind} {low:g}", f"{kind} {high:g}", f"{kind} +1.25", f"{kind} 0.75"):
        assert answers_of([text]) == [text]
        assert wrong_copies([text]) == ""


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (["noise 10"], "answers has 'noise 10'; allowed are such as speed 0.92"),
        (["speed 0.92 "], "allowed are such as speed 0.92"),
        (["speed 1e-1"], "allowed are such as speed 0.92"),
        (["speed 2.1"], "allowed are 0.5 to 2 but 1, which changes nothing"),
        (["stretch 1.0"], "but 1, which changes nothing"),
        (["pitch 0"], "allowed are -12 to 12 but 0, which changes nothing"),
        (["pitch 1.5", "pitch +1.50"], "allowed is each value once"),
        ([f"pitch {number}" for number in range(1, 10)], "at most 8 items"),
        ("speed 0.92", "answers"),
    ],
)
def test_other_settings_are_refused(answers, reason):
    with pytest.raises(InputError, match="params.yaml") as caught:
        answers_of(answers)
    assert reason in str(caught.value)


def test_predicting_by_copies_imports_little():
    code = "import sys, ser.augmentation.answer_copies; print({'scipy', 'pandas', 'pydantic'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_the_stage_adds_them_after_those_to_learn_from(tmp_path):
    tables, audio = {}, {}
    for name, answers in (("plain", []), ("answers", COPIES[:2]), ("alone", COPIES[:2])):
        copies = 0 if name == "alone" else 2
        folder = workplace(tmp_path / name, demo__speakers=2, augment__copies=copies, augment__answers=answers)
        for command in ("prepare", "augment"):
            run = run_stage(folder, command)
            assert run.returncode == 0, run.stderr
        tables[name] = pd.read_csv(folder / "data/augmented/clips.csv", dtype=str, keep_default_na=False)
        audio[name] = [samples.copy() for samples in Ragged.open(folder / "data/augmented/audio")]
    clips = pd.read_csv(folder / "data/prepared/clips.csv", dtype=str, keep_default_na=False)
    plain, both, alone = tables["plain"], tables["answers"], tables["alone"]
    learning = both["use"] == "learning"
    # who learns from copies learns from the same ones
    pd.testing.assert_frame_equal(both[learning].drop(columns="use"), plain)
    for mine, theirs in zip(audio["answers"], audio["plain"], strict=False):
        np.testing.assert_array_equal(mine, theirs)
    answering = both[~learning].reset_index(drop=True)
    assert (answering["use"] == "answering").all() and answering["clip"].is_unique
    assert list(answering["recipe"]) == [text for text in COPIES[:2] for _ in range(len(clips))]
    assert list(answering["parent"]) == 2 * list(clips["clip"])
    assert set(answering["clip"].str.extract("#(.*)")[0]) == {"a1", "a2"}
    for column in ("speaker", "emotion", *LEVELS):  # the level is that of the recording
        assert list(answering[column]) == 2 * list(clips[column])
    pd.testing.assert_frame_equal(alone, answering)
    original = Ragged.open(folder / "data/prepared/audio")
    for row, copy in enumerate(audio["alone"]):
        wanted = answer_copy(original[row % len(clips)], SR, COPIES[row // len(clips)])
        np.testing.assert_array_equal(copy, wanted)

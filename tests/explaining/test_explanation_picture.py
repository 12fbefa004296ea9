"""Pictures and words of an explanation: what stands out is where it is, and the same bytes each time."""

import matplotlib.image
import numpy as np
import pytest

from ser.explaining.explanation import Explanation, Group, Stretch
from ser.explaining.explanation_picture import AGAINST, DPI, FOR, WIDTH, draw
from ser.explaining.explanation_tables import as_dict, as_table

SR = 16000


def explained(effects: list[float], outlier: int | None = None, **changes) -> Explanation:
    """Of a noise that begins at 0.5 s, in stretches of a quarter of a second."""
    samples = (3000 * np.random.default_rng(0).standard_normal(len(effects) * SR // 4)).astype(np.int16)
    stretches = tuple(Stretch(0.5 + at / 4, 0.75 + at / 4, effect, 0.05) for at, effect in enumerate(effects))
    fields = {
        "name": "a.wav",
        "model": "train_ml/svm_rbf",
        "answer": "anger",
        "emotion": "anger",
        "emotions": ("anger", "sadness"),
        "probabilities": np.array([0.8, 0.2], np.float32),
        "unfamiliar": "",
        "log_odds": 1.39,
        "stretches": stretches,
        "chance": 0.5 if outlier is None else 0.001,
        "outlier": outlier,
        "groups": (Group("pitch", 22, 1.5, 0.0), Group("mfcc", 36, -0.4, 0.0), Group("energy", 20, 0.01, 0.0)),
        "usual_log_odds": 0.28,
        "samples": samples,
        "sample_rate": SR,
    }
    return Explanation(**fields | changes)


FLAT = [0.1, -0.1, 0.05, 0.0, -0.05, 0.02, 0.03, -0.05]
CUED = [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, -3.0]


def pixels_of(path, color: str) -> np.ndarray:
    pixels = np.round(matplotlib.image.imread(path)[..., :3] * 255).astype(int)
    return (pixels == [int(color[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=-1)


def test_a_stretch_is_drawn_where_it_is(tmp_path):
    """Of eight stretches the third spoke for it, the last against it; no group did anything."""
    draw(explained(CUED, 2, groups=()), tmp_path / "a.png")
    of, against = (pixels_of(tmp_path / "a.png", color) for color in (FOR, AGAINST))
    left, right = np.flatnonzero(of.any(axis=0))[[0, -1]]
    width = (right - left) / 0.94  # of a stretch
    assert 7.5 * width < 0.95 * WIDTH * DPI < 9 * width
    assert np.flatnonzero(against.any(axis=0))[0] - left == pytest.approx(5 * width, rel=0.03)
    assert np.flatnonzero(of.any(axis=1))[-1] < np.flatnonzero(against.any(axis=1))[0] + 3  # above, and below


def test_groups_are_on_their_sides(tmp_path):
    draw(explained([0.0] * 8), tmp_path / "a.png")
    of, against = (pixels_of(tmp_path / "a.png", color) for color in (FOR, AGAINST))
    assert np.flatnonzero(of.any(axis=0))[0] > np.flatnonzero(against.any(axis=0))[-1] - 3
    assert np.flatnonzero(of.any(axis=1))[0] < np.flatnonzero(against.any(axis=1))[0]  # the largest above


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize(
    "explanation",
    [
        explained(FLAT, emotion="$x_1$", emotions=("$x_1$", "高兴\n"), answer="高兴\n", name="$f_1$\n<x>.wav"),
        explained([0.0], groups=(), usual_log_odds=None),
    ],
    ids=["any words", "a single stretch"],
)
def test_anything_is_drawn_and_twice_the_same(explanation, suffix, tmp_path):
    for name in ("one", "two"):
        draw(explanation, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a.gif: a picture ends in .png, .svg or .pdf"):
        draw(explained(FLAT), tmp_path / "a.gif")


@pytest.mark.parametrize(
    ("explanation", "said"),
    [
        (explained(FLAT), "no stretch of time stands out from the others (p = 0.5)"),
        (explained(FLAT, chance=0.01), "no stretch of time stands out from the others by 1.15 or more (p = 0.01)"),
        (
            explained([0.5, -0.5], chance=1.0),
            "no stretch of time stands out: the recording is too short to compare any",
        ),
        (
            explained(CUED, 2),
            "1.00 to 1.25 s stands out (p = 0.001): it spoke for anger, +3.00 beside the average stretch",
        ),
        (
            explained(CUED, 7),
            "2.25 to 2.50 s stands out (p = 0.001): it spoke against anger, -3.00 beside the average stretch",
        ),
    ],
)
def test_whether_a_stretch_stands_out_is_said(explanation, said):
    assert explanation.in_words()[1] == said
    assert said in as_table(explanation).splitlines()
    assert as_dict(explanation)["in_words"][1] == said
    marked = [each["stands_out"] for each in as_dict(explanation)["stretches"]]
    assert marked == [at == explanation.outlier for at in range(len(marked))]


def test_what_the_features_say_is_said_without_those_that_say_next_to_nothing():
    assert explained(FLAT).in_words()[2] == "of the features, pitch spoke for it; mfcc spoke against it"
    nothing = explained(FLAT, groups=(Group("pitch", 22, 0.01, 0.0),))
    assert nothing.in_words()[2] == "no group of features spoke for it or against it"
    assert explained(FLAT, groups=()).in_words()[2] == "the model reads samples: there are no groups of features"


def test_an_emotion_that_is_not_the_answer_is_told_apart_from_it():
    other = explained(FLAT, emotion="sadness", log_odds=-1.39).in_words()[0]
    assert other == "sadness: probability 0.200, log odds -1.39 (most probable is anger)"


def test_a_piece_is_explained_at_its_own_times():
    assert explained(FLAT).later(10.0).stretches[1][:2] == (10.75, 11.0)

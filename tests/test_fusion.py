"""Fusion of several models' predictions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.errors import InputError
from ser.fusion import mean_probability, select_members

CLIPS = ["c/a", "c/b", "c/c"]


def member(p_anger: list[float]) -> pd.DataFrame:
    """Return a table in which each clip is tested in fold 1 and validated in fold 0."""
    table = pd.DataFrame({"clip": CLIPS * 2, "fold": [1] * 3 + [0] * 3, "part": ["test"] * 3 + ["validation"] * 3})
    table["emotion"] = ["anger", "fear", "fear"] * 2
    return table.assign(p_anger=p_anger, p_fear=1 - np.array(p_anger))


MEMBERS = {
    "x": member([0.9, 0.1, 0.2, 0.3, 0.4, 0.5]),
    "y": member([0.5, 0.3, 0.8, 0.1, 0.2, 0.3]),
    "z": member([0.1, 0.2, 0.8, 0.5, 0.6, 0.7]),
}


def test_probabilities_are_averaged_row_by_row():
    fused = mean_probability(MEMBERS)
    assert fused["fold"].tolist() == [0, 0, 0, 1, 1, 1]
    assert fused["clip"].tolist() == CLIPS * 2
    assert fused["emotion"].tolist() == ["anger", "fear", "fear"] * 2
    assert np.allclose(fused["p_anger"], [0.3, 0.4, 0.5, 0.5, 0.2, 0.6])
    assert np.allclose(fused["p_anger"] + fused["p_fear"], 1)


def test_one_member_is_itself():
    fused = mean_probability({"x": MEMBERS["x"]})
    assert np.allclose(fused["p_anger"], [0.3, 0.4, 0.5, 0.9, 0.1, 0.2])


@given(order=st.permutations(sorted(MEMBERS)), rows=st.permutations(range(6)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_members_and_rows_does_not_matter(order, rows):
    shuffled = {name: MEMBERS[name].iloc[rows] for name in order}
    pd.testing.assert_frame_equal(mean_probability(shuffled), mean_probability(MEMBERS), check_exact=True)


def test_members_are_not_changed():
    before = MEMBERS["x"].copy()
    mean_probability(MEMBERS)
    pd.testing.assert_frame_equal(MEMBERS["x"], before)


@pytest.mark.parametrize(
    "other",
    [
        MEMBERS["y"].iloc[1:],
        MEMBERS["y"].assign(clip=["c/a", "c/b", "c/d"] * 2),
        MEMBERS["y"].assign(emotion="fear"),
        MEMBERS["y"].rename(columns={"p_fear": "p_joy"}),
    ],
    ids=["a row less", "another clip", "another truth", "another class"],
)
def test_members_that_differ_are_an_error(other):
    with pytest.raises(InputError, match="y and x predict different clips or emotions"):
        mean_probability({"x": MEMBERS["x"], "y": other})


def test_nothing_to_fuse_is_an_error():
    with pytest.raises(InputError, match="no predictions to fuse"):
        mean_probability({})


def test_members_are_chosen_by_name():
    assert list(select_members(MEMBERS, [])) == ["x", "y", "z"]
    assert list(select_members(MEMBERS, ["z", "x"])) == ["z", "x"]
    with pytest.raises(InputError, match="fuse.members names w, but the models are x, y, z"):
        select_members(MEMBERS, ["x", "w"])

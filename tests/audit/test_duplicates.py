"""Audit: equal audio and same takes are found, a good copy is kept, contradictory copies are all left out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser.audit.duplicates import find_duplicates
from ser.storage.samples import audio_digests


def table(*rows):
    return pd.DataFrame(rows, columns=["clip", "speaker", "emotion"])


def full_table(*rows):
    return pd.DataFrame(rows, columns=["clip", "speaker", "emotion", "corpus", "source", "reason"])


def duplicates(clips, audio, same_takes=()):
    """Return the row and reason of each clip to leave out."""
    found = judged(clips, audio, same_takes)
    assert found["leave_out"].all()
    return list(found[["row", "reason"]].itertuples(index=False, name=None))


def judged(clips, audio, same_takes=()):
    takes = pd.DataFrame(same_takes, columns=["first", "second", "offset", "error"])
    return find_duplicates(clips, audio_digests([np.array(samples, dtype=np.int16) for samples in audio]), takes)


def test_equal_samples_have_equal_digests_however_they_lie_in_memory():
    base = np.arange(20, dtype=np.int16)
    strided = np.repeat(base, 2)[::2]
    read_only = base.copy()
    read_only.flags.writeable = False
    digests = audio_digests([base, strided, read_only])
    assert len(set(digests)) == 1
    assert len(digests[0]) == 64


def test_digests_tell_one_changed_sample_and_one_missing_sample():
    base = np.arange(20, dtype=np.int16)
    changed = base.copy()
    changed[7] += 1
    assert len(set(audio_digests([base, changed, base[:-1], base[1:]]))) == 4


def test_digest_of_each_clip_stands_at_its_place():
    a, b = np.zeros(5, np.int16), np.ones(5, np.int16)
    first, second, third = audio_digests([a, b, a])
    assert first == third != second


def test_corpus_without_copies_has_no_duplicates():
    clips = table(("c/1", "c:a", "anger"), ("c/2", "c:a", "anger"))
    assert duplicates(clips, [[1], [2]]) == []


def test_first_of_agreeing_copies_is_kept():
    clips = table(*[(f"c/{number}", "c:a", "anger") for number in range(4)])
    assert duplicates(clips, [[1], [2], [1], [1]]) == [(2, "same audio as c/0"), (3, "same audio as c/0")]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (("c/1", "c:b", "anger"), "speaker"),
        (("c/1", "c:a", "fear"), "emotion"),
        (("c/1", "c:b", "fear"), "speaker and emotion"),
    ],
)
def test_contradictory_copies_are_all_left_out(other, what):
    found = duplicates(table(("c/0", "c:a", "anger"), other), [[1], [1]])
    assert found == [
        (0, f"same audio as c/1, which has another {what}"),
        (1, f"same audio as c/0, which has another {what}"),
    ]


def test_one_contradiction_among_three_copies_leaves_all_out():
    clips = table(("c/0", "c:a", "anger"), ("c/1", "c:a", "anger"), ("c/2", "c:a", "fear"))
    assert duplicates(clips, [[1], [1], [1]]) == [
        (0, "same audio as c/2, which has another emotion"),
        (1, "same audio as c/2, which has another emotion"),
        (2, "same audio as c/0, which has another emotion"),
    ]


def test_unknown_speaker_contradicts_none_and_makes_way_for_a_known_one():
    clips = table(("c/0", "", "anger"), ("c/1", "c:a", "anger"), ("c/2", "c:a", "anger"))
    assert duplicates(clips, [[1], [1], [1]]) == [(0, "same audio as c/1"), (2, "same audio as c/1")]


@pytest.mark.parametrize("source", ["a.zip/0.MP3", "0.ogg", "0.oga", "0.opus", "0.m4a", "0.amr", "0.webm", "0"])
def test_lossless_file_is_kept_rather_than_a_lossy_one(source):
    clips = full_table(
        ("c/0", "c:a", "anger", "c", source, ""),
        ("c/1", "c:a", "anger", "c", "1.wav", ""),
        ("c/2", "c:a", "anger", "c", "2.flac", ""),
    )
    takes = [(0, 1, 0.0, 0.1), (0, 2, 0.0, 0.1), (1, 2, 0.0, 0.1)]
    detail = "(shifted by 0.00 s, 10 % of the bits differ)"
    found = duplicates(clips, [[1], [2], [3]], takes)
    assert found == [(0, f"same take as c/1 {detail}"), (2, f"same take as c/1 {detail}")]


def test_known_speaker_counts_more_than_a_lossless_file():
    clips = full_table(("c/0", "", "anger", "c", "0.wav", ""), ("c/1", "c:a", "anger", "c", "1.mp3", ""))
    assert duplicates(clips, [[1], [1]]) == [(0, "same audio as c/1")]


def test_unknown_speaker_among_contradicting_ones_is_left_out_too():
    clips = table(("c/0", "", "anger"), ("c/1", "c:a", "anger"), ("c/2", "c:b", "anger"))
    found = duplicates(clips, [[1], [1], [1]])
    assert found[0] == (0, "same audio as c/1, whose copies have different speakers")
    assert [row for row, _ in found] == [0, 1, 2]


def test_same_take_is_left_out_and_the_reason_says_how_alike_they_are():
    clips = table(("c/0", "c:a", "anger"), ("c/1", "c:a", "anger"))
    found = judged(clips, [[1], [2]], [(0, 1, -0.0413, 0.0296)])
    assert found.to_dict("records") == [
        {
            "row": 1,
            "reason": "same take as c/0 (shifted by 0.04 s, 3 % of the bits differ)",
            "other": 0,
            "exact": False,
            "leave_out": True,
        }
    ]


def test_contradictory_takes_are_all_left_out():
    clips = table(("c/0", "c:a", "anger"), ("c/1", "c:a", "fear"))
    details = "(shifted by 0.50 s, 12 % of the bits differ), which has another emotion"
    assert duplicates(clips, [[1], [2]], [(0, 1, 0.5, 0.12)]) == [
        (0, f"same take as c/1 {details}"),
        (1, f"same take as c/0 {details}"),
    ]


def test_exact_copies_and_same_takes_make_one_group():
    clips = table(*[(f"c/{number}", "c:a", "anger") for number in range(4)])
    found = judged(clips, [[1], [2], [1], [3]], [(1, 2, 0.0, 0.1), (1, 3, 0.0, 0.0)])
    assert found["row"].tolist() == [1, 2, 3]
    assert found["other"].tolist() == [0, 0, 0]
    assert found["exact"].tolist() == [False, True, False]
    assert found["reason"][0] == "same take as c/0, by way of c/2"  # 1 was compared with 2 only, 3 with 1 only
    assert found["reason"][2] == "same take as c/0, by way of c/1"


def test_contradiction_reaches_through_a_copy():
    clips = table(("c/0", "c:a", "anger"), ("c/1", "c:a", "anger"), ("c/2", "c:a", "fear"))
    found = duplicates(clips, [[1], [1], [2]], [(1, 2, 0.0, 0.1)])
    assert [row for row, _ in found] == [0, 1, 2]
    assert found[0][1] == "same take as c/2, which has another emotion"


def test_equal_audio_needs_no_mention_of_the_take():
    clips = table(("c/0", "c:a", "anger"), ("c/1", "c:a", "anger"))
    assert duplicates(clips, [[1], [1]], [(0, 1, 0.0, 0.0)]) == [(1, "same audio as c/0")]


@pytest.mark.parametrize("speaker", ["", "c:b"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_file_of_no_use_costs_no_clip_its_place(order, speaker):
    rows = [("c/good", "c:a", "anger"), ("c/misfiled", speaker, "")]
    found = judged(table(*(rows[place] for place in order)), [[1], [1]])
    (row,) = found.itertuples(index=False)
    assert (row.row, row.other) == (order.index(1), order.index(0))
    assert row.reason == "same audio as c/good"
    assert row.exact
    assert not row.leave_out


def test_file_of_no_use_links_no_clips_that_are_not_alike_themselves():
    clips = table(("c/0", "c:a", "anger"), ("c/1", "", ""), ("c/2", "c:b", "fear"))
    found = judged(clips, [[1], [2], [3]], [(0, 1, 0.0, 0.1), (1, 2, 0.1, 0.2)])
    assert found["row"].tolist() == [1]
    assert not found["leave_out"].any()


def test_files_of_no_use_that_are_alike_are_named_once():
    clips = table(("c/0", "", ""), ("c/1", "", ""))
    found = judged(clips, [[1], [1]])
    assert found[["row", "reason", "leave_out"]].values.tolist() == [[1, "same audio as c/0", False]]


def test_empty_digests_equal_none():
    clips = table(("c/0", "c:a", "anger"), ("c/1", "c:a", "anger"))
    assert find_duplicates(clips, np.array(["", ""], dtype=object)).empty


@pytest.mark.parametrize("emotion", ["anger", "fear"])
@pytest.mark.parametrize("speaker", ["", "c:a", "c:b"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_unusable_audio_is_never_kept_and_costs_no_clip_its_place(order, speaker, emotion):
    rows = [("c/good", "c:a", "anger", "c", "1.mp3", ""), ("c/bad", speaker, emotion, "c", "0.wav", "too short")]
    found = judged(full_table(*(rows[place] for place in order)), [[1], [2]], [(0, 1, 0.0, 0.1)])
    assert found[["row", "other", "leave_out"]].values.tolist() == [[order.index(1), order.index(0), False]]


def test_unusable_clip_is_told_of_the_kept_copy():
    clips = full_table(
        ("c/0", "", "anger", "c", "", ""), ("c/1", "c:a", "anger", "c", "", ""), ("c/2", "c:a", "fear", "c", "", "bad")
    )
    found = judged(clips, [[1], [1], [1]])
    assert found[["row", "other", "leave_out"]].values.tolist() == [[0, 1, True], [2, 1, False]]


def test_copies_between_corpora_are_kept_once():
    clips = full_table(
        ("a/1", "a:1", "anger", "a", "", ""),
        ("b/1", "b:7", "anger", "b", "", ""),
        ("a/2", "a:1", "fear", "a", "", ""),
        ("b/2", "b:7", "fear", "b", "", ""),
    )
    assert duplicates(clips, [[1], [1], [2], [2]]) == [(1, "same audio as a/1"), (3, "same audio as a/2")]


def test_copies_between_corpora_have_to_agree_in_emotion():
    clips = full_table(("a/1", "a:1", "anger", "a", "", ""), ("b/1", "b:7", "fear", "b", "", ""))
    assert duplicates(clips, [[1], [1]]) == [
        (0, "same audio as b/1, which has another emotion"),
        (1, "same audio as a/1, which has another emotion"),
    ]


def test_speakers_of_one_corpus_contradict_each_other_whatever_another_says():
    clips = full_table(
        ("a/1", "a:1", "anger", "a", "", ""), ("b/1", "b:7", "anger", "b", "", ""), ("b/2", "b:8", "anger", "b", "", "")
    )
    assert duplicates(clips, [[1], [1], [1]]) == [
        (0, "same audio as b/1, whose copies have different speakers"),
        (1, "same audio as b/2, which has another speaker"),
        (2, "same audio as b/1, which has another speaker"),
    ]


LABELS = st.tuples(
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "anger", "fear"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["x.wav", "x.mp3"]),
    st.sampled_from(["", "", "too short"]),
)


@given(st.lists(st.tuples(LABELS, st.integers(0, 4)), max_size=8), st.data())
def test_what_is_kept_is_unique_and_agrees(rows, data):
    count = len(rows)
    clips = full_table(*((f"c/{row}", *labels) for row, (labels, _) in enumerate(rows)))
    pairs = data.draw(st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)))) if count else set()
    pairs = [(first, second, 0.0, 0.1) for first, second in pairs if first < second]
    digests = np.array([str(audio) for _, (_, audio) in enumerate(rows)], dtype=object)
    found = find_duplicates(clips, digests, pd.DataFrame(pairs, columns=["first", "second", "offset", "error"]))
    left_out = set(found.loc[found["leave_out"], "row"])
    usable = [row for row in range(count) if clips["emotion"][row] and not clips["reason"][row]]
    assert left_out <= set(usable)
    assert found["row"].is_unique
    alike = {(a, b) for a in usable for b in usable if a < b and digests[a] == digests[b]}
    alike |= {(a, b) for a, b, *_ in pairs if a in usable and b in usable}
    for a, b in alike:
        assert a in left_out or b in left_out
        one, other = clips.loc[a], clips.loc[b]
        another_speaker = one["corpus"] == other["corpus"] and len({one["speaker"], other["speaker"]} - {""}) == 2
        if one["emotion"] != other["emotion"] or another_speaker:
            assert {a, b} <= left_out
    for row in found[found["leave_out"]].itertuples():
        assert row.other not in left_out or ", wh" in row.reason  # the kept one is named, or the contradiction
    for row in found.itertuples():
        assert clips["clip"][row.other] in row.reason
        assert row.exact == (digests[row.row] == digests[row.other])


def test_rows_are_positions_whatever_the_index_of_the_table():
    clips = table(("c/0", "c:a", "anger"), ("c/1", "c:a", "anger")).set_index(pd.Index([70, 90]))
    assert duplicates(clips, [[1], [1]]) == [(1, "same audio as c/0")]


def test_empty_table_has_no_duplicates_and_the_same_columns():
    found = find_duplicates(table(), audio_digests([]))
    assert found.empty
    assert list(found.columns) == ["row", "reason", "other", "exact", "leave_out"]

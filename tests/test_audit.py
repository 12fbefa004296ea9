"""Audit: equal audio is found, a good copy is kept, contradictory copies are all left out."""

import numpy as np
import pandas as pd
import pytest

from ser.audit import audio_digests, find_duplicates


def table(*rows):
    return pd.DataFrame(rows, columns=["clip", "speaker", "emotion"])


def duplicates(clips, audio):
    found = find_duplicates(clips, audio_digests([np.array(samples, dtype=np.int16) for samples in audio]))
    return list(found.itertuples(index=False, name=None))


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


@pytest.mark.parametrize("other", [("c/1", "c:b", "anger"), ("c/1", "c:a", "fear")])
def test_contradictory_copies_are_all_left_out(other):
    found = duplicates(table(("c/0", "c:a", "anger"), other), [[1], [1]])
    assert found == [
        (0, "same audio as c/1, which has another speaker or emotion"),
        (1, "same audio as c/0, which has another speaker or emotion"),
    ]


def test_one_contradiction_among_three_copies_leaves_all_out():
    clips = table(("c/0", "c:a", "anger"), ("c/1", "c:a", "anger"), ("c/2", "c:a", "fear"))
    found = duplicates(clips, [[1], [1], [1]])
    assert [row for row, _ in found] == [0, 1, 2]
    assert found[0][1].startswith("same audio as c/1, c/2,")


def test_copies_are_found_between_corpora():
    clips = table(("a/1", "a:1", "anger"), ("b/1", "b:1", "anger"))
    assert [row for row, _ in duplicates(clips, [[1], [1]])] == [0, 1]


def test_rows_are_positions_whatever_the_index_of_the_table():
    clips = table(("c/0", "c:a", "anger"), ("c/1", "c:a", "anger")).set_index(pd.Index([70, 90]))
    assert duplicates(clips, [[1], [1]]) == [(1, "same audio as c/0")]


def test_empty_table_has_no_duplicates_and_the_same_columns():
    found = find_duplicates(table(), audio_digests([]))
    assert found.empty
    assert list(found.columns) == ["row", "reason"]

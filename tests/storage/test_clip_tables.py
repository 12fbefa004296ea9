"""What is said of the speakers of a table of clips."""

import pandas as pd
import pytest

from ser.storage.clip_tables import count_speakers, speakers_in_words


@pytest.mark.parametrize(
    ("speakers", "count", "words"),
    [
        (["", ""], 0, "unknown speakers"),
        (["a", "a"], 1, "1 speaker"),
        (["a", "b", "a"], 2, "2 speakers"),
        (["a", "", "b"], 2, "2 speakers and unknown ones"),
        ([], 0, "unknown speakers"),
    ],
)
def test_unknown_speakers_are_not_counted_as_one(speakers, count, words):
    speakers = pd.Series(speakers, dtype=str)
    assert (count_speakers(speakers), speakers_in_words(speakers)) == (count, words)


def test_a_number_of_known_speakers_is_put_into_words():
    assert [speakers_in_words(count) for count in (0, 1, 1200)] == ["unknown speakers", "1 speaker", "1,200 speakers"]

"""Sources of clips: what is written is read as the same again, whatever a file is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser.corpora.clip_sources import ClipSource, format_source, split_source

NAMES = ("a.wav", "call#2.wav", "a.wav#t=1,2", "a.wav#", "#", "a#channel=2", "a#t=1&channel=3", "x#t=1,2#", "a##")
SECONDS = st.none() | st.floats(0, 1e6, allow_nan=False)
PATHS = st.sampled_from(NAMES) | st.from_regex(r"[a#t=,.&12channel\n]{1,20}", fullmatch=True) | st.text(min_size=1)


@given(PATHS, SECONDS, SECONDS, st.none() | st.integers(1, 32))
def test_what_is_written_is_read_as_the_same(path, start, end, channel):
    assert split_source(format_source(path, start, end, channel)) == ClipSource(path, start, end, channel)


@pytest.mark.parametrize(
    ("parts", "source"),
    [
        (("call.wav", 12.5, 15.25), "call.wav#t=12.5,15.25"),
        (("call.wav", 12.5, 15.25, 2), "call.wav#t=12.5,15.25&channel=2"),
        (("call.wav", None, None, 2), "call.wav#channel=2"),
        (("call.wav", 12.0, None), "call.wav#t=12"),
        (("call.wav", None, 0.00001), "call.wav#t=,0.00001"),
        (("call.wav",), "call.wav"),
        (("take#1.wav",), "take#1.wav"),
        (("a.wav#t=1,2",), "a.wav#t=1,2#"),
        (("a.wav#t=1,2", None, None, 1), "a.wav#t=1,2#channel=1"),
    ],
)
def test_sources_are_those_of_media_fragments(parts, source):
    assert format_source(*parts) == source
    assert split_source(source) == ClipSource(*parts)


@pytest.mark.parametrize(
    "path",
    [
        "a.wav#t=", "a.wav#t=-1,2", "a.wav#t=1,2&", "a.wav#channel=0", "a.wav#channel=02", "a.wav#&channel=2",
        "a.wav#channel=2&t=1,2", "a.wav#t=1,2#.wav", "a.wav#t=1e3", "a.wav#t=npt:1,2", "a.wav#t=\u0661", "a#t=1\n",
        "a.wav#channel=99999",
    ],
)  # fmt: skip
def test_what_is_no_whole_fragment_belongs_to_the_name(path):
    assert split_source(path) == ClipSource(path)
    assert format_source(path) == path

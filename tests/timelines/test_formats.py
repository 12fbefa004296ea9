"""The formats of timelines, read back by tools of the field: the same segments, whatever the words in them."""

import csv
import html
import io
import json
import re
import tempfile
import warnings
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import parselmouth
import pympi
import pytest
import webvtt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from praatio import textgrid
from pyannote.core import Annotation
from pyannote.core import Segment as Span
from pyannote.database.util import load_rttm
from pyannote.metrics.identification import IdentificationErrorRate

from made_timelines import EMOTIONS, WORDS, conversation, later, same, timelines
from ser.timelines.annotations import MICROSECONDS, MILLISECONDS, annotations, one_line
from ser.timelines.formats import FORMATS, as_dict, read_json
from ser.timelines.rttm import word
from ser.timelines.segments import Channel, Segment, Timeline
from ser.timelines.subtitles import NO_TAGS

LONG = later(conversation(600, channels=2), 10 * 3600)
CALL = conversation(180, channels=2)
MADE = [conversation(10), CALL, LONG]
SILENT = Timeline("silence.wav", 3.5, EMOTIONS, (Channel((Segment(0.0, 3.5, False),), np.empty(0, np.float32)),), "svm")
Read = list[list[tuple[float, float, str]]]  # of each channel: start, end in s, label


def written(timeline: Timeline, form: str, folder: Path) -> Path:
    """Write a timeline as users get it."""
    path = folder / f"timeline{FORMATS[form].suffix}"
    path.write_text(FORMATS[form].write(timeline), encoding="utf-8", newline="")
    return path


def by_praatio(timeline: Timeline, folder: Path) -> Read:
    grid = textgrid.openTextgrid(str(written(timeline, "textgrid", folder)), includeEmptyIntervals=False)
    assert grid.maxTimestamp == pytest.approx(timeline.seconds, abs=1e-6)
    return [
        [(entry.start, entry.end, entry.label) for entry in grid.getTier(name).entries]
        for name in grid.tierNames
        if name.startswith("emotion")
    ]


def by_parselmouth(timeline: Timeline, folder: Path) -> Read:
    grid = parselmouth.read(str(written(timeline, "textgrid", folder)))
    channels = []
    for tier in range(1, parselmouth.praat.call(grid, "Get number of tiers") + 1, 2):
        many = parselmouth.praat.call(grid, "Get number of intervals", tier)
        found = [
            tuple(parselmouth.praat.call(grid, f"Get {what} of interval", tier, number) for what in WHAT)
            for number in range(1, many + 1)
        ]
        assert found[0][0] == 0 and found[-1][1] == grid.xmax
        assert all(before[1] == after[0] for before, after in zip(found, found[1:], strict=False))
        channels.append([each for each in found if each[2]])
    return channels


WHAT = ("start time", "end time", "label")


def by_pympi(timeline: Timeline, folder: Path) -> Read:
    document = pympi.Elan.Eaf(str(written(timeline, "eaf", folder)))
    return [
        [(start / 1000, end / 1000, label) for start, end, label in sorted(document.get_annotation_data_for_tier(tier))]
        for tier in document.get_tier_names()
    ]


def by_webvtt(timeline: Timeline, folder: Path) -> Read:
    channels: Read = [[] for _ in timeline.channels]
    for cue in webvtt.from_string(FORMATS["vtt"].write(timeline), strict=True):
        channel = int(cue.voice.removeprefix("channel ")) - 1 if cue.voice else 0
        text = html.unescape(re.sub("^<v [^>]*>", "", cue.raw_text))
        channels[channel].append((seconds_of(cue.start), seconds_of(cue.end), text))
    return channels


def by_webvtt_as_srt(timeline: Timeline, folder: Path) -> Read:
    channels: Read = [[] for _ in timeline.channels]
    path = written(timeline, "srt", folder)
    for cue in webvtt.from_srt(str(path)) if path.stat().st_size else []:
        whose = re.match(r"channel (\d+): ", cue.text) if len(timeline.channels) > 1 else None
        channel = int(whose[1]) - 1 if whose else 0
        channels[channel].append((seconds_of(cue.start), seconds_of(cue.end), cue.text[whose.end() if whose else 0 :]))
    return channels


def seconds_of(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 3600 + int(minutes) * 60) + float(seconds)


def by_csv_rows(timeline: Timeline, folder: Path) -> Read:
    """Audacity has no library that reads its labels: a table with tabs and nothing quoted, as its source reads it."""
    channels: Read = [[] for _ in timeline.channels]
    text = FORMATS["audacity"].write(timeline)
    for start, end, label in csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        whose = re.match(r"channel (\d+): ", label) if len(timeline.channels) > 1 else None
        channels[int(whose[1]) - 1 if whose else 0].append(
            (float(start), float(end), label[whose.end() if whose else 0 :])
        )
    return channels


def by_pyannote(timeline: Timeline, folder: Path) -> dict[str, Annotation]:
    path = written(timeline, "rttm", folder)
    return load_rttm(path) if path.stat().st_size else {}


def spoken(
    timeline: Timeline, per_second: int, label=lambda segment, timeline: one_line(segment.emotion) or "?"
) -> Read:
    """What a reader should find."""
    return [
        [
            (
                round(each.start * per_second) / per_second,
                round(each.end * per_second) / per_second,
                label(each, timeline),
            )
            for each in channel.segments
            if each.speech and round(each.start * per_second) < round(each.end * per_second)
        ]
        for channel in timeline.channels
    ]


def cue_text(segment: Segment, timeline: Timeline) -> str:
    label = one_line(segment.emotion) or "?"
    if segment.emotion in timeline.emotions and segment.probabilities is not None:
        label += f" {100 * float(segment.probabilities[timeline.emotions.index(segment.emotion)]):.0f} %"
    return label


def srt_text(segment: Segment, timeline: Timeline) -> str:
    return cue_text(segment, timeline).translate(NO_TAGS)


READERS = {
    "praat": (by_parselmouth, MICROSECONDS, {}),
    "elan": (by_pympi, MILLISECONDS, {}),
    "webvtt": (by_webvtt, MILLISECONDS, {"label": cue_text}),
    "srt": (by_webvtt_as_srt, MILLISECONDS, {"label": srt_text}),
    "audacity": (by_csv_rows, MICROSECONDS, {}),
}
ALL_READERS = READERS | {"praatio": (by_praatio, MICROSECONDS, {})}


def assert_same(read: Read, wanted: Read) -> None:
    assert len(read) == len(wanted)
    for found, expected in zip(read, wanted, strict=True):
        assert [each[2] for each in found] == [each[2] for each in expected]
        times = [[each[:2] for each in channel] for channel in (found, expected)]
        np.testing.assert_allclose(*(np.array(each).reshape(-1, 2) for each in times), rtol=0, atol=1e-9)


@pytest.mark.parametrize("reader", ALL_READERS)
@pytest.mark.parametrize("timeline", [*MADE, SILENT], ids=["short", "call", "ten hours", "nobody speaks"])
def test_a_tool_of_the_field_reads_the_same_segments(reader, timeline, tmp_path):
    read, per_second, label = ALL_READERS[reader]
    assert_same(read(timeline, tmp_path), spoken(timeline, per_second, **label))


@pytest.mark.parametrize("reader", READERS)
@given(timeline=timelines())
def test_words_of_any_characters_and_short_segments_break_no_format(reader, timeline):
    read, per_second, label = READERS[reader]
    with tempfile.TemporaryDirectory() as folder:
        assert_same(read(timeline, Path(folder)), spoken(timeline, per_second, **label))


@given(timeline=timelines(WORDS.filter(lambda word: "[" not in word)))
def test_praatio_reads_them_too(timeline):
    """It takes ``intervals [`` within a label for an interval; Praat, and so parselmouth, doesn't."""
    with tempfile.TemporaryDirectory() as folder:
        assert_same(by_praatio(timeline, Path(folder)), spoken(timeline, MICROSECONDS))


def test_pyannote_scores_the_rttm_as_without_error(tmp_path):
    for timeline in MADE:
        (name, read), *others = by_pyannote(timeline, tmp_path).items()
        assert (name, others) == ("conversation", [])
        truth = Annotation(uri=name)
        for number, channel in enumerate(timeline.channels):
            for segment in channel.segments:
                if segment.emotion:
                    truth[Span(segment.start, segment.end), f"{number} {segment.start}"] = segment.emotion
        assert len(read) == len(truth) and set(read.labels()) == set(truth.labels())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it scores all that is there
            error = IdentificationErrorRate()(truth, read, detailed=True)
        assert error["identification error rate"] < 1e-3, error


@given(timeline=timelines())
def test_rttm_of_any_words_is_lines_of_ten_words(timeline):
    text = FORMATS["rttm"].write(timeline)
    wanted = [
        (str(number), start, end, word(label))
        for number, channel in enumerate(spoken(timeline, MILLISECONDS), start=1)
        for start, end, label in channel
        if label != "?"
    ]
    rows = [line.split() for line in text.splitlines()]
    assert {len(row) for row in rows} <= {10}
    assert [(row[2], row[7]) for row in rows] == [(number, label) for number, _, _, label in wanted]
    for row, (_, start, end, _) in zip(rows, wanted, strict=True):
        assert [float(row[3]), float(row[3]) + float(row[4])] == pytest.approx([start, end], abs=1e-9)
    with tempfile.TemporaryDirectory() as folder:
        read = by_pyannote(timeline, Path(folder))
    assert sorted(label for each in read.values() for _, _, label in each.itertracks(yield_label=True)) == sorted(
        label for *_, label in wanted
    )


@given(timeline=timelines())
def test_json_gives_the_timeline_again(timeline):
    text = FORMATS["json"].write(timeline)
    assert same(read_json(text), timeline)
    assert same(read_json(text.encode()), timeline)
    assert json.loads(text) == as_dict(timeline)


def test_json_holds_peaks_and_shares():
    content = as_dict(CALL, most_peaks=1000)
    for channel, described in zip(CALL.channels, content["channels"], strict=True):
        assert described["peaks_per_second"] == 50 / 9 and len(described["peaks"]) == 1000
        assert described["peaks"][3] == pytest.approx(channel.peaks[27:36].max(), abs=5e-5)
        assert sum(described["shares"].values()) == pytest.approx(1, abs=1e-5)
        assert described["speaking_seconds"] == pytest.approx(channel.speaking_seconds())
    assert len(as_dict(CALL, most_peaks=10**6)["channels"][0]["peaks"]) == 9000
    assert "peaks" not in as_dict(CALL)["channels"][0]
    again = read_json(json.dumps(content))
    assert same(again, CALL)
    assert as_dict(again, most_peaks=1000) == content


def changed(*keys, to: object) -> str:
    """The JSON of a conversation, with one value of it replaced."""
    content = as_dict(MADE[0], most_peaks=100)
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return json.dumps(content)


WRONG = [
    ("", "Expecting value"),
    ("[" * 100_000, "nested too deeply"),
    ("[]", "an object is wanted"),
    (b"\xff{}", "not UTF-8"),
    (changed("seconds", to=float("nan")), "NaN"),
    (changed("seconds", to="1"), "seconds: a number"),
    (changed("seconds", to=True), "seconds: a number"),
    (changed("seconds", to=0), "seconds: more than 0"),
    (changed("seconds", to=10**400), "seconds: too large"),
    (changed("seconds", to=11), "the recording at 11.0 s"),
    (changed("name", to=None), "name: a text"),
    (changed("name", to="\ud800"), "name: a text"),
    (changed("emotions", to=["a", "a"]), "emotions: one is there twice"),
    (changed("emotions", to=["a"]), "probabilities: one of each emotion"),
    (changed("remarks", to="none"), "remarks: a list"),
    (changed("channels", to=[]), "channels: none"),
    (changed("channels", 0, to=3), r"channels\[0\]: an object"),
    (changed("channels", 0, "segments", to=[]), "they end at 0.0 s"),
    (changed("channels", 0, "segments", 1, "start", to=-1), r"channels\[0\].segments\[1\].start: 0 or more"),
    (changed("channels", 0, "segments", 1, "start", to=0.1), r"channels\[0\].segments\[1\].start: 0.1 s; the one"),
    (changed("channels", 0, "segments", 1, "end", to=0.1), r"segments\[1\].end: 0.1 s is not after"),
    (changed("channels", 0, "segments", 1, "speech", to=1), r"segments\[1\].speech: true or false"),
    (changed("channels", 0, "segments", 0, "emotion", to="anger"), r"segments\[0\].emotion: where nobody"),
    (changed("channels", 0, "segments", 1, "probabilities", "fear", to=1.5), "probabilities: 0 to 1"),
    (changed("channels", 0, "peaks", to=[[]]), r"peaks\[0\]: a number"),
    (changed("channels", 0, "peaks_per_second", to=0), "peaks_per_second: more than 0"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[message for _, message in WRONG])
def test_json_that_is_no_timeline_is_refused_with_the_place(text, message):
    with pytest.raises(ValueError, match=message) as error:
        read_json(text)
    assert "\n" not in str(error.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda each: (
            st.lists(each)
            | st.dictionaries(
                st.sampled_from(["name", "seconds", "emotions", "channels", "model", "remarks", "segments"])
                | st.text(),
                each,
            )
        ),
    )
)
def test_json_of_anything_else_raises_nothing_but_value_errors(content):
    with pytest.raises(ValueError):
        read_json(json.dumps(content))


CARRIAGE_RETURN = SILENT._replace(emotions=("a\rb", "c"))


@given(timeline=timelines())
@example(timeline=CARRIAGE_RETURN)
def test_csv_has_a_row_a_segment(timeline):
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].write(timeline), newline="")))
    every = [(number, each) for number, channel in enumerate(timeline.channels, 1) for each in channel.segments]
    for row, (number, segment) in zip(rows, every, strict=True):
        assert (row["channel"], row["speech"]) == (str(number), str(segment.speech).lower())
        assert [float(row["start"]), float(row["end"])] == pytest.approx([segment.start, segment.end], abs=6e-7)
        assert (row["emotion"], row["unfamiliar"]) == (segment.emotion, segment.unfamiliar)
        probabilities = [row[f"p_{emotion}"] for emotion in timeline.emotions]
        if segment.probabilities is None:
            assert set(probabilities) == {""}
        else:
            assert [*map(float, probabilities)] == pytest.approx(segment.probabilities.tolist(), rel=1e-5, abs=1e-30)


def test_pandas_reads_the_csv():
    table = pd.read_csv(io.StringIO(FORMATS["csv"].write(CALL)))
    assert list(table) == ["channel", "start", "end", "speech", "emotion", *(f"p_{e}" for e in EMOTIONS), "unfamiliar"]
    assert table["speech"].dtype == bool and set(table["channel"]) == {1, 2}
    speaking = (table["end"] - table["start"])[table["speech"]].groupby(table["channel"]).sum()
    assert speaking.tolist() == pytest.approx([channel.speaking_seconds() for channel in CALL.channels], abs=1e-3)


@pytest.mark.parametrize("form", FORMATS)
def test_names_that_are_not_utf8_can_be_written(form):
    name = b"caf\xe9.wav".decode(errors="surrogateescape")
    timeline = MADE[0]._replace(name=name, model=name, remarks=(name,))
    segments = [each._replace(emotion=each.emotion and name, unfamiliar=name) for each in timeline.channels[0].segments]
    channel = timeline.channels[0]._replace(segments=tuple(segments))
    text = FORMATS[form].write(timeline._replace(emotions=(name, *EMOTIONS[1:]), channels=(channel,))).encode()
    assert b"caf\xef\xbf\xbd" in text


@pytest.mark.parametrize("form", FORMATS)
def test_where_nobody_speaks_files_are_empty_but_whole(form):
    text = FORMATS[form].write(SILENT)
    head = {"rttm": "", "srt": "", "audacity": ""}.get(form)
    assert text == head if head is not None else text.endswith("\n")


def test_hours_have_as_many_digits_as_they_need():
    segments = (Segment(0.0, 359_999.9996, False), Segment(359_999.9996, 360_001.5, True, "anger"))
    timeline = SILENT._replace(seconds=360_001.5, channels=(Channel(segments, np.empty(0, np.float32)),))
    assert "100:00:00.000 --> 100:00:01.500" in FORMATS["vtt"].write(timeline)
    assert "100:00:00,000 --> 100:00:01,500" in FORMATS["srt"].write(timeline)


@given(timeline=timelines())
@settings(max_examples=50)
def test_elan_files_are_as_the_schema_wants_them(timeline):
    root = ElementTree.fromstring(FORMATS["eaf"].write(timeline).encode())
    kinds = [each.tag for each in root]
    assert kinds == ["HEADER", "TIME_ORDER", *["TIER"] * len(timeline.channels), "LINGUISTIC_TYPE"]
    slots = {each.get("TIME_SLOT_ID"): int(each.get("TIME_VALUE")) for each in root.iter("TIME_SLOT")}
    used = [each.get(f"TIME_SLOT_REF{i}") for each in root.iter("ALIGNABLE_ANNOTATION") for i in (1, 2)]
    assert used == list(slots)
    names = [each.get("ANNOTATION_ID") for each in root.iter("ALIGNABLE_ANNOTATION")]
    assert len(set(names)) == len(names)
    for tier in root.iter("TIER"):
        times = [slots[e.get(f"TIME_SLOT_REF{i}")] for e in tier.iter("ALIGNABLE_ANNOTATION") for i in (1, 2)]
        assert times == sorted(times)
        assert all(start < end for start, end in zip(times[::2], times[1::2], strict=True))
    media = root.find("HEADER/MEDIA_DESCRIPTOR")
    assert unquote(media.get("RELATIVE_MEDIA_URL")) == f"./{timeline.name}"


def test_segments_that_do_not_quite_meet_never_overlap():
    segments = (
        Segment(0.0, 1.00051, True, "fear"),
        Segment(1.00049, 2.0, True, "fear"),
        Segment(2.0, 3.5000004, True, "x"),
    )
    found = annotations(SILENT, Channel(segments, np.empty(0, np.float32)), MILLISECONDS)
    assert [(each.start, each.end) for each in found] == [(0, 1001), (1001, 2000), (2000, 3500)]

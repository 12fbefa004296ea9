"""Timelines: what is said of an utterance is what `predict` says of it; channels, windows, what comes in live."""

import io

import numpy as np
import pytest
import soundfile
import soxr

import ser
from conftest import run_stage, workplace
from ser.audio.recordings import UnusableAudioError
from ser.errors import InputError
from ser.prediction.channel_timeline import with_pauses
from ser.timelines.formats import FORMATS, read_json
from ser.timelines.segments import CUT_OFF, PEAKS_PER_SECOND, Segment
from sounds import at_level, noise

RATE = 16000


@pytest.fixture(scope="module")
def model(trained):
    return ser.load(trained / "data/models/train_ml/svm_rbf")


@pytest.fixture(scope="module")
def clips(trained):
    return [soundfile.read(path, dtype="float32")[0] for path in sorted((trained / "clips").rglob("*.wav"))[:6]]


@pytest.fixture(scope="module")
def call(clips):
    """Six utterances between pauses, in noise 30 dB below."""
    parts, places, at = [], [], 0
    for clip in clips:
        parts += [np.zeros(RATE), at_level(clip, -26)]
        places.append(((at + RATE) / RATE, (at + RATE + len(clip)) / RATE))
        at += RATE + len(clip)
    y = np.concatenate([*parts, np.zeros(RATE)])
    return (y + at_level(noise("pink", len(y) / RATE)[: len(y)], -56)).astype(np.float32), places


def speech_of(channel) -> list[Segment]:
    return [segment for segment in channel.segments if segment.speech]


def assert_covers(timeline):
    for channel in timeline.channels:
        assert channel.segments[0].start == 0.0
        assert channel.segments[-1].end == pytest.approx(timeline.seconds)
        for one, other in zip(channel.segments, channel.segments[1:], strict=False):
            assert one.end == other.start
            assert one.speech or other.speech
        assert len(channel.peaks) == pytest.approx(timeline.seconds * PEAKS_PER_SECOND, abs=1)


def assert_same(one, other):
    assert len(one.segments) == len(other.segments)
    for here, there in zip(one.segments, other.segments, strict=True):
        assert here[:4] == there[:4] and here.unfamiliar == there.unfamiliar
        if here.probabilities is not None:
            np.testing.assert_array_equal(here.probabilities, there.probabilities)
    np.testing.assert_array_equal(one.peaks, other.peaks)


def test_each_utterance_is_found_and_answered_as_predict_answers(model, call):
    y, places = call
    timeline = model.timeline(y, RATE)
    assert_covers(timeline)
    assert timeline.emotions == model.emotions and timeline.model == "train_ml/svm_rbf"
    found = speech_of(timeline.channels[0])
    assert len(places) <= len(found) <= len(places) + 2  # a synthetic voice may pause within a sentence
    for start, end in places:
        spoken = sum(max(min(segment.end, end) - max(segment.start, start), 0) for segment in found)
        assert spoken > 0.75 * (end - start)
    for segment in found:
        alone = model.predict(y[round(segment.start * RATE) : round(segment.end * RATE)], RATE)
        np.testing.assert_array_equal(segment.probabilities, alone.probabilities)
        assert (segment.emotion, segment.unfamiliar) == (alone.emotion, alone.unfamiliar)
    assert sum(timeline.channels[0].shares().values()) == pytest.approx(1.0)


def test_a_file_in_any_form_gives_the_same(model, call, tmp_path):
    y, _ = call
    soundfile.write(tmp_path / "a.flac", y, RATE, subtype="PCM_16")
    timeline = model.timeline(tmp_path / "a.flac")
    assert timeline.name == "a.flac"
    for recording in (str(tmp_path / "a.flac"), io.BytesIO((tmp_path / "a.flac").read_bytes())):
        assert_same(model.timeline(recording).channels[0], timeline.channels[0])
    samples, _ = soundfile.read(tmp_path / "a.flac", dtype="int16")
    assert_same(model.timeline(samples, RATE).channels[0], timeline.channels[0])


def test_another_rate_gives_nearly_the_same(model, call):
    y, _ = call
    timeline, found = model.timeline(y, RATE), model.timeline(soxr.resample(y, RATE, 44100), 44100)
    assert_covers(found)
    assert len(speech_of(found.channels[0])) == len(speech_of(timeline.channels[0]))
    for one, other in zip(speech_of(found.channels[0]), speech_of(timeline.channels[0]), strict=True):
        assert abs(one.start - other.start) < 0.1 and abs(one.end - other.end) < 0.1


def test_each_channel_has_its_own_and_the_same_ones_have_one(model, call):
    y, _ = call
    other = np.roll(y, 5 * RATE)
    both = model.timeline(np.stack([y, other]), RATE)
    assert_covers(both)
    assert_same(both.channels[0], model.timeline(y, RATE).channels[0])
    assert_same(both.channels[1], model.timeline(other, RATE).channels[0])
    assert len(both.in_words()) == 2
    same = model.timeline(np.stack([y, y]), RATE)
    assert_same(same.channels[0], both.channels[0])
    assert len(same.channels) == 1 and same.remarks == ("its 2 channels are the same, and one timeline",)


def test_channels_that_differ_late_are_two(model, call):
    y, _ = call
    other = y.copy()
    other[-1] += 0.01
    both = model.timeline(np.stack([y, other]), RATE)
    assert len(both.channels) == 2 and both.remarks == ()
    assert_same(both.channels[0], model.timeline(y, RATE).channels[0])


def test_mixed_channels_have_one_and_that_they_cancel_is_said(model, call):
    y, _ = call
    mixed = model.timeline(np.stack([y, np.zeros_like(y)]), RATE, mix=True)
    assert_same(mixed.channels[0], model.timeline(y / 2, RATE).channels[0])
    assert mixed.remarks == ()
    cancelled = model.timeline(np.stack([y, -0.99 * y]), RATE, mix=True)
    assert "cancel each other" in cancelled.remarks[0]


def ogg(y) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, y, RATE, format="OGG", subtype="VORBIS")
    return file.getvalue()


def test_a_chain_whose_links_have_other_channels_says_so(model, call):
    y, _ = call
    one, two, cancelling = ogg(y), ogg(np.stack([y, y / 2], axis=1)), ogg(np.stack([y, -y], axis=1))
    grown = model.timeline(io.BytesIO(one + two))
    assert len(grown.channels) == 1
    assert grown.remarks == ("it begins with 1 channel; a part has 2: their mean is taken",)
    shrunk = model.timeline(io.BytesIO(two + one))
    assert len(shrunk.channels) == 2
    assert shrunk.remarks == ("it begins with 2 channels; a part has 1: it is taken for each",)
    assert "cancel each other" in model.timeline(io.BytesIO(one + cancelling)).remarks[1]
    assert "cancel each other" in model.timeline(io.BytesIO(one + cancelling), mix=True).remarks[0]


def test_windows_slide(model, call):
    y, places = call
    timeline = model.timeline(y, RATE, window=2.0, hop=0.5)
    assert_covers(timeline)
    found = speech_of(timeline.channels[0])
    assert all(segment.end - segment.start <= 0.5 + 1e-9 for segment in found)
    assert all((2 * segment.start) % 1 == 0 for segment in found)
    middle = next(segment for segment in found if segment.start >= 2.0)
    centre = middle.start + 0.25
    alone = model.predict(y[round((centre - 1) * RATE) : round((centre + 1) * RATE)], RATE)
    np.testing.assert_array_equal(middle.probabilities, alone.probabilities)
    spoken = sum(end - start for start, end in places)
    assert sum(segment.seconds for segment in found) == pytest.approx(spoken, rel=0.25)


@pytest.mark.parametrize(("window", "hop"), [(1.0, None), (3.0, 0.7), (3.0, 1.1)])
def test_windows_leave_no_gap_and_do_not_overlap_where_their_hop_is_no_binary_fraction(model, call, window, hop):
    timeline = model.timeline(call[0], RATE, window=window, hop=hop)
    assert_covers(timeline)
    assert min(segment.seconds for segment in timeline.channels[0].segments) > 0.1
    read_json(FORMATS["json"].write(timeline))  # which refuses a segment without length


@pytest.mark.parametrize(("window", "hop"), [(0.5, None), (2.0, 3.0), (31.0, 1.0), (2.0, 0.1), (None, 20.0)])
def test_windows_that_make_no_sense_are_refused(model, call, window, hop):
    with pytest.raises(ValueError, match="windows of"):
        model.timeline(call[0], RATE, window=window, hop=hop)


@pytest.mark.parametrize("step", [160, 4800, 33333])
def test_what_comes_in_live_ends_as_the_file_does(model, call, step):
    y, places = call
    live, found, spoke = model.live(RATE), [], []
    for start in range(0, len(y), step):
        found += live.feed(y[start : start + step])
        if step == 4800:
            spoke.append((live.seconds, *live.now()))
    timeline = live.finish()
    assert_same(timeline.channels[0], model.timeline(y, RATE).channels[0])
    assert found[:5] == speech_of(timeline.channels[0])[:5]
    during = [answer for seconds, speaking, answer in spoke if speaking and answer is not None]
    assert not spoke or len(during) > 2 * len(places)
    assert {answer.emotion for answer in during} <= {*model.emotions}
    assert not any(speaking for seconds, speaking, _ in spoke if seconds < places[0][0])


def test_nobody_speaks(model):
    timeline = model.timeline(np.zeros(3 * RATE, np.float32), RATE)
    assert timeline.channels[0].segments == (Segment(0.0, 3.0, speech=False),)
    assert timeline.channels[0].shares() == {}
    assert timeline.in_words() == ["0.0 s of 3.0 s is speech"]


@pytest.mark.parametrize("samples", [1, 100, 5000])
def test_hardly_any_samples(model, samples):
    timeline = model.timeline(np.full(samples, 0.1, np.float32), RATE)
    assert timeline.seconds == samples / RATE
    assert_covers(timeline)


def test_what_cannot_be_used_is_an_exception(model, call, tmp_path, trained):
    y, _ = call
    with pytest.raises(UnusableAudioError, match="no samples"):
        model.timeline(np.empty(0, np.float32), RATE)
    with pytest.raises(UnusableAudioError, match="NaN"):
        model.timeline(np.full(RATE, np.nan, np.float32), RATE)
    with pytest.raises(UnusableAudioError, match="longer than 5 s"):
        model.timeline(y, RATE, max_seconds=5)
    with pytest.raises(TypeError, match="sampling_rate"):
        model.timeline(y)
    with pytest.raises(TypeError, match="says its own"):
        model.timeline(tmp_path / "a.wav", RATE)
    with pytest.raises(FileNotFoundError):
        model.timeline(tmp_path / "none.wav")
    with pytest.raises(ValueError, match="shape"):
        model.live(RATE).feed(np.zeros((2, 100), np.float32))
    with pytest.raises(UnusableAudioError):
        model.live(100)
    with pytest.raises(ValueError, match="certainty"):
        model.timeline(y, RATE, certainty=2)


def test_of_a_damaged_recording_all_is_used_that_lies_before_the_damage(model, call, tmp_path):
    y = np.tile(call[0], 4)
    whole = model.timeline(y, RATE)
    soundfile.write(tmp_path / "a.wav", y, RATE, subtype="FLOAT")
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(content[: len(content) // 2])
    bad = y.copy()
    bad[len(y) * 3 // 4] = np.nan
    soundfile.write(tmp_path / "bad.wav", bad, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "a.ogg", y, RATE, format="OGG", subtype="VORBIS")
    (tmp_path / "cut.ogg").write_bytes((tmp_path / "a.ogg").read_bytes()[:-100])
    soundfile.write(tmp_path / "a.flac", y, RATE)
    flac = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(flac[: len(flac) * 9 // 10])
    reasons = {"cut.wav": "truncated", "bad.wav": "NaN", "cut.ogg": "truncated", "cut.flac": "not readable"}
    for name, reason in reasons.items():
        timeline = model.timeline(tmp_path / name)
        assert_covers(timeline)
        (remark,) = timeline.remarks
        assert remark.startswith(f"{CUT_OFF}: {reason}") and not timeline.is_whole
        assert 0.4 * whole.seconds < timeline.seconds <= whole.seconds
        first, same = speech_of(timeline.channels[0])[0], speech_of(whole.channels[0])[0]
        assert (first.start, first.emotion) == (same.start, same.emotion)
    assert whole.is_whole
    with pytest.raises(UnusableAudioError, match="longer than 5 s"):  # which the damage does not excuse
        model.timeline(tmp_path / "cut.ogg", max_seconds=5)


def test_certainty_and_temperature_are_those_of_predict(model, call):
    y, _ = call
    plain, sure = model.timeline(y, RATE), model.timeline(y, RATE, certainty=0.9, calibrated=True)
    said = {segment.emotion == "unsure" for segment in speech_of(sure.channels[0])}
    assert said == {bool(segment.probabilities.max() < 0.9) for segment in speech_of(sure.channels[0])}
    one, other = speech_of(plain.channels[0])[0], speech_of(sure.channels[0])[0]
    alone = model.predict(y[round(one.start * RATE) : round(one.end * RATE)], RATE, calibrated=True)
    np.testing.assert_array_equal(other.probabilities, alone.probabilities)


def test_a_model_that_knows_voices_by_their_clips_has_no_timeline(tmp_path, call):
    folder = workplace(tmp_path / "work", train__normalization="speaker", train_ml__models=["svm_rbf"])
    for command in ("prepare", "split", "augment", "extract prepared", "extract augmented", "train_ml"):
        assert run_stage(folder, *command.split()).returncode == 0
    by_speaker = ser.load(folder / "data/models/train_ml/svm_rbf")
    for refused in (lambda: by_speaker.timeline(call[0], RATE), lambda: by_speaker.live(RATE)):
        with pytest.raises(InputError, match="normalises each speaker's voice"):
            refused()


def test_pauses_are_put_between_speech():
    speech = [Segment(1.0, 2.0, True, "anger"), Segment(2.0, 3.0, True, "fear")]
    assert [(each.start, each.end, each.speech) for each in with_pauses(speech, 4.0)] == [
        (0.0, 1.0, False),
        (1.0, 2.0, True),
        (2.0, 3.0, True),
        (3.0, 4.0, False),
    ]
    assert list(with_pauses([], 0.0)) == []


def test_progress_is_told(model, call):
    told = []
    model.timeline(call[0], RATE, progress=lambda done, whole: told.append((done, whole)))
    assert told[-1][0] == pytest.approx(len(call[0]) / RATE) and told[-1][1] == pytest.approx(told[-1][0])

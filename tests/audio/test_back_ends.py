"""libsndfile and FFmpeg on the same undamaged file: the same samples, but for what a codec leaves to its decoder."""

import io
from functools import partial

import numpy as np
import pytest
import soxr

from ser.audio.codec_delays import DELAYS
from ser.audio.container_headers import HEADER_BYTES, audio_start, kind_of
from ser.audio.container_sizes import data_chunk, mended
from ser.audio.decoding import decode
from ser.audio.ffmpeg_decoder import ffmpeg_signal
from ser.audio.recordings import Recording, record
from ser.audio.sndfile_decoder import sndfile_signal
from undamaged_files import BY_FFMPEG, BY_SNDFILE, KINDS, SECONDS, channels_of, suffix_of, undamaged

OTHERWISE = {"G721_32", "G723_24", "NMS_ADPCM_24"}  # FFmpeg takes them for G.726, the bits in another order
NOT_LET = {("RAW", "GSM610"), ("VOC", "PCM_16")}  # not among what libsndfile is let read
BOTH = [kind for kind in BY_SNDFILE if kind[1] not in OTHERWISE and kind not in NOT_LET]
BOTH += [kind for kind in BY_FFMPEG if kind[:2] in (("mp2", "mp2"), ("mp3", "libmp3lame"), ("aiff", "adpcm_ima_qt"))]
BOTH += [kind for kind in BY_FFMPEG if kind[:2] in (("ogg", "vorbis"), ("ogg", "libopus"))]
# of full scale, as each rounds on its way, and in the last two what they predict from
ROUNDING = {"VORBIS": 1e-5, "vorbis": 1e-5, "libopus": 1e-5, "MPEG_LAYER_III": 1e-5, "libmp3lame": 1e-5, "mp2": 5e-5}
ROUNDING |= {"MS_ADPCM": 0.005, "IMA_ADPCM": 0.005, "adpcm_ima_qt": 0.005}
MOST_AT_END = 256  # samples of the last block of Vorbis, which FFmpeg does not cut


def name_of(kind: tuple) -> str:
    return "-".join(str(part) for part in kind if part)


def back_ends(kind: tuple, channels: int) -> tuple[Recording, Recording]:
    """Decode a file by libsndfile and by FFmpeg."""
    content = undamaged(KINDS.index(kind), channels)
    file = io.BytesIO(content)
    start = audio_start(file)
    container = kind_of(content[start : start + HEADER_BYTES])
    chunk = data_chunk(file, container, len(content)) if not start else None
    by_sndfile = record(partial(sndfile_signal, mended(file, chunk)), 30)
    return by_sndfile, record(partial(ffmpeg_signal, file, container, start), 30)


def cases(kinds: list[tuple]) -> list:
    return [
        pytest.param(kind, channels, id=f"{name_of(kind)}-{channels}")
        for kind in kinds
        for channels in sorted({channels_of(KINDS.index(kind), wanted) for wanted in (1, 2, 6)})
    ]


@pytest.mark.parametrize(("kind", "channels"), cases([kind for kind in BOTH if kind != ("OGG", "OPUS")]))
def test_both_back_ends_give_the_same_samples(kind, channels):
    one, other = back_ends(kind, channels)
    expected = one.y
    if kind[0] in ("mp2", "mp3") and len(other.y) < len(expected):  # libsndfile leaves the delay where it is
        expected = expected[DELAYS[kind[0]] :]
    assert (one.channels, one.sample_rate) == (other.channels, other.sample_rate)
    assert 0 <= len(other.y) - len(expected) <= (MOST_AT_END if kind[1].lower() == "vorbis" else 0)
    np.testing.assert_allclose(other.y[: len(expected)], expected, rtol=0, atol=ROUNDING.get(kind[1], 0))


@pytest.mark.parametrize("channels", [1, 2])  # of more, some are half a millisecond late in FFmpeg's own decoder
def test_both_back_ends_agree_about_opus_at_two_rates(channels):
    one, other = back_ends(("OGG", "OPUS"), channels)
    assert (one.sample_rate, other.sample_rate) == (16000, 48000)  # FFmpeg always decodes at 48 kHz
    y = soxr.resample(other.y, 48000, 16000)
    assert len(y) == len(one.y)
    assert np.corrcoef(y, one.y)[0, 1] > 0.999


@pytest.mark.parametrize(("kind", "channels"), cases(KINDS))
def test_what_hostile_files_are_made_from_is_read(kind, channels):
    number = KINDS.index(kind)
    file = io.BytesIO(undamaged(number, channels))
    file.name = f"a{suffix_of(number)}"
    recording = decode(file, max_seconds=30)
    assert recording.channels == channels
    seconds = len(recording.y) / recording.sample_rate / (2 if kind[0] == "chained" else 1)
    assert SECONDS - 0.08 < seconds < SECONDS + 0.3  # of a few codecs a frame is so long

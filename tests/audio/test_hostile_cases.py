"""Files that broke the decoding when mutated ones were tried: each is refused for what it is, or read."""

import io
import struct

import numpy as np
import pytest

from container_fields import with_ogg_checksums
from media_files import encoded
from ser.audio.container_ends import links
from ser.audio.decoder_process import _answer
from ser.audio.decoding import UnusableAudioError, decode
from undamaged_files import tone


def refusal(content: bytes, name: str = "") -> str:
    file = io.BytesIO(content)
    file.name = name
    with pytest.raises(UnusableAudioError) as error:
        decode(file, max_seconds=30)
    return str(error.value)


def test_codec_that_ffmpeg_has_no_decoder_of_is_named_as_such():
    content = bytearray(encoded(tone(16000, 1), "wav", "libmp3lame"))
    content[20:22] = b"\x99\x09"  # a tag that nobody has registered
    assert "of a codec that no decoder here knows" in refusal(bytes(content))


def test_ogg_whose_pages_begin_no_stream():
    content = bytearray(encoded(tone(48000, 1), "ogg", "libopus", sr=48000))
    content[5] = 0  # the flags of the first page
    assert links(bytes(content)) == []
    assert "no page of Ogg" in refusal(with_ogg_checksums(bytes(content)))


@pytest.mark.parametrize("size", [1 << 40, 1 << 63, (1 << 64) - 1])
def test_asf_whose_header_goes_beyond_the_end_is_truncated(size):
    content = bytearray(encoded(tone(16000, 1), "asf", "wmav2", bit_rate=64000))
    content[16:24] = struct.pack("<Q", size)
    assert "truncated" in refusal(bytes(content))


def test_mp4_that_begins_like_a_frame_of_free_format():
    content = encoded(tone(16000, 1), "ipod", "aac")
    assert "truncated" in refusal(b"\xff\xfb\x00\x00" + content[4:])


def test_free_format_without_a_frame_is_not_said_to_be_no_file():
    assert refusal(b"\xff\xfb\x00\xc4" + bytes(2000)) == "not readable as audio: no frame of it can be decoded"


def test_stream_that_appears_on_the_way_takes_nothing_from_the_one_there():
    content = encoded(tone(22050, 1), "flv", "libmp3lame", sr=22050)
    frame = b"\x12\0\0\x84\0\x12\x26"  # of Sorenson's video
    tag = b"\x09" + struct.pack(">I", len(frame))[1:] + b"\0\0\x05\0\0\0\0" + frame
    late = content + tag + struct.pack(">I", len(tag))
    for _ in range(20):  # PyAV looks at memory that it does not own; what is there is chance
        np.testing.assert_array_equal(
            decode(io.BytesIO(late), max_seconds=30).y, decode(io.BytesIO(content), max_seconds=30).y
        )


@pytest.mark.parametrize("text", ["#EXTM3U\nother.wav\n", "version https://git-lfs.github.com/spec/v1\n", "<html>\n"])
def test_what_is_known_to_be_no_audio_is_not_so_because_of_its_name(text):
    assert "not readable as audio" in refusal(text.encode() * 20, "a.g722")


def test_failure_that_nobody_thought_of_is_a_refusal_of_the_file():
    def fail(file, max_seconds, name):
        raise KeyError(name)

    reply, y = _answer(fail, {"path": None, "max_seconds": 30, "name": "a.ogg"}, b"")
    assert reply == {"refused": "the decoder failed on it, with KeyError: damaged, or made to do so"}
    assert y == b""


@pytest.mark.parametrize(("container", "codec"), [("ipod", "aac"), ("matroska", "flac"), ("wv", "wavpack")])
@pytest.mark.parametrize("channels", [6, 8])
def test_as_many_channels_as_a_room_has(container, codec, channels):
    y = np.outer(tone(16000, 1), np.arange(1, channels + 1) / channels)
    recording = decode(io.BytesIO(encoded(y, container, codec)), max_seconds=30)
    assert recording.channels == channels
    assert np.corrcoef(recording.y, y.mean(axis=1))[0, 1] > 0.98


def test_twelve_channels():
    y = np.outer(tone(16000, 1), np.arange(1, 13) / 12)
    recording = decode(io.BytesIO(encoded(y, "wv", "wavpack")), max_seconds=30)
    assert recording.channels == 12
    np.testing.assert_allclose(recording.y, y.mean(axis=1), atol=0.01)


def test_wav_of_mpeg_audio_without_its_data_is_not_left_to_libmpg123(capfd):
    """Its remarks would go to the log: what is decoded in this process is no compressed audio."""
    content = encoded(np.sin(np.arange(16000)).astype(np.float32), "wav", "libmp3lame")
    place = content.index(b"data")
    for broken in (content[:12] + content[place:], content.replace(b"data", b"dat\0"), content[: place + 8]):
        with pytest.raises(UnusableAudioError):
            decode(io.BytesIO(broken), max_seconds=30)
    assert capfd.readouterr() == ("", "")

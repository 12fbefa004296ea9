"""Decoding: what every kind of file decodes to, what is refused and why, and that no header is believed."""

import io
import os
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import soundfile

from conftest import ROOT
from ser.audio.decoding import AUDIO_SUFFIXES, MAX_CHANNELS, MAX_RATE, MIN_RATE, UnusableAudioError, decode

SR = 16000


def sine(frequency=440.0, seconds=1.0, sr=SR, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * sr)) / sr)


def refusal(file, max_seconds=30):
    with pytest.raises(UnusableAudioError) as error:
        decode(file, max_seconds=max_seconds)
    return str(error.value)


def written(y, sr=SR, **kind):
    """Return the bytes of an audio file."""
    file = io.BytesIO()
    soundfile.write(file, y, sr, **{"format": "WAV"} | kind)
    return file.getvalue()


# --- samples


@pytest.mark.parametrize(
    ("suffix", "subtype", "step"),
    [
        ("wav", "PCM_U8", 2**-7),
        ("wav", "PCM_16", 2**-15),
        ("wav", "PCM_24", 2**-23),
        ("wav", "PCM_32", 2**-24),  # float32 holds 24 bits
        ("wav", "FLOAT", 2**-24),
        ("wav", "DOUBLE", 2**-24),
        ("flac", "PCM_16", 2**-15),
        ("flac", "PCM_24", 2**-23),
    ],
)
def test_every_depth_decodes_to_the_samples_written(tmp_path, suffix, subtype, step):
    y = sine()
    soundfile.write(tmp_path / f"a.{suffix}", y, SR, subtype=subtype)
    decoded, sr, *_ = decode(tmp_path / f"a.{suffix}", max_seconds=30)
    assert sr == SR
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, y, atol=2 * step)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_averaged(tmp_path, suffix, channels):
    columns = np.stack([sine(amplitude=0.1 * (channel + 1)) for channel in range(channels)], axis=1)
    soundfile.write(tmp_path / f"a.{suffix}", columns, SR)
    decoded, *_ = decode(tmp_path / f"a.{suffix}", max_seconds=30)
    assert decoded.shape == (SR,)
    np.testing.assert_allclose(decoded, columns.mean(axis=1), atol=2**-14)


def test_file_of_a_format_other_than_its_name_is_decoded_by_what_it_holds(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(), SR, format="FLAC")
    assert len(decode(tmp_path / "a.wav", max_seconds=30).y) == SR


def test_odd_number_of_bytes_with_its_padding_is_not_taken_for_truncated(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine()[:-1], SR, subtype="PCM_U8")
    assert len(decode(tmp_path / "a.wav", max_seconds=30).y) == SR - 1


@pytest.fixture
def wav(tmp_path):
    """The bytes of a good WAV file of one second, and a function that writes bytes as a file and returns its path."""
    soundfile.write(tmp_path / "good.wav", sine(), SR)

    def write(content, name="bad.wav"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return (tmp_path / "good.wav").read_bytes(), write


@pytest.fixture
def flac(tmp_path):
    noise = 0.1 * np.random.default_rng(1).standard_normal(SR)
    soundfile.write(tmp_path / "good.flac", noise, SR)
    return (tmp_path / "good.flac").read_bytes()


def test_file_of_no_bytes_is_empty(wav):
    assert refusal(wav[1](b"")) == "the file is empty"


def test_text_named_wav_is_no_audio(wav):
    assert "not readable as audio" in refusal(wav[1](b"Page not found\n" * 100))


def test_header_without_samples_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), SR)
    assert refusal(tmp_path / "a.wav") == "no samples"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_wav_is_refused_rather_than_read_as_far_as_it_goes(wav, share):
    content, write = wav
    message = refusal(write(content[: int(share * len(content))]))
    assert "truncated: the header promises more audio" in message


def test_wav_that_lacks_its_last_byte_is_refused(wav):
    content, write = wav
    assert "truncated" in refusal(write(content[:-1]))


@pytest.mark.parametrize("size", range(1, 45))
def test_wav_cut_in_its_header_is_refused(wav, size):
    content, write = wav
    assert refusal(write(content[:size]))


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_flac_is_refused(wav, flac, share):
    message = refusal(wav[1](flac[: int(share * len(flac))], "bad.flac"))
    assert "truncated" in message or "not readable" in message


def test_wav_streamed_without_a_known_size_is_read(wav):
    content, write = wav
    unknown = b"\xff\xff\xff\xff"  # as ffmpeg writes to a pipe
    y, sr, *_ = decode(write(content[:4] + unknown + content[8:40] + unknown + content[44:]), max_seconds=30)
    assert (len(y), sr) == (SR, SR)


def test_flac_streamed_without_a_known_size_is_read_or_refused_for_that(wav, flac):
    """36 bits of STREAMINFO hold the number of samples; 0 is unknown, as ``flac -`` and ffmpeg write to a pipe."""
    streamed = bytearray(flac)
    streamed[21] &= 0xF0
    streamed[22:26] = bytes(4)
    try:
        assert len(decode(wav[1](bytes(streamed), "streamed.flac"), max_seconds=30).y) == SR
    except UnusableAudioError as error:
        assert "longer than" not in str(error)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, value):
    y = sine()
    y[100] = value
    soundfile.write(tmp_path / "a.wav", y, SR, subtype="FLOAT")
    assert refusal(tmp_path / "a.wav") == "NaN or infinite samples"


def test_clip_longer_than_allowed_is_refused_and_one_of_the_limit_is_not(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(seconds=2.0), SR)
    assert "longer than 1.9 s (2.0 s)" in refusal(tmp_path / "a.wav", max_seconds=1.9)
    assert len(decode(tmp_path / "a.wav", max_seconds=2.0).y) == 2 * SR


# --- formats

FORMATS = [
    ("WAV", "PCM_16", 1e-4),
    ("WAV", "ULAW", 0.02),
    ("WAV", "ALAW", 0.02),
    ("WAV", "IMA_ADPCM", 0.05),
    ("WAV", "MS_ADPCM", 0.05),
    ("WAV", "GSM610", 0.1),
    ("WAV", "G721_32", 0.1),
    ("WAVEX", "PCM_24", 1e-6),
    ("RF64", "PCM_16", 1e-4),
    ("W64", "FLOAT", 1e-6),
    ("FLAC", "PCM_24", 1e-6),
    ("OGG", "VORBIS", 0.05),
    ("OGG", "OPUS", 0.05),
    ("MP3", "MPEG_LAYER_III", 0.05),
    ("AIFF", "PCM_16", 1e-4),
    ("AIFF", "ALAW", 0.02),  # AIFC
    ("AU", "PCM_16", 1e-4),
    ("AU", "ULAW", 0.02),
    ("CAF", "PCM_24", 1e-6),
    ("NIST", "PCM_16", 1e-4),
]


def speechlike():
    """Return two seconds that every lossy codec keeps: a few low harmonics, faded in and out."""
    return sum(sine(160.0 * k, seconds=2.0, amplitude=0.2 / k) for k in (1, 2, 3)) * np.hanning(2 * SR)


@pytest.mark.parametrize(("form", "subtype", "tolerance"), FORMATS)
@pytest.mark.parametrize("place", ["path", "memory"])
def test_every_format_gives_the_sound_written(tmp_path, form, subtype, tolerance, place):
    y = speechlike()
    content = written(y, format=form, subtype=subtype)
    (tmp_path / "a.wav").write_bytes(content)  # the name does not matter
    recording = decode(tmp_path / "a.wav" if place == "path" else io.BytesIO(content), max_seconds=30)
    assert recording[1:] == (SR, 1, f"{form} {subtype}", None, ())
    assert recording.y.dtype == np.float32
    assert recording.y.flags.c_contiguous
    assert len(y) <= len(recording.y) < len(y) + 1152  # some fill their last block
    np.testing.assert_allclose(recording.y[: len(y)], y, atol=tolerance)


@pytest.mark.parametrize(("form", "subtype", "tolerance"), FORMATS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_every_format_cut_off_is_refused(form, subtype, tolerance, share):
    content = written(speechlike(), format=form, subtype=subtype)
    message = refusal(io.BytesIO(content[: int(share * len(content))]))
    assert "truncated" in message or "not readable" in message


def test_mpeg_that_lacks_its_tag_or_has_a_hostile_one_is_read():
    content = written(speechlike(), format="MP3")
    whole = decode(io.BytesIO(content), max_seconds=30).y
    for tag in (b"ID3\x04" + bytes(6), b"ID3\x03\0\0\0\0\x01\0" + b"\xff" * 128, b"ID3\x02\0\0\0\0\0\x05TXXXX"):
        np.testing.assert_array_equal(decode(io.BytesIO(tag + content), max_seconds=30).y, whole)
    assert "no known audio format" in refusal(io.BytesIO((b"ID3\x04" + bytes(6)) * 100_000))


def test_mpeg_without_a_count_of_frames_is_not_taken_for_longer_or_shorter_than_it_is():
    """libmpg123 then divides the size by the bit rate of the first frame, here that of silence at a variable rate."""
    y = np.concatenate([np.zeros(SR), 0.3 * np.random.default_rng(1).standard_normal(4 * SR)])
    content = written(y, format="MP3", bitrate_mode="VARIABLE")
    mark = content.index(b"Xing")
    second = content.index(content[:2], mark)
    assert len(decode(io.BytesIO(content[second:]), max_seconds=6).y) == pytest.approx(len(y), abs=2400)


@pytest.mark.parametrize("subtype", ["MS_ADPCM", "GSM610"])
@pytest.mark.parametrize("length", [1, 333, 5000, 15999])
def test_what_fills_up_the_last_block_is_no_sound(subtype, length):
    assert len(decode(io.BytesIO(written(sine()[:length], subtype=subtype)), max_seconds=30).y) == length


def test_a_count_of_less_than_there_is_takes_nothing_away():
    """libsndfile counts the samples of one channel of IMA ADPCM only."""
    y = np.stack([sine(), sine()], axis=1)
    assert len(decode(io.BytesIO(written(y, subtype="IMA_ADPCM")), max_seconds=30).y) >= SR


def test_suffixes_are_those_of_files():
    assert {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".au", ".caf"} <= set(AUDIO_SUFFIXES)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in AUDIO_SUFFIXES)


# --- what a header may claim


@pytest.mark.parametrize("sr", [1, MIN_RATE - 1, MAX_RATE + 1, 2**31 - 1])
def test_impossible_rate_is_refused(sr):
    assert f"a sample rate of {sr} Hz" in refusal(io.BytesIO(written(sine(), sr)))


@pytest.mark.parametrize("sr", [MIN_RATE, 11025, 44056, 192000, MAX_RATE])
def test_odd_rate_is_read(sr):
    assert decode(io.BytesIO(written(sine(sr=sr), sr)), max_seconds=30).sample_rate == sr


def test_absurd_number_of_channels_is_refused():
    assert "1024 channels" in refusal(io.BytesIO(written(np.zeros((160, 1024)), format="WAV")))
    assert decode(io.BytesIO(written(np.ones((160, MAX_CHANNELS)) / 2)), max_seconds=1).channels == MAX_CHANNELS


def test_channels_are_averaged_block_by_block():
    columns = 0.1 * np.random.default_rng(1).standard_normal((200_000, 6)).astype(np.float32)
    recording = decode(io.BytesIO(written(columns, format="WAV", subtype="FLOAT")), max_seconds=30)
    np.testing.assert_array_equal(recording.y, columns.mean(axis=1))


def flac_that_says(frames, content):
    """Change the 36 bits of STREAMINFO that hold the number of samples."""
    changed = bytearray(content)
    changed[21] = (changed[21] & 0xF0) | frames >> 32
    changed[22:26] = (frames & 0xFFFFFFFF).to_bytes(4, "big")
    return io.BytesIO(bytes(changed))


def test_compressed_silence_that_lies_about_its_length_stays_small():
    """Twenty minutes of two channels, 460 MB as floats, in 200 kB."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 48000, 2, format="FLAC") as stream:
        for _ in range(120):
            stream.write(np.zeros((480_000, 2), np.int16))
    content = file.getvalue()
    assert "longer than 30 s (1200.0 s)" in refusal(io.BytesIO(content))
    tracemalloc.start()
    assert refusal(flac_that_says(0, content)) == "longer than 30 s"
    assert len(decode(flac_that_says(1000, content), max_seconds=30).y) == 1000
    assert tracemalloc.get_traced_memory()[1] < 30e6
    tracemalloc.stop()
    few = written(np.zeros(SR), format="FLAC")
    assert "truncated" in refusal(flac_that_says(20 * SR, few))


@pytest.mark.parametrize("form", ["RF64", "W64"])
def test_claim_of_ten_gigabytes_is_refused(form):
    content = bytearray(written(sine(), format=form))
    data = content.index(b"data")
    size = struct.pack("<Q", 10 << 30)
    if form == "RF64":
        content[20:36] = size + size
    else:
        content[16:24] = content[data + 16 : data + 24] = size
    message = refusal(io.BytesIO(bytes(content)))
    assert "truncated" in message or "longer than" in message


@pytest.mark.parametrize("form", ["OGG", "FLAC"])
def test_sea_of_junk_is_not_searched_through(tmp_path, form):
    with open(tmp_path / "a.ogg", "wb") as file:
        file.write(written(sine(), format=form)[:5000])
        file.truncate(10 << 30)  # takes no room on the disk
    assert "larger than" in refusal(tmp_path / "a.ogg")


# --- what is no file at all


def test_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    assert refusal(tmp_path / "a.wav") == "no regular file"
    assert refusal(tmp_path) == "no regular file"


def test_missing_file_is_the_callers_matter(tmp_path):
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "absent.wav", max_seconds=30)


def test_apple_lossless_is_read():
    recording = decode(io.BytesIO(written(sine(), format="CAF", subtype="ALAC_16")), max_seconds=30)
    assert recording.encoding == "CAF ALAC"
    np.testing.assert_allclose(recording.y, sine(), atol=2**-15)


# --- silence of the log

DAMAGED = """
import io, sys, threading
sys.path[:0] = ["stages"]
from ser.audio.decoding import UnusableAudioError, decode
content = sys.stdin.buffer.read()
def work():
    for shift in range(60):
        try:
            decode(io.BytesIO(content[: 500 + 9 * shift] + content[800 + 31 * shift :]), max_seconds=30)
        except UnusableAudioError:
            pass
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("afterwards", file=sys.stderr)
"""


def test_libmpg123_writes_nothing_to_the_log_and_the_log_works_afterwards():
    content = written(0.3 * np.random.default_rng(1).standard_normal(SR), format="MP3")
    run = subprocess.run([sys.executable, "-c", DAMAGED], input=content, cwd=ROOT, capture_output=True)
    assert run.stderr.decode() == "afterwards\n"
    assert run.stdout == b""

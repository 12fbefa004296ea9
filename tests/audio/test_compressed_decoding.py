"""What telephones, browsers and messengers write: length, place and level of the sound, and what is refused and why."""

import io

import av
import numpy as np
import pytest
import soundfile

from media_files import SR, encoded
from ser.audio.codec_delays import delay_of
from ser.audio.container_ends import links
from ser.audio.container_headers import DEMUXERS, audio_start, frame_bytes
from ser.audio.decoding import UnusableAudioError, decode


def voice(seconds: float = 2.0, sr: int = SR) -> np.ndarray:
    """Return noise as broad as speech in bursts: its place is known to the sample by correlation."""
    rng = np.random.default_rng(5)
    t = np.arange(round(seconds * sr)) / sr
    spectrum = np.fft.rfft(rng.standard_normal(len(t)))
    frequencies = np.fft.rfftfreq(len(t), 1 / sr)
    spectrum[(frequencies < 200) | (frequencies > 3200)] = 0
    y = np.fft.irfft(spectrum, len(t)) * (0.55 + 0.45 * np.sin(2 * np.pi * 3 * t))
    return (0.5 * y / np.abs(y).max()).astype(np.float32)


def named(content: bytes, name: str = "") -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


def read(content: bytes, name: str = "", max_seconds: float = 30):
    return decode(named(content, name), max_seconds=max_seconds)


def refusal(content: bytes, name: str = "", max_seconds: float = 30) -> str:
    with pytest.raises(UnusableAudioError) as error:
        read(content, name, max_seconds)
    assert "\n" not in str(error.value)
    return str(error.value)


def delay(y: np.ndarray, reference: np.ndarray) -> int:
    """Return by how many samples `y` is later than `reference`, which it resembles."""
    n = 1 << (len(y) + len(reference)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(y, n) * np.conj(np.fft.rfft(reference, n)), n)
    assert correlation.max() > 0.7 * np.linalg.norm(y) * np.linalg.norm(reference)
    lag = int(correlation.argmax())
    return lag if lag < n // 2 else lag - n


def resampled(y: np.ndarray, sr: int, target: int) -> np.ndarray:
    import soxr

    return soxr.resample(y, sr, target)


LOSSLESS = [
    ("mov", "pcm_s16le", 16000, {}, "MOV PCM_16"),
    ("mov", "pcm_s24be", 44100, {}, "MOV PCM_24"),
    ("ipod", "alac", 16000, {}, "MP4 ALAC"),
    ("mov", "alac", 44100, {}, "MOV ALAC"),
    ("caf", "alac", 16000, {}, "CAF ALAC"),
    ("matroska", "pcm_f32le", 48000, {}, "MATROSKA FLOAT"),
    ("matroska", "flac", 16000, {}, "MATROSKA FLAC"),
    ("ogg", "flac", 16000, {}, "OGG FLAC"),
    ("mp4", "flac", 44100, {"strict": "-2"}, "MP4 FLAC"),
    ("avi", "pcm_s16le", 8000, {}, "AVI PCM_16"),
    ("voc", "pcm_s16le", 16000, {}, "VOC PCM_16"),
    ("tta", "tta", 16000, {}, "TTA TTA"),
    ("wv", "wavpack", 16000, {}, "WAVPACK WAVPACK"),
]
# container, codec, Hz, options of the container, encoding, samples that the end may be longer by: a frame
LOSSY = [
    ("ipod", "aac", 16000, {}, "MP4 AAC", 0),
    ("mp4", "aac", 44100, {}, "MP4 AAC", 50),  # the end is stated in milliseconds
    ("mp4", "aac", 16000, {"movflags": "empty_moov+frag_keyframe"}, "MP4 AAC", 1024),
    ("3gp", "aac", 8000, {}, "3GP AAC", 0),
    ("mov", "aac", 22050, {}, "MOV AAC", 50),
    ("adts", "aac", 16000, {}, "AAC AAC", 1024),
    ("adts", "aac", 48000, {}, "AAC AAC", 1024),
    ("matroska", "aac", 44100, {}, "MATROSKA AAC", 1024),
    ("mpegts", "aac", 32000, {}, "MPEG_TS AAC", 1024),
    ("flv", "aac", 44100, {}, "FLV AAC", 1024),
    ("webm", "libopus", 48000, {}, "MATROSKA OPUS", 0),
    ("webm", "libopus", 16000, {}, "MATROSKA OPUS", 0),
    ("webm", "libopus", 8000, {}, "MATROSKA OPUS", 0),
    ("ogg", "libopus", 16000, {}, "OGG OPUS", 0),
    ("mp4", "libopus", 48000, {}, "MP4 OPUS", 960),
    ("mp3", "libmp3lame", 16000, {}, "MP3 MPEG_LAYER_III", 0),
    ("mp3", "libmp3lame", 44100, {}, "MP3 MPEG_LAYER_III", 0),
    ("mp3", "libmp3lame", 16000, {"write_xing": "0"}, "MP3 MPEG_LAYER_III", 1152),
    ("wav", "libmp3lame", 16000, {}, "WAV MPEG_LAYER_III", 1152),
    ("matroska", "libmp3lame", 48000, {}, "MATROSKA MPEG_LAYER_III", 1152),
    ("ac3", "ac3", 48000, {}, "AC3 AC3", 1536),
    ("matroska", "ac3", 44100, {}, "MATROSKA AC3", 1536),
    ("amr", "libopencore_amrnb", 8000, {}, "AMR AMRNB", 160),
    ("3gp", "libopencore_amrnb", 8000, {}, "3GP AMRNB", 160),
    ("asf", "wmav2", 16000, {}, "ASF WMAV2", 512),
    ("asf", "wmav2", 44100, {}, "ASF WMAV2", 2048),
    ("wav", "wmav2", 44100, {}, "WAV WMAV2", 2048),
    ("g722", "g722", 16000, {}, "G722 G722", 0),
    ("wav", "g722", 16000, {}, "WAV G722", 0),
]
SETTINGS = {
    "wmav2": {"bit_rate": 64000},
    "libopencore_amrnb": {"bit_rate": 12200},
    "tta": {"format": "s16"},
    "wavpack": {"format": "s16p"},
}


def made(container: str, codec: str, sr: int, options: dict) -> tuple[np.ndarray, bytes]:
    y = voice(sr=sr)
    return y, encoded(y, container, codec, sr=sr, options=options, **SETTINGS.get(codec, {}))


@pytest.mark.parametrize(("container", "codec", "sr", "options", "encoding"), LOSSLESS)
def test_lossless_is_exact_to_the_sample(container, codec, sr, options, encoding):
    y, content = made(container, codec, sr, options)
    recording = read(content)
    assert (recording.encoding, recording.sample_rate, recording.channels) == (encoding, sr, 1)
    assert recording.y.dtype == np.float32
    np.testing.assert_allclose(recording.y, y, atol=2**-15)


@pytest.mark.parametrize(("container", "codec", "sr", "options", "encoding", "longer"), LOSSY)
def test_lossy_begins_where_it_did_and_ends_within_a_frame(container, codec, sr, options, encoding, longer):
    y, content = made(container, codec, sr, options)
    recording = read(content, f"clip.{container}")
    assert recording.encoding == encoding
    rate = recording.sample_rate
    expected = resampled(y, sr, rate) if rate != sr else y
    assert abs(delay(recording.y, expected)) <= 0.0015 * rate  # 3GP states 50 samples for AMR, where 40 are true
    shorter = 22 if codec == "g722" else 1
    assert -shorter <= len(recording.y) - len(expected) <= longer
    level = 20 * np.log10(np.sqrt(np.mean(recording.y**2)) / np.sqrt(np.mean(expected**2)))
    assert abs(level) < 2  # AMR is made for voices


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "avi", "mpegts"])
def test_the_sound_of_a_video_is_read(container):
    y = voice(sr=44100)
    recording = read(encoded(y, container, "aac", sr=44100, picture=True))
    assert abs(delay(recording.y, y)) <= 44


def test_a_video_without_sound_is_refused_for_that():
    assert refusal(encoded(voice(), "mov", "", picture=True)) == "no audio in it, only video"


def test_stereo_is_averaged_and_channels_that_cancel_are_not():
    y = voice(sr=48000)
    both = read(encoded(np.stack([y, 0.5 * y], axis=1), "webm", "libopus", sr=48000))
    assert both.channels == 2
    assert both.taken is None
    assert np.sqrt(np.mean(both.y**2) / np.mean(y**2)) == pytest.approx(0.75, abs=0.03)
    inverted = read(encoded(np.stack([0.8 * y, -y], axis=1), "mov", "pcm_s16le", sr=48000))
    assert inverted.taken == 1
    np.testing.assert_allclose(inverted.y, -y, atol=2**-15)


# --- Chromium's MediaRecorder, whose files differ from FFmpeg's in what they state of the delay


def patched(content: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    place = content.index(mark) + offset
    return content[:place] + value + content[place + len(value) :]


def test_webm_of_chromium_states_no_delay_and_has_that_of_libopus():
    y = voice(sr=48000)
    content = patched(encoded(y, "webm", "libopus", sr=48000), b"OpusHead", 10, b"\0\0")
    assert abs(delay(read(content).y, y) - 312) <= 48  # of any other writer no pre-skip is believed
    name = content[content.index(b"Lavf") : content.index(b"WA", content.index(b"Lavf"))]
    content = content.replace(name, b"Chrome".ljust(len(name), b"\0")).replace(b"ENCODER", b"COMMENT")
    assert abs(delay(read(content).y, y)) <= 1


def test_mp4_of_chromium_states_a_delay_that_would_cost_73_ms_of_speech():
    y = voice(sr=48000)
    content = encoded(y, "mp4", "libopus", sr=48000, options={"movflags": "empty_moov+default_base_moof+frag_keyframe"})
    length = int.from_bytes(content[:4], "big")
    brands = b"isom" + b"\0\0\2\0" + b"isomiso6iso2vp09mp41"
    chromium = (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + content[length:]
    chromium = patched(chromium, b"dOps", 6, (3840).to_bytes(2, "big"))
    found = read(chromium).y
    assert abs(delay(found, y)) <= 1
    assert 0 <= len(found) - len(y) <= 960


def test_mp4_of_gstreamer_states_the_delay_with_its_bytes_in_the_wrong_order():
    y = voice(sr=48000)
    content = patched(encoded(y, "mp4", "libopus", sr=48000), b"dOps", 6, (312).to_bytes(2, "little"))
    content = content.replace(b"edts", b"free")  # of which it writes none
    assert abs(delay(read(content).y, y)) <= 1


def test_speex_is_late_by_its_mode_whatever_the_rate():
    """Its header names the mode; in FLV it has none."""
    modes = [b"Speex   1.2.1".ljust(40, b"\0") + bytes([mode]) + bytes(39) for mode in range(3)]
    assert [delay_of("speex", 44100, 0, header, {}).samples for header in modes] == [80, 223, 509]
    assert [delay_of("speex", rate, 0, b"", {}).samples for rate in (11025, 22050, 48000)] == [80, 223, 509]


# --- MP3


def mp3(y: np.ndarray, mode: str = "VARIABLE") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, y, SR, format="MP3", bitrate_mode=mode)
    return file.getvalue()


def without_count(content: bytes) -> bytes:
    """Take the first frame away, which says how many frames there are."""
    mark = max(content.find(b"Xing"), content.find(b"Info"))
    return content[content.index(content[:2], mark) :]


@pytest.mark.parametrize("mode", ["VARIABLE", "AVERAGE", "CONSTANT"])
@pytest.mark.parametrize("silent", [0, 2 * SR])
def test_mp3_without_a_count_is_read_to_its_end(mode, silent):
    """An estimate from the size and the first bit rate, here also that of silence, is wrong by any factor."""
    y = np.concatenate([np.zeros(silent, np.float32), voice()])
    assert len(read(mp3(y, mode)).y) == len(y)
    found = read(without_count(mp3(y, mode))).y
    assert abs(len(found) - len(y)) <= 1152
    assert abs(delay(found, y)) <= 16


ID3 = b"ID3\x04\0\0\0\0\x01\x48" + b"TIT2\0\0\0\x05\0\0\0name" + bytes(185)
FOOTER = b"ID3\x04\0\x10\0\0\0\x0aTXXXX" + bytes(5) + b"3DI\x04\0\x10\0\0\0\x0a"
APE = b"APETAGEX" + (2000).to_bytes(4, "little") + (20 + 32).to_bytes(4, "little") + bytes(16) + bytes(20) + bytes(32)
V1 = b"TAG" + b"a name".ljust(125, b"\0")
DIRT = {
    "a tag": ID3,
    "two tags": ID3 + ID3,
    "three, the last empty": ID3 + FOOTER + b"ID3\x03" + bytes(6),
    "a footer": FOOTER,
    "zeros that the tag does not count": ID3 + bytes(500),
    "zeros": bytes(1000),
    "zeros between tags": ID3 + bytes(100) + ID3 + bytes(4096),
    "an APE tag": APE,
    "an APE tag behind ID3": ID3 + APE,
    "the end of a frame": b"\xff\xfb\x12" + b"junk" * 50,
}


@pytest.mark.parametrize("dirt", list(DIRT))
@pytest.mark.parametrize("counted", [True, False])
def test_what_lies_before_the_first_frame_is_skipped(dirt, counted):
    content = mp3(voice()) if counted else without_count(mp3(voice()))
    plain = read(content)
    dirty = read(DIRT[dirt] + content)
    assert dirty.encoding == "MP3 MPEG_LAYER_III"
    np.testing.assert_array_equal(dirty.y, plain.y)


@pytest.mark.parametrize("dirt", ["a tag", "two tags", "zeros that the tag does not count", "an APE tag"])
@pytest.mark.parametrize(
    ("container", "codec"), [("adts", "aac"), ("flac", "flac"), ("ogg", "flac"), ("wav", "pcm_s16le")]
)
def test_tags_are_skipped_before_other_containers_too(dirt, container, codec):
    content = encoded(voice(), container, codec)
    np.testing.assert_allclose(read(DIRT[dirt] + content).y, read(content).y, atol=2**-15)


@pytest.mark.parametrize("behind", [V1, APE, b"LYRICSBEGIN", bytes(300)])
def test_what_lies_behind_the_last_frame_is_no_sound(behind):
    content = mp3(voice())
    np.testing.assert_array_equal(read(content + behind).y, read(content).y)


@pytest.mark.parametrize("behind", [APE, V1, APE + V1, bytes(300)])
@pytest.mark.parametrize(
    ("container", "codec"),
    [("wv", "wavpack"), ("tta", "tta"), ("flac", "flac"), ("ipod", "alac"), ("caf", "alac"), ("matroska", "flac")],
)
def test_tags_behind_lossless_files_cost_no_sample(behind, container, codec):
    content = encoded(voice(), container, codec)
    np.testing.assert_array_equal(read(content + behind).y, read(content).y)
    assert refusal(content[: len(content) * 2 // 3])


def test_a_sea_of_tags_or_zeros_is_no_audio():
    assert "zeros" in refusal(bytes(5_000_000))
    assert "no known audio format" in refusal(ID3 * 10_000)
    huge = b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(100)
    assert "no known audio format" in refusal(huge)
    assert audio_start(io.BytesIO(huge)) == 0


@pytest.mark.parametrize("between", [b"", ID3, V1, V1 + ID3, APE + V1 + ID3 + ID3])
def test_mp3_files_one_after_another_are_read_all(between):
    """As ``cat`` joins them, with their tags; the first one's count is of its own frames."""
    y = voice()
    found = read(mp3(y) + between + mp3(y)).y
    assert abs(len(found) - 2 * len(y)) <= 2 * 1152
    assert abs(delay(found[: len(y)], y)) <= 16
    bare = read(without_count(mp3(y)) + between + without_count(mp3(y))).y
    assert abs(len(bare) - 2 * len(y)) <= 2 * 1152
    assert "damaged" in refusal(without_count(mp3(y)) + bytes(range(1, 255)) * 9 + without_count(mp3(y)))


def test_a_frame_that_only_counts_the_others_is_no_sound_in_other_containers_either():
    """As mkvmerge packs MP3 files; the frame would be 36 ms of silence before the recording."""
    plain = mp3(voice())
    file = io.BytesIO()
    with av.open(io.BytesIO(plain)) as source, av.open(file, "w", format="matroska") as output:
        stream = output.add_stream_from_template(source.streams.audio[0])
        counting = av.Packet(plain[: frame_bytes(plain)])
        counting.stream, counting.pts, counting.dts = stream, 0, 0
        for packet in [counting, *(packet for packet in source.demux() if packet.size)]:
            packet.stream = stream
            output.mux(packet)
    found = read(file.getvalue())
    assert found.encoding == "MATROSKA MPEG_LAYER_III"
    assert abs(delay(found.y, voice())) <= 16


def test_mp3_that_was_cut_off_is_told_where_it_counts_its_frames():
    content = mp3(voice())
    assert "truncated" in refusal(content[: len(content) // 2])


# --- Ogg


def ogg(y: np.ndarray, sr: int = SR, subtype: str = "VORBIS") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, y, sr, format="OGG", subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("count", [2, 5])
def test_all_links_of_a_chain_are_read(subtype, count):
    y = voice(1.0)
    link = ogg(y, subtype=subtype)
    found = read(link * count)
    assert len(links(link * count)) == count
    np.testing.assert_array_equal(found.y, np.tile(read(link).y, count))
    assert "longer than" in refusal(link * count, max_seconds=count - 0.5)


def test_links_of_other_rates_channels_and_codecs_become_those_of_the_first():
    y, stereo = voice(1.0), np.stack([voice(1.0, 48000)] * 2, axis=1)
    flac = encoded(y, "ogg", "flac")
    found = read(ogg(y) + ogg(stereo, 48000, "OPUS") + flac)
    assert (found.sample_rate, found.channels) == (SR, 1)
    assert len(found.y) == 3 * SR
    np.testing.assert_allclose(found.y[-SR:], y, atol=2**-14)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_chain_whose_last_link_is_cut_is_refused(subtype):
    link = ogg(voice(1.0), subtype=subtype)
    assert "truncated" in refusal(link + link[: len(link) // 2])


# --- what is cut off, encrypted, or nothing


CUT = [
    ("ipod", "aac", {}), ("mp4", "aac", {"movflags": "empty_moov+frag_keyframe"}),
    ("mov", "pcm_s16le", {}), ("webm", "libopus", {}), ("matroska", "flac", {}), ("avi", "pcm_s16le", {}),
    ("asf", "wmav2", {}), ("ogg", "libopus", {}), ("ogg", "flac", {}), ("wav", "libmp3lame", {}), ("wav", "g722", {}),
    ("mp3", "libmp3lame", {}), ("tta", "tta", {}), ("wv", "wavpack", {}), ("flv", "aac", {}), ("voc", "pcm_s16le", {}),
]  # fmt: skip


@pytest.mark.parametrize(("container", "codec", "options"), CUT)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_container_that_says_what_it_holds_is_refused_when_cut(container, codec, options, share):
    sr = 44100 if container == "flv" else 48000 if container == "webm" else SR
    _, content = made(container, codec, sr, options)
    message = refusal(content[: int(share * len(content))])
    assert "truncated" in message or "not readable" in message


@pytest.mark.parametrize("codec", ["libopus", "flac"])
@pytest.mark.parametrize("filling", [b"\0", b"\x5a\xa3"])
def test_matroska_with_a_hole_is_refused(codec, filling):
    """FFmpeg passes over the rest of the cluster without a word."""
    content = encoded(voice(6.0, 48000), "matroska", codec, sr=48000)
    assert len(read(content).y) == 6 * 48000
    hole = (filling * 9000)[:9000]
    middle = len(content) // 2
    assert refusal(content[:middle] + hole + content[middle + len(hole) :])


def test_mp4_whose_recorder_was_killed_before_it_listed_the_samples_is_truncated():
    content = encoded(voice(), "ipod", "aac")
    samples, moov = content.index(b"mdat") - 4, content.index(b"moov") - 4
    assert samples < moov
    assert "list of its samples" in refusal(content[:moov])
    assert "list of its samples" in refusal(content[:samples] + bytes(4) + content[samples + 4 : moov])


@pytest.mark.parametrize(("container", "codec", "sr"), [("adts", "aac", 16000), ("amr", "libopencore_amrnb", 8000)])
@pytest.mark.parametrize("lost", [1, 5, 30])
def test_a_stream_of_frames_that_ends_within_one_is_read_up_to_it(container, codec, sr, lost):
    y, content = made(container, codec, sr, {})
    found = read(content[:-lost]).y
    assert abs(delay(found, y)) <= 8
    assert len(found) > len(y) - 2 * 1024


@pytest.mark.parametrize(
    ("container", "codec", "sr"), [("ogg", "flac", 16000), ("adts", "aac", 16000), ("mp3", "libmp3lame", 16000)]
)
@pytest.mark.parametrize("lost", ["zeros", "noise", "gone"])
def test_a_hole_is_not_passed_over_in_silence(container, codec, sr, lost):
    content = encoded(voice(5.0), container, codec, sr=sr)
    place = len(content) // 2
    hole = {"zeros": bytes(1500), "noise": np.random.default_rng(1).bytes(1500), "gone": b""}[lost]
    if container == "adts" and lost == "gone":
        pytest.skip("frames of AAC have no numbers: nobody can tell")
    assert refusal(content[:place] + hole + content[place + 1500 :]).startswith(("damaged", "truncated"))


@pytest.mark.parametrize("stated", [0, 36, "file", "more", 2**32 - 1])
def test_the_size_of_an_avi_file_says_nothing(stated):
    y, content = made("avi", "pcm_s16le", 16000, {})
    size = {"file": len(content), "more": len(content) + 1}.get(stated, stated)
    np.testing.assert_allclose(read(content[:4] + size.to_bytes(4, "little") + content[8:]).y, y, atol=2**-15)


def test_encrypted_audio_is_refused():
    content = encoded(voice(), "ipod", "aac")
    assert "encrypted" in refusal(content.replace(b"mp4a", b"drms"))


@pytest.mark.parametrize("container", ["ipod", "webm", "asf", "adts", "mp3"])
def test_a_file_of_no_samples_is_refused(container):
    codec = {"ipod": "aac", "webm": "libopus", "asf": "wmav2", "adts": "aac", "mp3": "libmp3lame"}[container]
    assert refusal(encoded(np.zeros(0, np.float32), container, codec, sr=48000, bit_rate=64000))


@pytest.mark.parametrize(("container", "codec"), [("ipod", "aac"), ("webm", "libopus"), ("adts", "aac")])
def test_limits_hold_for_compressed_audio(container, codec):
    content = encoded(voice(3.0, 48000), container, codec, sr=48000)
    assert "longer than 2.5 s" in refusal(content, max_seconds=2.5)
    assert read(content, max_seconds=3.1).sample_rate == 48000


def test_text_in_utf_16_is_no_mpeg_audio():
    """It begins with the mark 0xFFFE, as frames of MPEG audio may."""
    assert "known audio format" in refusal(("name,emotion\n" * 2000).encode("utf-16"))


def test_a_law_that_begins_with_silence_is_no_gsm():
    """Each frame of GSM begins with the bits of 0xD, which silence in A-law has in every byte."""
    for silence in (b"\xd5", b"\xd5\x55", b"\xd5\xd5\x55\x54\xd4"):
        assert "known audio format" in refusal(silence * 4000, "call.alaw")
    silent = bytes.fromhex("d820a2e15a50004924924924500049249249245000492492492450004924924924")
    assert read(silent * 50).encoding == "GSM GSM"


def test_every_container_has_a_demuxer():
    from av.format import ContainerFormat

    assert {ContainerFormat(name, "r").name for name in DEMUXERS.values()} == {*DEMUXERS.values()}

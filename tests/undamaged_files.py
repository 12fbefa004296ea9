"""Small valid files of every container and codec that can be written here, from which hostile ones are made.

The same bytes from run to run: FFmpeg is told so; the random serial numbers of libsndfile's Ogg and the time in its
chunk ``PEAK`` are replaced.
"""

import io
from functools import cache

import numpy as np
import soundfile

from container_fields import with_ogg_checksums
from media_files import encoded

SR = 16000
SECONDS = 0.5  # what is shorter than 0.3 s is refused
BY_SNDFILE = [
    ("WAV", "PCM_U8"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"),
    ("WAV", "ULAW"), ("WAV", "ALAW"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("WAV", "G721_32"),
    ("WAV", "NMS_ADPCM_24"), ("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("W64", "IMA_ADPCM"),
    ("FLAC", "PCM_S8"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("AIFF", "IMA_ADPCM"), ("AIFF", "GSM610"),
    ("AU", "PCM_16"), ("AU", "ULAW"), ("AU", "G723_24"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("CAF", "ALAC_24"),
    ("NIST", "PCM_16"), ("NIST", "ULAW"), ("RAW", "GSM610"), ("VOC", "PCM_16"),
]  # fmt: skip
MOST_CHANNELS = {"GSM610": 1, "G721_32": 1, "NMS_ADPCM_24": 1, "G723_24": 1}
MOST_CHANNELS |= {"IMA_ADPCM": 2, "MS_ADPCM": 2, "MPEG_LAYER_III": 2}
MOST_CHANNELS |= {"libopencore_amrnb": 1, "nellymoser": 1, "g722": 1, "g726": 1, "real_144": 1}
FRAGMENTS = {"options": {"movflags": "frag_keyframe+empty_moov+default_base_moof"}}
PICTURE = {"picture": True}
LIVE = {"options": {"live": "1"}}
RATE = {
    "libopus": 48000, "ac3": 32000, "eac3": 32000, "libopencore_amrnb": 8000, "g726": 8000, "real_144": 8000,
    "nellymoser": 11025, "adpcm_swf": 11025,
}  # fmt: skip
BIT_RATE = {"libopencore_amrnb": 12200, "wmav1": 64000, "wmav2": 64000}
BY_FFMPEG = [
    ("ipod", "aac", {}), ("mp4", "aac", FRAGMENTS), ("mp4", "aac", PICTURE), ("ipod", "alac", {}), ("mov", "alac", {}),
    ("mov", "pcm_s16le", {}), ("mov", "pcm_f32le", {}), ("mov", "pcm_mulaw", {}), ("mov", "adpcm_ima_qt", {}),
    ("mp4", "pcm_s16le", {}), ("mp4", "libopus", {}), ("mp4", "libopus", FRAGMENTS), ("mp4", "flac", {}),
    ("mp4", "ac3", {}), ("mp4", "eac3", {}), ("mp4", "libmp3lame", {}), ("mp4", "vorbis", {}),
    ("3gp", "libopencore_amrnb", {}), ("3gp", "aac", {}), ("ismv", "aac", {}), ("adts", "aac", {}),
    ("latm", "aac", {}), ("webm", "libopus", {}), ("webm", "libopus", LIVE), ("webm", "vorbis", {}),
    ("matroska", "pcm_s16le", PICTURE), ("matroska", "aac", {}), ("matroska", "flac", {}),
    ("matroska", "libmp3lame", {}), ("matroska", "alac", {}), ("matroska", "ac3", {}), ("matroska", "wavpack", {}),
    ("matroska", "tta", {}), ("amr", "libopencore_amrnb", {}), ("asf", "wmav1", {}), ("asf", "wmav2", {}),
    ("asf", "libmp3lame", {}), ("asf", "pcm_s16le", {}), ("ac3", "ac3", {}), ("eac3", "eac3", {}), ("mp2", "mp2", {}),
    ("mp3", "libmp3lame", {}), ("mp3", "libmp3lame", {"options": {"write_xing": "0"}}),
    ("flv", "libmp3lame", {"sr": 22050}), ("flv", "aac", {}), ("flv", "nellymoser", {}), ("flv", "adpcm_swf", {}),
    ("avi", "pcm_s16le", {}),
    ("avi", "libmp3lame", PICTURE), ("avi", "ac3", {}), ("avi", "adpcm_ms", {}), ("mpegts", "aac", {}),
    ("mpegts", "mp2", {}), ("mpegts", "libopus", {}), ("mpegts", "ac3", {}), ("mpeg", "mp2", {}), ("caf", "alac", {}),
    ("caf", "adpcm_ima_qt", {}), ("wav", "libmp3lame", {}), ("wav", "g722", {}), ("wav", "wmav2", {}),
    ("wav", "g726", {}), ("wav", "adpcm_yamaha", {}), ("wav", "ac3", {}), ("w64", "libmp3lame", {}),
    ("aiff", "adpcm_ima_qt", {}), ("g722", "g722", {}), ("ogg", "flac", {}), ("ogg", "libopus", {}),
    ("ogg", "vorbis", {}), ("wv", "wavpack", {}), ("tta", "tta", {}), ("voc", "pcm_u8", {}), ("voc", "pcm_s16le", {}),
    ("rm", "real_144", {}), ("rm", "ac3", {}), ("rm", "aac", {}),
]  # fmt: skip
CHAINED = [("ogg", "libopus", {}), ("OGG", "VORBIS")]  # of two links
KINDS = [*BY_SNDFILE, *BY_FFMPEG, *(("chained", *kind) for kind in CHAINED)]
# those that lose nothing in FFmpeg's writer of more than two channels
SURROUND = {("ipod", "aac"), ("matroska", "flac"), ("mp4", "libopus"), ("ogg", "libopus"), ("mov", "pcm_s16le")}
MISSING = ("libopencore_amrnb",)  # of builds of FFmpeg without patented codecs
SUFFIXES = {
    "RAW": ".gsm",
    "g722": ".g722",
    "NIST": ".sph",
    "WAVEX": ".wav",
    "ipod": ".m4a",
    "matroska": ".mkv",
    "chained": ".ogg",
}


def channels_of(kind: int, wanted: int) -> int:
    """Return the number of channels, up to those wanted, that a kind can hold."""
    form, codec, *others = KINDS[kind][-3:] if KINDS[kind][0] == "chained" else KINDS[kind]
    if codec == "vorbis":
        return 2  # FFmpeg's own encoder knows no other
    most = MOST_CHANNELS.get(codec, 6)
    return min(wanted, most, 6 if (form, codec) in SURROUND or not (others or form == "VOC") else 2)


def suffix_of(kind: int) -> str:
    """Return the suffix that a file of a kind has."""
    container = KINDS[kind][0]
    return SUFFIXES.get(container, f".{container.lower()}")


def undamaged(kind: int, channels: int = 1) -> bytes:
    """Return a file of half a second of one of the `KINDS`, of as many of the channels as it can hold."""
    return _undamaged(kind, channels_of(kind, channels))


@cache
def _undamaged(kind: int, channels: int) -> bytes:
    chained = KINDS[kind][0] == "chained"
    written = KINDS[kind][1:] if chained else KINDS[kind]
    links = [_written(written, kind, channels) for _ in range(1 + chained)]
    if links[0][:4] == b"OggS":
        links = [with_ogg_checksums(link, serial) for serial, link in enumerate(links, 1)]
    return b"".join(links)


def _written(written: tuple, kind: int, channels: int) -> bytes:
    sr = written[-1]["sr"] if "sr" in written[-1] else RATE.get(written[1], 8000 if written[0] == "RAW" else SR)
    columns = np.repeat(tone(sr, kind)[:, None], channels, axis=1)
    if len(written) == 3:
        return _by_ffmpeg(columns, *written[:2], {"sr": sr, **written[2]})
    file = io.BytesIO()
    soundfile.write(file, columns, sr, format=written[0], subtype=written[1])
    content = file.getvalue()
    peak = content.find(b"PEAK", 0, 200)
    return content if peak < 0 else content[: peak + 12] + bytes(4) + content[peak + 16 :]


def tone(sr: int, seed: int) -> np.ndarray:
    """Return half a second of a tone in a little noise, shape (samples,)."""
    count = round(SECONDS * sr)
    noise = np.random.default_rng(seed).standard_normal(count)
    return 0.3 * np.sin(2 * np.pi * 300 * np.arange(count) / sr) + 0.02 * noise


def _by_ffmpeg(columns: np.ndarray, container: str, codec: str, settings: dict) -> bytes:
    settings = {**settings, "options": {"fflags": "+bitexact", **settings.get("options", {})}}
    if codec in BIT_RATE:
        settings["bit_rate"] = BIT_RATE[codec]
    if codec in ("vorbis", "libopus"):
        settings["codec_options"] = {"strict": "experimental"}
    return encoded(columns, container, codec, **settings)

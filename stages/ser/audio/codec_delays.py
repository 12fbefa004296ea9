"""How much of what FFmpeg decodes precedes the recording: delays of codecs that containers do not state, or wrongly.

An encoder that looks ahead, or a transform whose frames overlap, sends the first sample some samples late. Containers
can state it (the edit list of MP4, the pre-skip of Opus, LAME's tag), and then FFmpeg takes it out. Of the others it is
known from the codec, whose every encoder has at least this, or from the writer. Each was measured with PyAV 18.1
(``python benchmarks/formats.py``; docs/formats.md lists the result).
"""

from typing import NamedTuple

CHROMIUM_PRE_SKIP = 3840  # samples at 48 kHz, 80 ms, that Chromium states in MP4
OPUS_LOOKAHEAD = 312  # samples at 48 kHz, 6.5 ms: that of libopus, and so of every browser and messenger
SWAPPED_LOOKAHEAD = 0x3801  # what GStreamer's MP4 states, its bytes in the wrong order: 0.3 s
CHROMIUM_BRANDS = "isomiso6iso2"  # of its MP4 files, and then those of the codecs

# samples at the rate of the output; those of MPEG are of the decoder (528 and 1) and LAME's usual encoder delay (576)
DELAYS = {
    "ac3": 256, "eac3": 256, "dca": 512, "mp2": 481, "mp3": 528 + 1 + 576, "amrnb": 40, "amrwb": 95, "g722": 22,
    "nellymoser": 128, "real_144": 160, "g723_1": 60, "sbc": 73,
}  # fmt: skip
SPEEX = (80, 223, 509)  # by the mode: the two bands of each next one are split by filters


class Delay(NamedTuple):
    """What to do about a delay.

    Attributes
    ----------
    manual : bool
        That FFmpeg is to drop nothing by itself.
    samples : int
        To drop at the start, at the rate of the output; unless `manual`, only where the container states nothing.
    heed_end : bool
        That what the container states of the end is to be heeded.
    """

    manual: bool
    samples: int
    heed_end: bool = True


def delay_of(codec: str, sample_rate: int, frame: int, extradata: bytes, metadata: dict[str, str]) -> Delay:
    """Return the delay of a stream.

    Parameters
    ----------
    codec : str
        As FFmpeg calls it.
    sample_rate : int
        Hz.
    frame : int
        Samples of the first frame that was decoded, of which nothing was dropped.
    extradata : bytes
        Of the codec; of Opus its header (RFC 7845).
    metadata : dict of str to str
        Of the container.
    """
    if codec == "opus":
        return _of_opus(extradata, metadata)
    if codec in ("wmav1", "wmav2"):  # FFmpeg drops two frames, and its own encoder is late by one: no speech is lost
        return Delay(True, frame)
    if codec == "alac":  # its last frame is as short as it is
        return Delay(True, 0, heed_end=False)
    if codec in ("aac", "aac_latm"):  # a frame overlaps the one before, which none precedes
        return Delay(False, frame)
    if codec == "speex":
        # its header names the mode; FLV has none, and the encoder goes by the rate
        mode = extradata[40] if extradata[:5] == b"Speex" else (sample_rate > 12500) + (sample_rate > 25000)
        return Delay(False, SPEEX[min(mode, 2)])
    return Delay(False, DELAYS.get(codec.removeprefix("libopencore_").removesuffix("float"), 0))


def _of_opus(extradata: bytes, metadata: dict[str, str]) -> Delay:
    """Return the pre-skip; Chromium states none in WebM, and far too much in MP4, as GStreamer does."""
    pre_skip = int.from_bytes(extradata[10:12], "little") if extradata[:8] == b"OpusHead" else 0
    chromium_mp4 = pre_skip == CHROMIUM_PRE_SKIP and metadata.get("compatible_brands", "").startswith(CHROMIUM_BRANDS)
    if chromium_mp4 or (pre_skip == 0 and metadata.get("encoder") == "Chrome"):
        return Delay(True, OPUS_LOOKAHEAD, heed_end=False)
    return Delay(True, OPUS_LOOKAHEAD if pre_skip == SWAPPED_LOOKAHEAD else pre_skip)

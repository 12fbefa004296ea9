"""What a file turns out to hold: mono samples, mixed within limits, block by block, of whatever a decoder hands out."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np

from ser.channels.cancelling_channels import Powers
from ser.channels.different_speech import ChannelLevels
from ser.storage.samples import amplitude

MIN_RATE = 4000  # Hz; below, not even the second formant of speech (up to 2.5 kHz) is there
MAX_RATE = 384_000  # Hz; the highest rate that converters are sold with
MAX_CHANNELS = 32  # the largest microphone arrays that speech is published with; libsndfile goes up to 1024
TOO_LONG = "longer than"  # the refusal of what exceeds the length that is asked for begins so
LOUDEST_DB = 60.0  # dBFS; float files may exceed full scale, but none that holds sound by this much

CODECS = {  # FFmpeg's names of what libsndfile calls otherwise
    "pcm_u8": "PCM_U8", "pcm_s8": "PCM_S8", "pcm_s16": "PCM_16", "pcm_s24": "PCM_24", "pcm_s32": "PCM_32",
    "pcm_f32": "FLOAT", "pcm_f64": "DOUBLE", "pcm_mulaw": "ULAW", "pcm_alaw": "ALAW", "mp1": "MPEG_LAYER_I",
    "mp2": "MPEG_LAYER_II", "mp3": "MPEG_LAYER_III",
}  # fmt: skip


class UnusableAudioError(Exception):
    """Audio that cannot be used; the message is the reason for the quarantine."""


class Recording(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    y : np.ndarray of float32, shape (samples,)
        Of full scale 1, the mean of its channels, or the one that was asked for.
    sample_rate : int
        Hz.
    channels : int
    encoding : str
        Container and codec, such as ``WAV PCM_16``.
    taken : int or None
        The one channel, from 0, that `y` is instead, because the channels cancel each other in their mean.
    different : tuple of int
        The channels, from 1, that carry different speech, as far as it can be told, so that their mean is a mixture;
        not looked for where one channel was asked for.
    """

    y: np.ndarray
    sample_rate: int
    channels: int
    encoding: str
    taken: int | None = None
    different: tuple[int, ...] = ()


class Signal(NamedTuple):
    """What a decoder hands out: blocks of shape (samples, channels), full scale 1, and what is known of them.

    ``promised`` is the number of samples that the file says it holds at least, None where it does not say, or cannot
    be believed. ``piece`` hands out the blocks from one sample up to another, None where only decoding leads there; it
    or ``blocks`` can be used, once.
    """

    sample_rate: int
    channels: int
    encoding: str
    blocks: Iterable[np.ndarray]
    promised: int | None = None
    piece: Callable[[int, int], Iterable[np.ndarray]] | None = None


def codec_name(codec: str) -> str:
    """Return what libsndfile calls a codec of FFmpeg, so that one codec has one name."""
    name = codec.removesuffix("float").removesuffix("fixed").rstrip("_")
    name = name.removesuffix("le").removesuffix("be") if name.startswith("pcm_") else name
    return CODECS.get(name, name.removeprefix("lib").upper())


def check_limits(sample_rate: int, channels: int) -> None:
    """Refuse rates and numbers of channels that no recording of speech has."""
    if not MIN_RATE <= sample_rate <= MAX_RATE:
        raise UnusableAudioError(f"a sample rate of {sample_rate} Hz; {MIN_RATE} to {MAX_RATE} are read")
    if channels > MAX_CHANNELS:
        raise UnusableAudioError(f"{channels} channels; up to {MAX_CHANNELS} are read")


def record(
    open_signal: Callable[[], AbstractContextManager[Signal]],
    max_seconds: float,
    *,
    cut: bool = False,
    channel: int | None = None,
) -> Recording:
    """Take in the signal of a decoder, mixed to mono; or its louder channel, where they cancel each other.

    Parameters
    ----------
    open_signal : callable
        Opens the file from its start; is called anew if one channel is to be taken.
    max_seconds : float
        s.
    cut : bool
        Whether the container says that samples are missing.
    channel : int or None
        From 1, the only one to take.

    Raises
    ------
    UnusableAudioError
        If the signal is empty, shorter than the file says, lacks the channel, or `mixed` refuses it.
    """
    with open_signal() as signal:
        check_limits(signal.sample_rate, signal.channels)
        if channel is not None:
            y, louder, different = one_channel(signal, _place(channel, signal.channels), max_seconds), None, ()
        else:
            y, louder, different = mixed(signal, max_seconds)
    if cut or len(y) < (signal.promised or 0):
        raise truncated(len(y) / signal.sample_rate)
    if len(y) == 0:
        raise UnusableAudioError("no samples")
    if louder is not None:
        with open_signal() as signal:
            y = one_channel(signal, louder, max_seconds)
    return Recording(y, signal.sample_rate, signal.channels, signal.encoding, louder, different)


def _place(channel: int, channels: int) -> int:
    """Return the place of a channel, from 0."""
    if not 1 <= channel <= channels:
        has = "one channel" if channels == 1 else f"{channels} channels"
        raise UnusableAudioError(f"channel {channel} is asked for, and it has {has}: name one from 1 to {channels}")
    return channel - 1


def truncated(seconds: float) -> UnusableAudioError:
    """Return the refusal of a file that ends before its audio does."""
    return UnusableAudioError(f"truncated: the header promises more audio than the {seconds:.2f} s there are")


def mixed(signal: Signal, max_seconds: float) -> tuple[np.ndarray, int | None, tuple[int, ...]]:
    """Mix the blocks of a signal to mono as they come; no more is held than that.

    Parameters
    ----------
    signal : Signal
    max_seconds : float
        s.

    Returns
    -------
    y : np.ndarray of float32, shape (samples,)
        The mean of the channels.
    louder : int or None
        The loudest channel, from 0, if the channels cancel each other, so that their mean is not what was recorded.
    different : tuple of int
        The channels, from 1, that carry different speech.

    Raises
    ------
    UnusableAudioError
        If it is too long, or holds NaN, infinity or samples far beyond full scale.
    """
    sr, channels = signal.sample_rate, signal.channels
    if channels == 1:
        return one_channel(signal, 0, max_seconds), None, ()
    _require_short(signal, max_seconds)
    powers, levels = Powers(channels), ChannelLevels(channels, sr)
    blocks = []
    for block in limited(signal.blocks, max_seconds, sr):
        mono = block.mean(axis=1, dtype=np.float32)
        powers.add(block, mono)
        levels.add(block)
        blocks.append(mono)
    return _joined(blocks), powers.louder(), levels.different()


def one_channel(signal: Signal, channel: int, max_seconds: float) -> np.ndarray:
    """Return one channel of a signal, counted from 0, shape (samples,); see `mixed`."""
    _require_short(signal, max_seconds)
    blocks = limited(signal.blocks, max_seconds, signal.sample_rate)
    return _joined([np.ascontiguousarray(block[:, channel]) for block in blocks])


def _joined(blocks: list[np.ndarray]) -> np.ndarray:
    return blocks[0] if len(blocks) == 1 else np.concatenate([np.empty(0, np.float32), *blocks])


def _require_short(signal: Signal, max_seconds: float) -> None:
    if signal.promised is not None and signal.promised > max_seconds * signal.sample_rate:
        seconds = signal.promised / signal.sample_rate
        raise UnusableAudioError(f"{TOO_LONG} {max_seconds:g} s ({seconds:.1f} s)")


def limited(blocks: Iterable[np.ndarray], max_seconds: float, sr: int) -> Iterator[np.ndarray]:
    """Hand on blocks of shape (samples, channels) up to a length.

    Raises
    ------
    UnusableAudioError
        If there are more, or NaN, infinity or samples far beyond full scale among them.
    """
    frames = 0
    for block in blocks:
        _require_sound(block)
        frames += len(block)
        if frames > max_seconds * sr:
            raise UnusableAudioError(f"{TOO_LONG} {max_seconds:g} s")
        yield block


def _require_sound(block: np.ndarray) -> None:
    """Refuse samples that are no numbers or none of sound, before channels are added up, which could overflow."""
    peak = np.maximum(block.max(initial=0.0), -block.min(initial=0.0))
    if not np.isfinite(peak):
        raise UnusableAudioError("NaN or infinite samples")
    if peak > amplitude(LOUDEST_DB):
        raise UnusableAudioError(f"no sound: samples exceed full scale by more than {LOUDEST_DB:g} dB")

"""The low-level descriptors of a clip: what is measured frame by frame."""

from typing import NamedTuple, Protocol

import numpy as np

from ser.features import formants, pitch, spectral, voice_cycles
from ser.features.frames import Spectrum

LOUDNESS_FLOOR = 1e-3  # added before the logarithm, so that digital silence has one
REFERENCE_F0 = 27.5  # Hz, 0 semitones (Eyben et al. 2016)
FEWEST_VOICED = 3  # frames; in a clip with fewer the loudest frames stand for its voice
FEWEST_UNVOICED = 3  # frames; in a clip with fewer the quietest frames stand for them
STAND_IN_FRAMES = 5
STAND_IN_F0 = 150.0  # Hz
REFERENCE_BANDWIDTH = 100.0  # Hz, 0 octaves
LEAST_BANDWIDTH = 20.0  # Hz


class DescriptorSettings(Protocol):
    """The keys of ``extract.functionals`` that descriptors depend on."""

    groups: list[str]
    n_mfcc: int
    n_mels: int
    pause_db: float


class Descriptors(NamedTuple):
    """The descriptors of a clip.

    Attributes
    ----------
    every : dict of str to np.ndarray of float32, shape (frames,)
        What every frame has.
    voice : dict of str to np.ndarray of float32, shape (voiced frames,)
        What only voiced frames have.
    voiced, pause : np.ndarray of bool, shape (frames,)
        Frames with a pitch, and those more than ``pause_db`` below the loudest.
    unvoiced : np.ndarray of bool, shape (frames,)
        Frames that are neither, or what stands for them.
    rate : float
        Frames per second.
    """

    every: dict[str, np.ndarray]
    voice: dict[str, np.ndarray]
    voiced: np.ndarray
    pause: np.ndarray
    unvoiced: np.ndarray
    rate: float


def describe(
    clip: Spectrum, settings: DescriptorSettings, groups: set[str], *, find_voice: bool = False
) -> Descriptors:
    """Measure the descriptors of some groups (see `GROUPS` in `ser.features.descriptor_catalogue`).

    Which frames are voiced is told if one of the groups depends on it, or with `find_voice`.
    """
    level = spectral.power_to_db(spectral.rms(clip.power) ** 2)
    pause = level < level.max() - settings.pause_db
    rate = clip.sr / clip.hop_length
    every = whole_spectrum(clip, settings, groups, level)
    if not find_voice and not groups & {"pitch", "voice_quality", "formants", "segments"}:
        voiced = np.zeros(len(level), dtype=bool)
        return Descriptors(every, {}, voiced, pause, unvoiced_frames(voiced, pause, level), rate)
    low, track = pitch.pitch_of(clip)
    voiced = track.f0 > 0
    if "pitch" in groups:
        every["voicing"] = track.voicing
    f0 = track.f0
    if voiced.sum() < FEWEST_VOICED:
        stand_in = np.argsort(-level, kind="stable")[:STAND_IN_FRAMES]
        f0 = np.zeros_like(f0)
        f0[stand_in] = STAND_IN_F0
        voiced = f0 > 0
    unvoiced = unvoiced_frames(voiced, pause, level)
    return Descriptors(every, voice_only(clip, low, f0, groups), voiced, pause, unvoiced, rate)


def unvoiced_frames(voiced: np.ndarray, pause: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return the frames without a pitch that are no pause, or the quietest ones if there are hardly any, of bool."""
    unvoiced = ~(voiced | pause)
    if unvoiced.sum() < FEWEST_UNVOICED:
        unvoiced = np.zeros_like(voiced)
        unvoiced[np.argsort(level, kind="stable")[:STAND_IN_FRAMES]] = True
    return unvoiced


def whole_spectrum(clip: Spectrum, settings: DescriptorSettings, groups: set[str], level: np.ndarray) -> dict:
    """Return the descriptors that need no pitch, by name."""
    every: dict[str, np.ndarray] = {}
    if groups & {"mfcc", "mel", "energy"}:
        mel = spectral.mel(clip.power, sr=clip.sr, n_mels=settings.n_mels)
    if groups & {"mfcc", "mel"}:
        log_mel = spectral.power_to_db(mel)
    if "mfcc" in groups:
        coefficients = spectral.mfcc(log_mel, n_mfcc=settings.n_mfcc + 1)
        every |= {f"mfcc_{i}": coefficients[:, i] for i in range(1, settings.n_mfcc + 1)}
    if "mel" in groups:
        every |= {f"mel_{i}": column for i, column in enumerate(log_mel.T)}
    if "chroma" in groups:
        every |= {f"chroma_{i}": column for i, column in enumerate(spectral.chroma(clip.power, sr=clip.sr).T)}
    if "energy" in groups:
        every["rms"] = level
        every["loudness"] = np.log(spectral.loudness(mel) + np.float32(LOUDNESS_FLOOR))
        every["zero_crossings"] = spectral.zero_crossings(clip.y, frame_length=clip.n_fft, hop_length=clip.hop_length)
    if groups & {"spectral", "rolloff", "balance"}:
        floored = np.maximum(clip.power, np.float32(spectral.AMIN))
        decibels = spectral.to_decibels(floored)
        magnitude = np.sqrt(floored)
    if "spectral" in groups:
        every |= spectral.spectral_shape(floored, decibels, magnitude, clip.frequencies)
    if "rolloff" in groups:
        every |= spectral.rolloffs(magnitude, clip.frequencies)
    if "balance" in groups:
        every |= spectral.band_balance(floored, decibels, clip.sr)
    return every


def voice_only(clip: Spectrum, low: np.ndarray, f0: np.ndarray, groups: set[str]) -> dict[str, np.ndarray]:
    """Return the descriptors of the frames with a pitch, by name, each of shape (voiced frames,)."""
    voiced = f0 > 0
    voice: dict[str, np.ndarray] = {}
    if "pitch" in groups:
        voice["f0"] = 12 * np.log2(f0[voiced] / np.float32(REFERENCE_F0))
    if "voice_quality" in groups:
        found = voice_cycles.find_cycles(clip.y, low, f0, sr=clip.sr, hop_length=clip.hop_length)
        voice |= voice_cycles.voice_quality(found, np.flatnonzero(voiced) * clip.hop_length, sr=clip.sr)
    if "formants" in groups:
        for name, values in formants.formants(clip.power[voiced], sr=clip.sr).items():
            voice[name] = octaves(values) if name.endswith("_bandwidth") else values
    return voice


def octaves(bandwidth: np.ndarray) -> np.ndarray:
    """Return bandwidths (Hz) in octaves: a few poles are so wide that the mean of Hz would be theirs."""
    return np.log2(np.maximum(bandwidth, np.float32(LEAST_BANDWIDTH)) / np.float32(REFERENCE_BANDWIDTH))

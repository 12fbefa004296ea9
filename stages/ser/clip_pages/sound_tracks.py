"""What is measured of a clip frame by frame, by the same code and of the same samples as what models read of it."""

from typing import NamedTuple

import numpy as np

from ser.audio.cleaning import integrated_loudness, to_float
from ser.features.formants import formants
from ser.features.frames import Spectrum, hann, spectrum
from ser.features.pitch import pitch_of
from ser.features.spectral import power_to_db, rms
from ser.prediction.clip_inputs import Heard

FORMANTS = ("f1", "f2", "f3")


class SoundTracks(NamedTuple):
    """The tracks of a clip; frame i is centred on ``i * hop_length / sr`` s of the cleaned samples.

    Attributes
    ----------
    clip : Spectrum
        The cleaned samples, full scale 1, and their power spectrum.
    start : float
        s of the recording before the first sample.
    f0 : np.ndarray of float32, shape (frames,)
        Hz; 0 where unvoiced.
    formants : dict of str to np.ndarray of float32, shape (frames,)
        ``f1`` to ``f3``, Hz; 0 where unvoiced.
    level : np.ndarray of float32, shape (frames,)
        dBFS of the recording: the root mean square of a frame, without what cleaning has amplified it by.
    gain : float
        dB that cleaning has amplified the recording by.
    loudness : float
        LUFS of the recording (ITU-R BS.1770-4); minus infinity of what nobody hears.
    """

    clip: Spectrum
    start: float
    f0: np.ndarray
    formants: dict[str, np.ndarray]
    level: np.ndarray
    gain: float
    loudness: float

    @property
    def seconds(self) -> float:
        """Its length in s."""
        return len(self.clip.y) / self.clip.sr

    @property
    def times(self) -> np.ndarray:
        """The centres of the frames in s of the recording, shape (frames,)."""
        return self.start + np.arange(len(self.f0)) * self.clip.hop_length / self.clip.sr


def sound_tracks(heard: Heard, sr: int, *, n_fft: int, hop_length: int) -> SoundTracks:
    """Measure a cleaned recording.

    Parameters
    ----------
    heard : Heard
        See `ser.prediction.clip_inputs.hear`.
    sr : int
        Hz, of its samples.
    n_fft, hop_length : int
        Samples; the settings of the features that models read.
    """
    y = to_float(heard.samples)
    clip = spectrum(y, sr, n_fft=n_fft, hop_length=hop_length, level=heard.level)
    _, track = pitch_of(clip)
    voiced = track.f0 > 0
    found = {name: np.zeros(len(voiced), dtype=np.float32) for name in FORMANTS}
    if voiced.any():
        of_voice = formants(clip.power[voiced], sr=sr, count=len(FORMANTS))
        for name, values in found.items():
            values[voiced] = of_voice[name]
    gain = float(20 * np.log10(np.abs(y).max())) - heard.level.level_peak
    window = float(10 * np.log10(np.mean(np.square(hann(n_fft)))))  # dB that it takes off the level of a steady sound
    level = power_to_db(rms(clip.power) ** 2) - np.float32(window + gain)
    return SoundTracks(clip, heard.start, track.f0, found, level, gain, integrated_loudness(y, sr) - gain)

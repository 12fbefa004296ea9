"""Descriptors of the frames of a clip, all from one short-time Fourier transform.

The definitions are librosa's, with its centred Hann frames.
"""

import librosa
import numpy as np

ROLL_OFF = 0.85  # share of the power below the roll-off frequency (librosa's default)
CONTRAST_FMIN = 200.0  # Hz, upper edge of the lowest band of the spectral contrast (librosa's default)
DELTA_WIDTH = 9  # frames over which a derivative is estimated (librosa's default)


def power_spectrogram(y: np.ndarray, *, n_fft: int, hop_length: int) -> np.ndarray:
    """Return the squared magnitudes of the short-time Fourier transform, shape (1 + n_fft / 2, frames)."""
    return np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop_length)) ** 2


def log_mel(power: np.ndarray, *, sr: int, n_mels: int) -> np.ndarray:
    """Return the mel spectrogram in dB, at most 80 dB below its loudest cell.

    Parameters
    ----------
    power : np.ndarray, shape (1 + n_fft / 2, frames)
    sr : int
        Hz.
    n_mels : int

    Returns
    -------
    np.ndarray, shape (n_mels, frames)
    """
    return librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=sr, n_mels=n_mels))


def mfcc(log_mel_spectrogram: np.ndarray, *, n_mfcc: int) -> np.ndarray:
    """Return mel-frequency cepstral coefficients, the 0th included, shape (n_mfcc, frames)."""
    return librosa.feature.mfcc(S=log_mel_spectrogram, n_mfcc=n_mfcc)


def chroma(power: np.ndarray, *, sr: int) -> np.ndarray:
    """Return the energy of the 12 pitch classes (A440), each frame scaled to a maximum of 1, shape (12, frames)."""
    return librosa.feature.chroma_stft(S=power, sr=sr, tuning=0.0)


def spectral_shape(y: np.ndarray, power: np.ndarray, *, sr: int, n_fft: int, hop_length: int) -> dict[str, np.ndarray]:
    """Return descriptors of the shape of the spectrum.

    Returns
    -------
    dict of str to np.ndarray, shape (frames,)
        Centroid, bandwidth and roll-off in Hz; flatness (0 tonal, 1 white); contrast between the peaks and valleys of
        octave bands in dB; zero crossings, a share of the samples.
    """
    magnitude = np.sqrt(power)
    bands = int(np.log2(sr / 2 / CONTRAST_FMIN))  # as many octaves as fit below half the sample rate
    contrast = librosa.feature.spectral_contrast(S=magnitude, sr=sr, n_bands=bands, fmin=CONTRAST_FMIN)
    shape = {
        "centroid": librosa.feature.spectral_centroid(S=magnitude, sr=sr)[0],
        "bandwidth": librosa.feature.spectral_bandwidth(S=magnitude, sr=sr)[0],
        "rolloff": librosa.feature.spectral_rolloff(S=magnitude, sr=sr, roll_percent=ROLL_OFF)[0],
        "flatness": librosa.feature.spectral_flatness(S=magnitude)[0],
        "zero_crossings": librosa.feature.zero_crossing_rate(y, frame_length=n_fft, hop_length=hop_length)[0],
    }
    return shape | {f"contrast_{band}": values for band, values in enumerate(contrast)}


def energy(power: np.ndarray, *, n_fft: int) -> np.ndarray:
    """Return the root mean square of the Hann-windowed frames in dB, at most 80 dB below the loudest.

    0 dB is a square wave of full scale, less 4.3 dB for the window.
    """
    rms = librosa.feature.rms(S=np.sqrt(power), frame_length=n_fft)[0]
    return librosa.amplitude_to_db(rms)


def derivative(descriptors: np.ndarray, *, order: int = 1) -> np.ndarray:
    """Return the local derivative along time of descriptors of shape (..., frames) (Savitzky–Golay, librosa)."""
    return librosa.feature.delta(descriptors, width=DELTA_WIDTH, order=order, mode="nearest")

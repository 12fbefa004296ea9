"""What a file gives back of the signal it was made from: length, ends, level, the places of clicks, bands.

The signal is of synthetic speech with clicks in pauses, so that it can be anybody's.
"""

import itertools
from typing import NamedTuple

import numpy as np
import soxr
from scipy.signal import correlate, welch

from ser.demo.synthetic_speech import demo_table, synthesize
from ser.storage.samples import to_float, to_int16

END = 0.1  # s, of each end that is looked at by itself
CLICK_AT = 0.37  # s, from one click to the next, less what makes the distances uneven
CLICK_PITCH = 1500.0  # Hz, in the middle of what a telephone's codec holds
CLICK_LENGTH = 0.0016  # s
CLICK_PEAK = 0.6  # re full scale
PAUSE = 0.03  # s before and after a click, in which the speech is faded out
CLICK_SEARCH = 0.012  # s around the place that the whole signal gives
FARTHEST = 0.5  # s, a delay that is looked for at all
TONES = ((400.0, 1400.0), (1600.0, 500.0))  # Hz, glides over the first and the last 100 ms
TONE_PEAK = 0.12  # re full scale
FRAME, ODD = 320, 137  # samples
EDGE = 0.002  # s, over which a glide sets in
BANDS = (
    (0.1, 1),
    (1, 2),
    (2, 3.4),
    (3.4, 4.1),
    (4.1, 5.5),
    (5.5, 7),
    (7, 7.3),
    (7.3, 7.5),
    (7.5, 7.75),
    (7.75, 8),
)  # kHz
BAND_FLOOR = -60.0  # dB, below which a band is empty


class Signal(NamedTuple):
    """A signal and the places (samples) of its clicks."""

    y: np.ndarray
    sample_rate: int
    clicks: list[int]


class Measures(NamedTuple):
    """How a decoded signal differs from the one it was made from."""

    exact: bool
    length_error: float  # samples at the decoded rate
    length_error_ms: float
    first_db: float  # level of the first 100 ms re the original's
    last_db: float
    level_db: float
    click_ms: float  # how late the clicks are, their median; negative: early
    click_worst_ms: float  # the farthest of all clicks
    similarity: float  # correlation after the delay is taken out


def speech(seconds: float, sample_rate: int) -> np.ndarray:
    """Return synthetic sentences one after another, as many as fill `seconds`."""
    clips = itertools.cycle(
        demo_table({"speakers": 2, "takes": 1, "emotions": ["anger", "neutral"], "sentences": 2}).to_dict("records")
    )
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < seconds * sample_rate:
        parts.append(synthesize(next(clips), 1, sample_rate))
    return np.concatenate(parts)[: int(seconds * sample_rate)].astype(np.float64)


def clicking_speech(sample_rate: int, seconds: float = 2.3) -> Signal:
    """Return speech with clicks, a rising tone over its first and a falling one over its last 100 ms.

    The number of samples is odd, that is no multiple of any codec's frame; all are those that 16 bits can hold.
    """
    y = speech(seconds, sample_rate)
    y = y[: (len(y) // FRAME - 1) * FRAME + ODD]
    clicks = []
    length, pause = round(CLICK_LENGTH * sample_rate), round(PAUSE * sample_rate)
    click = np.hanning(length) * np.cos(2 * np.pi * CLICK_PITCH * (np.arange(length) - length / 2) / sample_rate)
    gap = 1 - np.hanning(2 * pause + length)
    place = round(0.2 * sample_rate)
    for number in itertools.count():
        if place + length + pause > len(y) - round((END + 0.05) * sample_rate):
            break
        y[place - pause : place + length + pause] *= gap**2
        y[place : place + length] += CLICK_PEAK * click
        clicks.append(place)
        place += round((CLICK_AT - 0.017 * (number % 5)) * sample_rate)
    ends = round(END * sample_rate)
    y[:ends] += _glide(TONES[0], ends, sample_rate)
    y[-ends:] += _glide(TONES[1], ends, sample_rate)
    return Signal(to_float(to_int16(y)), sample_rate, clicks)


def _glide(tones: tuple[float, float], length: int, sample_rate: int) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(np.linspace(*tones, length)) / sample_rate
    edge = np.minimum(1, np.arange(length) / (EDGE * sample_rate))
    return TONE_PEAK * np.sin(phase) * edge * edge[::-1]


def compare(y: np.ndarray, sample_rate: int, original: Signal) -> Measures:
    """Compare what was decoded with what was written, at the decoded rate."""
    whole, rate = original.y, original.sample_rate
    if sample_rate != rate:
        whole = soxr.resample(whole, rate, sample_rate, "VHQ")
    clicks = [round(place * sample_rate / rate) for place in original.clicks]
    lag, similarity = delay(y, whole, round(FARTHEST * sample_rate))
    late = np.array([_click_delay(y, whole, place, round(lag), sample_rate) for place in clicks]) / sample_rate * 1000
    error = len(y) - len(original.y) * sample_rate / rate
    ends = round(END * sample_rate)
    fitted = np.pad(y, (0, max(0, len(whole) - len(y))))[: len(whole)]
    return Measures(
        exact=sample_rate == rate and np.array_equal(y, original.y),
        length_error=round(error, 1),
        length_error_ms=round(error / sample_rate * 1000, 2),
        first_db=ratio_db(fitted[:ends], whole[:ends]),
        last_db=ratio_db(fitted[-ends:], whole[-ends:]),
        level_db=ratio_db(fitted, whole),
        click_ms=round(float(np.median(late)), 2),
        click_worst_ms=round(float(late[np.abs(late).argmax()]), 2),
        similarity=round(similarity, 3),
    )


def ratio_db(y: np.ndarray, original: np.ndarray) -> float:
    """Return the level of one signal re another, dB; -120 where there is nothing."""
    energies = [float(np.square(each, dtype=np.float64).sum()) for each in (y, original)]
    return round(float(10 * np.log10(max(energies[0] / energies[1], 1e-12))), 2)


def delay(y: np.ndarray, original: np.ndarray, farthest: int) -> tuple[float, float]:
    """Return by how many samples `y` is late, and the correlation at that place."""
    products = correlate(y, original, method="fft")
    zero = len(original) - 1
    low = max(0, zero - farthest)
    place = low + int(np.argmax(products[low : zero + farthest + 1]))
    norm = np.sqrt(np.sum(np.square(y, dtype=np.float64)) * np.sum(np.square(original)))
    return place - zero, float(products[place] / max(norm, 1e-12))


def _click_delay(y: np.ndarray, original: np.ndarray, place: int, lag: int, sample_rate: int) -> float:
    """Return by how many samples one click is late, to fractions of one."""
    search, length = round(CLICK_SEARCH * sample_rate), round(CLICK_LENGTH * sample_rate)
    click = original[place - length : place + 2 * length]
    start = place - length + lag - search
    window = y[max(0, start) : start + len(click) + 2 * search]
    window = np.pad(window, (max(0, -start), len(click) + 2 * search - len(window) - max(0, -start)))
    products = correlate(window, click, mode="valid")
    best = int(np.argmax(products))
    shift = 0.0
    if 0 < best < len(products) - 1:
        before, top, after = products[best - 1 : best + 2]
        shift = (before - after) / (2 * (before - 2 * top + after))
    return lag + best - search + shift


def band_levels(y: np.ndarray, sample_rate: int, original: np.ndarray, original_rate: int) -> list[float]:
    """Return the level in each of `BANDS` re that of the original, dB, not below `BAND_FLOOR`."""
    levels = []
    spectra = [_spectrum(each, rate) for each, rate in ((y, sample_rate), (original, original_rate))]
    for low, high in BANDS:
        powers = [power[(at >= low * 1000) & (at < high * 1000)].sum() for at, power in spectra]
        levels.append(round(max(BAND_FLOOR, float(10 * np.log10(max(powers[0] / powers[1], 1e-12)))), 1))
    return levels


def _spectrum(y: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    at, density = welch(y, sample_rate, window="blackman", nperseg=round(0.064 * sample_rate))
    return at, density * at[1]

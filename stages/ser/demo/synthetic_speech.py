"""A synthetic corpus of acted emotion, so that a fresh clone runs without any download.

A source-filter synthesizer in the manner of Klatt (1980) speaks nonsense sentences: a KLGLOTT88 glottal pulse train
(Klatt & Klatt 1990) with jitter, shimmer and breath noise, and frication noise, pass formant resonators that move
through vowel and consonant targets. What emotion does to the voice, and the sources, stand in
`ser.demo.synthetic_phonetics`.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import scipy  # its parts are imported by their first use: who asks for a name synthesizes nothing

from ser.demo import synthetic_phonetics as phonetics
from ser.demo.synthetic_phonetics import EMOTIONS, SENTENCES, Segment
from ser.storage.seeds import generator

FRAME = 0.005  # s, the step of the control parameters (Klatt 1980)
SYNTHETIC = "synthetic"  # the source of a clip of the demo corpus, which has no file
RESPONSE = 0.048  # s, in which a resonator of 60 Hz bandwidth loses 60 dB, and a frame's own length
HIGHEST_RESONANCE = 0.48  # re the sample rate; a formant of the tube above it is left out
OPEN_QUOTIENT_BOUNDS = (0.35, 0.85)
TILT_BOUNDS = (0.5, 30.0)  # dB
JITTER, SHIMMER = 0.008, 0.05  # relative standard deviation of a period and of its amplitude in a neutral voice
ONSET = 0.012  # s, standard deviation of the Gaussian that rounds the voice's amplitude
FORMANT_TRANSITION = 0.014  # s, the same for the formants
NOISE_ONSET = 0.003  # s, the same for frication and aspiration
STEADY_BREATH = 0.5  # breath noise while the glottis is shut, re what the open glottis adds
UPPER_FORMANTS = (3500.0, 4500.0, 5500.0)  # Hz, F4 to F6 of the uniform tube
BANDWIDTHS = (60.0, 90.0, 150.0, 250.0, 300.0, 400.0)  # Hz, F1 to F6 (Klatt 1980)
NASAL_POLE, NASAL_BANDWIDTH = 270.0, 100.0  # Hz (Klatt 1980)
TILT_FREQUENCY = 3000.0  # Hz, where Klatt & Klatt (1990) measure tilt
SPEECH_LEVEL = -24.0  # dBFS, root mean square of a neutral clip
NOISE_FLOOR, NOISE_FLOOR_SPREAD = -46.0, 3.0  # dB re the speech
ROOM_POLES = (0.8, 0.98)  # of one-pole low-passes: the hiss and, nearer to 0 Hz, the rumble of a room
LOW_CUT = (30.0, 350.0)  # Hz, where the bass of a recording falls off, for the distance and kind of microphone
PEAK = 0.99


def demo_table(demo: dict) -> pd.DataFrame:
    """Return the table of the demo corpus, one row a clip, sorted by clip.

    Parameters
    ----------
    demo : dict
        The section ``demo`` of ``params.yaml``: ``speakers`` and ``takes`` (counts), ``emotions`` (names) and
        ``sentences`` (how many of those defined).
    """
    emotions = list(demo["emotions"])
    for emotion in emotions:
        _check("emotion", emotion, EMOTIONS)
    if not emotions or len(set(emotions)) < len(emotions):
        raise ValueError(f"demo.emotions must name one or more different emotions, not {emotions}")
    _check("sentences", demo["sentences"], range(1, len(SENTENCES) + 1))
    for key in ("speakers", "takes"):
        if demo[key] < 1:
            raise ValueError(f"demo.{key} must be at least 1, not {demo[key]}")
    rows = [
        _row(index, emotion, sentence, take)
        for index in range(demo["speakers"])
        for emotion in emotions
        for sentence in list(SENTENCES)[: demo["sentences"]]
        for take in range(1, demo["takes"] + 1)
    ]
    return pd.DataFrame(rows).sort_values("clip", ignore_index=True)


def _check(name: str, value: object, allowed: Iterable) -> None:
    if value not in allowed:
        raise ValueError(f"unknown {name} {value!r} of the demo corpus; allowed: {', '.join(map(str, allowed))}")


def _row(index: int, emotion: str, sentence: str, take: int) -> dict:
    speaker = f"s{index + 1:02d}"
    return {
        "clip": f"demo/{speaker}/{speaker}-{emotion}-{sentence}-{take}",
        "corpus": "demo",
        "speaker": f"demo:{speaker}",
        "sex": "male" if index % 2 else "female",
        "emotion": emotion,
        "intensity": "",
        "statement": sentence,
        "language": "synthetic",
        "source": SYNTHETIC,
    }


def synthesize(clip: Mapping | pd.Series, seed: int, sample_rate: int) -> np.ndarray:
    """Return the waveform of one clip, which depends on its row and the seed only.

    Parameters
    ----------
    clip : mapping or pandas.Series
        A row of `demo_table`.
    seed : int
        ``demo.seed``.
    sample_rate : int
        Hz.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(samples,)``, within -1 and 1.
    """
    _check("emotion", clip["emotion"], EMOTIONS)
    _check("statement", clip["statement"], SENTENCES)
    _check("sex", clip["sex"], phonetics.MEAN_F0)
    rng = generator(seed, clip["clip"])
    cues = phonetics.clip_cues(clip, seed, rng)
    phrases = phonetics.utterance(clip["statement"], cues, rng)
    hop = round(FRAME * sample_rate)
    tracks = control_tracks(phrases, cues, hop / sample_rate, clip["sex"], rng)
    speech = vocal_tract(*sources(tracks, cues, clip["sex"], hop, sample_rate, rng), tracks, hop, sample_rate)
    return recording(speech, cues["level"], sample_rate, rng)


def control_tracks(
    phrases: list[list[Segment]], cues: dict[str, float], step: float, sex: str, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the synthesizer's parameters every `step` seconds, in Hz or as linear amplitudes."""
    place = phonetics.timing(phrases, step)
    segments = [segment for phrase in phrases for segment in phrase]

    def targets(name: str) -> np.ndarray:
        return np.array([getattr(segment, name) for segment in segments])[place.segment]

    def smooth(values: np.ndarray, width: float) -> np.ndarray:
        return scipy.ndimage.gaussian_filter1d(values, width / step, axis=0, mode="nearest")

    formants = _articulated(smooth(targets("formants"), FORMANT_TRANSITION), cues)
    voice = _amplitude(targets("voice") + phonetics.LEVEL_FALL * place.position)
    noise = {name: smooth(_amplitude(targets(name)), NOISE_ONSET) for name in ("aspiration", "frication")}
    return noise | {
        "f0": phonetics.f0_contour(place, cues, sex, step, rng),
        "formants": formants * phonetics.FORMANT_SCALE[sex],
        "voice": smooth(voice, ONSET * np.exp(cues["onset"])),
        "frication_frequency": targets("frication_frequency"),
        "frication_bandwidth": targets("frication_bandwidth"),
        "nasal_zero": smooth(targets("nasal_zero"), FORMANT_TRANSITION),
    }


def _amplitude(level: np.ndarray | float) -> np.ndarray | float:
    return 10 ** (level / 20)


def _articulated(formants: np.ndarray, cues: dict[str, float]) -> np.ndarray:
    """Scale the vowel space about its centre, add the upper formants and shift them as the cues say."""
    centre = np.array(phonetics.NEUTRAL_FORMANTS)
    lower = centre * (formants / centre) ** np.exp(cues["articulation"])
    lower[:, 0] *= np.exp(cues["first_formant"])
    upper = np.broadcast_to(UPPER_FORMANTS, (len(lower), len(UPPER_FORMANTS)))
    return np.concatenate([lower, upper], axis=1) * np.exp(cues["formant_scale"])


def sources(
    tracks: dict[str, np.ndarray],
    cues: dict[str, float],
    sex: str,
    hop: int,
    sample_rate: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the excitation at the glottis and that at the constriction."""
    size = (len(tracks["f0"]) - 1) * hop
    frames, samples = np.arange(len(tracks["f0"])) * hop, np.arange(size)
    f0, voice, aspiration, frication = (
        np.interp(samples, frames, tracks[name]) for name in ("f0", "voice", "aspiration", "frication")
    )
    open_quotient = float(np.clip(phonetics.OPEN_QUOTIENT[sex] + cues["open_quotient"], *OPEN_QUOTIENT_BOUNDS))
    flow = glottal_flow(f0 / sample_rate, open_quotient, cues, rng)
    # The difference of the flow rather than its formula: aliases fall by 12 dB an octave, not 6.
    pulses = np.diff(flow, prepend=0.0)
    loss = float(np.clip(phonetics.TILT[sex] + cues["tilt"], *TILT_BOUNDS))
    pulses = tilted(pulses / pulses.std(), loss, sample_rate)
    noise = rng.standard_normal((2, size))
    breath = _amplitude(phonetics.BREATH[sex] + cues["breath"]) * voice * (STEADY_BREATH + flow)
    return voice * pulses + (breath + aspiration) * noise[0], frication * noise[1]


def glottal_flow(
    frequency: np.ndarray, open_quotient: float, cues: dict[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Return KLGLOTT88 flow pulses, with jitter and shimmer, for a frequency in cycles a sample."""
    cycles = np.cumsum(frequency)
    samples = np.arange(len(cycles))
    marks = np.interp(np.arange(int(cycles[-1]) + 2), cycles, samples)
    deviations = rng.standard_normal((2, len(marks) - 1))
    periods = np.diff(marks) * (1 + JITTER * np.exp(cues["jitter"]) * deviations[0])
    phase = np.interp(samples, np.concatenate([[0], np.cumsum(periods)]), np.arange(len(marks)))
    cycle = np.minimum(phase.astype(int), len(periods) - 1)
    opened = np.minimum((phase - cycle) / open_quotient, 1)
    amplitude = 1 + SHIMMER * np.exp(cues["shimmer"]) * deviations[1]
    return amplitude[cycle] * (opened**2 - opened**3) * 27 / 4


def tilted(pulses: np.ndarray, loss: float, sample_rate: int) -> np.ndarray:
    """Low-pass the pulses by one pole that takes `loss` dB at 3 kHz (Klatt & Klatt 1990)."""
    power, cosine = 10 ** (-loss / 10), np.cos(2 * np.pi * TILT_FREQUENCY / sample_rate)
    half = (1 - power * cosine) / (1 - power)
    pole = half - np.sqrt(half**2 - 1)
    return scipy.signal.lfilter([1 - pole], [1, -pole], pulses)


def vocal_tract(
    glottis: np.ndarray, constriction: np.ndarray, tracks: dict[str, np.ndarray], hop: int, sample_rate: int
) -> np.ndarray:
    """Pass the sources through the resonators of every frame and add the overlapping outputs.

    Each windowed frame is convolved, by its Fourier transform, with the impulse response of its own resonators,
    which is far faster than a filter whose coefficients change and cannot click.
    """
    size = scipy.fft.next_fast_len(int(RESPONSE * sample_rate), real=True)
    limit = HIGHEST_RESONANCE * sample_rate
    poles = resonator(np.full(len(tracks["f0"]), NASAL_POLE), NASAL_BANDWIDTH, sample_rate)
    nominal = (*phonetics.NEUTRAL_FORMANTS, *UPPER_FORMANTS)
    for formant, frequency, bandwidth in zip(tracks["formants"].T, nominal, BANDWIDTHS, strict=True):
        if frequency < limit:
            poles = _multiply(poles, resonator(np.minimum(formant, limit), bandwidth, sample_rate))
    zeros = resonator(tracks["nasal_zero"], NASAL_BANDWIDTH, sample_rate)
    # in float64: the product of all resonators has large coefficients that nearly cancel
    voiced = (scipy.fft.rfft(zeros, size) / scipy.fft.rfft(poles, size)).astype(np.complex64)
    centre = np.minimum(tracks["frication_frequency"], limit)
    hissed = 1 / _spectra(resonator(centre, tracks["frication_bandwidth"], sample_rate), size)
    hissed /= np.sqrt(np.mean(np.abs(hissed) ** 2, axis=1, keepdims=True))
    voiced *= _spectra(_frames(glottis, hop), size)
    hissed *= _spectra(_frames(constriction, hop), size)
    spectrum = voiced + hissed
    return _overlap_add(scipy.fft.irfft(spectrum, size), hop)[hop : hop + len(glottis)]


def _spectra(frames: np.ndarray, size: int) -> np.ndarray:
    """Return the Fourier transforms of the rows; in float32, which is what a recording has, in half the time."""
    return scipy.fft.rfft(frames.astype(np.float32), size)


def resonator(frequency: np.ndarray, bandwidth: np.ndarray | float, sample_rate: int) -> np.ndarray:
    """Return the denominators of Klatt's (1980) resonators, shape ``(frames, 3)``, with unit gain at 0 Hz."""
    radius = np.exp(-np.pi * bandwidth / sample_rate) * np.ones_like(frequency)
    middle = -2 * radius * np.cos(2 * np.pi * frequency / sample_rate)
    coefficients = np.stack([np.ones_like(frequency), middle, radius**2], axis=1)
    return coefficients / coefficients.sum(axis=1, keepdims=True)


def _multiply(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Multiply polynomials row by row."""
    product = np.zeros((len(left), left.shape[1] + right.shape[1] - 1))
    for power in range(right.shape[1]):
        product[:, power : power + left.shape[1]] += left * right[:, power : power + 1]
    return product


def _frames(samples: np.ndarray, hop: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(samples, hop), 2 * hop)[::hop]
    return windows * scipy.signal.get_window("hann", 2 * hop)


def _overlap_add(frames: np.ndarray, hop: int) -> np.ndarray:
    blocks = np.pad(frames, ((0, 0), (0, -frames.shape[1] % hop)))
    blocks = blocks.reshape(len(frames), -1, hop)
    output = np.zeros((len(frames) + blocks.shape[1], hop))
    for shift in range(blocks.shape[1]):
        output[shift : shift + len(frames)] += blocks[:, shift]
    return output.ravel()


def recording(speech: np.ndarray, level: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Add room noise, pass the microphone and bring the clip to its level (dB re `SPEECH_LEVEL`)."""
    floor = _amplitude(NOISE_FLOOR + NOISE_FLOOR_SPREAD * rng.standard_normal())
    noises = [scipy.signal.lfilter([1.0], [1.0, -pole], rng.standard_normal(len(speech))) for pole in ROOM_POLES]
    speech = speech / speech.std() + floor * sum(noise / noise.std() for noise in noises)
    # A one-pole high-pass whose corner is drawn evenly on a logarithmic axis.
    pole = np.exp(-2 * np.pi * np.exp(rng.uniform(*np.log(LOW_CUT))) / sample_rate)
    speech = scipy.signal.lfilter([1.0, -1.0], [1.0, -pole], speech)
    speech = (speech - speech.mean()) / speech.std() * _amplitude(SPEECH_LEVEL + level)
    return (speech * min(1, PEAK / np.abs(speech).max())).astype(np.float32)

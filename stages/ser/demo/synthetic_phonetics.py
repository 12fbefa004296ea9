"""What is said in the demo corpus, and how: phones, sentences and what each emotion does to the voice.

The tables follow published measurements; `ser.demo.synthetic_speech` turns them into sound.

References
----------
Banse & Scherer (1996). Acoustic profiles in vocal emotion expression. J. Pers. Soc. Psychol. 70(3).
Burkhardt & Sendlmeier (2000). Verification of acoustical correlates of emotional speech. ISCA Workshop.
Juslin & Laukka (2003). Communication of emotions in vocal expression and music. Psychol. Bull. 129(5).
Klatt (1979). Synthesis by rule of segmental durations in English sentences. Frontiers of Speech Communication.
Klatt (1980). Software for a cascade/parallel formant synthesizer. J. Acoust. Soc. Am. 67(3).
Klatt & Klatt (1990). Voice quality variations among female and male talkers. J. Acoust. Soc. Am. 87(2).
Murray & Arnott (1993). Toward the simulation of emotion in synthetic speech. J. Acoust. Soc. Am. 93(2).
Peterson & Barney (1952). Control methods used in a study of the vowels. J. Acoust. Soc. Am. 24(2).
Tartter (1980). Happy talk: perceptual and acoustic effects of smiling. Percept. Psychophys. 27(1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

from ser.storage.seeds import generator

SILENT = -200.0  # dB, the amplitude of a source that is off
NEUTRAL_FORMANTS = (500.0, 1500.0, 2500.0)  # Hz, uniform tube of 17.5 cm: the schwa, and the centre of vowel space
ORAL_NASAL_ZERO = 270.0  # Hz, on the nasal pole, which it cancels (Klatt 1980)
OPEN_NASAL_ZERO = 450.0  # Hz, while the velum is open (Klatt 1980)
# Durations of consonants in fluent reading, ms, and levels within stops, dB re the voice of a vowel.
SONORANT, VOICELESS_FRICATIVE, VOICED_FRICATIVE = 65.0, 95.0, 75.0
VOICED_CLOSURE, VOICELESS_CLOSURE, BURST, RELEASE = 55.0, 70.0, 12.0, 25.0
VOICE_BAR, RELEASE_ASPIRATION = -16.0, -12.0


@dataclass(frozen=True)
class Segment:
    """A stretch of speech with one articulatory target.

    Durations are in ms, frequencies in Hz (for a man) and source amplitudes in dB (``SILENT``: off).
    """

    duration: float
    formants: tuple[float, float, float] = NEUTRAL_FORMANTS
    voice: float = SILENT
    aspiration: float = SILENT
    frication: float = SILENT
    frication_frequency: float = 3000.0
    frication_bandwidth: float = 1500.0
    nasal_zero: float = ORAL_NASAL_ZERO
    is_vowel: bool = False
    is_stressed: bool = False


def _vowel(duration: float, *formants: float) -> tuple[Segment, ...]:
    return (Segment(duration, formants, voice=0.0, is_vowel=True),)


def _sonorant(voice: float, *formants: float, nasal_zero: float = ORAL_NASAL_ZERO) -> tuple[Segment, ...]:
    return (Segment(SONORANT, formants, voice=voice, nasal_zero=nasal_zero),)


def _fricative(frequency: float, bandwidth: float, level: float, voice: float, *formants: float) -> tuple[Segment, ...]:
    duration = VOICELESS_FRICATIVE if voice == SILENT else VOICED_FRICATIVE
    return (Segment(duration, formants, voice, SILENT, level, frequency, bandwidth),)


def _stop(frequency: float, bandwidth: float, level: float, voiced: bool, *formants: float) -> tuple[Segment, ...]:
    closure = Segment(VOICED_CLOSURE if voiced else VOICELESS_CLOSURE, formants, voice=VOICE_BAR if voiced else SILENT)
    burst = Segment(BURST, formants, SILENT, SILENT, level, frequency, bandwidth)
    release = () if voiced else (Segment(RELEASE, formants, aspiration=RELEASE_ASPIRATION),)
    return (closure, burst, *release)


# Vowel formants: Peterson & Barney (1952), men. Consonant loci and noise bands: Klatt (1980), tables II and III.
# Vowel durations (ms) are those of fluent reading, to the nearest 5 ms.
PHONES = {
    "a": _vowel(115, 730, 1090, 2440),
    "e": _vowel(100, 530, 1840, 2480),
    "i": _vowel(95, 270, 2290, 3010),
    "o": _vowel(110, 570, 840, 2410),
    "u": _vowel(95, 300, 870, 2240),
    "@": _vowel(65, 500, 1350, 2400),
    "w": _sonorant(-4, 290, 610, 2150),
    "j": _sonorant(-4, 260, 2070, 3020),
    "r": _sonorant(-4, 310, 1060, 1380),
    "l": _sonorant(-5, 310, 1050, 2880),
    "m": _sonorant(-6, 480, 1270, 2130, nasal_zero=OPEN_NASAL_ZERO),
    "n": _sonorant(-6, 480, 1340, 2470, nasal_zero=OPEN_NASAL_ZERO),
    "f": _fricative(4500, 4000, -20, SILENT, 340, 1100, 2080),
    "s": _fricative(5600, 1400, -9, SILENT, 320, 1390, 2530),
    "S": _fricative(2900, 1100, -9, SILENT, 300, 1840, 2750),
    "v": _fricative(4500, 4000, -26, -8, 220, 1100, 2080),
    "z": _fricative(5600, 1400, -16, -10, 240, 1390, 2530),
    "p": _stop(1200, 1500, -14, False, 400, 1100, 2150),
    "t": _stop(4200, 1800, -8, False, 400, 1600, 2600),
    "k": _stop(2000, 700, -8, False, 300, 1990, 2850),
    "b": _stop(900, 1200, -18, True, 200, 1100, 2150),
    "d": _stop(3800, 1800, -12, True, 200, 1600, 2600),
    "g": _stop(1900, 700, -12, True, 200, 1990, 2850),
}

# Nonsense sentences of two phrases; ' precedes the stressed vowel of a word.
SENTENCES = {
    "a": ("d @ n 'a l i", "s 'o t e m 'u g a"),
    "b": ("k 'u m a r 'e n o", "f @ l 'i d a"),
    "c": ("j @ p 'o S i", "b 'a n u v 'e l o"),
    "d": ("t 'e w a z @", "m 'i k o d 'u r e"),
    "e": ("n 'o s i g 'a", "l @ b 'e t u m a"),
    "f": ("v 'a d u k 'i", "w @ r 'o n e s a"),
    "g": ("S 'u l a m e", "p @ g 'i z o t 'a"),
    "h": ("g 'e f i n @", "j 'a m o t 'u l i"),
}


class Cue:
    """One acoustic cue: its spread between and within speakers, and the mean effect of each emotion.

    Parameters
    ----------
    speaker : float
        Standard deviation between speakers' neutral voices.
    style : float
        Standard deviation of a speaker's own rendering of one emotion.
    take : float
        Standard deviation between takes.
    **effects : float
        Mean change from neutral for each emotion, in the unit of the cue.
    """

    def __init__(self, speaker: float, style: float, take: float, **effects: float):
        self.speaker, self.style, self.take = speaker, style, take
        self.effects = {"neutral": 0.0, **effects}


# Directions and order of the effects follow the papers named. Their sizes, and the spreads, are this project's: chosen
# so that emotions overlap as listeners confuse them. A "ratio" is a natural logarithm (0.10 is about +10 %).
CUES = {
    # Mean F0, semitones: high in anger, fear and joy, low in sadness and boredom (Banse & Scherer 1996; Juslin & Laukka
    # 2003; Murray & Arnott 1993).
    "f0_level": Cue(1.6, 0.3, 0.95, anger=3.0, boredom=-1.2, disgust=-1.2, fear=4.0, happiness=3.4, sadness=-0.6),
    # Size of the pitch accents, ratio: wide in joy and anger, narrow in boredom and sadness (Burkhardt & Sendlmeier
    # 2000; Murray & Arnott 1993; Juslin & Laukka 2003, F0 variability).
    "f0_range": Cue(0.1, 0.06, 0.12, anger=0.33, boredom=-0.5, disgust=0.05, fear=-0.1, happiness=0.55, sadness=-0.4),
    # Contour over a phrase, semitones: rising in anger, fear and joy, falling in sadness (Juslin & Laukka 2003), flat
    # in boredom (Burkhardt & Sendlmeier 2000).
    "f0_slope": Cue(0.25, 0.2, 0.4, anger=0.5, boredom=0.3, disgust=-1.0, fear=1.5, happiness=1.0, sadness=-1.0),
    # Movement at the end of a phrase, semitones: up in joy, down in sadness and disgust (Murray & Arnott 1993).
    "f0_final": Cue(0.25, 0.2, 0.5, anger=-0.5, boredom=0.5, disgust=-1.5, fear=1.5, happiness=1.5, sadness=-1.0),
    # Speech rate, ratio: fast in fear, anger and joy, slow in sadness, boredom and disgust (Murray & Arnott 1993;
    # Juslin & Laukka 2003; Burkhardt & Sendlmeier 2000).
    "rate": Cue(0.04, 0.025, 0.06, anger=0.06, boredom=-0.1, disgust=-0.1, fear=0.12, happiness=0.04, sadness=-0.08),
    # Pauses, ratio: long in sadness, short in anger and joy (Juslin & Laukka 2003).
    "pause": Cue(0.08, 0.04, 0.16, anger=-0.2, boredom=0.1, disgust=0.2, fear=-0.1, happiness=-0.1, sadness=0.4),
    # Intensity, dB: high in anger and joy, low in sadness and boredom (Banse & Scherer 1996; Juslin & Laukka 2003).
    # Speakers differ by their distance from the microphone too.
    "level": Cue(4.0, 0.4, 1.6, anger=6.0, boredom=-2.0, disgust=0.0, fear=1.0, happiness=4.0, sadness=-3.0),
    # Stressed over unstressed syllables, dB: intensity varies much in anger, fear and joy, little in sadness (Juslin &
    # Laukka 2003).
    "stress": Cue(0.3, 0.2, 0.55, anger=2.0, boredom=-1.2, disgust=0.5, fear=0.5, happiness=1.5, sadness=-1.0),
    # Spectral tilt, dB lost at 3 kHz: a pressed voice (anger, joy) keeps its high partials, a lax one (sadness,
    # boredom) loses them (Banse & Scherer 1996, energy below 1 kHz; Juslin & Laukka 2003, high-frequency energy).
    "tilt": Cue(1.6, 0.4, 1.4, anger=-5.0, boredom=2.0, disgust=0.0, fear=-2.0, happiness=-3.5, sadness=3.5),
    # Open quotient, share of the period: small in tense phonation (anger), large in falsetto and breathy phonation
    # (fear, sadness; Burkhardt & Sendlmeier 2000; Klatt & Klatt 1990).
    "open_quotient": Cue(
        *(0.032, 0.008, 0.032), anger=-0.075, boredom=0.02, disgust=-0.03, fear=0.055, happiness=-0.02, sadness=0.055
    ),
    # Breath noise, dB: as the open quotient (Burkhardt & Sendlmeier 2000).
    "breath": Cue(1.0, 0.4, 1.3, anger=-1.0, boredom=-1.0, disgust=1.0, fear=4.5, happiness=1.0, sadness=4.0),
    # Jitter and shimmer, ratio: irregular voicing in fear (Murray & Arnott 1993; Burkhardt & Sendlmeier 2000), more in
    # anger and joy than in sadness (Juslin & Laukka 2003).
    "jitter": Cue(0.12, 0.06, 0.15, anger=0.3, boredom=-0.1, disgust=0.4, fear=0.5, happiness=0.2, sadness=0.0),
    "shimmer": Cue(0.1, 0.06, 0.15, anger=0.3, boredom=0.0, disgust=0.4, fear=0.4, happiness=0.2, sadness=0.0),
    # Vowel space, ratio: precise articulation in anger and joy, slurred in sadness and boredom (Burkhardt & Sendlmeier
    # 2000; Murray & Arnott 1993).
    "articulation": Cue(
        *(0.04, 0.025, 0.085), anger=0.16, boredom=-0.14, disgust=0.0, fear=0.0, happiness=0.08, sadness=-0.16
    ),
    # First formant, ratio: high in anger and joy, low in fear and sadness (Juslin & Laukka 2003).
    "first_formant": Cue(
        *(0.01, 0.008, 0.026), anger=0.1, boredom=-0.02, disgust=-0.03, fear=-0.06, happiness=0.05, sadness=-0.05
    ),
    # All formants, ratio: the spread lips of a smile shorten the tract (Tartter 1980; Burkhardt & Sendlmeier 2000).
    "formant_scale": Cue(
        *(0.015, 0.004, 0.01), anger=0.0, boredom=-0.015, disgust=0.0, fear=0.02, happiness=0.06, sadness=-0.02
    ),
    # Time of voice onsets, ratio: abrupt in anger and joy, slow in sadness (Juslin & Laukka 2003).
    "onset": Cue(0.08, 0.04, 0.13, anger=-0.4, boredom=0.2, disgust=0.0, fear=0.1, happiness=-0.2, sadness=0.4),
}
EMOTIONS = tuple(sorted(CUES["f0_level"].effects))
EXPRESSIVENESS_SPREAD = 0.15  # between speakers' effects of emotion, natural logarithm

# The mean neutral voice by sex (Peterson & Barney 1952; Klatt & Klatt 1990), which the cues change.
MEAN_F0 = {"female": 205.0, "male": 118.0}  # Hz
FORMANT_SCALE = {"female": 1.16, "male": 1.0}  # ratio to the formants of the phones
OPEN_QUOTIENT = {"female": 0.62, "male": 0.54}
TILT = {"female": 10.0, "male": 8.0}  # dB at 3 kHz
BREATH = {"female": -24.0, "male": -28.0}  # dB re the voice

# Neutral prosody, of sizes common in read speech; stressed and final segments are lengthened as in Klatt (1979).
ACCENT, ACCENT_SPREAD, ACCENT_WIDTH = 3.0, 0.25, 0.07  # semitones; natural logarithm; s
DECLINATION, FINAL_FALL, FINAL_TIME = -2.0, -1.5, 0.2  # semitones over a phrase; semitones; s
F0_WANDER, F0_WANDER_TIME = 0.25, 0.05  # semitones; s
STRESS, SYLLABLE_SPREAD, LEVEL_FALL = 3.0, 1.0, -3.0  # dB; dB; dB over a phrase
STRESS_LENGTHENING, FINAL_LENGTHENING, DURATION_SPREAD = 1.2, 1.3, 0.08  # factor; factor; natural logarithm
PAUSE, LEAD = 0.2, (0.1, 0.25)  # s, between phrases; s, shortest and longest silence at either end


def clip_cues(clip: Mapping | pd.Series, seed: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the value of every cue for one clip, relative to the mean neutral voice of the sex."""
    names, cues = list(CUES), list(CUES.values())
    speaker = generator(seed, "speaker", clip["speaker"])
    expressiveness = np.exp(EXPRESSIVENESS_SPREAD * speaker.standard_normal())
    neutral = speaker.normal(0, [cue.speaker for cue in cues])
    style = generator(seed, "speaker", clip["speaker"], clip["emotion"]).normal(0, [cue.style for cue in cues])
    effect = np.array([cue.effects[clip["emotion"]] for cue in cues])
    take = rng.normal(0, [cue.take for cue in cues])
    return dict(zip(names, (neutral + expressiveness * (effect + style) + take).tolist(), strict=True))


def utterance(statement: str, cues: dict[str, float], rng: np.random.Generator) -> list[list[Segment]]:
    """Return the segments of a sentence, phrase by phrase, with pauses as phrases of their own."""
    pause = PAUSE * np.exp(cues["pause"] + DURATION_SPREAD * rng.standard_normal())
    silences = [rng.uniform(*LEAD), *[pause] * (len(SENTENCES[statement]) - 1), rng.uniform(*LEAD)]
    phrases = [[Segment(1000 * silences[0])]]
    for text, silence in zip(SENTENCES[statement], silences[1:], strict=True):
        segments = [
            replace(segment, is_stressed=segment.is_vowel and phone.startswith("'"))
            for phone in text.split()
            for segment in PHONES[phone.lstrip("'")]
        ]
        phrases += [[_spoken(s, s is segments[-1], cues, rng) for s in segments], [Segment(1000 * silence)]]
    return phrases


def _spoken(segment: Segment, is_final: bool, cues: dict[str, float], rng: np.random.Generator) -> Segment:
    """Give a segment the duration and level it has in this take."""
    lengthening = (STRESS_LENGTHENING if segment.is_stressed else 1) * (FINAL_LENGTHENING if is_final else 1)
    duration = segment.duration * lengthening * np.exp(-cues["rate"] + DURATION_SPREAD * rng.standard_normal())
    change = SYLLABLE_SPREAD * rng.standard_normal() + segment.is_stressed * (STRESS + cues["stress"])
    return replace(segment, duration=duration, voice=segment.voice + (change if segment.is_vowel else 0))


class Timing(NamedTuple):
    """Where every frame lies in the utterance, and the times (s) of the stressed vowels."""

    time: np.ndarray  # s
    segment: np.ndarray  # index
    position: np.ndarray  # in the phrase, 0 to 1
    to_end: np.ndarray  # s, of the phrase
    accents: np.ndarray  # s


def timing(phrases: list[list[Segment]], step: float) -> Timing:
    """Lay frames `step` seconds apart over the phrases."""
    segments = [segment for phrase in phrases for segment in phrase]
    ends = np.cumsum([segment.duration for segment in segments]) / 1000
    time = np.arange(int(ends[-1] / step) + 1) * step
    index = np.minimum(np.searchsorted(ends, time, side="right"), len(segments) - 1)
    phrase_ends = ends[np.cumsum([len(phrase) for phrase in phrases]) - 1]
    phrase = np.minimum(np.searchsorted(phrase_ends, time, side="right"), len(phrases) - 1)
    lengths = np.diff(phrase_ends, prepend=0.0)
    to_end = phrase_ends[phrase] - time
    accents = [end - s.duration / 2000 for end, s in zip(ends, segments, strict=True) if s.is_stressed]
    return Timing(time, index, 1 - to_end / lengths[phrase], to_end, np.array(accents))


def f0_contour(place: Timing, cues: dict[str, float], sex: str, step: float, rng: np.random.Generator) -> np.ndarray:
    """Return F0 in Hz: declination, an accent on every stressed vowel, a final movement and slow wander."""
    heights = ACCENT * np.exp(cues["f0_range"] + ACCENT_SPREAD * rng.standard_normal(len(place.accents)))
    distance = (place.time[:, None] - place.accents) / ACCENT_WIDTH
    final = np.clip(1 - place.to_end / FINAL_TIME, 0, 1)
    wander = scipy.ndimage.gaussian_filter1d(rng.standard_normal(len(place.time)), F0_WANDER_TIME / step)
    semitones = (
        cues["f0_level"]
        + (DECLINATION + cues["f0_slope"]) * (place.position - 0.5)
        + np.exp(-0.5 * distance**2) @ heights
        + (FINAL_FALL + cues["f0_final"]) * final
        + F0_WANDER * wander / wander.std()
    )
    return MEAN_F0[sex] * 2 ** (semitones / 12)

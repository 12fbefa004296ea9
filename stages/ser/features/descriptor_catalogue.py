"""What every descriptor, functional, segment value and level is: the documentation of the features, as data.

The command ``list_features`` makes docs/features.md of it; a test compares it with what is computed.
"""

from fnmatch import fnmatchcase
from typing import NamedTuple

from ser.features.functionals import LAGS, PERCENTS, UP_TIMES

LIBROSA = "librosa"  # same definition, same values
GENEVA = "Eyben et al. 2016"
OPENSMILE = "Eyben 2016"
PEETERS = "Peeters 2004"
PRAAT = "Boersma & Weenink"
FORMANTS = f"Makhoul 1975; McCandless 1974; {PRAAT}"

REFERENCES = {
    LIBROSA: "librosa 0.11, the function of `librosa.feature` that is named",
    "Boersma 1993": "Accurate short-term analysis of the fundamental frequency, Proc. Inst. Phonetic Sciences 17",
    PRAAT: "Praat: doing phonetics by computer, praat.org",
    "Davis & Mermelstein 1980": "Comparison of parametric representations for word recognition, IEEE TASSP 28(4)",
    OPENSMILE: "Real-time speech and music classification by large audio feature space extraction, Springer",
    GENEVA: "The Geneva minimalistic acoustic parameter set, IEEE Trans. Affective Computing 7(2)",
    "Hammarberg et al. 1980": "Perceptual and acoustic correlates of abnormal voice qualities, Acta Oto-laryng. 90",
    "Hermansky 1990": "Perceptual linear predictive analysis of speech, J. Acoust. Soc. Am. 87(4)",
    "HTK": "Young et al., The HTK book, eq. 5.16 (derivatives)",
    "Makhoul 1975": "Linear prediction: a tutorial review, Proc. IEEE 63(4)",
    "McCandless 1974": "An algorithm for automatic formant extraction using linear prediction spectra, "
    "IEEE TASSP 22(2)",
    "Misra et al. 2004": "Spectral entropy based feature for robust ASR, Proc. ICASSP",
    "Murty & Yegnanarayana 2008": "Epoch extraction from speech signals, IEEE TASLP 16(8)",
    PEETERS: "A large set of audio features for sound description, CUIDADO project report, IRCAM",
    "Titze & Liang 1993": "Comparison of F0 extraction methods for voice perturbation, J. Speech Hearing Res. 36",
}


class Descriptor(NamedTuple):
    """A descriptor, or several of a kind.

    Attributes
    ----------
    name : str
        Or a pattern such as ``mfcc_*``.
    group : str
        A key of `GROUPS`.
    unit : str
        ``1`` for a share or another plain number.
    definition : str
        What it is, in a line.
    source : str
        Begins with a key of `REFERENCES`.
    """

    name: str
    group: str
    unit: str
    definition: str
    source: str


SET_PURPOSES = {
    "mean": "the mean of MFCC, chroma and mel bands, as most published recipes pool them",
    "compact": "few and interpretable, in the spirit of the Geneva minimalistic set, with more of the cepstrum",
    "full": "every functional of every descriptor but chroma, and of the derivatives, in the manner of openSMILE",
}

GROUPS = {
    "mfcc": "cepstrum: shape of the spectrum, smoothed",
    "mel": "spectrum in bands as wide as hearing has them",
    "chroma": "pitch classes",
    "energy": "how loud",
    "spectral": "how the spectrum is spread",
    "rolloff": "how far up the spectrum reaches",
    "balance": "low against high frequencies: vocal effort",
    "pitch": "fundamental frequency, and how periodic the wave is",
    "voice_quality": "how regular the cycles of the voice are",
    "formants": "resonances of the vocal tract",
    "segments": "rhythm: runs of voiced, unvoiced and silent frames (not descriptors; see segment values)",
    "level": "how loud the recording was before it was normalised (not descriptors; see recorded level)",
}

DESCRIPTORS = (
    Descriptor(
        "mfcc_*",
        "mfcc",
        "dB",
        "mel-frequency cepstral coefficient: cosine transform of the mel bands in dB; the 0th, loudness, is left out",
        f"{LIBROSA} `mfcc`; Davis & Mermelstein 1980",
    ),
    Descriptor("mel_*", "mel", "dB", "power in a mel band, from low to high", f"{LIBROSA} `melspectrogram`"),
    Descriptor(
        "chroma_*",
        "chroma",
        "1",
        "energy of a pitch class, C to B, relative to the strongest",
        f"{LIBROSA} `chroma_stft` (tuning=0)",
    ),
    Descriptor("rms", "energy", "dB", "root mean square of the windowed frame", f"{LIBROSA} `rms`"),
    Descriptor(
        "loudness", "energy", "ln", "logarithm of the sum of the mel bands, each to the power 1/3", "Hermansky 1990"
    ),
    Descriptor(
        "zero_crossings",
        "energy",
        "1",
        "share of the samples at which the sign changes",
        f"{LIBROSA} `zero_crossing_rate`",
    ),
    Descriptor("centroid", "spectral", "Hz", "mean frequency, weighted by magnitude", f"{LIBROSA} `spectral_centroid`"),
    Descriptor(
        "spread",
        "spectral",
        "Hz",
        "standard deviation of frequency, weighted by magnitude",
        f"{LIBROSA} `spectral_bandwidth`",
    ),
    Descriptor("spectral_skewness", "spectral", "1", "skewness of frequency, weighted by magnitude", PEETERS),
    Descriptor("spectral_kurtosis", "spectral", "1", "kurtosis of frequency, weighted by magnitude", PEETERS),
    Descriptor(
        "entropy", "spectral", "bit", "entropy of the power spectrum taken as a distribution", "Misra et al. 2004"
    ),
    Descriptor(
        "flatness",
        "spectral",
        "dB",
        "geometric over arithmetic mean of the power spectrum; 0 for white noise",
        f"{LIBROSA} `spectral_flatness`, in dB",
    ),
    Descriptor(
        "flux", "spectral", "1", "distance from the spectrum before, magnitudes scaled to a sum of 1", OPENSMILE
    ),
    Descriptor(
        "rolloff_*",
        "rolloff",
        "Hz",
        "frequency below which so many percent of the magnitude lie",
        f"{LIBROSA} `spectral_rolloff`",
    ),
    Descriptor("alpha_ratio", "balance", "dB", "power of 50-1000 Hz over that of 1-5 kHz", GENEVA),
    Descriptor(
        "hammarberg",
        "balance",
        "dB",
        "strongest peak below 2 kHz over that of 2-5 kHz",
        f"{GENEVA}; Hammarberg et al. 1980",
    ),
    Descriptor("slope_0_500", "balance", "dB/kHz", "slope of the spectrum in dB from 0 to 500 Hz", GENEVA),
    Descriptor("slope_500_1500", "balance", "dB/kHz", "slope of the spectrum in dB from 500 to 1500 Hz", GENEVA),
    Descriptor("slope_1500_5000", "balance", "dB/kHz", "slope of the spectrum in dB from 1.5 to 5 kHz", GENEVA),
    Descriptor("band_*", "balance", "dB", "power of a band, its limits given in Hz, over that of the whole", OPENSMILE),
    Descriptor(
        "voicing",
        "pitch",
        "1",
        "height of the best peak of the normalised autocorrelation below 2 kHz; 0 where none reaches 0.2",
        "Boersma 1993",
    ),
    Descriptor(
        "f0",
        "pitch",
        "semitone",
        "fundamental frequency (58 to 1050 Hz), in semitones above 27.5 Hz; voiced frames only",
        "Boersma 1993",
    ),
    Descriptor(
        "jitter",
        "voice_quality",
        "1",
        "mean difference of consecutive periods over the mean period; periods that differ by more than a factor of 1.3 "
        "are left out (Praat); voiced frames only",
        f"Titze & Liang 1993; Murty & Yegnanarayana 2008; {PRAAT}",
    ),
    Descriptor(
        "shimmer",
        "voice_quality",
        "dB",
        "mean difference of the peak-to-peak amplitudes of consecutive cycles; those that differ by more than a "
        "factor of 1.6 are left out (Praat); voiced frames only",
        f"{GENEVA}; {PRAAT}",
    ),
    Descriptor(
        "hnr",
        "voice_quality",
        "dB",
        "harmonics-to-noise ratio, from the correlation of consecutive cycles; voiced frames only",
        "Boersma 1993",
    ),
    Descriptor(
        "f[123]",
        "formants",
        "Hz",
        "frequency of a formant: a pole of linear prediction up to 4 kHz, all of them counted; voiced frames only",
        FORMANTS,
    ),
    Descriptor(
        "f[123]_bandwidth",
        "formants",
        "octave",
        "bandwidth of the formant above 100 Hz, by the same pole; voiced frames only",
        FORMANTS,
    ),
)

SAME = "that of the descriptor"
SAME_PER_SECOND = f"{SAME} per s"
ROOT_MEAN_SQUARE = "root mean square"

# Unit and definition. Frames are those of the clip, or only its voiced, or its unvoiced ones.
FUNCTIONALS = {
    "mean": (SAME, "mean"),
    "std": (SAME, "standard deviation"),
    "skewness": ("1", "third standardised moment; 0 for a constant"),
    "kurtosis": ("1", "fourth standardised moment, 3 for a Gaussian; 0 for a constant"),
    **{f"p{percent}": (SAME, f"{percent}th percentile".replace("1th", "1st")) for percent in PERCENTS},
    "iqr_1_2": (SAME, "median less lower quartile"),
    "iqr_2_3": (SAME, "upper quartile less median"),
    "iqr_1_3": (SAME, "upper less lower quartile"),
    "range": (SAME, "99th less 1st percentile"),
    "slope": (SAME_PER_SECOND, "slope of the regression line over time"),
    "trend": (SAME, f"{ROOT_MEAN_SQUARE} that the line explains, negative if it falls"),
    "trend_error": (SAME, f"{ROOT_MEAN_SQUARE} that the line leaves over"),
    "curvature": (SAME, f"{ROOT_MEAN_SQUARE} that a parabola explains beyond the line, negative if it bends down"),
    "curvature_error": (SAME, f"{ROOT_MEAN_SQUARE} that line and parabola leave over"),
    "position_max": ("1", "where the maximum lies, from 0 at the first frame to 1 at the last"),
    "position_min": ("1", "where the minimum lies, likewise"),
    **{
        f"up_time_{percent}": ("1", f"share of the frames above {percent} % of the way from minimum to maximum")
        for percent in UP_TIMES
    },
    "centroid": ("1", "mean position of the frames, weighted by their height above the minimum"),
    "rise_time": ("1", "share of the steps from frame to frame that rise"),
    "rising_mean": (SAME_PER_SECOND, "mean of the rising steps"),
    "rising_std": (SAME_PER_SECOND, "standard deviation of the rising steps"),
    "falling_mean": (SAME_PER_SECOND, "mean of the falling steps, taken as positive"),
    "falling_std": (SAME_PER_SECOND, "standard deviation of the falling steps"),
    "peak_rate": ("1/s", "number of peaks; a peak rises a quarter of the standard deviation above the mean"),
    "peak_distance": ("s", "mean time from peak to peak"),
    "peak_distance_std": ("s", "standard deviation of the time from peak to peak"),
    "peak_height": (SAME, "mean height of the peaks above the mean"),
    **{f"autocorrelation_{lag}": ("1", f"correlation with itself {lag} ms later; 0 for a constant") for lag in LAGS},
}

RUNS = {
    "voiced": "frames with a pitch, or in a gap between such of 80 ms at most",
    "unvoiced": "other frames that are no pause",
    "pause": "other frames that are more than `pause_db` below the loudest",
}
OF_A_RUN = {
    "rate": ("1/s", "number of runs of {}"),
    "length": ("s", "mean length of the runs of {}"),
    "length_std": ("s", "standard deviation of the length of the runs of {}"),
    "share": ("1", "share of {}"),
}
SEGMENTS = {
    f"{run}_{value}": (unit, definition.format(what))
    for run, what in RUNS.items()
    for value, (unit, definition) in OF_A_RUN.items()
} | {"seconds": ("s", "length of the clip")}

# Of the clip as `ser.storage.recorded_level` measures it; the changes are from its first to its second half.
RECORDED_LEVEL = {
    "level_peak": ("dBFS", "level of the largest sample"),
    "level_active": ("dBFS", "root mean square of the frames that are no pause: within 30 dB of the loudest"),
    "level_spread": ("dB", "standard deviation of these frames' levels"),
    "level_peak_change": ("dB", "change of `level_peak` from the first to the second half of the clip"),
    "level_active_change": ("dB", "change of `level_active`, likewise"),
    "level_spread_change": ("dB", "change of `level_spread`, likewise"),
}


def entry(descriptor: str) -> Descriptor:
    """Return what the catalogue says of a descriptor; a `LookupError` if it says nothing."""
    for known in DESCRIPTORS:
        if fnmatchcase(descriptor, known.name):
            return known
    raise LookupError(f"the catalogue has no descriptor {descriptor}")

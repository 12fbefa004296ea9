"""Pitch, voicing, formants and voice quality of clips, as our features have them and as Praat does, side by side.

`python benchmarks/voices.py` compares whole corpora by it, `make verify` some clips of each.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.audit.survey import hear
from ser.features import pitch
from ser.features.descriptors import FEWEST_VOICED, describe
from ser.features.frames import spectrum
from ser.settings.all_sections import Params
from ser.storage.samples import to_float

try:  # under the GPL: nowhere but in tests and benchmarks
    from parselmouth import Sound
    from parselmouth.praat import call
except ImportError as error:
    raise SystemExit(
        "error: the comparison needs Praat: pip install praat-parselmouth (of the extra [dev], version in "
        "constraints.txt)"
    ) from error

# What is asked of Praat. Its floor is the lowest pitch of a quiet male voice: its windows are three periods of that,
# 46 ms. The ceiling of the pitch is that of a corpus: RAVDESS' actors shout at up to 900 Hz, nobody in EMO-DB reaches
# 600, and the higher it is the more fricatives are taken for very high voices. Five formants are looked for below a
# ceiling that Praat's manual gives for vocal tracts of either length.
FLOOR = 65.0  # Hz
CEILING, CEILINGS = 600.0, {"ravdess": 1000.0}  # Hz, by corpus
FORMANT_CEILING, FORMANT_CEILINGS = 5500.0, {"male": 5000.0}  # Hz, by sex
PERIODS = (0.0001, 0.02, 1.3)  # shortest and longest period (s), largest ratio of consecutive ones: Praat's defaults
LARGEST_AMPLITUDE_RATIO = 1.6  # likewise

GROSS = 0.2  # of Praat's F0 or formant: what is further from it is another harmonic, or another formant
GROUPS = {"pitch", "voice_quality", "formants"}
FORMANTS, QUALITY, SIDES = ("f1", "f2", "f3"), ("jitter", "shimmer", "hnr"), ("here", "praat")
# What may not be exceeded, in percent, in a corpus and of either sex in it; see `held_to`.
LIMITS = {
    "gross": 2.0,
    "extra": 8.0,
    "missed": 10.0,
    "f1_mean": 10.0,
    "f2_mean": 10.0,
    "f2_off": 12.0,
    "jitter": 20.0,
    "shimmer": 20.0,
}


class Settings(NamedTuple):
    """What is asked of Praat, all in Hz: a pitch and formants between which limits."""

    floor: float = FLOOR
    ceiling: float = CEILING
    ceilings: dict[str, float] = CEILINGS
    formant_ceiling: float = FORMANT_CEILING
    formant_ceilings: dict[str, float] = FORMANT_CEILINGS

    def ceiling_of(self, corpus: str) -> float:
        return self.ceilings.get(corpus, self.ceiling)

    def formant_ceiling_of(self, sex: str) -> float:
        return self.formant_ceilings.get(sex, self.formant_ceiling)


class Voice(NamedTuple):
    """What was measured of a clip.

    Attributes
    ----------
    f0 : np.ndarray, shape (frames,)
        Hz; 0 where unvoiced, nan where nothing was measured.
    formants : np.ndarray, shape (3, frames)
        Hz; nan where there is none.
    jitter, shimmer, hnr : float
        Of the whole clip, 1, dB and dB; nan without a voice.
    other_f0 : np.ndarray or None, shape (frames,)
        By Praat's other method, cross-correlation.
    """

    f0: np.ndarray
    formants: np.ndarray
    jitter: float
    shimmer: float
    hnr: float
    other_f0: np.ndarray | None = None


def our_voice(y: np.ndarray, sr: int, extract) -> Voice:
    """Measure a clip by our features; a frame every `hop_length`.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    sr : int
        Hz.
    extract : ser.settings.extract_section.Extract
    """
    clip = spectrum(y, sr, n_fft=extract.n_fft, hop_length=extract.hop_length)
    f0 = pitch.pitch_of(clip)[1].f0
    voiced = f0 > 0
    formants = np.full((3, len(f0)), np.nan)
    if voiced.sum() < FEWEST_VOICED:  # others stand for them in the features
        return Voice(np.zeros(len(f0)), formants, *[np.nan] * len(QUALITY))
    found = describe(clip, extract.functionals, GROUPS).voice
    formants[:, voiced] = [found[f"f{number}"] for number in (1, 2, 3)]
    return Voice(f0, formants, *(float(found[name].mean()) for name in QUALITY))


def praat_voice(
    y: np.ndarray, sr: int, *, hop_length: int, floor: float, ceiling: float, formant_ceiling: float
) -> Voice:
    """Measure a clip by Praat, in our frames, with what its menus suggest but for these limits.

    Parameters
    ----------
    y : np.ndarray, shape (samples,)
    sr, hop_length : int
        Hz, samples.
    floor, ceiling, formant_ceiling : float
        Hz.
    """
    sound, step = Sound(np.asarray(y, dtype=np.float64), sr), hop_length / sr
    times = np.arange(1 + len(y) // hop_length) * step
    nothing = Voice(np.full(len(times), np.nan), np.full((3, len(times)), np.nan), *[np.nan] * len(QUALITY))
    if sound.duration < 3 / floor + step:
        return nothing
    track = sound.to_pitch_ac(time_step=step, pitch_floor=floor, pitch_ceiling=ceiling)
    other = sound.to_pitch_cc(time_step=step, pitch_floor=floor, pitch_ceiling=ceiling)
    f0, other_f0 = (at_times(found.xs(), found.selected_array["frequency"], times) for found in (track, other))
    burg = sound.to_formant_burg(time_step=step, max_number_of_formants=5, maximum_formant=formant_ceiling)
    formants = np.array([[burg.get_value_at_time(number, time) for time in times] for number in (1, 2, 3)])
    points = call([sound, track], "To PointProcess (cc)")
    jitter = call(points, "Get jitter (local)", 0, 0, *PERIODS)
    shimmer = call([sound, points], "Get shimmer (local_dB)", 0, 0, *PERIODS, LARGEST_AMPLITUDE_RATIO)
    harmonicity = sound.to_harmonicity_cc(time_step=step, minimum_pitch=floor)
    hnr = at_times(harmonicity.xs(), harmonicity.values[0], times)[f0 > 0]
    hnr = hnr[hnr > -200]  # dB, what Praat says of silence
    return Voice(f0, formants, jitter, shimmer, float(hnr.mean()) if len(hnr) else np.nan, other_f0)


def at_times(known: np.ndarray, values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the values of the nearest frames of Praat, nan where there is none within a step (at a clip's ends)."""
    nearest = np.abs(known[np.newaxis] - times[:, np.newaxis]).argmin(axis=1)
    return np.where(np.abs(known[nearest] - times) <= 0.75 * (times[1] - times[0]), values[nearest], np.nan)


class Compared(NamedTuple):
    """A file that was heard and measured: why it is of no use (empty: it is), what it is told from copies by, and what
    `compare` found, empty without use."""

    reason: str
    digest: str
    fingerprint: np.ndarray
    comparison: dict


def compare_file(file: dict, *, raw: Path, params: Params, praat: Settings) -> Compared:
    """Prepare a file as the parameters say (a row of `ser.audit.survey.list_files`), and compare what it holds."""
    heard = hear(file, raw, params.prepare, params.demo)
    comparison = {}
    if heard.samples is not None:
        y, sr = to_float(heard.samples), params.prepare.sample_rate
        reference = praat_voice(
            y,
            sr,
            hop_length=params.extract.hop_length,
            floor=praat.floor,
            ceiling=praat.ceiling_of(file["corpus"]),
            formant_ceiling=praat.formant_ceiling_of(file["sex"]),
        )
        comparison = compare(our_voice(y, sr, params.extract), reference)
    return Compared(file["reason"] or heard.reason, heard.digest, heard.fingerprint, comparison)


def compare(ours: Voice, praat: Voice) -> dict:
    """Return counts and sums over the frames of a clip, and the quality of its voice, by name; see `summary`."""
    here, there, found = compare_pitch(ours.f0, praat.f0)
    both = here & there
    if praat.other_f0 is not None:
        found |= {f"itself_{name}": value for name, value in compare_pitch(praat.other_f0, praat.f0)[2].items()}
    for formant, mine, theirs in zip(FORMANTS, ours.formants, praat.formants, strict=True):
        measured = both & ~np.isnan(mine) & ~np.isnan(theirs)
        found[f"{formant}_compared"] = measured.sum()
        found[f"{formant}_off"] = (np.abs(mine[measured] / theirs[measured] - 1) > GROSS).sum()
        for side, values, voiced in (("here", mine, here), ("praat", theirs, there)):
            values = values[voiced & ~np.isnan(values)]
            found |= {f"{formant}_{side}": values.sum(), f"{formant}_{side}_frames": len(values)}
    for name in QUALITY:
        found |= {f"{name}_here": getattr(ours, name), f"{name}_praat": getattr(praat, name)}
    return found


def compare_pitch(mine: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict]:
    """Return which frames are voiced in the one and in the other track, where both have frames, and counts."""
    known = ~np.isnan(mine) & ~np.isnan(theirs)
    here, there = known & (mine > 0), known & (theirs > 0)
    both = here & there
    ratio = mine[both] / theirs[both]
    counts = {"here": here.sum(), "praat": there.sum(), "both": both.sum(), "gross": (np.abs(ratio - 1) > GROSS).sum()}
    return here, there, counts | {"cents": np.abs(1200 * np.log2(ratio))}


def summary(clips: pd.DataFrame) -> dict:
    """Sum up what `compare` found of some clips, a row each.

    Returns
    -------
    dict
        ``clips`` and ``both``, frames voiced in both; in percent ``gross``, F0 more than a fifth from Praat's, and
        ``f1_off`` …, a formant that is, both of the frames voiced in both, ``extra``, not voiced in Praat, of those
        voiced here, ``missed``, not voiced here, of those voiced in Praat; ``cents``, the median distance from Praat's
        F0; ``itself``, these four of Praat's other method instead of ours; ``f1_here`` and ``f1_praat`` …, means over
        what is voiced here and what is voiced in Praat, Hz; ``jitter_here`` … (%), ``shimmer_here`` … and
        ``hnr_here`` … (dB), medians over the clips that have both.
    """
    result = {"clips": len(clips), "both": int(clips["both"].sum())} | pitch_summary(clips)
    if "itself_both" in clips:
        result["itself"] = pitch_summary(clips, "itself_")
    for formant in FORMANTS:
        for side in SIDES:
            frames = clips[f"{formant}_{side}_frames"].sum()
            result[f"{formant}_{side}"] = rounded(clips[f"{formant}_{side}"].sum() / max(frames, 1), 1)
        result[f"{formant}_off"] = share(clips[f"{formant}_off"].sum(), clips[f"{formant}_compared"].sum())
    for name in QUALITY:
        pairs = clips[[f"{name}_{side}" for side in SIDES]].dropna()
        factor = 100 if name == "jitter" else 1
        result |= {column: rounded(factor * pairs[column].median() if len(pairs) else 0, 3) for column in pairs}
    return result


def pitch_summary(clips: pd.DataFrame, prefix: str = "") -> dict:
    """Sum up the counts of `compare_pitch`, whose names have a prefix."""
    here, there, both, gross = (clips[f"{prefix}{name}"].sum() for name in ("here", "praat", "both", "gross"))
    cents = np.concatenate(list(clips[f"{prefix}cents"]))
    return {
        "gross": share(gross, both),
        "extra": share(here - both, here),
        "missed": share(there - both, there),
        "cents": rounded(np.median(cents) if len(cents) else 0, 1),
    }


def share(part: float, whole: float) -> float:
    """Return a share in percent, 0 of nothing."""
    return rounded(100 * part / max(whole, 1), 2)


def rounded(value: float, digits: int) -> float:
    return round(float(value), digits)


def table(clips: pd.DataFrame) -> list[dict]:
    """Sum up all clips, each sex, each emotion and each emotion of each sex of every corpus.

    Parameters
    ----------
    clips : pd.DataFrame
        ``corpus``, ``sex``, ``emotion`` and what `compare` found, a row a clip.

    Returns
    -------
    list of dict
        A `summary` each, and what it is of; those of all emotions with what is ``held_to`` the limits.
    """
    rows = []
    for corpus, part in clips.groupby("corpus"):
        for keys in ([], ["sex"], ["emotion"], ["sex", "emotion"]):
            for values, group in part.groupby(keys) if keys else [((), part)]:
                of = {"corpus": corpus, "sex": "all", "emotion": "all"} | dict(zip(keys, values, strict=True))
                found = summary(group)
                rows.append(of | found | ({} if "emotion" in keys else {"held_to": held_to(found)}))
    return rows


def held_to(found: dict) -> dict[str, float]:
    """Return what `LIMITS` limits of a summary, in percent: shares, and how far means and medians are apart."""

    def apart(name: str) -> float:
        return rounded(100 * abs(found[f"{name}_here"] / max(found[f"{name}_praat"], 1e-9) - 1), 2)

    distances = {"f1_mean": "f1", "f2_mean": "f2", "jitter": "jitter", "shimmer": "shimmer"}
    return {name: apart(distances[name]) if name in distances else found[name] for name in LIMITS}


def beyond(rows: list[dict]) -> list[str]:
    """Say which limits are not kept, in a corpus as a whole or by a sex in it."""
    return [
        f"{row['corpus']}, {row['sex']}: {name} {value} %, and {LIMITS[name]:g} % is the limit"
        for row in rows
        for name, value in row.get("held_to", {}).items()
        if not value < LIMITS[name]
    ]

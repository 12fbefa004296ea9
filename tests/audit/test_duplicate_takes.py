"""Same takes: found however they were re-encoded, and told from other takes of the same sentence."""

import io
from functools import cache

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from conftest import CORPORA, needs_corpora
from ser.audio.cleaning import trim
from ser.audio.decoding import decode
from ser.audit.duplicate_takes import HOP, MAX_ERROR, RATE, compare, find_same_takes, fingerprint
from ser.demo.synthetic_speech import demo_table, synthesize

SR = 16000
DEMO = {"seed": 1, "speakers": 3, "emotions": ["anger", "boredom", "fear", "sadness"], "sentences": 2, "takes": 2}


@cache
def takes():
    return [synthesize(row, DEMO["seed"], SR) for row in demo_table(DEMO).to_dict("records")]


@cache
def fingerprints():
    return [fingerprint(y, SR) for y in takes()]


def coded(y, sr, kind, subtype=None, **options):
    file = io.BytesIO()
    soundfile.write(file, y, sr, format=kind, subtype=subtype, **options)
    file.seek(0)
    return decode(file, max_seconds=60)[:2]


def silence(seconds):
    return round(seconds * SR)


def noisy(y, snr_db):
    noise = np.random.default_rng(0).standard_normal(len(y))
    return (y + noise * np.sqrt(np.mean(y**2)) * 10 ** (-snr_db / 20)).astype(np.float32)


WORST = {"compression_level": 0.99}
CHANGES = {
    "MP3": lambda y: coded(y, SR, "MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT", **WORST),
    "Ogg": lambda y: coded(y, SR, "OGG", "VORBIS", **WORST),
    "GSM": lambda y: coded(soxr.resample(y, SR, 8000), 8000, "WAV", "GSM610"),
    "8 bit": lambda y: coded(y, SR, "WAV", "PCM_U8"),
    "8 kHz": lambda y: (soxr.resample(y, SR, 8000), 8000),
    "44.1 kHz": lambda y: (soxr.resample(y, SR, 44100), 44100),
    "12 dB softer": lambda y: (y * np.float32(0.25), SR),
    "12 dB louder": lambda y: (y * np.float32(4), SR),
    "other polarity": lambda y: (-y, SR),
    "offset": lambda y: (y + np.float32(0.1), SR),
    "cut by 37 ms": lambda y: (y[round(0.037 * SR) :], SR),
    "padded": lambda y: (np.pad(y, silence(0.5)), SR),
    "trimmed": lambda y: (trim(y, 30.0), SR),
    "noise": lambda y: (noisy(y, 30), SR),
    "all at once": lambda y: coded(np.pad(noisy(y, 30) / 4, (silence(0.3123), 0)), SR, "MP3", **WORST),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found_among_other_takes(change):
    copies = [fingerprint(*CHANGES[change](takes()[row])) for row in range(0, 48, 5)]
    found = find_same_takes(fingerprints() + copies)
    assert list(zip(found["first"], found["second"], strict=True)) == [(5 * k, 48 + k) for k in range(10)]
    assert found["error"].max() < MAX_ERROR - 0.03


CODECS = {"": lambda y: (y, SR), "MP3": lambda y: coded(y, SR, "MP3", "MPEG_LAYER_III", **WORST)}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("place", [0, 0.5, 1])
@pytest.mark.parametrize("share", [0.45, 0.6])
def test_cut_takes_are_found_and_no_others(share, place, codec):
    copies = []
    for row in range(0, 48, 4):
        y = trim(takes()[row], 20.0)
        start = round((1 - share) * place * len(y))
        copies.append(fingerprint(*CODECS[codec](y[start : start + round(share * len(y))])))
    found = find_same_takes(fingerprints() + copies)
    pairs = set(zip(found["first"], found["second"], strict=True))
    assert pairs <= {(4 * k, 48 + k) for k in range(12)}
    assert len(pairs) >= (7 if share > 0.5 else 5)  # the others have too few loud frames


def test_sentence_of_a_longer_recording_is_a_copy():
    parts = [takes()[row] / np.abs(takes()[row]).max() for row in (0, 20, 40)]
    found = find_same_takes([fingerprint(y, SR) for y in (*parts, np.concatenate(parts))])
    assert found[["first", "second"]].to_numpy().tolist() == [[0, 3], [1, 3], [2, 3]]


def test_few_frames_in_common_have_to_agree_better():
    y = trim(takes()[8], 20.0)
    short = trim(y[: len(y) // 3], 20.0)
    whole = fingerprint(y, SR)
    assert compare(whole, fingerprint(short, SR)) is not None
    assert compare(whole, fingerprint(noisy(short, -4), SR)) is None
    assert compare(whole, fingerprint(noisy(y, -4), SR)) is not None


def test_other_takes_are_not_the_same():
    assert find_same_takes(fingerprints()).empty


def test_offset_is_how_much_later_the_take_lies_in_the_second():
    later = fingerprint(np.pad(takes()[3], (silence(0.25), 0)), SR)
    for pair, sign in (([fingerprints()[3], later], 1), ([later, fingerprints()[3]], -1)):
        (found,) = find_same_takes(pair).itertuples(index=False)
        assert (found.first, found.second) == (0, 1)
        assert found.offset == pytest.approx(sign * 0.25, abs=1e-3)
        assert found.error < 0.02


@pytest.mark.parametrize("shift", [0.0, 0.0005, 0.0013, 0.005, 0.00713])
def test_any_shift_between_samples_and_frames_is_found(shift):
    y = soxr.resample(takes()[8], SR, 48000)
    offset, error = compare(fingerprint(y, 48000), fingerprint(y[round(shift * 48000) :], 48000))
    assert offset == pytest.approx(-shift, abs=0.5 / RATE)
    assert error < 0.17


def test_soft_frames_and_no_others_have_an_empty_word():
    y = np.pad(takes()[0], silence(1))
    words = fingerprint(y, SR)
    assert words.dtype == np.uint32
    assert words.shape == (len(y) * RATE // (SR * HOP), 2)
    assert not words[:85, 0].any()
    assert not words[-85:, 0].any()
    assert (words[100:-100, 0] != 0).mean() > 0.2


@pytest.mark.parametrize("samples", [0, 1, 10, 159, 160, 4000])
def test_silence_has_no_fingerprint_and_matches_nothing(samples):
    words = fingerprint(np.full(samples, 0.25, dtype=np.float32), SR)
    assert words.shape == (0, 2)
    assert find_same_takes([words, words, *fingerprints()[:2]]).empty
    assert compare(words, words) is None


def test_nothing_to_compare_has_no_pairs():
    for few in ([], [fingerprints()[0]]):
        found = find_same_takes(few)
        assert list(found.columns) == ["first", "second", "offset", "error"]
        assert found.empty


@settings(deadline=None, max_examples=50)
@given(
    arrays(np.float32, st.integers(1, 3000), elements=st.floats(-1000, 1000, width=32)),
    st.sampled_from([1000, 3200, 8000, 44100, 192000]),
)
def test_any_finite_clip_has_a_fingerprint(y, sr):
    words = fingerprint(y, sr)
    assert words.dtype == np.uint32
    assert words.ndim == 2
    find_same_takes([words, words, fingerprints()[0]])


def test_steady_tones_and_hum_are_no_evidence():
    t = np.arange(3 * SR) / SR
    tones = [a * np.sin(2 * np.pi * f * t + p) for f in (100, 440) for a in (0.1, 0.5) for p in (0, 1)]
    assert find_same_takes([fingerprint(y.astype(np.float32), SR) for y in tones]).empty


def test_takes_under_the_same_loud_hum_stay_apart():
    hum = 0.02 * np.sign(np.sin(2 * np.pi * 50 * np.arange(4 * SR) / SR)).astype(np.float32)
    assert find_same_takes([fingerprint(y + hum[: len(y)], SR) for y in takes()]).empty


def test_clips_that_share_a_part_only_are_not_the_same():
    a, b, c = (takes()[row] / np.abs(takes()[row]).max() for row in (0, 20, 40))
    beep = np.sin(2 * np.pi * 700 * np.arange(SR // 5) / SR).astype(np.float32) * 0.1
    for clips in ([[beep, a], [beep, b]], [[a, b], [a, c]], [[b, a], [c, a]]):
        assert find_same_takes([fingerprint(np.concatenate(parts), SR) for parts in clips]).empty


def test_noise_of_one_seed_is_found_and_of_another_is_not():
    noise = [np.random.default_rng(seed).standard_normal(2 * SR).astype(np.float32) for seed in (1, 2)]
    found = find_same_takes([fingerprint(y, SR) for y in (*noise, 0.3 * noise[0])])
    assert found[["first", "second"]].to_numpy().tolist() == [[0, 2]]


def test_every_one_of_many_copies_is_found_and_few_pairs_are_named():
    found = find_same_takes([fingerprints()[0]] * 300 + fingerprints()[1:])
    assert set(found["first"]) | set(found["second"]) == set(range(300))
    assert len(found) < 300 * 30


@needs_corpora
def test_known_copies_of_ravdess_are_found_and_no_others():
    files = sorted(path for actor in (5, 7) for path in (CORPORA / f"ravdess/Actor_{actor:02d}").glob("*.flac"))
    clips = [soundfile.read(path, dtype="float32", always_2d=True) for path in files]
    found = find_same_takes([fingerprint(y.mean(axis=1), sr) for y, sr in clips])
    pairs = [(files[row.first].stem, files[row.second].stem) for row in found.itertuples()]
    assert pairs == [
        ("03-01-05-01-01-01-02", "03-01-05-02-02-01-05"),
        ("03-01-03-01-02-01-07", "03-01-03-01-02-02-07"),
    ]
    assert found["error"].max() == 0


@needs_corpora
def test_real_speech_in_the_worst_mp3_is_found():
    files = sorted((CORPORA / "ravdess").rglob("*.flac"))[3::120]
    clips = [soundfile.read(path, dtype="float32", always_2d=True) for path in files]
    clips = [(y.mean(axis=1), sr) for y, sr in clips]
    worst = {"subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT", **WORST}
    copies = [fingerprint(*coded(np.pad(y, (999, 0)), sr, "MP3", **worst)) for y, sr in clips]
    found = find_same_takes([fingerprint(y, sr) for y, sr in clips] + copies)
    count = len(files)
    assert found[["first", "second"]].to_numpy().tolist() == [[k, count + k] for k in range(count)]

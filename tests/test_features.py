"""Features: librosa's values from one spectrogram, NumPy's statistics, and names that match what stands where."""

from pathlib import Path
from types import SimpleNamespace

import librosa
import numpy as np
import pytest
import soundfile

from ser.demo import demo_table, synthesize
from ser.features import prosody, spectral
from ser.features.extraction import (
    INPUTS,
    frame_descriptors,
    frame_sequence,
    functional_vector,
    input_names,
    log_mel_sequence,
    spectrum,
)
from ser.features.functionals import functional_names, functionals

SR = 16000
REAL = Path(__file__).parents[2] / "shared" / "corpora"
GROUPS = ["mfcc", "chroma", "mel", "spectral", "energy", "pitch"]
CONFIGURATIONS = [(512, 256), (400, 160), (1024, 1024), (2048, 512)]


def functional_settings(**changes):
    values = {"groups": GROUPS, "n_mfcc": 20, "n_mels": 40, "deltas": True, "statistics": ["mean", "std", "p90"]}
    values["silence_db"] = 200.0  # no frame is a pause
    return SimpleNamespace(**values | changes)


def extract_settings(n_fft=512, hop_length=256, **changes):
    return SimpleNamespace(
        n_fft=n_fft,
        hop_length=hop_length,
        functionals=functional_settings(**changes),
        frames=SimpleNamespace(n_mfcc=13, n_mels=40, deltas=2),
        logmel=SimpleNamespace(n_mels=40),
    )


def synthetic():
    section = {"seed": 1, "speakers": 2, "emotions": ["anger", "sadness"], "sentences": 1, "takes": 1}
    return synthesize(demo_table(section).iloc[1], 1, SR), SR


def recorded(corpus):
    files = sorted((REAL / corpus).rglob("*.flac"))
    if not files:
        pytest.skip(f"the real corpora are not at {REAL}")
    y, sr = soundfile.read(files[7], dtype="float32", always_2d=True)
    return y.mean(axis=1), sr


@pytest.fixture(scope="module", params=["synthetic", "ravdess", "emodb"])
def signal(request):
    return synthetic() if request.param == "synthetic" else recorded(request.param)


@pytest.fixture(scope="module")
def clip():
    y, sr = synthetic()
    return spectrum(y, sr, n_fft=512, hop_length=256)


def assert_close(ours, reference, scale=None):
    """Equal within 1e-4 of the reference's own size (dB and MFCC pass through zero)."""
    assert ours.shape == reference.shape
    scale = np.abs(reference).max() if scale is None else scale
    np.testing.assert_allclose(ours, reference, rtol=1e-4, atol=1e-4 * scale)


# --- librosa's values


@pytest.mark.parametrize(("n_fft", "hop_length"), CONFIGURATIONS)
def test_descriptors_equal_librosas_from_the_waveform(signal, n_fft, hop_length):
    y, sr = signal
    frames = {"y": y, "sr": sr, "n_fft": n_fft, "hop_length": hop_length}
    settings = functional_settings(groups=[group for group in GROUPS if group != "pitch"], deltas=False)
    ours = frame_descriptors(spectrum(y, sr, n_fft=n_fft, hop_length=hop_length), settings)
    mel = librosa.power_to_db(librosa.feature.melspectrogram(**frames, n_mels=40))
    bands = int(np.log2(sr / 2 / 200))
    matrices = {
        "mfcc": librosa.feature.mfcc(**frames, n_mfcc=20, n_mels=40),
        "mel": mel,
        "chroma": librosa.feature.chroma_stft(**frames, tuning=0.0),
        "contrast": librosa.feature.spectral_contrast(**frames, n_bands=bands),
    }
    reference = {f"{name}_{n}": row for name, rows in matrices.items() for n, row in enumerate(rows)} | {
        "centroid": librosa.feature.spectral_centroid(**frames)[0],
        "bandwidth": librosa.feature.spectral_bandwidth(**frames)[0],
        "rolloff": librosa.feature.spectral_rolloff(**frames)[0],
        "flatness": librosa.feature.spectral_flatness(y=y, n_fft=n_fft, hop_length=hop_length)[0],
        "zero_crossings": librosa.feature.zero_crossing_rate(y, frame_length=n_fft, hop_length=hop_length)[0],
        "rms": librosa.amplitude_to_db(
            librosa.feature.rms(S=np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop_length)), frame_length=n_fft)[0]
        ),
    }
    assert set(ours) == set(reference)
    for name, values in ours.items():
        # what one band has of decibels, all bands have
        scale = np.abs(matrices[name.rsplit("_", 1)[0]]).max() if name.rsplit("_", 1)[0] in matrices else None
        assert_close(values, reference[name], scale)


def test_energy_is_the_level_of_the_windowed_samples():
    """Independently of librosa: a stationary tone of amplitude 0.1 has a root mean square of -23 dB.

    librosa's spectrogram is of Hann-windowed frames, whose power is 3/8 of that of the samples (-4.3 dB).
    """
    y = (0.1 * np.sin(2 * np.pi * 500 * np.arange(SR) / SR)).astype(np.float32)
    level = spectral.energy(spectral.power_spectrogram(y, n_fft=512, hop_length=256), n_fft=512)
    expected = 20 * np.log10(0.1 / np.sqrt(2)) + 10 * np.log10(3 / 8)
    np.testing.assert_allclose(level[3:-3], expected, atol=0.05)


def test_descriptors_of_a_tone_are_what_the_tone_is():
    y = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(SR) / SR)).astype(np.float32)
    values = frame_descriptors(spectrum(y, SR, n_fft=512, hop_length=256), functional_settings(deltas=False))
    middle = {name: value[3:-3] for name, value in values.items()}
    np.testing.assert_allclose(middle["centroid"], 1000, atol=10)
    np.testing.assert_allclose(middle["rolloff"], 1000, atol=SR / 512)
    np.testing.assert_allclose(middle["zero_crossings"], 2 * 1000 / SR, rtol=0.03)
    assert middle["flatness"].max() < 0.01
    assert middle["bandwidth"].max() < 100
    assert all(middle["chroma_11"] == 1.0)  # 1000 Hz is nearest to B5 (987.8 Hz)


def test_frame_sequence_is_mfcc_with_librosas_derivatives(signal):
    y, sr = signal
    mfcc = librosa.feature.mfcc(y=y, sr=sr, n_fft=512, hop_length=256, n_mfcc=13, n_mels=40)
    deltas = [librosa.feature.delta(mfcc, order=order, mode="nearest") for order in (1, 2)]
    clip = spectrum(y, sr, n_fft=512, hop_length=256)
    for count in (0, 1, 2):
        frames = frame_sequence(clip, SimpleNamespace(n_mfcc=13, n_mels=40, deltas=count))
        reference = np.concatenate([mfcc, *deltas[:count]]).T
        assert frames.dtype == np.float32
        assert_close(frames, reference.astype(np.float32))


def test_log_mel_sequence_is_librosas_in_decibels(signal):
    y, sr = signal
    reference = librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=sr, n_fft=512, hop_length=256, n_mels=40))
    ours = log_mel_sequence(spectrum(y, sr, n_fft=512, hop_length=256), SimpleNamespace(n_mels=40))
    assert ours.dtype == np.float32
    assert_close(ours, reference.T)
    assert ours.max() - ours.min() <= 80.0 + 1e-3


def test_derivative_of_a_ramp_is_its_slope_and_of_a_parabola_its_curvature():
    frames = np.arange(50.0)
    np.testing.assert_allclose(spectral.derivative(np.stack([3 * frames, -frames]))[:, 4:-4], [[3] * 42, [-1] * 42])
    np.testing.assert_allclose(spectral.derivative(frames**2, order=2)[4:-4], 2.0)
    np.testing.assert_allclose(spectral.derivative(np.full((2, 50), 7.0)), 0.0, atol=1e-12)


def test_deltas_of_the_functionals_are_librosas(clip):
    values = frame_descriptors(clip, functional_settings())
    for name in [name for name in values if not name.endswith("_delta")]:
        reference = librosa.feature.delta(values[name], mode="nearest")
        assert_close(values[f"{name}_delta"], reference, np.abs(values[name]).max())


# --- statistics


@pytest.mark.parametrize("statistic", ["mean", "std", "min", "max"])
def test_simple_statistics_are_numpys(statistic):
    descriptors = np.random.default_rng(1).standard_normal((5, 33))
    np.testing.assert_array_equal(functionals(descriptors, [statistic]), getattr(np, statistic)(descriptors, axis=1))


@pytest.mark.parametrize("percentile", [1, 10, 50, 90, 99])
def test_percentiles_are_numpys(percentile):
    descriptors = np.random.default_rng(1).standard_normal((5, 33))
    np.testing.assert_array_equal(
        functionals(descriptors, [f"p{percentile}"]), np.percentile(descriptors, percentile, axis=1)
    )


def test_statistics_stand_in_the_order_they_are_asked_for_in():
    descriptors = np.random.default_rng(1).standard_normal((4, 33))
    asked = ["p90", "mean", "p10", "max", "std", "p50", "min"]
    together = functionals(descriptors, asked).reshape(4, len(asked))
    for column, statistic in enumerate(asked):
        np.testing.assert_array_equal(together[:, column], functionals(descriptors, [statistic]))


def test_names_list_all_statistics_of_a_descriptor_before_the_next():
    assert functional_names(["a", "b"], ["mean", "p10"]) == ["a_mean", "a_p10", "b_mean", "b_p10"]


# --- names


@pytest.mark.parametrize("deltas", [True, False])
@pytest.mark.parametrize("groups", [["energy"], ["spectral", "mfcc"], GROUPS, GROUPS[::-1]])
def test_names_of_functionals_match_number_and_order_of_the_values(clip, groups, deltas):
    """Each value is found again under its name, from the descriptor and the statistic that the name states."""
    extract = extract_settings(groups=groups, deltas=deltas)
    names = input_names("functionals", SR, extract)
    vector = functional_vector(clip, extract.functionals)
    assert vector.dtype == np.float32
    assert vector.shape == (len(names),)
    assert len(set(names)) == len(names)
    descriptors = frame_descriptors(clip, extract.functionals)
    statistics = {"mean": np.mean, "std": np.std, "p90": lambda values: np.percentile(values, 90)}
    for name, value in zip(names, vector, strict=True):
        descriptor, statistic = name.rsplit("_", 1)
        assert value == pytest.approx(statistics[statistic](descriptors[descriptor]), rel=1e-4, abs=1e-4), name


def test_number_of_functionals_is_the_sum_of_the_groups(clip):
    sizes = {
        "mfcc": 20,
        "chroma": 12,
        "mel": 40,
        "spectral": 5 + 6,
        "energy": 1,
        "pitch": 1,
    }  # 5 octaves and the band below
    for group, size in sizes.items():
        assert functional_vector(clip, functional_settings(groups=[group])).shape == (size * 2 * 3,)
    assert functional_vector(clip, functional_settings()).shape == (sum(sizes.values()) * 2 * 3,)


def test_one_changed_statistic_changes_its_columns_only(clip):
    before, after = (
        extract_settings(statistics=statistics) for statistics in (["mean", "std", "p90"], ["mean", "max", "p90"])
    )
    values = [
        dict(zip(input_names("functionals", SR, e), functional_vector(clip, e.functionals), strict=True))
        for e in (before, after)
    ]
    assert {name for name in values[0] if name not in values[1]} == {n for n in values[0] if n.endswith("_std")}
    assert all(values[1][name] == value for name, value in values[0].items() if name in values[1])


def test_names_of_sequences_match_their_columns(clip):
    extract = extract_settings()
    for kind in ("frames", "logmel"):
        sequence = INPUTS[kind](clip, getattr(extract, kind))
        assert sequence.shape[1] == len(input_names(kind, SR, extract))
    names = input_names("frames", SR, extract)
    assert (names[0], names[13], names[26]) == ("mfcc_0", "mfcc_0_delta", "mfcc_0_delta_2")
    frames = frame_sequence(clip, extract.frames)
    np.testing.assert_allclose(frames[:, 13 + 5], spectral.derivative(frames[:, 5].astype(float)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100, 48000])
def test_names_match_at_every_sample_rate(sr):
    extract = extract_settings()
    y = np.random.default_rng(1).standard_normal(sr).astype(np.float32)
    vector = functional_vector(spectrum(y, sr, n_fft=512, hop_length=256), extract.functionals)
    assert vector.shape == (len(input_names("functionals", sr, extract)),)
    assert np.isfinite(vector).all()


# --- shapes and edges


@pytest.mark.parametrize(("n_fft", "hop_length"), CONFIGURATIONS)
def test_sequences_have_one_frame_a_hop_and_one_more(n_fft, hop_length):
    y, sr = synthetic()
    clip = spectrum(y, sr, n_fft=n_fft, hop_length=hop_length)
    assert clip.power.shape == (1 + n_fft // 2, 1 + len(y) // hop_length)
    assert clip.power.dtype == np.float32
    extract = extract_settings(n_fft, hop_length)
    assert frame_sequence(clip, extract.frames).shape == (1 + len(y) // hop_length, 39)
    assert log_mel_sequence(clip, extract.logmel).shape == (1 + len(y) // hop_length, 40)


@pytest.mark.parametrize(("n_fft", "hop_length"), [(512, 256), (512, 512), (4096, 4096), (512, 16)])
@pytest.mark.parametrize("kind", ["functionals", "frames", "logmel"])
def test_shortest_allowed_clip_has_finite_features(n_fft, hop_length, kind):
    """``prepare.min_seconds`` is at least 0.05 s and at least one frame: with long hops, fewer frames than a delta."""
    samples = max(n_fft, round(0.05 * SR))
    y = 0.1 * np.random.default_rng(1).standard_normal(samples).astype(np.float32)
    extract = extract_settings(n_fft, hop_length)
    values = INPUTS[kind](spectrum(y, SR, n_fft=n_fft, hop_length=hop_length), getattr(extract, kind))
    assert np.isfinite(values).all()
    if kind == "functionals":
        assert values.shape == (len(input_names(kind, SR, extract)),)


@pytest.mark.parametrize("kind", ["functionals", "frames", "logmel"])
@pytest.mark.parametrize("zeros", ["all", "half", "a click"])
def test_digital_silence_has_finite_features(kind, zeros):
    y = np.zeros(SR, dtype=np.float32)
    if zeros == "half":
        y[: SR // 2] = synthetic()[0][: SR // 2]
    if zeros == "a click":
        y[SR // 2] = 1.0
    extract = extract_settings()
    values = INPUTS[kind](spectrum(y, SR, n_fft=512, hop_length=256), getattr(extract, kind))
    assert np.isfinite(values).all()


@pytest.mark.parametrize("kind", ["functionals", "frames", "logmel"])
def test_same_clip_has_the_same_bytes(clip, kind):
    extract = extract_settings()
    again = spectrum(clip.y.copy(), SR, n_fft=512, hop_length=256)
    values = INPUTS[kind](clip, getattr(extract, kind))
    assert values.tobytes() == INPUTS[kind](again, getattr(extract, kind)).tobytes()


@pytest.mark.parametrize("kind", ["functionals", "frames", "logmel"])
def test_features_do_not_change_the_clip(clip, kind):
    y, power = clip.y.copy(), clip.power.copy()
    INPUTS[kind](clip, getattr(extract_settings(), kind))
    np.testing.assert_array_equal(clip.y, y)
    np.testing.assert_array_equal(clip.power, power)


@pytest.mark.parametrize(("sr", "n_fft"), [(8000, 64), (16000, 80), (48000, 240)])
@pytest.mark.filterwarnings("ignore:Empty filters", "ignore:Mean of empty slice", "ignore:invalid value")
def test_short_frames_that_the_parameters_allow_have_finite_functionals(sr, n_fft):
    y = 0.1 * np.random.default_rng(1).standard_normal(sr // 2).astype(np.float32)
    clip = spectrum(y, sr, n_fft=n_fft, hop_length=n_fft // 2)
    assert np.isfinite(functional_vector(clip, functional_settings())).all()


@pytest.mark.parametrize("sr", [8000, 16000, 48000])
@pytest.mark.parametrize("f0", [80.0, 120.0, 210.0, 400.0])
def test_f0_of_a_harmonic_tone_is_its_rate(f0, sr):
    cycles = np.arange(2 * sr) * f0 / sr
    tone = sum(np.cos(2 * np.pi * number * cycles) / number for number in range(1, int(4000 / f0)))
    semitones = prosody.f0_semitones(tone.astype(np.float32), sr=sr, hop_length=256)
    assert len(semitones) == 1 + 2 * sr // 256
    assert np.median(semitones) == pytest.approx(12 * np.log2(f0 / 100), abs=0.3)


def test_pauses_are_left_out_of_the_functionals(clip):
    """Silence around and within the speech changes the statistics by no more than the frames at its edges."""
    pause = np.zeros(SR, dtype=np.float32)
    longer = np.concatenate([pause, clip.y, pause])
    settings = functional_settings(groups=["mfcc"], deltas=False, statistics=["mean"], silence_db=40.0)
    of_clip, of_longer = (
        functional_vector(spectrum(y, SR, n_fft=512, hop_length=256), settings) for y in (clip.y, longer)
    )
    np.testing.assert_allclose(of_longer, of_clip, rtol=0.05, atol=2.0)
    with_pauses = functional_vector(
        spectrum(longer, SR, n_fft=512, hop_length=256), functional_settings(**vars(settings) | {"silence_db": 200.0})
    )
    assert np.abs(with_pauses - of_clip).max() > 50

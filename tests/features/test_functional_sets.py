"""Sets of functionals: names say what stands where, sizes are as promised, and no clip breaks them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_settings import OF_SAMPLES, extract_settings, functional_settings
from ser.features.descriptors import describe
from ser.features.extraction import input_names
from ser.features.frames import spectrum
from ser.features.functional_sets import SETS, all_segments, bridged, functional_names, functional_vector
from ser.features.functionals import functionals
from ser.features.spectral import delta
from ser.storage.recorded_level import LEVELS, RecordedLevel
from speech_samples import DEMO_RATE, speech
from synthetic_voices import harmonic_tone

SR = DEMO_RATE
ALLOWED = [(name, group) for name, (_, groups) in SETS.items() for group in sorted(groups & OF_SAMPLES)]
LEVEL = RecordedLevel(-3.2, -21.45, 6.78, -1.5, 0.25, 0.0)


@pytest.fixture(scope="module")
def clip():
    return spectrum(speech("demo")[0], SR, n_fft=512, hop_length=256)


def noise(samples=SR, level=0.1):
    return (level * np.random.default_rng(1).standard_normal(samples)).astype(np.float32)


def click():
    y = np.zeros(SR, dtype=np.float32)
    y[SR // 2] = 1.0
    return y


TONE = harmonic_tone(np.full(SR, 150.0), SR)
HARD = {
    "silence": np.zeros(SR, dtype=np.float32),
    "a click": click(),
    "noise": noise(),
    "faint noise": noise(level=1e-5),
    "a tone": (0.9 * np.sin(2 * np.pi * 440 * np.arange(SR) / SR)).astype(np.float32),
    "a low hum": (0.9 * np.sin(2 * np.pi * 50 * np.arange(SR) / SR)).astype(np.float32),
    "a constant": np.full(SR, 0.5, dtype=np.float32),
    "full scale": np.sign(np.sin(2 * np.pi * 150 * np.arange(SR) / SR)).astype(np.float32),
    "silence after speech": np.concatenate([speech("demo")[0], np.zeros(2 * SR, dtype=np.float32)]),
}


# --- the recorded level


@pytest.mark.parametrize("chosen", SETS)
def test_recorded_level_comes_last_and_changes_nothing_else(clip, chosen):
    without = functional_settings(set=chosen)
    settings = functional_settings(set=chosen, groups=["level", *without.groups])  # whatever the order of the groups
    known = spectrum(clip.y, SR, n_fft=512, hop_length=256, level=LEVEL)
    assert functional_names(clip, settings) == [*functional_names(clip, without), *LEVELS]
    vector = functional_vector(known, settings)
    assert vector.dtype == np.float32 and vector[-6:].tolist() == np.float32(LEVEL).tolist()
    assert vector[:-6].tobytes() == functional_vector(clip, without).tobytes()
    assert functional_vector(known, without).tobytes() == functional_vector(clip, without).tobytes()
    assert functional_vector(known, functional_settings(set=chosen, groups=["level"])).shape == (6,)


def test_level_that_is_asked_for_and_not_known_is_an_error(clip):
    with pytest.raises(ValueError, match="clip has no level"):
        functional_vector(clip, functional_settings(groups=["energy", "level"]))


# --- names


@pytest.mark.parametrize("deltas", [0, 1, 2])
@pytest.mark.parametrize("chosen", SETS)
def test_names_are_as_many_as_values_and_differ(clip, chosen, deltas):
    settings = functional_settings(set=chosen, deltas=deltas)
    names, vector = functional_names(clip, settings), functional_vector(clip, settings)
    assert vector.dtype == np.float32
    assert vector.shape == (len(names),)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("chosen", "group"), ALLOWED)
def test_each_group_alone_has_features_and_names_of_its_own(clip, chosen, group):
    settings = functional_settings(set=chosen, groups=[group])
    names, vector = functional_names(clip, settings), functional_vector(clip, settings)
    assert vector.shape == (len(names),)
    assert len(set(names)) == len(names) > 0
    assert np.isfinite(vector).all()
    assert set(names) <= set(functional_names(clip, functional_settings(set=chosen)))


@pytest.mark.parametrize("chosen", SETS)
def test_groups_add_up_to_the_set(clip, chosen):
    """A group has the same values alone as with the others."""
    together = named(clip, functional_settings(set=chosen))
    parts = [
        named(clip, functional_settings(set=chosen, groups=[group])) for group in sorted(SETS[chosen][1] & OF_SAMPLES)
    ]
    assert sum(len(part) for part in parts) == len(together)
    for part in parts:
        assert part == pytest.approx({name: together[name] for name in part}, rel=1e-5, abs=1e-5)


def named(clip, settings):
    return dict(zip(functional_names(clip, settings), functional_vector(clip, settings).tolist(), strict=True))


@pytest.mark.parametrize("chosen", SETS)
def test_groups_in_another_order_are_the_same_features(clip, chosen):
    one, other = (functional_settings(set=chosen, groups=sorted(OF_SAMPLES)[::step]) for step in (1, -1))
    assert functional_names(clip, one) == functional_names(clip, other)
    assert functional_vector(clip, one).tobytes() == functional_vector(clip, other).tobytes()


@pytest.mark.parametrize("deltas", [0, 1, 2])
@pytest.mark.parametrize("chosen", SETS)
def test_value_is_what_its_name_says(clip, chosen, deltas):
    """Each value is found again from the descriptor, the order of its derivative and the functional in its name."""
    settings = functional_settings(set=chosen, deltas=deltas)
    found = describe(clip, settings, set(SETS[chosen][1]))
    measured = all_segments(found)
    for name, value in named(clip, settings).items():
        expected = measured[name] if name in measured else recomputed(found, name)
        assert value == pytest.approx(expected, rel=1e-4, abs=1e-4), name


def recomputed(found, name):
    frames = next((kind for kind in ("voiced", "unvoiced") if name.startswith(f"{kind}_")), None)
    name = name.removeprefix(f"{frames}_")
    sources = found.every | found.voice
    descriptor = max((known for known in sources if name.startswith(f"{known}_")), key=len)
    x = np.array([sources[descriptor]], dtype=np.float32)
    x = x if frames is None else x[:, getattr(found, frames)]
    functional = name.removeprefix(f"{descriptor}_")
    while functional.startswith("delta_"):
        x, functional = delta(x), functional.removeprefix("delta_")
    return functionals(x, (functional,), found.rate)[0, 0]


def test_names_do_not_depend_on_the_clip(clip):
    """They are read off a second of noise (`input_names`), and stand for every clip."""
    assert input_names("functionals", SR, extract_settings()) == functional_names(clip, functional_settings())
    for y in HARD.values():
        other = spectrum(y, SR, n_fft=512, hop_length=256)
        assert functional_names(other, functional_settings()) == functional_names(clip, functional_settings())


# --- sizes


def test_sets_are_as_large_as_their_names_promise(clip):
    size = {name: len(functional_vector(clip, functional_settings(set=name))) for name in SETS}
    assert size["mean"] == 20 + 12 + 26
    assert 90 <= size["compact"] <= 130
    assert size["full"] > 3000


def test_compact_set_is_part_of_the_full_set(clip):
    full = named(clip, functional_settings(set="full"))
    compact = named(clip, functional_settings(set="compact"))
    assert compact == pytest.approx({name: full[name] for name in compact}, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("n_mfcc", [2, 12, 40])
@pytest.mark.parametrize("chosen", SETS)
def test_number_of_coefficients_may_be_any(clip, chosen, n_mfcc):
    settings = functional_settings(set=chosen, n_mfcc=n_mfcc, n_mels=64)
    names, vector = functional_names(clip, settings), functional_vector(clip, settings)
    assert vector.shape == (len(names),)
    assert f"mfcc_{min(n_mfcc, 12)}_mean" in names
    assert f"mfcc_{n_mfcc + 1}_mean" not in names


# --- hard clips


@pytest.mark.parametrize("content", HARD)
@pytest.mark.parametrize("chosen", SETS)
def test_functionals_of_hard_clips_are_finite(chosen, content):
    clip = spectrum(HARD[content], SR, n_fft=512, hop_length=256)
    assert np.isfinite(functional_vector(clip, functional_settings(set=chosen, deltas=2))).all()


@pytest.mark.parametrize(("n_fft", "hop_length"), [(512, 256), (512, 512), (4096, 4096), (512, 16), (8192, 256)])
@pytest.mark.parametrize("content", ["noise", "a tone", "silence"])
def test_functionals_of_the_shortest_clip_are_finite(content, n_fft, hop_length):
    """``prepare.min_seconds`` is at least 0.05 s and at least one frame: with long hops, fewer frames than a delta."""
    y = HARD[content][: max(n_fft, round(0.05 * SR))]
    clip = spectrum(y, SR, n_fft=n_fft, hop_length=hop_length)
    vector = functional_vector(clip, functional_settings(deltas=2))
    assert vector.shape == (len(functional_names(clip, functional_settings(deltas=2))),)
    assert np.isfinite(vector).all()


@pytest.mark.parametrize("sr", [8000, 11025, 16000, 22050, 32000, 44100, 48000])
def test_number_and_names_of_features_do_not_depend_on_the_sample_rate(clip, sr):
    other = spectrum(noise(sr), sr, n_fft=512, hop_length=256)
    vector = functional_vector(other, functional_settings())
    assert functional_names(other, functional_settings()) == functional_names(clip, functional_settings())
    assert np.isfinite(vector).all()


@pytest.mark.parametrize(("sr", "n_fft"), [(8000, 80), (16000, 160), (22050, 222), (48000, 480), (16000, 354)])
@pytest.mark.filterwarnings("ignore:Empty filters")
def test_odd_frame_lengths_that_the_parameters_allow_have_finite_functionals(sr, n_fft):
    for y in (noise(sr // 2), np.zeros(sr // 2, dtype=np.float32)):
        clip = spectrum(y, sr, n_fft=n_fft, hop_length=max(n_fft // 2, 16))
        assert np.isfinite(functional_vector(clip, functional_settings())).all()


# --- the same again


@pytest.mark.parametrize("chosen", SETS)
def test_same_clip_has_the_same_bytes_and_is_not_changed(clip, chosen):
    settings = functional_settings(set=chosen)
    y, power = clip.y.copy(), clip.power.copy()
    vector = functional_vector(clip, settings)
    again = functional_vector(spectrum(y, SR, n_fft=512, hop_length=256), settings)
    assert vector.tobytes() == again.tobytes()
    np.testing.assert_array_equal(clip.y, y)
    np.testing.assert_array_equal(clip.power, power)


def test_features_of_a_clip_that_may_not_be_written_to(clip):
    y = clip.y.copy()
    y.flags.writeable = False
    locked = spectrum(y, SR, n_fft=512, hop_length=256)
    locked.power.flags.writeable = False
    expected = functional_vector(clip, functional_settings())
    assert functional_vector(locked, functional_settings()).tobytes() == expected.tobytes()


# --- segments


def test_segments_are_runs_of_voiced_unvoiced_and_silent_frames():
    """Seconds of silence, noise, voice, noise, silence, noise and voice; between voice and silence is ever a breath."""
    silence, hiss = np.zeros(SR), 0.1 * np.random.default_rng(1).standard_normal(SR)
    y = np.concatenate([silence, hiss, TONE, hiss, silence, hiss, TONE]).astype(np.float32)
    found = all_segments(describe(spectrum(y, SR, n_fft=512, hop_length=160), functional_settings(), {"segments"}))
    assert found["seconds"] == pytest.approx(7, abs=0.02)
    assert {kind: found[f"{kind}_rate"] for kind in ("voiced", "unvoiced", "pause")} == pytest.approx(
        {"voiced": 2 / 7, "unvoiced": 3 / 7, "pause": 2 / 7}, rel=0.01
    )
    for kind in ("voiced", "unvoiced", "pause"):
        assert found[f"{kind}_length"] == pytest.approx(1, abs=0.06)
        assert found[f"{kind}_length_std"] < 0.06
    assert sum(found[f"{kind}_share"] for kind in ("voiced", "unvoiced", "pause")) == pytest.approx(1)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 10))
def test_gaps_are_bridged_as_a_plain_loop_bridges_them(mask, longest):
    expected = list(mask)
    for start, stop in itertools.combinations(range(len(mask)), 2):
        if mask[start] and mask[stop] and not any(mask[start + 1 : stop]) and stop - start - 1 <= longest:
            expected[start:stop] = [True] * (stop - start)
    assert bridged(np.array(mask), longest).tolist() == expected

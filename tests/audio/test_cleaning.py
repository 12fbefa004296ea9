"""Audio: what is refused and why, and what cleaning promises of the samples."""

import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conftest import ROOT
from ser.audio.cleaning import UnusableAudioError, clean, load_clip, to_float, to_int16

SR = 16000
FULL = 32768.0


def config(**changes):
    values = {
        "sample_rate": SR,
        "remove_dc": False,
        "denoise_db": None,
        "trim_db": 40.0,
        "normalize": "peak",
        "peak_db": -1.0,
        "rms_db": -23.0,
        "loudness_lufs": -23.0,
        "fixed_samples": None,
        "min_seconds": 0.3,
        "max_seconds": 30.0,
    }
    return SimpleNamespace(**values | changes)


def sine(frequency=440.0, seconds=1.0, sr=SR, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * sr)) / sr)


def level_db(value):
    return 20 * np.log10(value / FULL)


def refusal(function, *args, **kwargs):
    with pytest.raises(UnusableAudioError) as error:
        function(*args, **kwargs)
    return str(error.value)


# --- resampling


@pytest.mark.parametrize("sr", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
def test_resampling_keeps_frequency_duration_and_level(tmp_path, sr):
    soundfile.write(tmp_path / "a.wav", sine(1000.0, sr=sr), sr)
    samples = load_clip(tmp_path / "a.wav", config(trim_db=None, normalize="none"))
    assert samples.dtype == np.int16
    assert abs(len(samples) - SR) <= 1
    spectrum = np.abs(np.fft.rfft(to_float(samples) * np.hanning(len(samples))))
    assert np.argmax(spectrum) * SR / len(samples) == pytest.approx(1000.0, abs=1.0)
    middle = to_float(samples)[SR // 4 : -SR // 4]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_resampling_does_not_fold_high_frequencies_down(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(1000.0, sr=48000) + sine(11000.0, sr=48000), 48000, subtype="FLOAT")
    samples = load_clip(tmp_path / "a.wav", config(normalize="none", trim_db=None))
    spectrum = np.abs(np.fft.rfft(to_float(samples) * np.hanning(len(samples))))
    assert spectrum[5000] < 1e-3 * spectrum[1000]  # 11 kHz would appear at 16 - 11 = 5 kHz


# --- silence and trimming


@pytest.mark.parametrize("amplitude", [0.0, 0.9e-4])
def test_silent_clip_is_refused(amplitude):
    assert "silent" in refusal(clean, sine(amplitude=amplitude), SR, config())


def test_quiet_speech_above_the_threshold_is_kept():
    assert level_db(np.abs(clean(sine(amplitude=1.1e-3), SR, config()).samples).max()) == pytest.approx(-1.0, abs=0.01)


def test_clip_with_nothing_below_the_new_nyquist_frequency_is_silent():
    """A 20 kHz tone at 48 kHz leaves only the filter's residue at 16 kHz, which must not be raised to -1 dB."""
    ramp = np.hanning(48000)  # without clicks, which would have energy at low frequencies
    assert "silent" in refusal(clean, ramp * sine(20000.0, sr=48000), 48000, config())


@pytest.mark.parametrize("y", [np.zeros(0), np.ones(1), np.ones(3)])
@pytest.mark.parametrize("sr", [8000, 16000, 96000])
def test_clip_of_hardly_any_samples_is_refused(y, sr):
    assert refusal(clean, y.astype(np.float32), sr, config())


def test_trimming_removes_the_silence_at_both_ends_only():
    silence = np.zeros(SR)
    samples = clean(np.concatenate([silence, sine(), silence / 2, sine(), silence]), SR, config()).samples
    assert len(samples) == pytest.approx(3 * SR, abs=2048 + 512)  # to the frames of librosa.effects.trim
    assert len(samples) >= 3 * SR


def test_where_the_sound_begins_is_known():
    silence = np.zeros(SR)
    cleaned = clean(np.concatenate([silence, sine(seconds=0.5), silence]), SR, config())
    assert SR - 2048 - 512 <= cleaned.start <= SR
    assert clean(np.concatenate([silence, sine()]), SR, config(trim_db=None)).start == 0


def test_trimming_keeps_what_is_louder_than_the_threshold():
    quiet = sine(amplitude=0.5 * 10 ** (-30 / 20))  # 30 dB below the loud part
    y = np.concatenate([quiet, sine(), quiet])
    assert len(clean(y, SR, config(trim_db=40.0)).samples) == 3 * SR
    assert len(clean(y, SR, config(trim_db=20.0)).samples) < 1.5 * SR


def test_without_trimming_the_length_is_kept():
    y = np.concatenate([np.zeros(SR), sine()])
    assert len(clean(y, SR, config(trim_db=None)).samples) == 2 * SR


def test_clip_too_short_after_trimming_is_refused():
    y = np.concatenate([np.zeros(SR), sine(seconds=0.05), np.zeros(SR)])
    assert "too short" in refusal(clean, y, SR, config())
    assert len(clean(y, SR, config(trim_db=None)).samples) == len(y)


def test_clip_of_the_shortest_length_is_kept():
    assert len(clean(sine(seconds=0.3), SR, config()).samples) == 0.3 * SR
    assert "too short: 0.30 s" in refusal(clean, sine(seconds=0.3)[:-1], SR, config())


# --- levels


@pytest.mark.parametrize("peak_db", [0.0, -1.0, -6.0, -20.0])
@pytest.mark.parametrize("amplitude", [0.001, 0.3, 1.0, 100.0])
def test_peak_normalisation_sets_the_loudest_sample(peak_db, amplitude):
    samples = clean(sine(amplitude=amplitude), SR, config(normalize="peak", peak_db=peak_db)).samples
    assert level_db(np.abs(samples.astype(float)).max()) == pytest.approx(peak_db, abs=0.01)


@pytest.mark.parametrize("rms_db", [-12.0, -23.0, -40.0])
@pytest.mark.parametrize("amplitude", [0.001, 0.3, 1.0, 100.0])
def test_rms_normalisation_sets_the_root_mean_square(rms_db, amplitude):
    samples = clean(sine(amplitude=amplitude), SR, config(normalize="rms", rms_db=rms_db)).samples
    assert level_db(np.sqrt(np.mean(samples.astype(float) ** 2))) == pytest.approx(rms_db, abs=0.05)


def test_rms_normalisation_stops_at_full_scale_instead_of_clipping():
    y = sine(amplitude=0.01)
    y[SR // 2] = 0.5
    samples = clean(y, SR, config(normalize="rms", rms_db=0.0)).samples
    assert np.abs(samples.astype(int)).max() >= 32767
    np.testing.assert_allclose(samples[:1000] / FULL, 2 * y[:1000], atol=1e-4)  # a gain of 2, not of 100


def test_without_normalisation_the_level_is_kept():
    np.testing.assert_allclose(to_float(clean(sine(), SR, config(normalize="none")).samples), sine(), atol=2**-15)


def test_without_normalisation_samples_beyond_full_scale_are_clipped_not_wrapped():
    samples = clean(sine(amplitude=2.0), SR, config(normalize="none", trim_db=None)).samples
    y = sine(amplitude=2.0)
    assert (samples[y > 1] == 32767).all()
    assert (samples[y < -1] == -32768).all()


# --- loudness


@pytest.mark.parametrize("lufs", [-23.0, -30.0])
@pytest.mark.parametrize("amplitude", [0.001, 0.3, 100.0])
@pytest.mark.parametrize("sr", [8000, 16000, 48000])
def test_loudness_of_a_997_hz_tone_is_that_of_the_recommendation(lufs, amplitude, sr):
    """ITU-R BS.1770-4: a tone of 997 Hz at full scale in one channel reads -3.01 LKFS."""
    y = sine(997.0, seconds=3.0, sr=sr, amplitude=amplitude)
    samples = clean(y, sr, config(normalize="loudness", loudness_lufs=lufs, sample_rate=sr)).samples
    assert level_db(np.abs(samples.astype(float)).max()) == pytest.approx(lufs + 3.01, abs=0.1)


def test_pauses_do_not_count_for_the_loudness():
    y = sine(997.0, seconds=2.0)
    pause = sine(997.0, seconds=2.0, amplitude=0.001)
    samples = clean(np.concatenate([y, pause, y]), SR, config(normalize="loudness")).samples
    assert level_db(np.abs(samples.astype(float)).max()) == pytest.approx(-19.99, abs=0.3)


@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.3, 0.39, 0.4, 0.41])
def test_clip_shorter_than_a_block_is_a_block(seconds):
    setting = config(normalize="loudness", min_seconds=0.05)
    samples = clean(sine(997.0, seconds=seconds), SR, setting).samples
    assert level_db(np.abs(samples.astype(float)).max()) == pytest.approx(-19.99, abs=0.3)


def test_loudness_stops_at_full_scale_instead_of_clipping():
    y = sine(amplitude=0.01)
    y[SR // 2] = 0.5
    samples = clean(y, SR, config(normalize="loudness", loudness_lufs=-5.0)).samples
    np.testing.assert_allclose(samples[:1000] / FULL, 2 * y[:1000], atol=1e-4)


@pytest.mark.parametrize("y", [np.ones(SR), 1e-4 * np.ones(SR), sine(0.5, seconds=2.0)])
def test_loudness_of_what_nobody_hears_is_refused_or_finite(y):
    try:
        assert np.abs(clean(y, SR, config(normalize="loudness")).samples.astype(int)).max() > 0
    except UnusableAudioError as error:
        assert "silent" in str(error)


# --- offset


@pytest.mark.parametrize("offset", [-0.5, -0.01, 0.2, 10.0])
@pytest.mark.parametrize("sr", [16000, 44100])
def test_offset_is_removed_before_anything_else(offset, sr):
    y = np.concatenate([np.zeros(sr), sine(sr=sr), np.zeros(sr)])
    without = clean(y, sr, config()).samples
    np.testing.assert_allclose(clean(y + offset, sr, config(remove_dc=True)).samples, without, atol=2)
    assert len(clean(y + offset, sr, config()).samples) > len(without)  # the offset would pass for sound


def test_offset_alone_is_silence():
    assert "silent" in refusal(clean, np.full(SR, 0.5), SR, config(remove_dc=True))


# --- noise


def test_noise_is_reduced_before_the_ends_are_trimmed():
    rng = np.random.default_rng(1)
    y = np.concatenate([np.zeros(SR), sine(), np.zeros(SR)])
    y += 0.01 * rng.standard_normal(len(y))  # 34 dB below the tone
    assert len(clean(y, SR, config()).samples) == len(y)
    assert len(clean(y, SR, config(denoise_db=20.0)).samples) < 1.3 * SR


def test_what_is_not_asked_for_is_not_imported():
    code = "import sys; sys.path[:0] = ['stages']; import ser.audio.cleaning; print('scipy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


# --- a fixed length


def test_fixed_length_cuts_the_end():
    whole = clean(sine(), SR, config()).samples
    np.testing.assert_array_equal(clean(sine(), SR, config(fixed_samples=10000)).samples, whole[:10000])


def test_fixed_length_pads_the_end_with_zeros():
    whole = clean(sine(), SR, config()).samples
    padded = clean(sine(), SR, config(fixed_samples=20000)).samples
    np.testing.assert_array_equal(padded[: len(whole)], whole)
    assert padded.shape == (20000,)
    assert not padded[len(whole) :].any()


# --- 16 bits


def test_every_16_bit_value_survives_the_way_to_float_and_back():
    values = np.arange(-32768, 32768).astype(np.int16)
    assert to_float(values).dtype == np.float32
    np.testing.assert_array_equal(to_int16(to_float(values)), values)


def test_full_scale_is_clipped_to_what_16_bits_hold():
    assert to_int16(np.array([1.0, 2.0, -1.0, -2.0, 0.0])).tolist() == [32767, 32767, -32768, -32768, 0]


# --- anything


signals = hnp.arrays(
    np.float32,
    st.integers(0, 40),
    elements=st.floats(-8.0, 8.0, width=32) | st.sampled_from([0.0, 1.0, -1.0, 32767.0, -32768.0]),
).map(lambda y: np.tile(np.repeat(y, 7), 60))  # up to 16,800 samples
configs = st.builds(
    config,
    remove_dc=st.booleans(),
    denoise_db=st.none() | st.floats(1.0, 40.0),
    trim_db=st.none() | st.floats(1.0, 80.0),
    normalize=st.sampled_from(["peak", "rms", "loudness", "none"]),
    peak_db=st.floats(-60.0, 0.0),
    rms_db=st.floats(-60.0, 0.0),
    loudness_lufs=st.floats(-60.0, 0.0),
    fixed_samples=st.none() | st.integers(1, 20000),
    min_seconds=st.floats(0.05, 0.5),
)


@settings(max_examples=80, deadline=None, database=None, derandomize=True)
@given(signals, st.sampled_from([8000, 16000, 44100]), configs)
def test_any_signal_gives_16_bit_samples_or_a_reason(y, sr, setting):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an overflow or a NaN cast to an integer
        try:
            samples = clean(y, sr, setting).samples
        except UnusableAudioError as error:
            assert str(error)
            return
    assert samples.dtype == np.int16
    assert samples.ndim == 1
    if setting.fixed_samples is not None:
        assert len(samples) == setting.fixed_samples
        return
    assert len(samples) >= setting.min_seconds * SR
    assert len(samples) <= -(-len(y) * SR // sr) + 1
    peak = np.abs(samples.astype(float)).max()
    if setting.normalize == "peak":
        assert peak == pytest.approx(FULL * 10 ** (setting.peak_db / 20), abs=1.0)


@settings(max_examples=10, deadline=None, database=None, derandomize=True)
@given(st.sampled_from([1e19, 1e25, 3e38]), configs)
@example(3e38, config(trim_db=None, normalize="none"))
def test_huge_float_samples_give_16_bit_samples_or_their_own_reason(amplitude, setting):
    y = sine(amplitude=amplitude).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            assert clean(y, SR, setting).samples.dtype == np.int16
        except UnusableAudioError as error:
            assert "too short" not in str(error)

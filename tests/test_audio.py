"""Audio: what every kind of file decodes to, what is refused and why, and what cleaning promises of the samples."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ser.audio import UnusableAudioError, clean, decode, load_clip, to_float, to_int16

SR = 16000
FULL = 32768.0


def config(**changes):
    values = {
        "sample_rate": SR,
        "trim_db": 40.0,
        "normalize": "peak",
        "peak_db": -1.0,
        "rms_db": -23.0,
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


# --- decoding


@pytest.mark.parametrize(
    ("suffix", "subtype", "step"),
    [
        ("wav", "PCM_U8", 2**-7),
        ("wav", "PCM_16", 2**-15),
        ("wav", "PCM_24", 2**-23),
        ("wav", "PCM_32", 2**-24),  # float32 holds 24 bits
        ("wav", "FLOAT", 2**-24),
        ("wav", "DOUBLE", 2**-24),
        ("flac", "PCM_16", 2**-15),
        ("flac", "PCM_24", 2**-23),
    ],
)
def test_every_depth_decodes_to_the_samples_written(tmp_path, suffix, subtype, step):
    y = sine()
    soundfile.write(tmp_path / f"a.{suffix}", y, SR, subtype=subtype)
    decoded, sr = decode(tmp_path / f"a.{suffix}", max_seconds=30)
    assert sr == SR
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, y, atol=2 * step)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_averaged(tmp_path, suffix, channels):
    columns = np.stack([sine(amplitude=0.1 * (channel + 1)) for channel in range(channels)], axis=1)
    soundfile.write(tmp_path / f"a.{suffix}", columns, SR)
    decoded, _ = decode(tmp_path / f"a.{suffix}", max_seconds=30)
    assert decoded.shape == (SR,)
    np.testing.assert_allclose(decoded, columns.mean(axis=1), atol=2**-14)


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


def test_file_of_a_format_other_than_its_name_is_decoded_by_what_it_holds(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(), SR, format="FLAC")
    assert len(decode(tmp_path / "a.wav", max_seconds=30)[0]) == SR


def test_odd_number_of_bytes_with_its_padding_is_not_taken_for_truncated(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine()[:-1], SR, subtype="PCM_U8")
    assert len(decode(tmp_path / "a.wav", max_seconds=30)[0]) == SR - 1


@pytest.fixture
def wav(tmp_path):
    """The bytes of a good WAV file of one second, and a function that writes bytes as a file and returns its path."""
    soundfile.write(tmp_path / "good.wav", sine(), SR)

    def write(content, name="bad.wav"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return (tmp_path / "good.wav").read_bytes(), write


@pytest.fixture
def flac(tmp_path):
    noise = 0.1 * np.random.default_rng(1).standard_normal(SR)
    soundfile.write(tmp_path / "good.flac", noise, SR)
    return (tmp_path / "good.flac").read_bytes()


def test_file_of_no_bytes_is_empty(wav):
    assert refusal(decode, wav[1](b""), max_seconds=30) == "the file is empty"


def test_text_named_wav_is_no_audio(wav):
    assert "not readable as audio" in refusal(decode, wav[1](b"Page not found\n" * 100), max_seconds=30)


def test_header_without_samples_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), SR)
    assert refusal(decode, tmp_path / "a.wav", max_seconds=30) == "no samples"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_wav_is_refused_rather_than_read_as_far_as_it_goes(wav, share):
    content, write = wav
    message = refusal(decode, write(content[: int(share * len(content))]), max_seconds=30)
    assert "truncated: the header promises more audio" in message


def test_wav_that_lacks_its_last_byte_is_refused(wav):
    content, write = wav
    assert "truncated" in refusal(decode, write(content[:-1]), max_seconds=30)


@pytest.mark.parametrize("size", range(1, 45))
def test_wav_cut_in_its_header_is_refused(wav, size):
    content, write = wav
    assert refusal(decode, write(content[:size]), max_seconds=30)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_flac_is_refused(wav, flac, share):
    message = refusal(decode, wav[1](flac[: int(share * len(flac))], "bad.flac"), max_seconds=30)
    assert "truncated" in message or "not readable" in message


def test_wav_streamed_without_a_known_size_is_read(wav):
    content, write = wav
    unknown = b"\xff\xff\xff\xff"  # as ffmpeg writes to a pipe
    y, sr = decode(write(content[:4] + unknown + content[8:40] + unknown + content[44:]), max_seconds=30)
    assert (len(y), sr) == (SR, SR)


def test_flac_streamed_without_a_known_size_is_read_or_refused_for_that(wav, flac):
    """36 bits of STREAMINFO hold the number of samples; 0 is unknown, as ``flac -`` and ffmpeg write to a pipe."""
    streamed = bytearray(flac)
    streamed[21] &= 0xF0
    streamed[22:26] = bytes(4)
    try:
        assert len(decode(wav[1](bytes(streamed), "streamed.flac"), max_seconds=30)[0]) == SR
    except UnusableAudioError as error:
        assert "longer than" not in str(error)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, value):
    y = sine()
    y[100] = value
    soundfile.write(tmp_path / "a.wav", y, SR, subtype="FLOAT")
    assert refusal(decode, tmp_path / "a.wav", max_seconds=30) == "NaN or infinite samples"


def test_clip_longer_than_allowed_is_refused_and_one_of_the_limit_is_not(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(seconds=2.0), SR)
    assert "longer than 1.9 s (2.0 s)" in refusal(decode, tmp_path / "a.wav", max_seconds=1.9)
    assert len(decode(tmp_path / "a.wav", max_seconds=2.0)[0]) == 2 * SR


# --- silence and trimming


@pytest.mark.parametrize("amplitude", [0.0, 0.9e-4])
def test_silent_clip_is_refused(amplitude):
    assert "silent" in refusal(clean, sine(amplitude=amplitude), SR, config())


def test_quiet_speech_above_the_threshold_is_kept():
    assert level_db(np.abs(clean(sine(amplitude=1.1e-3), SR, config())).max()) == pytest.approx(-1.0, abs=0.01)


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
    samples = clean(np.concatenate([silence, sine(), silence / 2, sine(), silence]), SR, config())
    assert len(samples) == pytest.approx(3 * SR, abs=2048 + 512)  # to the frames of librosa.effects.trim
    assert len(samples) >= 3 * SR


def test_trimming_keeps_what_is_louder_than_the_threshold():
    quiet = sine(amplitude=0.5 * 10 ** (-30 / 20))  # 30 dB below the loud part
    y = np.concatenate([quiet, sine(), quiet])
    assert len(clean(y, SR, config(trim_db=40.0))) == 3 * SR
    assert len(clean(y, SR, config(trim_db=20.0))) < 1.5 * SR


def test_without_trimming_the_length_is_kept():
    y = np.concatenate([np.zeros(SR), sine()])
    assert len(clean(y, SR, config(trim_db=None))) == 2 * SR


def test_clip_too_short_after_trimming_is_refused():
    y = np.concatenate([np.zeros(SR), sine(seconds=0.05), np.zeros(SR)])
    assert "too short" in refusal(clean, y, SR, config())
    assert len(clean(y, SR, config(trim_db=None))) == len(y)


def test_clip_of_the_shortest_length_is_kept():
    assert len(clean(sine(seconds=0.3), SR, config())) == 0.3 * SR
    assert "too short: 0.30 s" in refusal(clean, sine(seconds=0.3)[:-1], SR, config())


# --- levels


@pytest.mark.parametrize("peak_db", [0.0, -1.0, -6.0, -20.0])
@pytest.mark.parametrize("amplitude", [0.001, 0.3, 1.0, 100.0])
def test_peak_normalisation_sets_the_loudest_sample(peak_db, amplitude):
    samples = clean(sine(amplitude=amplitude), SR, config(normalize="peak", peak_db=peak_db))
    assert level_db(np.abs(samples.astype(float)).max()) == pytest.approx(peak_db, abs=0.01)


@pytest.mark.parametrize("rms_db", [-12.0, -23.0, -40.0])
@pytest.mark.parametrize("amplitude", [0.001, 0.3, 1.0, 100.0])
def test_rms_normalisation_sets_the_root_mean_square(rms_db, amplitude):
    samples = clean(sine(amplitude=amplitude), SR, config(normalize="rms", rms_db=rms_db))
    assert level_db(np.sqrt(np.mean(samples.astype(float) ** 2))) == pytest.approx(rms_db, abs=0.05)


def test_rms_normalisation_stops_at_full_scale_instead_of_clipping():
    y = sine(amplitude=0.01)
    y[SR // 2] = 0.5
    samples = clean(y, SR, config(normalize="rms", rms_db=0.0))
    assert np.abs(samples.astype(int)).max() >= 32767
    np.testing.assert_allclose(samples[:1000] / FULL, 2 * y[:1000], atol=1e-4)  # a gain of 2, not of 100


def test_without_normalisation_the_level_is_kept():
    np.testing.assert_allclose(to_float(clean(sine(), SR, config(normalize="none"))), sine(), atol=2**-15)


def test_without_normalisation_samples_beyond_full_scale_are_clipped_not_wrapped():
    samples = clean(sine(amplitude=2.0), SR, config(normalize="none", trim_db=None))
    y = sine(amplitude=2.0)
    assert (samples[y > 1] == 32767).all()
    assert (samples[y < -1] == -32768).all()


# --- a fixed length


def test_fixed_length_cuts_the_end():
    whole = clean(sine(), SR, config())
    np.testing.assert_array_equal(clean(sine(), SR, config(fixed_samples=10000)), whole[:10000])


def test_fixed_length_pads_the_end_with_zeros():
    whole = clean(sine(), SR, config())
    padded = clean(sine(), SR, config(fixed_samples=20000))
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
    trim_db=st.none() | st.floats(1.0, 80.0),
    normalize=st.sampled_from(["peak", "rms", "none"]),
    peak_db=st.floats(-60.0, 0.0),
    rms_db=st.floats(-60.0, 0.0),
    fixed_samples=st.none() | st.integers(1, 20000),
    min_seconds=st.floats(0.05, 0.5),
)


@settings(max_examples=80, deadline=None, database=None, derandomize=True)
@given(signals, st.sampled_from([8000, 16000, 44100]), configs)
def test_any_signal_gives_16_bit_samples_or_a_reason(y, sr, setting):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an overflow or a NaN cast to an integer
        try:
            samples = clean(y, sr, setting)
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
            assert clean(y, SR, setting).dtype == np.int16
        except UnusableAudioError as error:
            assert "too short" not in str(error)

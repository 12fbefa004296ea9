"""Filter banks are librosa's, to the last bit: models that were trained on its values see the same ones."""

import librosa
import numpy as np
import pytest

from ser.features.filter_banks import chroma_filters, mel_blocks, mel_filters, mel_frequencies

PLACES = [(8000, 128), (16000, 400), (16000, 512), (22050, 2048), (44100, 1102), (48000, 1024)]


@pytest.mark.parametrize(("sr", "n_fft"), PLACES)
@pytest.mark.parametrize("n_mels", [8, 26, 40])
def test_mel_filters_are_librosas(sr, n_fft, n_mels):
    expected = librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels).T
    assert mel_filters(sr, n_fft, n_mels).tobytes() == np.ascontiguousarray(expected).tobytes()
    frequencies = librosa.mel_frequencies(n_mels + 2, fmin=0, fmax=sr / 2)
    assert mel_frequencies(n_mels + 2, sr / 2).tobytes() == frequencies.tobytes()


@pytest.mark.parametrize(("sr", "n_fft"), PLACES)
def test_chroma_filters_are_librosas(sr, n_fft):
    expected = librosa.filters.chroma(sr=sr, n_fft=n_fft, tuning=0.0).T
    assert chroma_filters(sr, n_fft).tobytes() == np.ascontiguousarray(expected).tobytes()


@pytest.mark.parametrize(("sr", "n_fft"), [*PLACES, (48000, 80)])
@pytest.mark.parametrize("n_mels", [8, 26, 80])
@pytest.mark.filterwarnings("ignore:Empty filters")
def test_blocks_of_bands_hold_all_mel_filters(sr, n_fft, n_mels):
    whole = np.zeros((n_fft // 2 + 1, n_mels), dtype=np.float32)
    for bins, bands, filters in mel_blocks(sr, n_fft, n_mels):
        whole[bins, bands] = filters
    np.testing.assert_array_equal(whole, mel_filters(sr, n_fft, n_mels))

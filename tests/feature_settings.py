"""Settings of the features for tests, whatever params.yaml says."""

from types import SimpleNamespace

from ser.features.functional_sets import ALL_GROUPS

CONFIGURATIONS = [(512, 256), (480, 160), (1024, 1024), (2048, 512)]  # n_fft, hop_length


OF_SAMPLES = ALL_GROUPS - {"level"}  # a clip alone does not tell how loud it was recorded


def functional_settings(**changes) -> SimpleNamespace:
    values = {"set": "full", "groups": sorted(OF_SAMPLES), "n_mfcc": 20, "n_mels": 26, "deltas": 1, "pause_db": 40.0}
    return SimpleNamespace(**values | changes)


def extract_settings(n_fft: int = 512, hop_length: int = 256, **changes) -> SimpleNamespace:
    return SimpleNamespace(
        n_fft=n_fft,
        hop_length=hop_length,
        functionals=functional_settings(**changes),
        frames=SimpleNamespace(groups=["mfcc", "energy", "pitch"], n_mfcc=13, n_mels=40, deltas=1),
        logmel=SimpleNamespace(n_mels=40),
    )

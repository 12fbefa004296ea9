"""What features are, in words: of every functional that can be measured."""

import pytest

from conftest import ROOT
from ser.commands.list_features import names_of
from ser.features.functional_sets import SETS
from ser.overview.feature_words import unit_and_meaning
from ser.settings.all_sections import load_params
from ser.storage.recorded_level import LEVELS


@pytest.mark.parametrize("chosen", SETS)
def test_every_functional_is_explained(chosen):
    names = names_of(load_params(ROOT / "params.yaml"), chosen)
    assert all(unit_and_meaning(name)[1] for name in [*names, *LEVELS])


@pytest.mark.parametrize(
    ("functional", "unit", "words"),
    [
        ("f0_p10", "semitone", "10th percentile; f0: fundamental frequency"),
        ("voiced_loudness_delta_p90", "ln per frame", "90th percentile, over voiced frames, of the change from frame"),
        ("mfcc_3_delta_delta_std", "dB per frame per frame", "of the change from frame to frame of it; mfcc_3: mel"),
        ("f1_bandwidth_mean", "octave", "mean; f1_bandwidth: bandwidth of the formant"),
        ("f0_rising_mean", "semitone per s", "mean of the rising steps; f0"),
        ("hnr_iqr_1_3", "dB", "upper less lower quartile; hnr"),
        ("loudness_autocorrelation_50", "", "50 ms later"),
        ("voiced_rate", "1/s", "number of runs of frames with a pitch"),
        ("level_peak", "dBFS", "level of the largest sample"),
    ],
)
def test_unit_and_words(functional, unit, words):
    found = unit_and_meaning(functional)
    assert found[0] == unit
    assert words in found[1]


@pytest.mark.parametrize("name", ["", "f0", "f0_", "tempo_mean", "f0_mode", "_mean"])
def test_what_the_catalogue_lacks_is_an_error(name):
    with pytest.raises(LookupError):
        unit_and_meaning(name)

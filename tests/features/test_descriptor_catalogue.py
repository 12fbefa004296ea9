"""The catalogue documents what is computed, all of it and nothing else, and docs/features.md is made of it."""

from collections import Counter
from fnmatch import fnmatchcase
from typing import get_args

import pytest

from conftest import ROOT, run_stage, workplace
from feature_settings import functional_settings
from ser.commands import list_features
from ser.features import descriptor_catalogue as catalogue
from ser.features import functional_sets as sets
from ser.features.descriptors import describe
from ser.features.frames import spectrum
from ser.features.functionals import FUNCTIONALS
from ser.settings.all_sections import load_params
from ser.settings.extract_choices import DescriptorGroup
from ser.settings.extract_section import Functionals
from ser.storage.recorded_level import LEVELS
from speech_samples import speech

DOCUMENT = ROOT / "docs" / "features.md"


def described(groups):
    y, sr = speech("demo")
    return describe(spectrum(y, sr, n_fft=512, hop_length=256), functional_settings(), set(groups))


def names_of(found):
    return [*found.every, *found.voice]


# --- the catalogue is complete


def test_every_descriptor_is_documented_once_and_every_entry_is_a_descriptor():
    names = names_of(described(sets.ALL_GROUPS))
    entries = {name: [kind.name for kind in catalogue.DESCRIPTORS if fnmatchcase(name, kind.name)] for name in names}
    assert {name: found for name, found in entries.items() if len(found) != 1} == {}
    assert {found[0] for found in entries.values()} == {kind.name for kind in catalogue.DESCRIPTORS}


@pytest.mark.parametrize("group", catalogue.GROUPS)
def test_descriptors_are_of_the_group_that_the_catalogue_says(group):
    names = names_of(described([group]))
    assert {catalogue.entry(name).group for name in names} == ({group} if names else set())
    assert {catalogue.entry(name) for name in names} == {kind for kind in catalogue.DESCRIPTORS if kind.group == group}


def test_unknown_descriptor_is_named():
    with pytest.raises(LookupError, match="brightness"):
        catalogue.entry("brightness")


def test_functionals_are_those_that_are_computed_in_their_order():
    assert tuple(catalogue.FUNCTIONALS) == FUNCTIONALS


def test_segment_values_are_those_that_are_computed_in_their_order():
    assert list(catalogue.SEGMENTS) == list(sets.all_segments(described(["segments"])))


def test_recorded_levels_are_those_that_are_measured_in_their_order():
    assert tuple(catalogue.RECORDED_LEVEL) == LEVELS


def test_groups_and_sets_are_those_that_params_allows():
    assert set(catalogue.GROUPS) == sets.ALL_GROUPS == set(get_args(DescriptorGroup))
    assert list(catalogue.SET_PURPOSES) == list(sets.SETS) == list(get_args(Functionals.model_fields["set"].annotation))


def test_every_source_has_a_reference_and_every_reference_is_a_source():
    document = DOCUMENT.read_text(encoding="utf-8")
    for kind in catalogue.DESCRIPTORS:
        assert kind.source.startswith(tuple(catalogue.REFERENCES)), kind.name
    for short in catalogue.REFERENCES:
        assert document.count(short) > 1, short


# --- the document


def test_committed_document_is_what_the_script_writes(tmp_path):
    place = workplace(tmp_path)
    (place / list_features.VOICES.parent).mkdir(parents=True)
    for name in ("params.yaml", list_features.VOICES):
        (place / name).write_bytes((ROOT / name).read_bytes())
    result = run_stage(place, "features", "--write")
    assert result.returncode == 0, result.stderr
    written = (place / "docs" / "features.md").read_text(encoding="utf-8")
    assert written == DOCUMENT.read_text(encoding="utf-8"), "run ser features --write and commit the change"
    assert "compact" in result.stdout


def test_script_says_what_it_does():
    result = run_stage(ROOT, "features", "--write", "--help")
    assert result.returncode == 0
    assert "docs/features.md" in result.stdout


def test_document_lists_every_name_of_the_compact_set():
    names = list_features.names_of(load_params(ROOT / "params.yaml"), "compact")
    text = DOCUMENT.read_text(encoding="utf-8").split("## The compact set")[1]
    assert [line.split("`")[1] for line in text.splitlines() if line[:1].isdigit()] == names


def test_rows_of_tables_have_as_many_cells_as_their_header():
    document = DOCUMENT.read_text(encoding="utf-8")
    tables = [block for block in document.split("\n\n") if block.startswith("|")]
    assert len(tables) == 8
    for block in tables:
        assert len(Counter(line.count("|") for line in block.splitlines())) == 1


def test_sets_of_a_descriptor_are_those_that_have_a_feature_of_it():
    params = load_params(ROOT / "params.yaml")
    names = {chosen: list_features.names_of(params, chosen) for chosen in sets.SETS}
    for descriptor in list_features.descriptor_names(params):
        having = [
            chosen
            for chosen in sets.SETS
            if any(
                name.removeprefix("unvoiced_").removeprefix("voiced_").startswith(f"{descriptor}_")
                for name in names[chosen]
            )
        ]
        assert list_features.sets_with(descriptor, catalogue.entry(descriptor).group) == having, descriptor

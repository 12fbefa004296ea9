"""The defaults that the package brings: params.yaml as released, without its comments."""

from types import UnionType

import pytest
from ruamel.yaml import YAML

from conftest import ROOT
from ser.settings.all_sections import DEFAULTS, Params, default_params, load_params
from ser.settings.params_file import Section

RENEW = "write the defaults again: sed -E 's/ *(^| )#.*//; /^ *$/d' params.yaml > stages/ser/settings/all_sections.yaml"


def keys_of(section: type[Section], content: dict, prefix: str = "") -> list[str]:
    """Return the dotted keys of settings in their order; what a user fills with keys of their own is one setting."""
    keys = []
    for name, value in content.items():
        schema = section.model_fields[name].annotation
        inner = isinstance(schema, type) and not isinstance(schema, UnionType) and issubclass(schema, Section)
        keys += keys_of(schema, value, f"{prefix}{name}.") if inner else [f"{prefix}{name}"]
    return keys


def read(path) -> dict:
    return YAML(typ="safe", pure=True).load(path)


def test_the_defaults_have_the_keys_of_params_yaml():
    """Otherwise a new setting would be missing from what the report calls the defaults."""
    keys = keys_of(Params, read(DEFAULTS))
    assert len(keys) > 200
    assert keys == keys_of(Params, read(ROOT / "params.yaml")), RENEW


def test_the_defaults_are_allowed_and_hold_no_comments():
    assert default_params().train.seed == 1
    assert "#" not in DEFAULTS.read_text()


@pytest.mark.verify
def test_the_defaults_are_the_values_of_params_yaml_as_released():
    """Not of `make test`: who works with other settings has changed params.yaml, and rightly so."""
    assert default_params() == load_params(ROOT / "params.yaml"), RENEW

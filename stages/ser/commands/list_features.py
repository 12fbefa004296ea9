"""Print the page that explains every feature; with --write, write it to docs/features.md.

Reads   params.yaml
Writes  docs/features.md; run it again after a change of the features or of extract.functionals
"""

from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np

from ser.commands.command_line import help_of
from ser.features.descriptor_catalogue import (
    DESCRIPTORS,
    FUNCTIONALS,
    GROUPS,
    REFERENCES,
    SEGMENTS,
    SET_PURPOSES,
    Descriptor,
    entry,
)
from ser.features.descriptors import describe
from ser.features.extraction import input_names
from ser.features.frames import spectrum
from ser.features.functional_sets import SETS, matching
from ser.settings.all_sections import Params, load_params

DOCUMENT = Path("docs/features.md")

TEXT = """# Features

<!-- Written by `ser features --write`; change the code or the catalogue, not this file. -->

Classical models and the residual network read one vector a clip: **functionals** (statistics over time) of
**descriptors** (measured frame by frame), and **segment values** (rhythm). `extract.functionals.set` in params.yaml
chooses a set, and `groups` leaves parts of it out. A name says how a value came about:
`[voiced_]<descriptor>[_delta…]_<functional>`. With `voiced_` only voiced frames count; each `_delta` is a derivative
from frame to frame (by regression over five frames, HTK); descriptors that only voiced frames have (F0, voice quality,
formants) need no prefix. `loudness_delta_p90`, for instance, is what the change of loudness stays below in 90 % of the
frames.

The LSTM reads descriptors and their derivatives frame by frame: MFCC (`mfcc_<n>[_delta…]`, 0 included) and the groups
that `extract.frames.groups` names, with lines over the gaps of F0; the CNN reads the mel bands in dB (`mel_<n>`,
`extract.logmel`).

## Sets

With params.yaml as it is in the repository:

{sets}

## Groups

{groups}

## Descriptors

{descriptors}

A clip without voiced frames has the descriptors of the voice from its five loudest frames, F0 counting as 150 Hz there.

## Functionals

{functionals}

## Segment values

{segments}

## The compact set

{compact}

## Sources

{sources}
"""


def list_features(write: bool) -> None:
    params = load_params()
    if not write:
        print(document(params))
        return
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(params), encoding="utf-8")
    print(f"{DOCUMENT}: " + ", ".join(f"{name} {len(names_of(params, name))}" for name in SETS))


def document(params: Params) -> str:
    """Return the whole text of the document."""
    sets = ((f"`{name}`", str(len(names_of(params, name))), what) for name, what in SET_PURPOSES.items())
    return TEXT.format(
        sets=table(("set", "features", "what it is"), sets),
        groups=table(("group", "what it tells"), ((f"`{group}`", what) for group, what in GROUPS.items())),
        descriptors=descriptor_table(params),
        functionals=table(("functional", "unit", "definition"), rows_of(FUNCTIONALS)),
        segments=table(("value", "unit", "definition"), rows_of(SEGMENTS)),
        compact="\n".join(f"{number}. `{name}`" for number, name in enumerate(names_of(params, "compact"), start=1)),
        sources="\n".join(f"- {short}: {reference}" for short, reference in REFERENCES.items()),
    )


def names_of(params: Params, chosen: str) -> list[str]:
    """Return the names of the functionals of a set, with the other settings as they are."""
    settings = params.extract.functionals.model_copy(update={"set": chosen})
    extract = params.extract.model_copy(update={"functionals": settings})
    return input_names("functionals", params.prepare.sample_rate, extract)


def descriptor_names(params: Params) -> list[str]:
    """Return the names of all descriptors that are measured, whatever set they are in."""
    sr, extract = params.prepare.sample_rate, params.extract
    noise = np.random.default_rng(0).standard_normal(sr).astype(np.float32)
    clip = spectrum(noise, sr, n_fft=extract.n_fft, hop_length=extract.hop_length)
    found = describe(clip, extract.functionals, set(GROUPS))
    return [*found.every, *found.voice]


def descriptor_table(params: Params) -> str:
    members: dict[Descriptor, list[str]] = {descriptor: [] for descriptor in DESCRIPTORS}
    for name in descriptor_names(params):
        members[entry(name)].append(name)
    rows = [
        (label(names), kind.group, kind.unit, kind.definition, kind.source, ", ".join(sets_with(names[0], kind.group)))
        for kind, names in members.items()
    ]
    return table(("descriptor", "group", "unit", "what it is", "source", "sets"), rows)


def label(names: list[str]) -> str:
    """Return the names, or the first and the last of many."""
    return ", ".join(f"`{name}`" for name in names) if len(names) < 6 else f"`{names[0]}` … `{names[-1]}`"


def sets_with(descriptor: str, group: str) -> list[str]:
    """Return the sets that summarise a descriptor."""
    return [
        name
        for name, (blocks, groups) in SETS.items()
        if group in groups and any(matching((descriptor,), block.descriptors) for block in blocks)
    ]


def rows_of(values: dict[str, tuple[str, str]]) -> Iterable[tuple[str, ...]]:
    return ((f"`{name}`", unit, definition) for name, (unit, definition) in values.items())


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@click.command(help=help_of(__doc__))
@click.option("--write", is_flag=True, help=f"Write {DOCUMENT} instead of printing it.")
def command(write: bool) -> None:
    list_features(write)

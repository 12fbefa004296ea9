"""Print the page that explains every feature; with --write, write it to docs/features.md.

Reads   params.yaml, reports/benchmarks/voices.json (what benchmarks/voices.py measured beside Praat)
Writes  docs/features.md; run it again after a change of the features or of extract.functionals
"""

import json
from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np

from ser.commands.command_line import help_of
from ser.features.descriptor_catalogue import (
    DESCRIPTORS,
    FUNCTIONALS,
    GROUPS,
    RECORDED_LEVEL,
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
from ser.storage.whole_files import write_text

DOCUMENT = Path("docs/features.md")
VOICES = Path("reports/benchmarks/voices.json")

MEASURE = "python benchmarks/voices.py RAW ravdess emodb"

TEXT = """# Features

<!-- Written by `ser features --write`; change the code or the catalogue, not this file. -->

Classical models and the residual network read one vector a clip: **functionals** (statistics over time) of
**descriptors** (measured frame by frame), and **segment values** (rhythm). `extract.functionals.set` in params.yaml
chooses a set, and `groups` leaves parts of it out. A name says how a value came about:
`[voiced_|unvoiced_]<descriptor>[_delta…]_<functional>`. With `voiced_` only voiced frames count, with `unvoiced_` only
those that are neither voiced nor a pause: consonants and breath; each `_delta` is a derivative from frame to frame (by
regression over five frames, HTK); descriptors that only voiced frames have (F0, voice quality, formants) need no
prefix. `loudness_delta_p90`, for instance, is what the change of loudness stays below in 90 % of the frames.

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

A clip without voiced frames has the descriptors of the voice from its five loudest frames, F0 counting as 150 Hz there;
one without unvoiced frames has theirs from its five quietest.

## Functionals

{functionals}

## Segment values

Stretches of voice go on over short gaps here; `voiced_` and `unvoiced_` before a descriptor are of single frames.

{segments}

## Recorded level

Measured before the level is normalised (`prepare.normalize`) and kept in `data/prepared/clips.csv`. The group `level`
is off in params.yaml, which says why, and left out where `split.scheme` is `cross_corpus`.

{level}

## The compact set

{compact}

## Beside Praat

{praat}

## Sources

{sources}
"""

PRAAT = """F0, voicing, formants and voice quality of whole corpora, as they are measured here and by Praat
(praat-parselmouth {version}). `{command}` measures (RAW is the folder of the corpora)
and writes `{report}`; `make verify` holds clips of RAVDESS and EMO-DB to the same limits.

Clips are as `prepare` leaves them ({sample_rate} Hz), frames {step:g} ms apart; the ends of a clip, where Praat has no
frames, are left out. Praat finds pitch by autocorrelation from {floor:g} Hz up to {ceilings},
formants by Burg's method, five below {formants}, jitter (local), shimmer (local, dB) and
harmonicity by cross-correlation; the rest is as it suggests.

What is asked of every corpus as a whole, and of either sex in it, in percent:

{limits}

All groups (of two numbers the first is measured here, the second by Praat):

{voices}

- frames: voiced in both. Of these, *gross* have an F0 more than 20 % from Praat's (mostly an octave), and *off* a
  formant more than 20 % from Praat's (mostly the next one); *cents* is the median distance of F0.
- *only here*: voiced here and not in Praat, in percent of those voiced here; *missed*: the reverse, of Praat's.
- formants: means over all that is voiced here, and over all that is voiced in Praat.
- jitter, shimmer, HNR: medians over the clips. Here a clip's value is the mean over its voiced frames, of the cycles
  around each; Praat's jitter and shimmer are those of all cycles of a clip, its HNR the mean over its voiced frames.

Praat is no truth. Its own other method, cross-correlation, differs from it as well:
{itself}.
Methods differ where a voice sets in or dies away, in creak (irregular, or every other cycle weaker: either octave can
be meant), breath and whisper; emotions spoken like that, or shouted, show it most."""

# what is asked, by its name in the JSON
ASKED = {
    "gross": "F0 more than 20 % from Praat's, of frames voiced in both",
    "extra": "voiced here and not in Praat, of frames voiced here",
    "missed": "voiced in Praat and not here, of frames voiced in Praat",
    "f1_mean": "mean F1, distance from Praat's",
    "f2_mean": "mean F2, distance from Praat's",
    "f2_off": "F2 more than 20 % from Praat's, of frames voiced in both",
    "jitter": "median jitter, distance from Praat's",
    "shimmer": "median shimmer, distance from Praat's",
}


def list_features(write: bool) -> None:
    params = load_params()
    if not VOICES.is_file():
        click.echo(f"{VOICES} is missing: the page says nothing of Praat ({MEASURE} writes it)", err=True)
    if not write:
        print(document(params))
        return
    write_text(document(params), DOCUMENT)
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
        level=table(("value", "unit", "definition"), rows_of(RECORDED_LEVEL)),
        compact="\n".join(f"{number}. `{name}`" for number, name in enumerate(names_of(params, "compact"), start=1)),
        praat=beside_praat(),
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


def beside_praat() -> str:
    """Return what was measured beside Praat, in words and tables; where it was not, how it is."""
    if not VOICES.is_file():
        return f"Not measured: `{MEASURE}` does it (RAW is the folder of the corpora), and writes `{VOICES}`."
    found = json.loads(VOICES.read_text(encoding="utf-8"))
    wholes = [row for row in found["rows"] if "held_to" in row]
    asked = [
        (ASKED[name], f"< {limit:g}", *(f"{row['held_to'][name]:.1f}" for row in wholes))
        for name, limit in found["limits"].items()
    ]
    header = ("group", "frames", "gross %", "only here %", "missed %", "cents", "F1 Hz", "off %", "F2 Hz", "off %")
    header += ("F3 Hz", "off %", "jitter %", "shimmer dB", "HNR dB")
    return PRAAT.format(
        version=found["praat-parselmouth"],
        command=found["command"],
        report=VOICES,
        sample_rate=found["sample_rate"],
        step=1000 * found["hop_length"] / found["sample_rate"],
        floor=found["floor"],
        ceilings=in_hertz(found["ceiling"]),
        formants=in_hertz(found["formant_ceiling"]),
        itself="; ".join(map(praat_itself, (row for row in wholes if row["sex"] == "all"))),
        limits=table(("measure", "limit", *map(group_name, wholes)), asked),
        voices=table(header, map(voice_row, found["rows"])),
    )


def in_hertz(limits: dict[str, float]) -> str:
    return " and ".join(f"{hz:g} Hz ({name})" for name, hz in limits.items())


def group_name(row: dict) -> str:
    return ", ".join([row["corpus"], *(row[key] for key in ("sex", "emotion") if row[key] != "all")])


def praat_itself(row: dict) -> str:
    """Say how far the methods of Praat differ."""
    other = row["itself"]
    shares = (("gross", "gross"), ("extra", "only there"), ("missed", "missed"))
    return f"{row['corpus']} " + ", ".join(f"{other[name]:.1f} % {words}" for name, words in shares)


def voice_row(row: dict) -> tuple[str, ...]:
    """Return the cells of a group of clips in the table beside Praat."""

    def pair(name: str, digits: int) -> str:
        return f"{row[f'{name}_here']:.{digits}f}, {row[f'{name}_praat']:.{digits}f}"

    shares = (f"{row[name]:.1f}" for name in ("gross", "extra", "missed", "cents"))
    formants = (cell for name in ("f1", "f2", "f3") for cell in (pair(name, 0), f"{row[f'{name}_off']:.1f}"))
    return group_name(row), str(row["both"]), *shares, *formants, pair("jitter", 2), pair("shimmer", 2), pair("hnr", 1)


def rows_of(values: dict[str, tuple[str, str]]) -> Iterable[tuple[str, ...]]:
    return ((f"`{name}`", unit, definition) for name, (unit, definition) in values.items())


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@click.command(help=help_of(__doc__))
@click.option("--write", is_flag=True, help=f"Write {DOCUMENT} instead of printing it.")
def command(write: bool) -> None:
    list_features(write)

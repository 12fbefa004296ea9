"""Thousands of made corpora: each clip is read with its label and its speaker, or a line says why not."""

import random
from collections import Counter
from pathlib import PurePosixPath

import pytest

from conftest import FULL
from made_layouts import made_tree
from ser.naming.layouts import AmbiguousLayoutError, find_layout
from ser.naming.spellings import spelling_key


def outcome(tree):
    """Return what became of a corpus, and the first wrong thing that was read, which there must not be."""
    files = [PurePosixPath(path) for path in sorted(tree.clips)]
    try:
        layout = find_layout(files)
    except AmbiguousLayoutError as error:
        assert len(str(error).splitlines()) == 1 and "prepare.pattern" in str(error)
        return "asked", ""
    refused, unknown, who, ids = 0, 0, {}, {}
    for file in files:
        clip, said = tree.clips[str(file)], layout.read(file)
        if isinstance(said, str):
            assert said and len(said.splitlines()) == 1
            refused += bool(clip.emotion)
            continue
        speaker = said.get("speaker", "")
        if spelling_key(said["emotion"]) != spelling_key(clip.emotion):
            return "wrong", f"{file}: the label {said}, not {clip}"
        if speaker and (
            not clip.speaker
            or who.setdefault(speaker, clip.speaker) != clip.speaker
            or ids.setdefault(clip.speaker, speaker) != speaker
        ):
            return "wrong", f"{file}: the speaker {said}, not {clip}"
        if said.get("fold", "") != clip.fold or clip.sex and said.get("sex", clip.sex) != clip.sex:
            return "wrong", f"{file}: {said}, not {clip}"
        unknown += bool(clip.speaker and not speaker)
    return ("some refused" if refused else "speakers unknown" if unknown else "right"), ""


def check(seeds):
    counts, wrong = Counter(), []
    for seed in seeds:
        tree = made_tree(random.Random(seed))
        became, why = outcome(tree)
        counts[tree.clear, became] += 1
        if became == "wrong":
            wrong.append(f"seed {seed} ({tree.shape}): {why}")
    assert not wrong, wrong
    clear = sum(number for (is_clear, _), number in counts.items() if is_clear)
    assert counts[True, "right"] >= 0.95 * clear
    assert counts[False, "asked"] > 0  # the made ones hold what nobody can tell


def test_made_corpora():
    check(range(400))


@pytest.mark.verify
def test_many_made_corpora():
    check(range(1_000_000, 1_000_000 + (20_000 if FULL else 2_000)))

"""People whom several corpora share: they are one speaker each, or nobody could keep them on one side of a fold.

A speaker is ``<name>:<id>``, where the name is that of the corpus, or the one in whose sense its ids are to be read
(``prepare.speaker_ids``); or the id that a table states as global, as it is.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from ser.corpora.known_corpora import KNOWN, canonical_name
from ser.errors import InputError

SHOWN = 3  # ids in a message


def read_speaker_ids(
    corpora: Sequence[str], speaker_ids: Mapping[str, str], called: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Return by corpus the name in whose sense its ids are to be read, of those for which one is stated.

    Parameters
    ----------
    corpora : sequence of str
        ``prepare.corpora``, spelt in any way, as those of the keys and names are.
    speaker_ids : mapping of str to str
        ``prepare.speaker_ids``.
    called : mapping of str to str
        What a corpus is called in the tables, where that is not its name.

    Raises
    ------
    InputError
        If a key is no corpus of these, or is there twice, or two names differ in case only.
    """
    there, stated = [called.get(corpus, canonical_name(corpus)) for corpus in corpora], {}
    for key, name in speaker_ids.items():
        corpus = called.get(key, canonical_name(key))
        if corpus not in there:
            raise InputError(
                f"prepare.speaker_ids names {key}, which is not in prepare.corpora; allowed are {', '.join(there)}"
            )
        if corpus in stated:
            raise InputError(f"prepare.speaker_ids names {corpus} twice ({', '.join(speaker_ids)}): keep one")
        stated[corpus] = canonical_name(name.strip())
    spellings = {}
    for name in [*stated.values(), *there] if stated else []:
        if (other := spellings.setdefault(name.casefold(), name)) != name:
            raise InputError(f"prepare.speaker_ids: {other} and {name} differ in case only: spell them alike")
    return stated


def settle_speakers(tables: Sequence[pd.DataFrame], stated: Mapping[str, str]) -> list[pd.DataFrame]:
    """Return tables of clips in which every person is spelt in one way.

    Parameters
    ----------
    tables : sequence of pd.DataFrame
        ``corpus, speaker`` of a corpus each; others, such as those of unusable files, are returned as they are.
    stated : mapping of str to str
        See `read_speaker_ids`.

    Raises
    ------
    InputError
        If ids occur in several corpora of one's own, for one of which at least nothing is stated, and nobody says
        whether they are the same people; or if global speakers differ in case, spaces or zeros only.
    """
    ids, strangers = defaultdict(lambda: defaultdict(set)), defaultdict(set)
    of_own, sharing = defaultdict(lambda: defaultdict(set)), defaultdict(set)
    for table in tables:
        for corpus, speaker in _speakers(table):
            name = stated.get(corpus, corpus)
            if not speaker.startswith(f"{name}:"):
                strangers[_key(speaker)].add(speaker)
                continue
            spelling = speaker.removeprefix(f"{name}:")
            ids[name][_key(spelling)].add(spelling)
            sharing[name].add(corpus)
            # a corpus that is named as itself has people of its own; one that shares a name may share them with others
            if corpus not in KNOWN and corpus != "demo" and stated.get(corpus) != corpus:
                of_own[_key(spelling)][corpus].add(spelling)
    recurring = {
        key: corpora
        for key, corpora in of_own.items()
        if len({stated.get(corpus, corpus) for corpus in corpora}) > 1
        and not all(corpus in stated for corpus in corpora)
    }
    if recurring:
        raise InputError(_ask(recurring, stated))
    for spellings in strangers.values():
        if len(spellings) > 1:
            how = "case" if len({spelling.casefold() for spelling in spellings}) == 1 else "spaces or zeros"
            raise InputError(
                f"global speakers {' and '.join(sorted(spellings))} differ in {how} only: spell them alike"
            )
    alike = {
        f"{name}:{spelling}": f"{name}:{min(spellings)}"
        for name, found in ids.items()
        if len(sharing[name]) > 1
        for spellings in found.values()
        for spelling in spellings
    }
    return [table.assign(speaker=table["speaker"].replace(alike)) if "speaker" in table else table for table in tables]


def alike_in_words(speakers: Sequence[str]) -> str:
    """Say which of the speakers of a corpus may be one person, spelt in two ways; an empty text if none may."""
    spellings = defaultdict(list)
    for speaker in sorted(set(speakers)):
        spellings[_key(speaker)].append(speaker.partition(":")[2] or speaker)
    alike = [" and ".join(found) for found in spellings.values() if len(found) > 1]
    if not alike:
        return ""
    some = ", ".join(alike[:SHOWN]) + ", …" * (len(alike) > SHOWN)
    return f"speakers who differ in case, spaces or zeros only are taken for several: {some}; spell alike who is one"


def _key(name: str) -> str:
    """Return what is alike of the spellings of an id: neither case, Unicode form, spaces nor the zeros of 01 matter."""
    words = " ".join(unicodedata.normalize("NFC", name.casefold()).split())
    return re.sub(r"(?<!\d)0+(?=\d)", "", words)


def _speakers(table: pd.DataFrame) -> list[tuple[str, str]]:
    if "speaker" not in table:
        return []
    known = table.loc[table["speaker"] != "", ["corpus", "speaker"]].drop_duplicates()
    return list(known.itertuples(index=False, name=None))


def _ask(recurring: Mapping[str, Mapping[str, set[str]]], stated: Mapping[str, str]) -> str:
    """Ask whether the ids that recur in corpora are of the same people, and say how to answer."""
    corpora = sorted({corpus for found in recurring.values() for corpus in found})
    shown = sorted(min(min(spellings) for spellings in found.values()) for found in recurring.values())
    some = ", ".join(shown[:SHOWN]) + ", …" * (len(shown) > SHOWN)
    people = next((stated[corpus] for corpus in corpora if corpus in stated), "people")
    same = ", ".join(f"{corpus}: {people}" for corpus in corpora)
    others = ", ".join(f"{corpus}: {stated.get(corpus, corpus)}" for corpus in corpora)
    return (
        f"{len(shown)} speaker id{'s' * (len(shown) != 1)} ({some}) occur{'s' * (len(shown) == 1)} in several corpora "
        f"({', '.join(corpora)}), so that nobody knows who may be tested on whom: for the same people set "
        f"prepare.speaker_ids to {{{same}}}, for others to {{{others}}}"
    )

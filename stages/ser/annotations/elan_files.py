"""ELAN's annotation files (``.eaf``): tiers, and the times of annotations that refer to others."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ser.storage.delimited_tables import BrokenTableError

MOST_BYTES = 128 * 2**20
DEEPEST = 64  # elements in elements; a file of ELAN has 6


class Annotation(NamedTuple):
    """A label, from and to in seconds, and why it has no times of its own (empty if it has)."""

    start: float
    end: float
    label: str
    reason: str = ""


class ElanTier(NamedTuple):
    """A tier: its name, whose utterances it annotates (empty if it does not say), and the annotations."""

    name: str
    participant: str
    annotations: list[Annotation]


class ElanFile(NamedTuple):
    """The recordings that a file annotates, as it names them, the nearest first, and its tiers."""

    media: list[str]
    tiers: list[ElanTier]


def read_elan(file: BinaryIO, name: str) -> ElanFile:
    """Read a file of ELAN.

    Raises
    ------
    BrokenTableError
        If it is none, is cut off, or declares a document type, with which XML can name other files and grow without
        end; ELAN never does.
    """
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BrokenTableError(f"{name} is larger than {MOST_BYTES // 2**20} MiB, which no annotation of speech is")
    root = _parsed(content, name)
    if root.tag != "ANNOTATION_DOCUMENT":
        raise BrokenTableError(f"{name} is XML, but no file of ELAN: its root is {root.tag[:40]}")
    header = root.find("HEADER")
    unit = 1.0 if header is not None and header.get("TIME_UNITS", "").lower() == "seconds" else 0.001
    media = list(root.iter("MEDIA_DESCRIPTOR"))
    origins = {descriptor.get("TIME_ORIGIN") or "0" for descriptor in media}
    origin = _float(origins.pop()) if len(origins) == 1 else 0.0
    slots = {
        slot.get("TIME_SLOT_ID"): (_float(slot.get("TIME_VALUE")) + origin) * unit
        for slot in root.iter("TIME_SLOT")
        if slot.get("TIME_VALUE")
    }
    times = _times(root, slots)
    tiers = [
        ElanTier(tier.get("TIER_ID", ""), tier.get("PARTICIPANT", "").strip(), list(_annotations(tier, times)))
        for tier in root.iter("TIER")
    ]
    return ElanFile([path for descriptor in media for path in _paths(descriptor)], tiers)


def _parsed(content: bytes, name: str) -> Element:
    builder, parser = TreeBuilder(), expat.ParserCreate()
    depth = 0

    def refuse(*_) -> None:
        raise BrokenTableError(f"{name} declares a document type, which no file of ELAN does: save it in ELAN again")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise BrokenTableError(f"{name} is no file of ELAN: its elements lie in each other {depth} deep")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
        return builder.close()
    except (expat.ExpatError, ValueError, AssertionError, LookupError) as error:
        if isinstance(error, BrokenTableError):
            raise
        raise BrokenTableError(f"{name} is no XML, or is cut off ({error}): save it in ELAN again") from None


def _times(root: Element, slots: dict[str, float]) -> dict[str, tuple[float, float] | None]:
    """Return the times of annotations by their ids; None of those that are not aligned."""
    times: dict[str, tuple[float, float] | None] = {}
    for annotation in root.iter("ALIGNABLE_ANNOTATION"):
        start, end = (slots.get(annotation.get(key)) for key in ("TIME_SLOT_REF1", "TIME_SLOT_REF2"))
        times[annotation.get("ANNOTATION_ID", "")] = None if start is None or end is None else (start, end)
    parents = {a.get("ANNOTATION_ID", ""): a.get("ANNOTATION_REF", "") for a in root.iter("REF_ANNOTATION")}
    for child in parents:
        chain, at = [], child
        while at in parents and at not in times and at not in set(chain[-DEEPEST:]) and len(chain) <= DEEPEST:
            chain.append(at)
            at = parents[at]
        for annotation in chain:
            times[annotation] = times.get(at)
    return times


def _annotations(tier: Element, times: dict[str, tuple[float, float] | None]) -> Iterator[Annotation]:
    parents: dict[str, int] = {}
    for annotation in tier.iter("REF_ANNOTATION"):
        parent = annotation.get("ANNOTATION_REF", "")
        parents[parent] = parents.get(parent, 0) + 1
    for annotation in tier.iter():
        if annotation.tag not in ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION"):
            continue
        label = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
        found = times.get(annotation.get("ANNOTATION_ID", ""))
        reason = "" if found else "it is not aligned to a time"
        if parents.get(annotation.get("ANNOTATION_REF", ""), 0) > 1:
            reason = reason or "it is one of several that share the times of one annotation"
        yield Annotation(*(found or (0.0, 0.0)), label, reason)


def _paths(descriptor: Element) -> Iterator[str]:
    for key in ("RELATIVE_MEDIA_URL", "MEDIA_URL"):
        if url := descriptor.get(key, "").strip():
            path = unquote(url)
            yield path[7:] if path.lower().startswith("file://") else path


def _float(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return float("nan")

"""The card that lies in a model's folder: what it is, what it learnt from and under which licences, for a person.

The card of a whole run, with its protocol and all scores, is that of `ser.reporting.model_card`. What is said of
licences, there and everywhere else, comes from here: what a licence states is read off its text, and no more.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ser.storage.whole_files import written

CARD = "model_card.md"
UNKNOWN, OTHER = "unknown", "terms of its own"
UNSTATED = r"none|unknown|unspecified|unstated|other|n/?a|\?"
CODES = r"(?:[- ]?(?:nc|nd|sa))*"  # after BY
# What the names and summaries of licences say. Creative Commons: https://creativecommons.org/licenses/; Open Data
# Commons: https://opendatacommons.org/licenses/
TERMS = {
    "non-commercial": rf"\bby{CODES}[- ]?nc{CODES}\b|non[- ]?commercial|\bnot? (?:for )?(?:any )?commercial",
    "no derivatives": rf"\bby{CODES}[- ]?nd{CODES}\b|no[- ]?deriv",
    "share alike": rf"\bby{CODES}[- ]?sa{CODES}\b|share[- ]?alike|\bodbl\b|open database licen[cs]e|\bgpl|copyleft",
    "research use": r"research|academic|scientific",
    "on registration": r"registration|on request|agreement|\beula\b",
    UNKNOWN: r"\b(?:none|not) stated\b",
}
PERMISSIVE = (
    r"\bcc[- ]?0\b|creative ?commons[- ]zero|public domain|\bcc[- ]?by\b|creative ?commons[- ]attribution|\bpddl\b|"
    r"\bodc[- ]by\b|\bmit\b|\bapache\b|\bbsd\b"
)
SEVERAL = r";|\(\d+ files\)"  # between the licences of a corpus; see `ser.corpora.licences`
ADVICE = "This is a pointer, not legal advice."


def terms_of(licence: str) -> list[str]:
    """Return what the text of a licence says that restricts use: keys of `TERMS`, or `OTHER`.

    Nothing is returned of a text that names a licence known to ask for no more than credit, and, if it names several,
    none else. Words are looked for; the text is not understood.

    Parameters
    ----------
    licence : str
        Such as ``CC BY-NC-SA 4.0`` or ``free for research``; empty where it is not known.
    """
    text = " ".join(licence.split()).lower()
    if not text or re.fullmatch(UNSTATED, text):
        return [UNKNOWN]
    found = [term for term, words in TERMS.items() if re.search(words, text)]
    parts = [part for part in re.split(SEVERAL, text) if part.strip(" ,")]
    if parts and all(re.search("|".join([*TERMS.values(), PERMISSIVE]), part) for part in parts):
        return found
    return [*found, OTHER]


def licence_in_words(corpus: Mapping) -> str:
    """Return the licence of a corpus and what it says, such as ``CC BY-NC-SA 4.0 (non-commercial, share alike)``.

    Parameters
    ----------
    corpus : mapping
        Its ``licence``, empty where it is not known, and whether it is ``synthetic``.
    """
    licence = " ".join(corpus["licence"].split())
    if not licence:
        return "synthetic, made by this project" if corpus["synthetic"] else "unknown: fill in"
    said = [
        term
        for term in terms_of(licence)
        if term not in (OTHER, UNKNOWN) and term.removesuffix(" use") not in licence.lower()
    ]
    return f"{licence} ({', '.join(said)})" if said else licence


def inherited_terms(corpora: Mapping[str, Mapping]) -> list[str]:
    """Say what of the licences of corpora may bind the weights that were learnt from them, a sentence an item.

    Parameters
    ----------
    corpora : mapping of str to mapping
        By name; see `licence_in_words`.
    """
    terms = {name: terms_of(corpus["licence"]) for name, corpus in corpora.items() if not _made_here(corpus)}
    if not terms:
        return [
            "All that was learnt from is synthetic speech that this project made: it comes with no terms of others."
        ]
    said = []
    binding = {name: [term for term in found if term not in (UNKNOWN, OTHER)] for name, found in terms.items()}
    if named := [f"{name} ({', '.join(found)})" for name, found in binding.items() if found]:
        said.append(
            f"Weights learnt from {_listed(named)} may inherit {'its' if len(named) == 1 else 'their'} terms. Whether "
            "they do is not settled: find out before the model is used otherwise or passed on."
        )
    if unknown := [name for name, found in terms.items() if UNKNOWN in found]:
        said.append(
            f"Of {_listed(unknown)} no licence is known, at least not for all files: find out what is allowed, and "
            "state it in prepare.licences."
        )
    if others := [name for name, found in terms.items() if OTHER in found]:
        said.append(f"What the licence of {_listed(others)} asks has to be read there.")
    return [*(said or ["None of these licences is known here to ask for more than credit."]), ADVICE]


def voices_of(corpora: Mapping[str, Mapping]) -> str:
    """Return the corpora with human voices and their licences, such as ``x (CC BY 4.0) and y (licence unknown)``."""
    human = {name: " ".join(corpus["licence"].split()) for name, corpus in corpora.items() if not corpus["synthetic"]}
    return _listed([f"{name} ({licence or 'licence unknown'})" for name, licence in human.items()])


def terms_of_encoders(encoders: Sequence[str]) -> list[str]:
    """Say in a line, if any, that pretrained encoders have licences of their own; by where they came from."""
    have = "has a licence of its own" if len(encoders) == 1 else "have licences of their own"
    found = f"What was pretrained, {_listed([*encoders])}, {have}, to be found where it came from." if encoders else ""
    return [found] if found else []


def encoders_of(description: Mapping, folder: Path) -> list[str]:
    """Return where the pretrained encoders of a model, or of the members of an ensemble, came from."""
    members = description.get("members", [])
    texts = [(folder / "members" / name / "model.json").read_text(encoding="utf-8") for name in members]
    inputs = [about.get("input", {}) for about in (description, *map(json.loads, texts))]
    return sorted({own["checkpoint"]["source"] for own in inputs if "checkpoint" in own})


def _made_here(corpus: Mapping) -> bool:
    return corpus["synthetic"] and not corpus["licence"]


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def write_card(description: dict, folder: Path) -> None:
    """Write the card of a model, from what its ``model.json`` says."""
    learnt, scores = description["learnt_from"], description["scores"]
    which = f", the model of {description['fold']}" if description["fold"] else ""
    lines = [
        f"# Model card: `{description['model']}`{which}",
        "",
        f"Says of a recording of one person speaking how probable each of {len(description['classes'])} emotions is: "
        f"{', '.join(description['classes'])}. It judges how a clip sounds, not what anybody feels.",
        "",
    ]
    if (seeds := description.get("seeds", 1)) > 1:
        lines += [f"It is {seeds} networks that differ by their seed alone, and answers by the mean of theirs.", ""]
    if all(corpus["synthetic"] for corpus in learnt["corpora"].values()):
        lines += ["> It has only ever heard synthetic speech: what it says of people means nothing.", ""]
    tested_adapted = description.get("adapt", "none") != "none"  # the models that were scored were adapted to the test
    if adapted := description.get("adapted"):
        before = "what it learnt from" if tested_adapted else "what it learnt from, and how good it is,"
        lines += [
            f"It was adapted to {adapted['clips']:,} recordings of {adapted['speakers']} speakers, {_told(adapted)}: "
            f"it is for such recordings. What is said below of {before} is of the model as it was before.",
            "",
        ]
    if description["normalization"] == "speaker":
        lines += ["It wants several clips of each speaker: it normalises the voice of each by itself.", ""]
    if description["copies"]:
        lines += [
            "Its answer is the mean over the recording and changed copies of it, which takes as long again for each: "
            f"{', '.join(description['copies'])}.",
            "",
        ]
    lines += [
        "## What it learnt from",
        "",
        f"{learnt['clips']:,} clips of {learnt['speakers'] or 'unknown'} speakers.",
        "",
        "| corpus | clips | speakers | languages | licence |",
        "| --- | ---: | ---: | --- | --- |",
        *(_line(name, corpus) for name, corpus in learnt["corpora"].items()),
        "",
        _plain(" ".join(inherited_terms(learnt["corpora"]))),
        "",
        *(f"{_plain(line)}\n" for line in terms_of_encoders(encoders_of(description, folder))),
        "## How good it is",
        "",
        "Unweighted average recall (UAR, the mean of the recalls of the emotions) "
        + ("of this model" if description["fold"] else "of the models of the folds, made the same way")
        + (", adapted to the corpus that is tested" if tested_adapted else "")
        + f": {scores.get('test_uar', 0.0):.3f} on test clips"
        + (f", {scores['validation_uar']:.3f} on those of validation speakers" if "validation_uar" in scores else "")
        + (" before that" if tested_adapted and "validation_uar" in scores else "")
        + f"; guessing reaches {1 / len(description['classes']):.3f}. Protocol and intervals are in the report of the "
        "run. Speech of other people, languages, rooms and microphones may fare far worse.",
        "",
        "## What it must not be used for",
        "",
        "Deciding anything about a person; listening to people who do not know of it or have not agreed; detecting "
        "lies, illness or intent. In the European Union, inferring emotions of people at work or in education is "
        "prohibited but for medical or safety reasons (Regulation (EU) 2024/1689, Article 5(1)(f)), and people must be "
        "told where such a system is used elsewhere (Article 50(3)). This is a pointer, not legal advice.",
    ]
    with written(folder / CARD) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _told(adapted: Mapping) -> str:
    """Say of how many of the recordings that a model was adapted to, now or earlier, it was told the emotion."""
    told = adapted.get("labelled_clips", 0)
    while adapted := adapted.get("before", {}):
        told += adapted.get("labelled_clips", 0)
    return f"and told the emotion of {told:,}" if told else "whose emotions it was not told"


def _line(name: str, corpus: dict) -> str:
    languages = ", ".join(corpus["languages"]) or "unknown"
    licence = licence_in_words(corpus)
    cells = (name, f"{corpus['clips']:,}", corpus["speakers"] or "unknown", languages, licence)
    return "| " + " | ".join(_plain(str(cell)) for cell in cells) + " |"


def _plain(text: str) -> str:
    """Return text that Markdown takes literally, in one line."""
    return re.sub(r"([\\`*_\[\]<>|#&])", r"\\\1", " ".join(text.split()))

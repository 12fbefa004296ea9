"""From the labels of one's own corpus, as they are written, to the labels of its clips.

All labels of the corpus are looked at together: ``A`` is anger only where the others are letters of the same scheme.
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from ser.naming.emotion_words import noun_and_word
from ser.naming.spellings import plain, spelling_key

LONGEST = 100  # characters of a label; longer ones are texts
NO_AGREEMENT = "the raters did not agree, or on something else: no label"


class ReadLabels(NamedTuple):
    """What the labels of a corpus mean.

    Attributes
    ----------
    labels : dict of str to str
        By label as written, the label; an empty text where it is none.
    note : str
        What a person should know of how they were read: one line, empty if there is nothing to say.
    reasons : dict of str to str
        By label as written, why it is none.
    """

    labels: dict[str, str]
    note: str
    reasons: dict[str, str]


class Scheme(NamedTuple):
    """Codes that stand for emotions; an empty emotion is no label."""

    name: str
    emotions: Mapping[str, str]


IEMOCAP = Scheme(
    "the three-letter codes of IEMOCAP and its like",
    {
        "ang": "anger", "anx": "anxiety", "bor": "boredom", "cal": "calm", "con": "contempt", "dis": "disgust",
        "exc": "excitement", "fea": "fear", "fru": "frustration", "hap": "happiness", "joy": "happiness",
        "neu": "neutral", "sad": "sadness", "sur": "surprise", "oth": "", "xxx": "",
    },
)  # fmt: skip
ENGLISH_LETTERS = Scheme(
    "the letters of MSP-IMPROV and MSP-Podcast",
    {
        "a": "anger", "c": "contempt", "d": "disgust", "f": "fear", "h": "happiness", "n": "neutral", "s": "sadness",
        "u": "surprise", "o": "", "x": "",
    },
)  # fmt: skip
GERMAN_LETTERS = Scheme(
    "the German letters of EMO-DB",
    {
        "w": "anger", "l": "boredom", "e": "disgust", "a": "fear", "f": "happiness", "t": "sadness", "n": "neutral",
    },
)  # fmt: skip
LETTERS = (ENGLISH_LETTERS, GERMAN_LETTERS)
FEWEST_LETTERS = 3  # of a scheme: T and F are also true and false, S and N stressed and not
MARKS = set("abcdef")  # letters that are only these are marks of a school, or just counted


def read_labels(written: Collection[str]) -> ReadLabels:
    """Read all labels of one corpus.

    Parameters
    ----------
    written : collection of str
        The distinct labels as a table, names of folders or an annotation state them.

    Returns
    -------
    ReadLabels
        One label in several spellings (see `ser.naming.spellings`) is one. Forms of the nine English words become
        their nouns, codes what they stand for if all of the corpus fit one scheme; other words stay as they are.
    """
    written = sorted(set(written))
    reasons = {text: reason for text in written if (reason := why_no_label(text))}
    spellings = _by_key(text for text in written if text not in reasons)
    if codes := _codes(spellings):
        labels, notes = codes
    else:
        labels, notes = _words(spellings)
    reasons |= {text: NO_AGREEMENT for key, texts in spellings.items() if not labels[key] for text in texts}
    of_text = {text: labels[key] for key, texts in spellings.items() for text in texts} | dict.fromkeys(reasons, "")
    return ReadLabels({text: of_text[text] for text in written}, "; ".join(notes), reasons)


def why_no_label(text: str) -> str:
    """Say why a text cannot be a label; an empty text if it can."""
    shown = plain(text)
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in shown):
        return f"the label {shown[:LONGEST]!a} holds a control character, or bytes that are no UTF-8"
    if all(unicodedata.category(char)[0] in "PZC" for char in shown):
        return f"the label {shown[:LONGEST]!r} holds no letter, digit or sign"
    if len(shown) > LONGEST:
        return f"the label {shown[:20]!r}… has {len(shown)} characters, a label at most {LONGEST}"
    return ""


def fits_codes(texts: Iterable[str]) -> bool:
    """Tell whether labels are codes of one scheme, or of two so that nobody knows which."""
    keys = {spelling_key(text) for text in texts}
    return keys <= IEMOCAP.emotions.keys() and _stating(keys, IEMOCAP) > 1 or bool(_fitting_letters(keys))


def _by_key(texts: Iterable[str]) -> dict[str, list[str]]:
    """Gather spellings of one label; the capital I of Turkish is that of ``kızgın`` where there is such a label."""
    keys = {text: spelling_key(text) for text in texts}
    certain = {key for text, key in keys.items() if "I" not in text}
    spellings: dict[str, list[str]] = {}
    for text, key in keys.items():
        turkish = spelling_key(text.replace("I", "ı"))
        spellings.setdefault(turkish if turkish in certain and key not in certain else key, []).append(text)
    return spellings


def _shown(texts: list[str]) -> str:
    """Return the spelling that stands for all: in lower case if one is, else the first."""
    texts = [plain(text) for text in texts]
    return min([text for text in texts if text == text.lower()] or texts)


def _stating(keys: Iterable[str], scheme: Scheme) -> int:
    return sum(bool(scheme.emotions[key]) for key in keys)


def _fitting_letters(keys: Collection[str]) -> list[Scheme]:
    """Return the schemes of letters that could have given all labels; none where they are too few to tell."""
    fitting = [scheme for scheme in LETTERS if keys <= scheme.emotions.keys()]
    return [scheme for scheme in fitting if _stating(keys, scheme) >= FEWEST_LETTERS and not keys <= MARKS]


def _codes(spellings: Mapping[str, list[str]]) -> tuple[dict[str, str], list[str]] | None:
    """Return the labels by key if all are codes of one scheme, and the note; None if they are not."""
    keys = set(spellings)
    words = all(noun_and_word(key) for key in keys)
    fitting = [IEMOCAP] if keys <= IEMOCAP.emotions.keys() and not words else _fitting_letters(keys)
    if not fitting or not _stating(keys, fitting[0]):
        return None
    meanings = [{key: scheme.emotions[key] for key in sorted(keys)} for scheme in fitting]
    if any(meaning != meanings[0] for meaning in meanings):
        return None
    meaning = meanings[0]
    if {"joy", "hap"} <= keys:  # two labels of one corpus
        meaning["joy"] = "joy"
    said = ", ".join(f"{_shown(spellings[key])} = {meaning[key]}" for key in meaning if meaning[key])
    none = [_shown(spellings[key]) for key in meaning if not meaning[key]]
    note = f"the labels are {fitting[0].name}: {said}"
    if none:
        note += f"; {' and '.join(none)} {'is no label' if len(none) == 1 else 'are no labels'}"
    return meaning, [note]


def _words(spellings: Mapping[str, list[str]]) -> tuple[dict[str, str], list[str]]:
    """Return the labels by key where they are words, and what to say of them."""
    keys, notes = set(spellings), []
    found = {key: noun_and_word(key) for key in keys}
    words_of: dict[str, set[str]] = {}
    for noun, word in filter(None, found.values()):
        words_of.setdefault(noun, set()).add(word)
    labels = {}
    for key in sorted(keys):
        noun, word = found[key] or ("", "")
        labels[key] = (noun if len(words_of[noun]) == 1 else word) if noun else _shown(spellings[key])
        if key == "xxx" and len(keys) > 1 or key == "oth" and all(found[other] for other in keys - {"xxx", "oth"}):
            labels[key] = ""
    other = [key for key in sorted(keys) if found[key] and found[key][1] != found[key][0] == labels[key]]
    if other:
        said = ", ".join(f"{_shown(spellings[key])} = {labels[key]}" for key in other)
        notes.append(f"{said}, as in published corpora (prepare.rename keeps another word)")
    for _, words in sorted(words_of.items()):
        if len(words) > 1:
            notes.append(f"{' and '.join(sorted(words))} stay {len(words)} labels (prepare.rename makes them one)")
    return labels, notes + _hints(spellings, {key for key in keys if not found[key] and labels[key]})


def _hints(spellings: Mapping[str, list[str]], unread: set[str]) -> list[str]:
    """Say which labels stay as they are though they could be codes."""
    letters = sorted(key for key in unread if len(key) == 1 and any(key in scheme.emotions for scheme in LETTERS))
    if letters and len(letters) == len(spellings):
        fitting = [scheme for scheme in LETTERS if all(key in scheme.emotions for key in letters)]
        meant = " or ".join(f"{scheme.name} ({_said(letters, scheme)})" for scheme in fitting)
        if meant:
            return [f"the labels could be {meant}: they stay as they are, prepare.rename says what they mean"]
    codes = sorted(key for key in unread if len(key) == 3 and IEMOCAP.emotions.get(key) is not None)
    if codes:
        shown = ", ".join(_shown(spellings[key]) for key in codes)
        return [f"{shown}: no codes, as not all labels are codes; prepare.rename says what they mean"]
    return []


def _said(letters: Iterable[str], scheme: Scheme) -> str:
    return ", ".join(f"{letter.upper()} = {scheme.emotions[letter] or 'no label'}" for letter in letters)

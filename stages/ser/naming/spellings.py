"""What makes two spellings of a word one: upper and lower case, forms of Unicode, what separates its parts."""

import re
import unicodedata
from collections.abc import Iterable

# <super>, <sub>, <circle>, <fraction> and <square> are other signs, not other forms of one
_FORMS = ("<wide>", "<narrow>", "<initial>", "<medial>", "<final>", "<isolated>", "<noBreak>", "<compat>", "<font>")
# a hyphen between two words or a word and a number is no minus
_SEPARATORS = re.compile(
    r"(?<=\S)[\s_]+[-\u2010-\u2015][\s_]+(?=\S)|(?<=[^\s_\d])[-\u2010-\u2015](?=\S)"
    r"|(?<=\d)[-\u2010-\u2015](?=[^\s_\d])|[\s_]+"
)
_SPACES = re.compile(r" +")
_FOLDED_MARKS = 10  # canonical combining classes from here are accents; those below make other letters (Indic, kana)


def composed(text: str) -> str:
    """Return a text in NFC: names from macOS have letters with accents in two parts."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def plain(text: str) -> str:
    """Return a text in NFC, without space around it and without characters that only tell how it is laid out.

    Joiners stay inside: some scripts write words with them.
    """
    if text.isascii():
        return text.strip()
    text = "".join(char for char in text if unicodedata.category(char) != "Cf" or char in "\u200c\u200d")
    return unicodedata.normalize("NFC", text).strip().strip("\u200c\u200d").strip()


def spelling_key(text: str) -> str:
    """Return what all spellings of a label have in common.

    ``Pleasant_Surprise``, ``pleasant surprise`` and ``ＰＬＥＡＳＡＮＴ-surprise`` are one; ``-1`` and ``1`` are two.
    """
    text = plain(text)
    if not text.isascii():
        text = "".join(_one_form(char) for char in text if char not in "\u200c\u200d")
        text = unicodedata.normalize("NFC", text.replace("İ", "i")).casefold()
        text = unicodedata.normalize("NFC", text)
    else:
        text = text.lower()
    return _SPACES.sub(" ", _SEPARATORS.sub(" ", text)).strip()


def one_spelling(labels: Iterable[str]) -> dict[str, str]:
    """Return for each label the one spelling of all that are the same: in lower case if one is, else the first."""
    spellings: dict[str, list[str]] = {}
    for label in dict.fromkeys(labels):
        spellings.setdefault(spelling_key(label), []).append(label)
    one = {key: min([text for text in texts if text == text.lower()] or texts) for key, texts in spellings.items()}
    return {label: one[key] for key, texts in spellings.items() for label in texts}


def search_key(text: str) -> str:
    """Return a key under which a word is found in a lexicon also where it is written without its accents."""
    key = spelling_key(text)
    if key.isascii():
        return key
    marks = unicodedata.normalize("NFD", key.replace("ı", "i").replace("ł", "l").replace("ø", "o"))
    return unicodedata.normalize("NFC", "".join(c for c in marks if unicodedata.combining(c) < _FOLDED_MARKS))


def _one_form(char: str) -> str:
    return unicodedata.normalize("NFKC", char) if unicodedata.decomposition(char).startswith(_FORMS) else char

"""Labels in any script on pictures: in a font that has their letters where one is installed, else by a number.

Matplotlib draws letters that its fonts lack as boxes. It brings Latin, Greek, Cyrillic and Arabic letters along; it
shapes Arabic and Devanagari and writes from right to left by itself (by libraqm, from 3.11 on). Nothing is changed in
a figure whose letters its own fonts have.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from string import ascii_uppercase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontEntry
    from matplotlib.text import Text

CJK = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "IDEOGRAPHIC")
PACKAGES = {script: "fonts-noto-cjk" for script in CJK}  # of Debian and Ubuntu; all other scripts: `ANY_SCRIPT`
ANY_SCRIPT, PICTOGRAMS = "fonts-noto-core", "fonts-symbola"
UNFIT = (
    "Last Resort",
    "Noto Color Emoji",
    "Adobe Blank",
    "STIX",
)  # beginnings of fonts of boxes, bitmaps, blanks, formulas
NAMED = 10  # words that the note lists
LEFT_TO_RIGHT = "\u200e"  # counts as a letter that is read so, and shows nothing
INVISIBLE = ("Cc", "Cf", "Zl", "Zp", "Zs")  # categories of characters that show nothing


class Lettering:
    """What stands for words in the pictures of a run whose letters no installed font has: the same in all of them.

    Parameters
    ----------
    labels : iterable of str
        The run's labels in their order. The third is ``label 3`` if it cannot be drawn, and ``label C`` where labels
        are numbers; other words, such as those in the names of clips, are ``text 1`` and so on.
    """

    def __init__(self, labels: Iterable[str] = ()) -> None:
        labels = [*labels]
        signs = ascii_uppercase if any(map(str.isnumeric, labels)) and len(labels) <= len(ascii_uppercase) else None
        self.labels = {label: f"label {signs[at] if signs else at + 1}" for at, label in enumerate(labels)}
        self.instead: dict[str, str] = {}
        self.unknown: set[str] = set()

    def use_fonts(self, figure: "Figure") -> None:
        """Let each text of a figure that its own font cannot write use the installed fonts that have its letters."""
        for text in _texts(figure):
            text.set_text(_in_order(text.get_text()))
            if more := _more_fonts(text.get_text()):
                text.set_fontfamily([*text.get_fontfamily(), *more])
        for axis, words in _worded_axes(figure):
            if more := _more_fonts("".join(words)):
                axis.set_tick_params(labelfontfamily=[*axis.label.get_fontfamily(), *more])

    def make_legible(self, figure: "Figure") -> bool:
        """Give a figure's texts fonts that have their letters; number what no installed font has.

        Returns
        -------
        bool
            Whether a text has become another one.
        """
        self.use_fonts(figure)
        changed = False
        for text in _texts(figure):
            legible = self.legible(text.get_text())
            if legible != text.get_text():
                text.set_text(legible)
                changed = True
        for axis, words in _worded_axes(figure):
            if any(self.legible(word) != word for word in words):
                axis.set_ticks(axis.get_majorticklocs(), [self.legible(word) for word in words])
                changed = True
        return changed

    def legible(self, text: str) -> str:
        """Return a text with a number in place of each word that no installed font can write."""
        missing = {letter for letter in _beyond_default(text) if _font_with(letter) is None}
        if not missing:
            return text
        self.unknown |= missing
        for label in sorted(self.labels, key=len, reverse=True):
            if label in text and missing & {*label}:
                text = text.replace(label, self._number(label, self.labels[label]))
        joining = {letter for letter in text if unicodedata.category(letter) in ("Mn", "Mc", "Cf")}
        words = {*re.findall(f"[{re.escape(''.join(sorted(missing | joining)))}]+", text)}
        for word in sorted((word for word in words if missing & {*word}), key=lambda word: (-len(word), word)):
            others = sum(shown.startswith("text ") for shown in self.instead.values())
            text = text.replace(word, self._number(word, f"text {others + 1}"))
        return text

    def _number(self, word: str, shown: str) -> str:
        return self.instead.setdefault(word, shown)

    def note(self) -> str:
        """Say which words are numbered and what to install; an empty text if none is."""
        if not self.instead:
            return ""
        shown = [f"{word} ({number})" for word, number in self.instead.items()]
        more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
        packages = " ".join(sorted({_package_of(letter) for letter in self.unknown}))
        return (
            f"note: no installed font has the letters of {', '.join(shown[:NAMED])}{more}; pictures show what is in "
            f"brackets in their place: install fonts that have them (Debian, Ubuntu: apt install {packages}) and run "
            "this again"
        )


def _texts(figure: "Figure") -> list["Text"]:
    from matplotlib.text import Text

    return [text for text in figure.findobj(Text) if not text.get_text().isascii()]


def _in_order(text: str) -> str:
    """Let a text be read from the left that only begins with an Arabic or Hebrew word: a label before a path, say.

    Of mixed texts the first letter decides, by the rules of Unicode; all parts would change places.
    """
    directions = [side for side in map(unicodedata.bidirectional, text) if side in ("L", "R", "AL")]
    return f"{LEFT_TO_RIGHT}{text}" if "L" in directions and directions[0] != "L" else text


def _worded_axes(figure: "Figure") -> list[tuple["Axis", list[str]]]:
    """Return the axes whose ticks have words, some of them not ASCII, with these words."""
    from matplotlib.category import StrCategoryLocator
    from matplotlib.ticker import FixedLocator

    found = []
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if isinstance(axis.get_major_locator(), FixedLocator | StrCategoryLocator):
            words = axis.get_major_formatter().format_ticks(axis.get_majorticklocs())
            if not "".join(words).isascii():
                found.append((axis, words))
    return found


def _beyond_default(text: str) -> set[str]:
    """Return the letters of a text that Matplotlib's own font lacks."""
    letters = {letter for letter in text if not letter.isascii() and unicodedata.category(letter) not in INVISIBLE}
    return {letter for letter in letters if not _has(_default_font(), 0, ord(letter)) and not _selects(letter)}


def _selects(letter: str) -> bool:
    """Tell whether a character only selects a variant of the one before it."""
    return "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef"


def _more_fonts(text: str) -> list[str]:
    """Name the installed fonts that have what Matplotlib's own lacks of a text."""
    fonts = map(_font_with, sorted(_beyond_default(text)))
    return list(dict.fromkeys(font.name for font in fonts if font))


@lru_cache(maxsize=65536)
def _font_with(letter: str) -> "FontEntry | None":
    """Return the first installed font that has a letter, of `_installed_fonts`."""
    return next((font for font in _installed_fonts() if _has(font.fname, font.index, ord(letter))), None)


@cache
def _installed_fonts() -> Sequence["FontEntry"]:
    """Return an upright regular font of each installed family: Noto Sans first, then by name.

    Matplotlib keeps a list of the fonts that were there when it first ran: what has been installed since is added.
    """
    from matplotlib import font_manager

    known = {font.fname for font in font_manager.fontManager.ttflist}
    for path in sorted(set(font_manager.findSystemFonts()) - known):
        try:
            font_manager.fontManager.addfont(path)
        except (OSError, RuntimeError, ValueError):
            continue  # damaged, or none of letters
    families = {
        font.name: font
        for font in sorted(font_manager.fontManager.ttflist, key=lambda font: (font.fname, font.index), reverse=True)
        if font.style == "normal" and font.weight in (400, "normal", "regular") and font.stretch in ("normal", 400)
    }
    usable = [font for name, font in families.items() if not name.startswith(UNFIT)]
    return sorted(usable, key=lambda font: (not font.name.startswith("Noto Sans"), font.name))


@cache
def _default_font() -> str:
    from matplotlib.font_manager import FontProperties, findfont

    return str(findfont(FontProperties(family=["DejaVu Sans"])))


@lru_cache(maxsize=65536)
def _has(path: str, index: int, letter: int) -> bool:
    return letter in _letters_of(path, index)


@lru_cache(maxsize=512)
def _letters_of(path: str, index: int) -> frozenset[int]:
    """Return the code points that a font has glyphs for; none of one that cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(path, face_index=index).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


def _package_of(letter: str) -> str:
    if unicodedata.category(letter) == "So":
        return PICTOGRAMS
    name = unicodedata.name(letter, "")
    return next((package for script, package in PACKAGES.items() if name.startswith(script)), ANY_SCRIPT)

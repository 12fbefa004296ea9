"""Text that comes from anywhere (speakers, files, commits), shown in GitHub's Markdown as nothing but text."""

import re
import unicodedata

# as entities they are never syntax: neither Markdown's, nor HTML's, nor that of a table
ENTITIES = {ord(character): f"&#{ord(character)};" for character in "&<>\"'`*~|[]()!\\$@#"}
HARMLESS = re.compile(r"[\w .,:/=+%()-]+")
LONGEST = 80  # characters


def code(text: object, longest: int = LONGEST) -> str:
    """Return a text as inline code, in which no mention, link, emoji or formula is recognized.

    Parameters
    ----------
    text : object
        Line breaks become spaces; characters that do not show, such as those that turn the direction, vanish.
    longest : int
        Characters; the rest is cut off.
    """
    plain = _plain(text, longest)
    return f"`{plain}`" if HARMLESS.fullmatch(plain) else f"<code>{_entities(plain)}</code>"


def code_html(text: object, longest: int = LONGEST) -> str:
    """Return the same where Markdown is not read, such as in a ``<summary>``."""
    return f"<code>{_entities(_plain(text, longest))}</code>"


def prose(text: object, longest: int = 600) -> str:
    """Return a message as text, what it has between backticks as inline code."""
    parts = _plain(text, longest).split("`")
    # an entity would still be a mention; the invisible space after it ends that
    spoken = [_entities(part).replace("&#64;", "&#64;&#8203;") for part in parts[::2]]
    return "".join(part for pair in zip(spoken, [*map(code, parts[1::2]), ""], strict=False) for part in pair)


def _plain(text: object, longest: int) -> str:
    plain = " ".join(str(text).split())
    plain = "".join(character for character in plain if unicodedata.category(character)[0] != "C")
    return (plain if len(plain) <= longest else f"{plain[: longest - 1]}…") or " "


def _entities(plain: str) -> str:
    escaped = plain.translate(ENTITIES).replace("://", "&#58;//").replace("www.", "www&#46;")
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", "&#95;", escaped)  # one inside a word is no emphasis

"""The looks that the page of the audit and the report share: colours by day and by night, type, tables, contents."""

from pathlib import Path

from markupsafe import Markup

STYLE = Path(__file__).with_name("page_style.css")


def page_style() -> Markup:
    """Return the style sheet, to put into the element ``<style>`` of a page."""
    return Markup(STYLE.read_text(encoding="utf-8").strip())

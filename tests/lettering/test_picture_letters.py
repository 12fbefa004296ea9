"""Labels of any script on pictures: in a font that has their letters, or numbered and said; Latin ones as ever."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from conftest import ROOT
from ser.lettering import picture_letters
from ser.lettering.picture_letters import Lettering

LABELS = ["anger", "ärgerlich", "راضٍ جدا", "क्षमा", "满意", "不满意"]


@pytest.fixture
def own_fonts_only(monkeypatch):
    """Only the fonts that Matplotlib brings along, whatever is installed here."""
    fonts = [font for font in picture_letters._installed_fonts() if font.fname.startswith(get_data_path())]
    monkeypatch.setattr(picture_letters, "_installed_fonts", lambda: fonts)
    picture_letters._font_with.cache_clear()
    yield
    picture_letters._font_with.cache_clear()


def drawn(words: list[str], title: str = "") -> Figure:
    figure = Figure(figsize=(4, 3), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.barh(range(len(words)), range(1, len(words) + 1))
    axes.set_yticks(range(len(words)), words)
    axes.set_title(title)
    return figure


def png(figure: Figure) -> bytes:
    with io.BytesIO() as file:
        figure.savefig(file, format="png", metadata={"Software": None})
        return file.getvalue()


def ticks(figure: Figure) -> list[str]:
    figure.canvas.draw()
    return [text.get_text() for text in figure.axes[0].get_yticklabels()]


def test_latin_labels_change_nothing():
    words = ["anger", "ärgerlich", "50 – 60 %", "ñandú", "страх"]
    plain, lettered = drawn(words, "a: ±1"), drawn(words, "a: ±1")
    lettering = Lettering(words)
    assert not lettering.make_legible(lettered)
    assert png(lettered) == png(plain)
    assert lettering.note() == ""


def test_arabic_is_shaped_by_matplotlib_itself(own_fonts_only):
    """Letters are joined, from right to left: the picture is another one than that of the letters one by one."""
    joined, apart = drawn(["باب"]), drawn(["ب‌ا‌ب"])
    assert not Lettering(["باب"]).make_legible(joined)
    assert png(joined) != png(apart)


def test_a_label_that_is_read_from_the_right_leaves_a_path_behind_it_in_order(own_fonts_only):
    title = "راضٍ: mine/anna/a2"
    figure = drawn(["شاد", "راضٍ"], title=title)
    right_to_left = png(figure)
    assert Lettering().make_legible(figure) is False and png(figure) != right_to_left
    said = figure.axes[0].get_title()
    assert said.removeprefix("\u200e") == title and len(said) == len(title) + 1
    Lettering().make_legible(figure)
    assert figure.axes[0].get_title() == said and ticks(figure) == ["شاد", "راضٍ"]


def test_what_no_font_has_is_numbered_by_its_place_and_said(own_fonts_only, recwarn):
    figure, lettering = drawn(LABELS, "满意: clips/文件 1"), Lettering(LABELS)
    assert lettering.make_legible(figure)
    assert ticks(figure) == ["anger", "ärgerlich", "راضٍ جدا", "label 4", "label 5", "label 6"]
    assert figure.axes[0].get_title() == "label 5: clips/text 1 1"
    png(figure)
    assert [str(warning.message) for warning in recwarn if "missing from font" in str(warning.message)] == []
    note = lettering.note()
    assert "\n" not in note
    assert all(said in note for said in ("क्षमा (label 4)", "满意 (label 5)", "不满意 (label 6)", "文件 (text 1)"))
    assert "apt install fonts-noto-cjk fonts-noto-core" in note


def test_among_labels_that_are_numbers_one_stands_for_none_of_them(own_fonts_only):
    lettering = Lettering(["2", "3", "满意"])
    assert lettering.legible("满意 24 %, 3 33 %") == "label C 24 %, 3 33 %" and "满意 (label C)" in lettering.note()


def test_a_word_has_the_same_number_in_all_pictures_of_a_run(own_fonts_only):
    lettering = Lettering(LABELS)
    assert lettering.legible("文件") == "text 1"
    assert lettering.legible("满意 或 文件") == "label 5 text 2 text 1"
    assert lettering.legible("राग and راضٍ") == "text 3 and راضٍ"  # the sign over the Arabic letter is not missing
    assert "and 2 more" in _note_of_many()


def _note_of_many() -> str:
    lettering = Lettering()
    for letter in range(0x4E00, 0x4E00 + picture_letters.NAMED + 2):
        lettering.legible(chr(letter))
    return lettering.note()


def test_an_installed_font_is_found_even_if_it_came_after_matplotlibs_list(tmp_path):
    """A font of letters that no other has is made, and laid where programs look for fonts, in a process of its own."""
    code = (
        "import sys; sys.path.insert(0, 'tests/lettering'); from test_picture_letters import *; "
        "figure, lettering = drawn(['\U000f0001']), Lettering(['\U000f0001']); "
        "lettering.make_legible(figure); print(ticks(figure) == ['\U000f0001'], "
        "figure.axes[0].get_yticklabels()[0].get_fontfamily(), lettering.note())"
    )
    environment = os.environ | {
        "XDG_DATA_HOME": str(tmp_path / "share"),
        "MPLCONFIGDIR": str(tmp_path),  # where Matplotlib keeps its list
        "PYTHONPATH": f"{ROOT / 'stages'}{os.pathsep}{ROOT / 'tests'}",
    }
    said = []
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
        )
        assert run.returncode == 0, run.stderr
        said.append(run.stdout.strip())
        (tmp_path / "share" / "fonts").mkdir(parents=True, exist_ok=True)
        _write_font(tmp_path / "share" / "fonts" / "made.ttf", "Made For A Test", "\U000f0001")
    assert said[0].startswith("False") and "label 1" in said[0]
    assert said[1].startswith("True") and said[1].endswith("'Made For A Test']")


def _write_font(path: Path, name: str, letters: str) -> None:
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for place, point in enumerate([(0, 0), (0, 700), (700, 700)]):
        (pen.lineTo if place else pen.moveTo)(point)
    pen.closePath()
    glyph = pen.glyph()
    names = [".notdef", *(f"u{ord(letter):05X}" for letter in letters)]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(letter): f"u{ord(letter):05X}" for letter in letters})
    font.setupGlyf(dict.fromkeys(names, glyph))
    font.setupHorizontalMetrics({each: (800, 0) for each in names})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": name, "styleName": "Regular"})
    font.setupOS2(usWeightClass=400)
    font.setupPost()
    font.save(path)


@pytest.mark.parametrize("words", [LABELS, ["0", "1"], [chr(0x1F600), "‏", "a‍b", "️"]])
def test_no_box_is_ever_drawn(words, own_fonts_only, recwarn):
    figure = drawn(words, " ".join(words))
    Lettering(words).make_legible(figure)
    assert len(np.frombuffer(png(figure), np.uint8)) > 0
    assert [str(warning.message) for warning in recwarn if "missing from font" in str(warning.message)] == []

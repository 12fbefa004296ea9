"""The page of `dvc plots` as read without network: which scripts it asks for, and that every chart is whole."""

import json
import re

import pytest

from conftest import ROOT
from dvc_clone import clone, dvc

SPECIFICATION = re.compile(r"var spec = (\{.*?\});\s*vegaEmbed", re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return clone(tmp_path_factory.mktemp("clone"))


@pytest.mark.parametrize("by", ["option", "setting"])
def test_the_template_asks_no_other_machine(place, by):
    """Stated by the option, from where it is run; by the setting, from the folder .dvc."""
    if by == "option":
        run = dvc(place, "plots", "show", "--html-template", ".dvc/offline_plots.html")
    else:
        assert dvc(place, "config", "--local", "plots.html_template", "offline_plots.html").returncode == 0
        run = dvc(place, "plots", "show")
    assert run.returncode == 0, run.stderr
    page = (place / "dvc_plots/index.html").read_text()
    sources = re.findall(r'src="([^"]*)"', page)
    scripts = [f"vega/{name}.min.js" for name in ("vega", "vega-lite", "vega-embed")]
    assert sources[:3] == scripts
    assert len(sources) > 3 and all((place / "dvc_plots" / source).is_file() for source in sources[3:])
    assert "{plot_divs}" not in page and "{refresh_tag}" not in page and "<DVC_METRIC" not in page
    specifications = [json.loads(text) for text in SPECIFICATION.findall(page)]
    assert len(specifications) == page.count("vegaEmbed(")
    drawn = [specification for specification in specifications if specification]  # of an empty table DVC draws nothing
    assert len(drawn) >= 10 and all(specification["title"] for specification in drawn)


def test_the_template_takes_the_scripts_that_the_docs_fetch():
    documented = (ROOT / "docs/experiments.md").read_text()
    for name in re.findall(r'src="vega/([\w-]+)\.min\.js"', (ROOT / ".dvc/offline_plots.html").read_text()):
        assert re.search(rf"for script in .*\b{name}-\d", documented)


def test_the_versions_are_those_that_dvc_asks_for():
    vega = pytest.importorskip("dvc_render.vega")
    asked = re.findall(r"npm/([\w-]+)@([\d.]+)", vega.VegaRenderer.SCRIPTS)
    line = re.search(r"for script in (.*); do", (ROOT / "docs/experiments.md").read_text())[1]
    assert line.split() == [f"{name}-{version}" for name, version in asked]

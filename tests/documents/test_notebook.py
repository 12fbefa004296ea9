"""The notebook as it lies in git: valid, without outputs, no longer than a student reads; test_pipeline.py runs it."""

import nbformat

from conftest import ROOT

NOTEBOOK = ROOT / "docs/notebook.ipynb"


def test_the_notebook_is_stored_without_what_a_run_leaves_in_it():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    left = [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count") or cell.metadata]
    assert left == []
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    lines = [line for cell in notebook.cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    assert len(lines) <= 120

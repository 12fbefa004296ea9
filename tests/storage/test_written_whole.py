"""All code of the library writes under a temporary name, that a killed run leaves, and renames: no half file is met."""

import ast
from pathlib import Path

STAGES = Path(__file__).parents[2] / "stages"
OF_THE_PATH = ("write_text", "write_bytes")  # path.write_text(…)
TO_THE_FIRST = ("to_csv", "savefig", "write", "save", "copyfile")  # figure.savefig(path)
WRITERS = ("wavfile", "soundfile", "np", "shutil", "figure", "picture", "table", "torch")
TEMPORARY = ("temporary", "file")  # an open file is one of these, too
KEPT_APART = {  # what is written into a folder that is renamed, or from which files are, when all are there
    "ser/collecting/web_sources.py": "soundfile.write(work / file.name",
    "ser/fusion/ensemble_folder.py": "shutil.copyfile(path, folder / path.name",
}


def written_at_once(source: Path) -> list[str]:
    """Return the calls of a module that write under a final name."""
    found = []
    for node in ast.walk(ast.parse(source.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        target = None
        if node.func.attr in OF_THE_PATH:
            target = node.func.value
        elif node.func.attr in TO_THE_FIRST and ast.unparse(node.func.value) in WRITERS and node.args:
            target = node.args[1 if node.func.attr == "copyfile" or ast.unparse(node.func) == "torch.save" else 0]
        if target is None or isinstance(target, ast.Name) and target.id in (*TEMPORARY, "buffer"):
            continue
        if not ast.unparse(node).startswith(KEPT_APART.get(source.relative_to(STAGES).as_posix(), "nothing")):
            found.append(f"{source.relative_to(STAGES)}:{node.lineno}: {ast.unparse(node)[:100]}")
    return found


def test_nothing_is_written_under_its_final_name():
    sources = sorted(STAGES.rglob("*.py"))
    assert len(sources) > 200
    assert [line for source in sources for line in written_at_once(source)] == []

"""Under which licences the corpora of a run are: what the parameters, what is known, what a corpus states itself."""

import pandas as pd
import pytest

from conftest import ROOT
from ser.corpora.licences import MOST_BYTES, licence_of_folder, licences_of
from ser.errors import InputError
from ser.settings.all_sections import load_params
from ser.settings.params_file import validated
from ser.settings.prepare_sections import Prepare

CARD = b"\xef\xbb\xbf---\r\nlanguage: en\r\nlicense: cc-by-nc-4.0\r\n---\r\n# Speech\r\n"
PROVENANCE = "file,url,title,licence\na.wav,u,t,CC BY 4.0\nb.wav,u,t,CC BY 4.0\nc.wav,u,t,\nd.wav,u,t,CC BY-SA 4.0\n"


def listed(**sources: str) -> pd.DataFrame:
    return pd.DataFrame({"corpus": list(sources), "source": list(sources.values())})


@pytest.mark.parametrize(
    ("name", "content", "licence"),
    [
        ("LICENSE", b"\n# MIT License\n\nCopyright", "MIT License"),
        ("licence.txt", "Für Forschung\r\n".encode(), "Für Forschung"),
        ("README.md", CARD, "cc-by-nc-4.0"),
        ("README.md", b"---\nlicense: other\nlicense_name: the-labs\n---\n", "the-labs"),
        ("README.md", b"---\nlicense: [mit, cc0-1.0]\n---\n", "mit, cc0-1.0"),
        ("README.md", b"# Speech\n\nlicense: mit\n", ""),
        ("README.md", b"---\nlicense: {a: [\n---\n", ""),
        ("README.md", b"\xff\xfe\x00", ""),
        ("db.yaml", b"name: x\nlicense: CC-BY-4.0\nlicense_url: y\n", "CC-BY-4.0"),
        ("db.yaml", b"- license\n", ""),
        ("provenance.csv", PROVENANCE.encode(), "CC BY 4.0 (2 files), CC BY-SA 4.0 (1 files), none stated (1 files)"),
        ("provenance.csv", b"file,licence\na.wav,CC BY 4.0\n", "CC BY 4.0"),
        ("provenance.csv", b"file,licence\na.wav,\n", ""),
        ("provenance.csv", b"file\n", ""),
        ("LICENSE", b"x" * 500, "x" * 200),
        ("notes.txt", b"MIT License", ""),
    ],
)
def test_what_a_folder_states(tmp_path, name, content, licence):
    (tmp_path / name).write_bytes(content)
    assert licence_of_folder(tmp_path) == licence


def test_a_file_that_cannot_be_read_does_not_hide_the_next(tmp_path):
    (tmp_path / "README.md").write_bytes(b"---\nlicense: '\n---\n")
    (tmp_path / "COPYING").write_bytes(b"CC0 1.0\n")
    (tmp_path / "LICENSE").mkdir()
    assert licence_of_folder(tmp_path) == "CC0 1.0"
    (tmp_path / "COPYING").write_bytes(b"x" * (MOST_BYTES + 1))
    assert licence_of_folder(tmp_path) == ""
    assert licence_of_folder(tmp_path / "absent.zip") == ""


def test_parameters_count_before_what_is_known_and_that_before_what_a_corpus_states(tmp_path):
    for name in ("mine", "emodb", "Speech"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "LICENSE").write_text(f"licence of {name}")
    files = listed(mine="mine/a.wav", emodb="emodb/wav/03a01Fa.wav", ravdess="Speech/Actor_01/a.wav", demo="synthetic")
    found = licences_of(files, {}, tmp_path)
    assert found["mine"] == "licence of mine" and found["demo"] == ""
    assert found["emodb"].startswith("free for research") and found["ravdess"] == "CC BY-NC-SA 4.0"
    stated = {"EMO-DB": "CC0 1.0", "Speech": "bought", "mine": "ours"}
    assert licences_of(files, stated, tmp_path) == {"mine": "ours", "emodb": "CC0 1.0", "ravdess": "bought", "demo": ""}


@pytest.mark.parametrize("source", ["../elsewhere/a.wav", "./a.wav", "/elsewhere/a.wav", "a.wav", "synthetic"])
def test_what_lies_beside_a_corpus_is_not_its_licence(tmp_path, source):
    raw = tmp_path / "raw"
    (raw / "synthetic").mkdir(parents=True)
    for place in (tmp_path, raw, raw / "synthetic"):
        (place / "LICENSE").write_text("MIT License")
    assert licences_of(listed(mine=source), {}, raw) == {"mine": ""}


def test_several_folders_of_a_table_are_all_named(tmp_path):
    for name in ("x", "y", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "LICENSE").write_text("CC BY 4.0" if name == "z" else f"{name} only")
    files = pd.DataFrame({"corpus": "mine", "source": ["y/a.wav", "x/b.wav", "z/c.wav", "x/d.wav"]})
    assert licences_of(files, {}, tmp_path) == {"mine": "x only; y only; CC BY 4.0"}


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"theirs": "MIT"}, r"names theirs, which is no corpus of this run; allowed are emodb, mine"),
        ({"emodb": "a", "EMO-DB": "b"}, r"names emodb twice \(emodb, EMO-DB\)"),
    ],
)
def test_a_corpus_that_is_not_there_is_refused(tmp_path, stated, message):
    with pytest.raises(InputError, match=r"prepare\.licences " + message):
        licences_of(listed(mine="mine/a.wav", emodb="emodb/a.wav"), stated, tmp_path)


@pytest.mark.parametrize("licence", ["", " ", "two\nlines", "x" * 201])
def test_a_licence_is_a_line(licence):
    values = load_params(ROOT / "params.yaml").prepare.model_dump() | {"licences": {"mine": licence}}
    with pytest.raises(InputError, match=r"prepare: licences\.mine is"):
        validated(Prepare, values, "prepare")

"""The audit of any files, as its own command: what it names, what it calls a leak, and its page."""

import json
import re
import shutil

import av
import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import CORPORA, ROOT, needs_corpora, run_stage, workplace
from ser.audit.cue_words import CUE, WORDS
from ser.audit.quarantine_tables import describe, summarize

RATE = 48000
PADDING = {"01": 0.0, "04": 0.4, "05": 0.8}  # s of zeros behind the speech, by RAVDESS's code of the emotion


@pytest.fixture
def place(tmp_path, small_ravdess):
    folder = workplace(tmp_path / "work", compute__workers=1)
    shutil.copytree(small_ravdess / "ravdess", tmp_path / "ravdess")
    return folder


def audit(place, *arguments):
    run = run_stage(place, "audit", *map(str, arguments))
    assert run.returncode == 0, run.stderr
    return run.stdout, json.loads((place / "reports/audit/audit.json").read_text())


def own_name(file):
    """Return what says which statement and take it is, in no corpus's scheme."""
    _, _, _, _, statement, take, _ = file.stem.split("-")
    return f"s{statement}t{take}.wav"


def table(place, name):
    return pd.read_csv(place / f"reports/audit/{name}.csv", keep_default_na=False)


def test_a_planted_leak_is_in_red_and_without_it_nothing_is_said(place, tmp_path):
    red = '<li class="leak"><b>⚠ leak: digital silence at the end</b>'
    said, summary = audit(place, tmp_path / "ravdess")
    assert summary["cues"]["ravdess"]["trailing_zeros"] < 1 / 3 + 0.05
    assert "LEAK: digital silence" not in said
    assert red not in (place / "reports/audit/audit.html").read_text()

    for file in (tmp_path / "ravdess").rglob("*.wav"):
        y, _ = soundfile.read(file, dtype="int16")
        soundfile.write(file, np.pad(y, (0, round(PADDING[file.name[6:8]] * RATE))), RATE)
    said, summary = audit(place, tmp_path / "ravdess")
    assert summary["leaks"] >= 1
    assert summary["cues"]["ravdess"]["trailing_zeros"] > 1 / 3 + 0.25
    assert re.search(
        r"\033\[31mLEAK: digital silence at the end of ravdess alone tells the emotions with UAR 1\.000", said
    )
    assert f"    {WORDS['trailing_zeros'].remedy}\n" in said
    cues = table(place, "cues").set_index("cue")
    assert cues.loc["trailing_zeros", "verdict"] == "leak"
    assert cues.loc["trailing_zeros", "p"] == "0.001"
    assert ((cues["p"] == "") == (cues["excess"] <= CUE)).all()  # not tested
    assert "NaN" not in (place / "reports/audit/audit.json").read_text()
    assert red in (place / "reports/audit/audit.html").read_text()


def test_a_level_of_its_own_for_each_emotion_is_warned_of(place, tmp_path):
    """Warned of where each emotion was recorded at a level of its own, and not where the level is drawn by lot."""
    files = sorted((tmp_path / "ravdess").rglob("*.wav"))
    lots = np.random.default_rng(1).uniform(0.05, 0.9, len(files))
    planted = [{"01": 0.9, "04": 0.3, "05": 0.1}[file.name[6:8]] for file in files]
    for peaks, told in ((lots, False), (planted, True)):
        for file, peak in zip(files, peaks, strict=True):
            y, _ = soundfile.read(file)
            soundfile.write(file, peak * y / np.abs(y).max(), RATE)
        said, _ = audit(place, tmp_path / "ravdess")
        page = (place / "reports/audit/audit.html").read_text()
        warning = "how loud clips were recorded gives the emotions of ravdess away ("
        assert (f"warning: {warning}" in said) == (f"H{warning[1:]}" in page) == told
        assert ("chance 0.333): leave level out of extract.functionals.groups" in said) == told


def test_copies_in_other_formats_rates_and_places_are_named(place, tmp_path):
    folder = tmp_path / "mine"
    for file in sorted((tmp_path / "ravdess").rglob("*.wav")):
        emotion = {"05": "anger", "01": "neutral", "04": "sadness"}[file.name[6:8]]
        target = folder / emotion / file.parent.name / own_name(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    original = folder / "anger/Actor_01/s01t01.wav"
    y, _ = soundfile.read(original)
    soundfile.write(folder / "anger/Actor_01/t copy.flac", np.stack([y, y], axis=1), RATE)
    soundfile.write(folder / "anger/Actor_01/u.mp3", np.pad(y[::3], (4000, 0)) / 2, RATE // 3)
    soundfile.write(folder / "sadness/Actor_01/v.ogg", y[::2], RATE // 2)
    said, summary = audit(place, folder)
    reasons = table(place, "quarantine").set_index("file")["reason"]
    # the copy among the sad ones contradicts the others: all four are of no use
    assert summary["copies"] == len(reasons) == 4
    assert all("another emotion" in reason for reason in reasons)
    (folder / "sadness/Actor_01/v.ogg").unlink()
    audit(place, folder)
    reasons = table(place, "quarantine").set_index("file")["reason"]
    assert reasons["mine/anger/Actor_01/t copy.flac"] == "same audio as mine/anger/Actor_01/s01t01"
    assert reasons["mine/anger/Actor_01/u.mp3"].startswith("same take as mine/anger/Actor_01/s01t01 (")
    assert len(reasons) == 2
    findings = table(place, "findings")
    found = findings.groupby("finding")["file"].apply(list).to_dict()
    assert found["channels"] == ["mine/anger/Actor_01/t copy.flac"]
    assert found["sample rate"] == ["mine/anger/Actor_01/u.mp3"]
    assert set(found["encoding"]) == {"mine/anger/Actor_01/t copy.flac", "mine/anger/Actor_01/u.mp3"}
    assert set(findings.loc[findings["finding"] == "channels", "done"]) == {"left out"}


def write_amr(path, y):
    """Write samples of 8 kHz as AMR, as phones do."""
    with av.open(str(path), "w", format="amr") as file:
        stream = file.add_stream("libopencore_amrnb", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(y)[None], format="s16", layout="mono")
        frame.sample_rate = 8000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)


@pytest.mark.parametrize(("suffix", "encoding"), [("mp3", "MP3 MPEG_LAYER_III"), ("amr", "AMR")])
def test_an_emotion_that_comes_from_another_source_is_told_by_its_format(place, tmp_path, suffix, encoding):
    """Angry clips are WAV of 48 kHz, sad ones of a phone, neutral ones both, speaker by speaker alike."""
    for number, file in enumerate(sorted((tmp_path / "ravdess").rglob("*.wav"))):
        emotion = {"05": "anger", "01": "neutral", "04": "sadness"}[file.name[6:8]]
        target = tmp_path / "mine" / emotion / file.parent.name / own_name(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        if emotion == "anger" or (emotion == "neutral" and number % 2):
            shutil.copy(file, target)
            continue
        y, _ = soundfile.read(file, dtype="int16")
        if suffix == "amr":
            write_amr(target.with_suffix(".amr"), y[::6])
        else:
            soundfile.write(target.with_suffix(".mp3"), y[::3], RATE // 3)
    said, summary = audit(place, tmp_path / "mine")
    assert summary["clips"] == 48
    cues = table(place, "cues").set_index("cue")
    assert set(cues.loc[["container", "codec", "sample_rate", "bandwidth"], "verdict"]) == {"leak"}
    assert cues.loc[["container", "codec"], "uar"].tolist() == pytest.approx([0.6667, 0.6667], abs=0.05)
    names = [WORDS[cue].name for cue in ("container", "codec", "sample_rate", "bandwidth")]
    assert all(f"LEAK: {name} of mine alone" in said for name in names)
    findings = table(place, "findings").groupby("finding")["detail"].apply(set)
    assert any(encoding in detail for detail in findings["encoding"])
    page = (place / "reports/audit/audit.html").read_text()
    assert '<li class="leak"><b>⚠ leak: codec</b>' in page


def test_pointers_of_git_lfs_are_said_where_the_audit_is_printed(place, tmp_path):
    """As a zip of the repository of CREMA-D holds them."""
    folder = tmp_path / "CREMA-D-master/AudioWAV"
    folder.mkdir(parents=True)
    for number, emotion in enumerate(("ANG", "SAD", "HAP")):
        (folder / f"1001_DFA_{emotion}_XX.wav").write_text(
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{number:064x}\nsize 73498\n"
        )
    said, summary = audit(place, tmp_path / "CREMA-D-master", "--corpus", "cremad")
    assert summary["clips"] == 0
    assert "3 × a pointer of Git LFS, not the file itself" in said
    assert table(place, "quarantine")["reason"].str.endswith("run `git lfs pull`").all()


def test_files_without_any_label_are_audited_too(place, tmp_path):
    folder = tmp_path / "loose"
    folder.mkdir()
    for number, file in enumerate(sorted((tmp_path / "ravdess/Actor_01").iterdir())):
        shutil.copy(file, folder / f"{number}.wav")
    shutil.copy(folder / "0.wav", folder / "again.wav")
    run = run_stage(place, "audit", str(folder))
    assert run.returncode == 0 and "note: corpus loose: no part of the names is a word for an emotion" in run.stderr
    assert "prepare.pattern" in run.stderr
    reasons = table(place, "quarantine")["reason"]
    assert reasons.str.startswith("nobody can tell its label").all() and len(reasons) == 13
    assert reasons.str.contains("same audio as").sum() == 1
    _, summary = audit(place, tmp_path / "ravdess/Actor_01", "--corpus", "ravdess")
    assert summary["clips"] == 12


def test_the_page_loads_nothing_and_escapes_names(place, tmp_path):
    file = next((tmp_path / "ravdess/Actor_01").iterdir())
    (file.parent / "<script>alert('x')</script>.wav".replace("/", "∕")).write_bytes(file.read_bytes())
    audit(place, tmp_path / "ravdess")
    page = (place / "reports/audit/audit.html").read_text()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page)


def test_a_folder_called_demo_is_files_like_any_other(place):
    assert run_stage(place, "demo", "data/demo", "--speakers", "2").returncode == 0
    said, summary = audit(place, "data/demo/demo")
    assert summary["clips"] + summary["quarantined"] == len(list((place / "data/demo").rglob("*.wav"))) > 0
    assert "demo: read as " in said and "2 speakers" in said


def test_what_is_not_there_is_one_line(place):
    run = run_stage(place, "audit", "absent")
    assert run.returncode == 1
    assert run.stderr.strip() == "error: absent not found"


def test_the_demo_corpus_has_no_leak():
    assert json.loads((ROOT / "reports/data/audit.json").read_text())["leaks"] == 0


@needs_corpora
def test_ravdess_has_no_leak_and_its_dirt_is_named(place):
    _, summary = audit(place, CORPORA / "ravdess")
    assert (summary["clips"], summary["leaks"]) == (959, 0)
    reasons = table(place, "quarantine").set_index("file")["reason"].to_dict()
    assert reasons == {
        "ravdess/Actor_05/03-01-05-01-01-01-02.flac": "the name says actor 02, the folder Actor_05; "
        "same audio as ravdess/03-01-05-02-02-01-05",
        "ravdess/Actor_07/03-01-03-01-02-02-07.flac": "same audio as ravdess/03-01-03-01-02-01-07",
    }
    found = table(place, "findings").groupby("finding")["file"].apply(list)
    assert len(found["sample rate"]) == 9
    assert found["channels"] == [
        "ravdess/Actor_01/03-01-02-01-01-02-01.flac",
        "ravdess/Actor_01/03-01-08-01-02-02-01.flac",
        "ravdess/Actor_05/03-01-02-01-02-02-05.flac",
    ]


@pytest.mark.parametrize(
    ("speakers", "count", "said"), [(["", ""], 0, "unknown speakers"), (["a", "a"], 1, "1 speaker")]
)
def test_unknown_speakers_are_not_counted(speakers, count, said, capsys, tmp_path):
    clips = pd.DataFrame({"emotion": ["anger", "fear"], "speaker": speakers, "clean_seconds": 30.0})
    quarantine = pd.DataFrame(columns=["reason"], dtype=str)
    cues = pd.DataFrame(columns=["corpus", "cue", "uar", "verdict", "excess"], dtype=object)
    summary = summarize(clips, quarantine, cues)
    assert summary["speakers"] == count
    findings = pd.DataFrame(columns=["finding"], dtype=str)
    describe(clips, {"quarantine": quarantine, "findings": findings, "cues": cues}, summary, tmp_path)
    assert f"2 clips of {said}, 1.0 min" in capsys.readouterr().out


@pytest.mark.parametrize(("reasons", "others"), [("AAABBCDE", ""), ("AAABBCDEFG", "    2 for other reasons\n")])
def test_what_is_printed_of_the_quarantine_adds_up(reasons, others, capsys, tmp_path):
    clips = pd.DataFrame({"emotion": ["anger"], "speaker": ["a"], "clean_seconds": 60.0})
    quarantine = pd.DataFrame({"reason": [*reasons]})
    cues = pd.DataFrame(columns=["corpus", "cue", "uar", "verdict", "excess"], dtype=object)
    findings = pd.DataFrame(columns=["finding"], dtype=str)
    tables = {"quarantine": quarantine, "findings": findings, "cues": cues}
    describe(clips, tables, summarize(clips, quarantine, cues), tmp_path)
    said = capsys.readouterr().out
    assert sum(map(int, re.findall(r"^    (\d+) ", said, re.MULTILINE))) == len(quarantine)
    assert others in said and ("other reasons" in said) == bool(others)

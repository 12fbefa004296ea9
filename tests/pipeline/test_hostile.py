"""Hostile input through the stage prepare: it goes on, writes nowhere else, and every refusal is in the quarantine."""

import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from archive_files import bomb
from conftest import run_stage, workplace
from ser.audio.cleaning import to_int16
from ser.demo.synthetic_speech import demo_table, synthesize

RATE = 16000
CLIPS = demo_table({"seed": 5, "speakers": 2, "emotions": ["anger", "sadness"], "sentences": 3, "takes": 2})


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """Two dozen WAV files, by emotion."""
    folder = tmp_path_factory.mktemp("speech")
    files = {"anger": [], "sadness": []}
    for number, clip in enumerate(CLIPS.to_dict("records")):
        path = folder / f"{number}.wav"
        soundfile.write(path, to_int16(synthesize(clip, 5, RATE)), RATE)
        files[clip["emotion"]].append(path)
    return files


def everything(folder: Path) -> dict[str, int]:
    """Return all files below a folder and when they were changed, but those of data/ and reports/."""
    skipped = (str(folder / "work/data"), str(folder / "work/reports"))
    paths = [Path(root, name) for root, _, names in os.walk(folder) for name in names]
    return {str(path): path.lstat().st_mtime_ns for path in paths if not str(path).startswith(skipped)}


def quarantine(place) -> dict[str, str]:
    table = pd.read_csv(place / "reports/data/quarantine.csv", keep_default_na=False)
    assert table["file"].is_unique
    return table.set_index("file")["reason"].to_dict()


def test_hostile_archives(tmp_path, speech):
    place = workplace(tmp_path / "work", compute__workers=1, prepare__corpora=["zipped", "packed", "bomb", "cut"])
    raw = place / "data/raw"
    with zipfile.ZipFile(raw / "zipped.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for emotion, files in speech.items():
            archive.write(files[0], f"{emotion}/声.wav")
        archive.write(speech["anger"][1], "../anger/up.wav")
        archive.writestr("/anger/root.wav", speech["anger"][1].read_bytes())
        archive.writestr("anger/huge.wav", bytes(200 * 2**20))
        archive.writestr("anger/empty.wav", b"")
    with tarfile.open(raw / "packed.tar.gz", "w:gz") as archive:
        for emotion, files in speech.items():
            archive.add(files[2], f"packed/{emotion}/{'x' * 250}.wav")
        archive.add(speech["anger"][3], "packed/../../anger/up.wav")
        for kind, target in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../../x"), (tarfile.CHRTYPE, "")):
            info = tarfile.TarInfo(f"packed/anger/special{kind.decode()}.wav")
            info.type, info.linkname = kind, target
            archive.addfile(info)
    bomb(raw / "bomb.tar.gz")
    with tarfile.open(raw / "cut.tgz", "w:gz") as archive:
        for emotion, files in speech.items():
            for number in range(4, 6):
                archive.add(files[number], f"{emotion}/{number}.wav")
    whole = (raw / "cut.tgz").read_bytes()
    (raw / "cut.tgz").write_bytes(whole[: len(whole) * 3 // 4])

    before = everything(tmp_path)
    run = run_stage(place, "prepare")
    assert run.returncode == 0, run.stderr
    assert everything(tmp_path) == before
    reasons = quarantine(place)
    assert reasons.pop("cut.tgz").startswith("the archive is damaged or cut off")
    assert {file for file in reasons if not file.startswith("cut.tgz/")} == {
        "zipped.zip/../anger/up.wav",
        "zipped.zip//anger/root.wav",
        "zipped.zip/anger/huge.wav",
        "zipped.zip/anger/empty.wav",
        "packed.tar.gz/packed/../../anger/up.wav",
        "packed.tar.gz/packed/anger/special1.wav",
        "packed.tar.gz/packed/anger/special2.wav",
        "packed.tar.gz/packed/anger/special3.wav",
        "bomb.tar.gz/bomb.wav",
    }
    clips = set(pd.read_csv(place / "data/prepared/clips.csv")["clip"])
    assert {"zipped/anger/声", f"packed/sadness/{'x' * 250}"} <= clips


def test_hostile_folders(tmp_path, speech):
    place = workplace(tmp_path / "work", compute__workers=1, prepare__corpora=["mine"])
    folder = place / "data/raw/mine"
    outside = tmp_path / "outside.wav"
    outside.write_bytes(speech["anger"][0].read_bytes())
    for emotion, files in speech.items():
        (folder / emotion / "Ольга").mkdir(parents=True)
        for number, file in enumerate(files[:3]):
            (folder / emotion / "Ольга" / f"{number} 'q' \"d\", ü.wav").write_bytes(file.read_bytes())
    anger = folder / "anger/Ольга"
    (anger / f"{'n' * 251}.wav").write_bytes(speech["anger"][4].read_bytes())
    (anger / "link.wav").symlink_to(outside)
    (anger / "gone.wav").symlink_to(tmp_path / "nothing")
    (anger / "line\nbreak.wav").write_bytes(speech["anger"][5].read_bytes())
    (anger / "notes.wav").write_text("no audio")
    (anger / "folder").symlink_to(tmp_path)
    os.mkfifo(anger / "pipe.wav")
    soundfile.write(anger / "long.flac", np.zeros((RATE * 600, 8), dtype=np.int16), RATE)  # 0.15 GB when decoded
    before = everything(tmp_path)
    run = run_stage(place, "prepare")
    assert run.returncode == 0, run.stderr
    assert everything(tmp_path) == before
    assert {Path(file).name for file in quarantine(place)} == {
        "link.wav",
        "gone.wav",
        "line\\nbreak.wav",
        "notes.wav",
        "pipe.wav",
        "long.flac",
        "folder",
    }
    clips = pd.read_csv(place / "data/prepared/clips.csv")
    assert len(clips) == 7
    assert set(clips["speaker"]) == {"mine:Ольга"}


def test_a_hostile_manifest(tmp_path, speech):
    place = workplace(tmp_path / "work", compute__workers=1, prepare__corpora=["mine"])
    raw = place / "data/raw"
    (raw / "files").mkdir()
    rows = ["path,emotion,speaker"]
    for emotion, files in speech.items():
        for number, file in enumerate(files[:4]):
            name = f'{emotion} {number}, "take".wav'
            (raw / "files" / name).write_bytes(file.read_bytes())
            quoted = name.replace('"', '""')
            rows.append(f'"files/{quoted}",{emotion},"a, ""b"""')
    rows += [
        rows[1],  # the same row again
        "files/absent.wav,anger,a",
        "files,anger,a",
        "files/odd.wav,joyful-ish,a",
        "a,b.wav,anger,a",
        ",anger,a",
        f"{'x' * 5000}.wav,anger,a",
        "../../../../../../../../etc/passwd,anger,a",
    ]
    (raw / "mine.csv").write_text("\n".join(rows))
    before = everything(tmp_path)
    run = run_stage(place, "prepare")
    assert run.returncode == 0, run.stderr
    assert everything(tmp_path) == before
    table = pd.read_csv(place / "reports/data/quarantine.csv", keep_default_na=False)
    assert len(table) == 8
    reasons = "\n".join(table["reason"])
    for reason in (
        "row 2 says the same",
        "there is no such file",
        "no path",
        "too long",
        "4 values for 3",
    ):
        assert reason in reasons
    clips = pd.read_csv(place / "data/prepared/clips.csv")
    assert len(clips) == 8
    assert set(clips["speaker"]) == {'mine:a, "b"'}

    (raw / "mine.csv").write_text("\n".join([*rows, '"files/open.wav,anger,a', "files/next.wav,sadness,b"]))
    run = run_stage(place, "prepare")
    assert run.returncode == 1 and f"mine.csv, line {len(rows) + 1}: a quotation mark" in run.stderr

"""One corpus in several shapes: folder, archives, manifest and a folder an emotion give the same clips and labels."""

import os
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from conftest import CORPORA, needs_corpora, run_stage, set_params, workplace
from ser.corpora.corpus_entries import read_corpus

LABELS = ["clip", "corpus", "speaker", "sex", "emotion", "intensity", "statement", "language"]


def zip_folder(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))


def tar_folder(folder: Path, target: Path, top: str) -> None:
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:
        archive.add(folder, top)


def link(file: Path, target: Path) -> None:
    """Put a file elsewhere without a copy of its content, where the disk allows it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, target)
    except OSError:
        target.write_bytes(file.read_bytes())


@needs_corpora
def test_a_zip_of_ravdess_as_published(tmp_path):
    zip_folder(CORPORA / "ravdess", tmp_path / "ravdess.zip")
    clips, unusable = read_corpus("ravdess", CORPORA)
    zipped, unusable_zipped = read_corpus("ravdess", tmp_path)
    assert len(clips) + len(unusable) == 961
    pd.testing.assert_frame_equal(clips[LABELS], zipped[LABELS])
    assert list(unusable["reason"]) == list(unusable_zipped["reason"])
    assert (tmp_path / "ravdess.zip").rename(tmp_path / "Audio_Speech_Actors_01-24.zip")
    pd.testing.assert_frame_equal(clips[LABELS], read_corpus("ravdess", tmp_path)[0][LABELS])


@needs_corpora
@pytest.mark.parametrize("top", [".", "wav", "emodb/wav"])
def test_a_tar_of_emodb(tmp_path, top):
    tar_folder(CORPORA / "emodb/wav", tmp_path / "emodb.tar.gz", top)
    clips, _ = read_corpus("emodb", CORPORA)
    assert len(clips) == 535
    pd.testing.assert_frame_equal(clips[LABELS], read_corpus("emodb", tmp_path)[0][LABELS])


@needs_corpora
@pytest.mark.parametrize("absolute", [True, False])
def test_a_manifest_over_both(tmp_path, absolute):
    tables = [read_corpus(name, CORPORA)[0] for name in ("ravdess", "emodb")]
    clips = pd.concat(tables, ignore_index=True)
    folder = CORPORA if absolute else Path(os.path.relpath(CORPORA, tmp_path))
    manifest = clips.assign(path=[f"{folder}/{source}" for source in clips["source"]], who=clips["speaker"])
    columns = ["path", "emotion", "who", "sex", "language", "statement", "intensity"]
    manifest[columns].to_csv(tmp_path / "both.csv", index=False)
    names = {name: name for name in (*columns, "fold", "global_speaker")} | {"speaker": "who"}
    found, unusable = read_corpus("both", tmp_path, names)
    assert unusable.empty
    assert list(found["clip"]) == sorted("both/" + clips["source"].str.removesuffix(".flac"))
    found = found.set_index(found["source"].map(lambda source: (tmp_path / source).resolve())).sort_index()
    expected = clips.set_index(clips["source"].map(lambda source: (CORPORA / source).resolve())).sort_index()
    labels = ["emotion", "sex", "language", "statement", "intensity"]
    pd.testing.assert_frame_equal(found[labels], expected[labels])
    assert (found["speaker"] == "both:" + expected["speaker"]).all()


@needs_corpora
def test_a_folder_an_emotion(tmp_path):
    clips, _ = read_corpus("emodb", CORPORA)
    for clip in clips.itertuples():
        file = CORPORA / clip.source
        link(file, tmp_path / "emodb" / clip.emotion / file.name)
        link(file, tmp_path / "mine" / clip.emotion / clip.speaker.split(":")[1] / file.name)
    pd.testing.assert_frame_equal(clips[LABELS], read_corpus("emodb", tmp_path)[0][LABELS])
    mine, _ = read_corpus("mine", tmp_path)
    mine = mine.set_index(mine["clip"].str.rsplit("/", n=1).str[1]).sort_index()
    assert list(mine.index) == list(clips["clip"].str.removeprefix("emodb/"))
    assert list(mine["emotion"]) == list(clips["emotion"])
    assert list(mine["speaker"]) == list(clips["speaker"])  # it is EMO-DB, by the names of its files


def test_prepare_gives_the_same_audio_from_every_shape(tmp_path, small_ravdess):
    """The whole stage: the same table but for the source, and the same bytes of audio."""
    folder = small_ravdess / "ravdess"
    shapes = {}
    for shape in ("folder", "zip", "tar", "manifest"):
        place = workplace(tmp_path / shape, prepare__corpora=["ravdess"], compute__workers=1)
        raw = place / "data/raw"
        if shape == "folder":
            (raw / "ravdess").mkdir()
            for file in folder.rglob("*.wav"):
                link(file, raw / "ravdess" / file.relative_to(folder))
        elif shape == "zip":
            zip_folder(folder, raw / "ravdess.zip")
        elif shape == "tar":
            tar_folder(folder, raw / "RAVDESS.tgz", "ravdess")
        else:
            table = read_corpus("ravdess", small_ravdess)[0]
            table["path"] = [str(small_ravdess / source) for source in table["source"]]
            table["speaker"] = table["speaker"].str.removeprefix("ravdess:")
            table.drop(columns="clip").to_csv(raw / "ravdess.csv", index=False)
        run = run_stage(place, "prepare")
        assert run.returncode == 0, run.stderr
        assert ("files lie outside" in run.stdout) == (shape == "manifest")
        shapes[shape] = place
    expected = pd.read_csv(shapes["folder"] / "data/prepared/clips.csv").drop(columns="source")
    audio = (shapes["folder"] / "data/prepared/audio/shard_000.npy").read_bytes()
    for shape, place in shapes.items():
        found = pd.read_csv(place / "data/prepared/clips.csv").drop(columns="source")
        if shape == "manifest":
            found["clip"] = "ravdess/" + found["clip"].str.rsplit("/", n=1).str[1].astype(found["clip"].dtype)
            found = found.sort_values("clip", ignore_index=True)
        pd.testing.assert_frame_equal(found, expected)
        if shape != "manifest":  # whose clips have other names, and so another order
            assert (place / "data/prepared/audio/shard_000.npy").read_bytes() == audio
    set_params(shapes["zip"], {"prepare.corpora": ["ravdess.zip"]})
    assert run_stage(shapes["zip"], "prepare").returncode == 0

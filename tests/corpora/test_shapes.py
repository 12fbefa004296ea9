"""One corpus in the shapes in which people keep such: the same clips, labels, speakers and folds each time."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import audformat
import pandas as pd
import pyarrow as pa
import pytest
import soundfile
from datasets import Audio, ClassLabel, Dataset, DatasetDict, Features, Value
from praatio import textgrid
from pympi import Eaf

from archive_files import pack
from made_corpus import EMOTIONS, SPEAKERS, SR, Clip, decomposed, lines, made_clips, stitched, tree, wav, write
from media_files import encoded
from ser.audio.cleaning import clean
from ser.audit.survey import hear_all, list_files
from ser.folds.split_schemes import assign_parts
from ser.settings.all_sections import load_params
from ser.settings.compute_section import Compute
from ser.storage.samples import to_float

PARAMS = load_params(Path(__file__).parents[2] / "params.yaml")
CLIPS = made_clips()
NAMES = [f"clip{number:03d}" for number in range(len(CLIPS))]  # that say nothing
SPLIT = PARAMS.split.model_copy(update={"scheme": "kfold", "folds": 3})
Shape = Callable[[Path], dict]
SHAPES: dict[str, Shape] = {}


def shape(write_shape: Shape) -> Shape:
    """Take in a function that writes the corpus `mine` below a folder and returns the settings it needs."""
    SHAPES[write_shape.__name__] = write_shape
    return write_shape


def named() -> dict[str, bytes]:
    return {f"{name}.wav": wav(clip.samples) for name, clip in zip(NAMES, CLIPS, strict=True)}


def labelled(**columns: list) -> pd.DataFrame:
    return pd.DataFrame(columns | {"emotion": [c.emotion for c in CLIPS], "speaker": [c.speaker for c in CLIPS]})


# --- names


@shape
def emotion_speaker(raw: Path) -> None:
    write(raw / "mine", tree(CLIPS, "{emotion}/{speaker}/{take}.wav"))


@shape
def speaker_emotion_in_a_zip(raw: Path) -> None:
    pack(raw / "mine.zip", tree(CLIPS, "mine-1.0/wav/{speaker}/{emotion}/{take}.wav"))


@shape
def one_folder(raw: Path) -> None:
    write(raw / "mine", tree(CLIPS, "{speaker}_{emotion}_{take}.wav"))


@shape
def parts(raw: Path) -> None:
    split = dict(zip(SPEAKERS, ("train", "train", "train", "dev", "test"), strict=True))
    files = {}
    for speaker, part in split.items():
        files |= tree([clip for clip in CLIPS if clip.speaker == speaker], part + "/{emotion}/{speaker}/{take}.wav")
    write(raw / "mine", files)


@shape
def macos_names_in_a_tar(raw: Path) -> None:
    pack(raw / "mine.tar.gz", decomposed(tree(CLIPS, "{emotion}/{speaker}/{take}.wav")))


@shape
def half_in_each_unicode_form(raw: Path) -> None:
    write(raw / "mine", tree(CLIPS[::2], "{emotion}/{speaker}/{take}.wav"))
    write(raw / "mine", decomposed(tree(CLIPS[1::2], "{emotion}/{speaker}/{take}.wav")))


@shape
def stated_pattern(raw: Path) -> dict:
    write(raw / "mine", tree(CLIPS, "x/{take}-{speaker}={emotion}.wav"))
    return {"pattern": "{take}-{speaker}={emotion}"}


# --- tables


@shape
def excel_with_semicolons(raw: Path) -> None:
    write(raw / "clips", named())
    table = labelled(path=[f"clips\\{name}.wav" for name in NAMES])
    (raw / "mine.csv").write_bytes(b"\xef\xbb\xbf" + table.to_csv(sep=";", index=False, lineterminator="\r\n").encode())


@shape
def tsv_with_quotes_that_mean_nothing(raw: Path) -> dict:
    write(raw / "clips", named())
    rows = [
        f"clips/{name}.wav\t{clip.speaker}\t{quote}Well, I said.\t{clip.emotion}\n"
        for name, clip, quote in zip(NAMES, CLIPS, ['"', "", "", '"', '""'] * 12, strict=True)
    ]
    (raw / "mine.tsv").write_text("file\tclient_id\tsentence\temotion\n" + "".join(rows))
    return {"manifest": PARAMS.prepare.manifest.model_copy(update={"path": "file", "speaker": "client_id"})}


@shape
def pieces_of_a_long_recording(raw: Path) -> None:
    samples, times = stitched(CLIPS)
    write(raw, {"long.wav": wav(samples)})
    decimal = [[f"{at:.3f}".replace(".", ",") for at in time] for time in times]
    table = labelled(path=["long.wav"] * 60, start=[s for s, _ in decimal], end=[e for _, e in decimal])
    (raw / "mine.csv").write_text("sep=;\n" + table.to_csv(sep=";", index=False))


@shape
def table_inside_the_folder(raw: Path) -> None:
    write(raw / "mine/audio", named())
    labelled(file=NAMES).to_csv(raw / "mine/labels.csv", index=False)


@shape
def parquet_of_paths(raw: Path) -> None:
    write(raw / "clips", named())
    labelled(path=[f"clips/{name}.wav" for name in NAMES]).to_parquet(raw / "mine.parquet")


# --- what other tools write


FEATURES = Features({"audio": Audio(), "label": ClassLabel(names=list(EMOTIONS)), "speaker_id": Value("string")})


def dataset(clips: list[Clip], names: list[str]) -> Dataset:
    columns = {
        "audio": [{"bytes": wav(clip.samples), "path": f"{name}.wav"} for clip, name in zip(clips, names, strict=True)],
        "label": [EMOTIONS.index(clip.emotion) for clip in clips],
        "speaker_id": [clip.speaker for clip in clips],
    }
    return Dataset(pa.table(columns, schema=FEATURES.arrow_schema))


@shape
def parquet_shards_of_hugging_face(raw: Path) -> None:
    (raw / "mine/data").mkdir(parents=True)
    dataset(CLIPS[:40], NAMES[:40]).to_parquet(raw / "mine/data/train-00000-of-00002.parquet")
    dataset(CLIPS[40:], NAMES[40:]).to_parquet(raw / "mine/data/train-00001-of-00002.parquet")


@shape
def saved_to_disk_by_hugging_face(raw: Path) -> None:
    DatasetDict(train=dataset(CLIPS[:30], NAMES[:30]), test=dataset(CLIPS[30:], NAMES[30:])).save_to_disk(raw / "mine")


@shape
def audiofolder_with_labels_by_folder(raw: Path) -> None:
    files = {f"train/{c.emotion}/{name}.wav": wav(c.samples) for name, c in zip(NAMES, CLIPS, strict=True)}
    rows = [
        {"file_name": f"{c.emotion}/{name}.wav", "speaker_id": c.speaker} for name, c in zip(NAMES, CLIPS, strict=True)
    ]
    write(raw / "mine", files | {"train/metadata.jsonl": lines(rows)})


@shape
def audformat_with_segments(raw: Path) -> None:
    samples, times = stitched(CLIPS)
    write(raw / "mine", {"audio/long.wav": wav(samples)})
    db = audformat.Database("mine")
    db.schemes["emotion"] = audformat.Scheme(labels=list(EMOTIONS))
    db.schemes["speaker"] = audformat.Scheme(labels=list(SPEAKERS))
    index = audformat.segmented_index(
        ["audio/long.wav"] * 60, [f"{start}s" for start, _ in times], [f"{end}s" for _, end in times]
    )
    db["emotion"] = audformat.Table(index)
    for name, values in (("emotion", [c.emotion for c in CLIPS]), ("speaker", [c.speaker for c in CLIPS])):
        db["emotion"][name] = audformat.Column(scheme_id=name)
        db["emotion"][name].set(values)
    db.save(raw / "mine", storage_format="csv")


@shape
def textgrids_of_praat(raw: Path) -> None:
    for speaker in SPEAKERS:
        clips = [clip for clip in CLIPS if clip.speaker == speaker]
        samples, times = stitched(clips)
        write(raw / "mine", {f"{speaker}.wav": wav(samples)})
        grid = textgrid.Textgrid(0, len(samples) / SR)
        for tier, words in (("emotion", [c.emotion for c in clips]), ("speaker", [speaker] * len(clips))):
            entries = [(*time, word) for time, word in zip(times, words, strict=True)]
            grid.addTier(textgrid.IntervalTier(tier, entries, 0, len(samples) / SR))
        grid.save(str(raw / "mine" / f"{speaker}.TextGrid"), "long_textgrid", includeBlankSpaces=True)


@shape
def elan(raw: Path) -> None:
    samples, times = stitched(CLIPS)
    write(raw / "mine", {"long.wav": wav(samples)})
    eaf = Eaf(author="")
    eaf.add_linked_file("long.wav", mimetype="audio/x-wav")
    for speaker in SPEAKERS:
        eaf.add_tier(f"emotion {speaker}", part=speaker)
    for clip, (start, end) in zip(CLIPS, times, strict=True):
        eaf.add_annotation(f"emotion {clip.speaker}", round(1000 * start), round(1000 * end), clip.emotion)
    eaf.remove_tier("default")
    eaf.to_file(str(raw / "mine/long.eaf"))


@shape
def kaldi_with_segments(raw: Path) -> None:
    samples, times = stitched(CLIPS)
    rows = [(f"u{number:03d}", clip, time) for number, (clip, time) in enumerate(zip(CLIPS, times, strict=True))]
    write(
        raw / "mine",
        {
            "wav/long.wav": wav(samples),
            "data/wav.scp": "call sox /home/anna/mine/wav/long.wav -t wav - |\n",
            "data/segments": "".join(f"{name} call {start} {end}\n" for name, _, (start, end) in rows),
            "data/utt2spk": "".join(f"{name} {clip.speaker}\n" for name, clip, _ in rows),
            "data/utt2emo": "".join(f"{name} {clip.emotion}\n" for name, clip, _ in rows),
        },
    )


# --- other containers


@shape
def flac_and_aiff(raw: Path) -> None:
    files = {}
    for number, (name, content) in enumerate(tree(CLIPS, "{emotion}/{speaker}/{take}").items()):
        format_ = ("FLAC", "AIFF", "CAF")[number % 3]
        file = io.BytesIO()
        soundfile.write(file, soundfile.read(io.BytesIO(content), dtype="int16")[0], SR, format=format_)
        files[f"{name}.{format_.lower()}"] = file.getvalue()
    write(raw / "mine", files)


def heard(raw: Path, changes: dict | None) -> pd.DataFrame:
    """List and decode the corpus `mine`: what the stage prepare has before it writes."""
    settings = PARAMS.prepare.model_copy(update={"corpora": ["mine"]} | (changes or {}))
    files = list_files(raw, settings, PARAMS.demo)
    recordings, _ = hear_all(files, raw, settings, PARAMS.demo, compute=Compute(**WORKERS), label="test")
    return recordings


WORKERS = PARAMS.compute.model_dump() | {"workers": 1}
DIGESTS = [hashlib.sha256(clean(to_float(clip.samples), SR, PARAMS.prepare).samples).hexdigest() for clip in CLIPS]
TRUTH = {digest: (f"mine:{clip.speaker}", clip.emotion) for digest, clip in zip(DIGESTS, CLIPS, strict=True)}


def folds_of(recordings: pd.DataFrame) -> dict[str, tuple]:
    """Return the parts of each clip in all folds, by its audio."""
    clips = recordings.assign(seconds=recordings["clean_seconds"].astype(float), audio=recordings["digest"])
    parts = assign_parts(clips.drop(columns=["source", "fold"]), SPLIT).set_index("clip")
    return {digest: tuple(parts.loc[clip]) for digest, clip in zip(clips["digest"], clips["clip"], strict=True)}


@pytest.fixture(scope="module")
def folds(tmp_path_factory) -> dict[str, tuple]:
    raw = tmp_path_factory.mktemp("raw")
    emotion_speaker(raw)
    return folds_of(heard(raw, {}))


@pytest.mark.parametrize("name", SHAPES)
def test_the_corpus_is_the_same_in_every_shape(name, folds, tmp_path):
    recordings = heard(tmp_path, SHAPES[name](tmp_path))
    assert list(recordings["reason"].unique()) == [""]
    found = zip(recordings["digest"], recordings["speaker"], recordings["emotion"], strict=True)
    assert {digest: (speaker, emotion) for digest, speaker, emotion in found} == TRUTH
    assert folds_of(recordings) == folds


@pytest.mark.parametrize(
    ("suffix", "container", "codec"),
    [("m4a", "ipod", "aac"), ("3gp", "3gp", "aac"), ("opus", "ogg", "libopus"), ("mp3", "mp3", "libmp3lame")],
)
def test_of_a_telephone_the_sound_differs_and_nothing_else(suffix, container, codec, folds, tmp_path):
    files = {
        f"{clip.emotion}/{clip.speaker}/{clip.take}.{suffix}": encoded(to_float(clip.samples), container, codec, sr=SR)
        for clip in CLIPS
    }
    write(tmp_path / "mine", files)
    recordings = heard(tmp_path, {})
    assert list(recordings["reason"].unique()) == [""]
    found = list(zip(recordings["clip"], recordings["speaker"], recordings["emotion"], strict=True))
    assert sorted(found) == sorted(
        (f"mine/{c.emotion}/{c.speaker}/{c.take}", f"mine:{c.speaker}", c.emotion) for c in CLIPS
    )
    by_label = {TRUTH[digest]: parts for digest, parts in folds.items()}
    clips = recordings.set_index("clip")
    for clip, parts in zip(recordings["clip"], folds_of(recordings).values(), strict=True):
        assert parts == by_label[clips.at[clip, "speaker"], clips.at[clip, "emotion"]]

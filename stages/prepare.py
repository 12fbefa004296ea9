"""Prepare: from the corpora as their owners ship them to one table of clips and clean mono audio.

Reads   <raw.path>/<corpus>/ of every corpus in prepare.corpora (the corpus `demo` is synthesized instead)
Writes  data/prepared/: clips.csv, audio/ (16-bit samples, in the order of the table) and audio.json (its settings)
        reports/data/quarantine.csv (what could not be used, and why), reports/data/counts.csv,
        reports/images/clips.png (a waveform and a spectrogram of one clip per emotion)
"""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ser.audio import AudioSettings, UnusableAudioError, clean, load_clip, to_float
from ser.audit import audio_digests, find_duplicates
from ser.clip_charts import draw_clips
from ser.corpora import read_corpus
from ser.demo import demo_table, synthesize
from ser.errors import InputError, stage_errors
from ser.files import write_csv, write_json
from ser.parallel import parallel_map
from ser.params import Params, load_params
from ser.shards import Ragged, RaggedWriter, drop_items

PREPARED = Path("data/prepared")
REPORTS = Path("reports/data")


def prepare() -> None:
    params = load_params()
    clips, quarantined = list_clips(params)

    work = partial(prepare_clip, raw_path=params.raw.path, settings=params.prepare, demo_seed=params.demo.seed)
    results = parallel_map(work, clips.to_dict("records"), compute=params.compute, label="prepare", chunk=16)
    usable, seconds = [], []
    with RaggedWriter(PREPARED / "audio") as writer:
        for row, result in enumerate(results):
            if isinstance(result, str):
                quarantined.append(quarantine_row(clips.iloc[row], result))
            else:
                writer.append(result)
                usable.append(row)
                seconds.append(len(result) / params.prepare.sample_rate)
    clips = (
        clips.iloc[usable].drop(columns="acted").reset_index(drop=True).assign(seconds=np.array(seconds, dtype=float))
    )

    duplicates = find_duplicates(clips, audio_digests(Ragged.open(PREPARED / "audio")))
    quarantined += [quarantine_row(clips.iloc[row], reason) for row, reason in duplicates.itertuples(index=False)]
    drop_items(PREPARED / "audio", duplicates["row"].to_numpy(dtype=int))
    clips = clips.drop(index=duplicates["row"]).reset_index(drop=True)

    report(clips, quarantined)
    check_usable(clips)
    write_csv(clips, PREPARED / "clips.csv")
    write_json(params.prepare.model_dump(include=set(AudioSettings.__annotations__)), PREPARED / "audio.json")
    draw_examples(clips, Ragged.open(PREPARED / "audio"), params.prepare.sample_rate)


def list_clips(params: Params) -> tuple[pd.DataFrame, list[dict]]:
    """List the clips of all corpora, with the emotions that the parameters select and rename."""
    tables, quarantined = [], []
    for corpus in params.prepare.corpora:
        if corpus == "demo":
            tables.append(demo_table(params.demo.model_dump()))
        else:
            table, unusable = read_corpus(corpus, params.raw.path)
            tables.append(table)
            quarantined += unusable
    clips = pd.concat(tables, ignore_index=True)
    clips["acted"] = clips["emotion"]  # what the demo corpus is synthesized from, whatever it is called
    clips["emotion"] = clips["emotion"].replace(params.prepare.rename)
    if params.prepare.emotions:
        clips = clips[clips["emotion"].isin(params.prepare.emotions)]
    return clips.sort_values("clip", ignore_index=True), quarantined


def prepare_clip(clip: dict, raw_path: str, settings, demo_seed: int) -> np.ndarray | str:
    """Return the samples of one clip, or the reason why it cannot be used."""
    try:
        if clip["corpus"] == "demo":
            y = synthesize(clip | {"emotion": clip["acted"]}, demo_seed, settings.sample_rate)
            return clean(y, settings.sample_rate, settings)
        return load_clip(Path(raw_path) / clip["source"], settings)
    except UnusableAudioError as error:
        return str(error)


def quarantine_row(clip: pd.Series, reason: str) -> dict:
    file = clip["clip"] if clip["source"] == "synthetic" else clip["source"]
    return {"corpus": clip["corpus"], "file": file, "reason": reason}


def report(clips: pd.DataFrame, quarantined: list[dict]) -> None:
    """Write and print what there is and what was left out."""
    table = pd.DataFrame(quarantined, columns=["corpus", "file", "reason"]).sort_values("file")
    write_csv(table, REPORTS / "quarantine.csv")
    groups = clips.groupby(["corpus", "emotion", "sex"])
    counts = groups.agg(clips=("clip", "size"), speakers=("speaker", "nunique"), seconds=("seconds", "sum"))
    write_csv(counts.round(2).reset_index(), REPORTS / "counts.csv")

    print(
        f"prepare: {len(clips)} clips of {clips['speaker'].nunique()} speakers, {clips['seconds'].sum() / 60:.1f} min"
    )
    for emotion, count in clips["emotion"].value_counts().sort_index().items():
        print(f"  {emotion:<10} {count}")
    print(f"  {len(table)} files quarantined" + (f", see {REPORTS / 'quarantine.csv'}" if len(table) else ""))
    for reason, count in table["reason"].str.replace(r"[:(].*", "", regex=True).value_counts().head(5).items():
        print(f"    {count} × {reason}")


def check_usable(clips: pd.DataFrame) -> None:
    """Stop where nothing can be learnt."""
    if clips.empty:
        raise InputError(f"no usable clip: {REPORTS / 'quarantine.csv'} says why (or prepare.emotions selects none)")
    emotions = sorted(clips["emotion"].unique())
    if len(emotions) < 2:
        raise InputError(f"all clips show {emotions[0]}: recognising emotions needs clips of at least two")


def draw_examples(clips: pd.DataFrame, audio: Ragged, sample_rate: int) -> None:
    """Draw the clip of median length of each emotion."""
    examples = {}
    for emotion, group in clips.groupby("emotion"):
        row = group["seconds"].sort_values(kind="stable").index[len(group) // 2]
        examples[f"{emotion}: {group['clip'][row]}"] = to_float(audio[row])
    draw_clips(examples, sample_rate, "reports/images/clips.png")


if __name__ == "__main__":
    with stage_errors():
        prepare()

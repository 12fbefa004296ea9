"""Folds: every clip has one part in every fold, no speaker has two, and the audit finds whatever leaks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ser.errors import InputError
from ser.folds.dealt_parts import share_of_groups
from ser.folds.split_schemes import (
    assign_folds,
    assign_parts,
    shared_between_parts,
    stated_folds,
    validation_rows,
)
from ser.settings.split_section import Split
from ser.storage.samples import audio_digests
from split import audit, describe, uneven_validation

EMOBOX = Path(__file__).parents[2] / "data" / "protocols" / "ravdess_emobox.csv"
EMOBOX_FOLDS = [[1, 11, 20, 21], [4, 10, 12, 14], [8, 9, 19, 23], [3, 5, 7, 24], [2, 15, 16, 18], [6, 13, 17, 22]]
EMOTIONS = ["anger", "fear", "happiness", "neutral", "sadness"]
BY_SPEAKER = ["kfold", "holdout", "loso", "cross_corpus"]
MODEST = settings(max_examples=120, deadline=None, database=None, derandomize=True)

pytestmark = pytest.mark.filterwarnings("ignore:The least populated class")  # scikit-learn, of uneven corpora


def config(**changes):
    values = {
        "scheme": "kfold",
        "folds": 4,
        "test_fraction": 0.25,
        "validation_fraction": 0.25,
        "labelled_speakers": 0,
        "labelled_clips": 20,
        "predefined": "absent.csv",
        "seed": 1,
    }
    return Split(**values | changes)


def corpus(speakers=12, emotions=EMOTIONS, statements=4, takes=2, name="c"):
    """A balanced corpus: half of the speakers female, every emotion of each as often."""
    rows = [
        {
            "clip": f"{name}/{speaker:02d}-{emotion}-{statement}-{take}",
            "corpus": name,
            "speaker": f"{name}:{speaker:02d}",
            "sex": "male" if speaker % 2 else "female",
            "emotion": emotion,
            "statement": f"t{statement}",
        }
        for speaker in range(1, speakers + 1)
        for emotion in emotions
        for statement in range(statements)
        for take in range(takes)
    ]
    return pd.DataFrame(rows).sort_values("clip", ignore_index=True)


@st.composite
def clip_tables(draw):
    """Uneven corpora: speakers of random sex who lack emotions and, elsewhere, single clips."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    sizes = draw(
        st.integers(1, 3).flatmap(lambda corpora: st.lists(st.integers(1, 7), min_size=corpora, max_size=corpora))
    )
    emotions = EMOTIONS[: draw(st.integers(2, 5))]
    lacking = draw(st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.4]))
    tables = []
    for number, speakers in enumerate(sizes):
        table = corpus(speakers, emotions, statements=draw(st.integers(1, 3)), takes=4, name=f"corpus{number}")
        sexes = {speaker: rng.choice(["female", "male", ""]) for speaker in table["speaker"].unique()}
        table["sex"] = table["speaker"].map(sexes)
        gone = {(speaker, emotion) for speaker in sexes for emotion in emotions[1:] if rng.random() < lacking}
        kept = [pair not in gone for pair in zip(table["speaker"], table["emotion"], strict=True)]
        tables.append(table[kept])
    clips = pd.concat(tables, ignore_index=True)
    return clips[rng.random(len(clips)) > draw(st.sampled_from([0.0, 0.1]))].reset_index(drop=True)


def emotions_missing_from_training(clips, setting):
    """Go the way of `assign_parts` up to its last check, and return what it is to complain about in each fold."""
    folds = assign_folds(clips, setting)
    missing = {}
    for fold in sorted(set(folds[folds >= 0])):
        rest = clips[folds != fold].reset_index(drop=True)
        train = rest.drop(index=validation_rows(rest, setting, fold))
        missing[fold] = sorted(set(clips["emotion"]) - set(train["emotion"]))
    return {fold: emotions for fold, emotions in missing.items() if emotions}


def parts_or_none(clips, setting):
    """Return the parts, or None where the corpus is refused for a reason that is checked to be true."""
    try:
        parts = assign_parts(clips, setting)
    except InputError as error:
        message = str(error)
        if "no training clip shows" in message:
            fold, missing = next(iter(emotions_missing_from_training(clips, setting).items()))
            assert f"fold {fold}: no training clip shows {', '.join(missing)};" in message
        else:
            least = {"kfold": setting.folds, "holdout": 3, "loso": 2, "cross_corpus": 2}[setting.scheme]
            there = clips["corpus" if setting.scheme == "cross_corpus" else "speaker"].nunique()
            assert f"at least {least} " in message
            assert f"there are {there}" in message
            assert there < least
        return None
    for fold in parts.columns[1:]:
        assert set(clips["emotion"][parts[fold] == "train"]) == set(clips["emotion"])
    return parts


# --- what every split that keeps speakers apart promises


@MODEST
@given(
    clip_tables(),
    st.sampled_from(BY_SPEAKER),
    st.integers(2, 5),
    st.sampled_from([0.1, 0.2, 0.25, 0.5]),
    st.integers(0, 100),
)
@example(corpus(), "kfold", 4, 0.25, 1)
@example(corpus(), "holdout", 4, 0.25, 1)
@example(corpus(), "loso", 4, 0.25, 1)
@example(pd.concat([corpus(name="a"), corpus(name="b")], ignore_index=True), "cross_corpus", 4, 0.25, 1)
def test_no_speaker_has_two_parts_and_every_clip_has_one(clips, scheme, folds, fraction, seed):
    setting = config(scheme=scheme, folds=folds, test_fraction=fraction, validation_fraction=fraction, seed=seed)
    parts = parts_or_none(clips, setting)
    if parts is None:
        return
    assert list(parts["clip"]) == list(clips["clip"])
    columns = list(parts.columns[1:])
    assert columns == [f"fold_{number}" for number in range(len(columns))]
    groups = {"kfold": folds, "holdout": 1, "loso": clips["speaker"].nunique()}
    assert len(columns) == groups.get(scheme, clips["corpus"].nunique())
    for fold in columns:
        assert set(parts[fold]) == {"train", "validation", "test"}
        of_speaker = parts[fold].groupby(clips["speaker"]).unique()
        outside = [set(values) for values in of_speaker if "test" not in values]
        assert all(len(values) == 1 for values in of_speaker if "test" in values)
        if len(outside) > 1:
            assert all(len(values) == 1 for values in outside)
        assert set(clips["emotion"][parts[fold] == "train"]) == set(clips["emotion"])
    tested = (parts[columns] == "test").sum(axis=1)
    assert (tested <= 1).all() if scheme == "holdout" else (tested == 1).all()


@MODEST
@given(clip_tables(), st.sampled_from([*BY_SPEAKER, "random"]), st.integers(0, 100))
def test_same_seed_gives_the_same_folds_whatever_the_index_of_the_table(clips, scheme, seed):
    setting = config(scheme=scheme, folds=2, seed=seed)
    try:
        parts = assign_parts(clips, setting)
    except InputError as error:
        with pytest.raises(InputError) as again:
            assign_parts(clips, setting)
        assert str(again.value) == str(error)
        return
    assert assign_parts(clips, setting).equals(parts)
    moved = clips.set_index(pd.Index(np.arange(len(clips))[::-1] + 100))
    assert assign_parts(moved, setting).equals(parts)


@pytest.mark.parametrize("scheme", BY_SPEAKER)
def test_folds_of_speakers_do_not_depend_on_the_order_of_the_rows(scheme):
    clips = pd.concat([corpus(name="a"), corpus(name="b")], ignore_index=True)
    order = np.random.default_rng(1).permutation(len(clips))
    parts = assign_parts(clips, config(scheme=scheme)).set_index("clip")
    shuffled = assign_parts(clips.iloc[order].reset_index(drop=True), config(scheme=scheme)).set_index("clip")
    assert shuffled.loc[parts.index].equals(parts)


@pytest.mark.parametrize("scheme", ["kfold", "holdout", "random"])
def test_another_seed_tests_other_clips_together(scheme):
    tested = [assign_parts(corpus(), config(scheme=scheme, seed=seed)) == "test" for seed in (1, 2, 3)]
    assert not tested[0].equals(tested[1])
    assert not tested[1].equals(tested[2])


@pytest.mark.parametrize("scheme", ["loso", "cross_corpus"])
def test_another_seed_moves_validation_only_where_tests_are_given(scheme):
    clips = pd.concat([corpus(name="a"), corpus(name="b")], ignore_index=True)
    first, second = (assign_parts(clips, config(scheme=scheme, seed=seed)) for seed in (1, 2))
    assert ((first == "test") == (second == "test")).all(axis=None)
    assert not first.equals(second)


def test_clips_are_not_changed():
    clips = corpus()
    before = clips.copy()
    assign_parts(clips, config())
    assert clips.equals(before)


# --- kfold


@pytest.mark.parametrize("seed", range(5))
def test_kfold_of_a_balanced_corpus_is_balanced_by_emotion_and_sex(seed):
    clips = corpus(speakers=24)
    parts = assign_parts(clips, config(folds=4, seed=seed))
    for fold in parts.columns[1:]:
        for part, share in (("test", 1 / 4), ("validation", 3 / 16), ("train", 9 / 16)):
            chosen = clips[parts[fold] == part]
            assert chosen["emotion"].value_counts(normalize=True).tolist() == [0.2] * 5
            sexes = chosen.groupby("sex")["speaker"].nunique()
            assert abs(sexes["female"] - sexes["male"]) <= 1
            assert abs(len(chosen) - share * len(clips)) <= len(clips) / 24


def test_kfold_balances_emotions_that_speakers_show_unevenly():
    """Half of the speakers, of either sex, show fear and anger only, the others all emotions."""
    clips = corpus(speakers=16)
    few = clips["speaker"].isin([f"c:{number:02d}" for number in range(1, 9)])
    clips = clips[~few | clips["emotion"].isin(["anger", "fear"])].reset_index(drop=True)
    parts = assign_parts(clips, config(folds=4))
    for fold in parts.columns[1:]:
        counts = clips[parts[fold] == "test"]["emotion"].value_counts()
        assert counts.to_dict() == {"anger": 32, "fear": 32, "happiness": 16, "neutral": 16, "sadness": 16}


def test_kfold_needs_a_speaker_a_fold():
    with pytest.raises(InputError, match=r"split\.folds 5 needs at least 5 speakers; there are 4"):
        assign_parts(corpus(speakers=4), config(folds=5))
    assert assign_parts(corpus(speakers=5), config(folds=5)).shape[1] == 6


@pytest.mark.parametrize("scheme", ["kfold", "holdout", "loso"])
def test_few_clips_of_each_emotion_and_sex_can_still_be_split_by_speaker(scheme):
    """Four speakers, one clip an emotion: each emotion and sex has two clips, fewer than the four folds."""
    parts = assign_parts(corpus(speakers=4, statements=1, takes=1), config(scheme=scheme))
    assert (parts.iloc[:, 1:] == "test").any(axis=None)


@pytest.mark.parametrize("seed", range(12))
def test_kfold_with_as_many_folds_as_speakers_tests_each_speaker_alone(seed):
    clips = corpus(speakers=12, statements=1)
    parts = assign_parts(clips, config(folds=12, seed=seed))
    assert list(parts.columns[1:]) == [f"fold_{number}" for number in range(12)]
    tested = [set(clips["speaker"][parts[fold] == "test"]) for fold in parts.columns[1:]]
    assert [len(speakers) for speakers in tested] == [1] * 12 and len(set.union(*tested)) == 12


# --- holdout


@pytest.mark.parametrize(("fraction", "speakers"), [(0.1, 2), (0.25, 5), (0.5, 10)])
def test_holdout_tests_its_share_of_the_speakers_once(fraction, speakers):
    clips = corpus(speakers=20)
    parts = assign_parts(clips, config(scheme="holdout", test_fraction=fraction))
    assert list(parts.columns) == ["clip", "fold_0"]
    assert clips["speaker"][parts["fold_0"] == "test"].nunique() == speakers


@pytest.mark.parametrize(("fraction", "speakers"), [(0.4, 8), (0.7, 14)])
def test_holdout_tests_its_share_of_the_speakers_when_it_is_no_unit_fraction(fraction, speakers):
    clips = corpus(speakers=20)
    parts = assign_parts(clips, config(scheme="holdout", test_fraction=fraction))
    assert clips["speaker"][parts["fold_0"] == "test"].nunique() == speakers


@pytest.mark.parametrize("speakers", range(3, 13))
@pytest.mark.parametrize("fraction", [0.5, 0.7, 0.8, 0.9, 0.99])
def test_a_large_share_of_few_speakers_leaves_one_to_learn_from(speakers, fraction):
    clips = corpus(speakers=speakers)
    parts = assign_parts(clips, config(scheme="loso", validation_fraction=fraction))
    for fold in parts.columns[1:]:
        counts = clips["speaker"].groupby(parts[fold]).nunique()
        assert counts.min() >= 1 and counts.sum() == speakers
        assert abs(counts["validation"] - fraction * (speakers - 1)) < 2


def test_a_part_that_validates_by_most_clips_is_warned_of():
    folds = pd.DataFrame({"clip": list("abcdefgh"), "fold_0": ["test", "validation", *["train"] * 6]})
    assert uneven_validation(folds, 0.25) == ""
    folds["fold_1"] = ["test", *["validation"] * 5, "train", "train"]
    assert "fold_1 validates by 71% of the clips" in uneven_validation(folds, 0.25)


@pytest.mark.parametrize("seed", range(40))
def test_unequal_speakers_leave_what_a_share_must_leave(seed):
    """One speaker with most clips: folds of equal numbers of clips are of one speaker and of many."""
    rng = np.random.default_rng(seed)
    sizes = [60, *rng.integers(2, 6, size=rng.integers(3, 7))]
    clips = pd.DataFrame({"speaker": np.repeat([f"c:{number}" for number in range(len(sizes))], sizes)})
    clips = clips.assign(corpus="c", sex="", emotion=[EMOTIONS[row % 2] for row in range(len(clips))])
    for share in (0.3, 0.5, 0.6):
        chosen = share_of_groups(clips, clips["speaker"], share, seed, spare=2)
        assert chosen.any() and clips["speaker"][~chosen].nunique() >= 2
        assert not set(clips["speaker"][chosen]) & set(clips["speaker"][~chosen])


def test_holdout_needs_three_speakers():
    with pytest.raises(InputError, match="holdout needs at least 3 speakers; there are 2"):
        assign_parts(corpus(speakers=2), config(scheme="holdout"))
    assert set(assign_parts(corpus(speakers=3), config(scheme="holdout"))["fold_0"]) == {"train", "validation", "test"}


# --- loso and cross_corpus


def test_loso_tests_the_speakers_one_by_one_in_their_order():
    clips = corpus(speakers=6)
    parts = assign_parts(clips, config(scheme="loso"))
    tested = [set(clips["speaker"][parts[fold] == "test"]) for fold in parts.columns[1:]]
    assert tested == [{f"c:{number:02d}"} for number in range(1, 7)]


def test_loso_needs_two_speakers():
    with pytest.raises(InputError, match="loso needs at least 2 speakers; there are 1"):
        assign_parts(corpus(speakers=1), config(scheme="loso"))


def test_cross_corpus_tests_the_corpora_one_by_one():
    clips = pd.concat([corpus(4, name=name) for name in "bac"], ignore_index=True)
    parts = assign_parts(clips, config(scheme="cross_corpus"))
    assert [set(clips["corpus"][parts[fold] == "test"]) for fold in parts.columns[1:]] == [{"a"}, {"b"}, {"c"}]


def test_cross_corpus_needs_two_corpora():
    with pytest.raises(InputError, match="cross_corpus needs at least 2 corpora; there are 1"):
        assign_parts(corpus(), config(scheme="cross_corpus"))


def test_emotion_that_one_corpus_alone_has_is_named():
    clips = pd.concat([corpus(name="a"), corpus(emotions=["boredom", "disgust", "fear"], name="b")], ignore_index=True)
    with pytest.raises(InputError) as error:
        assign_parts(clips, config(scheme="cross_corpus"))
    assert "fold 0: no training clip shows anger, happiness, neutral, sadness" in str(error.value)
    assert "set prepare.emotions to shared" in str(error.value)


def test_emotion_of_one_speaker_alone_is_named():
    clips = corpus()
    clips.loc[(clips["speaker"] == "c:03") & (clips["emotion"] == "fear"), "emotion"] = "boredom"
    with pytest.raises(InputError, match=r"fold \d: no training clip shows boredom"):
        assign_parts(clips, config())


# --- speakers that are unknown, or too few


@pytest.mark.parametrize("scheme", BY_SPEAKER)
def test_unknown_speakers_are_an_error_that_counts_them_and_names_the_remedy(scheme):
    clips = pd.concat([corpus(name="a"), corpus(name="b")], ignore_index=True)
    clips.loc[[3, 4], "speaker"] = ""
    with pytest.raises(InputError) as error:
        assign_parts(clips, config(scheme=scheme))
    assert f"split.scheme {scheme} needs the speaker of every clip, unknown for 2" in str(error.value)
    assert f"first: {clips['clip'][3]}" in str(error.value)
    assert "predefined or random (speaker-dependent)" in str(error.value)


def test_one_unknown_speaker_does_not_part_the_clips_of_the_others():
    clips = corpus(speakers=8, statements=2).assign(statement="")
    clips["fold"] = (clips["speaker"] == "c:08").map({True: "0", False: ""})
    clips.loc[[0, 30], "speaker"] = ""
    part = assign_parts(clips, config(scheme="predefined"))["fold_0"]
    parts_of_speaker = part.groupby(clips["speaker"]).nunique()
    assert parts_of_speaker.drop("").eq(1).all()
    assert set(part) == {"train", "validation", "test"}


@pytest.mark.parametrize("scheme", ["loso", "kfold"])
def test_of_two_speakers_one_is_tested_and_statements_of_the_other_validate(scheme):
    """TESS has two speakers."""
    clips = corpus(speakers=2, statements=8)
    parts = assign_parts(clips, config(scheme=scheme, folds=2))
    for fold in parts.columns[1:]:
        assert clips["speaker"][parts[fold] == "test"].nunique() == 1
        of_statement = parts[fold][parts[fold] != "test"].groupby(clips["statement"]).unique()
        assert of_statement.map(len).eq(1).all()
        assert of_statement.map(lambda values: values[0]).value_counts().to_dict() == {"train": 6, "validation": 2}


@pytest.mark.parametrize("unknown", [False, True])
def test_with_one_speaker_and_no_statements_left_single_clips_validate_in_each_emotion(unknown):
    clips = corpus(speakers=2, statements=1, takes=8)
    if unknown:
        clips["statement"] = ""
    parts = assign_parts(clips, config(scheme="loso"))
    for fold in parts.columns[1:]:
        counts = clips.groupby([parts[fold], "emotion"]).size().unstack()
        assert (counts.loc["validation"] == 2).all()
        assert (counts.loc["train"] == 6).all()


# --- random


@pytest.mark.parametrize("known", [True, False])
def test_random_is_stratified_and_speaker_dependent(known):
    clips = corpus(speakers=6)
    if not known:
        clips["speaker"] = ""
    parts = assign_parts(clips, config(scheme="random"))
    assert ((parts.iloc[:, 1:] == "test").sum(axis=1) == 1).all()
    for fold in parts.columns[1:]:
        counts = clips.groupby([parts[fold], "emotion"]).size().unstack()
        assert (counts.loc["test"] == 12).all()
        assert (counts.loc["validation"] == 9).all()
        assert (counts.loc["train"] == 27).all()
        if known:
            assert parts[fold].groupby(clips["speaker"]).nunique().max() == 3


@pytest.mark.parametrize("unknown", [False, True])
def test_one_speaker_with_enough_clips_can_be_split_at_random(unknown):
    clips = corpus(speakers=1, statements=4, takes=1)
    parts = assign_parts(clips.assign(speaker="") if unknown else clips, config(scheme="random", folds=4))
    assert ((parts.iloc[:, 1:] == "test").sum(axis=1) == 1).all()


def test_random_with_fewer_clips_than_folds_is_an_error_that_says_what_to_do():
    with pytest.raises(InputError) as error:
        assign_parts(corpus(speakers=1, statements=3, takes=1), config(scheme="random", folds=4))
    assert str(error.value) == (
        "split.folds 4 needs as many clips of an emotion; the most frequent, anger, has 3: add recordings, or lower "
        "split.folds (at least 2)"
    )


# --- what clips are called does not matter, nor where they stand


@pytest.mark.parametrize(
    ("clips", "changes"),
    [
        (corpus(speakers=3), {"scheme": "random"}),
        (corpus(speakers=6).assign(speaker=""), {"scheme": "random"}),
        (corpus(speakers=2, statements=1, takes=8).assign(statement=""), {"scheme": "loso"}),
        (corpus(speakers=4).assign(statement="", fold=["0", "", "1"] * 53 + [""]), {"scheme": "predefined"}),
    ],
    ids=["random", "random, unknown speakers", "single clips validate", "clips of some unknown speakers validate"],
)
def test_names_and_order_of_clips_do_not_matter(clips, changes):
    clips = clips.assign(seconds=np.random.default_rng(0).permutation(len(clips)) / 100)
    if "fold" in clips:
        clips.loc[::5, "speaker"] = ""
    parts = assign_parts(clips, config(**changes)).iloc[:, 1:]
    shuffled = np.random.default_rng(1).permutation(len(clips))
    moved = clips.iloc[shuffled].assign(clip=[f"elsewhere/{row:03d}.flac" for row in range(len(clips))])
    again = assign_parts(moved, config(**changes))
    assert again["clip"].tolist() == moved["clip"].tolist()
    assert again.iloc[:, 1:].equals(parts.iloc[shuffled].reset_index(drop=True))


def test_clips_that_are_alike_in_all_else_are_told_apart_by_their_audio_not_by_their_names():
    clips = corpus().assign(seconds=1.0, statement="", intensity="")
    clips["audio"] = [f"{row:04x}" for row in np.random.default_rng(2).permutation(len(clips))]
    parts = assign_parts(clips, config(scheme="random"))
    renamed = clips.assign(clip=[f"c/{row:04d}" for row in np.random.default_rng(3).permutation(len(clips))])
    assert assign_parts(renamed, config(scheme="random")).iloc[:, 1:].equals(parts.iloc[:, 1:])


def test_emotion_with_a_single_clip_is_an_error():
    clips = corpus(speakers=4)
    clips.loc[0, "emotion"] = "boredom"
    with pytest.raises(InputError, match="a single clip of boredom|no training clip shows boredom"):
        assign_parts(clips, config(scheme="random"))


# --- predefined


def ravdess(actors):
    return corpus(actors, name="ravdess")


@pytest.mark.parametrize("actors", [16, 24])
def test_published_ravdess_folds_are_cut_to_the_actors_present(actors):
    clips = ravdess(actors)
    parts = assign_parts(clips, config(scheme="predefined", predefined=str(EMOBOX)))
    assert list(parts.columns) == ["clip", *(f"fold_{number}" for number in range(6))]
    for number, published in enumerate(EMOBOX_FOLDS):
        tested = set(clips["speaker"][parts[f"fold_{number}"] == "test"])
        assert tested == {f"ravdess:{actor:02d}" for actor in published if actor <= actors}
    digests = audio_digests([np.array([row]) for row in range(len(clips))])
    assert shared_between_parts(clips, parts, digests).empty


def predefined(tmp_path, text, clips, **changes):
    path = tmp_path / "folds.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return assign_parts(clips, config(scheme="predefined", predefined=str(path), **changes))


def test_predefined_by_speaker_numbers_folds_as_the_file_does(tmp_path):
    clips = corpus(speakers=6)
    parts = predefined(tmp_path, "fold,speaker,note\n7,c:02,x\n2,c:01,y\n7,c:04,z\n", clips)
    assert list(parts.columns) == ["clip", "fold_2", "fold_7"]
    assert set(clips["speaker"][parts["fold_2"] == "test"]) == {"c:01"}
    assert set(clips["speaker"][parts["fold_7"] == "test"]) == {"c:02", "c:04"}


def test_predefined_takes_the_folds_that_a_manifest_states():
    clips = corpus(speakers=6)
    fold = clips["speaker"].str[-1].astype(int).clip(upper=3) - 1
    clips["fold"] = fold.astype(str).where(clips["speaker"] != "c:02", "")
    parts = assign_parts(clips, config(scheme="predefined"))
    assert list(parts.columns) == ["clip", "fold_0", "fold_2"]
    assert set(clips["speaker"][parts["fold_0"] == "test"]) == {"c:01"}
    assert set(clips["speaker"][parts["fold_2"] == "test"]) == {"c:03", "c:04", "c:05", "c:06"}


def test_a_protocol_serves_the_clips_that_state_no_fold_of_their_own(tmp_path):
    clips = corpus(speakers=6)
    clips["fold"] = ["1", *[""] * (len(clips) - 1)]
    text = "speaker,fold\n" + "".join(f"c:{number:02d},{number % 3}\n" for number in range(1, 7))
    parts = predefined(tmp_path, text, clips)
    assert ((parts.iloc[:, 1:] == "test").sum(axis=1) == 1).all()
    assert stated_folds(clips, tmp_path / "folds.csv")[1] == ""


def test_a_protocol_that_contradicts_the_fold_that_a_clip_states_is_refused_naming_it(tmp_path):
    clips = corpus(speakers=6)
    clips["fold"] = ["2", *[""] * (len(clips) - 1)]
    with pytest.raises(InputError) as error:
        predefined(tmp_path, "speaker,fold\nc:01,1\nc:02,0\n", clips)
    assert "folds.csv puts c/01-anger-0-0 into fold 1, the table of its corpus into fold 2" in str(error.value)


@pytest.mark.parametrize(
    ("text", "own", "said"),
    [
        ("speaker,fold\nd:01,0\n", [*"0011"], "names none of the 116 clips that have no fold of their own"),
        ("speaker,fold\nd:01,0\n", [*"01"] * 60, "is not needed: every clip has a fold of its own"),
        ("", [*"0011"], "not found; the tables' own folds alone count"),
    ],
)
def test_a_protocol_that_serves_no_clip_is_said_to(tmp_path, text, own, said):
    clips = corpus(speakers=3)
    clips["fold"] = [*own, *[""] * (len(clips) - len(own))]
    (tmp_path / "folds.csv").write_text(text) if text else None
    folds, note = stated_folds(clips, tmp_path / "folds.csv")
    assert said in note and "split.predefined" in note
    assert (folds >= 0).sum() == len(own)


def test_predefined_by_clip_tests_those_clips(tmp_path):
    clips = corpus(speakers=6)
    tested = clips["clip"][::7]
    text = "clip,fold\nc/absent,0\n" + "".join(f"{clip},0\n" for clip in tested)
    parts = predefined(tmp_path, text, clips)
    assert list(parts["clip"][parts["fold_0"] == "test"]) == list(tested)


def test_predefined_serves_clips_without_speakers(tmp_path):
    clips = corpus(speakers=6).assign(speaker="", statement="")
    text = "clip,fold\n" + "".join(f"{clip},{row % 3}\n" for row, clip in enumerate(clips["clip"]))
    parts = predefined(tmp_path, text, clips)
    assert ((parts.iloc[:, 1:] == "test").sum(axis=1) == 1).all()
    assert (parts.iloc[:, 1:] == "validation").any().all()


def test_predefined_file_written_by_a_spreadsheet_is_read(tmp_path):
    text = "\ufeffspeaker,fold\r\nc:01,0\r\nc:02,1\r\n"
    assert list(predefined(tmp_path, text, corpus(speakers=6)).columns) == ["clip", "fold_0", "fold_1"]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffspeaker;fold\r\nc:007;0\r\nc:NA;1\r\nc:Zoe\u0308;1\r\n".encode(),
        "sep=;\r\nFold;Speaker\r\n0;c:007\r\n1;c:NA\r\n1;c:Zoë\r\n".encode(),
        "speaker\tfold\tnote, if any\r\nc:007\t0\tx\r\nc:NA\t1\t\r\nc:Zoë\t1\t\r\n".encode("utf-16"),
    ],
)
def test_predefined_file_of_another_spreadsheet_and_its_names_are_read_as_they_are(tmp_path, content):
    clips = corpus(speakers=6)
    names = {"c:01": "c:007", "c:02": "c:NA", "c:03": "c:Zoe\u0308"}
    clips["speaker"] = clips["speaker"].replace(names)
    parts = predefined(tmp_path, content, clips)
    assert set(clips["speaker"][parts["fold_0"] == "test"]) == {"c:007"}
    assert set(clips["speaker"][parts["fold_1"] == "test"]) == {"c:NA", "c:Zoe\u0308"}


def test_missing_predefined_file_is_named():
    with pytest.raises(InputError, match=r"split\.predefined: absent\.csv not found"):
        assign_parts(corpus(), config(scheme="predefined", predefined="absent.csv"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("actor,fold\nc:01,0\n", "needs the columns fold and either clip or speaker"),
        ("speaker,part\nc:01,0\n", "needs the columns fold and either clip or speaker"),
        ("speaker,fold\nc:01,0\nc:02,1\nc:01,1\n", "names c:01 twice"),
        ("speaker,fold\nc:01,one\n", "folds are numbers from 0"),
        ("speaker,fold\nc:01,-1\n", "folds are numbers from 0"),
        ("speaker,fold\nc:01,\n", "folds are numbers from 0"),
        ("speaker,fold\nc:01,1.0\n", "folds are numbers from 0"),
        ("speaker,fold\n,0\nc:01,1\n", "has a row without a speaker"),
        ("speaker,fold\nd:01,0\n", "names no speaker that there is, such as c:01"),
        ("clip,fold\nd/01,0\n", "names no clip that there is, such as c/01"),
        ("speaker,fold\n", "has a header and no rows"),
        ("speaker,fold,fold\nc:01,0,1\n", "line 1: the column fold is there twice"),
        ("speaker,fold\nc:01,0\nc:02,1,x\n", "line 3: 3 values for 2 columns"),
        ('speaker,fold\n"c:01,0\nc:02,1\n', "line 2: a quotation mark opens a value"),
        ("speaker,fold\ne\u0301,0\né,1\n", "names é twice"),
    ],
)
def test_unusable_predefined_file_is_refused_naming_it_and_what_is_wrong(tmp_path, text, named):
    with pytest.raises(InputError) as error:
        predefined(tmp_path, text, corpus())
    assert "split.predefined" in str(error.value)
    assert named in str(error.value)
    assert "folds.csv" in str(error.value)


@pytest.mark.parametrize("text", ["", b"speaker,fold\n\xff\xfe,1\n"])
def test_predefined_file_that_is_no_table_is_refused(tmp_path, text):
    with pytest.raises(InputError, match=r"split\.predefined"):
        predefined(tmp_path, text, corpus())


def test_predefined_fold_that_tests_everything_is_refused_saying_so(tmp_path):
    text = "speaker,fold\n" + "".join(f"c:{number:02d},0\n" for number in range(1, 13))
    with pytest.raises(InputError, match="fold 0.*train"):
        predefined(tmp_path, text, corpus())


# --- the audit


def distinct(clips):
    return [f"digest {row}" for row in range(len(clips))]


@pytest.mark.parametrize("scheme", BY_SPEAKER)
def test_audit_of_a_clean_table_finds_nothing(scheme):
    clips = pd.concat([corpus(name="a"), corpus(name="b")], ignore_index=True)
    found = shared_between_parts(clips, assign_parts(clips, config(scheme=scheme)), distinct(clips))
    assert found.empty
    assert list(found.columns) == ["fold", "kind", "value", "parts"]


@pytest.mark.parametrize("part", ["train", "validation"])
def test_audit_finds_one_clip_of_a_tested_speaker_elsewhere(part):
    clips = corpus()
    parts = assign_parts(clips, config())
    row = parts.index[parts["fold_2"] == "test"][5]
    parts.loc[row, "fold_2"] = part
    found = shared_between_parts(clips, parts, distinct(clips))
    expected = ("fold_2", "speaker", clips["speaker"][row], ", ".join(sorted(["test", part])))
    assert list(found.itertuples(index=False, name=None)) == [expected]


def test_audit_finds_identical_audio_of_two_speakers_on_two_sides():
    clips = corpus()
    parts = assign_parts(clips, config())
    first = parts.index[parts["fold_0"] == "test"][0]
    second = parts.index[parts["fold_0"] == "train"][0]
    digests = distinct(clips)
    digests[second] = digests[first]
    found = shared_between_parts(clips, parts, digests)
    assert set(found["kind"]) == {"audio"}
    assert ("fold_0", "test, train") in set(zip(found["fold"], found["parts"], strict=True))
    assert set(found["value"]) == {", ".join(clips["clip"][sorted([first, second])])}


def test_audit_lets_identical_audio_in_one_part_be():
    clips = corpus()
    parts = assign_parts(clips, config())
    same = parts.index[clips["speaker"] == "c:03"][:2]
    digests = np.array(distinct(clips))
    digests[same] = "twice"
    assert shared_between_parts(clips, parts, digests).empty


def test_audit_finds_the_speakers_of_a_random_split():
    clips = corpus()
    found = shared_between_parts(clips, assign_parts(clips, config(scheme="random")), distinct(clips))
    assert set(found["kind"]) == {"speaker"}
    assert len(found) == 4 * 12
    assert set(found["parts"]) == {"test, train, validation"}


def test_audit_says_nothing_of_speakers_that_are_unknown_but_still_compares_their_audio():
    clips = corpus().assign(speaker="")
    parts = assign_parts(clips, config(scheme="random"))
    assert shared_between_parts(clips, parts, distinct(clips)).empty
    assert set(shared_between_parts(clips, parts, ["same"] * len(clips))["kind"]) == {"audio"}


def test_audit_does_not_depend_on_the_index_of_the_table():
    clips = corpus()
    parts = assign_parts(clips, config(scheme="random"))
    found = shared_between_parts(clips, parts, distinct(clips))
    moved = clips.set_index(pd.Index(np.arange(len(clips)) + 50))
    assert shared_between_parts(moved, parts, distinct(clips)).equals(found)


@pytest.mark.parametrize("scheme", ["cross_corpus", "kfold"])
def test_people_that_corpora_share_stop_the_split_that_would_part_them(scheme, capsys):
    clips = pd.concat([corpus(name="a"), corpus(name="b")], ignore_index=True)
    clips["speaker"] = clips["speaker"].str[2:]  # global speakers
    parts = assign_parts(clips, config(scheme=scheme))
    if scheme == "kfold":
        audit(clips, parts, scheme, distinct(clips))
        assert "no speaker and no audio is in two parts of a fold" in capsys.readouterr().out
        return
    with pytest.raises(InputError, match=r"speaker 01 is in test, .*; the corpora share people: split\.scheme kfold"):
        audit(clips, parts, scheme, distinct(clips))


def test_identical_audio_on_two_sides_stops_saying_what_to_do(capsys):
    clips = corpus()
    with pytest.raises(InputError, match="audio .* is in test, train, .* take all but one of these clips away"):
        audit(clips, assign_parts(clips, config(scheme="random")), "random", ["same"] * len(clips))


# --- what is printed


def test_parts_are_described_by_known_speakers_and_by_what_is_never_tested(capsys):
    clips = corpus(speakers=2, emotions=EMOTIONS[:2], statements=1, takes=2)
    clips.loc[[0, 1], "speaker"] = ""
    parts = pd.DataFrame(
        {"clip": clips["clip"], "fold_0": ["test", "test", "train", *["validation"] * 3, *["train"] * 2]}
    )
    describe(clips, parts)
    assert capsys.readouterr().out.splitlines() == [
        "  fold_0: train 3 clips of 2 speakers, validation 3 clips of 2 speakers, test 2 clips of unknown speakers",
        "  6 of 8 clips are tested in no fold",
    ]


# --- people of the tested corpus who give labels


def crossed(**changes):
    """Two corpora, and the parts of their clips in each fold."""
    clips = pd.concat([corpus(speakers=5, name="a"), corpus(speakers=4, name="b")], ignore_index=True)
    return clips, assign_parts(clips, config(scheme="cross_corpus", **changes))


def test_some_people_give_labels_and_are_not_tested():
    clips, parts = crossed(labelled_speakers=2, labelled_clips=12)
    for fold, tested in (("fold_0", "a"), ("fold_1", "b")):
        own = (clips["corpus"] == tested).to_numpy()
        part = parts[fold].to_numpy()
        assert set(part[own]) == {"test", "labelled", ""} and set(part[~own]) == {"train", "validation"}
        giving = set(clips.loc[part == "labelled", "speaker"])
        assert len(giving) == 2 and (part == "labelled").sum() == 12
        assert not giving & set(clips.loc[part == "test", "speaker"])
        assert set(clips.loc[part == "", "speaker"]) <= giving
        counts = clips.loc[part == "labelled", "emotion"].value_counts()
        assert len(counts) == len(EMOTIONS) and counts.max() - counts.min() <= 1
    assert not len(shared_between_parts(clips, parts, [str(row) for row in range(len(clips))]).query("parts != ''"))


def test_who_gives_labels_depends_on_the_seed_and_not_on_the_order():
    clips, parts = crossed(labelled_speakers=2)
    shuffled = clips.sample(frac=1, random_state=4)
    again = assign_parts(shuffled, config(scheme="cross_corpus", labelled_speakers=2)).set_index("clip")
    assert again.loc[parts["clip"]].reset_index().equals(parts)
    others = {
        frozenset(clips.loc[crossed(labelled_speakers=2, seed=seed)[1]["fold_0"] == "labelled", "speaker"])
        for seed in range(6)
    }
    assert len(others) > 1


def test_what_is_learnt_from_is_the_same_without_labels():
    with_labels, without = (crossed(labelled_speakers=number)[1] for number in (2, 0))
    for fold in ("fold_0", "fold_1"):
        for part in ("train", "validation"):
            assert ((with_labels[fold] == part) == (without[fold] == part)).all()


def test_somebody_has_to_be_left_to_be_tested():
    with pytest.raises(InputError, match="labelled_speakers is 4, and b has 4 speakers: nobody is left"):
        crossed(labelled_speakers=4)


@pytest.mark.parametrize(("changes", "said"), [({"scheme": "kfold"}, "in cross_corpus only"), ({}, "0, or at least 2")])
def test_impossible_labels_are_refused(changes, said):
    settings_ = {"scheme": "cross_corpus", "labelled_speakers": 2 if changes else 1} | changes
    with pytest.raises(ValueError, match=said):
        config(**settings_)

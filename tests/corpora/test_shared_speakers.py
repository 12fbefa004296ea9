"""People whom corpora share: one speaker each as soon as somebody says so, and a question until then."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import ROOT, run_stage, set_params, workplace
from ser.audit.duplicates import find_duplicates
from ser.audit.survey import list_files
from ser.corpora.shared_speakers import read_speaker_ids, settle_speakers
from ser.errors import InputError
from ser.settings.all_sections import load_params
from ser.settings.params_file import validated
from ser.settings.prepare_sections import Prepare

PARAMS = load_params(ROOT / "params.yaml")


def speakers(raw, *corpora, **speaker_ids):
    settings = PARAMS.prepare.model_copy(update={"corpora": list(corpora), "speaker_ids": speaker_ids})
    files = list_files(raw, settings, PARAMS.demo)
    return set(files["speaker"]) - {""}


def table(raw, name, *rows, header="path,emotion,speaker"):
    (raw / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


@pytest.fixture
def raw(tmp_path):
    """Two tables of the same three people, spelt in two ways, and a folder of two others and one of them."""
    composed, apart = "Zoë", unicodedata.normalize("NFD", "zoë")
    table(tmp_path, "session1", f"1/a.wav,anger,{composed}", "1/b.wav,anger,anna", "1/c.wav,anger,ben")
    table(tmp_path, "session2", f"2/a.wav,anger,{apart}", "2/b.wav,anger,Anna", "2/c.wav,anger,ben")
    for who in ("carl", "dora"):
        path = tmp_path / "mine" / "anger" / who / "a.wav"
        path.parent.mkdir(parents=True)
        path.touch()
    return tmp_path


def test_ids_that_recur_in_corpora_of_ones_own_are_asked_about(raw):
    with pytest.raises(InputError) as error:
        speakers(raw, "session1", "session2", "mine")
    assert str(error.value) == (
        "3 speaker ids (Anna, Zoë, ben) occur in several corpora (session1, session2), so that nobody knows who may be "
        "tested on whom: for the same people set prepare.speaker_ids to {session1: people, session2: people}, for "
        "others to {session1: session1, session2: session2}"
    )


def test_a_folder_and_a_table_are_asked_about_too(raw):
    (raw / "mine/anger/ben").mkdir()
    (raw / "mine/anger/ben/a.wav").touch()
    with pytest.raises(InputError, match=r"1 speaker id \(ben\) occurs in several corpora \(mine, session1\)"):
        speakers(raw, "session1", "mine")


def test_corpora_with_people_of_their_own_are_left_as_they_are(raw):
    found = speakers(raw, "session1", "mine")
    assert found == {"session1:Zoë", "session1:anna", "session1:ben", "mine:carl", "mine:dora"}


def test_ids_in_one_sense_are_one_person_however_they_are_spelt(raw):
    assert speakers(raw, "session1.csv", "session2", **{"session1": "lab", "session2.csv": "lab"}) == {
        "lab:Zoë",
        "lab:Anna",
        "lab:ben",
    }


def test_a_corpus_that_was_forgotten_where_others_were_merged_is_asked_about(raw):
    table(raw, "session3", "3/a.wav,anger,BEN")
    merged = {"session1": "lab", "session2": "lab"}
    with pytest.raises(InputError) as error:
        speakers(raw, "session1", "session2", "session3", **merged)
    assert str(error.value).startswith("1 speaker id (BEN) occurs in several corpora (session1, session2, session3)")
    assert "{session1: lab, session2: lab, session3: lab}" in str(error.value)
    assert "{session1: lab, session2: lab, session3: session3}" in str(error.value)
    assert "session3:BEN" in speakers(raw, "session1", "session2", "session3", **merged, session3="session3")


def test_a_corpus_that_is_named_as_itself_is_settled(raw):
    found = speakers(raw, "session1", "session2", session1="session1", session2="session2")
    assert {"session1:ben", "session2:ben"} <= found and len(found) == 6


def test_one_corpus_can_be_read_in_the_sense_of_another(raw):
    assert speakers(raw, "session1", "session2", session2="session1") == {
        "session1:Zoë",
        "session1:Anna",
        "session1:ben",
    }


def test_known_corpora_and_the_demo_are_not_asked_about_but_can_be_named(raw):
    for name, file in (("ravdess", "03-01-05-01-01-01-12.wav"), ("emodb", "03a01Wa.wav")):
        (raw / name).mkdir()
        (raw / name / file).touch()
    table(raw, "studio", "3/a.wav,anger,12", "3/b.wav,anger,03", "3/c.wav,anger,s01")
    kept = speakers(raw, "ravdess", "emodb", "demo", "studio")
    assert {"ravdess:12", "emodb:03", "demo:s01", "studio:12", "studio:03", "studio:s01"} <= kept
    named = speakers(raw, "EMO-DB", "demo", "studio", **{"emo-db": "cast", "demo": "cast", "studio": "cast"})
    assert {"cast:12", "cast:03", "cast:s01", "cast:s02"} <= named
    assert not any(speaker.startswith(("emodb:", "demo:", "studio:")) for speaker in named)


def test_global_speakers_need_no_answer(raw):
    header = "path,emotion,speaker,global_speaker"
    table(raw, "one", "4/a.wav,anger,1,P1", "4/b.wav,anger,2,P2", header=header)
    table(raw, "two", "5/a.wav,anger,1,P2", "5/b.wav,anger,2,P1", header=header)
    assert speakers(raw, "one", "two") == {"P1", "P2"}
    table(raw, "three", "6/a.wav,anger,1,p1", header=header)
    with pytest.raises(InputError, match="global speakers P1 and p1 differ in case only: spell them alike"):
        speakers(raw, "one", "three")


@pytest.mark.parametrize(
    ("speaker_ids", "message"),
    [
        ({"sesion1": "lab"}, r"names sesion1, which is not in prepare\.corpora; allowed are session1, emodb"),
        ({"EMO-DB": "lab", "emodb": "lab"}, r"names emodb twice \(EMO-DB, emodb\): keep one"),
        ({"session1": "lab", "emodb": "Lab"}, "lab and Lab differ in case only: spell them alike"),
    ],
)
def test_what_names_no_corpus_or_contradicts_itself_is_refused(speaker_ids, message):
    with pytest.raises(InputError, match=r"prepare\.speaker_ids.*" + message):
        read_speaker_ids(["session1", "EMO-DB.zip"], speaker_ids)


@pytest.mark.parametrize("name", ["", "a:b", " a", "a\nb"])
def test_a_name_that_would_blur_what_is_an_id_is_refused(name):
    values = PARAMS.prepare.model_dump() | {"speaker_ids": {"demo": name}}
    with pytest.raises(InputError, match=r"prepare: speaker_ids\.demo is"):
        validated(Prepare, values, "prepare")


def test_tables_without_speakers_are_handed_on():
    unusable = pd.DataFrame({"clip": ["a"], "corpus": ["mine"]})
    assert settle_speakers([unusable], {})[0] is unusable


@pytest.mark.parametrize(
    ("speakers_of", "contradict"),
    [(("a:1", "b:2"), False), (("lab:1", "lab:2"), True), (("P1", "P2"), True), (("P1", "b:2"), False)],
)
def test_speakers_in_one_sense_contradict_each_other_across_corpora(speakers_of, contradict):
    clips = pd.DataFrame({"clip": ["a/1", "b/1"], "corpus": ["a", "b"], "emotion": "anger", "speaker": speakers_of})
    clips = clips.assign(source=["1.wav", "2.wav"])
    found = find_duplicates(clips, np.array(["same", "same"], dtype=object))
    assert len(found) == (2 if contradict else 1)


# --- the stages


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """Two tables of the same four people; the stage `prepare` has not run yet."""
    folder = workplace(tmp_path_factory.mktemp("sessions"), prepare__corpora=["session1", "session2"], split__folds=2)
    rng = np.random.default_rng(0)
    for number in (1, 2):
        rows = []
        for who in ("anna", "ben", "carl", "dora"):
            for emotion in ("anger", "sadness"):
                path = folder / "data/raw" / f"s{number}" / f"{who}-{emotion}.wav"
                path.parent.mkdir(exist_ok=True)
                soundfile.write(path, rng.normal(scale=0.1, size=16000), 16000)
                rows.append(f"s{number}/{path.name},{emotion},{who}")
        table(folder / "data/raw", f"session{number}", *rows)
    return folder


def change(folder, **values):
    set_params(folder, {key.replace("__", "."): value for key, value in values.items()})


def test_the_same_people_in_two_tables_are_never_on_two_sides(sessions):
    asked = run_stage(sessions, "prepare")
    assert asked.returncode == 1 and "4 speaker ids (anna, ben, carl, …) occur in several corpora" in asked.stderr
    change(sessions, prepare__speaker_ids={"session1": "lab", "session2": "lab"}, split__scheme="loso")
    prepared = run_stage(sessions, "prepare")
    assert prepared.returncode == 0, prepared.stderr
    assert "16 clips of 4 speakers" in prepared.stdout
    split = run_stage(sessions, "split")
    assert split.returncode == 0, split.stderr
    assert "no speaker and no audio is in two parts of a fold" in split.stdout
    folds = pd.read_csv(sessions / "data/folds.csv").merge(pd.read_csv(sessions / "data/prepared/clips.csv"), on="clip")
    assert [set(folds.loc[folds[f"fold_{fold}"] == "test", "corpus"]) for fold in range(4)] == [
        {"session1", "session2"}
    ] * 4
    change(sessions, split__scheme="cross_corpus")
    stopped = run_stage(sessions, "split")
    assert stopped.returncode == 1
    assert "speaker lab:anna is in test, " in stopped.stderr and "the corpora share people" in stopped.stderr


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [("01", "1", True), ("s007", "S7", True), ("speaker  1", "Speaker 1", True), ("10", "1", False), ("0", "00", True)],
)
def test_spellings_of_an_id_that_spreadsheets_change_are_one(one, other, alike):
    tables = [pd.DataFrame({"corpus": name, "speaker": [f"lab:{id_}"]}) for name, id_ in (("a", one), ("b", other))]
    settled = settle_speakers(tables, {"a": "lab", "b": "lab"})
    assert (settled[0]["speaker"][0] == settled[1]["speaker"][0]) == alike

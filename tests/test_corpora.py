"""Corpora: names state labels and labels names, and a folder of files becomes one sorted table."""

import itertools
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.corpora import COLUMNS, KNOWN, audio_files, cremad, emodb, folders, ravdess, read_corpus, tess
from ser.corpora.emotions import EMOTIONS, emotion_of_word
from ser.corpora.labels import UnusableNameError
from ser.errors import InputError

REAL = Path(__file__).parents[2] / "shared" / "corpora"
MODEST = settings(max_examples=200, deadline=None, database=None, derandomize=True)
SUFFIXES = ["wav", "flac"]
REFUSED = "ravdess/Actor_05/03-01-05-01-01-01-02.flac"

# What the publications of the corpora say, written down a second time
RAVDESS_EMOTIONS = ["neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise"]
EMODB_LETTERS = dict(anger="W", boredom="L", disgust="E", fear="A", happiness="F", sadness="T", neutral="N")
EMODB_FEMALE = {"08", "09", "13", "14", "16"}
EMODB_TEXTS = ["a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"]
CREMAD_SENTENCES = ["IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI"]
CREMAD_EMOTIONS = dict(anger="ANG", disgust="DIS", fear="FEA", happiness="HAP", neutral="NEU", sadness="SAD")
TESS_WORDS = dict(
    anger="angry",
    disgust="disgust",
    fear="fear",
    happiness="happy",
    neutral="neutral",
    sadness="sad",
    surprise="ps",
)


def parse(module, name):
    return module.parse_name(PurePosixPath(name))


def refusal(module, name):
    with pytest.raises(UnusableNameError) as error:
        parse(module, name)
    return str(error.value)


# --- RAVDESS


@MODEST
@given(
    st.sampled_from(RAVDESS_EMOTIONS),
    st.sampled_from(["normal", "strong"]),
    st.sampled_from(["kids", "dogs"]),
    st.sampled_from([1, 2]),
    st.integers(1, 24),
    st.sampled_from(["speech", "song"]),
    st.sampled_from(["", "Actor_{:02d}/", "audio_speech_actors_01-24/Actor_{:02d}/", "actor_{:d}/", "ACTOR{:02d}/"]),
)
def test_ravdess_name_built_from_labels_states_them(emotion, intensity, statement, repetition, actor, channel, folder):
    codes = [
        3,
        ["speech", "song"].index(channel) + 1,
        RAVDESS_EMOTIONS.index(emotion) + 1,
        ["normal", "strong"].index(intensity) + 1,
        ["kids", "dogs"].index(statement) + 1,
        repetition,
        actor,
    ]
    labels = parse(ravdess, folder.format(actor) + "-".join(f"{code:02d}" for code in codes) + ".wav")
    assert labels.speaker == f"{actor:02d}"
    assert labels.sex == ("male" if actor % 2 else "female")
    assert (labels.emotion, labels.intensity) == (emotion, intensity)
    assert labels.statement == (statement if channel == "speech" else f"{statement}-song")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("00-01-01-01-01-01-01", "modality 00"),
        ("04-01-01-01-01-01-01", "modality 04"),
        ("03-03-01-01-01-01-01", "vocal channel 03"),
        ("03-01-09-01-01-01-01", "emotion 09"),
        ("03-01-00-01-01-01-01", "emotion 00"),
        ("03-01-01-03-01-01-01", "intensity 03"),
        ("03-01-01-01-03-01-01", "statement 03"),
        ("03-01-01-01-01-03-01", "repetition 03"),
        ("03-01-01-01-01-01-25", "actor 25"),
        ("03-01-01-01-01-01-00", "actor 00"),
    ],
)
def test_ravdess_code_that_does_not_exist_is_refused_by_name(name, field):
    assert refusal(ravdess, f"{name}.wav") == f"{field} does not exist in RAVDESS"


@pytest.mark.parametrize(
    "stem",
    ["", "hello", "03-01-01-01-01-01", "03-01-01-01-01-01-01-01", "3-1-1-1-1-1-1", "03_01_01_01_01_01_01", "٠٣" * 7],
)
def test_ravdess_name_outside_the_scheme_is_refused(stem):
    assert "seven two-digit fields" in refusal(ravdess, f"{stem}.wav")


def test_ravdess_clip_in_another_actors_folder_is_refused():
    assert "actor 02, the folder Actor_05" in refusal(ravdess, "Actor_05/03-01-05-01-01-01-02.wav")


# --- EMO-DB


@MODEST
@given(
    st.sampled_from(["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"]),
    st.sampled_from(EMODB_TEXTS),
    st.sampled_from(sorted(EMODB_LETTERS)),
    st.sampled_from("abcdef"),
    st.sampled_from(["", "wav/", "emotion/", "sorted/wav/"]),
)
def test_emodb_name_built_from_labels_states_them(speaker, text, emotion, version, folder):
    if folder == "emotion/":
        folder = f"{emotion}/"
    labels = parse(emodb, f"{folder}{speaker}{text}{EMODB_LETTERS[emotion]}{version}.wav")
    assert (labels.speaker, labels.statement, labels.emotion) == (speaker, text, emotion)
    assert labels.sex == ("female" if speaker in EMODB_FEMALE else "male")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("01a01Fa", "speaker 01"),
        ("17a01Fa", "speaker 17"),
        ("03a03Fa", "text a03"),
        ("03b04Fa", "text b04"),
        ("03a01Xa", "emotion X"),
    ],
)
def test_emodb_code_that_does_not_exist_is_refused_by_name(name, field):
    assert refusal(emodb, f"wav/{name}.wav") == f"{field} does not exist in EMO-DB"


@pytest.mark.parametrize("stem", ["3a01Fa", "03a01F", "03a01fa", "03c01Fa", "03a01Fa2", "clip"])
def test_emodb_name_outside_the_scheme_is_refused_where_no_folder_helps(stem):
    assert "speaker, text, emotion and version" in refusal(emodb, f"wav/{stem}.wav")


def test_emodb_clip_in_another_emotions_folder_is_refused():
    assert "the name says happiness, the folder angry" in refusal(emodb, "angry/03a01Fa.wav")


def test_emodb_folder_of_an_emotion_serves_names_outside_the_scheme_without_inventing_a_speaker():
    labels = parse(emodb, "Angry/clip17.wav")
    assert labels == ("", "", "anger", "", "")


# --- CREMA-D


def test_cremad_all_names_state_their_labels():
    intensities = {"LO": "low", "MD": "medium", "HI": "high", "XX": "", "X": ""}
    seen = set()
    for actor, sentence, emotion, intensity in itertools.product(
        range(1001, 1092), CREMAD_SENTENCES, CREMAD_EMOTIONS, intensities
    ):
        name = f"{actor}_{sentence}_{CREMAD_EMOTIONS[emotion]}_{intensity}"
        labels = parse(cremad, f"AudioWAV/{name}.wav")
        assert (labels.speaker, labels.statement) == (str(actor), sentence), name
        assert (labels.emotion, labels.intensity) == (emotion, intensities[intensity]), name
        seen.add((labels.speaker, labels.sex))
    assert len(seen) == 91
    assert sum(sex == "female" for _, sex in seen) == 43  # Cao et al. 2014: 48 male and 43 female actors
    assert sum(sex == "male" for _, sex in seen) == 48
    assert {("1001", "male"), ("1002", "female"), ("1091", "female")} <= seen


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("1000_DFA_ANG_XX", "actor 1000"),
        ("1092_DFA_ANG_XX", "actor 1092"),
        ("1001_ABC_ANG_XX", "sentence ABC"),
        ("1001_DFA_SUR_XX", "emotion SUR"),
        ("1001_DFA_ANG_HO", "intensity HO"),
    ],
)
def test_cremad_code_that_does_not_exist_is_refused_by_name(name, field):
    assert refusal(cremad, f"{name}.wav") == f"{field} does not exist in CREMA-D"


@pytest.mark.parametrize("stem", ["1001_DFA_ANG", "1001_DFA_ANG_XX_2", "101_DFA_ANG_XX", "1001_dfa_ang_xx"])
def test_cremad_name_outside_the_scheme_is_refused(stem):
    assert "actor, sentence, emotion and intensity" in refusal(cremad, f"{stem}.wav")


# --- TESS


@MODEST
@given(
    st.sampled_from(["OAF", "YAF"]),
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8),
    st.sampled_from(sorted(TESS_WORDS)),
    st.booleans(),
)
def test_tess_name_built_from_labels_states_them(speaker, word, emotion, in_folder):
    folder = f"{speaker}_{TESS_WORDS[emotion].capitalize()}/" if in_folder else ""
    labels = parse(tess, f"{folder}{speaker}_{word}_{TESS_WORDS[emotion]}.wav")
    assert labels == (speaker, "female", emotion, "", word)


@pytest.mark.parametrize("folder", ["OAF_Pleasant_surprise", "OAF_pleasant_surprised", "OAF_ps"])
def test_tess_published_spellings_of_pleasant_surprise_agree(folder):
    assert parse(tess, f"{folder}/OAF_back_ps.wav").emotion == "surprise"


def test_tess_published_slip_of_the_pen_is_the_older_speaker():
    assert parse(tess, "OAF_neutral/OA_bite_neutral.wav").speaker == "OAF"


@pytest.mark.parametrize("folder", ["YAF_angry", "OAF_happy"])
def test_tess_clip_in_another_folder_is_refused(folder):
    assert f"the name says OAF and anger, the folder {folder}" in refusal(tess, f"{folder}/OAF_back_angry.wav")


@pytest.mark.parametrize(
    ("stem", "reason"),
    [
        ("XAF_back_angry", "speaker XAF does not exist"),
        ("OAF_back_calm", "emotion calm does not exist"),
        ("OAF_back", "speaker, word and emotion"),
        ("oaf_back_angry", "speaker, word and emotion"),
    ],
)
def test_tess_name_outside_the_scheme_is_refused(stem, reason):
    assert reason in refusal(tess, f"{stem}.wav")


# --- any corpus


@MODEST
@given(st.sampled_from([*KNOWN.values(), folders]), st.text(max_size=40).filter(lambda text: "\x00" not in text))
def test_any_path_gives_labels_of_the_vocabulary_or_a_reason(module, text):
    try:
        labels = parse(module, text)
    except UnusableNameError as error:
        assert str(error)
    else:
        assert labels.emotion in EMOTIONS
        assert labels.sex in {"female", "male", ""}


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_every_emotion_is_a_word_for_itself_in_any_case(emotion):
    assert emotion_of_word(emotion) == emotion_of_word(emotion.upper()) == emotion


@pytest.mark.parametrize(
    ("word", "emotion"),
    [("angry", "anger"), ("bored", "boredom"), ("happy", "happiness"), ("sad", "sadness"), ("surprised", "surprise")],
)
def test_adjectives_stand_for_their_emotion(word, emotion):
    assert emotion_of_word(word) == emotion


def test_other_words_stand_for_no_emotion():
    assert emotion_of_word("wav") is None
    assert emotion_of_word("") is None


def test_generic_layout_reads_emotion_and_speaker_off_the_folders():
    assert parse(folders, "Happy/anna/01.wav") == ("anna", "", "happiness", "", "")
    assert parse(folders, "sad/01.wav") == ("", "", "sadness", "", "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("01.wav", "no folder named after an emotion"),
        ("anna/sad/01.wav", "no folder named after an emotion"),
        ("sad/anna/day1/01.wav", "deeper than <emotion>/<speaker>/<file>"),
    ],
)
def test_generic_layout_refuses_other_depths_and_words(name, reason):
    assert reason in refusal(folders, name)


# --- folders of files


@pytest.fixture
def tree(tmp_path):
    """Return a function that creates empty files below the folder it returns: names alone are read."""

    def create(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return create


def test_table_has_the_documented_columns_and_labels(tree):
    clips, quarantined = read_corpus("ravdess", tree("ravdess/Actor_12/03-01-06-01-02-01-12.wav"))
    assert list(clips.columns) == COLUMNS
    assert quarantined == []
    assert clips.iloc[0].to_dict() == {
        "clip": "ravdess/Actor_12/03-01-06-01-02-01-12",
        "corpus": "ravdess",
        "speaker": "ravdess:12",
        "sex": "female",
        "emotion": "fear",
        "intensity": "normal",
        "statement": "dogs",
        "language": "en",
        "source": "ravdess/Actor_12/03-01-06-01-02-01-12.wav",
    }


def test_unknown_speaker_is_empty_in_the_table(tree):
    clips, _ = read_corpus("mine", tree("mine/happy/a.wav", "mine/happy/anna/a.wav"))
    assert dict(zip(clips["clip"], clips["speaker"], strict=True)) == {
        "mine/happy/a": "",
        "mine/happy/anna/a": "mine:anna",
    }


def test_second_file_of_the_same_name_is_quarantined(tree):
    raw = tree("emodb/wav/03a01Fa.wav", "emodb/wav/03a01Fa.flac", "emodb/wav/03a01Wa.wav")
    clips, quarantined = read_corpus("emodb", raw)
    assert list(clips["source"]) == ["emodb/wav/03a01Fa.flac", "emodb/wav/03a01Wa.wav"]
    assert quarantined == [
        {
            "corpus": "emodb",
            "file": "emodb/wav/03a01Fa.wav",
            "reason": "another file of the same name has been read: emodb/wav/03a01Fa.flac",
        }
    ]


def test_file_with_a_useless_name_is_quarantined_with_its_reason(tree):
    raw = tree("ravdess/Actor_02/03-01-05-01-01-01-02.wav", "ravdess/Actor_05/03-01-05-01-01-01-02.wav")
    clips, quarantined = read_corpus("ravdess", raw)
    assert list(clips["source"]) == ["ravdess/Actor_02/03-01-05-01-01-01-02.wav"]
    assert [row["file"] for row in quarantined] == ["ravdess/Actor_05/03-01-05-01-01-01-02.wav"]
    assert "actor 02" in quarantined[0]["reason"]


def test_useless_name_does_not_stand_in_the_way_of_the_good_one(tree):
    """The clip of Actor_02 must be read although a misfiled file of the same stem comes before it."""
    raw = tree("ravdess/Actor_01/03-01-05-01-01-01-02.wav", "ravdess/Actor_02/03-01-05-01-01-01-02.wav")
    clips, _ = read_corpus("ravdess", raw)
    assert list(clips["speaker"]) == ["ravdess:02"]


def test_hidden_files_other_files_and_what_macos_adds_are_passed_over(tree):
    raw = tree(
        "emodb/wav/03a01Fa.wav",
        "emodb/wav/._03a01Fa.wav",
        "emodb/.cache/03a01Wa.wav",
        "emodb/__MACOSX/wav/03a01Na.wav",
        "emodb/wav/03a01Ta.txt",
        "emodb/wav/03a01Ta.mp3",
        "emodb/erkennung.txt",
    )
    (raw / "emodb/wav/03a01La.wav").mkdir()  # a folder, whatever it is called
    clips, quarantined = read_corpus("emodb", raw)
    assert list(clips["source"]) == ["emodb/wav/03a01Fa.wav"]
    assert quarantined == []


def test_corpus_below_a_hidden_folder_is_read(tree):
    raw = tree(".hidden/emodb/wav/03a01Fa.wav") / ".hidden"
    assert len(read_corpus("emodb", raw)[0]) == 1


def test_suffixes_in_capitals_are_audio_too(tree):
    clips, _ = read_corpus("emodb", tree("emodb/03a01Fa.WAV", "emodb/03a01Wa.Flac"))
    assert list(clips["clip"]) == ["emodb/03a01Fa", "emodb/03a01Wa"]


def test_folder_without_audio_is_an_error_that_names_it(tree):
    raw = tree("emodb/readme.txt")
    with pytest.raises(InputError, match=r"corpus emodb: no \.flac or \.wav file under .*emodb"):
        read_corpus("emodb", raw)


def test_missing_folder_is_an_error_that_names_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"corpus tess: no folder .*tess; .*prepare\.corpora or raw\.path"):
        read_corpus("tess", tmp_path)


def test_corpus_of_which_every_name_is_useless_gives_an_empty_table(tree):
    clips, quarantined = read_corpus("tess", tree("tess/a.wav", "tess/b.wav"))
    assert clips.empty
    assert list(clips.columns) == COLUMNS
    assert len(quarantined) == 2


def test_same_name_in_two_subfolders_gives_two_clips(tree):
    clips, quarantined = read_corpus("cremad", tree("cremad/x/1001_DFA_ANG_XX.wav", "cremad/y/1001_DFA_ANG_XX.wav"))
    assert list(clips["clip"]) == ["cremad/x/1001_DFA_ANG_XX", "cremad/y/1001_DFA_ANG_XX"]
    assert quarantined == []


def test_names_in_other_alphabets_with_spaces_and_dots_are_kept(tree):
    raw = tree("meins/Angry/Jörg Ü./wütend 1.0.wav", "meins/happy/北京/快乐.wav", "meins/sad/Ольга/грусть.wav")
    clips, quarantined = read_corpus("meins", raw)
    assert quarantined == []
    assert set(clips["speaker"]) == {"meins:Jörg Ü.", "meins:北京", "meins:Ольга"}
    assert "meins/Angry/Jörg Ü./wütend 1.0" in set(clips["clip"])
    assert all((raw / source).is_file() for source in clips["source"])


def test_files_are_listed_in_order_whatever_order_the_disk_keeps_them_in(tree):
    names = [f"{folder}/{number:03d}.{suffix}" for number in range(50, 0, -1) for folder in "ba" for suffix in SUFFIXES]
    raw = tree(*names)
    assert [path.relative_to(raw).as_posix() for path in audio_files(raw)] == sorted(names)


@settings(max_examples=20, deadline=None, database=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["happy", "sad", "angry", "wav"]),
            st.sampled_from(["", "a/", "B/", "a b/"]),
            st.text("abAB-_ é", min_size=1, max_size=4).filter(lambda stem: not stem.endswith(" ")),
            st.sampled_from([".wav", ".flac", ".WAV"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_every_file_is_in_the_sorted_table_once_or_in_quarantine(tmp_path_factory, files):
    raw = tmp_path_factory.mktemp("raw")
    names = {f"own/{folder}/{speaker}{stem}{suffix}" for folder, speaker, stem, suffix in files}
    for name in names:
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).touch()
    clips, quarantined = read_corpus("own", raw)
    assert list(clips["clip"]) == sorted(set(clips["clip"]))
    assert sorted([*clips["source"], *(row["file"] for row in quarantined)]) == sorted(names)
    assert read_corpus("own", raw)[0].equals(clips)


# --- the corpora as they are published


@pytest.fixture
def real():
    if not REAL.is_dir():
        pytest.skip(f"the real corpora are not at {REAL}")
    return REAL


def test_real_ravdess_has_one_misfiled_clip_and_sixty_of_each_actor(real):
    clips, quarantined = read_corpus("ravdess", real)
    assert [row["file"] for row in quarantined] == [REFUSED]
    assert len(clips) == 960
    assert clips["clip"].is_unique
    assert set(clips.groupby("speaker").size()) == {60}
    per_emotion = clips.groupby(["speaker", "emotion"]).size().unstack()
    assert (per_emotion.pop("neutral") == 4).all()  # spoken with normal intensity only
    assert (per_emotion == 8).all(axis=None)


def test_real_emodb_has_the_published_counts(real):
    clips, quarantined = read_corpus("emodb", real)
    assert quarantined == []
    assert len(clips) == 535
    assert clips["emotion"].value_counts().to_dict() == {
        "anger": 127,
        "boredom": 81,
        "neutral": 79,
        "happiness": 71,
        "fear": 69,
        "sadness": 62,
        "disgust": 46,
    }
    assert clips["speaker"].nunique() == 10
    assert clips["statement"].nunique() == 10

"""Names of the known corpora: all that a scheme can produce state their labels and come back from them; others don't.

What the publications of the corpora say is written down here a second time.
"""

import itertools
import re
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import CORPORA, needs_corpora, run_stage, workplace
from ser.corpora import cremad, nemo, ravdess, tess, turevdb
from ser.corpora.known_corpora import KNOWN
from ser.corpora.labels import Labels, UnusableNameError
from ser.corpora.side_tables import BrokenTableError
from ser.naming.emotion_words import EMOTIONS, emotion_of_word

ROOT = Path(__file__).parents[2]
MODEST = settings(max_examples=300, deadline=None, database=None, derandomize=True)


def parse(corpus, path, table=None):
    return KNOWN[corpus].parse_name(PurePosixPath(path), table)


def refusal(corpus, path, table=None):
    with pytest.raises(UnusableNameError) as error:
        parse(corpus, path, table)
    return str(error.value)


# --- the schemes


def ravdess_labels():
    emotions = ["neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise"]
    for modality, channel, emotion, intensity, statement, take, actor in itertools.product(
        (1, 3), (1, 2), range(1, 9), (1, 2), (1, 2), (1, 2), range(1, 25)
    ):
        if (emotion == 1 and intensity == 2) or (channel == 2 and (emotion > 6 or actor == 18)):
            continue
        codes = (modality, channel, emotion, intensity, statement, take, actor)
        yield Labels(
            f"{actor:02d}",
            "male" if actor % 2 else "female",
            emotions[emotion - 1],
            intensity=("normal", "strong")[intensity - 1],
            statement=("kids", "dogs")[statement - 1] + ("-song" if channel == 2 else ""),
            take=str(take),
            name="-".join(f"{code:02d}" for code in codes),
        )


def emodb_labels():
    ages = {"03": 31, "08": 34, "09": 21, "10": 32, "11": 26, "12": 30, "13": 32, "14": 35, "15": 25, "16": 31}
    texts = ["a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"]
    letters = dict(anger="W", boredom="L", disgust="E", fear="A", happiness="F", sadness="T", neutral="N")
    for speaker, text, emotion, version in itertools.product(ages, texts, letters, "abcdefghijklmnopqrstuvwxyz"):
        sex = "female" if speaker in {"08", "09", "13", "14", "16"} else "male"
        name = speaker + text + letters[emotion] + version
        yield Labels(speaker, sex, emotion, statement=text, take=version, age=str(ages[speaker]), name=name)


def cremad_labels():
    """All 7,462 names of the scheme; the corpus lacks 20 of them."""
    sentences = ["IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI"]
    codes = dict(anger="ANG", disgust="DIS", fear="FEA", happiness="HAP", neutral="NEU", sadness="SAD")
    for actor, sentence, emotion in itertools.product(range(1001, 1092), sentences, codes):
        graded = sentence == "IEO" and emotion != "neutral"
        for code, intensity in {"LO": "low", "MD": "medium", "HI": "high"}.items() if graded else [("XX", "")]:
            name = f"{actor}_{sentence}_{codes[emotion]}_{code}"
            sex = "female" if str(actor) in cremad.FEMALE else "male"
            published = {"1040_ITH_SAD_XX": "1040_ITH_SAD_X"}.get(name, name)
            yield Labels(str(actor), sex, emotion, intensity, sentence, name=published)


def tess_labels():
    words = dict(anger="angry", disgust="disgust", fear="fear", happiness="happy", neutral="neutral", sadness="sad")
    words["surprise"] = "ps"
    for speaker, word, emotion in itertools.product(("OAF", "YAF"), sorted(tess.WORDS), words):
        name = f"{speaker}_{word}_{words[emotion]}"
        published = {"OAF_bite_neutral": "OA_bite_neutral"}.get(name, name)
        age = {"OAF": "64", "YAF": "26"}[speaker]
        yield Labels(speaker, "female", emotion, statement=word, age=age, name=published)


def savee_labels():
    letters = dict(anger="a", disgust="d", fear="f", happiness="h", neutral="n", sadness="sa", surprise="su")
    for speaker, emotion in itertools.product(("DC", "JE", "JK", "KL"), letters):
        for sentence in range(1, 31 if emotion == "neutral" else 16):
            statement = f"{letters[emotion]}{sentence:02d}"
            yield Labels(speaker, "male", emotion, statement=statement, name=f"{speaker}_{statement}")


def emovo_labels():
    ages = dict(f1=28, f2=23, f3=25, m1=30, m2=27, m3=30)
    codes = dict(anger="rab", disgust="dis", fear="pau", happiness="gio", neutral="neu", sadness="tri", surprise="sor")
    sentences = ["b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2"]
    for actor, emotion, sentence in itertools.product(ages, codes, sentences):
        sex = {"f": "female", "m": "male"}[actor[0]]
        name = f"{codes[emotion]}-{actor}-{sentence}"
        yield Labels(actor, sex, emotion, statement=sentence, age=str(ages[actor]), name=name)


def nemo_labels():
    """All names of the scheme, 90 sentences of each speaker in each emotion; 4,481 of these 4,860 are published."""
    women, men = ["EB0", "IC0", "KD0", "MK0"], ["KS0", "MP0", "SM0", "TP0", "WR0"]
    words = {emotion: emotion for emotion in ("anger", "fear", "happiness", "neutral", "sadness")}
    words["surprise"] = "surprised"
    for speaker, emotion, sentence in itertools.product(women + men, words, range(1, 91)):
        sex = "female" if speaker in women else "male"
        name = f"{speaker}_{words[emotion]}_{sentence}"
        yield Labels(speaker, sex, emotion, statement=str(sentence), name=name)


def ased_labels():
    """All names of the scheme; judges accepted 2,474 of the clips, and the scheme does not tie sex to speaker."""
    codes = dict(neutral="n1", fear="f2", happiness="h3", sadness="s4", anger="a5")
    for emotion, sentence, take, sex, speaker in itertools.product(codes, range(1, 8), (1, 2), (1, 2), range(1, 66)):
        name = f"{codes[emotion]}-{sentence:02d}-{take:02d}-{sex:02d}-{speaker:02d}"
        yield Labels(
            f"{speaker:02d}",
            ("female", "male")[sex - 1],
            emotion,
            statement=f"{sentence:02d}" if sentence < 3 else f"{codes[emotion][0]}{sentence:02d}",
            take=str(take),
            name={"s4-04-02-01-29": "S4-04-02-01-29"}.get(name, name),
        )


def urdu_labels():
    first = {  # number of each speaker's first file
        "anger": dict(SM1=1, SM2=23, SM3=51, SM4=53),
        "happiness": dict(SF1=1, SF2=13, SF3=15, SF4=17, SF5=21, SF6=25, SF7=39, SF8=45, SM17=47, SM18=49, SM19=51)
        | dict(SM3=53, SM5=55, SM6=63, SM7=73),
        "neutral": dict(SF9=1, SM20=5, SM21=15, SM22=19, SM3=21, SM5=29),
        "sadness": dict(SF10=1, SF11=3, SM23=7, SM24=13, SM25=51, SM26=91, SM27=93, SM6=97),
    }
    for emotion, numbers in first.items():
        for number in range(1, 101):
            speaker, start = max(((s, n) for s, n in numbers.items() if n <= number), key=lambda pair: pair[1])
            file = str(number - start + 1)
            name = f"{speaker}_F{file}_{'AHNS'[list(first).index(emotion)]}0{number}"
            yield Labels(speaker, "female" if speaker[1] == "F" else "male", emotion, take=file, name=name)


def turevdb_labels():
    """All names of the scheme; 1,735 of these 1,968 are published."""
    codes = dict(anger="kz", calm="sk", happiness="mt", sadness="hl")
    speakers = ["1157", "1234", "1358", "1984", "6783", "7895"]
    for speaker, emotion, word in itertools.product(speakers, codes, sorted(turevdb.WORDS)):
        yield Labels(speaker, "", emotion, statement=word, name=f"{speaker}_{codes[emotion]}_{word}")


SCHEMES = {
    "ravdess": list(ravdess_labels()),
    "emodb": list(emodb_labels()),
    "cremad": list(cremad_labels()),
    "tess": list(tess_labels()),
    "savee": list(savee_labels()),
    "emovo": list(emovo_labels()),
    "nemo": list(nemo_labels()),
    "ased": list(ased_labels()),
    "urdu": list(urdu_labels()),
    "turevdb": list(turevdb_labels()),
}
NAMES = {corpus: {labels.name for labels in scheme} for corpus, scheme in SCHEMES.items()}
every_corpus = pytest.mark.parametrize("corpus", KNOWN)


def test_every_known_corpus_has_its_scheme_here():
    assert list(SCHEMES) == list(KNOWN)


@pytest.mark.parametrize(
    ("corpus", "count"),
    [("cremad", 91 * 82), ("tess", 2800), ("savee", 480), ("emovo", 588), ("urdu", 400), ("turevdb", 6 * 4 * 82)],
)
def test_schemes_have_the_published_number_of_names(corpus, count):
    assert len(NAMES[corpus]) == count


def test_ravdess_has_the_published_number_of_spoken_and_sung_clips():
    audio = [name for name in NAMES["ravdess"] if name.startswith("03-")]
    assert sum(name[3:5] == "01" for name in audio) == 1440
    assert sum(name[3:5] == "02" for name in audio) == 1012


@every_corpus
def test_every_name_of_the_scheme_is_unique_and_states_its_labels(corpus):
    assert len(NAMES[corpus]) == len(SCHEMES[corpus])
    for labels in SCHEMES[corpus]:
        assert parse(corpus, f"{labels.name}.wav") == labels


@every_corpus
def test_labels_give_back_the_name_they_are_stated_by(corpus):
    for labels in SCHEMES[corpus]:
        arguments = [labels.name[:2]] if corpus == "ravdess" else []
        assert KNOWN[corpus].format_name(labels, *arguments) == labels.name


def test_ravdess_names_are_of_sound_only_if_nothing_else_is_asked_for():
    labels = parse("ravdess", "01-01-06-01-02-01-12.mp4")
    assert ravdess.format_name(labels) == "03-01-06-01-02-01-12"


@pytest.mark.parametrize(
    ("corpus", "regular", "published"),
    [
        ("cremad", "1040_ITH_SAD_XX", "1040_ITH_SAD_X"),
        ("tess", "OAF_bite_neutral", "OA_bite_neutral"),
        ("ased", "s4-04-02-01-29", "S4-04-02-01-29"),
    ],
)
def test_copies_that_mend_a_published_slip_of_the_pen_name_the_same_clip(corpus, regular, published):
    assert parse(corpus, f"{regular}.wav") == parse(corpus, f"{published}.wav")
    assert parse(corpus, f"{regular}.wav").name == published


@MODEST
@given(
    st.sampled_from(sorted(KNOWN)).flatmap(lambda corpus: st.tuples(st.just(corpus), st.sampled_from(SCHEMES[corpus]))),
    st.sampled_from(["", "wav/", "AudioData/", "data 1/samples/", "archive.zip/x/", "Jörg Ü./", "ALL/"]),
    st.sampled_from([".wav", ".WAV", ".flac", ".Flac"]),
)
def test_unrelated_folders_and_the_suffix_change_nothing(clip, folder, suffix):
    corpus, labels = clip
    assert parse(corpus, folder + labels.name + suffix) == labels


ADJECTIVES = dict(anger="Angry", happiness="Happy", fear="Fearful", sadness="Sad", neutral="Neutral", calm="Calm")
PUBLISHED_FOLDERS = {
    "ravdess": lambda labels: f"Audio_Speech_Actors_01-24/Actor_{labels.speaker}",
    "emodb": lambda labels: labels.emotion,
    "tess": lambda labels: f"{labels.speaker}_{labels.emotion}",
    "savee": lambda labels: f"AudioData/{labels.speaker}",
    "emovo": lambda labels: f"EMOVO/{labels.speaker}",
    "ased": lambda labels: f"0{' nfhsa'.index(labels.name[0].lower())}{ADJECTIVES[labels.emotion]}",
    "urdu": lambda labels: ADJECTIVES[labels.emotion],
    "turevdb": lambda labels: f"Sound Source/{ADJECTIVES[labels.emotion]}",
}


@MODEST
@given(
    st.sampled_from(sorted(PUBLISHED_FOLDERS)).flatmap(
        lambda corpus: st.tuples(st.just(corpus), *[st.sampled_from(SCHEMES[corpus])] * 2)
    )
)
def test_published_folders_agree_with_their_clips_and_refuse_those_of_others(clips):
    corpus, labels, other = clips
    own, foreign = (PUBLISHED_FOLDERS[corpus](each) for each in (labels, other))
    assert parse(corpus, f"{own}/{labels.name}.wav") == labels
    if own == foreign:
        assert parse(corpus, f"{foreign}/{labels.name}.wav") == labels
    else:
        reason = refusal(corpus, f"{foreign}/{labels.name}.wav")
        assert reason.startswith("the name says ")
        assert reason.endswith(f", the folder {PurePosixPath(foreign).name}")


# --- names that the schemes cannot have produced


@pytest.mark.parametrize(
    ("corpus", "name", "reason"),
    [
        ("ravdess", "00-01-01-01-01-01-01", "modality 00 does not exist in RAVDESS"),
        ("ravdess", "04-01-01-01-01-01-01", "modality 04 does not exist in RAVDESS"),
        ("ravdess", "03-03-01-01-01-01-01", "vocal channel 03 does not exist in RAVDESS"),
        ("ravdess", "03-01-09-01-01-01-01", "emotion 09 does not exist in RAVDESS"),
        ("ravdess", "03-01-00-01-01-01-01", "emotion 00 does not exist in RAVDESS"),
        ("ravdess", "03-01-01-03-01-01-01", "intensity 03 does not exist in RAVDESS"),
        ("ravdess", "03-01-01-01-03-01-01", "statement 03 does not exist in RAVDESS"),
        ("ravdess", "03-01-01-01-01-03-01", "repetition 03 does not exist in RAVDESS"),
        ("ravdess", "03-01-01-01-01-01-25", "actor 25 does not exist in RAVDESS"),
        ("ravdess", "03-01-01-01-01-01-00", "actor 00 does not exist in RAVDESS"),
        ("ravdess", "02-01-06-01-02-01-12", "modality 02 is video without sound"),
        ("ravdess", "03-01-01-02-01-01-01", "neutral has no strong intensity in RAVDESS"),
        ("ravdess", "03-02-07-01-01-01-01", "disgust is not sung in RAVDESS"),
        ("ravdess", "03-02-08-02-01-01-01", "surprise is not sung in RAVDESS"),
        ("ravdess", "03-02-05-01-01-01-18", "actor 18 does not sing in RAVDESS"),
        ("emodb", "01a01Fa", "speaker 01 does not exist in EMO-DB"),
        ("emodb", "17a01Fa", "speaker 17 does not exist in EMO-DB"),
        ("emodb", "03a03Fa", "text a03 does not exist in EMO-DB"),
        ("emodb", "03b04Fa", "text b04 does not exist in EMO-DB"),
        ("emodb", "03a01Xa", "emotion X does not exist in EMO-DB"),
        ("cremad", "1000_DFA_ANG_XX", "actor 1000 does not exist in CREMA-D"),
        ("cremad", "1092_DFA_ANG_XX", "actor 1092 does not exist in CREMA-D"),
        ("cremad", "1001_ABC_ANG_XX", "sentence ABC does not exist in CREMA-D"),
        ("cremad", "1001_DFA_SUR_XX", "emotion SUR does not exist in CREMA-D"),
        ("cremad", "1001_DFA_ANG_HO", "intensity HO does not exist in CREMA-D"),
        ("cremad", "1001_DFA_ANG_HI", "ANG is not spoken with intensity HI in the sentence DFA"),
        ("cremad", "1001_IEO_ANG_XX", "ANG is not spoken with intensity XX in the sentence IEO"),
        ("cremad", "1001_IEO_NEU_LO", "NEU is not spoken with intensity LO in the sentence IEO"),
        ("tess", "XAF_back_angry", "speaker XAF does not exist in TESS"),
        ("tess", "OA_back_angry", "speaker OA does not exist in TESS"),
        ("tess", "OAF_dog_calm", "emotion calm does not exist in TESS"),
        ("tess", "OAF_emotion_happy", "word emotion does not exist in TESS"),
        ("savee", "XX_a01", "speaker XX does not exist in SAVEE"),
        ("savee", "DC_b01", "emotion b does not exist in SAVEE"),
        ("savee", "DC_s01", "emotion s does not exist in SAVEE"),
        ("savee", "DC_a00", "sentence anger 00 does not exist in SAVEE"),
        ("savee", "DC_a16", "sentence anger 16 does not exist in SAVEE"),
        ("savee", "DC_n31", "sentence neutral 31 does not exist in SAVEE"),
        ("savee", "a01", "neither the name nor the folder is of a speaker, as in DC_a01 or DC/a01"),
        ("emovo", "fea-f1-b1", "emotion fea does not exist in EMOVO"),
        ("emovo", "gio-f4-b1", "actor f4 does not exist in EMOVO"),
        ("emovo", "gio-f1-b4", "sentence b4 does not exist in EMOVO"),
        ("nemo", "AB0_fear_1", "speaker AB0 does not exist in nEMO"),
        ("nemo", "WR0_disgust_1", "emotion disgust does not exist in nEMO"),
        ("nemo", "WR0_surprise_1", "emotion surprise does not exist in nEMO"),
        ("nemo", "WR0_fear_0", "sentence 0 does not exist in nEMO"),
        ("nemo", "WR0_fear_01", "sentence 01 does not exist in nEMO"),
        ("nemo", "WR0_fear_91", "sentence 91 does not exist in nEMO"),
        ("ased", "a4-01-01-01-01", "emotion a4 does not exist in ASED"),
        ("ased", "a5-08-01-01-01", "sentence 08 does not exist in ASED"),
        ("ased", "a5-01-03-01-01", "repetition 03 does not exist in ASED"),
        ("ased", "a5-01-01-03-01", "sex 03 does not exist in ASED"),
        ("ased", "a5-01-01-01-66", "speaker 66 does not exist in ASED"),
        ("urdu", "SM8_F1_A01", "speaker SM8 does not exist in URDU"),
        ("urdu", "SM1_F1_X01", "emotion X does not exist in URDU"),
        ("urdu", "SM1_F23_A023", "file 23 does not exist in URDU: speaker SM1 has 22 of anger"),
        ("urdu", "SF1_F1_A01", "file 1 does not exist in URDU: speaker SF1 has 0 of anger"),
        ("urdu", "SM1_F0_A00", "file 0 does not exist in URDU: speaker SM1 has 22 of anger"),
        ("urdu", "SM2_F1_A01", "number 01 is not that of file 1 of speaker SM2, anger"),
        ("urdu", "SM1_F01_A01", "number 01 is not that of file 01 of speaker SM1, anger"),
        ("turevdb", "1235_kz_acik", "speaker 1235 does not exist in TurEV-DB"),
        ("turevdb", "1234_ko_acik", "emotion ko does not exist in TurEV-DB"),
        ("turevdb", "1234_kz_elma", "word elma does not exist in TurEV-DB"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(corpus, name, reason):
    assert refusal(corpus, f"{name}.wav") == reason


@pytest.mark.parametrize(
    ("corpus", "reason", "stems"),
    [
        ("ravdess", "seven two-digit fields", ["", "03-01-01-01-01-01", "3-1-1-1-1-1-1", "03_01_01_01_01_01_01"]),
        ("ravdess", "seven two-digit fields", ["03-01-01-01-01-01-01-01", "٠٣-٠١-٠١-٠١-٠١-٠١-٠١", "hello"]),
        ("emodb", "speaker, text, emotion and version", ["3a01Fa", "03a01F", "03a01fa", "03c01Fa", "03a01Fa2", "clip"]),
        ("cremad", "actor, sentence, emotion and intensity", ["1001_DFA_ANG", "101_DFA_ANG_XX", "1001_dfa_ang_xx"]),
        ("cremad", "actor, sentence, emotion and intensity", ["1001_DFA_ANG_XX_2", "1001_DFA_ANG_X"]),
        ("tess", "speaker, word and emotion", ["OAF_back", "oaf_back_angry", "OAF_Back_angry", "OAF_back_angry_2"]),
        ("savee", "emotion and sentence", ["DC_a1", "DC_A01", "dc_a01", "DCa01", "DC_a001", "DC-a01"]),
        ("emovo", "emotion, actor and sentence", ["gio-f1", "GIO-f1-b1", "gio-F1-b1", "gio_f1_b1", "gio-f1-b1-2"]),
        (
            "nemo",
            "speaker, emotion and sentence",
            ["WR0_fear", "wr0_fear_1", "WR0_Fear_1", "WR0_fear_100"],
        ),
        ("ased", "emotion, sentence, repetition, sex, speaker", ["a5-1-1-1-1", "A5-01-01-01-01", "S4-04-02-01-30"]),
        (
            "urdu",
            "speaker, file, emotion and number",
            ["SM1_F1_A1", "SM1_F1_a01", "SX1_F1_A01", "SM1-F1-A01"],
        ),
        (
            "turevdb",
            "speaker, emotion and word",
            ["1234_kz", "1234_KZ_acik", "1234_kz_açık", "123_kz_acik"],
        ),
    ],
)
def test_names_outside_the_scheme_are_refused_with_the_scheme(corpus, reason, stems):
    for stem in stems:
        assert f"the name is not {reason}" in refusal(corpus, f"{stem}.wav")


ANY_CHARACTER = st.one_of(
    st.characters(blacklist_characters="/\x00", blacklist_categories=["Cs"]),
    st.sampled_from("0123456789abcdefnstuwxyzACDFHIJKLMNOSWXY_-. "),
)


@settings(MODEST, max_examples=2000)
@given(
    st.sampled_from(sorted(KNOWN)).flatmap(lambda corpus: st.tuples(st.just(corpus), st.sampled_from(SCHEMES[corpus]))),
    st.integers(0, 30),
    st.sampled_from(["change", "remove", "add", "double"]),
    ANY_CHARACTER,
)
def test_name_with_a_slip_is_refused_or_another_name_of_the_scheme(clip, place, slip, character):
    corpus, labels = clip
    place %= len(labels.name)
    before, at, after = labels.name[:place], labels.name[place], labels.name[place + 1 :]
    middle = {"change": character, "remove": "", "add": at + character, "double": at + at}[slip]
    try:
        found = parse(corpus, f"{before}{middle}{after}.wav")
    except UnusableNameError as error:
        assert str(error)
    else:
        assert found.name in NAMES[corpus]
        assert KNOWN[corpus].parse_name(PurePosixPath(f"{found.name}.wav")) == found


@MODEST
@given(
    st.sampled_from(list(KNOWN)),
    st.one_of(
        st.text(max_size=60),
        st.text("٠١٢٣٤٥٦٧٨٩-_aА", max_size=30),
        st.text(ANY_CHARACTER, min_size=255, max_size=255),
    ).filter(lambda text: "\x00" not in text),
)
def test_any_path_gives_labels_of_the_vocabulary_or_a_reason(corpus, text):
    try:
        labels = parse(corpus, text)
    except UnusableNameError as error:
        assert str(error)
    else:
        assert labels.emotion in EMOTIONS
        assert labels.sex in {"female", "male", ""}
        assert labels.name in NAMES.get(corpus, ()) or labels.name == ""


# --- what is peculiar to a corpus


def test_ravdess_folders_of_actors_are_read_however_they_are_spelt():
    for folder in ("Actor_05", "actor_5", "ACTOR05"):
        assert parse("ravdess", f"{folder}/03-01-05-01-01-01-05.wav").speaker == "05"
    assert refusal("ravdess", "Actor_05/03-01-05-01-01-01-02.wav") == "the name says actor 02, the folder Actor_05"


def test_emodb_name_outside_the_scheme_is_not_guessed_from_its_folder():
    assert "speaker, text, emotion and version" in refusal("emodb", "Angry/clip17.wav")


def test_cremad_has_the_published_number_of_women_and_men():
    sexes = {labels.speaker: labels.sex for labels in SCHEMES["cremad"]}
    assert list(sexes.values()).count("female") == 43  # Cao et al. 2014: 48 male and 43 female actors
    assert list(sexes.values()).count("male") == 48


def test_tess_has_the_words_of_four_lists_of_fifty():
    assert len(tess.WORDS) == 200
    assert {"back", "laud", "shawl", "witch", "youth"} <= tess.WORDS


@pytest.mark.parametrize("folder", ["OAF_Pleasant_surprise", "OAF_pleasant_surprised", "OAF_Pleasant-Surprise"])
def test_tess_published_spellings_of_pleasant_surprise_agree(folder):
    assert parse("tess", f"{folder}/OAF_back_ps.wav").emotion == "surprise"
    assert "the name says OAF and anger" in refusal("tess", f"{folder}/OAF_back_angry.wav")


def test_savee_speaker_is_the_folders_where_the_name_does_not_tell():
    assert parse("savee", "AudioData/DC/a01.wav") == parse("savee", "ALL/DC_a01.wav")
    assert parse("savee", "DC/su15.wav").name == "DC_su15"


def test_ased_sentences_of_all_emotions_are_one_statement_and_others_are_not():
    assert parse("ased", "a5-02-01-01-01").statement == parse("ased", "h3-02-01-01-01").statement
    assert parse("ased", "a5-03-01-01-01").statement != parse("ased", "h3-03-01-01-01").statement


def test_urdu_names_tell_as_many_speakers_as_is_said():
    assert len({labels.speaker for labels in SCHEMES["urdu"]}) == KNOWN["urdu"].ABOUT.speakers


# --- side tables

DEMOGRAPHICS = b""""ActorID","Age","Sex","Race","Ethnicity"
1001,51,"Male","Caucasian","Not Hispanic"
1047,22,"Female","Unknown","Hispanic"
"""
DATA_TSV = (
    "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
    "WR0_surprised_64.wav\tsurprised\tUcho wykrywa dźwięki.\tucho wykrywa dźwięki\t        WR0\tmale\t23\n"
    'KS0_surprised_38.wav\tsurprised\t"Ród smoka" to serial.\tród smoka to serial\t        KS0\tmale\t23\n'
).encode()


def test_cremad_table_adds_age_and_ethnicity_and_no_table_leaves_them_unknown():
    table = cremad.read_table(DEMOGRAPHICS)
    bare = parse("cremad", "1001_DFA_ANG_XX.wav")
    assert (bare.sex, bare.age, bare.ethnicity) == ("male", "", "")
    assert parse("cremad", "1001_DFA_ANG_XX.wav", table) == bare._replace(age="51", ethnicity="Caucasian, Not Hispanic")
    assert parse("cremad", "1047_DFA_ANG_XX.wav", table).ethnicity == "Hispanic"
    assert parse("cremad", "1002_DFA_ANG_XX.wav", table) == parse("cremad", "1002_DFA_ANG_XX.wav")


def test_nemo_table_adds_the_age_and_no_table_leaves_it_unknown():
    table = nemo.read_table(DATA_TSV)
    bare = parse("nemo", "samples/WR0_surprised_64.wav")
    assert parse("nemo", "samples/WR0_surprised_64.wav", table) == bare._replace(age="23")
    assert bare.age == parse("nemo", "samples/WR0_surprised_65.wav", table).age == ""
    assert table["KS0_surprised_38"] == {"speaker": "KS0", "sex": "male", "age": "23", "emotion": "surprise"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"\tsurprised\tUcho", b"\tfear\tUcho", "the name says emotion surprise, data.tsv fear"),
        (b"WR0\tmale", b"KS0\tmale", "the name says speaker WR0, data.tsv KS0"),
        (b"WR0\tmale", b"WR0\tfemale", "the name says sex male, data.tsv female"),
    ],
)
def test_nemo_clip_whose_name_and_table_disagree_is_refused(old, new, reason):
    table = nemo.read_table(DATA_TSV.replace(old, new))
    assert refusal("nemo", "samples/WR0_surprised_64.wav", table) == reason


@pytest.mark.parametrize(
    ("module", "content", "message"),
    [
        (cremad, b"", "VideoDemographics.csv is empty"),
        (cremad, b"A,B\n1,2\n", "VideoDemographics.csv: no column ActorID, Age, Sex, Race, Ethnicity"),
        (cremad, b"\xe4", "VideoDemographics.csv, line 1: the byte 0xe4 is not UTF-8"),
        (cremad, DEMOGRAPHICS.replace(b'"Age",', b""), "no column Age"),
        (cremad, DEMOGRAPHICS.splitlines(keepends=True)[0], "has a header and no rows"),
        (cremad, DEMOGRAPHICS + b"1002,21\n", "line 4 has more or fewer values than the header"),
        (cremad, DEMOGRAPHICS + b"1002,21,Female,Asian,Not Hispanic,?\n", "line 4 has more or fewer values"),
        (cremad, DEMOGRAPHICS + b"1001,51,Male,Caucasian,Hispanic\n", "line 4: actor 1001 is there twice"),
        (cremad, DEMOGRAPHICS.replace(b"Female", b"female"), "line 3: Sex is 'female'; allowed is Female, Male"),
        (cremad, DEMOGRAPHICS.replace(b",22,", b",-1,"), "line 3: the age is '-1'; it is a number of years"),
        (nemo, DEMOGRAPHICS, "data.tsv: no column file_id, emotion, speaker_id, gender, age"),
        (nemo, DATA_TSV.replace(b"\tmale\t23\n", b"\tmale\t\n"), "line 2: the age is ''"),
        (nemo, DATA_TSV.replace(b"\tsurprised\tUcho", b"\tjoy\tUcho"), "line 2: emotion is 'joy'"),
        (nemo, DATA_TSV + DATA_TSV.splitlines(keepends=True)[1], "line 4: clip WR0_surprised_64 is there twice"),
    ],
)
def test_broken_table_is_an_error_that_says_what_is_wrong(module, content, message):
    with pytest.raises(BrokenTableError, match=re.escape(message)):
        module.read_table(content)


@MODEST
@given(st.sampled_from([cremad, nemo]), st.binary(max_size=60), st.integers(0, 400), st.booleans())
def test_damaged_tables_are_read_or_refused(module, damage, place, instead):
    content = DEMOGRAPHICS if module is cremad else DATA_TSV
    damaged = content[:place] + damage + content[place + (len(damage) if instead else 0) :]
    try:
        table = module.read_table(damaged)
    except ValueError as error:
        assert str(error).startswith(module.TABLE)
    else:
        assert table


def test_corpora_with_a_side_table_name_it_and_read_it():
    assert {name for name, module in KNOWN.items() if hasattr(module, "TABLE")} == {"cremad", "nemo"}
    assert all(hasattr(module, "read_table") == hasattr(module, "TABLE") for module in KNOWN.values())


# --- what is known of the corpora


@every_corpus
def test_what_is_said_about_a_corpus_is_complete(corpus):
    module = KNOWN[corpus]
    about = module.ABOUT
    assert re.fullmatch("[a-z]{2}", about.language)
    assert all((about.title, about.names, about.citation, about.licence))
    assert about.home.startswith("http")
    assert about.downloads or about.instructions
    assert len({labels.speaker for labels in SCHEMES[corpus]}) == about.speakers
    assert about.clips <= len(SCHEMES[corpus])
    assert set(module.EMOTIONS.values()) == {labels.emotion for labels in SCHEMES[corpus]} <= set(EMOTIONS)


@every_corpus
def test_downloads_are_archives_with_whole_checksums(corpus):
    for download in KNOWN[corpus].ABOUT.downloads:
        assert download.url.startswith("http")
        assert download.url.endswith(f"/{download.file}")
        assert download.file.endswith((".zip", ".tar.gz"))
        assert re.fullmatch("([0-9a-f]{32})?", download.md5)
        assert (download.size > 0) == bool(download.md5)


def test_committed_document_is_what_the_script_writes(tmp_path):
    place = workplace(tmp_path)
    result = run_stage(place, "corpora", "--write")
    assert result.returncode == 0, result.stderr
    written = (place / "docs" / "corpora.md").read_text(encoding="utf-8")
    committed = (ROOT / "docs" / "corpora.md").read_text(encoding="utf-8")
    assert written == committed, "run ser corpora --write and commit the change"
    for name, module in KNOWN.items():
        assert f"## {name}\n" in committed
        assert module.ABOUT.citation in committed


def test_script_says_what_it_does():
    result = run_stage(ROOT, "corpora", "--write", "--help")
    assert result.returncode == 0
    assert "docs/corpora.md" in result.stdout


# --- words and folders


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_every_emotion_is_a_word_for_itself_in_any_case(emotion):
    assert emotion_of_word(emotion) == emotion_of_word(emotion.upper()) == emotion


@pytest.mark.parametrize(
    ("word", "emotion"),
    [("angry", "anger"), ("bored", "boredom"), ("happy", "happiness"), ("sad", "sadness"), ("surprised", "surprise")],
)
def test_adjectives_stand_for_their_emotion(word, emotion):
    assert emotion_of_word(word) == emotion


@pytest.mark.parametrize("word", ["wav", "", "frustration", "excited", "contempt", "guilt", "sarcasm"])
def test_other_words_stand_for_no_emotion(word):
    assert emotion_of_word(word) is None


# --- the corpora as they are published


@needs_corpora
@pytest.mark.parametrize(("corpus", "clips", "refused"), [("ravdess", 960, 1), ("emodb", 535, 0)])
def test_real_names_are_of_the_scheme_and_unique(corpus, clips, refused):
    names, reasons = [], []
    for file in sorted((CORPORA / corpus).rglob("*.flac")):
        try:
            labels = KNOWN[corpus].parse_name(PurePosixPath(file.relative_to(CORPORA / corpus).as_posix()))
        except UnusableNameError as error:
            reasons.append(str(error))
        else:
            assert labels.name == file.stem == KNOWN[corpus].format_name(labels)
            names.append(labels.name)
    assert (len(names), len(reasons)) == (clips, refused)
    assert len(set(names)) == clips
    assert set(names) <= NAMES[corpus]

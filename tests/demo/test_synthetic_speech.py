"""The demo corpus: its table, and what a listener and a measurement can rely on in its audio."""

import librosa
import numpy as np
import pytest
from joblib import Parallel, delayed

from ser.demo.synthetic_phonetics import CUES, EMOTIONS, PHONES, SENTENCES, clip_cues
from ser.demo.synthetic_speech import demo_table, synthesize
from ser.storage.seeds import generator

SEED = 1
SAMPLE_RATE = 16000
COLUMNS = ["clip", "corpus", "speaker", "sex", "emotion", "intensity", "statement", "language", "source"]
HIGH, LOW = ("anger", "fear", "happiness"), ("boredom", "sadness")


def section(**changes):
    emotions = ["sadness", "anger", "boredom", "fear", "happiness", "neutral"]
    return {"seed": SEED, "speakers": 12, "emotions": emotions, "sentences": 5, "takes": 2, **changes}


@pytest.fixture(scope="module")
def clips():
    """Two speakers of either sex, two sentences, six emotions: 48 clips."""
    return demo_table(section(speakers=4, sentences=2, takes=1)).to_dict("records")


@pytest.fixture(scope="module")
def waveforms(clips):
    return [synthesize(clip, SEED, SAMPLE_RATE) for clip in clips]


@pytest.fixture(scope="module")
def pitches(waveforms):
    """Median F0 (Hz) of the louder half of the frames, in which the voice sounds."""
    medians = []
    for waveform in waveforms:
        f0 = librosa.yin(waveform, fmin=60, fmax=600, sr=SAMPLE_RATE, frame_length=1024, hop_length=256)
        level = librosa.feature.rms(y=waveform, frame_length=1024, hop_length=256)[0]
        medians.append(np.median(f0[level > np.median(level)]))
    return np.array(medians)


def test_table_has_one_sorted_row_a_clip():
    table = demo_table(section())
    assert list(table.columns) == COLUMNS
    assert len(table) == 12 * 6 * 5 * 2
    assert table["clip"].is_unique and table["clip"].is_monotonic_increasing
    assert table["clip"].iloc[0] == "demo/s01/s01-anger-a-1"
    assert set(table["corpus"]) == {"demo"} and set(table["intensity"]) == {""}
    assert set(table["statement"]) == set("abcde")
    assert set(table["language"]) == set(table["source"]) == {"synthetic"}
    assert (table.groupby(["speaker", "emotion"]).size() == 10).all()


def test_sexes_alternate_from_female():
    sexes = demo_table(section(speakers=5)).groupby("speaker")["sex"].unique()
    assert [sex for (sex,) in sexes] == ["female", "male", "female", "male", "female"]
    assert list(sexes.index) == [f"demo:s0{number}" for number in range(1, 6)]


def test_order_of_the_emotions_does_not_matter():
    emotions = section()["emotions"]
    assert demo_table(section()).equals(demo_table(section(emotions=emotions[::-1])))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"emotions": ["anger", "joyfulness"]}, ["joyfulness", *EMOTIONS]),
        ({"emotions": ["anger", "anger"]}, ["anger", "different"]),
        ({"emotions": []}, ["demo.emotions"]),
        ({"sentences": 0}, ["sentences 0", "8"]),
        ({"sentences": 9}, ["sentences 9", "8"]),
        ({"speakers": 0}, ["demo.speakers", "0"]),
        ({"takes": 0}, ["demo.takes", "0"]),
    ],
)
def test_a_wrong_section_is_refused_by_name(changes, named):
    with pytest.raises(ValueError) as error:
        demo_table(section(**changes))
    assert all(name in str(error.value) for name in named)


@pytest.mark.parametrize(("key", "value"), [("emotion", "rapture"), ("statement", "z"), ("sex", "unknown")])
def test_a_wrong_clip_is_refused_by_name(clips, key, value):
    with pytest.raises(ValueError, match=f"{key} '{value}'.*allowed"):
        synthesize({**clips[0], key: value}, SEED, SAMPLE_RATE)


def test_every_phone_and_emotion_of_the_tables_is_defined():
    used = {phone.lstrip("'") for phrases in SENTENCES.values() for text in phrases for phone in text.split()}
    assert used == set(PHONES)
    assert all(set(cue.effects) == set(EMOTIONS) for cue in CUES.values())


def test_a_clip_depends_on_its_identity_and_the_seed_only(clips, waveforms):
    chosen = clips[::16]
    again = [synthesize(clip, SEED, SAMPLE_RATE) for clip in reversed(chosen)][::-1]
    elsewhere = Parallel(n_jobs=2)(delayed(synthesize)(clip, SEED, SAMPLE_RATE) for clip in chosen)
    for first, second, third in zip(waveforms[::16], again, elsewhere, strict=True):
        assert first.tobytes() == second.tobytes() == third.tobytes()


def test_a_row_of_the_table_and_a_mapping_sound_the_same(waveforms):
    row = demo_table(section(speakers=1)).iloc[0]
    assert synthesize(row, SEED, SAMPLE_RATE).tobytes() == waveforms[0].tobytes()


def test_seeds_and_takes_and_sentences_differ(clips, waveforms):
    sounds = {waveform.tobytes() for waveform in waveforms}
    assert len(sounds) == len(waveforms)
    assert synthesize(clips[0], SEED + 1, SAMPLE_RATE).tobytes() not in sounds
    assert synthesize({**clips[0], "clip": clips[0]["clip"][:-1] + "2"}, SEED, SAMPLE_RATE).tobytes() not in sounds


def test_speakers_do_not_depend_on_their_number():
    few, many = demo_table(section(speakers=2)), demo_table(section(speakers=12))
    assert few.equals(many[many["speaker"].isin(few["speaker"])].reset_index(drop=True))


def test_takes_of_a_speaker_share_the_voice():
    rows = demo_table(section(emotions=["neutral"], speakers=8, sentences=8, takes=4))
    rows["f0_level"] = [clip_cues(row, SEED, generator(SEED, row["clip"]))["f0_level"] for _, row in rows.iterrows()]
    by_speaker = rows.groupby("speaker")["f0_level"]
    assert by_speaker.mean().std() > 3 * CUES["f0_level"].take / np.sqrt(32)
    assert by_speaker.std().mean() == pytest.approx(CUES["f0_level"].take, rel=0.25)


def test_audio_is_finite_in_range_and_of_the_length_of_a_sentence(waveforms):
    for waveform in waveforms:
        assert waveform.dtype == np.float32 and waveform.ndim == 1
        assert np.isfinite(waveform).all()
        assert 0.05 < np.abs(waveform).max() <= 1
        assert abs(waveform.mean()) < 1e-4
        assert 1.2 < len(waveform) / SAMPLE_RATE < 3.2


def test_speech_stands_between_quiet_ends(waveforms):
    margin = int(0.06 * SAMPLE_RATE)
    for waveform in waveforms:
        ends = np.concatenate([waveform[:margin], waveform[-margin:]])
        assert 0 < ends.std() < waveform.std() / 20


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050])
def test_sample_rates_give_the_same_utterance(clips, waveforms, sample_rate):
    waveform = synthesize(clips[0], SEED, sample_rate)
    assert np.isfinite(waveform).all() and np.abs(waveform).max() <= 1
    assert len(waveform) / sample_rate == pytest.approx(len(waveforms[0]) / SAMPLE_RATE, abs=0.02)


def test_voices_have_harmonics_and_formants(clips, waveforms):
    """A vowel is periodic, and its energy lies below 4 kHz as a voice's does."""
    for waveform in waveforms[::8]:
        loudest = int(np.argmax(librosa.feature.rms(y=waveform, frame_length=1024, hop_length=256))) * 256
        vowel = waveform[max(loudest - 512, 0) : loudest + 512]
        correlation = np.correlate(vowel, vowel, "full")[len(vowel) - 1 :]
        shortest, longest = SAMPLE_RATE // 500, SAMPLE_RATE // 60
        assert correlation[shortest:longest].max() > 0.5 * correlation[0]
        power = np.abs(np.fft.rfft(vowel)) ** 2
        assert power[: len(power) // 2].sum() > 0.9 * power.sum()


def test_women_speak_higher_than_men(clips, pitches):
    female = np.array([clip["sex"] == "female" for clip in clips])
    assert pitches[female].mean() > 1.3 * pitches[~female].mean()
    assert 150 < pitches[female].mean() < 320
    assert 80 < pitches[~female].mean() < 190


def test_aroused_emotions_are_higher_than_sadness_and_boredom(clips, pitches):
    means = {
        emotion: np.exp(
            np.mean([np.log(f0) for clip, f0 in zip(clips, pitches, strict=True) if clip["emotion"] == emotion])
        )
        for emotion in (*HIGH, *LOW)
    }
    assert min(means[emotion] for emotion in HIGH) > 1.1 * max(means[emotion] for emotion in LOW)

"""Parameters: the committed file loads, and whatever is wrong in a file is named with its key, value and remedy."""

from copy import deepcopy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ser.errors import InputError
from ser.features.functional_sets import ALL_GROUPS, SETS
from ser.settings.all_sections import load_params, models_by_trainer, params_here, why_left_out
from ser.settings.compute_section import Compute
from ser.settings.extract_choices import ABSENT_GROUPS
from ser.settings.overrides import with_settings
from ser.settings.params_file import load_sections
from ser.settings.split_section import Split

COMMITTED = Path(__file__).parents[2] / "params.yaml"
MARK = "VALUE-TO-REPLACE"


CONTENT = YAML(typ="safe", pure=True).load(COMMITTED)  # slow to read, and most of these tests change one value of it


def content():
    return deepcopy(CONTENT)


def write_with(tmp_path, key, text):
    """Write the committed parameters with one key set to what `text` means in YAML."""
    tree = content()
    *sections, last = key.split(".")
    section = tree
    for name in sections:
        section = section[name]
    section[last] = MARK
    path = tmp_path / "params.yaml"
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(tree, file)
    path.write_text(path.read_text().replace(MARK, text))
    return path


def load_with(tmp_path, key, text):
    return load_params(write_with(tmp_path, key, text))


def message_with(tmp_path, key, text):
    with pytest.raises(InputError) as error:
        load_with(tmp_path, key, text)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_committed_file_loads_with_every_value_as_written():
    assert load_params(COMMITTED).model_dump() == content()


def test_a_stage_gets_its_sections_and_stops_at_a_mistake_in_any(tmp_path):
    sections = load_sections(COMMITTED, split=Split, compute=Compute)
    assert vars(sections) == {"split": load_params(COMMITTED).split, "compute": load_params(COMMITTED).compute}
    with pytest.raises(InputError, match="unknown key report.mistake "):
        load_sections(write_with(tmp_path, "report.mistake", "7"), split=Split)


def test_loaded_parameters_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load_params(COMMITTED).train.seed = 5


@pytest.mark.parametrize("key", ["trainer", "train.sed", "extract.frames.n_mfc", "train_ml.mlp.learning_rat"])
def test_unknown_key_is_named_with_its_value(tmp_path, key):
    assert f"unknown key {key} (value 7)" in message_with(tmp_path, key, "7")


@pytest.mark.parametrize("key", ["train", "prepare.trim_db", "extract.logmel.n_mels"])
def test_missing_key_is_named(tmp_path, key):
    tree = content()
    *sections, last = key.split(".")
    section = tree
    for name in sections:
        section = section[name]
    del section[last]
    path = tmp_path / "params.yaml"
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(tree, file)
    with pytest.raises(InputError, match=f"key {key} is missing"):
        load_params(path)


@pytest.mark.parametrize(
    ("key", "text", "value", "rule"),
    [
        # wrong types
        ("train.seed", "one", "'one'", "valid integer"),
        ("train.seed", "1.5", "1.5", "valid integer"),
        ("split.folds", "true", "True", "valid integer"),
        ("train_ml.tune", "1", "1", "valid boolean"),
        ("train_ml.tune", "no", "'no'", "valid boolean"),
        ("train_lstm.dropout", "'0.4'", "'0.4'", "valid number"),
        ("train_ml.random_forest.max_depth", "deep", "'deep'", "valid integer"),
        ("extract.functionals.groups", "mfcc", "'mfcc'", "valid list"),
        ("train_ml.mlp", "5", "5", "valid dictionary"),
        # impossible values
        ("prepare.sample_rate", "4000", "4000", "greater than or equal to 8000"),
        ("prepare.sample_rate", "96000", "96000", "less than or equal to 48000"),
        ("prepare.trim_db", "0", "0", "greater than 0"),
        ("prepare.trim_db", ".nan", "nan", "finite"),
        ("prepare.trim_db", ".inf", "inf", "finite"),
        ("prepare.peak_db", "0.5", "0.5", "less than or equal to 0"),
        ("prepare.fixed_samples", "0", "0", "greater than or equal to 1"),
        ("prepare.channels", "both", "'both'", "'mix' or 'each'"),
        ("prepare.channels", "0", "0", "greater than or equal to 1"),
        ("prepare.normalize", "loud", "'loud'", "'peak', 'rms', 'loudness' or 'none'"),
        ("prepare.remove_dc", "0", "0", "valid boolean"),
        ("prepare.denoise_db", "0.0", "0.0", "greater than 0"),
        ("prepare.loudness_lufs", "3.0", "3.0", "less than or equal to 0"),
        ("prepare.loudness_lufs", "-80.0", "-80.0", "greater than or equal to -70"),
        ("prepare.pattern", "7", "7", "valid string"),
        ("prepare.corpora", "[]", "[]", "at least 1 item"),
        ("collect.threshold", "1.0", "1.0", "less than 1"),
        ("collect.min_seconds", "0.0", "0.0", "greater than or equal to 0.1"),
        ("demo.speakers", "1", "1", "greater than or equal to 2"),
        ("demo.sentences", "9", "9", "less than or equal to 8"),
        ("split.scheme", "fold", "'fold'", "'kfold'"),
        ("split.folds", "1", "1", "greater than or equal to 2"),
        ("split.test_fraction", "1.0", "1.0", "less than 1"),
        ("augment.copies", "-1", "-1", "greater than or equal to 0"),
        ("augment.kinds", "[echo]", "'echo'", "'room' or 'telephone'"),
        ("augment.noise", "[brown]", "'brown'", "'white', 'pink' or 'folder'"),
        ("augment.noise_folder", "null", "None", "valid string"),
        ("augment.room_folder", "''", "''", "at least 1 character"),
        ("augment.telephone_hz", "[0.0, 3400.0]", "0.0", "greater than 0"),
        ("train_lstm.dropout", "1.0", "1.0", "less than 1"),
        ("train_lstm.learning_rate", "0.0", "0.0", "greater than 0"),
        ("train_ml.svm_rbf.gamma", "-1.0", "-1.0", "greater than 0"),
        ("train_ml.svm_rbf.gamma", "auto-scale", "'auto-scale'", "'scale' or 'auto'"),
        ("train_cnn.filters", "[8, 8, 8, 8, 8, 8]", "[8, 8, 8, 8, 8, 8]", "at most 5 items"),
        ("train.normalization", "speakers", "'speakers'", "'train' or 'speaker'"),
        ("train.logit_adjustment", "-0.5", "-0.5", "greater than or equal to 0"),
        ("fuse.method", "vote", "'vote'", "'mean', 'weights' or 'stacking'"),
        ("fuse.calibrate", "1", "1", "valid boolean"),
        ("fuse.powers", "[]", "[]", "at least 1 item"),
        ("fuse.powers", "[1.5, 0.0]", "1.5", "less than or equal to 1"),
        ("fuse.shrinkage", "-1.0", "-1.0", "greater than or equal to 0"),
        ("fuse.C", "0.0", "0.0", "greater than 0"),
        ("train_transformer.checkpoints", "{hubert: ''}", "''", "at least 1 character"),
        ("train_transformer.checkpoints", "{wav2vec2.0: a}", "'wav2vec2.0'", "should match pattern"),
        ("train_transformer.modes", "[tuned]", "'tuned'", "'frozen' or 'fine_tuned'"),
        ("train_transformer.fine_tuned.masked", "1.0", "1.0", "less than 1"),
        ("compute.workers", "-2", "-2", "greater than or equal to 0"),
        ("compute.backend", "slurm", "'slurm'", "'loky', 'threading' or 'dask'"),
        ("compute.address", "localhost", "'localhost'", "(tcp|tls)://"),
    ],
)
def test_wrong_value_is_refused_naming_key_value_and_rule(tmp_path, key, text, value, rule):
    message = message_with(tmp_path, key, text)
    assert any(f"{key}{part} is {value}" in message for part in ("", ".str", ".hubert", ".0"))
    assert rule in message


def test_a_label_is_any_word_in_one_form_numbers_too(tmp_path):
    settings = load_with(tmp_path, "prepare.emotions", '[neşeli, "feli\\u0301z", 0, no, 怒, "two words"]').prepare
    assert settings.emotions == ["neşeli", "felíz", "0", "no", "怒", "two words"]
    assert load_with(tmp_path, "prepare.rename", "{7: anger, exc: 8}").prepare.rename == {"7": "anger", "exc": "8"}


@pytest.mark.parametrize("text", ['""', '" "', '"two\\nlines"'])
def test_a_label_of_no_line_is_refused(text, tmp_path):
    message = message_with(tmp_path, "prepare.rename", f"{{calm: {text}}}")
    assert message.startswith(f"{tmp_path / 'params.yaml'}: prepare.rename.calm: ")
    assert "is no label; allowed is any text of one line" in message


def test_a_pattern_is_for_all_corpora_or_for_those_that_are_named(tmp_path):
    everywhere = load_with(tmp_path, "prepare.pattern", "'{emotion}_{_}'").prepare
    assert everywhere.pattern_of("mine") == "{emotion}_{_}"
    named = load_with(tmp_path, "prepare.pattern", "{mine: '{emotion}_{_}'}").prepare
    assert (named.pattern_of("mine"), named.pattern_of("yours")) == ("{emotion}_{_}", "")


@pytest.mark.parametrize(
    ("key", "text", "named"),
    [
        ("prepare.corpora", "[demo, demo]", "corpora is ['demo', 'demo']; allowed is each value once"),
        ("prepare.emotions", "[anger, anger]", "emotions is ['anger', 'anger']; allowed is each value once"),
        ("demo.emotions", "[anger, anger]", "emotions is ['anger', 'anger']; allowed is each value once"),
        ("augment.kinds", "[noise, noise]", "kinds is ['noise', 'noise']; allowed is each value once"),
        ("augment.snr_db", "[25.0, 10.0]", "snr_db is [25.0, 10.0]; allowed is a lower value followed by an upper"),
        ("augment.speed", "[0.4, 1.0]", "speed is [0.4, 1.0]; allowed are factors from 0.5 to 2.0"),
        ("augment.speed", "[1.0, 2.1]", "speed is [1.0, 2.1]; allowed are factors from 0.5 to 2.0"),
        ("augment.semitones", "[-13.0, 0.0]", "semitones is [-13.0, 0.0]; allowed are -12 to 12"),
        ("augment.noise", "[pink, pink]", "noise is ['pink', 'pink']; allowed is each value once"),
        ("augment.stretch", "[0.9, 2.5]", "stretch is [0.9, 2.5]; allowed are factors from 0.5 to 2.0"),
        ("augment.gain_db", "[0.0, -6.0]", "gain_db is [0.0, -6.0]; allowed is a lower value followed by an upper"),
        ("augment.telephone_hz", "[300.0, 300.0]", "telephone_hz is [300.0, 300.0]; allowed is a lower edge"),
        ("train_ml.models", "[mlp, mlp]", "models is ['mlp', 'mlp']; allowed is each value once"),
        ("train_transformer.modes", "[frozen, frozen]", "modes is ['frozen', 'frozen']; allowed is each value once"),
        ("compute.backend", "dask", "address is None; with backend dask it is that of a running scheduler"),
        ("compute.address", "tcp://localhost:8786", "address is 'tcp://localhost:8786'; with backend loky it is null"),
        ("collect.max_seconds", "1.5", "max_seconds is 1.5; allowed is at least twice min_seconds"),
        ("prepare.max_seconds", "0.2", "[0.3, 0.2]; allowed is a lower value followed by an upper"),
    ],
)
def test_contradiction_inside_a_section_is_named(tmp_path, key, text, named):
    message = message_with(tmp_path, key, text)
    assert f"{key.split('.')[0]}: " in message
    assert named in message


@pytest.mark.parametrize("name", ["../secret", "a/b", "/tmp", ".hidden", ".."])
def test_corpus_cannot_be_a_path(tmp_path, name):
    assert f"prepare.corpora.0 is '{name}'" in message_with(tmp_path, "prepare.corpora", f"['{name}']")
    assert f"collect.name is '{name}'" in message_with(tmp_path, "collect.name", f"'{name}'")


@pytest.mark.parametrize("group", ["tone", "prosody"])
def test_unknown_group_of_descriptors_is_named(tmp_path, group):
    message = message_with(tmp_path, "extract.functionals.groups", f"[mfcc, {group}]")
    assert f"extract.functionals.groups.1 is '{group}'" in message


def test_several_mistakes_are_named_together(tmp_path):
    path = write_with(tmp_path, "train.seed", "-1")
    path.write_text(path.read_text().replace("workers: 0", "workers: -2"))
    with pytest.raises(InputError, match=r"train\.seed is -1.*; compute\.workers is -2"):
        load_params(path)


# --- what YAML makes of a text


@pytest.mark.parametrize("text", ["1e-05", "0.00001", "1.0e-5", "1E-5"])
def test_small_number_is_a_float_however_it_is_written(tmp_path, text):
    rate = load_with(tmp_path, "train_lstm.learning_rate", text).train_lstm.learning_rate
    assert isinstance(rate, float)
    assert rate == 1e-05


@pytest.mark.parametrize("word", ["no", "yes", "on", "off"])
def test_words_that_older_yaml_took_for_booleans_stay_words(tmp_path, word):
    assert load_with(tmp_path, "prepare.corpora", f"[{word}]").prepare.corpora == [word]


def test_whole_number_serves_where_a_fraction_is_meant(tmp_path):
    assert load_with(tmp_path, "prepare.trim_db", "40").prepare.trim_db == 40


@pytest.mark.parametrize("text", ["null", "~", ""])
@pytest.mark.parametrize("key", ["trim_db", "denoise_db"])
def test_null_switches_trimming_and_denoising_off(tmp_path, key, text):
    assert getattr(load_with(tmp_path, f"prepare.{key}", text).prepare, key) is None


# --- the file itself


def test_missing_file_says_where_to_run(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml not found: run the stages from the root"):
        load_params(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"train: [1,\n", "not valid YAML"),
        (b"train:\n\tseed: 1\n", "not valid YAML"),
        (b"train: 1\ntrain: 2\n", 'duplicate key "train"'),
        (b"train: \xff\xfe\n", "not valid YAML"),
        (b"", "the file is None"),
        (b"- 1\n- 2\n", "valid dictionary"),
    ],
)
def test_broken_file_is_refused_naming_it_in_one_line(tmp_path, text, named):
    path = tmp_path / "broken.yaml"
    path.write_bytes(text)
    with pytest.raises(InputError) as error:
        load_params(path)
    assert "broken.yaml" in str(error.value)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


# --- the grid


def test_every_value_of_the_grid_must_suit_its_model(tmp_path):
    message = message_with(tmp_path, "train_ml.grid.svm_rbf.C", "[1.0, -5.0]")
    assert "C is -5.0" in message
    assert "greater than 0" in message


def test_grid_names_keys_of_its_model_only(tmp_path):
    message = message_with(tmp_path, "train_ml.grid.svm_rbf.degree", "[2]")
    assert "unknown key" in message
    assert "degree (value 2)" in message


@pytest.mark.parametrize(
    ("model", "key"),
    [("svm_rbf", "components"), ("discriminant_analysis", "components"), ("mlp", "epochs"), ("mlp", "seeds")],
)
def test_grid_refuses_keys_that_it_would_not_try(tmp_path, model, key):
    message = message_with(tmp_path, f"train_ml.grid.{model}.{key}", "[10, 20]")
    assert f"train_ml.grid.{model} has {key}, which it cannot try; set train_ml.{model}.{key}" in message


def test_grid_mistake_is_named_with_its_full_key(tmp_path):
    assert "train_ml.grid.svm_rbf" in message_with(tmp_path, "train_ml.grid.svm_rbf.C", "[1.0, -5.0]")


def test_grid_names_known_models_only(tmp_path):
    assert "train_ml.grid.perceptron" in message_with(tmp_path, "train_ml.grid.perceptron", "{C: [1.0]}")


def test_grid_takes_what_the_model_takes(tmp_path):
    grid = load_with(tmp_path, "train_ml.grid.svm_rbf", "{gamma: [scale, 0.01], C: [1]}").train_ml.grid
    assert grid["svm_rbf"] == {"gamma": ["scale", 0.01], "C": [1]}


def test_empty_list_in_the_grid_is_refused(tmp_path):
    assert "train_ml.grid.svm_rbf.C is []" in message_with(tmp_path, "train_ml.grid.svm_rbf.C", "[]")


# --- rules that hold between sections


def test_hop_longer_than_a_frame_is_refused(tmp_path):
    message = message_with(tmp_path, "extract.hop_length", "513")
    assert "extract.hop_length is 513; allowed is at most n_fft, 512" in message
    assert load_with(tmp_path, "extract.hop_length", "512").extract.hop_length == 512


@pytest.mark.parametrize(("kind", "most"), [("functionals", 25), ("frames", 40)])
def test_more_coefficients_than_mel_bands_are_refused(tmp_path, kind, most):
    message = message_with(tmp_path, f"extract.{kind}.n_mfcc", f"{most + 1}")
    assert f"extract.{kind}.n_mfcc is {most + 1}; allowed is at most {most}" in message
    assert getattr(load_with(tmp_path, f"extract.{kind}.n_mfcc", f"{most}").extract, kind).n_mfcc == most


def test_shortest_clip_holds_at_least_one_frame(tmp_path):
    message = message_with(tmp_path, "extract.n_fft", "8192")  # 0.512 s at 16 kHz, against 0.3 s
    assert "prepare.min_seconds is 0.3; allowed is at least one frame of extract.n_fft, 0.512 s" in message


def test_telephone_band_beyond_half_the_sample_rate_is_refused(tmp_path):
    message = message_with(tmp_path, "augment.telephone_hz", "[300.0, 8000.0]")
    assert "augment.telephone_hz is [300.0, 8000.0]; allowed are edges below sample_rate / 2, 8000" in message


def test_frames_too_short_for_the_narrowest_band_are_refused(tmp_path):
    message = message_with(tmp_path, "extract.n_fft", "158")
    assert "extract.n_fft is 158; allowed is at least sample_rate / 100, 160" in message


@pytest.mark.parametrize(("chosen", "group"), [("mean", "pitch"), ("compact", "rolloff"), ("full", "chroma")])
def test_a_set_that_has_none_of_the_groups_is_refused(tmp_path, chosen, group):
    message = message_with(tmp_path, "extract.functionals", f"{functionals() | {'set': chosen, 'groups': [group]}}")
    assert f"groups is ['{group}']; the set {chosen} has nothing of " in message


def functionals():
    return content()["extract"]["functionals"]


def test_the_groups_that_a_set_lacks_are_those_of_the_sets():
    assert {name: ALL_GROUPS - groups for name, (_, groups) in SETS.items()} == ABSENT_GROUPS


def test_a_fine_tuned_encoder_has_no_statistics_of_a_speaker(tmp_path):
    text = f"{content()['train_transformer'] | {'checkpoints': {'hubert': 'a'}, 'modes': ['frozen', 'fine_tuned']}}"
    load_with(tmp_path, "train_transformer", text)
    path = write_with(tmp_path, "train_transformer", text)
    path.write_text(path.read_text().replace("normalization: train", "normalization: speaker"))
    with pytest.raises(InputError, match="train_transformer.modes has fine_tuned; allowed with train.normalization"):
        load_params(path)


ALL_OFF = {f"{trainer}.enabled": False for trainer in ("train_ml", "train_lstm", "train_residual_keras", "train_cnn")}


def test_a_trainer_that_is_left_out_has_no_models():
    off = with_settings(load_params(COMMITTED), {"train_cnn.enabled": False, "train_ml.enabled": False}, "mine")
    trained = {trainer: models for trainer, models in models_by_trainer(off).items() if models}
    assert trained == {"train_lstm": ["lstm"], "train_residual_keras": ["residual"]}
    few = with_settings(load_params(COMMITTED), {"train_ml.models": ["mlp"]}, "mine")
    models = ("cnn", "svm_rbf", "lstm", "ensemble", "mine")
    assert [why_left_out(off, model) for model in models] == [
        "train_cnn.enabled is false",
        "train_ml.enabled is false",
        "",
        "",
        "",
    ]
    assert why_left_out(few, "svm_rbf") == "it is not in train_ml.models" and why_left_out(few, "mlp") == ""


def test_one_trainer_at_least_is_needed():
    params = load_params(COMMITTED)
    for key in ALL_OFF:
        assert sum(map(bool, models_by_trainer(with_settings(params, ALL_OFF | {key: True}, "x")).values())) == 1
    encoder = {"train_transformer.checkpoints": {"hubert": "a"}}
    assert models_by_trainer(with_settings(params, ALL_OFF | encoder, "x"))["train_transformer"] == ["hubert_frozen"]
    with pytest.raises(InputError, match="^mine: train_ml.enabled, .*: nothing would be trained; .*: set one of them"):
        with_settings(params, ALL_OFF, "mine")


@pytest.mark.parametrize(
    ("off", "message"),
    [
        (
            {"train_cnn.enabled": False},
            "of which cnn (train_cnn.enabled is false) would not be trained; allowed are log",
        ),
        ({"train_ml.enabled": False}, "of which svm_rbf (train_ml.enabled is false) would"),
        ({"train_ml.models": ["mlp"]}, "of which svm_rbf (it is not in train_ml.models) would not be trained; allowed"),
        (
            {"train_cnn.enabled": False, "train_ml.enabled": False},
            "of which svm_rbf (train_ml.enabled is false), cnn (train_cnn.enabled is false) would",
        ),
    ],
)
def test_members_of_the_ensemble_are_trained(off, message):
    params = with_settings(load_params(COMMITTED), {"fuse.members": ["svm_rbf", "cnn", "mine"]}, "mine")
    with pytest.raises(InputError, match="fuse.members is ..svm_rbf., .cnn., .mine.., of which") as caught:
        with_settings(params, off, "mine")
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert with_settings(params, off | {"fuse.members": []}, "mine").fuse.members == []


def test_outside_a_clone_the_packages_settings_count_and_in_a_folder_with_some_these(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert params_here() == load_params(COMMITTED)
    (tmp_path / "params.yaml").write_text(COMMITTED.read_text().replace("sample_rate: 16000", "sample_rate: 22050"))
    assert params_here().prepare.sample_rate == 22050


@pytest.mark.parametrize(
    "key", ["raw.path", "augment.noise_folder", "augment.room_folder", "split.predefined", "collect.sources"]
)
def test_a_path_with_a_tilde_is_refused_with_the_path_that_is_meant(tmp_path, key, monkeypatch):
    """DVC reads the file as well, and would look for a folder of that name."""
    monkeypatch.setenv("HOME", "/home/anna")
    message = message_with(tmp_path, key, "~/corpora")
    assert f"{key}: allowed is a path without ~" in message and "write /home/anna/corpora" in message
    load_with(tmp_path, key, "data/corpora~1")

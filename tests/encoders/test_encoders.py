"""Pretrained encoders: tiny random checkpoints of all four architectures through the real loading code, offline.

The stages run in this process: it takes seconds to import PyTorch and transformers, and every script would do it anew.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import augment
import evaluate
import fuse
import gather_transformers
import prepare
import ser
import split
import train_transformer
from conftest import ROOT, run_stage, set_params, stop_after, workplace
from ser.commands import fetch_checkpoint
from ser.encoders import embeddings, fine_tuned, frozen_head
from ser.encoders import pretrained_files as pretrained
from ser.encoders.head_layers import AttentionPooling, FineTunedEncoder, LayerWeights
from ser.encoders.pretrained_tensors import write_tensors
from ser.encoders.speech_encoder import encoder_of, input_values, layer_means, load_encoder
from ser.errors import InputError
from ser.fusion import ensemble_folder
from ser.networks.batches import Examples
from ser.networks.checkpoints import Checkpoint
from ser.settings.all_sections import load_params
from ser.storage.shards import Ragged
from tiny_encoders import TINY

transformers = pytest.importorskip("transformers")

LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}  # how the large published ones differ
CLASSES = {  # names only: every process that collects tests would import them for seconds
    "hubert": ("HubertConfig", "HubertModel"),
    "wav2vec2": ("Wav2Vec2Config", "Wav2Vec2Model"),
    "wavlm": ("WavLMConfig", "WavLMModel"),
    "data2vec-audio": ("Data2VecAudioConfig", "Data2VecAudioModel"),
}
SMALL = {
    "train_transformer.frozen.epochs": 4,
    "train_transformer.fine_tuned.epochs": 2,
    "train_transformer.fine_tuned.seconds": 1.0,
    "train.importance_repeats": 1,
    "compute.workers": 1,
}


@pytest.fixture(scope="module", autouse=True)
def offline():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    """Tiny encoders of all architectures, saved as published ones are."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name, (config_class, network_class) in CLASSES.items():
        with torch.random.fork_rng():
            torch.manual_seed(1)
            config = getattr(transformers, config_class)(**TINY, **(LARGE if name == "wav2vec2" else {}))
            getattr(transformers, network_class)(config).save_pretrained(folder / name)
        transformers.Wav2Vec2FeatureExtractor(return_attention_mask=False).save_pretrained(folder / name)
    return {name: folder / name for name in CLASSES}


@pytest.fixture(scope="module")
def work(tmp_path_factory, small_ravdess, checkpoints) -> Path:
    """A folder in which the data is ready for train_transformer, which has all four checkpoints."""
    folder = workplace(
        tmp_path_factory.mktemp("transformer") / "work", raw__path=str(small_ravdess), prepare__corpora=["ravdess"]
    )
    set_params(
        folder, SMALL | {"train_transformer.checkpoints": {name: str(path) for name, path in checkpoints.items()}}
    )
    with contextlib.chdir(folder):
        prepare.prepare()
        split.split()
        augment.augment()
    return folder


@contextlib.contextmanager
def settings(folder: Path, changes: dict):
    """Change parameters of a folder and go there, for a while."""
    before = (folder / "params.yaml").read_bytes()
    if changes:  # a tenth of a second
        set_params(folder, changes)
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        (folder / "params.yaml").write_bytes(before)


def train(work: Path, checkpoint: str, mode: str, **changes) -> Path:
    """Run the stage; return the model's folder."""
    with settings(work, {f"train_transformer.{mode}.{key}": value for key, value in changes.items()}):
        train_transformer.train_transformer(checkpoint, mode)
    return work / "data/models/train_transformer" / f"{checkpoint}_{mode}"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def other_checkpoints(work) -> Path:
    """Those of a model whose training was killed, before any other is trained."""
    folder = work / "data/checkpoints/train_transformer@wavlm_large_fine_tuned"
    folder.mkdir(parents=True)
    (folder / "kept").touch()
    return folder


@pytest.fixture(scope="module")
def trained(work, other_checkpoints) -> dict[tuple[str, str], Path]:
    folders = {(name, "frozen"): train(work, name, "frozen") for name in CLASSES}
    return folders | {("wavlm", "fine_tuned"): train(work, "wavlm", "fine_tuned")}


ALL = [*((name, "frozen") for name in CLASSES), ("wavlm", "fine_tuned")]


# --- the stage, end to end


@pytest.mark.parametrize("key", ALL)
def test_predictions_cover_the_parts_of_every_fold(work, trained, key):
    folds = pd.read_csv(work / "data/folds.csv").set_index("clip")
    table = pd.read_csv(trained[key] / "predictions.csv")
    for fold, rows in table.groupby("fold"):
        of_fold = folds[f"fold_{fold}"]
        assert dict(zip(rows["clip"], rows["part"], strict=True)) == of_fold[of_fold != "train"].to_dict()
    probabilities = table[["p_anger", "p_neutral", "p_sadness"]].to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    assert probabilities.std(axis=0).min() > 1e-4  # it depends on the clip
    history = pd.read_csv(trained[key] / "history.csv")
    assert {"fold", "epoch", "loss", "accuracy", "validation_loss", "validation_uar"} <= set(history)


def predicted(recordings: Path, model: Path | str, output: Path | str) -> None:
    """Write the predictions of all files of a folder."""
    run = run_stage(Path.cwd(), "predict", str(recordings), "--model", str(model), "--output", str(output))
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("key", ALL)
def test_predict_gives_the_probabilities_of_the_pipeline_from_the_folder_alone(trained, small_ravdess, tmp_path, key):
    shutil.copytree(trained[key], tmp_path / "model")
    with contextlib.chdir(tmp_path):
        predicted(small_ravdess, "model/fold_1", "out.csv")
    table = pd.read_csv(tmp_path / "out.csv")
    table["clip"] = "ravdess/" + table["file"].str.rsplit("/", n=1).str[1].str.removesuffix(".wav")
    expected = pd.read_csv(trained[key] / "predictions.csv").query("fold == 1").set_index("clip")
    columns = ["p_anger", "p_neutral", "p_sadness"]
    assert len(expected) > 20
    found = table.set_index("clip").loc[expected.index, columns]
    np.testing.assert_allclose(found, expected[columns], atol=1e-5)
    assert not (tmp_path / ".cache").exists()  # the cache is for training


@pytest.mark.parametrize("mode", ["frozen", "fine_tuned"])
def test_what_decided_is_told_of_an_encoder_without_groups_of_features(trained, small_ravdess, mode):
    model = ser.load(trained["wavlm", mode])
    clip = min(small_ravdess.rglob("*.wav"))
    found = model.explain(clip, emotion="sadness")
    assert len(found.stretches) >= 5 and np.ptp([each.effect for each in found.stretches]) > 0
    assert found.groups == () and found.usual_log_odds is None
    np.testing.assert_array_equal(found.probabilities, model.predict(clip).probabilities)


def test_predict_normalises_embeddings_by_speaker_as_the_pipeline_does(work, checkpoints, small_ravdess, tmp_path):
    changes = {"train.normalization": "speaker", "train_transformer.checkpoints": {"voice": str(checkpoints["hubert"])}}
    with settings(work, changes):
        train_transformer.train_transformer("voice", "frozen")
        model = Path("data/models/train_transformer/voice_frozen")
        predicted(small_ravdess, model / "fold_0", tmp_path / "out.csv")
        expected = pd.read_csv(model / "predictions.csv").query("fold == 0").set_index("clip")
        shutil.rmtree(model)
    table = pd.read_csv(tmp_path / "out.csv")
    table["clip"] = "ravdess/" + table["file"].str.rsplit("/", n=1).str[1].str.removesuffix(".wav")
    columns = ["p_anger", "p_neutral", "p_sadness"]
    np.testing.assert_allclose(table.set_index("clip").loc[expected.index, columns], expected[columns], atol=1e-5)


def test_heads_of_several_seeds_answer_together(work, checkpoints, small_ravdess, tmp_path):
    """From the model's folder, and from where it is copied to be a member of an ensemble."""
    with settings(work, {"train_transformer.checkpoints": {"several": str(checkpoints["hubert"])}}):
        folder = train(work, "several", "frozen", seeds=2)
        files = contents(folder)
        expected = pd.read_csv(folder / "predictions.csv").query("fold == 0").set_index("clip")
        ensemble_folder.copy_member(folder, tmp_path / "members/several")
        ensemble_folder.copy_member(folder / "fold_0", tmp_path / "fold_0/members/several")
        shutil.rmtree(folder)
        assert contents(train(work, "several", "frozen", seeds=2)) == files  # taken over
        shutil.rmtree(folder)
    heads = {name for name in files if name.startswith("fold_0/") and name.endswith((".safetensors", "settings.json"))}
    assert heads == {f"fold_0/seed_{k}/{name}" for k in (1, 2) for name in ("settings.json", "weights.safetensors")}
    assert files["fold_0/seed_1/weights.safetensors"] != files["fold_0/seed_2/weights.safetensors"]
    columns = ["p_anger", "p_neutral", "p_sadness"]
    model = ser.load(tmp_path / "fold_0/members/several")
    answers = model.predict_many([recording_of(small_ravdess, clip) for clip in expected.index])
    np.testing.assert_allclose([answer.probabilities for answer in answers], expected[columns], atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "normalization"), [("frozen", "train"), ("frozen", "speaker"), ("fine_tuned", "train")]
)
def test_copies_to_answer_by_are_heard_as_the_pipeline_hears_them(
    work, checkpoints, small_ravdess, tmp_path, mode, normalization
):
    changes = {"train.normalization": normalization, "train_transformer.checkpoints": {"hubert": "hubert"}}
    folder = shutil.copytree(work, tmp_path / "work", symlinks=True, ignore=shutil.ignore_patterns("models", ".cache"))
    shutil.copytree(checkpoints["hubert"], folder / "hubert")
    answers = ["speed 1.08", "pitch -1.5"]
    with settings(folder, changes | {"augment.answers": answers}):
        augment.augment()
        train_transformer.train_transformer("hubert", mode)
        model = Path(f"data/models/train_transformer/hubert_{mode}")
        assert json.loads((model / "model.json").read_text())["copies"] == answers
        predicted(small_ravdess, model / "fold_0", tmp_path / "out.csv")
        expected = pd.read_csv(model / "predictions.csv").query("fold == 0").set_index("clip")
        # without copies the answers are others
        about = json.loads((model / "fold_0/model.json").read_text())
        (model / "fold_0/model.json").write_text(json.dumps(about | {"copies": []}))
        predicted(small_ravdess, model / "fold_0", tmp_path / "alone.csv")
    found, alone = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("out", "alone"))
    for table in (found, alone):
        table.index = "ravdess/" + table["file"].str.rsplit("/", n=1).str[1].str.removesuffix(".wav")
    columns = ["p_anger", "p_neutral", "p_sadness"]
    np.testing.assert_allclose(found.loc[expected.index, columns], expected[columns], atol=1e-5)
    assert np.abs(alone.loc[expected.index, columns] - expected[columns]).to_numpy().max() > 1e-4


@pytest.mark.parametrize("key", [("hubert", "frozen"), ("wavlm", "fine_tuned")])
def test_the_same_bytes_again_also_without_the_cache(work, trained, key):
    before = contents(trained[key])
    torch.manual_seed(7)  # what was drawn before must not matter
    np.random.seed(7)  # noqa: NPY002 as transformers draws from it
    (work / ".cache").rename(work / "cache-kept")
    try:
        train(work, *key)
    finally:
        shutil.rmtree(work / ".cache", ignore_errors=True)
        (work / "cache-kept").rename(work / ".cache")
    assert contents(trained[key]) == before


@pytest.mark.verify
def test_the_script_in_two_processes_of_its_own_writes_the_same_bytes(work, trained):
    before = contents(trained["data2vec-audio", "frozen"])
    set_params(work, {"compute.workers": 2})
    try:
        run = run_stage(work, "train_transformer", "data2vec-audio", "frozen")
    finally:
        set_params(work, {"compute.workers": 1})
    assert run.returncode == 0, run.stderr
    assert "data2vec-audio_frozen" in run.stdout
    assert contents(trained["data2vec-audio", "frozen"]) == before


def test_a_model_folder_holds_nothing_that_is_executed(trained):
    for folder in trained.values():
        assert {Path(name).suffix for name in contents(folder)} == {".json", ".csv", ".md", ".safetensors"}
        assert (folder / "encoder/model.safetensors").is_file()
        assert not (folder / "fold_0/encoder").exists()  # one copy a model: published encoders are large
        assert encoder_of(folder / "fold_0") == encoder_of(folder)


def recording_of(folder: Path, clip: str) -> Path:
    """Return the file of a clip of RAVDESS."""
    return next(folder.rglob(f"{clip.removeprefix('ravdess/')}.wav"))


def test_all_land_beside_the_other_models(work, trained, small_ravdess):
    """Gathered, fused and evaluated: scores, curves and importances of each."""
    changes = {"train_transformer.checkpoints": {"hubert": "anywhere", "wavlm": "anywhere"}}
    shutil.rmtree(work / "data/predictions", ignore_errors=True)
    shutil.copytree(work / "data/models", work / "models-kept")
    try:
        with settings(work, changes):
            gather_transformers.gather_transformers()
            fuse.fuse_models()
            evaluate.evaluate()
            expected = pd.read_csv("data/predictions/fuse/ensemble.csv").query("fold == 1 and part == 'test'")
            ensemble = ser.load("ensemble/fold_1")  # its members' encoders are those of the ensemble for use
        answers = ensemble.predict_many([recording_of(small_ravdess, clip) for clip in expected["clip"]])
        found = [answer.probabilities for answer in answers]
        np.testing.assert_allclose(found, expected[[f"p_{emotion}" for emotion in ensemble.emotions]], atol=1e-5)
        assert sorted(path.name for path in (work / "data/models/train_transformer").iterdir()) == [
            "hubert_frozen",
            "wavlm_frozen",
        ]
    finally:
        shutil.rmtree(work / "data/models")
        (work / "models-kept").rename(work / "data/models")
    metrics = json.loads((work / "reports/metrics.json").read_text())
    assert sorted(metrics) == ["ensemble", "hubert_frozen", "wavlm_frozen"]
    assert {"uar", "accuracy", "f1_macro", "precision_macro", "auc_macro"} <= set(metrics["hubert_frozen"])
    training = pd.read_csv(work / "reports/training.csv")
    assert set(training["model"]) == {"hubert_frozen", "wavlm_frozen"}
    importance = pd.read_csv(work / "reports/importance.csv").query("model == 'wavlm_frozen'")
    assert set(importance["group"]) == {"layer 0", "layer 1", "layer 2"}


# --- the cache


@pytest.fixture
def encoded(monkeypatch) -> list:
    """The number of samples of each clip that an encoder was run on."""
    lengths = []

    def counted(encoder, samples, sr):
        lengths.append(len(samples))
        return layer_means(encoder, samples, sr)

    monkeypatch.setattr(embeddings, "layer_means", counted)
    return lengths


def test_another_head_and_another_split_run_no_encoder(work, trained, encoded, tmp_path):
    """Both are changed in the same run, in which a fit costs more than all else."""
    before = shutil.copytree(trained["hubert", "frozen"], tmp_path / "before")
    folds = (work / "data/folds.csv").read_bytes()
    table = pd.read_csv(work / "data/folds.csv")
    table["fold_0"], table["fold_1"] = table["fold_1"], table["fold_0"]
    try:
        table.to_csv(work / "data/folds.csv", index=False)
        train(work, "hubert", "frozen", hidden_units=8)
        assert contents(trained["hubert", "frozen"]) != contents(before)
    finally:
        (work / "data/folds.csv").write_bytes(folds)
        shutil.rmtree(trained["hubert", "frozen"])
        shutil.copytree(before, trained["hubert", "frozen"])
    assert encoded == []


def test_a_run_that_was_killed_goes_on_with_the_clips_that_are_left(work, trained, encoded):
    folder = work / embeddings.CACHE / embeddings.encoder_key(trained["hubert", "frozen"] / "encoder")
    kept = sorted(folder.rglob("*.npy"))
    for path in kept[:5]:
        path.unlink()
    train(work, "hubert", "frozen")
    assert len(encoded) == 5
    assert sorted(folder.rglob("*.npy")) == kept


def test_other_weights_are_not_mistaken_for_the_first_ones(work, trained, checkpoints, encoded, tmp_path):
    shutil.copytree(checkpoints["hubert"], tmp_path / "other")
    network = transformers.HubertModel.from_pretrained(tmp_path / "other")
    with torch.no_grad():
        network.encoder.layer_norm.bias[0] += 1
    network.save_pretrained(tmp_path / "other")
    assert embeddings.encoder_key(tmp_path / "other") != embeddings.encoder_key(checkpoints["hubert"])
    with settings(work, {"train_transformer.checkpoints": {"hubert": str(tmp_path / "other")}}):
        clips = Ragged.open(Path("data/prepared/audio")).select(np.arange(3))
        embeddings.embed_clips(clips, 16000, tmp_path / "other", compute=load_params().compute, label="other")
    assert len(encoded) == 3


@pytest.mark.parametrize("library", ["soxr", "transformers"])
def test_another_version_of_what_computes_them_makes_other_embeddings(checkpoints, monkeypatch, library):
    before = embeddings.encoder_key(checkpoints["hubert"])
    monkeypatch.setattr(embeddings, "version", lambda name: "0.0" if name == library else version(name))
    assert embeddings.encoder_key(checkpoints["hubert"]) != before


def test_no_clips_have_no_embeddings(work, checkpoints):
    none = Ragged.open(work / "data/prepared/audio").select(np.arange(0))
    compute = load_params(work / "params.yaml").compute
    assert len(embeddings.embed_clips(none, 16000, checkpoints["hubert"], compute=compute, label="none")) == 0


# --- what the encoder hears


@pytest.mark.parametrize("name", CLASSES)
def test_embeddings_are_the_mean_hidden_states_that_transformers_computes(checkpoints, name):
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.1, 8000).astype(np.float32)
    means = layer_means(load_encoder(checkpoints[name]), samples, 16000)
    network = transformers.AutoModel.from_pretrained(checkpoints[name])
    extractor = transformers.AutoFeatureExtractor.from_pretrained(checkpoints[name])
    inputs = extractor(samples, sampling_rate=16000, return_tensors="pt")
    with torch.no_grad():
        states = network(**inputs, output_hidden_states=True).hidden_states
    assert means.shape == (3, 16)
    np.testing.assert_allclose(means, torch.cat(states).mean(dim=1), atol=1e-5)


def test_the_checkpoint_says_how_samples_are_normalised_and_at_which_rate(checkpoints):
    samples = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32) * 0.3 + 0.1
    plain = transformers.Wav2Vec2FeatureExtractor(do_normalize=False)
    values = input_values(plain, samples, 22050)
    assert len(values) == 16000
    spectrum = np.abs(np.fft.rfft(values - values.mean()))
    assert spectrum.argmax() == 440
    assert values.mean() == pytest.approx(0.1, abs=1e-3)
    normalized = input_values(transformers.Wav2Vec2FeatureExtractor(do_normalize=True), samples, 22050)
    assert (normalized.mean(), normalized.std()) == pytest.approx((0, 1), abs=1e-3)


# --- the networks


def test_layer_weights_are_a_mean_and_find_the_layer_that_tells():
    weights = LayerWeights(3)
    states = torch.arange(6.0).reshape(1, 3, 2)
    np.testing.assert_allclose(weights(states).detach(), states.mean(dim=1))
    with torch.no_grad():
        weights.logits[2] = 20.0
    np.testing.assert_allclose(weights(states).detach(), states[:, 2], atol=1e-4)


def test_attention_pools_time_by_weights_that_sum_to_one():
    pooling = AttentionPooling(4)
    constant = torch.ones(2, 7, 4)
    np.testing.assert_allclose(pooling(constant).detach(), np.ones((2, 4)), atol=1e-6)


def test_a_frozen_head_learns_from_the_only_layer_that_tells():
    rng = np.random.default_rng(0)

    def examples(count):
        labels = np.arange(count) % 3
        embeddings_ = rng.normal(size=(count, 4, 6)).astype(np.float32)
        embeddings_[:, 2, 1] += 3.0 * labels
        index = np.stack([0 * labels, np.arange(count), 0 * labels + 1], axis=1)
        inputs = Ragged([embeddings_.reshape(count, -1)], index)
        return Examples(inputs, labels, np.full(count, "s"), np.arange(count).astype(str))

    changes = {"learning_rate": 0.01, "epochs": 20}
    section = load_params(ROOT / "params.yaml").train_transformer.frozen.model_copy(update=changes)
    fitted = frozen_head.fit(examples(300), examples(90), 3, section, layers=4, seed=1)
    test = examples(90)
    predicted = frozen_head.predict_proba(fitted.model, test.inputs).argmax(axis=1)
    assert np.mean(predicted == test.labels) > 0.8
    assert fitted.model.layer_weights.logits.argmax() == 2


def test_fine_tuning_changes_the_encoder_but_not_its_convolutions(trained, checkpoints):
    before = load_encoder(checkpoints["wavlm"]).network.state_dict()
    after = fine_tuned.load(trained["wavlm", "fine_tuned"]).cpu().encoder.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any(name.startswith("encoder.layers.1") for name in changed)
    assert not any(name.startswith("feature_extractor") for name in changed)


@pytest.fixture(scope="module")
def network(checkpoints) -> FineTunedEncoder:
    return FineTunedEncoder(load_encoder(checkpoints["wav2vec2"]), 3, 8, 0.0, "attention", 16000).eval()


def test_statistics_of_batch_normalisation_are_stored_with_the_weights(tmp_path):
    """Some HuBERTs have a batch normalisation, whose statistics training changes as it does weights."""
    config = transformers.HubertConfig(**TINY, conv_pos_batch_norm=True)
    source = tmp_path / "encoder"
    transformers.HubertModel(config).save_pretrained(source)
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=False).save_pretrained(source)
    network = FineTunedEncoder(load_encoder(source), 3, 8, 0.0, "attention", 16000)
    statistics = {name for name in network.learnt_weights() if name.endswith("running_mean")}
    assert statistics
    network.train()(torch.randn(4, 8000))
    network.eval()
    fine_tuned.save(network, tmp_path)
    stored = fine_tuned.load(tmp_path).cpu().learnt_weights()
    assert all(torch.equal(stored[name], values) for name, values in network.learnt_weights().items())
    assert all(stored[name].abs().max() > 0 for name in statistics)


def test_an_encoder_that_was_trained_without_masks_can_be_fine_tuned(tmp_path):
    """Its class has no vector for masked frames, neither here nor when the model is loaded again."""
    config = transformers.Wav2Vec2Config(**TINY, mask_time_prob=0.0, mask_feature_prob=0.0)
    transformers.Wav2Vec2Model(config).save_pretrained(tmp_path / "encoder")
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=False).save_pretrained(tmp_path / "encoder")
    network = FineTunedEncoder(load_encoder(tmp_path / "encoder"), 3, 8, 0.0, "attention", 16000)
    values = torch.randn(2, 8000)
    masked = torch.from_numpy(fine_tuned.mask(2, fine_tuned.frames_of(network, 8000), 0.3, np.random.default_rng(0)))
    network(values, masked).sum().backward()
    fine_tuned.save(network.eval(), tmp_path)
    with torch.no_grad():
        assert torch.equal(fine_tuned.load(tmp_path).cpu()(values, masked), network(values, masked))


def test_a_process_that_only_fits_heads_reads_more_embeddings_than_files_may_be_open_on_one_thread(tmp_path):
    for number in range(300):
        np.save(tmp_path / f"{number:03}.npy", np.full((1, 4), number, dtype=np.float32))
    index = np.array([(number, 0, 1) for number in range(300)])
    code = f"""
import resource, sys
sys.path.insert(0, {str(ROOT / "stages")!r})
from pathlib import Path
import numpy as np
import torch
from ser.encoders.frozen_head import matrix
from ser.storage.shards import Ragged
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
clips = Ragged(sorted(Path(sys.argv[1]).glob("*.npy")), np.array({index.tolist()}))
print(matrix(clips).sum(), torch.get_num_threads())
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.split() == [str(4.0 * sum(range(300))), "1"], done.stderr


def test_masked_frames_are_not_heard(network):
    values = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 8000)).astype(np.float32))
    frames = fine_tuned.frames_of(network, values.shape[1])
    states = network.encoder(values).last_hidden_state
    assert states.shape[1] == frames
    everything = torch.ones(1, frames, dtype=torch.bool)
    with torch.no_grad():
        assert not torch.allclose(network(values), network(values, everything))
        assert torch.allclose(
            network(values, everything), network(values[:, torch.randperm(8000)], everything), atol=1e-5
        )


def test_masks_are_about_the_share_that_was_asked_for():
    rng = np.random.default_rng(0)
    masked = fine_tuned.mask(2000, 200, 0.1, rng)
    assert 0.08 < masked.mean() < 0.1
    assert not fine_tuned.mask(10, 200, 0.0, rng).any()
    assert fine_tuned.mask(1, 4, 0.9, rng).shape == (1, 4)  # shorter than a span


def test_a_batch_is_cut_to_its_shortest_clip(network):
    arrays = [np.full(length, 1000, dtype=np.int16) for length in (4000, 5000, 9000)]
    clips = Ragged(arrays, np.array([(0, 0, 4000), (1, 0, 5000), (2, 0, 9000)]))
    rng = np.random.default_rng(0)
    assert fine_tuned.cropped_batch(network, clips, np.arange(3), 1.0, rng).shape == (3, 4000)
    assert fine_tuned.cropped_batch(network, clips, np.arange(1, 3), 0.25, rng).shape == (2, 4000)


@pytest.mark.parametrize("mode", ["frozen", "fine_tuned"])
def test_an_interrupted_training_goes_on_to_the_same_weights(work, checkpoints, tmp_path, monkeypatch, mode):
    section = load_params(work / "params.yaml").train_transformer
    changes = {"balance": "sampling", "mixup": 0.2, "label_smoothing": 0.1, "schedule": "cosine", "epochs": 4}
    section = getattr(section, mode).model_copy(update=changes)
    clips = Ragged.open(work / "data/prepared/audio").select(np.arange(12))
    labels = np.arange(12) % 3
    if mode == "frozen":
        compute = load_params(work / "params.yaml").compute
        monkeypatch.chdir(work)
        clips = embeddings.embed_clips(clips, 16000, checkpoints["hubert"], compute=compute, label="")
        library, fit = frozen_head, partial(frozen_head.fit, layers=3)
    else:
        stored = pretrained.StoredEncoder(checkpoints["hubert"], "digest")
        library, fit = fine_tuned, partial(fine_tuned.fit, encoder=stored, sample_rate=16000)
    examples = Examples(clips, labels, labels.astype(str), labels.astype(str))
    fit = partial(fit, examples, examples, 3, section, seed=3)
    undisturbed = fit()
    for interrupted_after in (1, 3):
        checkpoint = Checkpoint(tmp_path / str(interrupted_after), interval=0)
        with monkeypatch.context() as patch:
            patch.setattr(library, "_train_epoch", stop_after(interrupted_after, library._train_epoch))
            with pytest.raises(KeyboardInterrupt):
                fit(checkpoint=checkpoint)
        resumed = fit(checkpoint=checkpoint)
        assert resumed.history.equals(undisturbed.history)
        assert resumed.epochs == undisturbed.epochs
        for name, values in undisturbed.model.learnt_weights().items():
            assert torch.equal(resumed.model.learnt_weights()[name], values)


def test_checkpoints_of_one_model_outlive_the_end_of_another(work, trained, other_checkpoints):
    kept = {path.name for path in (work / "data/checkpoints").iterdir()}
    assert kept == {other_checkpoints.name, "fits", "seconds.json"}
    assert (other_checkpoints / "kept").exists()


# --- what cannot be used


def message(call, *arguments, **keywords) -> str:
    with pytest.raises(InputError) as error:
        call(*arguments, **keywords)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_hub_name_without_network_is_named_with_what_to_do(work):
    with settings(work, {"train_transformer.checkpoints": {"base": "someone/some-encoder"}}):
        text = message(train_transformer.train_transformer, "base", "frozen")
    assert "someone/some-encoder: no such folder here" in text
    assert "outgoing traffic has been disabled" in text
    assert "ser checkpoint someone/some-encoder FOLDER" in text


def test_a_path_is_never_asked_of_the_hub():
    assert "no such folder" in message(pretrained.find_checkpoint, "/nowhere/some/encoder")


def test_a_checkpoint_that_params_do_not_name(work):
    with contextlib.chdir(work):
        assert "other is not in train_transformer.checkpoints" in message(
            train_transformer.train_transformer, "other", "frozen"
        )


@pytest.fixture
def broken(checkpoints, tmp_path) -> Path:
    return shutil.copytree(checkpoints["hubert"], tmp_path / "broken")


def test_other_architectures_are_refused(broken):
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"model_type": "whisper"}))
    text = message(pretrained.find_checkpoint, str(broken))
    assert "of type whisper: allowed are hubert, wav2vec2, wavlm, data2vec-audio" in text


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_a_missing_file_is_named(broken, name):
    (broken / name).unlink()
    assert f"has no {name}" in message(pretrained.find_checkpoint, str(broken))


def test_pickled_weights_are_refused_until_they_are_converted(broken, checkpoints):
    from safetensors.torch import load_file

    torch.save(load_file(broken / "model.safetensors"), broken / "pytorch_model.bin")
    (broken / "model.safetensors").unlink()
    text = message(pretrained.find_checkpoint, str(broken))
    assert "pickles" in text
    assert f"ser checkpoint {broken} FOLDER" in text
    converted = broken.parent / "converted"
    fetch_checkpoint.fetch_checkpoint(str(broken), converted)
    assert contents(pretrained.find_checkpoint(str(converted))) == contents(checkpoints["hubert"])


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_a_pickle_that_is_more_than_tensors_is_not_converted(broken, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (broken / "model.safetensors").unlink()
    torch.save({"weight": Bomb()}, broken / "pytorch_model.bin")
    assert "more than tensors" in message(fetch_checkpoint.fetch_checkpoint, str(broken), tmp_path / "out")
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "out").exists()


def test_broken_and_missing_weights_are_refused(broken):
    from safetensors.torch import load_file, save_file

    path = broken / "model.safetensors"
    weights = {name: value.clone() for name, value in load_file(path).items()}  # and no map of the file
    path.write_bytes(path.read_bytes()[:1000])
    assert "cannot be loaded" in message(load_encoder, broken)
    save_file({name: value for name, value in weights.items() if "layers.1" not in name}, path)
    assert "lacks weights of its HubertModel" in message(load_encoder, broken)
    save_file({name: value for name, value in weights.items() if name != "masked_spec_embed"}, path)
    assert not load_encoder(broken).network.masked_spec_embed.any()  # zeros and not what was drawn


def test_the_command_that_is_printed_names_what_dvc_and_params_accept(checkpoints, tmp_path, capsys):
    folder = tmp_path / "wavlm-v1.0@main"
    fetch_checkpoint.fetch_checkpoint(str(checkpoints["wavlm"]), folder)
    assert f"'+train_transformer.checkpoints.wavlm-v1-0-main={folder}'" in capsys.readouterr().out


def test_code_in_a_checkpoint_is_not_run(broken, monkeypatch):
    monkeypatch.chdir(broken.parent)
    (broken / "evil.py").write_text("import os\nos.mkdir('exploded')\n")
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "evil.Model"}}))
    load_encoder(pretrained.find_checkpoint(str(broken)))
    assert not (broken.parent / "exploded").exists()


def test_a_model_whose_weights_are_of_another_encoder_is_refused(trained, checkpoints, tmp_path):
    folder = shutil.copytree(trained["wavlm", "fine_tuned"], tmp_path / "model")
    shutil.rmtree(folder / "encoder")
    shutil.copytree(checkpoints["hubert"], folder / "encoder")
    assert "the model cannot be loaded" in message(ser.load, folder)


@pytest.mark.parametrize("package", ["transformers", "safetensors", "huggingface_hub"])
def test_without_the_optional_packages_it_says_what_to_install(checkpoints, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    calls = {
        "transformers": lambda: load_encoder(checkpoints["hubert"]),
        "safetensors": lambda: write_tensors({}, tmp_path / "weights.safetensors"),
        "huggingface_hub": lambda: pretrained.find_checkpoint("someone/some-encoder"),
    }
    text = message(calls[package])
    assert f"{package}" in text
    assert "not installed: pip install -e '.[transformers]' -c constraints.txt" in text


def test_a_model_that_was_not_trained_cannot_be_gathered(work):
    with settings(work, {"train_transformer.checkpoints": {"new": "anywhere"}}), contextlib.ExitStack() as stack:
        shutil.copytree("data/models", "models-kept")
        stack.callback(lambda: (shutil.rmtree("data/models"), Path("models-kept").rename("data/models")))
        assert "new_frozen/predictions.csv not found: run `dvc repro train_transformer`" in message(
            gather_transformers.gather_transformers
        )

"""The stage `report`: the page, on a small run whose tables are made up."""

import json
import re
import shutil
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import signal

from conftest import ROOT, run_stage, set_params
from report import report
from report_tables import EMOTIONS, make_clips, write_charts_of, write_run
from ser.errors import InputError
from ser.reporting.html_tables import breakable, decimal, p_text, span
from ser.reporting.provenance import digest_inputs
from ser.reporting.report_sounds import spectrogram, typical_clips, worst_mistakes
from ser.reporting.reported_run import kept_epochs
from ser.reporting.sound_sources import COLUMNS, waveform
from ser.settings.all_sections import DEFAULTS
from ser.storage.clip_tables import read_clips
from ser.storage.csv_tables import write_csv

VOID = {"meta", "link", "br", "img", "input"}
HOSTILE = '</td><script>alert("1")</script>&amp;|`$x_{'


@pytest.mark.parametrize(("samples", "window"), [(4000, 512), (301, 301), (300, 256), (2, 2)])
def test_spectrogram_is_that_of_scipy_to_the_last_bit(samples, window):
    y = (0.1 * np.random.default_rng(samples).standard_normal(samples)).astype(np.float32)
    step = window - 7 * window // 8
    _, _, power = signal.spectrogram(
        y, 16000, window="hann", nperseg=window, noverlap=window - step, scaling="spectrum"
    )
    np.testing.assert_array_equal(spectrogram(y, window, step), power)


class Page(HTMLParser):
    """A page as a list of elements; notes tags that are closed in another order than they were opened."""

    def __init__(self, text: str):
        super().__init__()
        self.elements, self.crossed, self.words, self._open = [], [], [], []
        self.feed(text.replace("<wbr>", ""))  # where a long name may end on the next line

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data):
        if self._open and self._open[-1] not in ("script", "style"):
            self.words.append(data)

    def of(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def workplace(folder: Path, clips: pd.DataFrame, **options) -> Path:
    """Make a folder in which the stage runs; without the two slowest charts, unless ``all_charts`` is true."""
    all_charts = options.pop("all_charts", False)
    write_run(folder, clips, **options)
    for name in () if all_charts else ("importance", "training"):
        table = pd.read_csv(folder / f"reports/{name}.csv")
        write_csv(table.head(0), folder / f"reports/{name}.csv")
    write_charts_of(folder)
    shutil.copy(ROOT / "params.yaml", folder)
    return folder


def page_of(folder: Path, monkeypatch) -> Page:
    monkeypatch.chdir(folder)
    report()
    return Page((folder / "reports/report.html").read_text())


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> Path:
    """A run with nothing unusual, reported by the script as DVC runs it."""
    folder = workplace(tmp_path_factory.mktemp("usual"), make_clips(), all_charts=True)
    run = run_stage(folder, "report")
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="module")
def page(usual) -> Page:
    return Page((usual / "reports/report.html").read_text())


def test_the_page_is_well_formed_and_its_parts_are_labelled(page):
    assert page.crossed == []
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    targets = {a["href"][1:] for a in page.of("a") if a["href"].startswith("#")}
    assert targets <= set(identifiers)
    labelled = [attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes]
    assert set(labelled) <= set(identifiers)
    assert len(page.of("main")) == len(page.of("h1")) == len(page.of("nav")) == 1
    assert all(image["alt"] for image in page.of("img"))
    assert all(sound["aria-label"] for sound in page.of("audio"))
    assert all(header["scope"] in ("col", "row") for header in page.of("th"))
    assert len(page.of("caption")) == len(page.of("table"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_the_page_loads_nothing_from_elsewhere(usual, page):
    assert {a["href"] for a in page.of("a") if not a["href"].startswith(("#", "https://"))} == {
        "data/audit.html",
        "model_card.md",
    }
    for tag, attributes in page.elements:
        targets = [attributes[name] for name in ("src", "href", "xlink:href", "srcset", "action") if name in attributes]
        assert tag == "a" or all(target.startswith(("data:", "#")) for target in targets)
    text = (usual / "reports/report.html").read_text()
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)
    assert not re.findall(r"fetch\(|XMLHttpRequest|WebSocket", text)


def test_the_numbers_are_those_of_the_tables(usual, page):
    scores = pd.read_csv(usual / "reports/scores.csv").query("model == 'ensemble' and score == 'uar'").iloc[0]
    assert f"{scores['value']:.3f} unweighted average recall" in page.text
    assert span(scores["low"], scores["high"]) in page.text
    predictions = pd.read_csv(usual / "data/predictions/fuse/ensemble.csv")
    predicted = predictions.filter(like="p_").idxmax(axis=1).str[2:]
    wrong = int((predicted != predictions["emotion"]).sum())
    assert wrong > 0
    assert f"took {wrong} of {len(predictions)} clips for another emotion" in page.text
    for emotion, rows in predictions.groupby("emotion"):
        right = (predicted[rows.index] == emotion).sum()
        assert f"{100 * right / len(rows):.0f} % {right}" in page.text


def test_the_same_inputs_give_the_same_bytes(usual, monkeypatch):
    before = {name: (usual / "reports" / name).read_bytes() for name in ("report.html", "model_card.md")}
    monkeypatch.chdir(usual)
    report()  # in another process than the first time
    assert before == {name: (usual / "reports" / name).read_bytes() for name in before}
    assert str(usual).encode() not in before["report.html"]


def test_the_bytes_are_the_same_wherever_the_run_lies(usual, tmp_path, monkeypatch):
    moved = tmp_path / "another place" / "run"
    shutil.copytree(usual, moved, symlinks=True)
    page = moved / "reports/report.html"
    page.unlink()
    monkeypatch.chdir(moved)
    report()
    assert page.read_bytes() == (usual / "reports/report.html").read_bytes()


def test_what_ran_is_told_by_versions_changes_and_digests(tmp_path, monkeypatch):
    folder = workplace(tmp_path, make_clips(), models={"mlp": ("train_ml", 1.0)})
    shutil.copy(DEFAULTS, folder / "params.yaml")
    page = page_of(folder, monkeypatch)
    assert f"numpy {np.__version__}, onnxruntime " in page.text
    assert "torch" not in page.text.split("What was set")[0]  # no network ran
    assert "Settings that differ from the defaults: none." in page.text
    clips, test = (
        read_clips(folder / "data/prepared/clips.csv"),
        pd.read_csv(folder / "data/predictions/train_ml/mlp.csv"),
    )
    for digest in digest_inputs(clips, folder / "data/prepared/audio", 16000, test):
        assert f" {digest} " in page.text
    params = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(params.replace("  mistakes: 12", "  mistakes: 3"))
    page = page_of(folder, monkeypatch)
    assert "key default here report.mistakes 12 3 All settings are at the end." in page.text
    assert "differ from the defaults: none" not in page.text


def test_long_names_may_be_broken_and_short_ones_stay_whole():
    assert breakable("svm_rbf says no evidence") == "svm_rbf says no evidence"
    assert breakable("discriminant_analysis <b>") == "discriminant_<wbr>analysis &lt;b&gt;"
    long = "a" * 40 + "_" * 20 + HOSTILE
    pieces = str(breakable(long)).split("<wbr>")
    assert unescape("".join(pieces)) == long
    assert max(len(unescape(piece)) for piece in pieces) <= 20


def test_the_more_of_emotions_and_corpora_have_the_rows(tmp_path, monkeypatch):
    for corpora, caption in ((6, "Clips by emotion and corpus"), (7, "Clips by corpus and emotion")):
        clips = make_clips(speakers=7, repeats=1, corpora=corpora)
        page = page_of(workplace(tmp_path / str(corpora), clips, models={"mlp": ("train_ml", 1.0)}), monkeypatch)
        assert caption in page.text
    assert "corpus anger fear happiness neutral all corpus0 1 1 1 1 4" in page.text


def test_the_page_is_small(usual):
    assert (usual / "reports/report.html").stat().st_size < 2e6


def human(folder: Path, **options) -> Path:
    """A run on two corpora with human voices, one of them under a licence that is known."""
    clips = make_clips(corpora=2)
    clips["corpus"] = clips["corpus"].map({"corpus0": "ravdess", "corpus1": "<mine>"})
    return workplace(folder, clips, models={"mlp": ("train_ml", 1.0)}, **options)


def test_voices_and_licences_are_told(tmp_path, monkeypatch, page):
    told = page_of(human(tmp_path), monkeypatch).text
    assert "This page holds voices from <mine> (licence unknown) and ravdess (CC BY-NC-SA 4.0): pass it on only" in told
    assert "<mine> unknown: fill in ravdess CC BY-NC-SA 4.0 (non-commercial, share alike) Weights learnt from" in told
    assert "Weights learnt from ravdess (non-commercial, share alike) may inherit its terms." in told
    assert "This page holds voices from corpus0 (licence unknown): " in page.text


def test_synthetic_speech_is_nobodys_voice(tmp_path, monkeypatch):
    clips = make_clips().assign(source="synthetic")
    told = page_of(workplace(tmp_path, clips, models={"mlp": ("train_ml", 1.0)}), monkeypatch).text
    assert "holds voices" not in told
    assert "corpus0 synthetic, made by this project All that was learnt from is synthetic speech" in told


def test_without_sounds_nothing_is_cut_from_recordings(tmp_path, monkeypatch):
    folder = human(tmp_path)
    set_params(folder, {"report.sounds": False})
    page = page_of(folder, monkeypatch)
    assert page.of("audio") == page.of("img") == [] and not any(
        "wave" in svg.get("class", "") for svg in page.of("svg")
    )
    assert "left out, here and below (report.sounds is false)" in page.text
    assert "holds voices" not in page.text and "Waveform above" not in page.text
    assert page.crossed == []
    assert len([row for row in page.of("tr") if row.get("role") == "row"]) == 13  # the mistakes are still there
    content = (folder / "reports/report.html").read_bytes()
    assert b"data:audio" not in content and b"data:image" not in content


NAMES = [HOSTILE, "007", "nan", "None", "1e5", "NA"]
WARNING = "speaker-dependent split: not comparable with results on unseen speakers (split.scheme is random)"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Page:
    """The page of a run with odd names, a random split and a leak."""
    clips = make_clips()
    speakers = dict(zip(sorted(clips["speaker"].unique()), NAMES, strict=True))
    clips = clips.assign(speaker=clips["speaker"].map(speakers), statement=HOSTILE)
    clips["clip"] = clips["clip"].replace(clips["clip"].iloc[0], "corpus0/" + HOSTILE)
    folder = workplace(tmp_path_factory.mktemp("hostile"), clips, warning=WARNING)
    quarantine = {"corpus": [HOSTILE], "file": [HOSTILE], "reason": [HOSTILE]}
    write_csv(pd.DataFrame(quarantine), folder / "reports/data/quarantine.csv")
    cues = pd.read_csv(folder / "reports/data/cues.csv")
    write_csv(cues.assign(verdict="leak"), folder / "reports/data/cues.csv")
    with pytest.MonkeyPatch.context() as patch:
        return page_of(folder, patch)


def test_names_from_outside_are_text(hostile):
    assert hostile.crossed == []
    assert [script.get("type") for script in hostile.of("script")] == ["application/json", None]
    assert HOSTILE in hostile.text


@pytest.mark.parametrize("name", NAMES)
def test_a_speaker_may_have_a_name_that_looks_like_a_number_or_like_nothing(hostile, name):
    assert f" {name} " in hostile.text


def test_a_random_split_is_reported_in_red(hostile):
    assert "S" + WARNING[1:] in hostile.text
    assert any("alarm" in attributes.get("class", "") for attributes in hostile.of("p"))
    assert "The split is speaker-dependent: on new speakers this model may do much worse" in hostile.text
    assert "speakers of the test part are never in training" not in hostile.text


def test_a_leak_is_in_red(hostile):
    assert (
        "⚠ 2 properties of the raw files alone give the emotion away: scores on these data mean little." in hostile.text
    )
    assert hostile.text.index("scores on these data mean little: see the data audit") < hostile.text.index("Contents")
    assert "⚠ leak: mean level , UAR 0.250 in corpus0 (chance 0.250). Set prepare.normalize: rms" in hostile.text


def test_leaks_cues_and_none_are_told_apart(tmp_path, monkeypatch):
    folder = workplace(tmp_path, make_clips(), models={"mlp": ("train_ml", 1.0)})
    text = page_of(folder, monkeypatch).text
    assert "1 property of the raw files alone tells the emotions better than chance, not so well" in text
    assert "⚠ leak" not in text
    assert "cue: length , UAR 0.300 in corpus0 (chance 0.250). Listen to the shortest" in text
    cues = pd.read_csv(folder / "reports/data/cues.csv")
    excess = cues["excess"] + 0.01 * (cues["cue"] == "seconds")
    write_csv(cues.assign(verdict="", excess=excess, p=[0.3, None]), folder / "reports/data/cues.csv")
    text = page_of(folder, monkeypatch).text
    assert "No property of the raw files alone tells the emotions better than chance (1 property seems to: not " in text
    assert "0.300 not more than chance would explain at this size" in text


def test_few_speakers_two_corpora_and_an_absent_emotion(tmp_path, monkeypatch):
    page = page_of(workplace(tmp_path, make_clips(speakers=4, emotions=EMOTIONS[:3], corpora=2)), monkeypatch)
    assert "There are no intervals." in page.text
    assert "No difference can be tested (none: fewer than 5 speakers)" in page.text
    assert "None: fewer than 5 speakers." in page.text
    assert "corpus0, corpus1" in page.text
    assert not re.search(r"\bnan\b", page.text, re.IGNORECASE)
    assert page.crossed == []


def test_normalisation_by_speaker_is_told_with_its_warning(tmp_path, monkeypatch):
    folder = workplace(tmp_path, make_clips(), models={"mlp": ("train_ml", 1.0)})
    protocol = json.loads((folder / "reports/protocol.json").read_text())
    protocol |= {"normalisation": "speaker", "normalisation_warning": "normalising by speaker takes it away"}
    (folder / "reports/protocol.json").write_text(json.dumps(protocol))
    page = page_of(folder, monkeypatch)
    assert "speaker : each speaker by the mean" in page.text.replace("speaker:", "speaker :")
    assert "Normalising by speaker takes it away." in page.text
    assert page.crossed == []


@pytest.mark.parametrize(("scheme", "told"), [("predefined", True), ("holdout", False)])
def test_clips_that_no_fold_tests_are_told_but_for_holdout(tmp_path, monkeypatch, scheme, told):
    folder = workplace(tmp_path, make_clips(), models={"mlp": ("train_ml", 1.0)})
    protocol = json.loads((folder / "reports/protocol.json").read_text())
    protocol |= {"scheme": scheme, "clips": 1, "untested_clips": 1234}
    (folder / "reports/protocol.json").write_text(json.dumps(protocol))
    page = page_of(folder, monkeypatch)
    assert ("1,234 of 1,235 clips are tested in no fold" in page.text) == told


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    """One model that is never wrong, of speakers that nobody knows, without epochs and importance."""
    clips = make_clips().assign(speaker="", sex="", statement="")
    page = page_of(workplace(tmp_path, clips, models={"mlp": ("train_ml", 50.0)}), monkeypatch)
    assert "No speaker is known, so there are no scores by speaker." in page.text
    assert "None of these models is trained in epochs" in page.text
    assert "Importance of features was not measured" in page.text
    assert "There is only one model: nothing to compare." in page.text
    assert "mlp made no mistake." in page.text
    assert "of unknown speakers from" in page.text
    assert page.crossed == []


def test_long_tables_are_cut_with_a_note(tmp_path, monkeypatch):
    clips = make_clips(speakers=320, repeats=1, emotions=EMOTIONS[:2]).assign(seconds=0.1)
    folder = workplace(tmp_path, clips, models={"mlp": ("train_ml", 1.0)}, classes=EMOTIONS[:2])
    page = page_of(folder, monkeypatch)
    assert "20 more rows are in reports/groups.csv" in page.text
    assert (folder / "reports/report.html").stat().st_size < 2e6


@pytest.fixture
def copy(usual, tmp_path, monkeypatch) -> Path:
    """A copy of the usual run, to break."""
    shutil.copytree(usual, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def test_a_missing_file_is_one_line(copy):
    (copy / "reports/protocol.json").unlink()
    run = run_stage(copy, "report")
    assert run.returncode == 1
    assert run.stderr.startswith("error: reports/protocol.json not found")
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("name", ["reports/scores.csv", "data/prepared/audio.json", "reports/data/audit.json"])
def test_what_is_missing_is_named(name, copy):
    (copy / name).unlink()
    with pytest.raises(InputError, match=f"{name} not found"):
        report()


def test_without_charts_it_is_said_what_draws_them(copy):
    shutil.rmtree(copy / "data/charts")
    with pytest.raises(InputError, match="data/charts has no charts: run `dvc repro evaluate`"):
        report()


def test_tables_of_other_models_than_the_predictions_are_refused(copy):
    (copy / "data/predictions/train_cnn/cnn.csv").unlink()
    with pytest.raises(InputError, match="run `dvc repro evaluate`"):
        report()


def predictions() -> pd.DataFrame:
    rows = [("c", "fear", 0.9, 0.1), ("a", "fear", 0.9, 0.1), ("b", "anger", 0.3, 0.7), ("d", "anger", 0.8, 0.2)]
    return pd.DataFrame(rows, columns=["clip", "emotion", "p_anger", "p_fear"])


def test_the_worst_mistake_is_the_surest():
    mistakes = worst_mistakes(predictions(), 10)
    assert mistakes["clip"].tolist() == ["a", "c", "b"]
    assert mistakes["predicted"].tolist() == ["anger", "anger", "fear"]
    assert mistakes["probability"].tolist() == [0.9, 0.9, 0.7]
    assert worst_mistakes(predictions(), 1)["clip"].tolist() == ["a"]


def test_the_clip_of_an_emotion_is_that_of_the_highest_true_probability():
    assert typical_clips(predictions())[["clip", "probability"]].values.tolist() == [["d", 0.8], ["a", 0.1]]


@pytest.mark.parametrize("samples", [1, 100, COLUMNS, 5000])
def test_a_waveform_spans_its_box(samples):
    y = np.sin(np.arange(samples) + 1).astype(np.float32)
    numbers = np.array(re.findall(r"[\d.]+", waveform(y)), dtype=float).reshape(-1, 2)
    assert (numbers[:, 0].min(), numbers[:, 0].max()) == (0, COLUMNS - 1)
    assert numbers[:, 1].min() >= 0
    assert numbers[:, 1].max() <= 2
    assert min(numbers[:, 1].min(), 2 - numbers[:, 1].max()) < 0.01  # the peak reaches the edge


def test_numbers_as_text():
    assert decimal(-0.0281, signed=True) == "−0.028"
    assert decimal(0.0281, signed=True) == "+0.028"
    assert decimal(-0.0001, signed=True) == "0.000"
    assert decimal(float("nan")) == "–"
    assert span(0.1, float("nan")) == "–"
    assert (p_text(0.0004), p_text(0.0123), p_text(None)) == ("< 0.001", "0.012", "–")


COLLAPSED = {"fold": 0, "emotion": "fear", "share": 1.0, "uar": 0.25, "reason": "it learnt next to nothing"}


def test_a_collapsed_model_is_marked_and_explained(tmp_path, monkeypatch):
    folder = workplace(tmp_path, make_clips())
    assert "collapsed" not in page_of(folder, monkeypatch).text
    rows = [{"model": model, **COLLAPSED} for model in ("ensemble", "cnn")]
    write_csv(pd.DataFrame(rows), folder / "reports/collapsed.csv")
    page = page_of(folder, monkeypatch)
    assert "cnn ⚠ collapsed in 1 of 1 fold" in page.text
    assert "svm_rbf ⚠" not in page.text
    assert "ensemble: ⚠ collapsed in 1 of 1 fold. There it tells nothing apart" in page.text  # beside its score
    assert "it learnt next to nothing" in page.text
    assert page.crossed == []


@pytest.mark.parametrize(
    ("patience", "told"),
    [
        (None, "Kept from the last epoch, as their patience is null: cnn."),
        (5, "Kept from the epoch (boosting: tree) that was best on validation speakers: cnn, mlp."),
    ],
)
def test_the_curves_say_of_each_model_which_epoch_is_kept(tmp_path, monkeypatch, patience, told):
    models = {"mlp": ("train_ml", 1.8), "cnn": ("train_cnn", 2.4), "svm_rbf": ("train_ml", 1.0)}
    folder = workplace(tmp_path, make_clips(), models=models, all_charts=True)
    training = pd.read_csv(folder / "reports/training.csv")
    write_csv(training[training["model"] != "svm_rbf"], folder / "reports/training.csv")
    params = (folder / "params.yaml").read_text()
    head, cnn = params.split("\ntrain_cnn:")
    cnn = cnn.replace("patience: null", f"patience: {'null' if patience is None else patience}", 1)
    (folder / "params.yaml").write_text(f"{head}\ntrain_cnn:{cnn}")
    page = page_of(folder, monkeypatch)
    assert told in page.text
    assert ("best on validation speakers: mlp." in page.text) == (patience is None)
    assert "kept from its best epoch" not in page.text


def test_encoders_are_kept_by_the_patience_of_their_mode():
    modes = {"frozen": {"patience": 10}, "fine_tuned": {"patience": None}, "checkpoints": {"a": "b"}, "modes": []}
    models = ["a_frozen", "a_fine_tuned", "of_ones_own"]
    trainers = dict.fromkeys(models[:2], "train_transformer") | {"of_ones_own": "train_mine"}
    run = SimpleNamespace(models=models, trainers=trainers, settings={"train_transformer": modes})
    run.tables = {"training": pd.DataFrame({"model": models})}
    assert kept_epochs(run) == {"best": ["a_frozen"], "last": ["a_fine_tuned"]}


def test_synthetic_speech_is_said_before_anything_else(tmp_path, monkeypatch):
    clips = make_clips(corpora=2)
    one = clips["corpus"] == "corpus1"
    for folder, source, told in (
        ("none", clips["source"], None),
        ("some", clips["source"].mask(one, "synthetic"), "Synthetic speech in corpus1: scores on it"),
        ("all", "synthetic", "Synthetic speech only: these models know no human voice"),
    ):
        page = page_of(workplace(tmp_path / folder, clips.assign(source=source)), monkeypatch)
        assert ("say nothing about real voices" in page.text) == (told is not None)
        assert told is None or page.text.index(told) < page.text.index("Contents")


def test_groups_that_lack_emotions_are_marked_and_not_ranked_among_the_others(tmp_path, monkeypatch):
    clips = make_clips()
    clips = clips[~(clips["speaker"].str.endswith("s000") & (clips["emotion"] == "fear"))].reset_index(drop=True)
    folder = workplace(tmp_path, clips)
    gaps = pd.read_csv(folder / "reports/gaps.csv").assign(compared_speakers=5, sex_emotions=3)
    write_csv(gaps, folder / "reports/gaps.csv")
    page = page_of(folder, monkeypatch)
    assert "by speaker, worst first; ⚠: over fewer emotions, not to be compared with the others" in page.text
    rows = re.findall(r"corpus0:(s\d+) (?:fe)?male corpus0 \d+ (⚠ )?(\d) of 4", page.text)
    assert [row[0] for row in rows][-1] == "s000"
    assert [bool(row[1]) for row in rows] == [False] * 5 + [True]
    assert "(over 4 of 4 emotions, all of which 5 of 6 speakers show)" in page.text
    assert "over the 3 of 4 emotions that both show" in page.text

"""The model card: what it says of a run."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from conftest import ROOT
from report_tables import make_clips, write_run
from ser.reporting.model_card import plain, settings_of, write_model_card
from ser.reporting.reported_run import Run, read_run
from ser.settings.all_sections import load_params

RUN_SETTINGS = load_params(ROOT / "params.yaml").model_dump()


def card_of(folder: Path, clips: pd.DataFrame, **options) -> tuple[str, Run]:
    """Write a run and its card; return both."""
    write_run(folder, clips, **options)
    shutil.copy(ROOT / "params.yaml", folder)
    run = read_run(folder / "reports", folder / "data", load_params(folder / "params.yaml").model_dump())
    write_model_card(folder / "card.md", run)
    return (folder / "card.md").read_text(), run


def assert_tables_are_whole(card: str) -> None:
    """Every row of a table has as many cells as its header."""
    lines = card.splitlines()
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in lines]
    for number, line in enumerate(lines):
        if line.startswith("|") and lines[number - 1].startswith("|"):
            assert widths[number] == widths[number - 1], line


def test_a_card_has_all_sections_and_whole_tables(tmp_path):
    card, run = card_of(tmp_path, make_clips())
    sections = re.findall(r"^## (.+)$", card, flags=re.MULTILINE)
    assert sections == ["Model", "Intended use", "Data", "Evaluation", "Limits", "Settings"]
    assert_tables_are_whole(card)
    assert "Article 5(1)(f)" in card
    assert "where the system is intended for medical or safety reasons" in card
    scores = run.tables["scores"].query("score == 'uar'").set_index("model")["value"]
    for model in run.models:
        assert re.search(rf"^\| `{model}` \| {scores[model]:.3f} \|", card, flags=re.MULTILINE)
    gap = run.tables["gaps"].set_index("model").loc[run.best]
    assert f"`{gap['worst_speaker']}`, UAR {gap['worst_uar']:.3f}" in card


def test_the_command_is_of_the_best_model(tmp_path):
    card, run = card_of(tmp_path, make_clips())
    assert run.best == "ensemble"
    assert "--model data/models/fuse/ensemble " in card
    assert "the fused probabilities of `svm_rbf`, `cnn`" in card


def test_normalisation_by_speaker_is_told_with_its_warning(tmp_path):
    card, _ = card_of(tmp_path, make_clips())
    assert "**Normalisation**: `train`, by statistics of the training clips.\n- **Measure**" in card
    protocol = json.loads((tmp_path / "reports/protocol.json").read_text())
    protocol |= {"normalisation": "speaker", "normalisation_warning": "normalising by speaker takes it away"}
    (tmp_path / "reports/protocol.json").write_text(json.dumps(protocol))
    write_model_card(tmp_path / "card.md", read_run(tmp_path / "reports", tmp_path / "data", RUN_SETTINGS))
    card = " ".join((tmp_path / "card.md").read_text().split())
    assert "`speaker`, each speaker by the mean and deviation of all their own clips" in card
    assert "**⚠ Normalising by speaker takes it away.** - **Measure**" in card


@pytest.mark.parametrize(("group", "scheme", "told"), [("level", "kfold", True), ("mfcc", "kfold", False),
                                                        ("level", "cross_corpus", False)])  # fmt: skip
def test_models_that_read_a_level_which_is_a_leak_are_warned_of(tmp_path, group, scheme, told):
    card, _ = card_of(tmp_path, make_clips())
    assert "recorded level" not in card
    cues = pd.read_csv(tmp_path / "reports/data/cues.csv")
    leak = cues.iloc[:1].assign(cue="level_active", uar=0.75, excess=0.5, verdict="leak")
    pd.concat([cues, leak]).to_csv(tmp_path / "reports/data/cues.csv", index=False)
    protocol = json.loads((tmp_path / "reports/protocol.json").read_text())
    (tmp_path / "reports/protocol.json").write_text(json.dumps(protocol | {"scheme": scheme}))
    functionals = RUN_SETTINGS["extract"]["functionals"] | {"groups": ["mfcc", group][-1:]}
    settings = RUN_SETTINGS | {"extract": RUN_SETTINGS["extract"] | {"functionals": functionals}}
    write_model_card(tmp_path / "card.md", read_run(tmp_path / "reports", tmp_path / "data", settings))
    warning = "> **⚠ The recorded level is read by svm\\_rbf, and how loud clips were recorded gives the emotions of "
    card = (tmp_path / "card.md").read_text()
    assert (
        (warning in card)
        == ("(level of the speech without its pauses alone: UAR 0.750, chance 0.250): leave level out" in card)
        == told
    )


LENGTH, LEVEL = "length{}, UAR 0.300 in corpus0 (chance 0.250). ", "mean level, UAR 0.250 in corpus0 (chance 0.250). "


@pytest.mark.parametrize(
    ("verdicts", "said", "named"),
    [
        (
            ["leak", "cue"],
            "**⚠ 1 property of the raw files alone gives the emotion away, and 1 more tells better than chance: "
            "scores on these data mean little** (`reports/data/cues.csv`).",
            ["- **⚠ leak: " + LENGTH.format("**"), "- cue: " + LEVEL],
        ),
        (
            ["cue", "cue"],
            "2 properties of the raw files alone tell the emotions better than chance, none of them so well that it "
            "would be a leak (`reports/data/cues.csv`).",
            ["- cue: " + LENGTH.format(""), "- cue: " + LEVEL],
        ),
        (["", ""], "No property of the raw files alone tells the emotions better than chance (`reports/", []),
    ],
)
@pytest.mark.parametrize("p", [None, 0.001])
def test_leaks_cues_and_none_of_the_audits_table_are_told_apart(tmp_path, verdicts, said, named, p):
    """The table is the one source: the card tells what the audit printed, with a p value or without."""
    card_of(tmp_path, make_clips())
    cues = pd.read_csv(tmp_path / "reports/data/cues.csv").assign(verdict=verdicts)
    cues = cues if p is None else cues.assign(p=[p, None])
    cues.to_csv(tmp_path / "reports/data/cues.csv", index=False)
    write_model_card(tmp_path / "card.md", read_run(tmp_path / "reports", tmp_path / "data", RUN_SETTINGS))
    card = (tmp_path / "card.md").read_text()
    assert said in card
    lines = [line for line in card.splitlines() if line.startswith(("- **⚠ leak", "- cue"))]
    assert len(lines) == len(named)
    assert all(line.startswith(start) for line, start in zip(lines, named, strict=True))
    assert ("mean little.** See “Data”." in card.partition("## Model")[0]) == ("leak" in verdicts)
    assert_tables_are_whole(card)


def test_clips_that_no_fold_tests_are_told(tmp_path):
    card, _ = card_of(tmp_path, make_clips())
    assert "tested in no fold" not in card
    protocol = json.loads((tmp_path / "reports/protocol.json").read_text())
    protocol |= {"scheme": "predefined", "clips": 1, "untested_clips": 107}
    (tmp_path / "reports/protocol.json").write_text(json.dumps(protocol))
    write_model_card(tmp_path / "card.md", read_run(tmp_path / "reports", tmp_path / "data", RUN_SETTINGS))
    assert "107 of 108 clips are tested in no fold." in (tmp_path / "card.md").read_text()


def test_licences_of_known_corpora_and_a_gap_for_ones_own(tmp_path):
    clips = make_clips(corpora=2)
    clips["corpus"] = clips["corpus"].map({"corpus0": "ravdess", "corpus1": "mine"})
    card, _ = card_of(tmp_path, clips)
    assert re.search(r"`ravdess` \|.*\| CC BY-NC-SA 4.0 \(non-commercial, share alike\) \|", card)
    assert "Weights learnt from ravdess (non-commercial, share alike) may inherit its terms." in card
    assert "Of mine no licence is known" in card and "not legal advice" in card
    assert "https://doi.org/10.1371/journal.pone.0196391" in card
    assert re.search(r"`mine` \|.*\| \*\*unknown: fill in\*\* \|", card)
    assert "only ever seen synthetic speech" not in card


def test_a_synthetic_corpus_is_not_for_people(tmp_path):
    card, _ = card_of(tmp_path, make_clips().assign(source="synthetic"))
    assert "only ever seen synthetic speech" in card
    assert "fill in** |" not in card
    assert "synthetic, made by this project |" in card and "may inherit" not in card


def test_a_licence_that_was_stated_counts_and_encoders_have_their_own(tmp_path):
    _, run = card_of(tmp_path, make_clips())
    origin = {"corpus0": {"licence": "<b>ours</b> | for\nresearch", "synthetic": False}}
    checkpoints = {"a": "lab/wav_lm", "b": "lab/wav_lm"}
    settings = run.settings | {"train_transformer": run.settings["train_transformer"] | {"checkpoints": checkpoints}}
    write_model_card(tmp_path / "card.md", run._replace(origin=origin, settings=settings))
    card = (tmp_path / "card.md").read_text()
    assert r"| \<b\>ours\</b\> \| for research |" in card and "fill in** |" not in card
    assert r"What was pretrained, lab/wav\_lm, has a licence of its own" in card
    assert_tables_are_whole(card)


def test_sounds_are_promised_where_there_are_some(tmp_path):
    card, run = card_of(tmp_path, make_clips())
    assert "holds the charts, the sounds and the mistakes." in card
    write_model_card(tmp_path / "card.md", run._replace(settings=run.settings | {"report": {"sounds": False}}))
    assert "holds the charts and the mistakes." in (tmp_path / "card.md").read_text()


def test_a_speaker_dependent_split_is_said_first(tmp_path):
    card, _ = card_of(tmp_path, make_clips(), warning="speaker-dependent split (split.scheme is random)")
    assert card.splitlines()[2].startswith("> **⚠ Speaker-dependent split")
    assert "never in training" not in card


def test_few_and_unknown_speakers(tmp_path):
    card, _ = card_of(tmp_path / "few", make_clips(speakers=4))
    assert "(no interval: too few speakers, " in card
    assert not re.search(r"\bnan\b", card)
    card, _ = card_of(tmp_path / "unknown", make_clips().assign(speaker="", sex=""))
    assert "No speaker is known" in card
    assert_tables_are_whole(card)


def test_hostile_names_do_not_break_a_table(tmp_path):
    clips = make_clips()
    clips["speaker"] = clips["speaker"].replace(clips["speaker"].iloc[0], "`x`|<b>\n# y")
    clips["corpus"] = "a|b`c"
    card, _ = card_of(tmp_path, clips)
    assert_tables_are_whole(card)
    assert not re.search(r"^# y", card, flags=re.MULTILINE)


@pytest.mark.parametrize(("text", "expected"), [("a_b", r"a\_b"), ("<i>", r"\<i\>"), ("x\n y", "x y"), (", ", ", ")])
def test_plain_text_is_taken_literally(text, expected):
    assert plain(text) == expected


def test_settings_are_those_of_the_trainer(tmp_path):
    _, run = card_of(tmp_path, make_clips())
    assert settings_of(run, "svm_rbf")["train_ml.svm_rbf.C"] == str(run.settings["train_ml"]["svm_rbf"]["C"])
    assert not any(key.startswith(("train_ml.mlp", "train_cnn")) for key in settings_of(run, "svm_rbf"))
    assert any(key.startswith("train_cnn") for key in settings_of(run, "ensemble"))


def test_a_trainer_without_a_section_of_its_own_is_no_error(tmp_path):
    _, run = card_of(tmp_path, make_clips(), models={"mine": ("train_ml", 1.0)})
    run = run._replace(trainers={"mine": "train_mine"})
    write_model_card(tmp_path / "mine.md", run)
    assert "`mine`" in (tmp_path / "mine.md").read_text()
    assert "prepare.sample_rate" in settings_of(run, "mine")


def test_the_model_to_predict_with_is_the_best_on_validation_speakers(tmp_path):
    _, run = card_of(tmp_path, make_clips())
    for model in ("svm_rbf", "ensemble"):
        write_model_card(tmp_path / "other.md", run._replace(protocol=run.protocol | {"best": model}))
        card = (tmp_path / "other.md").read_text()
        assert f"ser predict recordings/ --model data/models/{run.trainers[model]}/{model} " in card


def test_synthetic_speech_is_said_first(tmp_path):
    clips = make_clips(corpora=2)
    card, _ = card_of(tmp_path / "all", clips.assign(source="synthetic"), warning="speaker-dependent split")
    assert card.splitlines()[2].startswith("> **⚠ The model has only ever seen synthetic speech.** It knows no human")
    source = clips["source"].mask(clips["corpus"] == "corpus1", "synthetic")
    card, _ = card_of(tmp_path / "some", clips.assign(source=source))
    assert card.splitlines()[2].startswith("> **⚠ Synthetic speech in `corpus1`.**")
    card, _ = card_of(tmp_path / "none", clips)
    assert "ynthetic speech" not in card


def test_a_collapsed_model_is_marked_and_explained(tmp_path):
    card, run = card_of(tmp_path, make_clips())
    assert "collapsed" not in card
    rows = {"fold": 0, "emotion": "fear", "share": 1.0, "uar": 0.25, "reason": "it learnt <nothing>"}
    tables = run.tables | {"collapsed": pd.DataFrame([{"model": model, **rows} for model in ("ensemble", "cnn")])}
    write_model_card(tmp_path / "card.md", run._replace(tables=tables))
    card = (tmp_path / "card.md").read_text()
    assert card.splitlines()[2].startswith("> **⚠ collapsed in 1 of 1 fold.** There the model tells nothing apart")
    assert re.search(r"^\| `cnn` ⚠ collapsed in 1 of 1 fold \|", card, flags=re.MULTILINE)
    assert "- `cnn`, fold 0: `fear` for 100 % of the clips, UAR 0.250. Likely reason: it learnt \\<nothing\\>." in card
    assert_tables_are_whole(card)


def test_groups_say_how_many_emotions_they_show(tmp_path):
    clips = make_clips()
    card, _ = card_of(tmp_path / "same", clips)
    assert "| 4 of 4 |" in card and "not to be compared" not in card
    clips = clips[~((clips["sex"] == "female") & (clips["emotion"] == "fear"))].reset_index(drop=True)
    card, _ = card_of(tmp_path / "other", clips)
    assert re.search(r"^\| sex \| `female` \| 3 \| 27 \| ⚠ 3 of 4 \|", card, flags=re.MULTILINE)
    assert "⚠: a UAR over fewer emotions, not to be compared with the others." in card
    assert_tables_are_whole(card)

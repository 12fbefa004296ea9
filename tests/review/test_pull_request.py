"""What a pull request changes: differences and verdicts, tables, and hostile text on the page."""

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from scipy.stats import ttest_rel
from sklearn.metrics import recall_score

from ser.charts.difference_plot import difference_chart
from ser.errors import InputError
from ser.evaluation.comparisons import UNKNOWN
from ser.reporting.markdown import code, code_html, prose
from ser.review.pull_request import (
    Results,
    compare_models,
    compare_results,
    main_model,
    moved_classes,
    moved_rows,
    moved_speakers,
    why_not_paired,
)
from ser.review.pull_request_page import MOST_CHARACTERS, about_others, gate_line, headline, render
from ser.review.revision_changes import (
    changed_counts,
    changed_params,
    changed_rows,
    changed_stages,
    describe_data,
    outdated_params,
    same_output,
)

EMOTIONS = ["anger", "neutral", "sadness"]
SPEAKERS = [f"x:{number:02d}" for number in range(8)]
HOSTILE = [
    "a|b",
    "`rm -rf`",
    "<script>alert(1)</script>",
    "</details><h1>",
    "two\nlines\r\n# heading",
    "@everyone #1 :tada:",
    "![x](http://evil.example/x.png) [y](www.evil.example)",
    "**bold** _x_ ~~y~~ \\| $x$",
    "&lt;b&gt;",
    "\u202egnp.exe\u200b\x00",
    "",
    "x" * 500,
]


@pytest.fixture(scope="module")
def clips() -> pd.DataFrame:
    rows = [(f"{s}/{e}/{n}", s) for s in SPEAKERS for e in EMOTIONS for n in range(4)]
    return pd.DataFrame(rows, columns=["clip", "speaker"])


def predictions(clips: pd.DataFrame, right: dict[str, int], sure: float = 0.8) -> pd.DataFrame:
    """Predict `right` of each speaker's four clips an emotion correctly, the rest as another emotion."""
    rows = []
    for clip, speaker in clips.itertuples(index=False):
        emotion, number = clip.split("/")[1:]
        correct = int(number) < right[speaker]
        said = emotion if correct else EMOTIONS[(EMOTIONS.index(emotion) + 1) % len(EMOTIONS)]
        probability = [sure if name == said else (1 - sure) / 2 for name in EMOTIONS]
        rows.append((clip, SPEAKERS.index(speaker) % 2, "test", emotion, *probability))
    validation = (clips["clip"].iloc[0], 1, "validation", EMOTIONS[0], 0.0, 1.0, 0.0)  # never counts
    return pd.DataFrame([*rows, validation], columns=["clip", "fold", "part", "emotion", *(f"p_{e}" for e in EMOTIONS)])


def rights(*counts: int) -> dict[str, int]:
    return dict(zip(SPEAKERS, counts, strict=True))


def uar_of(table: pd.DataFrame) -> float:
    rows = table[table["part"] == "test"]
    return recall_score(rows["emotion"], rows.filter(like="p_").idxmax(axis=1).str.removeprefix("p_"), average="macro")


OLD = rights(2, 2, 2, 2, 1, 3, 2, 2)
CASES = {
    "better": rights(3, 3, 4, 3, 3, 4, 3, 4),
    "worse": rights(1, 1, 0, 1, 0, 1, 1, 1),
    "noisy": rights(3, 1, 2, 2, 2, 2, 3, 2),
    "same": OLD,
}
MODELS = ["better", "noisy", "same", "worse"]


@pytest.fixture(scope="module")
def tables(clips) -> tuple[dict, dict]:
    old = {model: predictions(clips, OLD) for model in CASES}
    return old, {model: predictions(clips, right, sure=0.7) for model, right in CASES.items()}


@pytest.fixture(scope="module")
def models(tables, clips) -> pd.DataFrame:
    return compare_models(*tables, clips, "none of them", confidence=0.95).set_index("model")


@pytest.mark.parametrize("model", ["better", "noisy", "worse"])
def test_differences_are_those_of_a_paired_t_test_over_speakers(models, tables, model):
    """All speakers have equally many clips, in two folds: then nothing else is due."""
    row = models.loc[model]
    assert row["difference"] == pytest.approx(uar_of(tables[1][model]) - uar_of(tables[0][model]))
    sides = [np.array(list(right.values())) / 4 for right in (CASES[model], OLD)]
    expected = ttest_rel(*sides)
    interval = expected.confidence_interval(0.95)
    assert row["p"] == pytest.approx(expected.pvalue)
    assert [row["low"], row["high"]] == pytest.approx([interval.low, interval.high])


def test_verdicts_follow_p_corrected_for_the_models_that_changed(models):
    assert list(models.index) == MODELS
    assert models["verdict"].to_dict() == {
        "better": "better",
        "noisy": "no evidence",
        "same": "unchanged",
        "worse": "worse",
    }
    smallest, middle, largest = sorted(models.loc[["better", "noisy", "worse"], "p"])
    assert sorted(models["p_adjusted"].dropna()) == pytest.approx(
        [3 * smallest, max(3 * smallest, 2 * middle), largest]
    )
    assert models.loc["same", ["low", "high", "p", "p_adjusted"]].isna().all()
    assert models.loc["same", "difference"] == 0


def test_the_model_asked_about_stands_alone_and_others_are_corrected(tables, clips):
    """Of ten models that changed one has p = 0.02."""
    right = rights(3, 3, 2, 3, 2, 3, 3, 2)
    old = {name: tables[0]["same"] for name in "abcdefghij"}
    new = {name: predictions(clips, CASES["noisy"]) for name in "bcdefghij"} | {"a": predictions(clips, right)}
    asked, other = (compare_models(old, new, clips, main, confidence=0.95).set_index("model") for main in "ab")
    assert 0.01 < asked.loc["a", "p"] < 0.05
    assert asked.loc["a", "p_adjusted"] == asked.loc["a", "p"]
    assert asked.loc["a", "verdict"] == "better"
    assert other.loc["a", "p_adjusted"] == pytest.approx(9 * other.loc["a", "p"])
    assert other.loc["a", "verdict"] == "no evidence"
    assert other.loc["a", "low"] > 0
    for table in (asked, other):  # so headline and gate agree
        row = table.loc["b" if table is other else "a"]
        assert (row["verdict"] in ("better", "worse")) is bool(row["low"] > 0 or row["high"] < 0)


def results(tables: dict, clips, problem: str = "") -> Results:
    metrics = {model: {"uar": round(uar_of(table), 4)} for model, table in tables.items()}
    return Results(metrics, {} if problem else tables, None if problem else clips, problem)


def test_models_of_one_revision_are_added_or_removed(tables, clips):
    old = results({name: tables[0][name] for name in ("better", "same")}, clips)
    new = results({name: tables[1][name] for name in ("better", "worse")}, clips)
    found, problem = compare_results(old, new, "better", same=False, confidence=0.95)
    assert problem == ""
    assert list(found["model"]) == ["better", "worse", "same"]
    found, _ = compare_results(old, new, "same", same=False, confidence=0.95)
    assert list(found["model"]) == ["same", "better", "worse"]  # the one asked about, then the best of now
    found, _ = compare_results(old, new, "better", same=False, confidence=0.95)
    assert list(found["verdict"]) == ["better", "added", "removed"]
    assert found["old"].isna().tolist() == [False, True, False]
    assert found.loc[0, "difference"] == pytest.approx(found.loc[0, "new"] - found.loc[0, "old"], abs=1e-4)


def test_without_predictions_there_are_scores_and_the_reason(tables, clips):
    old, new = results(tables[0], clips, "none of a"), results(tables[1], clips, "none of b")
    found, problem = compare_results(old, new, "better", same=False, confidence=0.95)
    assert problem == "none of a; none of b"
    assert set(found["verdict"]) == {"cannot be told"}
    assert found[["low", "high", "p", "p_adjusted"]].isna().all(axis=None)
    assert found.set_index("model").loc["worse", "difference"] == pytest.approx(
        uar_of(tables[1]["worse"]) - uar_of(tables[0]["worse"]), abs=2e-4
    )


def test_the_same_predictions_need_not_be_there(tables, clips):
    side = results(tables[0], clips, "no cache")._replace(missing=True)
    found, problem = compare_results(side, side, "better", same=True, confidence=0.95)
    assert problem == ""
    assert set(found["verdict"]) == {"unchanged"}
    _, problem = compare_results(side, results(tables[1], clips, ""), "better", same=True, confidence=0.95)
    assert problem == "no cache"  # other scores of the same predictions: something is wrong
    _, problem = compare_results(side._replace(missing=False), side, "better", same=True, confidence=0.95)
    assert "no cache" in problem  # they are there, and contradict the scores


def test_a_base_without_scores_makes_all_models_new(tables, clips):
    found, problem = compare_results(
        Results({}, {}, None, "none"), results(tables[1], clips), "better", same=False, confidence=0.95
    )
    assert problem == ""
    assert set(found["verdict"]) == {"added"}


def test_results_of_another_normalisation_are_never_compared(tables, clips):
    old, new = (results(table, clips) for table in tables)
    arguments = {"same": False, "confidence": 0.95}
    found, problem = compare_results(
        old._replace(normalization="train"), new._replace(normalization="speaker"), "better", **arguments
    )
    assert problem.startswith("the old scores are normalised by train, the new ones by speaker")
    assert set(found["verdict"]) == {"cannot be told"}
    assert found["low"].isna().all()
    for pair in (("speaker", "speaker"), ("", "train")):
        sides = [side._replace(normalization=name) for side, name in zip((old, new), pair, strict=True)]
        assert compare_results(*sides, "better", **arguments)[1] == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: table.assign(fold=1 - table["fold"]), "other folds"),
        (lambda table: table.iloc[4:], "other clips"),
        (lambda table: table.assign(emotion="anger"), "another true emotion"),
        (lambda table: table.rename(columns={"p_anger": "p_boredom"}), "other emotions"),
    ],
)
def test_other_test_rows_are_not_compared(tables, clips, change, reason):
    assert why_not_paired(tables[0], tables[1], clips) == ""
    shuffled = {"same": tables[1]["same"].sample(frac=1, random_state=1)}
    assert why_not_paired(tables[0], shuffled, clips) == ""
    assert reason in why_not_paired(tables[0], {"same": change(tables[1]["same"])}, clips)


def test_too_few_or_unknown_speakers_have_no_interval(tables, clips):
    few = clips.assign(speaker=clips["speaker"].map(lambda name: "x:00" if name < "x:06" else name))
    assert "too few" in why_not_paired(*tables, few)
    assert "unknown" in why_not_paired(*tables, clips.assign(speaker=clips["speaker"].replace("x:03", "")))


def test_what_moved_most(tables, clips):
    old, new = tables[0]["noisy"], tables[1]["noisy"]
    speakers = moved_speakers(old, new, clips, clips)
    assert speakers["name"].tolist() == ["x:00", "x:01", "x:04", "x:05", "x:06"]
    assert speakers["difference"].tolist() == [0.25, -0.25, 0.25, -0.25, 0.25]
    assert speakers["clips"].tolist() == [12] * 5
    classes = moved_classes(old, tables[1]["better"])
    assert sorted(classes["name"]) == EMOTIONS
    assert classes["new"].tolist() == pytest.approx([27 / 32] * 3)
    assert classes["old"].tolist() == pytest.approx([16 / 32] * 3)


def test_what_moved_most_by_the_reports_tables():
    columns = ["model", "emotion", "sensitivity", "clips"]
    old = pd.DataFrame([("a", "anger", 0.5, 9), ("a", "fear", 0.5, 9), ("b", "anger", 0.1, 9)], columns=columns)
    new = pd.DataFrame([("a", "anger", 0.4, 9), ("a", "fear", 0.9, 9), ("b", "anger", 0.9, 9)], columns=columns)
    found = moved_rows(old, new, {"model": "a"}, name="emotion", score="sensitivity")
    assert found.to_numpy().tolist() == [["fear", 9, 0.5, 0.9, 0.4], ["anger", 9, 0.5, 0.4, -0.1]]
    assert moved_rows(None, new, {"model": "a"}, name="emotion", score="sensitivity").empty
    assert moved_rows(old.drop(columns="clips"), new, {"model": "a"}, name="emotion", score="sensitivity").empty


def test_changed_params():
    old = {"a": {"x": 1, "y": None, "z": [1, 2], "gone": True}, "b": "1", "c": {}}
    new = {"a": {"x": 1.5, "y": None, "z": [1, 3]}, "b": 1, "c": {"new": "yes"}}
    found = changed_params(old, new).set_index("parameter")
    assert found.loc[["a.x", "a.z"]].to_numpy().tolist() == [["1", "1.5"], ["[1, 2]", "[1, 3]"]]
    assert found.loc["a.gone", "old"] == "true"
    assert pd.isna(found.loc["a.gone", "new"])
    assert found.loc["c.new", "new"] == "yes"
    assert "a.y" not in found.index
    assert changed_params(new, new).empty


def test_changed_data():
    old = pd.DataFrame([("x", "anger", "f", 2), ("x", "anger", "m", 2), ("x", "fear", "m", 1)])
    new = pd.DataFrame([("x", "anger", "f", 3), ("x", "anger", "m", 1), ("y", "fear", "m", 4)])
    for table in (old, new):
        table.columns = ["corpus", "emotion", "sex", "clips"]
    assert changed_counts(old, new).to_numpy().tolist() == [["x", "fear", 1, 0], ["y", "fear", 0, 4]]
    assert changed_counts(None, new)["old"].tolist() == [0, 0]
    added, removed = changed_rows(old.iloc[:2], old.iloc[1:])
    assert (added["emotion"].tolist(), removed["sex"].tolist()) == (["fear"], ["f"])
    assert [len(rows) for rows in changed_rows(None, old)] == [3, 0]


def test_data_are_compared_by_their_locks():
    def lock(raw, folds, predictions="p"):
        deps = [{"path": "data/raw", "md5": raw}, {"path": "stages/prepare.py", "md5": "1"}]
        outs = [{"path": "data/folds.csv", "md5": folds}, {"path": "data/folds.csv.old", "md5": folds}]
        outs.append({"path": "data/predictions/train_ml", "md5": predictions})
        return {"stages": {"prepare": {"deps": deps}, "split": {"outs": outs}}}

    assert describe_data(lock("1", "2"), lock("1", "3")) == (
        "Raw data the same, prepared clips unknown, folds changed, features unknown."
    )
    assert describe_data(lock("1", "2"), lock("2", "2")).startswith("Raw data changed")
    assert describe_data({}, lock("1", "2")).startswith("Raw data unknown")
    assert same_output(lock("1", "2"), lock("2", "3"), "data/predictions") is True
    assert same_output(lock("1", "2"), lock("1", "2", "q"), "data/predictions") is False
    assert changed_stages(lock("1", "2"), lock("1", "3")) == ["split"]
    assert changed_stages({}, lock("1", "3")) == ["prepare", "split"]


def shown(markdown: str) -> str:
    """Return the visible text of Markdown, as a browser would show it; fails if there is anything but text and code."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(f"a {markdown} b")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    kinds = {token.type for token in tokens[1].children}
    assert kinds <= {"text", "code_inline", "html_inline", "text_special"}, kinds
    tags = {token.content for token in tokens[1].children if token.type == "html_inline"}
    assert tags <= {"<code>", "</code>"}
    return "".join(token.content for token in tokens[1].children if token.type != "html_inline")[2:-2]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(text):
    visible = shown(code(text))
    plain = "".join(character for character in " ".join(text.split()) if character.isprintable())
    assert visible == (plain if len(plain) <= 80 else f"{plain[:79]}…") or (text == "" and not visible.strip())
    assert "|" not in code(text)
    assert not set("<>`|\n") & set(code_html(text).removeprefix("<code>").removesuffix("</code>"))
    assert "@" not in prose(text)
    shown(prose(text))


def test_names_stay_readable_in_the_source():
    assert code("svm_rbf") == "`svm_rbf`"
    assert code("demo:s01") == "`demo:s01`"
    assert prose("run `dvc repro`, then `x`") == "run `dvc repro`, then `x`"


def page(models: pd.DataFrame, **changes) -> str:
    nothing = pd.DataFrame()
    content = {
        "problem": "",
        "old_metrics": {},
        "new_metrics": {},
        "base_name": "main",
        "base": "1234567",
        "head": "7654321",
        "behind": 0,
        "lucky": False,
        "collapsed": [],
        "outdated": [],
        "uncommitted": False,
        "commits": pd.DataFrame(columns=["commit", "subject"]),
        "params": changed_params({}, {}),
        "stages": [],
        "data": "",
        "counts": nothing,
        "files": [],
        "moves": [],
        "chart": "",
        "pictures": [],
    }
    return render(models=models, main=models["model"].iloc[0], confidence=0.95, **(content | changes))


@pytest.fixture(scope="module")
def metrics_table(tables, clips) -> pd.DataFrame:
    return compare_results(results(tables[0], clips), results(tables[1], clips), "better", same=False, confidence=0.95)[
        0
    ]


def test_headlines(metrics_table):
    def line(model, table=metrics_table):
        return headline(table, model, confidence=0.95, plain=True)

    row = metrics_table.set_index("model").loc["better"]
    interval = f"(95 % interval +{row['low']:.3f} to +{row['high']:.3f})"
    assert line("better") == f"Better: better gains 0.344 UAR, 0.500 → 0.844 {interval}"
    assert line("worse").startswith("Worse: worse loses 0.312 UAR, 0.500 → 0.188 (95 % interval −")
    found = metrics_table["model"].isin(["noisy", "same"])
    quiet = metrics_table[found]
    assert line("noisy", quiet).startswith("No evidence of a change: UAR of noisy 0.500 → 0.531, +0.031 (95 % interval")
    assert line("same", quiet).startswith("No change of same")
    assert line("same", metrics_table).startswith(f"{line('worse')}; no change of same")  # what others lost comes first
    assert line("same", metrics_table.query("model != 'worse'")).startswith(line("better"))
    assert line("same", metrics_table.assign(verdict="unchanged")).startswith("No change: every model")
    assert about_others(metrics_table, "noisy") == (
        "Other models: **1 better** (`better`), **1 worse** (`worse`), 1 unchanged."
    )


def test_params_that_results_are_not_of():
    lock = {
        "stages": {"train": {"params": {"params.yaml": {"train": {"seed": 1}, "raw.path": "data/raw"}}}, "fuse": {}}
    }
    params = {"train": {"seed": 1}, "raw": {"path": "data/raw"}, "compute": {"workers": 3}}
    assert outdated_params(lock, params) == []
    assert outdated_params(lock, params | {"train": {"seed": 2}}) == ["train"]
    assert outdated_params(lock, params | {"raw": {}}) == ["raw.path"]
    assert outdated_params({}, params) == []


def test_main_model():
    old = {"a": {"uar": 0.5}, "b": {"uar": 0.6}, "gone": {"uar": 0.9}}
    new = {"a": {"uar": 0.7}, "b": {"uar": 0.1}, "c": {"uar": 0.8}}
    assert main_model(old, new) == "b"  # not what the new scores make look best
    assert main_model(old, new | {"ensemble": {"uar": 0.2}}) == "ensemble"
    assert main_model(old, new, "gone") == "gone"
    assert main_model({}, new) == "c"
    with pytest.raises(InputError, match="one of a, b, c, gone"):
        main_model(old, new, "wrose")
    with pytest.raises(InputError, match="no scores"):
        main_model(old, {})


def test_gate_lines(metrics_table):
    rows = metrics_table.set_index("model")
    assert gate_line(rows.loc["worse"], "main", confidence=0.95).startswith("failed: UAR of worse 0.500 → 0.188 is wor")
    assert gate_line(rows.loc["noisy"], "main", confidence=0.95).startswith("passed: ")
    with pytest.raises(InputError, match="only this branch has noisy"):
        gate_line(rows.assign(verdict="added").loc["noisy"], "main", confidence=0.95)


def test_the_page_has_a_row_a_model_and_the_p_that_verdicts_follow(metrics_table):
    tokens = MarkdownIt("commonmark").enable("table").parse(page(metrics_table))
    cells = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type in ("td_open", "th_open")]
    assert cells[:7] == ["model", "UAR old", "new", "change", "95 % interval", "p", "verdict"]
    for number, row in enumerate(metrics_table.itertuples(), start=1):
        found = cells[7 * number : 7 * number + 7]
        assert [found[0].strip("*`"), found[6].strip("*")] == [row.model, row.verdict]
        expected = {"better": "< 0.001", "worse": "< 0.001", "unchanged": "–"}.get(row.verdict, f"{row.p_adjusted:.3f}")
        assert found[5] == expected


def test_a_problem_stands_above_the_scores(metrics_table):
    unknown = dict.fromkeys(["low", "high", "p", "p_adjusted"], np.nan)
    text = page(metrics_table.assign(verdict="cannot be told", **unknown), problem="DVC has none: run `dvc repro`")
    assert text.index("## Cannot be told") < text.index("DVC has none: run `dvc repro`") < text.index("| model |")
    assert "Holm 1979" not in text


def test_hostile_text_stays_in_its_place_on_the_page(metrics_table):
    names = pd.Series(HOSTILE)
    table = pd.DataFrame({"name": names, "clips": 1, "old": 0.1, "new": 0.2, "difference": 0.1})
    text = page(
        metrics_table.replace({"model": {"better": "<img src=x onerror=alert(1)>|`"}}),
        commits=pd.DataFrame({"commit": "1234567", "subject": names}),
        params=pd.DataFrame({"parameter": names, "old": names, "new": names}),
        stages=HOSTILE,
        problem="; ".join(HOSTILE),
        counts=pd.DataFrame({"corpus": names, "emotion": names, "old": 1, "new": 2}),
        files=[("quarantine", pd.DataFrame({"file": names, "reason": names}), pd.DataFrame())],
        moves=[("m", table, table), (HOSTILE[2], table, table)],
    )
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(text)
    kinds = {child.type for token in tokens if token.type == "inline" for child in token.children}
    assert kinds <= {"text", "code_inline", "html_inline", "strong_open", "strong_close", "softbreak"}
    inside = {child.content for token in tokens for child in token.children or [] if child.type == "html_inline"}
    assert inside <= {"<code>", "</code>", "<sub>", "</sub>"}
    blocks = "".join(token.content for token in tokens if token.type == "html_block")
    assert "<script" not in text and "<img" not in text and "@" not in blocks
    assert text.count("<details>") == text.count("</details>") == 4
    rows = sum(token.type == "tr_open" for token in tokens)
    tables = sum(token.type == "table_open" for token in tokens)
    assert rows - tables == len(metrics_table) * 2 + 2 * len(names) + 2 * 2 * 5


def test_the_page_always_fits_into_a_comment(metrics_table):
    count, worst = 5000, "|" * 500
    many = pd.concat([metrics_table] * 50, ignore_index=True)
    many["model"] = [f"{number}{worst}" for number in range(len(many))]
    table = pd.DataFrame({"name": [worst] * 60, "clips": 1, "old": 0.1, "new": 0.2, "difference": 0.1})
    text = page(
        many,
        commits=pd.DataFrame({"commit": ["1234567"] * count, "subject": worst}),
        params=pd.DataFrame({"parameter": [worst] * count, "old": worst, "new": worst}),
        stages=[worst] * count,
        collapsed=[(worst, 1, worst)] * count,
        problem=worst,
        counts=pd.DataFrame({"corpus": [worst] * count, "emotion": worst, "old": 1, "new": 2}),
        files=[("quarantine", pd.DataFrame({"file": [worst] * count, "reason": worst}), pd.DataFrame())],
        moves=[(worst, table, table)] * 4,
        pictures=[(worst, "https://example.org/" + "x" * 150, "y" * 150)] * count,
    )
    assert len(text) <= MOST_CHARACTERS
    assert "and 4998 more" in text or "and 4995 more" in text


def test_the_chart_is_a_picture_of_any_model_names(metrics_table, tmp_path):
    table = metrics_table.replace({"model": {"better": "$a_{b"}})
    difference_chart(table, tmp_path / "x.png", confidence=0.95)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_other_emotions_have_no_difference(tables, clips):
    """Without the hardest emotion every model would seem to have gained."""
    easy = {model: table[table["emotion"] != "sadness"] for model, table in tables[0].items()}
    kept = clips[~clips["clip"].str.contains("sadness")]
    metrics = [dict.fromkeys(easy, {"uar": uar}) for uar in (0.5, 0.7)]
    sides = [Results(*args, "") for args in zip(metrics, (tables[0], easy), (clips, kept), strict=True)]
    models, problem = compare_results(*sides, "same", same=False, confidence=0.95)
    assert "other clips" in problem
    assert models["difference"].isna().all()
    assert set(models["verdict"]) == {UNKNOWN}
    assert headline(models, "same", confidence=0.95).startswith("Cannot be told")


def test_speakers_are_compared_over_the_same_emotions_only(tables, clips):
    old, new = tables[0]["noisy"], tables[1]["noisy"]
    less = new[~((new["clip"].str.startswith("x:00")) & (new["emotion"] == "sadness"))]
    assert moved_speakers(old, less, clips, clips)["name"].tolist() == ["x:01", "x:04", "x:05", "x:06"]
    columns = ["model", "group", "value", "clips", "emotions", "uar"]
    rows = [pd.DataFrame([("a", "speaker", "s", 9, n, n / 10), ("a", "speaker", "t", 9, 3, n / 10)], columns=columns)
            for n in (3, 4)]  # fmt: skip
    found = moved_rows(*rows, {"model": "a", "group": "speaker"}, name="value", score="uar")
    assert found["name"].tolist() == ["t"]


def test_classes_of_revisions_that_tell_other_emotions_apart(tables):
    old, new = tables[0]["noisy"], tables[1]["better"]
    more = old.assign(p_awe=0.0)[[*old.columns[:5], "p_awe", *old.columns[5:]]]
    assert moved_classes(more, new).equals(moved_classes(old, new))


def test_a_model_that_collapsed_is_a_warning(metrics_table):
    assert "ollapsed" not in page(metrics_table)
    text = page(metrics_table, collapsed=[("better", 2, "anger")])
    assert "> Collapsed, and not so before: `better` in fold 2 (it says `anger` for nearly every clip)." in text

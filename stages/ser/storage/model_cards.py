"""The card that lies in a model's folder: what it is, what it learnt from and under which licences, for a person.

The card of a whole run, with its protocol and all scores, is that of `ser.reporting.model_card`.
"""

from pathlib import Path

from ser.storage.whole_files import written

CARD = "model_card.md"


def write_card(description: dict, folder: Path) -> None:
    """Write the card of a model, from what its ``model.json`` says."""
    learnt, scores = description["learnt_from"], description["scores"]
    which = f", the model of {description['fold']}" if description["fold"] else ""
    lines = [
        f"# Model card: `{description['model']}`{which}",
        "",
        f"Says of a recording of one person speaking how probable each of {len(description['classes'])} emotions is: "
        f"{', '.join(description['classes'])}. It judges how a clip sounds, not what anybody feels.",
        "",
    ]
    if all(corpus["synthetic"] for corpus in learnt["corpora"].values()):
        lines += ["> It has only ever heard synthetic speech: what it says of people means nothing.", ""]
    if description["normalization"] == "speaker":
        lines += ["It wants several clips of each speaker: it normalises the voice of each by itself.", ""]
    lines += [
        "## What it learnt from",
        "",
        f"{learnt['clips']:,} clips of {learnt['speakers'] or 'unknown'} speakers.",
        "",
        "| corpus | clips | speakers | languages | licence |",
        "| --- | ---: | ---: | --- | --- |",
        *(_line(name, corpus) for name, corpus in learnt["corpora"].items()),
        "",
        "The weights are bound by the licences of these corpora.",
        "",
        "## How good it is",
        "",
        "Unweighted average recall (UAR, the mean of the recalls of the emotions) "
        + ("of this model" if description["fold"] else "of the models of the folds, made the same way")
        + f": {scores.get('test_uar', 0.0):.3f} on test clips"
        + (f", {scores['validation_uar']:.3f} on those of validation speakers" if "validation_uar" in scores else "")
        + f"; guessing reaches {1 / len(description['classes']):.3f}. Protocol and intervals are in the report of the "
        "run. Speech of other people, languages, rooms and microphones may fare far worse.",
        "",
        "## What it must not be used for",
        "",
        "Deciding anything about a person; listening to people who do not know of it or have not agreed; detecting "
        "lies, illness or intent. In the European Union, inferring emotions of people at work or in education is "
        "prohibited but for medical or safety reasons (Regulation (EU) 2024/1689, Article 5(1)(f)), and people must be "
        "told where such a system is used elsewhere (Article 50(3)). This is a pointer, not legal advice.",
    ]
    with written(folder / CARD) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _line(name: str, corpus: dict) -> str:
    made = "made by this project" if corpus["synthetic"] else "unknown: fill in"
    languages = ", ".join(corpus["languages"]) or "unknown"
    cells = (name, f"{corpus['clips']:,}", corpus["speakers"] or "unknown", languages, corpus["licence"] or made)
    return "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + " |"

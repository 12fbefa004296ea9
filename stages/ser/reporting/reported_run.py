"""A run as its reports see it: the tables of `reports/`, the predictions and the clips, read once."""

import json
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ser.audit.cue_words import leaking_level
from ser.demo.synthetic_speech import SYNTHETIC
from ser.errors import InputError
from ser.evaluation.model_scores import CHANCE, MAJORITY
from ser.reporting.provenance import Digests, digest_inputs
from ser.storage.clip_tables import read_audio_settings, read_clips
from ser.storage.model_cards import inherited_terms, terms_of_encoders
from ser.storage.prediction_tables import FUSE, TRAINERS, read_predictions, scored_rows, table_paths

TABLES = (
    "scores",
    "collapsed",
    "per_class",
    "groups",
    "gaps",
    "differences",
    "calibration",
    "reliability",
    "coverage",
    "roc",
    "precision_recall",
    "importance",
    "training",
)
AUDIT_TABLES = ("counts", "cues", "findings", "quarantine")
WORDS = {  # columns that are never numbers, whatever they look like: a speaker may be called 007 or nan
    "model", "score", "emotion", "group", "first", "second", "verdict", "worst_speaker", "best_speaker", "actual",
    "predicted", "probabilities", "corpus", "sex", "speaker", "cue", "file", "finding", "detail", "done", "reason",
    "clip", "feature",
}  # fmt: skip
PSEUDO_MODELS = (CHANCE, MAJORITY)
FUNCTIONALS = ("train_ml", "train_residual_keras")  # the trainers that read them


class Run(NamedTuple):
    """All that the report and the model card tell.

    Attributes
    ----------
    protocol : dict
        ``protocol.json``.
    models : list of str
        The highest UAR first.
    trainers : dict of str to str
        By model; the folder of its predictions.
    tables : dict of str to pd.DataFrame
        `TABLES` and `AUDIT_TABLES`, by name.
    audit : dict
        ``data/audit.json``.
    predictions : dict of str to pd.DataFrame
        The test rows of each model.
    clips : pd.DataFrame
        ``data/prepared/clips.csv``, in the order of the audio.
    inputs : Digests
        Of what was scored.
    sample_rate : int
        Hz.
    settings : dict of str to dict
        The sections of params.yaml that made the run.
    validation : dict of str to float
        UAR on validation speakers by model.
    origin : dict of str to dict
        ``licence`` (empty where it is not known) and ``synthetic`` of each corpus.
    """

    protocol: dict
    models: list[str]
    trainers: dict[str, str]
    tables: dict[str, pd.DataFrame]
    audit: dict
    predictions: dict[str, pd.DataFrame]
    clips: pd.DataFrame
    inputs: Digests
    sample_rate: int
    settings: dict[str, dict]
    validation: dict[str, float]
    origin: dict[str, dict]

    @property
    def best(self) -> str:
        """The model with the highest UAR on validation speakers; see `ser.evaluation.model_scores.best_model`."""
        return self.protocol["best"]


def read_run(reports: Path, data: Path, settings: dict[str, dict]) -> Run:
    """Read what the evaluation and the audit wrote, the predictions and the clips.

    Raises
    ------
    InputError
        If a file is missing, or the best model of the tables has no predictions.
    """
    tables = {name: read_table(reports / f"{name}.csv") for name in TABLES}
    tables |= {name: read_table(reports / "data" / f"{name}.csv") for name in AUDIT_TABLES}
    protocol = read_json(reports / "protocol.json")
    predictions = read_predictions(data / "predictions", [*TRAINERS, FUSE])
    clips = read_clips(data / "prepared" / "clips.csv")
    sample_rate = read_audio_settings(data / "prepared" / "audio.json")["sample_rate"]
    any_model = next(iter(predictions.values()))
    ranked = tables["scores"]["model"].unique()
    models = [model for model in ranked if model not in PSEUDO_MODELS]
    if sorted(models) != sorted(predictions):
        raise InputError(
            f"{reports / 'scores.csv'} has the models {', '.join(sorted(models))}, {data / 'predictions'} has "
            f"{', '.join(predictions)}: run `dvc repro evaluate`"
        )
    return Run(
        protocol=protocol,
        models=models,
        trainers={path.stem: path.parent.name for path in table_paths(data / "predictions", [*TRAINERS, FUSE])},
        tables=tables,
        audit=read_json(reports / "data" / "audit.json"),
        predictions={model: scored_rows(table).reset_index(drop=True) for model, table in predictions.items()},
        clips=clips,
        inputs=digest_inputs(clips, data / "prepared" / "audio", sample_rate, any_model),
        sample_rate=sample_rate,
        settings=settings,
        validation=read_json(reports / "validation.json")["validation"],
        origin=read_json(data / "prepared" / "origin.json")["corpora"],
    )


def read_table(path: Path) -> pd.DataFrame:
    """Read a table: `WORDS` as they are, all other columns as numbers where an empty cell is NaN."""
    _require(path)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is not a table ({error}): delete it and run `dvc repro`") from None
    words = WORDS | ({"value"} if "group" in table.columns else set())  # of groups.csv; elsewhere it is a number
    numbers = [column for column in table.columns if column not in words]
    return table.assign(**{column: pd.to_numeric(table[column], errors="coerce") for column in numbers})


def read_json(path: Path) -> dict:
    """Read a JSON file."""
    _require(path)
    return json.loads(path.read_text(encoding="utf-8"))


def flat_settings(settings: dict, prefix: str = "") -> dict[str, object]:
    """Return nested settings by their dotted keys, as ``-S`` of ``dvc exp run`` takes them."""
    flat = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        flat |= flat_settings(value, name + ".") if isinstance(value, dict) and value else {name: value}
    return flat


def score_of(run: Run, model: str, score: str = "uar") -> dict[str, float]:
    """Return ``value, low, high`` of a score; NaN where there is none."""
    scores = run.tables["scores"]
    rows = scores[(scores["model"] == model) & (scores["score"] == score)]
    return rows[["value", "low", "high"]].iloc[0].to_dict() if len(rows) else dict.fromkeys(("value", "low", "high"))


def collapse_mark(run: Run, model: str) -> str:
    """Return in how many folds a model collapsed, as a mark beside its name; an empty text if it did in none."""
    count, folds = int((run.tables["collapsed"]["model"] == model).sum()), run.protocol["folds"]
    return f"⚠ collapsed in {count} of {folds} fold{'s' * (folds != 1)}" if count else ""


def synthetic_corpora(run: Run) -> list[str]:
    """Return the corpora of which clips are synthetic speech."""
    return sorted(run.clips.loc[run.clips["source"] == SYNTHETIC, "corpus"].unique())


def terms_of_weights(run: Run) -> list[str]:
    """Say what may bind the weights of the models: licences of corpora and of pretrained encoders."""
    checkpoints = run.settings["train_transformer"]["checkpoints"]
    return [*inherited_terms(run.origin), *terms_of_encoders(sorted(set(checkpoints.values())))]


def level_warning(run: Run) -> str:
    """Say that models read the recorded level where it alone gives the emotions away; empty if not so."""
    readers = [model for model in run.models if run.trainers[model] in FUNCTIONALS]
    read = "level" in run.settings["extract"]["functionals"]["groups"] and run.protocol["scheme"] != "cross_corpus"
    leak = leaking_level(run.tables["cues"])
    return f"the recorded level is read by {', '.join(readers)}, and {leak}" if readers and read and leak else ""


def kept_epochs(run: Run) -> dict[str, list[str]]:
    """Return the models with learning curves that keep their ``best`` epoch, and those that keep the ``last``."""
    kept: dict[str, list[str]] = {"best": [], "last": []}
    trained = set(run.tables["training"]["model"])
    for model in [model for model in run.models if model in trained]:
        section = run.settings.get(run.trainers[model], {})
        # of several models with sections of their own: a classical one by its name, an encoder by its mode
        own = next(
            (value for key, value in section.items() if f"_{model}".endswith(f"_{key}") and key != "models"), None
        )
        settings = own if isinstance(own, dict) else section
        if "patience" in settings:
            kept["last" if settings["patience"] is None else "best"].append(model)
    return kept


def _require(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path} not found: run `dvc repro`, or `git restore {path}` if it has been deleted")

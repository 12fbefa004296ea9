"""The whole of ``params.yaml``: every section, and what sections ask of each other."""

from pathlib import Path
from typing import get_args

from pydantic import model_validator

from ser.settings.augment_section import Augment
from ser.settings.compute_section import Compute
from ser.settings.extract_section import Extract
from ser.settings.network_sections import TrainCnn, TrainLstm, TrainResidualKeras, TrainTransformer
from ser.settings.params_file import Section, read_params, validated
from ser.settings.prepare_sections import Demo, Prepare, Raw
from ser.settings.report_section import Report
from ser.settings.score_sections import Evaluate, Fuse
from ser.settings.split_section import Split
from ser.settings.tool_sections import Collect, Tune
from ser.settings.train_ml_section import Classifier, TrainMl
from ser.settings.train_section import Train

NETWORKS = {"train_lstm": "lstm", "train_residual_keras": "residual", "train_cnn": "cnn"}  # trainer: its model
TRANSFORMER = "train_transformer"
DEFAULTS = Path(__file__).with_suffix(".yaml")


class Params(Section):
    """The whole file; each attribute is the section of the same name."""

    raw: Raw
    prepare: Prepare
    demo: Demo
    split: Split
    augment: Augment
    extract: Extract
    train: Train
    train_ml: TrainMl
    train_lstm: TrainLstm
    train_residual_keras: TrainResidualKeras
    train_cnn: TrainCnn
    train_transformer: TrainTransformer
    fuse: Fuse
    evaluate: Evaluate
    report: Report
    tune: Tune
    compute: Compute
    collect: Collect

    @model_validator(mode="after")
    def _check(self):
        extract, rate = self.extract, self.prepare.sample_rate
        transformer = self.train_transformer
        if self.train.normalization == "speaker" and transformer.checkpoints and "fine_tuned" in transformer.modes:
            raise ValueError(
                "train_transformer.modes has fine_tuned; allowed with train.normalization speaker is frozen alone: "
                "what is fine-tuned reads samples, which have no statistics of a speaker"
            )
        if self.augment.telephone_hz[1] >= rate / 2:
            raise ValueError(
                f"augment.telephone_hz is {self.augment.telephone_hz}; allowed are edges below sample_rate / 2, "
                f"{rate / 2:g}"
            )
        if extract.n_fft < rate / 100:  # the bands from 500 to 650 Hz and from 650 to 1000 Hz need a bin each
            raise ValueError(f"extract.n_fft is {extract.n_fft}; allowed is at least sample_rate / 100, {rate / 100:g}")
        if extract.hop_length > extract.n_fft:
            raise ValueError(f"extract.hop_length is {extract.hop_length}; allowed is at most n_fft, {extract.n_fft}")
        for key, most in (("functionals", extract.functionals.n_mels - 1), ("frames", extract.frames.n_mels)):
            n_mfcc = getattr(extract, key).n_mfcc  # that of the functionals does not count the 0th
            if n_mfcc > most:
                raise ValueError(f"extract.{key}.n_mfcc is {n_mfcc}; allowed is at most {most}, for its n_mels")
        if self.prepare.fixed_samples is not None and self.prepare.fixed_samples < extract.n_fft:
            raise ValueError(
                f"prepare.fixed_samples is {self.prepare.fixed_samples}; allowed is at least one frame, {extract.n_fft}"
            )
        if self.prepare.min_seconds * rate < extract.n_fft:
            raise ValueError(
                f"prepare.min_seconds is {self.prepare.min_seconds}; allowed is at least one frame of "
                f"extract.n_fft, {extract.n_fft / rate:g} s"
            )
        trained = models_by_trainer(self)
        if not any(trained.values()):
            switches = ", ".join(f"{trainer}.enabled" for trainer in trained if trainer != TRANSFORMER)
            raise ValueError(
                f"{switches} are false and {TRANSFORMER}.checkpoints is empty: nothing would be trained; allowed is at "
                "least one trainer: set one of them to true"
            )
        reasons = {member: why_left_out(self, member) for member in self.fuse.members}
        if absent := [f"{member} ({reason})" for member, reason in reasons.items() if reason]:
            allowed = ", ".join(model for models in trained.values() for model in models)
            raise ValueError(
                f"fuse.members is {self.fuse.members}, of which {', '.join(absent)} would not be trained; allowed are "
                f"{allowed}: leave out of fuse.members what is not trained ([]: fuse all that are), or train it"
            )
        return self


def models_by_trainer(params: Params) -> dict[str, list[str]]:
    """Return the models that each trainer of a run trains; none of one that is left out."""
    encoders = params.train_transformer
    return {
        "train_ml": params.train_ml.models if params.train_ml.enabled else [],
        **{trainer: [model] if getattr(params, trainer).enabled else [] for trainer, model in NETWORKS.items()},
        TRANSFORMER: [f"{checkpoint}_{mode}" for checkpoint in encoders.checkpoints for mode in encoders.modes],
    }


def why_left_out(params: Params, model: str) -> str:
    """Return the setting that leaves out a model which else is trained; an empty text of any other."""
    trainers = {model: trainer for trainer, model in NETWORKS.items()}
    trainer = "train_ml" if model in get_args(Classifier) else trainers.get(model)
    if trainer and not getattr(params, trainer).enabled:
        return f"{trainer}.enabled is false"
    if trainer == "train_ml" and model not in params.train_ml.models:
        return "it is not in train_ml.models"
    return ""


def load_params(path: Path | str = "params.yaml") -> Params:
    """Load and validate all parameters; a stage, which reads few sections, takes `load_sections`.

    Raises
    ------
    InputError
        See `load_sections`.
    """
    return validated(Params, read_params(path), str(path))


def default_params() -> Params:
    """Load the settings as released: `DEFAULTS`, params.yaml without its comments."""
    return load_params(DEFAULTS)


def params_here() -> Params:
    """Load params.yaml of this folder, or of the clone that the code lies in; where there is none, the defaults."""
    for folder in (Path(), Path(__file__).parents[3]):
        if (folder / "params.yaml").is_file():
            return load_params(folder / "params.yaml")
    return default_params()

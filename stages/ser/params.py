"""Loading and validating ``params.yaml``."""

import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ser.errors import InputError

Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
DescriptorGroup = Literal[
    "mfcc",
    "mel",
    "chroma",
    "energy",
    "spectral",
    "rolloff",
    "balance",
    "pitch",
    "voice_quality",
    "formants",
    "segments",
]
ABSENT_GROUPS = {  # of each set of functionals
    "mean": {*DescriptorGroup.__args__} - {"mfcc", "mel", "chroma"},
    "compact": {"mel", "chroma", "rolloff"},
    "full": {"chroma"},
}
FrameGroup = Literal["mfcc", "mel", "chroma", "energy", "spectral", "rolloff", "balance", "pitch"]
Emotion = Literal["anger", "boredom", "calm", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
DemoEmotion = Literal["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]
Classifier = Literal[
    "logistic_regression", "discriminant_analysis", "svm_rbf", "svm_poly", "random_forest", "mlp", "lightgbm"
]
Range = Annotated[list[float], Field(min_length=2, max_length=2)]
Change = Literal["noise", "speed", "stretch", "pitch", "shift", "gain", "room", "telephone"]


class Section(BaseModel):
    """A section that takes the keys it names, of the types it names, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


SectionType = TypeVar("SectionType", bound=Section)


class Raw(Section):
    path: Annotated[str, Field(min_length=1)]


class Manifest(Section):
    path: Annotated[str, Field(min_length=1)]
    emotion: Annotated[str, Field(min_length=1)]
    speaker: Annotated[str, Field(min_length=1)]
    sex: Annotated[str, Field(min_length=1)]
    language: Annotated[str, Field(min_length=1)]
    statement: Annotated[str, Field(min_length=1)]
    intensity: Annotated[str, Field(min_length=1)]
    fold: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self):
        _require_distinct("the names of the columns", list(self.model_dump().values()))
        return self


class Prepare(Section):
    corpora: Annotated[list[Annotated[str, Field(pattern=r"^[^/\\.][^/\\]*$")]], Field(min_length=1)]
    emotions: list[Emotion] | Literal["shared"]
    rename: dict[Emotion, Emotion]
    manifest: Manifest
    sample_rate: Annotated[int, Field(ge=8000, le=48000)]
    remove_dc: bool
    denoise_db: Positive | None
    trim_db: Positive | None
    normalize: Literal["peak", "rms", "loudness", "none"]
    peak_db: Annotated[float, Field(le=0)]
    rms_db: Annotated[float, Field(le=0)]
    loudness_lufs: Annotated[float, Field(ge=-70, le=0)]
    fixed_samples: Count | None
    min_seconds: Annotated[float, Field(ge=0.05)]
    max_seconds: Positive
    seed: Seed

    @model_validator(mode="after")
    def _check(self):
        _require_distinct("corpora", self.corpora)
        if self.emotions != "shared":
            _require_distinct("emotions", self.emotions)
        _require_increasing("min_seconds, max_seconds", [self.min_seconds, self.max_seconds])
        return self


class Demo(Section):
    seed: Seed
    speakers: Annotated[int, Field(ge=2)]
    emotions: Annotated[list[DemoEmotion], Field(min_length=2)]
    sentences: Annotated[int, Field(ge=1, le=8)]
    takes: Count

    @model_validator(mode="after")
    def _check(self):
        _require_distinct("emotions", self.emotions)
        return self


class Split(Section):
    scheme: Literal["holdout", "kfold", "loso", "cross_corpus", "predefined", "random"]
    folds: Annotated[int, Field(ge=2)]
    test_fraction: Share
    validation_fraction: Share
    predefined: Annotated[str, Field(min_length=1)]
    seed: Seed


class Augment(Section):
    copies: Annotated[int, Field(ge=0)]
    kinds: Annotated[list[Change], Field(min_length=1)]
    noise: Annotated[list[Literal["white", "pink", "folder"]], Field(min_length=1)]
    noise_folder: Annotated[str, Field(min_length=1)]
    snr_db: Range
    speed: Range
    stretch: Range
    semitones: Range
    shift_seconds: Positive
    gain_db: Range
    room_folder: Annotated[str, Field(min_length=1)]
    telephone_hz: Annotated[list[Positive], Field(min_length=2, max_length=2)]
    seed: Seed

    @model_validator(mode="after")
    def _check(self):
        _require_distinct("kinds", self.kinds)
        _require_distinct("noise", self.noise)
        for key in ("snr_db", "speed", "stretch", "semitones", "gain_db"):
            _require_increasing(key, getattr(self, key))
        for key in ("speed", "stretch"):
            low, high = getattr(self, key)
            if low < 0.5 or high > 2.0:
                raise ValueError(f"{key} is {[low, high]}; allowed are factors from 0.5 to 2.0")
        low, high = self.telephone_hz
        if not low < high:
            raise ValueError(f"telephone_hz is {[low, high]}; allowed is a lower edge followed by a higher one")
        if self.semitones[0] < -12 or self.semitones[1] > 12:
            raise ValueError(f"semitones is {self.semitones}; allowed are -12 to 12")
        return self


class Functionals(Section):
    set: Literal["mean", "compact", "full"]
    groups: Annotated[list[DescriptorGroup], Field(min_length=1)]
    n_mfcc: Annotated[int, Field(ge=2, le=128)]
    n_mels: Annotated[int, Field(ge=8, le=256)]
    deltas: Annotated[int, Field(ge=0, le=2)]
    pause_db: Positive

    @model_validator(mode="after")
    def _check(self):
        _require_distinct("groups", self.groups)
        absent = ABSENT_GROUPS[self.set]
        if absent.issuperset(self.groups):
            raise ValueError(f"groups is {self.groups}; the set {self.set} has nothing of {', '.join(sorted(absent))}")
        return self


class Frames(Section):
    groups: Annotated[list[FrameGroup], Field(min_length=1)]
    n_mfcc: Annotated[int, Field(ge=2, le=128)]
    n_mels: Annotated[int, Field(ge=8, le=256)]
    deltas: Annotated[int, Field(ge=0, le=2)]

    @model_validator(mode="after")
    def _check(self):
        _require_distinct("groups", self.groups)
        return self


class LogMel(Section):
    n_mels: Annotated[int, Field(ge=8, le=256)]


class Extract(Section):
    n_fft: Annotated[int, Field(ge=64, le=8192, multiple_of=2)]
    hop_length: Annotated[int, Field(ge=16, le=8192)]
    functionals: Functionals
    frames: Frames
    logmel: LogMel


class Train(Section):
    seed: Seed
    normalization: Literal["train", "speaker"]
    logit_adjustment: Annotated[float, Field(ge=0)]
    importance_repeats: Annotated[int, Field(ge=0)]


class LogisticRegression(Section):
    C: Positive
    max_iter: Count


class SvmRbf(Section):
    components: Count | None
    C: Positive
    gamma: Literal["scale", "auto"] | Positive


class SvmPoly(SvmRbf):
    degree: Annotated[int, Field(ge=2, le=6)]
    coef0: Annotated[float, Field(ge=0)]


class DiscriminantAnalysis(Section):
    components: Count
    shrinkage: Annotated[float, Field(ge=0, le=1)] | Literal["auto"]


class RandomForest(Section):
    n_estimators: Count
    max_depth: Count | None
    min_samples_leaf: Count


class Mlp(Section):
    hidden_sizes: Annotated[list[Count], Field(min_length=1)]
    alpha: Annotated[float, Field(ge=0)]
    learning_rate: Positive
    batch_size: Count
    epochs: Count
    patience: Count


class LightGbm(Section):
    n_estimators: Count
    learning_rate: Positive
    num_leaves: Annotated[int, Field(ge=2)]
    min_child_samples: Count
    feature_fraction: Annotated[float, Field(gt=0, le=1)]
    patience: Count


class TrainMl(Section):
    models: Annotated[list[Classifier], Field(min_length=1)]
    select: Count | None
    balance: Literal["none", "weights", "sampling", "smote"]
    tune: bool
    inner_folds: Annotated[int, Field(ge=2)]
    logistic_regression: LogisticRegression
    discriminant_analysis: DiscriminantAnalysis
    svm_rbf: SvmRbf
    svm_poly: SvmPoly
    random_forest: RandomForest
    mlp: Mlp
    lightgbm: LightGbm
    grid: dict[Classifier, dict[str, Annotated[list, Field(min_length=1)]]]

    @model_validator(mode="after")
    def _check(self):
        _require_distinct("models", self.models)
        for model, values in self.grid.items():
            settings = getattr(self, model)
            for key, choices in values.items():
                # not of the classifier alone, which is all that is tried
                if key in ("components", "epochs", "patience") and hasattr(settings, key):
                    raise ValueError(
                        f"train_ml.grid.{model} has {key}, which it cannot try; set train_ml.{model}.{key}, or search "
                        "it with `make tune`"
                    )
                for choice in choices:  # every value of the grid must be one that the model itself would take
                    try:
                        type(settings).model_validate(settings.model_dump() | {key: choice})
                    except ValidationError as error:
                        what = "; ".join(_describe(item) for item in error.errors())
                        raise ValueError(f"train_ml.grid.{model}: {what}") from None
        return self


class Network(Section):
    """What the training of every network is set by."""

    balance: Literal["none", "weights", "sampling"]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    mixup: Annotated[float, Field(ge=0)]
    batch_size: Count
    learning_rate: Positive
    schedule: Literal["cosine", "constant"]
    warmup_epochs: Annotated[int, Field(ge=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    gradient_clip: Positive
    epochs: Count
    patience: Count | None


class SequenceNetwork(Network):
    """What is set besides where clips are sequences of frames."""

    pooling: Literal["attention", "mean_max"]
    stretch: Annotated[float, Field(ge=0, le=0.5)]
    feature_masks: Annotated[int, Field(ge=0)]
    feature_mask_width: Count
    time_masks: Annotated[int, Field(ge=0)]
    time_mask_share: Annotated[float, Field(ge=0, le=1)]


class TrainLstm(SequenceNetwork):
    downsample: Annotated[int, Field(ge=1, le=10)]
    layers: Annotated[int, Field(ge=1, le=4)]
    hidden_size: Count
    bidirectional: bool
    dropout: Dropout
    mixed_precision: bool


class TrainResidualKeras(Network):
    balance: Literal["none", "weights", "sampling", "smote"]
    units: Count
    blocks: Count
    input_dropout: Dropout
    dropout: Dropout
    limit: Positive


class TrainCnn(SequenceNetwork):
    filters: Annotated[list[Count], Field(min_length=1, max_length=5)]
    recurrent_units: Annotated[int, Field(ge=0)]
    dropout: Dropout
    seconds: Positive


class FrozenEncoder(Network):
    hidden_units: Count
    dropout: Dropout


class FineTunedEncoder(Network):
    pooling: Literal["attention", "mean"]
    hidden_units: Count
    dropout: Dropout
    seconds: Annotated[float, Field(ge=0.3)]
    masked: Annotated[float, Field(ge=0, lt=1)]
    head_learning_rate: Positive


class TrainTransformer(Section):
    # DVC takes most punctuation for its own in the names of stages
    checkpoints: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")], Annotated[str, Field(min_length=1)]
    ]
    modes: Annotated[list[Literal["frozen", "fine_tuned"]], Field(min_length=1)]
    frozen: FrozenEncoder
    fine_tuned: FineTunedEncoder

    @model_validator(mode="after")
    def _check(self):
        _require_distinct("modes", self.modes)
        return self


class Fuse(Section):
    method: Literal["mean", "weights", "stacking"]
    members: list[str]
    shrinkage: Annotated[float, Field(ge=0)]
    C: Positive


class Evaluate(Section):
    calibration_bins: Annotated[int, Field(ge=2)]
    confidence: Annotated[float, Field(ge=0.5, lt=1)]


class Report(Section):
    mistakes: Annotated[int, Field(ge=0)]
    clip_seconds: Positive


class SearchRange(Section):
    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _check(self):
        if not self.low < self.high:
            raise ValueError(f"low is {self.low}, high is {self.high}; allowed is a lower value below an upper one")
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low}; allowed with log: true are values above 0")
        return self


class Tune(Section):
    model: Annotated[str, Field(min_length=1)]
    trials: Count
    seed: Seed
    space: Annotated[dict[str, Annotated[list, Field(min_length=1)] | SearchRange], Field(min_length=1)]


class Compute(Section):
    workers: Annotated[int, Field(ge=0)]
    backend: Literal["loky", "threading", "dask"]
    address: Annotated[str, Field(pattern=r"^(tcp|tls)://\S+:\d+$")] | None

    @model_validator(mode="after")
    def _check(self):
        if self.backend == "dask" and self.address is None:
            raise ValueError(
                "address is None; with backend dask it is that of a running scheduler, such as tcp://127.0.0.1:8786"
            )
        if self.backend != "dask" and self.address is not None:
            raise ValueError(f"address is {self.address!r}; with backend {self.backend} it is null")
        return self


class Collect(Section):
    sources: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(pattern=r"^[^/\\.][^/\\]*$")]
    min_seconds: Annotated[float, Field(ge=0.1)]
    max_seconds: Annotated[float, Field(le=60)]
    pause: Annotated[float, Field(ge=0.05)]
    threshold: Annotated[float, Field(ge=0.2, lt=1)]
    padding: Annotated[float, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def _check(self):
        if self.max_seconds < 2 * self.min_seconds:  # or the parts of what is split might be too short
            raise ValueError(f"max_seconds is {self.max_seconds}; allowed is at least twice min_seconds")
        if self.min_seconds + 4 * self.padding > self.max_seconds:
            raise ValueError(f"padding is {self.padding}; allowed is at most a quarter of max_seconds - min_seconds")
        return self


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
        return self


def load_params(path: Path | str = "params.yaml") -> Params:
    """Load and validate the parameters.

    The file is read as YAML 1.2, as DVC does, so that ``1e-05`` is a number and ``no`` a word.

    Raises
    ------
    InputError
        For a missing or malformed file, an unknown key, a wrong type or an impossible value, each named.
    """
    try:
        content = YAML(typ="safe", pure=True).load(Path(path))
    except FileNotFoundError:
        raise InputError(f"{path} not found: run the stages from the root of the repository") from None
    except YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    return validated(Params, content, str(path))


def validated(section: type[SectionType], content: object, where: str) -> SectionType:
    """Return what a YAML file holds as a section; `InputError` names every unknown key and impossible value.

    Parameters
    ----------
    section : subclass of Section
    content : object
        Mappings, lists and values, as read.
    where : str
        Where they stand, for the message.
    """
    try:
        return section.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{where}: " + "; ".join(_describe(item) for item in error.errors())) from None


def _describe(item: dict) -> str:
    """Say in a line which key has which value and what is allowed."""
    # pydantic adds the tried type of a union, such as constrained-float, to the path of the key
    key = ".".join(str(part) for part in item["loc"] if re.fullmatch(r"\w+", str(part))) or "the file"
    if item["type"] == "extra_forbidden":
        return f"unknown key {key} (value {item['input']!r}): remove it or correct its name"
    if item["type"] == "missing":
        return f"key {key} is missing"
    if item["type"] == "value_error":
        return f"{key}: {item['ctx']['error']}" if item["loc"] else str(item["ctx"]["error"])
    message = item["msg"][0].lower() + item["msg"][1:]
    return f"{key} is {item['input']!r}: {message}"


def _require_distinct(key: str, values: list) -> None:
    if len(set(values)) < len(values):
        raise ValueError(f"{key} is {values}; allowed is each value once")


def _require_increasing(key: str, values: list[float]) -> None:
    if not values[0] <= values[1]:
        raise ValueError(f"{key} is {values}; allowed is a lower value followed by an upper one")

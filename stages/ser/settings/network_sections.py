"""Sections ``train_lstm``, ``train_residual_keras``, ``train_cnn`` and ``train_transformer``: the neural networks."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ser.settings.params_file import Count, PathText, Positive, Section, require_distinct

Dropout = Annotated[float, Field(ge=0, lt=1)]
Seeds = Annotated[int, Field(ge=1, le=20)]


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

    subtract_mean: bool
    pooling: Literal["attention", "mean_max"]
    stretch: Annotated[float, Field(ge=0, le=0.5)]
    feature_masks: Annotated[int, Field(ge=0)]
    feature_mask_width: Count
    time_masks: Annotated[int, Field(ge=0)]
    time_mask_share: Annotated[float, Field(ge=0, le=1)]


class TrainLstm(SequenceNetwork):
    enabled: bool
    seeds: Seeds
    downsample: Annotated[int, Field(ge=1, le=10)]
    stack: Annotated[int, Field(ge=1, le=10)]
    layers: Annotated[int, Field(ge=1, le=4)]
    hidden_size: Count
    bidirectional: bool
    dropout: Dropout
    mixed_precision: bool


class TrainResidualKeras(Network):
    enabled: bool
    seeds: Seeds
    balance: Literal["none", "weights", "sampling", "smote"]
    units: Count
    blocks: Count
    input_dropout: Dropout
    dropout: Dropout
    limit: Positive


class TrainCnn(SequenceNetwork):
    enabled: bool
    seeds: Seeds
    filters: Annotated[list[Count], Field(min_length=1, max_length=5)]
    downsampling: Literal["stride", "pooling"]
    recurrent_units: Annotated[int, Field(ge=0)]
    dropout: Dropout
    warp: Annotated[float, Field(ge=0, le=0.3)]
    seconds: Positive
    mixed_precision: bool


class FrozenEncoder(Network):
    seeds: Seeds
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
    checkpoints: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")], PathText]
    modes: Annotated[list[Literal["frozen", "fine_tuned"]], Field(min_length=1)]
    frozen: FrozenEncoder
    fine_tuned: FineTunedEncoder

    @model_validator(mode="after")
    def _check(self):
        require_distinct("modes", self.modes)
        return self

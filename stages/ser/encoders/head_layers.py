"""The networks on top of a pretrained encoder, in PyTorch: learnt weights of its layers, pooling and a small head."""

import torch
from torch import nn


class LayerWeights(nn.Module):
    """A weighted mean over layers; the weights are learnt and sum to 1 (Peters et al. 2018; SUPERB, Yang et al. 2021).

    Parameters
    ----------
    layers : int

    References
    ----------
    .. [1] M. Peters et al., "Deep contextualized word representations", NAACL 2018.
    .. [2] S. Yang et al., "SUPERB: Speech processing universal performance benchmark", Interspeech 2021.
    """

    def __init__(self, layers: int):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(layers))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Return the mean of `states`, shape (batch, layers, ...), as shape (batch, ...)."""
        return torch.einsum("l,bl...->b...", torch.softmax(self.logits, dim=0), states)


class AttentionPooling(nn.Module):
    """A weighted mean over time, whose weights a linear layer gives to each frame.

    Parameters
    ----------
    width : int
    """

    def __init__(self, width: int):
        super().__init__()
        self.score = nn.Linear(width, 1)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Return the mean of `frames`, shape (batch, time, width), as shape (batch, width)."""
        return (torch.softmax(self.score(frames), dim=1) * frames).sum(dim=1)


class MeanPooling(nn.Module):
    """The mean over time."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Return the mean of `frames`, shape (batch, time, width), as shape (batch, width)."""
        return frames.mean(dim=1)


def dense_head(width: int, hidden_units: int, classes: int, dropout: float) -> nn.Sequential:
    """Return a hidden layer and a linear one, each after dropout."""
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(width, hidden_units),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden_units, classes),
    )


class FrozenHead(nn.Module):
    """Standardise the embeddings of all layers, weigh the layers, classify.

    Parameters
    ----------
    layers, width : int
        Of the encoder.
    classes : int
    hidden_units : int
    dropout : float
    """

    def __init__(self, layers: int, width: int, classes: int, hidden_units: int, dropout: float):
        super().__init__()
        self.settings = dict(layers=layers, width=width, classes=classes, hidden_units=hidden_units, dropout=dropout)
        self.register_buffer("mean", torch.zeros(layers * width))
        self.register_buffer("deviation", torch.ones(layers * width))
        self.layer_weights = LayerWeights(layers)
        self.head = dense_head(width, hidden_units, classes, dropout)

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (batch, classes), of embeddings of shape (batch, layers * width)."""
        standardized = (embeddings - self.mean) / self.deviation
        return self.head(self.layer_weights(standardized.unflatten(1, (self.settings["layers"], -1))))

    def learnt_weights(self) -> dict[str, torch.Tensor]:
        """Return all weights and statistics by name."""
        return dict(self.state_dict())


class FineTunedEncoder(nn.Module):
    """An encoder that learns too: weigh its layers, pool over time, classify.

    Parameters
    ----------
    encoder : ser.encoders.speech_encoder.Encoder
    classes : int
    hidden_units : int
    dropout : float
    pooling : {"attention", "mean"}
    sample_rate : int
        Of the samples that it will be given, Hz.
    """

    def __init__(self, encoder, classes: int, hidden_units: int, dropout: float, pooling: str, sample_rate: int):
        super().__init__()
        self.settings = dict(
            classes=classes, hidden_units=hidden_units, dropout=dropout, pooling=pooling, sample_rate=sample_rate
        )
        self.extractor = encoder.extractor
        self.encoder = encoder.network
        if not hasattr(self.encoder, "masked_spec_embed"):  # its config says that it masks nothing
            self.encoder.masked_spec_embed = nn.Parameter(torch.zeros(encoder.width))
        self.layer_weights = LayerWeights(encoder.layers)
        self.pooling = AttentionPooling(encoder.width) if pooling == "attention" else MeanPooling()
        self.head = dense_head(encoder.width, hidden_units, classes, dropout)
        # its convolutions stay as they are (Baevski et al. 2020); the method also spares the gradients below them
        self.encoder.feature_extractor._freeze_parameters()
        # a layer that is left out has no hidden state, and masks are drawn by those who train
        self.encoder.config.layerdrop = 0.0
        self.encoder.config.mask_time_prob = self.encoder.config.mask_feature_prob = 0.0
        self.encoder.config.apply_spec_augment = True

    def forward(self, values: torch.Tensor, masked: torch.Tensor | None = None) -> torch.Tensor:
        """Return the logits, shape (batch, classes).

        Parameters
        ----------
        values : torch.Tensor of float32, shape (batch, samples)
            See `ser.encoders.speech_encoder.input_values`; no padding.
        masked : torch.Tensor of bool, shape (batch, frames), optional
            Frames that the encoder's transformer does not see.
        """
        states = self.encoder(values, mask_time_indices=masked, output_hidden_states=True).hidden_states
        return self.head(self.pooling(self.layer_weights(torch.stack(states, dim=1))))

    def learnt_weights(self) -> dict[str, torch.Tensor]:
        """Return by name all weights but those that stay as they are in the checkpoint.

        With the statistics of batch normalisation, which some HuBERTs have (``conv_pos_batch_norm``).
        """
        fixed = {name for name, parameter in self.named_parameters() if not parameter.requires_grad}
        return {name: tensor for name, tensor in self.state_dict().items() if name not in fixed}

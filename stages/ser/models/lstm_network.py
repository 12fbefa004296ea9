"""(Bi)LSTM over frame sequences of unequal length, in PyTorch.

A clip's output does not depend on the clips it shares a batch with: clips are padded at their end, the backward
direction reads each clip reversed within its own length, and pooling over time leaves the padding out. One `nn.LSTM`
a layer and direction does this with oneDNN's kernels; packed sequences would miss them and take several times as long.
"""

import torch
from torch import nn


class LSTMNetwork(nn.Module):
    """Standardise, LSTM layers, mean and maximum over time, linear.

    Parameters
    ----------
    features : int
        Columns of a frame.
    classes : int
    layers, hidden_size : int
        `hidden_size` units in each direction of each layer.
    bidirectional : bool
    dropout : float
        Share of the values set to zero after each layer and before the linear one while training.
    """

    def __init__(self, features: int, classes: int, layers: int, hidden_size: int, bidirectional: bool, dropout: float):
        super().__init__()
        self.settings = dict(
            features=features,
            classes=classes,
            layers=layers,
            hidden_size=hidden_size,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        directions = 2 if bidirectional else 1
        width = directions * hidden_size
        sizes = [features] + [width] * (layers - 1)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.ahead = nn.ModuleList(nn.LSTM(size, hidden_size) for size in sizes)
        self.back = nn.ModuleList(nn.LSTM(size, hidden_size) for size in sizes if bidirectional)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(2 * width, classes)

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (batch, classes).

        Parameters
        ----------
        frames : torch.Tensor of float32, shape (time, batch, features)
            Padded at the end; what the padding holds makes no difference.
        lengths : torch.Tensor of int64, shape (batch,)
            Number of frames of each clip, at least 1.
        """
        time = torch.arange(len(frames), device=frames.device)[:, None]
        padding = (time >= lengths)[:, :, None]
        mirrored = torch.where(time < lengths, lengths - 1 - time, time)[:, :, None]
        hidden = ((frames - self.mean) / self.deviation).masked_fill(padding, 0.0)
        for layer in range(len(self.ahead)):
            outputs = [self.ahead[layer](hidden)[0]]
            if self.back:
                outputs.append(_reorder(self.back[layer](_reorder(hidden, mirrored))[0], mirrored))
            hidden = self.dropout(torch.cat(outputs, dim=2))
        mean = hidden.masked_fill(padding, 0.0).sum(dim=0) / lengths[:, None]
        highest = hidden.masked_fill(padding, -torch.inf).amax(dim=0)
        return self.linear(torch.cat([mean, highest], dim=1))


def _reorder(values: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Take `values`, shape (time, batch, width), in another order of time for each clip, shape (time, batch, 1)."""
    return values.gather(0, order.expand(-1, -1, values.shape[2]))

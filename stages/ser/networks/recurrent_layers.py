"""(Bi)LSTM over frame sequences of unequal length, in PyTorch.

A clip's output does not depend on the clips it shares a batch with: clips are padded at their end, the backward
direction reads each clip reversed within its own length, and pooling over time leaves the padding out. One `nn.LSTM`
a layer and direction does this with oneDNN's kernels; packed sequences would miss them and take several times as long.
"""

import torch
from torch import nn


class LSTMNetwork(nn.Module):
    """Standardise, average and join neighbouring frames, LSTM layers, pooling over time, linear.

    Parameters
    ----------
    features : int
        Columns of a frame.
    classes : int
    layers, hidden_size : int
        `hidden_size` units in each direction of each layer.
    bidirectional : bool
    downsample : int
        So many frames are averaged to one before the first layer.
    pooling : {"attention", "mean_max"}
        `AttentivePooling`, or mean and maximum over time.
    dropout : float
        Share of the values set to zero after each layer and before the linear one while training.
    subtract_mean : bool
        Whether the network is given frames less the mean of their clip; see `ser.features.column_normalization`.
    stack : int
        So many of these averages, side by side, are one step of the first layer. Networks that were stored before there
        was a choice have 1.
    """

    def __init__(
        self,
        features: int,
        classes: int,
        layers: int,
        hidden_size: int,
        bidirectional: bool,
        downsample: int,
        pooling: str,
        dropout: float,
        subtract_mean: bool,
        stack: int = 1,
    ):
        super().__init__()
        self.settings = dict(
            features=features,
            classes=classes,
            layers=layers,
            hidden_size=hidden_size,
            bidirectional=bidirectional,
            downsample=downsample,
            pooling=pooling,
            dropout=dropout,
            subtract_mean=subtract_mean,
            stack=stack,
        )
        directions = 2 if bidirectional else 1
        width = directions * hidden_size
        sizes = [stack * features] + [width] * (layers - 1)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.ahead = nn.ModuleList(nn.LSTM(size, hidden_size) for size in sizes)
        self.back = nn.ModuleList(nn.LSTM(size, hidden_size) for size in sizes if bidirectional)
        self.pooling = AttentivePooling(width) if pooling == "attention" else MeanMaxPooling()
        self.dropout = Dropout(dropout)
        self.linear = nn.Linear(2 * width, classes)

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (batch, classes).

        Parameters
        ----------
        frames : torch.Tensor of float32, shape (time, batch, features)
            Padded at the end to a multiple of ``downsample · stack``; what the padding holds makes no difference.
        lengths : torch.Tensor of int64, shape (batch,)
            Number of frames of each clip, at least 1.
        """
        hidden = frames.masked_fill(_padding(frames, lengths), 0.0)
        hidden, lengths = average_neighbours(hidden, lengths, self.settings["downsample"])
        # averaged first: that is as many times less to standardise
        hidden = ((hidden - self.mean) / self.deviation).masked_fill(_padding(hidden, lengths), 0.0)
        hidden, lengths = join_neighbours(hidden, lengths, self.settings["stack"])
        padding, mirrored = _padding(hidden, lengths), _mirrored(hidden, lengths)
        for layer in range(len(self.ahead)):
            outputs = [self.ahead[layer](hidden)[0]]
            if self.back:
                outputs.append(_reorder(self.back[layer](_reorder(hidden, mirrored))[0], mirrored))
            hidden = self.dropout(torch.cat(outputs, dim=2))
        return self.linear(self.dropout(self.pooling(hidden, padding)))

    def learnt_weights(self) -> dict[str, torch.Tensor]:
        """Return by name what training changes, with the statistics of the training frames."""
        return self.state_dict()


class Dropout(nn.Module):
    """Set a share of the values to zero while training, and scale the others up; as `nn.Dropout`, but cheaper on a CPU.

    There PyTorch draws a double for each value; 16 random bits do.

    Parameters
    ----------
    share : float
        From 0, below 1; rounded to 1 / 65536.
    """

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return `values`, of any shape, with some of them set to zero."""
        if values.device.type != "cpu":
            return nn.functional.dropout(values, self.share, self.training)
        if not self.training or self.share == 0:
            return values
        words = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        bits = words.view(torch.int16)[: values.numel()].view(values.shape)
        return values * (bits >= round(self.share * 2**16) - 2**15) * (1 / (1 - self.share))


class AttentivePooling(nn.Module):
    """Mean and deviation over time, weighted by how much a small network attends to each frame [1]_.

    Parameters
    ----------
    width : int
        Columns of a frame.

    References
    ----------
    .. [1] K. Okabe, T. Koshinaka, K. Shinoda, "Attentive statistics pooling for deep speaker embedding",
       Interspeech 2018.
    """

    def __init__(self, width: int):
        super().__init__()
        self.attention = nn.Sequential(nn.Linear(width, width // 2), nn.Tanh(), nn.Linear(width // 2, 1))

    def forward(self, hidden: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        """Pool `hidden`, shape (time, batch, width), outside `padding`, shape (time, batch, 1): (batch, 2 · width)."""
        weights = self.attention(hidden).masked_fill(padding, -torch.inf).softmax(dim=0)
        mean = (weights * hidden).sum(dim=0)
        variance = (weights * (hidden - mean) ** 2).sum(dim=0)
        return torch.cat([mean, (variance + 1e-6).sqrt()], dim=1)  # the root's slope at 0 is infinite


class MeanMaxPooling(nn.Module):
    """Mean and maximum over time."""

    def forward(self, hidden: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        """Pool `hidden`, shape (time, batch, width), outside `padding`, shape (time, batch, 1): (batch, 2 · width)."""
        mean = hidden.masked_fill(padding, 0.0).sum(dim=0) / (~padding).sum(dim=0)
        highest = hidden.masked_fill(padding, -torch.inf).amax(dim=0)
        return torch.cat([mean, highest], dim=1)


def average_neighbours(frames: torch.Tensor, lengths: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Average every `count` frames of each clip to one, the last of a clip over those that are left.

    Parameters
    ----------
    frames : torch.Tensor, shape (time, batch, features)
        0 in the padding; time is a multiple of `count`.
    lengths : torch.Tensor of int64, shape (batch,)
    count : int

    Returns
    -------
    frames : torch.Tensor, shape (time / count, batch, features)
    lengths : torch.Tensor of int64, shape (batch,)
    """
    if count == 1:
        return frames, lengths
    sums = frames.unflatten(0, (-1, count)).sum(dim=1)
    first = count * torch.arange(len(sums), device=frames.device)[:, None]
    members = (lengths - first).clamp(1, count)
    return sums / members[:, :, None], -(-lengths // count)


def join_neighbours(frames: torch.Tensor, lengths: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Put every `count` frames of each clip side by side, the last of a clip beside what its padding holds.

    Parameters
    ----------
    frames : torch.Tensor, shape (time, batch, features)
        Time is a multiple of `count`.
    lengths : torch.Tensor of int64, shape (batch,)
    count : int

    Returns
    -------
    frames : torch.Tensor, shape (time / count, batch, count · features)
    lengths : torch.Tensor of int64, shape (batch,)

    References
    ----------
    .. [1] H. Sak, A. Senior, K. Rao, F. Beaufays, "Fast and accurate recurrent neural network acoustic models for
       speech recognition", Interspeech 2015: fewer steps over joined frames.
    """
    if count == 1:
        return frames, lengths
    return frames.unflatten(0, (-1, count)).transpose(1, 2).flatten(2), -(-lengths // count)


def _padding(frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return which frames lie behind the end of their clip, shape (time, batch, 1)."""
    return (torch.arange(len(frames), device=frames.device)[:, None] >= lengths)[:, :, None]


def _mirrored(frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the order of rows that reverses each clip within its own length, shape (time · batch,); its own inverse.

    Row ``time · batch + clip`` is a frame of a clip.
    """
    time, batch = torch.arange(len(frames), device=frames.device)[:, None], frames.shape[1]
    reversed_time = torch.where(time < lengths, lengths - 1 - time, time)
    return (reversed_time * batch + torch.arange(batch, device=frames.device)).flatten()


class _Reorder(torch.autograd.Function):
    """Take rows in an order that is its own inverse: so the gradients are taken in that order too.

    PyTorch, which does not know that, would add each of them up from zero.
    """

    @staticmethod
    def forward(ctx, values: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(order)
        return values.flatten(0, 1).index_select(0, order).view(values.shape)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (order,) = ctx.saved_tensors
        return gradient.flatten(0, 1).index_select(0, order).view(gradient.shape), None


def _reorder(values: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Take `values`, shape (time, batch, width), in the order of `_mirrored`."""
    return _Reorder.apply(values, order)

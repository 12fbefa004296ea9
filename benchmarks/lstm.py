"""How long an epoch of the LSTM's trainer takes, beside the two usual ways of training on clips of unequal length.

The same trainer, network, batch size, perturbations and thread in all three; they differ in this only:

- ours: batches of clips of similar length, padded; each direction of a layer is an LSTM of its own
- padded: batches in random order, padded to their longest clip
- packed: batches in random order as packed sequences (`pack_padded_sequence`) through a bidirectional `nn.LSTM`

The clips are random numbers, which take as long as speech. Their lengths are log-normal, as those of corpora of acted
speech are: median 2.2 s, 95 % between 0.8 s and 5.9 s, none longer than 10 s; 100 frames a second.
Writes reports/benchmarks/lstm.json.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stages"))
os.environ["CUDA_VISIBLE_DEVICES"] = ""  # on a GPU another way may be the fastest

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence  # noqa: E402

from ser.features.extraction import input_names  # noqa: E402
from ser.models import lstm  # noqa: E402
from ser.networks.batches import Examples  # noqa: E402
from ser.networks.recurrent_layers import LSTMNetwork, average_neighbours, join_neighbours  # noqa: E402
from ser.settings.all_sections import load_params  # noqa: E402
from ser.storage.shards import Ragged  # noqa: E402
from ser.storage.whole_files import write_json  # noqa: E402

CLIPS, ROUNDS, CLASSES, SEED = 960, 5, 8, 1
FRAMES_A_SECOND, MEDIAN_SECONDS, SPREAD, SHORTEST, LONGEST = 100, 2.2, 0.5, 0.5, 10.0


class PackedNetwork(LSTMNetwork):
    """The same network with the same weights, its layers as one `nn.LSTM` over packed sequences."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        own = self.settings
        self.layers = nn.LSTM(
            own["stack"] * own["features"],
            own["hidden_size"],
            own["layers"],
            bidirectional=own["bidirectional"],
            dropout=own["dropout"] if own["layers"] > 1 else 0.0,
        )
        for suffix, directions in (("", self.ahead), ("_reverse", self.back)):
            for number, layer in enumerate(directions):
                for name, weights in layer.named_parameters():  # weight_ih_l0, … are weight_ih_l1_reverse, … there
                    getattr(self.layers, f"{name[:-1]}{number}{suffix}").data.copy_(weights.data)
        self.ahead = self.back = None

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the logits; see `LSTMNetwork.forward`."""
        hidden = ((frames - self.mean) / self.deviation).masked_fill(behind(frames, lengths), 0.0)
        hidden, lengths = average_neighbours(hidden, lengths, self.settings["downsample"])
        hidden, lengths = join_neighbours(
            hidden.masked_fill(behind(hidden, lengths), 0.0), lengths, self.settings["stack"]
        )
        packed = pack_padded_sequence(hidden, lengths.cpu(), enforce_sorted=False)
        hidden = self.dropout(pad_packed_sequence(self.layers(packed)[0])[0])
        return self.linear(self.dropout(self.pooling(hidden, behind(hidden, lengths))))


def behind(frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return which frames lie behind the end of their clip, shape (time, batch, 1)."""
    return (torch.arange(len(frames), device=frames.device)[:, None] >= lengths)[:, :, None]


def unsorted_batches(lengths: np.ndarray, order: np.ndarray, batch_size: int, rng: np.random.Generator) -> Iterator:
    """Yield batches of clips as `order` has them; takes what `bucketed_batches` does."""
    yield from (order[start : start + batch_size] for start in range(0, len(order), batch_size))


WAYS = {  # what the trainer has in place of its own
    "ours": {"bucketed_batches": lstm.bucketed_batches},
    "padded": {"bucketed_batches": unsorted_batches},
    "packed": {"bucketed_batches": unsorted_batches, "LSTMNetwork": PackedNetwork},
}


def bench(count: int, rounds: int) -> None:
    """Time an epoch of each way by turns, and write the report."""
    params = load_params(ROOT / "params.yaml")
    settings, columns = params.train_lstm, len(input_names("frames", params.prepare.sample_rate, params.extract))
    train = draw_clips(count, columns)
    require_same_network(columns, settings)
    for way in WAYS:
        time_epoch(way, train, settings)  # oneDNN compiles code for each length that it meets, once
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(rounds):
        for way, measured in seconds.items():
            measured.append(time_epoch(way, train, settings))
        print(f"  round {number + 1}: " + ", ".join(f"{way} {s[-1]:.2f} s" for way, s in seconds.items()), flush=True)
    low, middle, high = np.quantile(train.inputs.lengths, [0.025, 0.5, 0.975]) / FRAMES_A_SECOND
    result = {
        "clips": count,
        "seconds_of_a_clip": {"median": round(middle, 2), "95 % between": [round(low, 2), round(high, 2)]},
        "columns_of_a_frame": columns,
        "settings": settings.model_dump(),
        "threads": torch.get_num_threads(),
        "machine": {"processor": platform.processor() or platform.machine(), "cores": len(os.sched_getaffinity(0))},
        "rounds": rounds,
        "seconds_of_an_epoch": {
            way: {"median": round(median(measured), 3), "least": round(min(measured), 3)}
            for way, measured in seconds.items()
        },
        "faster_than": {way: round(median(seconds[way]) / median(seconds["ours"]), 2) for way in ("padded", "packed")},
    }
    print(f"  ours is faster by {result['faster_than']}")
    write_json(result, ROOT / "reports/benchmarks/lstm.json")


def draw_clips(count: int, columns: int) -> Examples:
    """Draw labelled clips of `columns` numbers a frame."""
    rng = np.random.default_rng(SEED)
    seconds = np.clip(rng.lognormal(np.log(MEDIAN_SECONDS), SPREAD, count), SHORTEST, LONGEST)
    rows = np.round(FRAMES_A_SECOND * seconds).astype(int)
    frames = rng.standard_normal((rows.sum(), columns), dtype=np.float32)
    index = np.column_stack([np.zeros(count, dtype=int), np.cumsum(rows) - rows, rows])
    names = np.array([f"{number}" for number in range(count)])
    return Examples(Ragged([frames], index), rng.integers(CLASSES, size=count), names, names)


def time_epoch(way: str, train: Examples, settings) -> float:
    """Return the seconds of a fit of one epoch, with the statistics that standardise the frames."""
    with patch.multiple(lstm, **WAYS[way]):
        started = time.perf_counter()
        lstm.fit(train, None, CLASSES, settings, SEED, epochs=1)
        return time.perf_counter() - started


def require_same_network(columns: int, settings) -> None:
    """Stop unless both networks, made with the same seed, give the same."""
    names = ("layers", "hidden_size", "bidirectional", "downsample", "pooling", "dropout", "subtract_mean", "stack")
    arguments = [columns, CLASSES, *(getattr(settings, name) for name in names)]
    frames, lengths = torch.randn(120, 4, columns), torch.tensor([120, 7, 64, 95])
    logits = []
    for network in (LSTMNetwork, PackedNetwork):
        torch.manual_seed(SEED)
        with torch.no_grad():
            logits.append(network(*arguments).eval()(frames, lengths))
    if not torch.allclose(*logits, atol=1e-5):
        raise SystemExit("the packed network is not the trainer's network")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=CLIPS, help="how many (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of which the median counts (default: %(default)s)")
    arguments = parser.parse_args()
    bench(arguments.clips, arguments.rounds)

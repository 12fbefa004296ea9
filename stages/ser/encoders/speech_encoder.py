"""Pretrained speech encoders in PyTorch: load one, store it, run a clip through it."""

import shutil
from pathlib import Path
from pickle import UnpicklingError
from typing import NamedTuple

import numpy as np
import soxr

from ser.encoders.pretrained_files import ARCHITECTURES, CONFIG, INSTALL, architecture_of
from ser.errors import InputError
from ser.networks.torch_backend import nn, torch
from ser.storage.whole_files import temporary_name

torch.backends.cudnn.allow_tf32 = False  # convolutions with a mantissa of 10 bits, another result than on a CPU
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Encoder(NamedTuple):
    """A pretrained encoder.

    Attributes
    ----------
    network : transformers.PreTrainedModel
        Maps normalised samples, shape (batch, samples), to hidden states.
    extractor : transformers.Wav2Vec2FeatureExtractor
        Normalises samples as they were when the encoder was trained.
    """

    network: nn.Module
    extractor: object

    @property
    def layers(self) -> int:
        """Number of hidden states: the input of the first layer and the output of each."""
        return self.network.config.num_hidden_layers + 1

    @property
    def width(self) -> int:
        """Values of a hidden state."""
        return self.network.config.hidden_size


def load_encoder(folder: Path, *, pickled: bool = False) -> Encoder:
    """Read a checkpoint that `check_checkpoint` accepts; runs no code from it, needs no network.

    Parameters
    ----------
    folder : Path
    pickled : bool
        Read a pickle of tensors, and nothing else that a pickle may hold, instead of safetensors.

    Raises
    ------
    InputError
        If `transformers` is not installed, or the weights are not those of the architecture that the folder names.
    """
    transformers = _transformers()
    from safetensors import SafetensorError

    network_class = getattr(transformers, ARCHITECTURES[architecture_of(folder)])
    try:
        network, report = network_class.from_pretrained(
            folder,
            use_safetensors=not pickled,
            weights_only=True,
            local_files_only=True,
            output_loading_info=True,
            dtype=torch.float32,
            attn_implementation="eager",  # the one that all four have
        )
        extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
    except UnpicklingError:
        raise InputError(
            f"the checkpoint in {folder} holds more than tensors and is not loaded: take another"
        ) from None
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"the checkpoint in {folder} cannot be loaded ({reason}): fetch it again") from None
    missing = set(report["missing_keys"]) - {"masked_spec_embed"}  # which only training uses
    if missing:
        raise InputError(f"{folder} lacks weights of its {type(network).__name__}, such as {min(missing)}")
    if "masked_spec_embed" in report["missing_keys"]:
        nn.init.zeros_(network.masked_spec_embed)  # and not what was drawn
    return Encoder(network.eval(), extractor)


def save_encoder(encoder: Encoder, folder: Path) -> None:
    """Write ``config.json``, ``preprocessor_config.json`` and ``model.safetensors`` to `folder`."""
    temporary = temporary_name(folder)
    shutil.rmtree(temporary, ignore_errors=True)  # a killed run may have left it
    encoder.network.save_pretrained(temporary)
    encoder.extractor.save_pretrained(temporary)
    shutil.rmtree(folder, ignore_errors=True)
    temporary.replace(folder)


def encoder_of(folder: Path) -> Path:
    """Return where the encoder of a model lies: in its folder or, for the models of folds, in that of the one for use.

    This is the folder above or, of a member of an ensemble's fold, that of the ensemble's member.
    """
    own = Path(folder)
    of_ensemble = own.absolute().parents[2] / "members" / own.absolute().name
    places = [each / "encoder" for each in (own, own.parent, of_ensemble)]
    return next((place for place in places if (place / CONFIG).is_file()), places[1])


def input_values(extractor, samples: np.ndarray, sr: int) -> np.ndarray:
    """Return samples as the encoder wants them: at its rate, normalised as its checkpoint says.

    Parameters
    ----------
    extractor : transformers.Wav2Vec2FeatureExtractor
    samples : np.ndarray of float32 of full scale 1, shape (samples,)
    sr : int
        Hz.

    Returns
    -------
    np.ndarray of float32, shape (samples at the encoder's rate,)
    """
    rate = extractor.sampling_rate
    if sr != rate:
        samples = soxr.resample(samples, sr, rate)
    return np.asarray(extractor(samples, sampling_rate=rate).input_values[0], dtype=np.float32)


def layer_means(encoder: Encoder, samples: np.ndarray, sr: int) -> np.ndarray:
    """Return the hidden states of all layers averaged over time, float32 of shape (layers, width).

    A clip goes through the encoder alone: many published checkpoints normalise over time and cannot be told
    what is padding.

    Parameters
    ----------
    encoder : Encoder
    samples, sr
        See `input_values`.
    """
    values = torch.from_numpy(input_values(encoder.extractor, samples, sr))[np.newaxis]
    with torch.inference_mode():
        states = encoder.network(values.to(encoder.network.device), output_hidden_states=True).hidden_states
        return torch.stack([state[0].mean(dim=0) for state in states]).cpu().numpy()


def _transformers():
    """Import `transformers`, which is optional and takes seconds, and silence its progress bars and hints."""
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise InputError(f"pretrained encoders need {error.name}, which is not installed: {INSTALL}") from None
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    return transformers

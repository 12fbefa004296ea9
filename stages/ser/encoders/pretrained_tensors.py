"""Tensors in files as safetensors: no pickle, and the same bytes for the same values."""

from pathlib import Path

import torch

from ser.encoders.pretrained_files import INSTALL
from ser.errors import InputError
from ser.storage.whole_files import written


def write_tensors(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Write tensors by name."""
    save_file, _, _ = _safetensors()
    with written(path) as temporary:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, temporary)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read what `write_tensors` wrote.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing or broken.
    """
    _, load_file, error_class = _safetensors()
    try:
        return load_file(path)
    except error_class as error:
        raise ValueError(f"{path}: {error}") from None


def _safetensors():
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file, save_file
    except ModuleNotFoundError:
        raise InputError(f"pretrained encoders need safetensors, which is not installed: {INSTALL}") from None
    return save_file, load_file, SafetensorError

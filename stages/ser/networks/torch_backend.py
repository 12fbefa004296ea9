"""PyTorch, made deterministic; whatever computes with a network imports it from here."""

import os

import torch
from torch import nn

torch.set_num_threads(1)  # several threads add up in another order: other bytes
# as torch.use_deterministic_algorithms(True), which imports the compiler for two seconds: nothing here is compiled
torch.set_deterministic_debug_mode("error")
torch.utils.deterministic.fill_uninitialized_memory = False  # a help to find mistakes that takes a tenth of the time
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # which on a GPU needs this before its first use

__all__ = ["nn", "torch"]

#!/usr/bin/env bash
# audonnx loads a graph with two dynamic axes in an input (clips and samples, as exporters write them) and then fails at
# every call, whatever it is called with.
#
# Tried with audonnx 1.0.1 (onnxruntime 1.31.1, onnx 1.23.2, numpy 2.4.6): a graph that takes float32 of shape
# (clips, samples) runs in onnxruntime with one clip; audonnx.load takes it and prints its shape as [-1, -1], and a call
# with a signal of shape (1, 16000) ends in NumPy's "can only specify one unknown dimension". With the first axis fixed
# to 1 it works. Guessed was that a model that loads can be called. Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  audonnx==1.0.1 audobject==0.7.13 onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys
from pathlib import Path

import audonnx
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

signal = np.ones((1, 16000), dtype=np.float32)
seen = {}
for clips in ("clips", 1):
    folder = Path(sys.argv[1]) / str(clips)
    folder.mkdir()
    given = helper.make_tensor_value_info("signal", TensorProto.FLOAT, [clips, "samples"])
    out = helper.make_tensor_value_info("largest", TensorProto.FLOAT, [clips, 1])
    node = helper.make_node("ReduceMax", ["signal", "axes"], ["largest"])
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    graph = helper.make_graph([node], "g", [given], [out], [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    (alone,) = onnxruntime.InferenceSession(folder / "model.onnx").run(None, {"signal": signal})
    assert alone.tolist() == [[1.0]]
    loaded = audonnx.load(str(folder))
    try:
        seen[clips] = loaded(signal, 16000).tolist()
    except ValueError as error:
        seen[clips] = str(error)
    print(f"first axis {clips}: shape {loaded.inputs['signal'].shape}, {seen[clips]}")
sys.exit(seen != {"clips": "can only specify one unknown dimension", 1: [[1.0]]})
PY

#!/usr/bin/env bash
# audonnx takes no notice of a model.yaml that does not begin with `$audonnx`: no error, but no labels and no transform.
#
# Tried with audonnx 1.0.1 (audobject 0.7.13, onnxruntime 1.31.1, onnx 1.23.2, numpy 2.4.6). One model.onnx with two
# outputs, and beside it a model.yaml that names them low and high:
#   as audonnx writes it                        labels low, high
#   the same with a YAML comment above          labels probabilities-0, probabilities-1
#   the same object as JSON, which is YAML      labels probabilities-0, probabilities-1
# Guessed was that what is equal YAML is an equal model. The folder loads in all three cases; where the model needs a
# transform it is then given the signal itself, which fails or, if the shapes agree, gives numbers that mean nothing.
# Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  audonnx==1.0.1 audobject==0.7.13 onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
"$folder/venv/bin/python" - "$folder" <<'PY'
import json, sys
from pathlib import Path

import audonnx
import onnx
import yaml
from onnx import TensorProto, helper

folder = Path(sys.argv[1])
rows = helper.make_tensor_value_info("values", TensorProto.FLOAT, [1, 2])
out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 2])
graph = helper.make_graph([helper.make_node("Softmax", ["values"], ["probabilities"], axis=1)], "g", [rows], [out])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "model.onnx")
audonnx.Model(str(folder / "model.onnx"), labels=["low", "high"]).to_yaml(str(folder / "model.yaml"))
written = (folder / "model.yaml").read_text()
cases = {
    "as written": written,
    "a comment above": "# made by hand\n" + written,
    "as JSON": json.dumps(yaml.safe_load(written), indent=2),
}
assert all(yaml.safe_load(text) == yaml.safe_load(written) for text in cases.values())
seen = {}
for name, text in cases.items():
    (folder / "model.yaml").write_text(text)
    seen[name] = list(audonnx.load(str(folder)).labels())
    print(f"{name}: {', '.join(seen[name])}")
nameless = ["probabilities-0", "probabilities-1"]
sys.exit(seen != {"as written": ["low", "high"], "a comment above": nameless, "as JSON": nameless})
PY

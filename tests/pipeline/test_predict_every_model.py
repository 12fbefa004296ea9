"""The command predict gives on the files what each trainer wrote for their clips. Long: `make verify` runs it."""

import json

import numpy as np
import pandas as pd
import pytest

from conftest import run_script, run_stage, workplace
from dvc_clone import MODELS

pytestmark = pytest.mark.verify


@pytest.fixture(scope="module", params=["train", "speaker"])
def trained(request, tmp_path_factory):
    """A workplace in which all trainers have run on a small demo corpus, and its clips as files in wavs/."""
    changes = {"train__normalization": request.param, "train__logit_adjustment": 1.0}
    changes |= {"prepare__rename": {"neutral": "sadness"}}  # with anger half as frequent there is something to adjust
    sections = ("train_ml", "train_lstm", "train_residual_keras", "train_cnn")
    changes |= {f"{section}__balance": "none" for section in sections}  # balanced models are not adjusted
    folder = workplace(tmp_path_factory.mktemp(request.param) / "work", **changes)
    steps = ["prepare", "split", "augment", "extract prepared", "extract augmented", *MODELS, "demo wavs"]
    for step in steps:
        run = run_script(folder, *step.split())
        assert run.returncode == 0, run.stderr
    return folder, request.param


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize(("trainer", "model"), [(t, m) for t, models in MODELS.items() for m in models])
def test_every_row_is_what_the_trainer_wrote(trained, trainer, model, fold):
    folder, normalization = trained
    place = f"data/models/{trainer}/{model}/fold_{fold}"
    description = json.loads((folder / place / "model.json").read_text())
    assert description["normalization"] == normalization and description["class_factors"] == [2.0, 1.0]
    run = run_stage(folder, "predict", "wavs", "--model", place, "--output", "out.csv")
    assert run.returncode == 0, run.stderr
    found = pd.read_csv(folder / "out.csv")
    found["clip"] = found["file"].str.removeprefix("wavs/").str.removesuffix(".wav")
    expected = pd.read_csv(folder / f"data/predictions/{trainer}/{model}.csv").query("fold == @fold")
    both = expected.merge(found, on="clip", suffixes=("", "_found"))
    assert len(both) == len(expected) > 30
    for column in expected.filter(like="p_"):
        np.testing.assert_allclose(both[f"{column}_found"], both[column], rtol=0, atol=1e-5)

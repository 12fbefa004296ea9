"""All that draws, once each, into a folder: a process of its own reads the configuration that it finds."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from conftest import ROOT
from made_timelines import conversation
from report_tables import MODELS, make_clips, write_charts_of, write_run
from ser.charts.difference_plot import difference_chart
from ser.charts.parallel_coordinates import parallel_coordinates
from ser.networks.layer_graph import Layer, draw_network, draw_note
from ser.reporting.clip_pictures import draw_clips, draw_waveforms
from ser.reporting.html_report import read_charts, write_report
from ser.reporting.overview_files import read_overview
from ser.reporting.reported_run import read_run
from ser.settings.all_sections import load_params
from ser.storage.shards import Ragged
from ser.timelines.timeline_picture import draw


def draw_every_picture(folder: Path) -> None:
    """Draw networks, timelines, the audit's, the evaluation's and the report's, a pull request's, experiments'."""
    draw_note("left out", folder / "note.png")
    draw_network([Layer("inputs", "Input", "4", 0, ()), Layer("a", "Dense", "8", 40, (0,))], folder / "net.png", "Net")
    for suffix in ("png", "svg", "pdf"):
        draw(conversation(20), folder / f"timeline.{suffix}")

    clips = make_clips()
    write_run(folder, clips)
    write_charts_of(folder)
    params = load_params(ROOT / "params.yaml")
    run = read_run(folder / "reports", folder / "data", params.model_dump())
    audio = Ragged.open(folder / "data/prepared/audio")
    overview = read_overview(folder / "reports", folder / "data", run.clips)
    write_report(folder / "report.html", run, overview, audio, read_charts(folder / "data/charts"), params.report)
    draw_clips(folder / "clips.png", clips, audio, run.sample_rate)

    rng = np.random.default_rng(0)
    draw_waveforms({"$a$ b_1": rng.uniform(-1, 1, 4000)}, 16000, folder / "waveforms.png")
    differences = pd.DataFrame({"model": [*MODELS], "difference": 0.1, "low": -0.1, "high": 0.2, "verdict": "better"})
    difference_chart(differences, folder / "differences.png", confidence=0.95)
    trials = pd.DataFrame({"C": [0.1, 1, 10], "gamma": ["scale", 1, 2], "uar": [0.4, 0.5, 0.6]})
    parallel_coordinates(trials, ["C", "gamma"], "uar", folder / "experiments.png", title="t")


if __name__ == "__main__":
    draw_every_picture(Path(sys.argv[1]))

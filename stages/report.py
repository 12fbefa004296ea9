"""Write the report and the model card of a run, for people: what the evaluation says in tables.

Reads   reports/*.csv, reports/protocol.json, reports/data/*, data/predictions/<trainer>/<model>.csv, data/charts/,
        data/overview/ and data/prepared/
Writes  reports/report.html, one file that needs no network, reports/model_card.md, and reports/images/clips.png (a
        waveform and a spectrogram of one clip per emotion; without any where report.sounds is false)
"""

import argparse
from pathlib import Path

from ser.errors import stage_errors
from ser.reporting.clip_pictures import draw_clips
from ser.reporting.html_report import read_charts, write_report
from ser.reporting.model_card import write_model_card
from ser.reporting.overview_files import read_overview
from ser.reporting.reported_run import read_run
from ser.settings.all_sections import load_params
from ser.storage.model_cards import voices_of
from ser.storage.shards import Ragged

REPORTS, DATA = Path("reports"), Path("data")


def report() -> None:
    """Write the two documents and the picture."""
    params = load_params()
    sections = {  # what made the run; neither where it was computed nor what is tried beside it
        "raw": params.raw,
        "prepare": params.prepare,
        "demo": params.demo,
        "split": params.split,
        "augment": params.augment,
        "extract": params.extract,
        "train": params.train,
        "train_ml": params.train_ml,
        "train_lstm": params.train_lstm,
        "train_residual_keras": params.train_residual_keras,
        "train_cnn": params.train_cnn,
        "train_transformer": params.train_transformer,
        "fuse": params.fuse,
        "evaluate": params.evaluate,
        "report": params.report,
    }
    run = read_run(REPORTS, DATA, {name: section.model_dump() for name, section in sections.items()})
    audio = Ragged.open(DATA / "prepared" / "audio") if params.report.sounds else None
    page = REPORTS / "report.html"
    charts = read_charts(DATA / "charts")
    write_report(page, run, read_overview(REPORTS, DATA, run.clips), audio, charts, params.report)
    write_model_card(REPORTS / "model_card.md", run)
    picture = REPORTS / "images" / "clips.png"
    draw_clips(picture, run.clips, audio, run.sample_rate)
    print(f"{page}: {page.stat().st_size / 1e6:.1f} MB, best on validation speakers: {run.best}")
    if params.report.sounds and (voices := voices_of(run.origin)):
        print(f"  it and {picture}, which git keeps, hold voices from {voices}: not with report.sounds=false")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        report()

"""Fuse the models: one more out of the predictions of several, by ``fuse.method``.

Reads   data/predictions/<trainer>/<model>.csv of the trainers, and data/prepared/clips.csv (who speaks)
Writes  data/predictions/fuse/ensemble.csv and reports/fusion.csv (what each member counts in each fold: its weight,
        or its share of the absolute coefficients of the stacking)
"""

import argparse

from threadpoolctl import threadpool_limits

from ser.errors import stage_errors
from ser.fusion.ensemble_weights import fuse, one_voice_warning, select_members
from ser.settings.params_file import load_sections
from ser.settings.score_sections import Fuse
from ser.storage.clip_tables import read_clips
from ser.storage.csv_tables import write_csv
from ser.storage.prediction_tables import read_predictions, write_predictions


def fuse_models() -> None:
    params = load_sections(fuse=Fuse)
    members = select_members(read_predictions("data/predictions"), params.fuse.members)
    clips = read_clips("data/prepared/clips.csv")
    if warning := one_voice_warning(next(iter(members.values())), clips, params.fuse.method):
        print(f"fuse: warning: {warning}")
    with threadpool_limits(1):  # several threads add up in another order: other bytes
        ensemble, weights = fuse(members, clips, params.fuse)
    write_predictions(ensemble, "data/predictions/fuse/ensemble.csv")
    write_csv(weights.round(4), "reports/fusion.csv")
    mean_weights = weights.groupby("member")["weight"].mean().sort_values(ascending=False, kind="stable")
    listed = ", ".join(f"{member} {weight:.2f}" for member, weight in mean_weights.items())
    count = f"{len(members)} models" if len(members) > 1 else "a single model"
    print(f"ensemble of {count} by {params.fuse.method}: {listed}")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        fuse_models()

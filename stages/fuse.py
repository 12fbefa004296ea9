"""Fuse the models: one more out of the predictions of several, by ``fuse.method``; and say which model is the best.

Reads   data/predictions/<trainer>/<model>.csv and data/models/<trainer>/<model>/ of the trainers, and
        data/prepared/clips.csv (who speaks)
Writes  data/predictions/fuse/ensemble.csv, data/models/fuse/ensemble/ (copies of its members and how they are fused),
        data/models/default.json (the best model on validation speakers) and reports/fusion.csv (what each member counts
        in each fold: its weight, or its share of the absolute coefficients of the stacking)
"""

import argparse
from pathlib import Path

from threadpoolctl import threadpool_limits

from ser.errors import stage_errors
from ser.evaluation.model_scores import best_model, validation_scores
from ser.fusion.ensemble_folder import NAME, TRAINER, write_ensemble
from ser.fusion.ensemble_weights import fuse, member_weights, one_voice_warning, select_members
from ser.probabilities.model_results import temperatures_of
from ser.settings.params_file import load_sections
from ser.settings.score_sections import Fuse
from ser.storage.clip_tables import read_clips
from ser.storage.csv_tables import write_csv
from ser.storage.prediction_tables import read_predictions, table_paths, write_predictions, write_temperatures
from ser.storage.whole_files import write_json

MODELS, PREDICTIONS = Path("data/models"), Path("data/predictions")


def fuse_models() -> None:
    params = load_sections(fuse=Fuse)
    tables = read_predictions(PREDICTIONS)
    folders = {path.stem: f"{path.parent.name}/{path.stem}" for path in table_paths(PREDICTIONS)}
    members = select_members(tables, params.fuse.members)
    clips = read_clips("data/prepared/clips.csv")
    if warning := one_voice_warning(next(iter(members.values())), clips, params.fuse):
        print(f"fuse: warning: {warning}")
    with threadpool_limits(1):  # several threads add up in another order: other bytes
        fusion = fuse(members, clips, params.fuse)
        write_predictions(fusion.table, PREDICTIONS / TRAINER / f"{NAME}.csv")
        write_temperatures({NAME: temperatures_of(fusion.table)}, PREDICTIONS / TRAINER)
        write_ensemble({name: MODELS / folders[name] for name in sorted(members)}, fusion, MODELS / TRAINER / NAME)
    weights = member_weights(fusion.rules, sorted(members))
    write_csv(weights.round(4), "reports/fusion.csv")
    validation = validation_scores(tables | {NAME: fusion.table})
    best = best_model([NAME, *tables], validation)
    folder = (folders | {NAME: f"{TRAINER}/{NAME}"})[best]
    write_json({"model": best, "folder": folder, "validation_uar": validation.get(best)}, MODELS / "default.json")
    mean_weights = weights.groupby("member")["weight"].mean().sort_values(ascending=False, kind="stable")
    listed = ", ".join(f"{member} {weight:.2f}" for member, weight in mean_weights.items())
    count = f"{len(members)} models" if len(members) > 1 else "a single model"
    print(f"ensemble of {count} by {params.fuse.method}: {listed}; best on validation speakers: {best}")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        fuse_models()

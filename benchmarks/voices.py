"""What the features measure of voices, beside Praat: F0, voicing, formants, jitter, shimmer and HNR of whole corpora.

Every clip is prepared as params.yaml says, and measured by our features and by Praat (praat-parselmouth, of the extra
[dev]) in the same frames, one every extract.hop_length. Writes reports/benchmarks/voices.json, a row for each corpus,
sex and emotion; `ser features --write` makes the table of docs/features.md of it. Prints what all clips and those of
either sex give, and which limits are not kept; the exit status is then 1.
"""

import argparse
import os
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "stages"), str(ROOT / "tests")]
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before anything loads a BLAS: the cores are for the processes

import pandas as pd  # noqa: E402

import praat_voices  # noqa: E402
from ser.audit.survey import list_files, mark_duplicates  # noqa: E402
from ser.compute.parallel import parallel_map  # noqa: E402
from ser.errors import stage_errors  # noqa: E402
from ser.settings.all_sections import Params, load_params  # noqa: E402
from ser.storage.whole_files import write_json  # noqa: E402

REPORT = ROOT / "reports/benchmarks/voices.json"


def bench(raw: Path, corpora: list[str], praat: praat_voices.Settings, report: Path) -> int:
    params = load_params(ROOT / "params.yaml")
    params = params.model_copy(update={"prepare": params.prepare.model_copy(update={"corpora": corpora})})
    clips = measure_corpora(raw, params, praat)
    if clips.empty:
        raise SystemExit(f"error: no usable clip of {', '.join(corpora)} in {raw}")
    rows = praat_voices.table(clips)
    names = {str(name) for name in clips["corpus"].unique()}
    result = {
        "command": f"python benchmarks/voices.py RAW {' '.join(corpora)}",
        "praat-parselmouth": version("praat-parselmouth"),
        "sample_rate": params.prepare.sample_rate,
        "hop_length": params.extract.hop_length,
        "floor": praat.floor,
        "ceiling": {name: praat.ceiling_of(name) for name in sorted(names)},
        "formant_ceiling": {sex: praat.formant_ceiling_of(sex) for sex in ("female", "male")},
        "limits": praat_voices.LIMITS,
        "rows": rows,
    }
    write_json(result, report)
    for row in rows:
        if "held_to" in row:
            found = ", ".join(f"{name} {value} %" for name, value in row["held_to"].items())
            print(f"{row['corpus']}, {row['sex']}, {row['clips']} clips: {found}")
    broken = praat_voices.beyond(rows)
    print("\n".join(["beyond the limits:", *broken]) if broken else "all limits are kept")
    return 1 if broken else 0


def measure_corpora(raw: Path, params: Params, praat: praat_voices.Settings) -> pd.DataFrame:
    """Return what `praat_voices.compare` finds of each clip that `prepare` would use, a row each."""
    files = list_files(raw, params.prepare, params.demo)
    work = partial(praat_voices.compare_file, raw=raw, params=params, praat=praat)
    found = list(parallel_map(work, files.to_dict("records"), compute=params.compute, label="beside Praat", chunk=8))
    files = files.assign(reason=[each.reason for each in found], digest=[each.digest for each in found])
    files = mark_duplicates(files, [each.fingerprint for each in found], params.compute)
    used = (files["reason"] == "") & files["wanted"]
    compared = pd.DataFrame([each.comparison for each, kept in zip(found, used, strict=True) if kept])
    return files.loc[used, ["clip", "corpus", "sex", "emotion"]].reset_index(drop=True).join(compared)


def frequencies(texts: list[str], defaults: dict[str, float]) -> dict[str, float]:
    """Read ``NAME=HZ``, and put it in the place of the defaults."""
    try:
        return defaults | {name: float(hz) for name, hz in (text.split("=") for text in texts)}
    except ValueError:
        raise SystemExit(f"error: {' '.join(texts)}: give NAME=HZ, such as ravdess=1000 or male=5000") from None


if __name__ == "__main__":
    defaults = praat_voices.Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=Path, help="folder that holds one folder a corpus")
    parser.add_argument("corpora", nargs="+", help="names of corpora, such as ravdess")
    parser.add_argument(
        "--floor", type=float, default=defaults.floor, help="of Praat's pitch, Hz (default: %(default)s)"
    )
    known = " ".join(f"{name}={hz:g}" for name, hz in defaults.ceilings.items())
    parser.add_argument(
        "--ceiling",
        nargs="+",
        default=[],
        metavar="CORPUS=HZ",
        help=f"of Praat's pitch (default: {known}, otherwise {defaults.ceiling:g})",
    )
    known = " ".join(f"{name}={hz:g}" for name, hz in defaults.formant_ceilings.items())
    parser.add_argument(
        "--formant-ceiling",
        nargs="+",
        default=[],
        metavar="SEX=HZ",
        help=f"below which Praat looks for five formants (default: {known}, otherwise {defaults.formant_ceiling:g})",
    )
    parser.add_argument(
        "--report", type=Path, default=REPORT, help="JSON that is written (default: reports/benchmarks/voices.json)"
    )
    arguments = parser.parse_args()
    settings = defaults._replace(
        floor=arguments.floor,
        ceilings=frequencies(arguments.ceiling, defaults.ceilings),
        formant_ceilings=frequencies(arguments.formant_ceiling, defaults.formant_ceilings),
    )
    with stage_errors():
        sys.exit(bench(arguments.raw.resolve(), arguments.corpora, settings, arguments.report.resolve()))

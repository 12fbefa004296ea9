"""How sure the intervals are: simulated speakers, and how often a 95 % interval of the UAR holds the true one.

Beside it, how often the paired test calls two equally good models different at 5 %. The simulation is that of the
tests (tests/speaker_simulation.py). Writes reports/benchmarks/intervals.json.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "stages"), str(ROOT / "tests")]

from tqdm import tqdm  # noqa: E402

from ser.storage.whole_files import write_json  # noqa: E402
from speaker_simulation import CORPORA, covered_and_rejected  # noqa: E402

SPEAKERS = (10, 12, 16, 24)


def main(runs: int) -> None:
    results = {}
    with tqdm(total=len(CORPORA) * len(SPEAKERS), unit="simulation") as progress:
        for name, corpus in CORPORA.items():
            results[name] = {}
            for speakers in SPEAKERS:
                covered, rejected = covered_and_rejected(corpus, runs, speakers)
                results[name][f"{speakers} speakers"] = {"covered": round(covered, 1), "rejected": round(rejected, 1)}
                progress.update()
    write_json({"runs": runs, "percent": results}, ROOT / "reports/benchmarks/intervals.json")
    for name, by_speakers in results.items():
        cells = (f"{cell['covered']:.1f} / {cell['rejected']:.1f}" for cell in by_speakers.values())
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000, help="of each simulation (default: 2000)")
    main(parser.parse_args().runs)

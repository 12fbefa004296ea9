"""How often the audit reports a cue where nothing tells the emotions: simulated corpora, emotions shuffled.

The simulation is that of the tests (tests/cue_simulation.py). Writes reports/benchmarks/cues.json.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "stages"), str(ROOT / "tests")]

from scipy import stats  # noqa: E402
from tqdm import tqdm  # noqa: E402

from cue_simulation import CLIPS, DRAWN, count_reported  # noqa: E402
from ser.storage.whole_files import write_json  # noqa: E402


def main(runs: int) -> None:
    results = {}
    with tqdm(total=len(DRAWN) * len(CLIPS), unit="simulation") as progress:
        for kind, draw in DRAWN.items():
            results[kind] = {}
            for clips in CLIPS:
                found = count_reported(draw, clips, runs)
                interval = stats.binomtest(found["any"], runs).proportion_ci()
                results[kind][f"{clips} clips"] = {
                    "percent": round(100 * found["any"] / runs, 1),
                    "interval": [round(100 * bound, 1) for bound in (interval.low, interval.high)],
                    "by_cue": dict(sorted((cue, count) for cue, count in found.items() if cue != "any")),
                }
                progress.update()
    write_json({"runs": runs, "reported": results}, ROOT / "reports/benchmarks/cues.json")
    for kind, by_clips in results.items():
        cells = (f"{cell['percent']} ({cell['interval'][0]}–{cell['interval'][1]})" for cell in by_clips.values())
        print(f"| {kind} | {' | '.join(cells)} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="of each simulation (default: 1000)")
    main(parser.parse_args().runs)

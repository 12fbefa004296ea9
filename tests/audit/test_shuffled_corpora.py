"""How often a cue is reported of corpora in which nothing tells the emotions, and how often one that does."""

import numpy as np
import pytest
from scipy import stats

from conftest import FULL
from cue_simulation import CLIPS, DRAWN, count_reported, planted, reported, shuffled

pytestmark = pytest.mark.verify

RUNS = 1000 if FULL else 100
HIGHEST = 0.02  # of the corpora, at a nominal level of 0.01


@pytest.mark.parametrize("clips", CLIPS)
@pytest.mark.parametrize("kind", ["balanced", "unbalanced"])
def test_hardly_any_corpus_of_shuffled_emotions_shows_a_cue(kind, clips):
    found = count_reported(DRAWN[kind], clips, RUNS)
    interval = stats.binomtest(found["any"], RUNS).proportion_ci()
    print(f"{kind}, {clips} clips: {found['any']} of {RUNS}, {interval.low:.1%} to {interval.high:.1%}; {dict(found)}")
    assert found["any"] <= HIGHEST * RUNS
    assert interval.high <= HIGHEST or not FULL


@pytest.mark.parametrize("kind", ["balanced", "unbalanced"])
def test_a_cue_worth_a_fifth_above_chance_is_found_in_200_clips(kind):
    runs = RUNS // 5
    found = 0
    for run in range(runs):
        rng = np.random.default_rng(run)
        found += "seconds" in reported(planted(shuffled(DRAWN[kind](200, rng), rng), 0.2, rng), run)
    interval = stats.binomtest(found, runs).proportion_ci()
    print(f"{kind}: {found} of {runs}, {interval.low:.1%} to {interval.high:.1%}")
    assert interval.low >= 0.8 if FULL else found >= 0.8 * runs

import numpy as np
import pytest

from ser.networks.early_stopping import EarlyStopping, ValidationScores, validation_scores


def run(scores: list[tuple[float, float]], patience: int | None) -> tuple[EarlyStopping, int]:
    """Return the state after (uar, loss) of each epoch, and the epoch it ended at."""
    stopping = EarlyStopping(patience)
    for epoch, (uar, loss) in enumerate(scores, start=1):
        stopping.update(epoch, ValidationScores(loss, 0.0, uar), lambda epoch=epoch: f"weights {epoch}")
        if stopping.is_over:
            break
    return stopping, epoch


def test_highest_uar_wins_and_lower_loss_breaks_ties():
    stopping, _ = run([(0.5, 1.0), (0.7, 0.9), (0.7, 0.8), (0.7, 0.85), (0.6, 0.1)], patience=10)
    assert stopping.best_epoch == 3
    assert stopping.best_weights == "weights 3"


def test_a_lower_loss_alone_does_not_prolong_the_training():
    stopping, last = run([(1.0, 1.0), (1.0, 0.9), (1.0, 0.8), (1.0, 0.7)], patience=2)
    assert last == 3
    assert stopping.best_epoch == 3


def test_a_higher_uar_starts_patience_anew():
    _, last = run([(0.5, 1.0), (0.4, 1.0), (0.6, 1.0), (0.5, 1.0), (0.5, 1.0), (0.9, 1.0)], patience=2)
    assert last == 5


def test_without_patience_nothing_is_chosen_by_validation():
    stopping, last = run([(0.9, 1.0), (0.5, 2.0), (0.4, 3.0)], patience=None)
    assert last == 3 and not stopping.is_over
    assert stopping.best_epoch == 3 and stopping.best_weights == "weights 3"


def test_scores_by_hand():
    probabilities = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1]])
    scores = validation_scores(probabilities, np.array([0, 0, 0, 1]))
    assert scores.uar == 1.0  # the third class does not occur
    scores = validation_scores(probabilities, np.array([0, 0, 1, 1]))
    assert scores.accuracy == 0.75
    assert scores.uar == pytest.approx((1 + 0.5) / 2)
    assert scores.loss == pytest.approx(-np.log([0.8, 0.6, 0.4, 0.7]).mean())


def test_uar_weighs_classes_equally():
    probabilities = np.tile([0.9, 0.1], (10, 1))
    scores = validation_scores(probabilities, np.array([0] * 9 + [1]))
    assert scores.accuracy == 0.9
    assert scores.uar == 0.5

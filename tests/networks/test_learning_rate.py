from types import SimpleNamespace

import pytest
import torch

from ser.networks.learning_rate import scheduled_rate


def settings(**changes) -> SimpleNamespace:
    return SimpleNamespace(**dict(learning_rate=0.4, schedule="cosine", warmup_epochs=0, epochs=10) | changes)


def test_cosine_is_that_of_torch():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    for epoch in range(11):
        assert scheduled_rate(epoch, settings()) == pytest.approx(schedule.get_last_lr()[0], abs=1e-9)
        optimizer.step()
        schedule.step()


def test_warms_up_from_zero():
    rising = settings(schedule="constant", warmup_epochs=2)
    assert [scheduled_rate(progress, rising) for progress in (0, 0.5, 1, 2, 9.9)] == [0, 0.1, 0.2, 0.4, 0.4]

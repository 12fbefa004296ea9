import pytest
import torch

from ser.networks.recurrent_layers import Dropout, _mirrored, _reorder


def test_dropout_keeps_the_mean_and_drops_the_share():
    dropout, values = Dropout(0.3), torch.ones(500, 401)
    torch.manual_seed(0)
    dropped = dropout(values)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.005)
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.7])
    # neighbours are dropped independently of each other
    zeros = dropped == 0
    assert (zeros[:, 1:] & zeros[:, :-1]).float().mean().item() == pytest.approx(0.09, abs=0.005)
    assert dropout.eval()(values) is values
    assert Dropout(0.0)(values) is values


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_dropout_passes_gradients_where_it_passes_values(kind):
    values = torch.ones(7, 3, dtype=kind, requires_grad=True)
    dropped = Dropout(0.5)(values)
    dropped.sum().backward()
    assert dropped.dtype == kind
    assert torch.equal(values.grad, dropped.detach())


def test_clips_are_reversed_within_their_length_and_so_are_gradients():
    values, lengths = torch.arange(12.0).reshape(4, 3, 1).requires_grad_(), torch.tensor([4, 1, 3])
    order = _mirrored(values, lengths)
    turned = _reorder(values, order)
    assert turned[:, :, 0].T.tolist() == [[9, 6, 3, 0], [1, 4, 7, 10], [8, 5, 2, 11]]
    assert torch.equal(_reorder(turned, order), values)
    assert torch.autograd.gradcheck(lambda v: _reorder(v, order), values.detach().double().requires_grad_())

"""The loss is D(U||P) per sample, U uniform over the difference.  (Paper 4)"""

import math

import torch

from ripieno.training.loss import change_nats, edit_kl, n_left_of


def difference_at(*cells: tuple[int, int], n_samples: int = 1) -> torch.Tensor:
    difference = torch.zeros(n_samples, 1, 4, 8, dtype=torch.bool)
    for step, pitch in cells:
        difference[:, 0, step, pitch] = True
    return difference


def test_a_model_that_knows_the_difference_loses_nothing() -> None:
    difference = difference_at((0, 3), (2, 5))
    logits = torch.where(difference, 0.0, -1e9)
    assert abs(float(edit_kl(logits, difference)[0])) < 1e-6


def test_a_model_that_knows_nothing_loses_log_of_cells_over_differences() -> None:
    difference = difference_at((0, 3), (2, 5))
    expected = math.log(32 / 2)
    assert abs(float(edit_kl(torch.zeros(1, 1, 4, 8), difference)[0]) - expected) < 1e-5


def test_samples_of_a_batch_do_not_share_a_softmax() -> None:
    difference = difference_at((1, 1), n_samples=2)
    logits = torch.randn(2, 1, 4, 8)
    raised = logits.clone()
    raised[1] += 100
    torch.testing.assert_close(edit_kl(logits, difference), edit_kl(raised, difference), rtol=1e-4, atol=1e-4)


def test_an_input_equal_to_its_target_teaches_no_edit_but_that_none_is_left() -> None:
    nothing = difference_at()
    logits = torch.randn(1, 1, 4, 8, requires_grad=True)
    edit_kl(logits, nothing).sum().backward()
    assert logits.grad is not None
    assert not logits.grad.any()
    change = torch.zeros(1, 1, 4, 8, requires_grad=True)
    change_nats(change, nothing).sum().backward()
    assert change.grad is not None
    assert (change.grad > 0).all()  # downhill is towards "no change"


def test_cells_that_can_never_change_may_score_minus_infinity() -> None:
    difference = difference_at((0, 3))
    logits = torch.zeros(1, 1, 4, 8)
    logits[..., 7] = -torch.inf
    assert torch.isfinite(edit_kl(logits, difference)).all()


def test_n_left_adds_up_the_chances_of_change() -> None:
    change = torch.full((2, 1, 4, 8), -100.0)
    change[0, 0, 0, :3] = 100.0
    change[0, 0, 1, 0] = 0.0
    torch.testing.assert_close(n_left_of(change), torch.tensor([3.5, 0.0]))

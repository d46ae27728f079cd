"""The sweep's gradient is the usual code's: piece by piece, and on random critics with every loss and penalty."""

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from gradgan.engine import sweep

from .critics import HEADS, LOSSES, TERMS, Case, error, plans
from .pieces import pieces

EVERY_PIECE = [(d, name) for d in range(4) for name in sorted(pieces(d))]


def assert_agree(case: Case, *, within: float, engines: tuple[str, ...] = ("sweep", "double_backward")) -> None:
    usual, wanted = case.gradient("usual")
    for engine in engines:
        parts, got = case.gradient(engine)
        assert parts.engine == (engine if parts.penalties else "double_backward")
        assert error(got, wanted) <= within, engine
        for numbers, reference in ((parts.slopes, usual.slopes), (parts.penalties, usual.penalties)):
            assert list(numbers) == list(reference)
            for name, value in numbers.items():
                torch.testing.assert_close(value, reference[name])
        torch.testing.assert_close((parts.loss, parts.real_scores, parts.fake_scores),
                                   (usual.loss, usual.real_scores, usual.fake_scores))  # fmt: skip


@pytest.mark.parametrize(("d", "name"), EVERY_PIECE, ids=str)
def test_every_piece_is_swept_exactly(d: int, name: str) -> None:
    for zeros in (False, True):
        assert_agree(Case(d, ("leaky_relu", name, "leaky_relu"), "flatten", zeros=zeros), within=1e-12)


@pytest.mark.parametrize("head", HEADS)
def test_every_head_is_swept_exactly(head: str) -> None:
    for d in (0, 2):
        assert_agree(Case(d, ("leaky_relu", "conv", "relu"), head), within=1e-12)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_every_loss_and_penalty(loss: object, term: str) -> None:
    for terms in ((term,), (term, "r2" if term != "r2" else "wgan_gp")):
        assert_agree(Case(2, ("leaky_relu", "strided conv", "relu"), "flatten", loss=loss, terms=terms), within=1e-12)


class Shifted(nn.Module):
    """A matrix product with a term of some shape, fitted to the batch by its label."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.term = nn.Parameter(torch.randn(shape, dtype=torch.float64))
        self.weight = nn.Parameter(torch.randn(3, 4, dtype=torch.float64))
        self.head = nn.Linear(4, 1, dtype=torch.float64)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        term = self.term[y] if len(self.term) == 5 else self.term
        return self.head(torch.addmm(term, x, self.weight, beta=0.5, alpha=2).relu())


@pytest.mark.parametrize("shape", [(5, 4), (5, 1), (4,), (1,), (1, 4), (1, 1)], ids=str)
def test_a_term_of_any_shape_may_be_added_to_a_product(shape: tuple[int, ...]) -> None:
    case = Case(0, (), "sum", n=4)
    case.critic, case.labels = Shifted(shape), torch.tensor([0, 4, 4, 2])
    assert_agree(case, within=1e-12)


def test_large_batches_are_swept_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "_SHARE_UP_TO", 0)
    for terms in (("r2", "r1"), ("dragan", "r1"), ("wgan_gp", "r2", "zero_gp"), ("r1", "r2", "wgan_gp", "dragan")):
        assert_agree(Case(2, ("leaky_relu", "residual", "max pool"), "projection", terms=terms), within=1e-12)


@settings(max_examples=220)
@given(plans())
def test_random_critics_in_float64(plan: dict) -> None:
    assert_agree(Case(**plan), within=1e-10)


# Always the same examples: in float32 a pre-activation within rounding of 0 may fall on either side of its kink.
@settings(max_examples=100, derandomize=True)
@given(plans())
def test_random_critics_in_float32(plan: dict) -> None:
    assert_agree(Case(**plan, dtype=torch.float32), within=1e-5)

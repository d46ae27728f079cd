"""Gradients that are differentiated again: values, who is reached, what is refused."""

import pytest
import torch
from torch import Tensor, nn

from gradgan.core.checks import GradganError
from gradgan.core.gradients import (
    input_gradient,
    latent_gradient,
    norm,
    parameter_gradient,
    sample_gradient,
    squared_norm,
)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cubic(x: Tensor) -> Tensor:
    return x.pow(3).flatten(1).sum(1)


def test_input_gradient_gives_scores_and_each_samples_own_slope() -> None:
    x = draw(4, 2, 3)
    scores, gradient = input_gradient(cubic, x)
    torch.testing.assert_close(scores, cubic(x))
    torch.testing.assert_close(gradient, 3 * x.square())
    assert gradient.requires_grad


def test_input_gradient_works_under_no_grad_and_leaves_x_alone() -> None:
    x = draw(4, 2).requires_grad_()
    with torch.no_grad():
        _, gradient = input_gradient(cubic, x)
    gradient.sum().backward()
    assert x.grad is None


def test_through_differentiates_by_x_itself() -> None:
    latent = draw(4, 2).requires_grad_()
    x = 2 * latent
    _, gradient = input_gradient(cubic, x, through=True)
    gradient.sum().backward()
    # d(3 x^2)/d(latent) = 6 x 2
    torch.testing.assert_close(latent.grad, 12 * x.detach())


def test_through_wants_a_graph() -> None:
    with pytest.raises(GradganError, match="through=True wants an x that was made in a graph, got a detached one"):
        input_gradient(cubic, draw(4, 2), through=True)


def test_a_critic_that_is_constant_in_everything_has_slope_0() -> None:
    _, gradient = input_gradient(lambda x: torch.ones(len(x), dtype=x.dtype), draw(4, 2))
    assert not bool(gradient.any())


def test_a_critic_that_cuts_its_input_off_is_refused() -> None:
    layer = nn.Linear(2, 1, dtype=torch.float64)
    with pytest.raises(GradganError, match=CUT):
        input_gradient(lambda x: layer(x.detach()), draw(4, 2))


def test_input_gradient_refuses_what_has_no_slope_of_its_own() -> None:
    critic = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)).double()
    with pytest.raises(GradganError, match=r"mine: critic\.1 is BatchNorm1d"):
        input_gradient(critic, draw(4, 2), caller="mine")
    with pytest.raises(GradganError, match=r"mine: the critic returned shape \(4, 2\) for 4 samples"):
        input_gradient(lambda x: x, draw(4, 2), caller="mine")


def test_latent_gradient_runs_through_both_networks() -> None:
    weight, matrix, z = draw(3).requires_grad_(), draw(2, 3, seed=1).requires_grad_(), draw(5, 2, seed=2)
    gradient = latent_gradient(lambda x: x @ weight, lambda z: z @ matrix, z)
    torch.testing.assert_close(gradient, (matrix @ weight).expand(5, 2))
    squared_norm(gradient).sum().backward()
    torch.testing.assert_close(weight.grad, 10 * (matrix.T @ matrix @ weight).detach())
    assert matrix.grad is not None


def test_parameter_gradient_leaves_frozen_parameters_out_and_gives_zeros_for_unused_ones() -> None:
    used, unused, frozen = draw(3).requires_grad_(), draw(2).requires_grad_(), draw(4)
    value = used.pow(2).sum()
    gradients = parameter_gradient(value, [used, unused, frozen])
    assert len(gradients) == 2
    torch.testing.assert_close(gradients[0], 2 * used)
    assert not bool(gradients[1].any())
    gradients[0].sum().backward()
    torch.testing.assert_close(used.grad, torch.full((3,), 2.0, dtype=torch.float64))


def test_parameter_gradient_refuses_a_batch_and_a_frozen_network() -> None:
    p = draw(3).requires_grad_()
    with pytest.raises(GradganError, match=r"wanted one number, got shape \(3,\)\. Take the mean first"):
        parameter_gradient(p * 2, [p])
    with pytest.raises(GradganError, match="no parameter requires a gradient"):
        parameter_gradient(p.sum(), [p.detach()])
    with pytest.raises(GradganError, match=CUT):
        parameter_gradient(p.sum(), [draw(2).requires_grad_()])


def test_sample_gradient_keeps_the_graph_and_is_constant() -> None:
    x = draw(4, 2).requires_grad_()
    values = cubic(x)
    gradient = sample_gradient(values, x)
    torch.testing.assert_close(gradient, 3 * x.detach().square())
    assert not gradient.requires_grad
    values.sum().backward()


@pytest.mark.parametrize("event", [(3,), (2, 3), (3, 4, 5), (2, 3, 2, 2)], ids=str)
def test_norms_are_each_samples_own(event: tuple[int, ...]) -> None:
    gradient = draw(4, *event)
    wanted = torch.stack([one.norm() for one in gradient])
    torch.testing.assert_close(norm(gradient), wanted)
    torch.testing.assert_close(squared_norm(gradient), wanted.square())


def test_norms_of_channels_last_gradients() -> None:
    gradient = draw(2, 3, 4, 5)
    strided = gradient.to(memory_format=torch.channels_last)
    torch.testing.assert_close(norm(strided), norm(gradient))


def test_norm_has_derivative_0_at_0_and_is_right_beside_it() -> None:
    gradient = torch.zeros(3, 2, dtype=torch.float64)
    gradient[1] = torch.tensor([3.0, 4.0])
    gradient[2, 0] = 1e-150
    gradient.requires_grad_()
    value = norm(gradient)
    value.sum().backward()
    torch.testing.assert_close(value, torch.tensor([0.0, 5.0, 1e-150], dtype=torch.float64), atol=1e-160, rtol=1e-9)
    assert gradient.grad is not None
    wanted = torch.tensor([[0.0, 0.0], [0.6, 0.8], [1.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(gradient.grad, wanted)


def test_norm_does_not_mask_what_is_not_finite() -> None:
    gradient = torch.tensor([[float("nan"), 0.0], [float("inf"), 0.0]])
    assert bool(norm(gradient).isfinite().logical_not().all())


LAYER = nn.Linear(2, 1, dtype=torch.float64)


class Shift(nn.Module):
    """Scores that are a parameter, whatever the sample is."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.by.expand(len(x))


@pytest.mark.parametrize(
    "critic",
    [Shift(), lambda x: torch.nn.functional.dropout(torch.ones_like(x[:, 0])), torch.no_grad()(Shift())],
    ids=["a parameter", "dropout of a constant", "a parameter under no_grad"],
)
def test_a_critic_that_does_not_look_at_its_samples_has_slope_0(critic: object) -> None:
    before = torch.get_rng_state()
    _, gradient = input_gradient(critic, draw(4, 2))  # type: ignore[arg-type]
    assert not bool(gradient.any())
    torch.set_rng_state(before)
    assert not bool(latent_gradient(critic, lambda z: 2 * z, draw(4, 2)).any())  # type: ignore[arg-type]


CUT = r"got a value whose graph does not hold what it should be differentiated by.*no_grad"


def test_a_critic_that_runs_without_a_graph_is_refused() -> None:
    with pytest.raises(GradganError, match=CUT):
        input_gradient(torch.no_grad()(lambda x: LAYER(x)), draw(4, 2))
    with pytest.raises(GradganError, match=CUT):
        latent_gradient(LAYER, torch.no_grad()(lambda z: 2 * z), draw(4, 2))
    with pytest.raises(GradganError, match=CUT):
        parameter_gradient(LAYER(draw(4, 2)).mean().detach(), LAYER.parameters())


def test_inference_mode_is_refused_and_so_is_what_was_made_in_it() -> None:
    x = draw(4, 2)
    with torch.inference_mode():
        inside = draw(4, 2)
        for call in (
            lambda: input_gradient(LAYER, x),
            lambda: latent_gradient(LAYER, lambda z: z, x),
            lambda: parameter_gradient(LAYER(x).mean(), LAYER.parameters()),
        ):
            with pytest.raises(GradganError, match=r"called within torch\.inference_mode.*Use torch\.no_grad"):
                call()
    with pytest.raises(GradganError, match=r"mine: got samples made in torch\.inference_mode.*x\.clone\(\)"):
        input_gradient(LAYER, inside, caller="mine")
    input_gradient(LAYER, inside.clone())

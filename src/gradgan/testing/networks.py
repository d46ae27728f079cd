"""check_network: what a generator, critic, encoder or field must do."""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..core.gradients import input_gradient, squared_norm
from ..core.rng import isolated
from .claims import claim, close, is_finite, prove

Role = Literal["generator", "critic", "encoder", "field"]


def check_network(
    make: Callable[..., nn.Module], event: Sequence[int], latent: int, classes: int, role: Role, **options: Any
) -> None:
    """Prove the networks that `make` makes, for samples of shape `event`.

        generator (z, labels) -> (n, *event)         encoder (x, labels) -> mean, log variance, (n, latent) each
        critic    (x, labels) -> (n,)                field   (x) -> (n, *event)

    `make` is called with those of event, latent, classes that it takes, and with `options`. Labels are given where
    classes > 0; a field has none. Raises AssertionError for the first property that does not hold.
    """
    takes = inspect.signature(make).parameters
    given = {"event": tuple(event), "latent": latent, "classes": classes}
    if classes and "classes" not in takes:
        raise AssertionError(f"network: make takes no classes, got classes={classes}; wanted 0.")
    options = {name: value for name, value in given.items() if name in takes} | options

    def build(seed: int) -> nn.Module:
        with isolated(seed, "init"):
            return make(**options).double()

    name = f"{role} {getattr(make, '__name__', '?')!r} for samples of {tuple(event)}"
    name += f" of {classes} classes" if classes else ""
    prove(name, (*COMMON, *OF_ROLE[role]), Trial(build, tuple(event), latent, classes, role))


@dataclass(frozen=True)
class Trial:
    """A way to build the network, and what it is to serve."""

    build: Callable[[int], nn.Module]
    event: tuple[int, ...]
    latent: int
    classes: int
    role: Role

    def inputs(self, n: int, seed: int = 0) -> Tensor:
        """Latents for a generator, samples for the others."""
        shape = (self.latent,) if self.role == "generator" else self.event
        generator = torch.Generator().manual_seed(seed)
        return torch.randn((n, *shape), generator=generator, dtype=torch.float64)

    def call(self, network: nn.Module, x: Tensor, first: int = 0) -> tuple[Tensor, ...]:
        """The outputs, as a tuple; labels count up from `first` where there are classes."""
        labels = ((torch.arange(len(x)) + first) % self.classes,) if self.classes else ()
        out = network(x, *labels)
        return out if isinstance(out, tuple) else (out,)

    def same(self, one: nn.Module, other: nn.Module, where: str) -> None:
        """Fail unless both answer alike, to the last bit, in eval mode."""
        x = self.inputs(3)
        for got, wanted in zip(self.call(one.eval(), x), self.call(other.eval(), x), strict=True):
            close(got, wanted.detach(), where=where, tolerance=0.0)


def _output_shape(trial: Trial) -> None:
    """Its output has its role's shape for 1 and for 3 samples, and is finite."""
    wanted = {
        "generator": trial.event,
        "field": trial.event,
        "critic": (),
        "encoder": (trial.latent,),
    }[trial.role]
    network = trial.build(0)
    for n, mode in ((1, False), (3, False), (3, True)):
        outs = trial.call(network.train(mode), trial.inputs(n))
        parts = 2 if trial.role == "encoder" else 1
        claim(len(outs) == parts, f"got {len(outs)} outputs, wanted {parts}")
        for out in outs:
            claim(out.shape == (n, *wanted), f"got shape {tuple(out.shape)}, wanted {(n, *wanted)}")
            is_finite(out, where=f"output for {n} samples")


def _deterministic(trial: Trial) -> None:
    """In eval mode the same input gives the same output, and the input and its own buffers are left alone."""
    network, x = trial.build(0).eval(), trial.inputs(3)
    state = copy.deepcopy(network.state_dict())
    first, again = trial.call(network, x), trial.call(network, x)
    for got, wanted in zip(again, first, strict=True):
        close(got, wanted.detach(), where="second call", tolerance=0.0)
    close(x, trial.inputs(3), where="input after the call", tolerance=0.0)
    for name, value in network.state_dict().items():
        claim(torch.equal(value, state[name]), f"got {name} changed by a call in eval mode")


def _copies(trial: Trial) -> None:
    """A deepcopy, and another one that loads its state_dict, give equal outputs."""
    network = trial.build(0)
    trial.call(network.train(), trial.inputs(3))
    trial.same(copy.deepcopy(network), network, "deepcopy")
    other = trial.build(1)
    other.load_state_dict(network.state_dict())
    trial.same(other, network, "state_dict round trip")


def _every_parameter_learns(trial: Trial) -> None:
    """A gradient reaches every parameter."""
    # In eval mode: in train mode a bias before batch normalisation rightly gets none.
    network = trial.build(0).eval()
    outs = trial.call(network, trial.inputs(max(4, trial.classes)))
    weights = torch.Generator().manual_seed(1)
    total = [(out * torch.randn(out.shape, generator=weights, dtype=out.dtype)).sum() for out in outs]
    torch.stack(total).sum().backward()
    for name, parameter in network.named_parameters():
        reached = parameter.grad is not None and bool(parameter.grad.abs().max() > 0)
        claim(reached, f"got {'no' if parameter.grad is None else 'a zero'} gradient at {name}, wanted one")
        assert parameter.grad is not None
        is_finite(parameter.grad, where=f"gradient at {name}")


def _input_matters(trial: Trial) -> None:
    """Other inputs give other outputs, and so do other labels where it has classes."""
    network = trial.build(0).eval()
    for outs, what in (
        (trial.call(network, trial.inputs(3, seed=5)), "inputs"),
        (trial.call(network, trial.inputs(3), first=1), "labels"),
    ):
        if what == "inputs" or trial.classes > 1:
            before = trial.call(network, trial.inputs(3))
            moved = any(not torch.equal(a, b) for a, b in zip(outs, before, strict=True))
            claim(moved, f"got the same output for other {what}")


def _samples_apart(trial: Trial) -> None:
    """A critic's score depends on its own sample only, in train mode too."""
    network, x = trial.build(0).train(), trial.inputs(3).requires_grad_()
    (scores,) = trial.call(network, x)
    (gradient,) = torch.autograd.grad(scores[0], x)
    leak = float(gradient[1:].abs().max())
    claim(leak == 0, f"got a slope of {leak:.3g} of one score by another sample, wanted 0: leave out batch statistics")


def _double_backward(trial: Trial) -> None:
    """A gradient penalty on the critic has finite gradients, also at a flat input."""
    network = trial.build(0).train()
    for x in (trial.inputs(3), torch.zeros_like(trial.inputs(3))):
        _, gradient = input_gradient(lambda x: trial.call(network, x)[0], x)
        squared_norm(gradient).sum().backward()
        for name, parameter in network.named_parameters():
            if parameter.grad is not None:
                is_finite(parameter.grad, where=f"gradient of a penalty at {name}")
    claim(any(p.grad is not None for p in network.parameters()), "got no gradient of a penalty at any parameter")


COMMON = (_output_shape, _deterministic, _copies, _every_parameter_learns, _input_matters)
OF_ROLE: dict[Role, tuple[Callable[[Trial], None], ...]] = {
    "generator": (),
    "critic": (_samples_apart, _double_backward),
    "encoder": (),
    "field": (),
}

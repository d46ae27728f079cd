"""check_metric: what every metric must do."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from .claims import claim, prove

_FEW, _MANY = 400, 1600


def check_metric(metric: Any, facts: Mapping[str, Any], given: Callable[..., Any]) -> None:
    """Prove a metric: `metric(given(...))` returns an estimate, an object with `value`, `error` and `method`.

    `facts["needs"]`: what it looks at; `facts["best"]`: its value for samples of the data's own distribution, None
    where the data decide; `facts["better"]`: lower, higher, nearer or neither. `given` makes its input of keywords
    (`gradgan.metrics.INPUTS[needs]`):

        mixture   samples (n, 2), centres (4, 2), spread        classes  generated (n,), real (n,), classes
        features  generated, held_out, training, each (n, 4)    critic   critic, real (n, 2), fake (n, 2)
                                                                generator  generator, latents (n, 2)

    For what is measured of a network, `facts["on_linear"]` gives the value on a linear one of a given slope.
    Raises AssertionError for the first property that does not hold, with what was got and what was wanted.
    """
    prove(f"metric {metric.name!r}", PROPERTIES, metric, facts, given)


def case(needs: str, quality: str, n: int, dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    """The keywords of an input: n samples that are "perfect", of the data's own distribution, or "bad", such as any
    metric must condemn: collapsed to a point, and mostly far from the data."""
    rng = torch.Generator().manual_seed(7)

    def normal(width: int) -> Tensor:
        return torch.randn(n, width, generator=rng, dtype=torch.float64).to(dtype)

    bad = quality == "bad"
    if needs == "mixture":
        centres = torch.tensor([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0], [9.0, 9.0]], dtype=dtype)
        chosen = torch.randint(4, (n,), generator=rng)
        far = 5.0 * (torch.arange(n) % 3 > 0)[:, None].to(dtype)
        samples = normal(2) / 4 + (far if bad else centres[chosen])
        return {"samples": samples, "centres": centres, "spread": 0.25}
    if needs == "features":
        generated = normal(4) / 10 + 5 if bad else normal(4)
        return {"generated": generated, "held_out": normal(4), "training": normal(4)}
    if needs == "classes":
        real, drawn = (torch.randint(5, (n,), generator=rng) for _ in range(2))
        return {"generated": drawn * 0 + (torch.arange(n) % 5 == 0) if bad else drawn, "real": real, "classes": 5}
    if needs == "critic":
        steep = 9.0 if bad else 1.0
        return {"critic": lambda x: (steep * x).tanh().sum(1), "real": normal(2), "fake": normal(2)}
    return {"generator": lambda z: z**3 if bad else z.sin(), "latents": normal(2)}


def linear_case(needs: str, slope: float) -> dict[str, Any]:
    """A critic of the same slope everywhere, or a generator that multiplies by it."""
    x = torch.linspace(-1, 1, 40, dtype=torch.float64).reshape(20, 2)
    if needs == "generator":
        return {"generator": lambda z: slope * z, "latents": x}
    return {"critic": lambda points: slope * points.sum(1) / 2**0.5, "real": x, "fake": x.flip(0)}


def _estimates(metric: Any, facts: Mapping[str, Any], given: Callable[..., Any]) -> None:
    """It gives a finite value with a standard error that is not negative, and says how that was found."""
    for quality in ("perfect", "bad"):
        got = metric(given(**case(facts["needs"], quality, _FEW)))
        claim(math.isfinite(got.value), f"got value {got.value}, wanted a finite number")
        claim(math.isfinite(got.error) and got.error >= 0, f"got error {got.error}, wanted a finite number >= 0")
        claim(isinstance(got.method, str) and got.method != "", f"got method {got.method!r}, wanted its name")


def _repeats(metric: Any, facts: Mapping[str, Any], given: Callable[..., Any]) -> None:
    """It gives the same again, moves no random generator of torch's, and leaves its input alone."""
    parts = case(facts["needs"], "bad", _FEW)
    tensors = {name: part for name, part in parts.items() if isinstance(part, Tensor)}
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    state = torch.get_rng_state()
    one, other = (metric(given(**parts)) for _ in range(2))
    claim(one == other, f"got {one}, then {other}")
    claim(torch.equal(state, torch.get_rng_state()), "got torch's global random generator moved")
    for name, tensor in tensors.items():
        claim(torch.equal(tensor, before[name]), f"got {name} changed")


def _judges(metric: Any, facts: Mapping[str, Any], given: Callable[..., Any]) -> None:
    """It tells the data's own distribution from collapsed samples, in the direction and at the best that it claims."""
    perfect, bad = (metric(given(**case(facts["needs"], q, _MANY))).value for q in ("perfect", "bad"))
    better, best = facts["better"], facts["best"]
    claim(better in ("lower", "higher", "nearer", "neither"), f"got better={better!r}")
    if better in ("lower", "higher"):
        right = perfect < bad if better == "lower" else perfect > bad
        claim(right, f"got {perfect:.4g} for the data and {bad:.4g} for bad samples, wanted the first to be {better}")
    if best is not None:
        claim(
            abs(perfect - best) < 0.1 * abs(bad - best),
            f"got {perfect:.4g} for the data and {bad:.4g} for bad samples, wanted the first near {best}",
        )


def _learns(metric: Any, facts: Mapping[str, Any], given: Callable[..., Any]) -> None:
    """Its error falls with the number of samples."""
    few, many = (metric(given(**case(facts["needs"], "perfect", n))).error for n in (_FEW, _MANY))
    claim(many < few or few <= 1e-6, f"got error {few:.3g} of {_FEW} samples and {many:.3g} of {_MANY}")


def _any_precision(metric: Any, facts: Mapping[str, Any], given: Callable[..., Any]) -> None:
    """It gives the same of float32 and of float64."""
    low, high = (
        metric(given(**case(facts["needs"], "bad", _FEW, dtype))).value for dtype in (torch.float32, torch.float64)
    )
    claim(abs(low - high) <= 1e-3 * max(1.0, abs(high)), f"got {low:.6g} and {high:.6g}")


def _on_linear(metric: Any, facts: Mapping[str, Any], given: Callable[..., Any]) -> None:
    """On a linear network of given slope it gives what it claims."""
    if "on_linear" in facts:
        for slope in (0.5, 3.0):
            got, wanted = metric(given(**linear_case(facts["needs"], slope))), facts["on_linear"](slope)
            claim(abs(got.value - wanted) < 1e-4, f"got {got.value:.6g} at slope {slope}, wanted {wanted:.6g}")
            claim(got.error < 1e-4, f"got error {got.error:.3g} where every point has the same slope, wanted 0")


PROPERTIES = (_estimates, _repeats, _judges, _learns, _any_precision, _on_linear)

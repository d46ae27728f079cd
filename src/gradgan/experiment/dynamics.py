"""The Dirac-GAN: a system's dynamics where they can be computed in closed form.

Real data at 0, G(z) = theta + s z with z = +1 and -1, D(x) = psi x, and simultaneous gradient flow
d psi/dt = -dL_critic/d psi, d theta/dt = -dL_generator/d theta.    Source: Mescheder et al. 2018, arXiv:1801.04406.
GC-GAN's third player learns one number too: q(v) = phi v, its score of a gradient v; synthetic: Q(x) = phi, a gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..core.checks import finite
from ..core.scene import Scene
from ..report import phase_portrait
from ..systems import SYSTEMS, System
from ..training.steps import objective
from .closed_forms import closed_form, ordered

_NEAR = 3e-3
"""Half the width of the wider central difference; the narrower one is a tenth of it."""


class _Line(nn.Module):
    """D(x) = psi x, or G(z) = theta + spread z: one number to learn."""

    def __init__(self, value: float, spread: float | None = None) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor([value], dtype=torch.float64))
        self.spread = spread

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.value)[:, 0] if self.spread is None else self.value + self.spread * x


class _Everywhere(nn.Module):
    """Q(x) = phi: the gradient that it predicts at any sample; on a linear critic the true one is the same at all."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor([value], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.value.expand_as(x)


_THIRD = {"critic": _Line, "field": _Everywhere}
"""What a third player of each role is here."""


@dataclass(frozen=True)
class Dynamics:
    """A system on the Dirac-GAN; points are (psi, theta), with a third player (psi, theta, phi)."""

    system: System
    spread: float

    @classmethod
    def of(
        cls, name: str, *, weight: float | None = None, spread: float | None = None, reading: str | None = None
    ) -> "Dynamics":
        """By name, with `weight` (1) for each of its penalties."""
        system: System = SYSTEMS.make(name, **({} if reading is None else {"reading": reading}))
        weight = 1.0 if weight is None else finite(weight, what="weight", minimum=0)
        along_latent = any(hasattr(term.penalty, "sign") for term in system.terms)
        spread = (1.0 if along_latent else 0.0) if spread is None else finite(spread, what="spread", minimum=0)
        terms = tuple(replace(term, weight=weight, every=1) for term in system.terms)
        return cls(replace(system, terms=terms), spread)

    @property
    def names(self) -> list[str]:
        """The players, in the order of the coordinates."""
        return ["critic", "generator", *(extra.player.name for extra in self.system.extras)]

    def field(self, psi: float, theta: float, *others: float) -> np.ndarray:
        """(d psi/dt, d theta/dt, ...): minus each player's own gradient, by the very code that trains."""
        networks: dict[str, nn.Module] = {"critic": _Line(psi), "generator": _Line(theta, self.spread)}
        for extra, value in zip(self.system.extras, others, strict=True):
            networks[extra.player.name] = _THIRD[extra.role](value)
        players = {player.name: player for player in self.system.players()}
        velocity = []
        for player in (players[name] for name in self.names):
            z = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
            # The points between are drawn by wgan_gp; on a linear critic the slope is the same at all of them.
            scene = Scene(
                payer=player.name,
                networks=networks,
                loss=self.system.loss,
                real=torch.zeros_like(z),
                z=z,
                rng=torch.Generator().manual_seed(0),
            )
            total, _ = objective(player, scene, step=0, progress=0.0)
            own = networks[player.name].get_parameter("value")
            assert total is not None
            (gradient,) = torch.autograd.grad(total, [own], allow_unused=True)
            velocity.append(0.0 if gradient is None else -float(gradient))
        return np.array(velocity)

    def jacobian(self) -> np.ndarray | None:
        """The field's Jacobian at the equilibrium 0, None where it has none (WGAN-GP's field jumps at psi = 0)."""
        wide, narrow = self._difference(_NEAR), self._difference(_NEAR / 10)
        # A jump divided by a tenth of the width is ten times as steep; a derivative is the same.
        if not np.allclose(wide, narrow, rtol=1e-2, atol=1e-4):
            return None
        # Richardson: the error of a central difference goes as the square of its width, so a hundredth is left over.
        return narrow + (narrow - wide) / 99

    def _difference(self, width: float) -> np.ndarray:
        """Central differences of the field at 0, one column for each coordinate."""
        units = np.eye(len(self.names))
        columns = [(self.field(*(width * unit)) - self.field(*(-width * unit))) / (2 * width) for unit in units]
        return np.stack(columns, axis=1)

    def eigenvalues(self) -> np.ndarray | None:
        """The eigenvalues of the Jacobian, None where there is none."""
        jacobian = self.jacobian()
        if jacobian is None:
            return None
        if len(jacobian) > 2:
            return np.array(ordered(np.linalg.eigvals(jacobian)))
        # At a double eigenvalue (fastest convergence) a root magnifies the Jacobian's last digits, 1e-13; what is
        # smaller than 1e-12 under the root is taken for 0, an error of 1e-6 at most.
        half, determinant = np.trace(jacobian) / 2, np.linalg.det(jacobian)
        square = half**2 - determinant
        root = np.sqrt(complex(0.0 if abs(square) < 1e-12 else square))
        return np.array([half + root, half - root])

    def trajectory(self, *, start: tuple[float, float] = (1.0, 1.0), time: float = 30.0, step: float = 0.1):
        """Points (k, 2 or 3) along the flow from `start` and phi = 0, by the classical Runge-Kutta method."""
        points = [np.array([*start, *[0.0] * len(self.system.extras)])]
        for _ in range(round(time / step)):
            p = points[-1]
            a = self.field(*p)
            b = self.field(*(p + step / 2 * a))
            c = self.field(*(p + step / 2 * b))
            d = self.field(*(p + step * c))
            points.append(p + step / 6 * (a + 2 * b + 2 * c + d))
        return np.stack(points)

    @property
    def weight(self) -> float:
        """The weight of its penalties, 0 without any."""
        return self.system.terms[0].weight if self.system.terms else 0.0

    def lines(self) -> list[str]:
        """What to print: set-up, eigenvalues, closed form, verdict."""
        terms = " + ".join(f"{term.weight:g} {term.name}" for term in self.system.terms) or "no penalty"
        lines = [f"{self.system.name}: {self.system.loss.name} loss, {terms}; G(z) = theta + {self.spread:g} z"]
        found = self.eigenvalues()
        if found is None:
            lines.append("eigenvalues: none, the field is not differentiable at psi = 0")
            lines.append(f"verdict: {verdict(self)} (see it with --out FILE.png)")
            return lines
        lines.append("eigenvalues: " + ", ".join(number(value) for value in found))
        known = closed_form(self.system, self.weight, self.spread)
        if known is not None:
            formula, values = known
            lines.append(f"closed form: {', '.join(number(v) for v in values)}    {formula}")
        decided = _verdict(found) is not None
        lines.append(f"verdict: {verdict(self)}{'' if decided else ' (see it with --out FILE.png)'}")
        return lines

    def draw(self, out: Path) -> Path:
        """The phase portrait and a trajectory from (1, 1) as a PNG."""
        field, trajectory = self.plane()
        return phase_portrait(field, trajectory, out, title=self.lines()[0])

    def plane(self) -> tuple[Callable[[float, float], np.ndarray], np.ndarray]:
        """Field and trajectory as seen in the plane of critic and generator; the field where phi = 0."""
        others = [0.0] * len(self.system.extras)
        return lambda psi, theta: self.field(psi, theta, *others)[:2], self.trajectory()[:, :2]


def number(value: complex, *, digits: int = 6) -> str:
    """A complex number as text."""
    # Adding 0.0 takes the sign off a zero that rounding would leave as -0.
    real, imaginary = (round(part, digits) + 0.0 for part in (value.real, value.imag))
    return f"{real:+.{digits}f}{imaginary:+.{digits}f}i"


def verdict(dynamics: Dynamics) -> str:
    """What happens near the equilibrium: by the eigenvalues, or by the trajectory where they do not say."""
    values = dynamics.eigenvalues()
    decided = None if values is None else _verdict(values)
    if decided is not None:
        return decided
    far = np.linalg.norm(dynamics.trajectory(), axis=1)
    late = far[-len(far) // 4 :]
    shown = f"from (1, 1), its distance from the equilibrium stays within {late.min():.2g} to {late.max():.2g}"
    return f"not decided by eigenvalues; {shown}"


def _verdict(values: np.ndarray) -> str | None:
    """What the eigenvalues say; None where all are 0 and say nothing."""
    if np.abs(values).max() < 1e-7:
        return None
    fastest = max(complex(value).real for value in values)
    if fastest < -1e-7:
        return f"converges, as exp({fastest:.4g} t)"
    return "circles for ever" if fastest < 1e-7 else f"moves away, as exp({fastest:.4g} t)"

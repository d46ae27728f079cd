"""Every system on the Dirac-GAN, on one page: eigenvalues, phase portraits, and why each does what it does."""

from dataclasses import dataclass
from pathlib import Path

from ..core.files import replace_file, writing
from ..report import phase_portraits
from .dynamics import Dynamics, number, verdict


@dataclass(frozen=True)
class Plate:
    """One system with its setting, and the sentence that explains what is seen."""

    system: str
    because: str
    weight: float = 1.0
    spread: float | None = None
    reading: str | None = None

    @property
    def command(self) -> str:
        """What shows this plate alone."""
        words = ["gradgan dynamics", self.system]
        words += [f"--weight {self.weight:g}"] if self.weight != 1.0 else []
        words += [f"--spread {self.spread:g}"] if self.spread is not None else []
        return " ".join(words + ([f"--reading {self.reading}"] if self.reading else []))

    def dynamics(self) -> Dynamics:
        """It on the Dirac-GAN."""
        return Dynamics.of(self.system, weight=self.weight, spread=self.spread, reading=self.reading)


PLATES = (
    Plate(
        "gan",
        "Each player answers where the other is, at right angles to its own way home. Further out the sigmoid's "
        "saturation brings it nearer, near home nothing does.",
    ),
    Plate(
        "wgan",
        "The same turn at twice the rate: a linear loss pulls with 1 where the sigmoid's slope at 0 is 1/2.",
    ),
    Plate(
        "hinge",
        "Near the equilibrium every sample is within the margin, so this is WGAN's turn.",
    ),
    Plate(
        "lsgan",
        "Least squares want scores of 1 and 0, which psi x at x = 0 cannot give: to first order the critic does "
        "not answer, and the generator drifts until the slope has died away.",
    ),
    Plate(
        "r1",
        "The critic pays for its slope at the real sample and lets go of it: a damped spring, fastest at weight 1.",
    ),
    Plate(
        "r1",
        "A tenth of the weight damps a tenth as much: it still turns, but inwards.",
        weight=0.1,
    ),
    Plate(
        "r2",
        "On a linear critic the slope at the fake sample is that at the real one, so R2 is R1 here.",
    ),
    Plate(
        "r1r2",
        "Both are paid: twice R1's damping, past the fastest weight 1/2, so the slow direction crawls.",
    ),
    Plate(
        "r3gan",
        "As R1 + R2: close to the equilibrium pairing real with fake changes nothing.",
        weight=0.5,
    ),
    Plate(
        "wgan_gp",
        "The slope is pulled to 1 where the equilibrium needs 0: at psi = 0 the pull points away on both sides. "
        "Here the flow comes to rest with slope 0 and the samples misplaced at theta = 2.",
    ),
    Plate(
        "wgan_lp",
        "Slopes up to 1 are free, so near the equilibrium no penalty is left: WGAN's turn, inside a fence.",
    ),
    Plate(
        "dragan",
        "As WGAN-GP, a target slope of 1 around the real samples: the slope dies at a place that is not home.",
    ),
    Plate(
        "gp_gan",
        "Both gradients vanish at the equilibrium, and what is paid is their joint size: the way down that field "
        "leads home (the consensus reading).",
        reading="consensus",
    ),
    Plate(
        "gp_gan",
        "As printed, each player pays for its own gradient by its own weights, which to first order the other "
        "player alone decides: nothing is damped.",
        reading="published",
    ),
    Plate(
        "gan",
        "No penalty, but a generator with some width: the critic's sigmoid saturates on both sides of it, and "
        "that alone damps.",
        spread=1.0,
    ),
    Plate(
        "atgp",
        "The slope of the critic's probability along the latent is psi s / 4: paying for its square is half a "
        "weight of damping on top of the width's.",
    ),
    Plate(
        "g_gan",
        "The reward is the generator's and has no gradient by theta; the critic is damped by the width alone.",
    ),
    Plate(
        "gc_gan",
        "A linear critic has the same gradient at real and fake samples: Q has nothing to tell apart, and its verdict "
        "does not depend on theta. What is left is GAN's turn; the third eigenvalue is Q's own.",
        reading="matching",
    ),
    Plate(
        "gc_gan",
        "As above; Q, told to say 1 everywhere, follows psi and changes nothing for the others.",
        reading="published",
    ),
    Plate(
        "gc_gan",
        "The generator follows a prediction that lags behind the true gradient, and a push that comes late along a "
        "circle drives it outwards: without a penalty, any weight above 0 makes it worse.",
        weight=0.5,
        reading="synthetic",
    ),
)
"""What the page shows."""


def write_atlas(out: str | Path) -> Path:
    """`out`/dynamics.md with `out`/dynamics.png beside it."""
    folder = Path(out)
    found = [plate.dynamics() for plate in PLATES]
    pictures = [(*d.plane(), plate.command.removeprefix("gradgan dynamics "))
                for plate, d in zip(PLATES, found, strict=True)]  # fmt: skip
    phase_portraits(pictures, folder / "dynamics.png")
    page = folder / "dynamics.md"
    with writing(page):
        replace_file(page, "\n".join(_lines(found)).encode())
    return page


def _lines(found: list[Dynamics]) -> list[str]:
    rows = [f"| `{plate.command}` | {_eigenvalues(d)} | {verdict(d)} | {plate.because} |"
            for plate, d in zip(PLATES, found, strict=True)]  # fmt: skip
    return [
        "# Dynamics: every system on the Dirac-GAN",
        "",
        "The smallest adversarial game there is (Mescheder et al. 2018, arXiv:1801.04406): real data at 0, a",
        "generator G(z) = theta + s z that places samples at theta, a critic D(x) = psi x. Equilibrium: (0, 0). How",
        "a system behaves near it can be read off its eigenvalues: a negative real part goes home, zero circles, an",
        "imaginary part turns. Computed from the code that trains; weight 1 for each penalty unless said.",
        "",
        "```bash",
        "gradgan dynamics all --out docs/evidence",
        "```",
        "",
        "![Phase portraits, one for each row of the table, in its order](dynamics.png)",
        "",
        "Orange: the flow from (1, 1). Cross: the equilibrium. Across: slope psi. Up: place theta.",
        "",
        "| command | eigenvalues | seen | because |",
        "|---|---|---|---|",
        *rows,
        "",
        "GC-GAN's third player learns one number, phi: q(v) = phi v for a gradient v, or Q(x) = phi (synthetic). Its",
        "three eigenvalues are of (psi, theta, phi); its portraits show the plane phi = 0 and the flow from phi = 0.",
        "",
    ]


def _eigenvalues(dynamics: Dynamics) -> str:
    values = dynamics.eigenvalues()
    return "none: a kink at psi = 0" if values is None else ", ".join(number(value, digits=4) for value in values)

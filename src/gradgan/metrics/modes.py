"""Mode coverage on mixtures of known centres: modes found, high-quality share, reverse KL; always all three."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.checks import GradganError, finite
from ..core.types import Samples


@dataclass(frozen=True)
class ModeCoverage:
    """What PacGAN's protocol counts (arXiv:1712.04086, sec. 4.1)."""

    found: int
    """Modes with at least one high-quality sample."""
    of: int
    """Modes there are."""
    high_quality: float
    """Share of samples within 3 standard deviations of a mode; alone it rewards collapse."""
    reverse_kl: float
    """KL(share of high-quality samples per mode || uniform), nats; 0 is best, log(modes) the worst."""

    def numbers(self) -> dict[str, float]:
        """As the glossary names them."""
        return {"modes": float(self.found), "high_quality": self.high_quality, "reverse_kl": self.reverse_kl}


def modes(samples: Samples, centres: Tensor, *, spread: float) -> ModeCoverage:
    """Modes, high quality and reverse KL of samples (n, d) against centres (m, d) of standard deviation `spread`.

    A sample is of high quality within 3 spreads of its nearest centre. Without any such sample reverse KL is log m.
    Raises GradganError for shapes that do not fit and for a spread that is not positive.
    """
    if samples.ndim != 2 or centres.ndim != 2 or samples.shape[1] != centres.shape[1] or len(samples) == 0:
        raise GradganError(
            f"modes wants samples (n, d) and centres (m, d), got {tuple(samples.shape)} and {tuple(centres.shape)}."
        )
    if finite(spread, what="spread", minimum=0) == 0:
        raise GradganError("spread must be > 0, got 0: no sample would ever be within it.")
    centres = centres.to(samples)
    distance, nearest = torch.cdist(samples, centres).min(dim=1)
    good = distance <= 3 * spread
    counts = torch.bincount(nearest[good], minlength=len(centres)).double()
    share = counts / counts.sum().clamp(min=1)
    terms = torch.where(share > 0, share * (share * len(centres)).clamp(min=1e-300).log(), torch.zeros_like(share))
    nothing = torch.log(torch.tensor(float(len(centres))))
    return ModeCoverage(
        found=int((counts > 0).sum()),
        of=len(centres),
        high_quality=float(good.double().mean()),
        reverse_kl=float(terms.sum()) if counts.sum() > 0 else float(nothing),
    )

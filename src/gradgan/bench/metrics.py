"""How fast the Fréchet distance is: by a symmetric matrix's eigenvalues, and by the root of a product as others do."""

from typing import Any

import numpy as np
import torch

from ..core.checks import finite
from ..metrics import METRICS, FeatureInput, Moments, RealFeatures, frechet_distance
from .measuring import Work, interleaved, machine
from .options import MetricsBench
from .result import Cell, Result

_LEGEND = """seconds: the distance from the moments alone
with moments: from the samples, both sets' means and covariances included, scipy's by numpy.cov
ratio: scipy's time over the row's, with moments in both
with its error: the metric as a look at a run takes it, the distance and one without each tenth of the generated
samples; the real side's moments and their root are known, as they are at every look but the first"""
_OURS, _THEIRS, _METRIC = "cholesky, eigvalsh", "scipy sqrtm", "with its error"


def metrics(options: MetricsBench) -> Result:
    """Time all ways on the same correlated features, interleaved. Raises GradganError for too few of any."""
    for name in ("features", "samples"):
        finite(getattr(options, name), what=name, minimum=2)
    threads = torch.get_num_threads()
    torch.set_num_threads(options.threads or threads)
    try:
        sets = _sets(options)
        one, other = (Moments.of(x) for x in sets)
        values: dict[str, float] = {}
        look = _look(*sets)

        def ours() -> None:
            # New ones each time: a Moments keeps its root.
            fresh = (Moments(m.mean, m.covariance) for m in (one, other))
            values[_OURS] = frechet_distance(*fresh)

        def theirs() -> None:
            values[_THEIRS] = _by_sqrtm(one, other)

        def metric() -> None:
            values[_METRIC] = METRICS.make("frechet")(look).value

        cases: dict[str, Work] = {
            _OURS: ours, _THEIRS: theirs, _METRIC: metric, "our moments": lambda: [Moments.of(x) for x in sets],
            "their moments": lambda: [(x.numpy().mean(0), np.cov(x.numpy(), rowvar=False)) for x in sets],
        }  # fmt: skip
        device = torch.device("cpu")
        seconds = interleaved(cases, options.rounds, device)
        about = machine(device) | {"rounds": str(options.rounds)}
    finally:
        torch.set_num_threads(threads)
    whole = {
        _OURS: seconds[_OURS] + seconds["our moments"], _METRIC: seconds[_METRIC],
        _THEIRS: seconds[_THEIRS] + seconds["their moments"],
    }  # fmt: skip
    rows: list[dict[str, Cell]] = [
        {
            # The metric makes its moments as it goes: there is no time of its distances alone.
            "way": way, "value": values[way], "seconds": None if way == _METRIC else seconds[way],
            "with moments": whole[way], "ratio": whole[_THEIRS] / whole[way],
        }
        for way in whole
    ]  # fmt: skip
    title = f"Fréchet distance of {options.samples} samples in {options.features} features, float64"
    formats = {"value": ".6f", "seconds": ".2f", "with moments": ".2f", "ratio": ".1f"}
    return Result("metrics", title, about, rows, formats, _LEGEND)


def _sets(options: MetricsBench) -> tuple[torch.Tensor, torch.Tensor]:
    """Two sets of features whose spectra fall off, as those of networks do."""
    rng = torch.Generator().manual_seed(0)
    scale = torch.arange(1, options.features + 1).double().rsqrt()
    turn = torch.linalg.qr(torch.randn(options.features, options.features, generator=rng, dtype=torch.float64)).Q
    shape = (options.samples, options.features)
    one, other = (torch.randn(shape, generator=rng, dtype=torch.float64) * scale for _ in range(2))
    return one, other @ turn * 1.1


def _look(generated: torch.Tensor, held_out: torch.Tensor) -> FeatureInput:
    """What the metric is given at every look at a run but the first: the real side's moments and root are known."""
    real = RealFeatures(held_out, training=held_out)
    _ = real.held_out_moments.root
    return FeatureInput(generated, real)


def _by_sqrtm(one: Moments, other: Moments) -> float:
    """The usual way: the root of the product, which is not symmetric, its imaginary part thrown away."""
    # A dependency of scikit-learn; a second to import.
    from scipy.linalg import sqrtm

    a, b = one.covariance.numpy(), other.covariance.numpy()
    root: Any = sqrtm(a @ b)
    mean = float((one.mean - other.mean).square().sum())
    return mean + float(np.trace(a) + np.trace(b) - 2 * np.trace(root).real)

"""How a check speaks: an AssertionError that says which property failed, what was got and what was wanted."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


def prove(subject: str, properties: Iterable[Callable[..., None]], *arguments: Any) -> None:
    """Call every property with `arguments`; the first that fails is told with its claim, its docstring's first line.

    Raises AssertionError "SUBJECT: CLAIM: what was got and wanted", whatever the property itself raised.
    """
    for holds in properties:
        claim = (inspect.getdoc(holds) or holds.__name__).split("\n", 1)[0].rstrip(".")
        try:
            holds(*arguments)
        except AssertionError as failure:
            raise AssertionError(f"{subject}: {claim}: {failure}") from failure
        except Exception as error:
            raise AssertionError(f"{subject}: {claim}: got {type(error).__name__}: {error}") from error


def claim(holds: bool, message: str) -> None:
    """Fail with `message` unless `holds`; unlike `assert` it also works under `python -O`."""
    if not holds:
        raise AssertionError(message)


def close(got: Tensor, wanted: Tensor | float, *, where: str, tolerance: float = 1e-8) -> None:
    """Fail unless got and wanted agree to `tolerance`, relative above 1 and absolute below; NaN never agrees."""
    got = got.detach()
    want = torch.as_tensor(wanted, dtype=got.dtype).expand(got.shape) if isinstance(wanted, float | int) else wanted
    claim(got.shape == want.shape, f"{where}: got shape {tuple(got.shape)}, wanted {tuple(want.shape)}")
    off = (got - want).abs() / want.abs().clamp(min=1)
    # Not `off > tolerance`: a NaN is neither above nor below.
    bad = (~(off <= tolerance)).nonzero()
    if len(bad):
        index = tuple(bad[0].tolist())
        at = f" at {index}" if index else ""
        raise AssertionError(f"{where}: got {got[index].item():.9g}{at}, wanted {want[index].item():.9g}")


def is_finite(got: Tensor, *, where: str) -> None:
    """Fail unless every number of `got` is finite."""
    bad = got.detach()[~got.detach().isfinite()]
    claim(len(bad) == 0, f"{where}: got {bad[0].item() if len(bad) else ''}, wanted finite numbers")


def not_finite(got: Tensor, *, where: str) -> None:
    """Fail if any number of `got` is finite where all should say that something went wrong."""
    good = got.detach()[got.detach().isfinite()]
    claim(len(good) == 0, f"{where}: got {good[0].item() if len(good) else ''}, wanted NaN or infinity, never masked")


def refused(call: Callable[[], object], *, where: str) -> None:
    """Fail unless `call` raises ValueError (or TypeError, where types are checked at run time)."""
    try:
        got = call()
    except (ValueError, TypeError):
        return
    shown = f"shape {tuple(got.shape)}" if isinstance(got, Tensor) else type(got).__name__
    raise AssertionError(f"{where}: got {shown}, wanted a ValueError that says what to mend")


def one_each(got: Tensor, n: int, *, where: str) -> None:
    """Fail unless `got` is one number per sample: shape (n,)."""
    claim(isinstance(got, Tensor), f"{where}: got {type(got).__name__}, wanted a tensor of shape ({n},)")
    claim(got.shape == (n,), f"{where}: got shape {tuple(got.shape)}, wanted one value per sample, ({n},)")

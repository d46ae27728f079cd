"""To call a critic and leave no trace: its buffers, torch's random generators and kept weights are as they were."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize


@contextmanager
def untouched(roots: Iterable[nn.Module], device: torch.device) -> Iterator[None]:
    """Within it, these modules work on copies of their buffers, on numbers drawn in vain, and on weights of their own.

    The buffers themselves are not written to, not even with what they hold: a graph that waits for its backward would
    take that for a change. Weights with a parametrisation are evaluated once within, and again after it.
    """
    kept = parametrize._cache  # pyright: ignore[reportPrivateUsage]
    parametrize._cache = {}  # pyright: ignore[reportPrivateUsage]
    try:
        with (
            torch.random.fork_rng([device] if device.type == "cuda" else []),
            exchanged(roots, buffers=torch.clone),
            parametrize.cached(),
        ):
            yield
    finally:
        parametrize._cache = kept  # pyright: ignore[reportPrivateUsage]


@contextmanager
def exchanged(
    roots: Iterable[nn.Module],
    *,
    buffers: Callable[[Tensor], Tensor] | None = None,
    parameters: Callable[[Tensor], Tensor] | None = None,
) -> Iterator[None]:
    """Within it, each buffer and each parameter of these modules is what the function makes of it; one that several
    modules share stays shared."""
    made: dict[Tensor, Tensor] = {}
    tables: list[tuple[dict[str, Any], Callable[[Tensor], Tensor] | None]]
    before: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for module in {module: None for root in roots for module in root.modules()}:
        tables = [(module._buffers, buffers), (module._parameters, parameters)]
        for table, make in tables:
            if make is not None:
                before.append((table, dict(table)))
                for name, old in table.items():
                    if old is not None and not is_lazy(old):
                        made[old] = made[old] if old in made else make(old.detach())
                        table[name] = made[old]
    try:
        yield
    finally:
        for table, entries in before:
            table.update(entries)

"""How two configs differ, told by their first keys. Imports no torch."""

from collections.abc import Iterator
from typing import Any


def differences(there: Any, here: Any) -> str:
    """The first plain values that differ, by dotted key: `batch is 8 now and was 16`; empty where none does."""
    was, now = dict(_leaves(there)), dict(_leaves(here))
    nothing = "nothing"
    keys = [key for key in {**was, **now} if was.get(key, nothing) != now.get(key, nothing)]
    told = "; ".join(f"{key} is {now.get(key, nothing)} now and was {was.get(key, nothing)}" for key in keys[:3])
    return told + (f" (and {len(keys) - 3} more)" if len(keys) > 3 else "")


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value of nested data with its dotted key: penalties[0].weight."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, f"{key}[{index}]")
    else:
        yield key or "config", value

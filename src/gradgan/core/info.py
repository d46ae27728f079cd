"""What run.json must look like, so that whoever shows it need not doubt it."""

from collections.abc import Mapping
from typing import Any

_TEXTS = ("gradgan", "created", "status", "message")
_OBJECTS = ("system", "data", "parameters", "glossary", "results")
_MOST = 2**63


def misfit(info: Any) -> str:
    """What is wrong with the content of run.json, in a few words; empty where nothing is. More fields are welcome."""
    if not isinstance(info, dict):
        return f"it must hold an object, got {type(info).__name__}"
    for name in _TEXTS:
        if not isinstance(info.get(name, ""), str):
            return f"{name} must be text"
    for name in _OBJECTS:
        if not isinstance(info.get(name, {}), dict):
            return f"{name} must be an object"
    if not _are_texts(info.get("glossary", {})):
        return "glossary must hold objects of texts"
    citations = info.get("citations", [])
    if not isinstance(citations, list) or not _are_texts(dict(enumerate(citations))):
        return "citations must be a list of objects of texts"
    if not isinstance(info.get("data", {}).get("event", []), list):
        return "data.event must be a list"
    for name in ("results", "parameters"):
        if not all(isinstance(value, (int, float, str)) for value in info.get(name, {}).values()):
            return f"{name} must hold numbers"
    if not _is_count(info.get("patience", 1)):
        return "patience must be a whole number"
    rollbacks = info.get("rollbacks", [])
    if not isinstance(rollbacks, list) or not all(map(_is_rollback, rollbacks)):
        return "rollbacks must be a list of what illness, since, left, to, rates and weights"
    return "a number in it is too large" if _has_giant(info) else ""


def _are_texts(rows: Mapping[Any, Any]) -> bool:
    return all(isinstance(row, dict) and all(isinstance(text, str) for text in row.values()) for row in rows.values())


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_rollback(row: object) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("illness"), str):
        return False
    factors = (row.get("rates"), row.get("weights"))
    return all(_is_count(row.get(name)) for name in ("since", "left", "to")) and all(
        isinstance(found, dict) and all(isinstance(value, (int, float)) for value in found.values())
        for found in factors
    )


def _has_giant(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_giant(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_giant(item) for item in value)
    return isinstance(value, int) and not -_MOST < value < _MOST

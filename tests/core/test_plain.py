"""Plain values from configs fit annotations as users mean them, and a catalog refuses what does not fit."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import pytest

from gradgan.core.catalog import Catalog
from gradgan.core.checks import GradganError
from gradgan.core.plain import described, fits


@pytest.mark.parametrize(
    ("value", "wanted", "answer"),
    [
        (1, int, True),
        (1, float, True),
        (1.0, int, False),
        (True, int, False),
        (True, float, False),
        (True, bool, True),
        (0, bool, False),
        ("1", int, False),
        (None, int | None, True),
        (None, int, False),
        ([1, 2], tuple[int, ...], True),
        ((1, 2), Sequence[int], True),
        ([1, "2"], Sequence[int], False),
        (12, Sequence[int], False),
        ("12", Sequence[str], False),
        (Path(), str | PathLike[str] | None, True),
        (3, str | PathLike[str] | None, False),
        (3, Literal["a"], True),
        (object(), Any, True),
        (3, "unresolved", True),
    ],
)
def test_fits(value, wanted, answer):
    assert fits(value, wanted) is answer


def test_described():
    assert described(Sequence[int]) == "a list of int"
    assert described(str | None) == "str or nothing"


def test_catalog_names_option_type_and_value():
    catalog = Catalog("part")

    @catalog.add(paper="none")
    def part(width: int = 8, rate: float = 0.5) -> tuple[int, float]:
        """A part."""
        return width, rate

    assert catalog.make("part", width=3, rate=1) == (3, 1)
    with pytest.raises(GradganError, match=r"option width of part 'part' must be int, got 'abc'\."):
        catalog.make("part", width="abc")
    with pytest.raises(GradganError, match=r"option rate of part 'part' must be float, got None\."):
        catalog.make("part", rate=None)


def test_annotations_for_type_checkers_only_are_not_judged():
    catalog = Catalog("part")

    def part(width="x"):
        """A part."""
        return width

    part.__annotations__["width"] = "NotImported"
    catalog.add(paper="none")(part)
    assert catalog.make("part", width=3) == 3

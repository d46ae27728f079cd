"""Catalogs: entering, finding, making and refusing parts."""

import inspect
from collections.abc import Callable

import pytest

from gradgan.core.catalog import Catalog, Entry
from gradgan.core.checks import GradganError


@pytest.fixture
def catalog() -> Catalog:
    parts = Catalog("penalty", facts=("on_linear",))

    @parts.add(paper="arXiv:1704.00028", on_linear=abs, extra=3)
    def steep(target: float = 1.0, *, of: str = "score") -> tuple[float, str]:
        """One line.

        More lines.
        """
        return target, of

    return parts


def test_an_entry_knows_its_paper_its_facts_its_summary_and_its_options(catalog: Catalog) -> None:
    entry = catalog["steep"]
    assert isinstance(entry, Entry)
    assert (entry.name, str(entry), entry.paper, entry.summary) == ("steep", "steep", "arXiv:1704.00028", "One line.")
    assert entry.facts == {"on_linear": abs, "extra": 3}
    assert entry.options == {"target": 1.0, "of": "score"}


def test_options_without_a_default_say_so() -> None:
    def make(event: int) -> int:
        """One line."""
        return event

    assert Entry("x", make, "p").options == {"event": inspect.Parameter.empty}


def test_it_is_a_mapping(catalog: Catalog) -> None:
    assert list(catalog) == ["steep"]
    assert len(catalog) == 1
    assert "steep" in catalog
    assert "flat" not in catalog
    assert 3 not in catalog
    assert catalog.get("steep") is catalog["steep"]


def test_make_passes_options_on(catalog: Catalog) -> None:
    assert catalog.make("steep") == (1.0, "score")
    assert catalog.make("steep", target=2.0, of="probability") == (2.0, "probability")


def test_unknown_names_and_options_are_refused_with_the_nearest(catalog: Catalog) -> None:
    with pytest.raises(GradganError, match=r"unknown penalty 'step'. Perhaps you meant 'steep'"):
        catalog.make("step")
    with pytest.raises(GradganError, match=r"unknown option of penalty 'steep' 'targt'. Perhaps you meant 'target'"):
        catalog.make("steep", targt=2.0)


def test_an_option_may_be_called_name() -> None:
    parts = Catalog("thing")

    @parts.add(paper="p")
    def thing(name: str = "a") -> str:
        """One line."""
        return name

    assert parts.make("thing", name="b") == "b"


def test_a_part_without_its_facts_or_its_docstring_is_refused(catalog: Catalog) -> None:
    def documented() -> None:
        """One line."""

    def bare() -> None: ...

    with pytest.raises(GradganError, match="'documented' enters its catalog without on_linear"):
        catalog.add(paper="p")(documented)
    with pytest.raises(GradganError, match="'bare' enters its catalog without a docstring"):
        catalog.add(paper="p", on_linear=abs)(bare)
    assert list(catalog) == ["steep"]


def test_a_name_is_taken_once_but_a_module_may_be_loaded_again(catalog: Catalog) -> None:
    def enter(make: Callable) -> None:
        catalog.add(paper="p", name="steep", on_linear=abs)(make)

    def other() -> None:
        """Another part under the same name."""

    with pytest.raises(GradganError, match="penalty 'steep' is in the catalog already"):
        enter(other)

    def loaded_again() -> None:
        """The same factory after a reload."""

    loaded_again.__qualname__ = catalog["steep"].make.__qualname__
    enter(loaded_again)
    assert catalog["steep"].summary == "The same factory after a reload."


def test_the_decorator_gives_the_factory_back() -> None:
    def make() -> int:
        """One line."""
        return 3

    assert Catalog("thing").add(paper="p")(make) is make

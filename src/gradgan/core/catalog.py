"""Catalogs: parts by name, each with its paper and a fact about it that the suite tests."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from .errors import GradganError, unknown_name
from .plain import described, fits


@dataclass(frozen=True)
class Entry:
    """One part of a catalog: how to make it, and what is claimed of it."""

    name: str
    make: Callable[..., Any]
    paper: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The first line of the factory's docstring."""
        return (inspect.getdoc(self.make) or "").split("\n", 1)[0]

    @property
    def options(self) -> dict[str, Any]:
        """The keywords that `make` takes, with their defaults (`inspect.Parameter.empty` where there is none)."""
        return {name: p.default for name, p in inspect.signature(self.make).parameters.items()}

    @property
    def hints(self) -> dict[str, Any]:
        """The types of `make`'s keywords; empty where they name what is imported for type checkers only."""
        try:
            return get_type_hints(self.make)
        except NameError:
            return {}

    def __str__(self) -> str:
        return self.name


class Catalog(Mapping[str, Entry]):
    """Parts of one kind by name. Adding a part is one decorator on its factory:

    @PENALTIES.add(paper="arXiv:1704.00028", on_linear=lambda slope: (slope - 1) ** 2)
    def wgan_gp(target: float = 1.0) -> InputGradientPenalty: ...
    """

    def __init__(self, kind: str, facts: tuple[str, ...] = ()) -> None:
        """`kind` is the word used in messages; every entry must state each of `facts`."""
        self.kind = kind
        self.required = facts
        self._entries: dict[str, Entry] = {}

    def add(self, *, paper: str, name: str | None = None, **facts: Any) -> Callable[[Callable], Callable]:
        """Enter the decorated factory; its docstring's first line becomes the summary."""

        def enter(make: Callable) -> Callable:
            key = name or make.__name__
            known = self._entries[key].make if key in self._entries else make
            if (known.__module__, known.__qualname__) != (make.__module__, make.__qualname__):
                raise GradganError(f"{self.kind} {key!r} is in the catalog already; choose another name.")
            missing = [fact for fact in self.required if fact not in facts]
            if missing or not inspect.getdoc(make):
                wanted = ", ".join(missing) or "a docstring"
                raise GradganError(f"{self.kind} {key!r} enters its catalog without {wanted}, which the suite tests.")
            self._entries[key] = Entry(key, make, paper, facts)
            return make

        return enter

    def make(self, name: str, /, **options: Any) -> Any:
        """The part called `name`, made with `options`.

        An unknown name or option is refused with the nearest known, a value of another type with the one wanted.
        """
        entry = self[name]
        for option in options:
            if option not in entry.options:
                raise unknown_name(f"option of {self.kind} {name!r}", option, entry.options)
        hints = entry.hints if options else {}
        for option, value in options.items():
            wanted = hints.get(option, Any)
            if not fits(value, wanted):
                what = f"option {option} of {self.kind} {name!r}"
                raise GradganError(f"{what} must be {described(wanted)}, got {value!r}.")
        return entry.make(**options)

    def __getitem__(self, name: str) -> Entry:
        try:
            return self._entries[name]
        except KeyError:
            raise unknown_name(self.kind, str(name), self._entries) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

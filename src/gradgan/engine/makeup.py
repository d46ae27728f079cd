"""What a critic is made of, be it a module or a function that calls one: its modules, and what tells it from others."""

import functools
import inspect
import types
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from torch import Tensor, nn

_DEPTH, _THINGS = 12, 200
"""How far functions within functions are followed, and how many things are looked at: libraries have no end."""

_MEMBERS = 32
"""The longest list or dictionary whose members are looked at."""

Names = frozenset[str]
"""The names of globals and attributes that a function uses."""


@dataclass
class Makeup:
    """What was found of a critic.

    modules   those that it calls, each once; itself, if it is one
    marks     equal for critics that do the same with their modules: code, classes, and captured words, flags and counts
    """

    modules: list[nn.Module] = field(default_factory=list)
    marks: list[Hashable] = field(default_factory=list)
    seen: set[tuple[int, Names]] = field(default_factory=set)

    @property
    def name(self) -> tuple[Hashable, ...]:
        """Its code and classes: the same for a function that is made anew in every step."""
        return tuple(mark for mark in self.marks if isinstance(mark, (types.CodeType, type)))


def makeup_of(critic: object) -> Makeup:
    """Follow what a function refers to: its closure, defaults, globals and the attributes that it names, and what a
    partial or a method is bound to. What hides elsewhere is not found.

    It goes further than `core/callables.py`, by which critics are refused and which must not find what is not called:
    a module too many among those that a look leaves as they were does no harm.
    """
    found = Makeup()
    _follow(critic, frozenset(), found, _DEPTH)
    return found


def _follow(thing: object, names: Names, found: Makeup, depth: int) -> None:
    """Enter `thing` and what it holds; of an object, what lies under one of `names`."""
    if isinstance(thing, nn.Module):
        if all(thing is not known for known in found.modules):
            found.modules.append(thing)
        found.marks.append(next(i for i, known in enumerate(found.modules) if known is thing))
    elif isinstance(thing, types.BuiltinFunctionType):
        found.marks.append(thing.__qualname__)
    elif thing is None or isinstance(thing, (bool, int, str)):
        found.marks.append(thing)
    elif depth > 0 and len(found.seen) < _THINGS and (id(thing), names) not in found.seen:
        if not isinstance(thing, types.MethodType):  # made on the way, so that its id may come again
            found.seen.add((id(thing), names))
        for inner, used in _held(thing, names, found):
            _follow(inner, used, found, depth - 1)


def _held(thing: object, names: Names, found: Makeup) -> Iterator[tuple[object, Names]]:
    """What a thing that is no module refers to, with the names by which that is used."""
    if isinstance(thing, types.FunctionType):
        found.marks.append(thing.__code__)
        if not thing.__module__.startswith("torch."):
            yield from _captured(thing)
    elif isinstance(thing, types.MethodType):
        yield thing.__func__, names
        yield thing.__self__, _names(getattr(thing.__func__, "__code__", None))
    elif isinstance(thing, functools.partial):
        yield from ((inner, names) for inner in (thing.func, *thing.args, *thing.keywords.values()))
    elif isinstance(thing, (list, tuple, dict)):
        members = list(thing.values() if isinstance(thing, dict) else thing)
        yield from ((inner, names) for inner in members[:_MEMBERS])
    elif not isinstance(thing, (type, types.ModuleType, Tensor)):
        found.marks.append(type(thing))
        yield from _of_object(thing, names)


def _captured(function: types.FunctionType) -> Iterator[tuple[object, Names]]:
    names = _names(function.__code__)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents, names
        except ValueError:  # a name that is not bound yet
            continue
    for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield default, names
    for name in sorted(names & function.__globals__.keys()):
        yield function.__globals__[name], names


def _of_object(thing: object, names: Names) -> Iterator[tuple[object, Names]]:
    """An object's attributes under these names, or of its call; methods with what they use in turn."""
    own = getattr(thing, "__dict__", {})
    for name in sorted(names) or ["__call__"]:
        if name in own:
            yield own[name], names
        elif isinstance(method := inspect.getattr_static(type(thing), name, None), types.FunctionType):
            yield types.MethodType(method, thing), names


def _names(code: types.CodeType | None) -> Names:
    """The names that code uses, and code within it."""
    if code is None:
        return frozenset()
    inner = (_names(const) for const in code.co_consts if isinstance(const, types.CodeType))
    return frozenset(code.co_names).union(*inner)

"""Looking through callables for the networks that they call: lambdas, functions, bound methods, partials."""

import dis
import functools
from collections.abc import Iterator
from contextlib import suppress
from types import CodeType, FunctionType, MethodType

from torch import nn


def modules_of(network: object, depth: int = 3) -> Iterator[tuple[str, nn.Module]]:
    """The network, if it is a module; else those that a callable calls, each by the name that it has there.

    Looked through, `depth` callables deep: bound methods, functools.partial, what a function closes over, its defaults
    and the globals that it names. Of a module of which a function names parts, those parts alone: a trainer's critic,
    not its generator. Not seen: what lies in lists, dictionaries and attributes of other objects.
    """
    if isinstance(network, nn.Module):
        yield "", network
    elif depth:
        for name, held in _held(network):
            for within, module in modules_of(held, depth - 1):
                yield path(name, within), module


def _held(network: object) -> Iterator[tuple[str, object]]:
    """What a callable may call, by name: modules and further callables."""
    if isinstance(network, functools.partial):
        yield "", network.func
        yield from (("", given) for given in network.args)
        yield from network.keywords.items()
    elif isinstance(network, MethodType):
        own, function = network.__self__, network.__func__
        yield from _held(function)
        if isinstance(own, nn.Module):
            whole = function.__name__ in ("forward", "__call__") or not isinstance(function, FunctionType)
            yield from [("", own)] if whole else _named_parts("", own, _words(function.__code__))
    elif isinstance(network, FunctionType):
        words = _words(network.__code__)
        for name, held in _bound(network):
            yield from _named_parts(name, held, words) if isinstance(held, nn.Module) else [(name, held)]


def _bound(function: FunctionType) -> Iterator[tuple[str, object]]:
    """What the names in a function stand for, as far as it was given before the call."""
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # a cell that is still empty
            yield name, cell.cell_contents
    yield from (("", default) for default in function.__defaults__ or ())
    yield from (function.__kwdefaults__ or {}).items()
    # Of globals only modules: a function's helpers reach half of a program.
    known = ((name, function.__globals__.get(name)) for name in _globals_of(code))
    yield from ((name, held) for name, held in known if isinstance(held, nn.Module))


def _named_parts(name: str, module: nn.Module, words: frozenset[str]) -> Iterator[tuple[str, nn.Module]]:
    """The module's parts that these words name, as deep as they do; itself where they name none."""
    parts = [(path(name, own), part) for own, part in module.named_children() if own in words]
    if not parts:
        yield name, module
    for where, part in parts:
        yield from _named_parts(where, part, words)


def _words(code: CodeType) -> frozenset[str]:
    """The attributes, globals and strings in a function."""
    return frozenset((*code.co_names, *(c for c in code.co_consts if isinstance(c, str))))


@functools.lru_cache(maxsize=256)
def _globals_of(code: CodeType) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"))


def path(*names: str) -> str:
    """The names that there are, as in `named_modules()`."""
    return ".".join(name for name in names if name)

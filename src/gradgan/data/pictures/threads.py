"""Work on many things by all cores at once: the results in order, and only a few held at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from ...core.pool import cores

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_order(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[tuple[_Item, _Result]]:
    """Each item with what `work` makes of it; a few ahead at a time, so that memory does not grow with their number.

    In threads: worth it for work without Python's lock, as hashing, and decoding and resizing by Pillow are.
    """
    workers = cores()
    ahead: deque[tuple[_Item, Future[_Result]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            ahead.append((item, pool.submit(work, item)))
            if len(ahead) > 4 * workers:
                first, future = ahead.popleft()
                yield first, future.result()
        for first, future in ahead:
            yield first, future.result()

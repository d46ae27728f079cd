"""The IDX file format of MNIST and its relatives: read whole, plain or gzip, nothing in it trusted.

A file is 0, 0, type (8 = bytes), number of dimensions d; d big-endian uint32 sizes; then the values, in C order.
"""

import gzip
import hashlib
import math
import zlib
from io import BufferedIOBase
from pathlib import Path

import torch
from torch import Tensor

from ..core.checks import GradganError

_BYTES = 8
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
# Deflate cannot pack better than 1032 to 1, so a small file that promises more is refused before anything is unpacked.
_BEST_PACKING = 1032


def read_idx(path: Path, *, dimensions: int, md5: str | None = None) -> Tensor:
    """The bytes of an IDX file as a uint8 tensor of `dimensions` dimensions; `md5` is that of the unpacked content.

    Whether it is packed is told from its first two bytes, not from its name (browsers unpack and keep the name).
    Raises GradganError for anything that is not exactly such a file: unreadable, broken gzip, bad magic, too short, too
    long, no samples, wrong number of dimensions, wrong checksum. Memory: at most what the header promises, plus one
    byte, and a header may not promise more than the file can hold.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            capacity = path.stat().st_size * (_BEST_PACKING if packed else 1)
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if packed else raw
            header, shape = _header(stream, path, dimensions, capacity)
            content = _exactly(stream, path, math.prod(shape))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise GradganError(f"{path}: broken gzip file ({error}). Copy or download it again.") from None
    except OSError as error:
        raise GradganError(f"{path}: cannot be read ({error.strerror or error}). Check its rights.") from None
    if md5 is not None:
        _checksum(path, header, content, md5)
    return torch.frombuffer(content, dtype=torch.uint8).reshape(shape)


def _header(stream: BufferedIOBase, path: Path, dimensions: int, capacity: int) -> tuple[bytes, tuple[int, ...]]:
    """The header's bytes and the sizes it tells, after checking that the file can hold them."""
    magic = _up_to(stream, 4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise GradganError(f"{path}: not an IDX file, it starts with {magic.hex(' ') or 'nothing'}, wanted 00 00 08.")
    if magic[2] != _BYTES:
        raise GradganError(f"{path}: IDX values of type 0x{magic[2]:02x}, wanted bytes (0x08). Convert it to uint8.")
    if magic[3] != dimensions:
        raise GradganError(
            f"{path}: IDX file of {magic[3]} dimensions, wanted {dimensions}. Images have 3 (idx3), labels 1 (idx1)."
        )
    sizes = _up_to(stream, 4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise GradganError(f"{path}: truncated within its header. Copy or download it again.")
    shape = tuple(int.from_bytes(sizes[k : k + 4], "big") for k in range(0, len(sizes), 4))
    promised = math.prod(shape)
    if promised == 0:
        raise GradganError(f"{path}: IDX file of shape {shape}, which holds nothing.")
    if promised > capacity:
        raise GradganError(
            f"{path}: truncated, its header promises {shape} = {promised} bytes and the file cannot hold more than "
            f"{capacity}. Copy or download it again."
        )
    return bytes(magic + sizes), shape


def _exactly(stream: BufferedIOBase, path: Path, promised: int) -> bytearray:
    """The rest of the stream, which must be `promised` bytes; one byte more is read, to see that there is none."""
    content = _up_to(stream, promised + 1)
    if len(content) < promised:
        raise GradganError(
            f"{path}: truncated, its header promises {promised} bytes of values and it holds {len(content)}. "
            "Copy or download it again."
        )
    if len(content) > promised:
        raise GradganError(f"{path}: longer than the {promised} bytes of values that its header promises.")
    return content


def _up_to(stream: BufferedIOBase, count: int) -> bytearray:
    """At most `count` bytes, in pieces, so that memory grows with what is there and not with what is promised."""
    content = bytearray()
    while len(content) < count:
        piece = stream.read(min(_CHUNK, count - len(content)))
        if not piece:
            break
        content += piece
    return content


def _checksum(path: Path, header: bytes, content: bytearray, wanted: str) -> None:
    digest = hashlib.md5(header, usedforsecurity=False)
    digest.update(content)
    if digest.hexdigest() != wanted:
        raise GradganError(
            f"{path}: its unpacked content has md5 {digest.hexdigest()}, wanted {wanted}. It is not the original MNIST "
            "file; copy it again, or read other IDX data with data set 'idx'."
        )

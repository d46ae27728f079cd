"""Pictures as PNG bytes, with the standard library alone: the run folder needs no imaging package."""

import struct
import zlib

import numpy as np

from .errors import GradganError


def png_bytes(image: np.ndarray) -> bytes:
    """The picture as a PNG file's bytes: uint8, (h, w) grey or (h, w, 3) RGB. Raises GradganError for anything else."""
    if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or not image.size:
        raise GradganError(
            f"a picture must be uint8 (h, w) or (h, w, 3) and not empty, got {image.dtype} {image.shape}. "
            "Scale to 0..255 first, and put the channels last."
        )
    height, width = image.shape[:2]
    rows = np.ascontiguousarray(image).reshape(height, -1)
    # PNG's filter 2 ("up"): each row minus the one above. Enlarged pixels repeat rows, so most of it becomes zeros.
    up = rows.copy()
    up[1:] -= rows[:-1]
    data = np.concatenate([np.full((height, 1), 2, np.uint8), up], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if image.ndim == 2 else 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(data.tobytes(), 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

"""Pictures as PNG bytes."""

import io

import numpy as np

from .errors import GradganError


def png_bytes(image: np.ndarray) -> bytes:
    """The picture as a PNG file's bytes: uint8, (h, w) grey or (h, w, 3) RGB. Raises GradganError for anything else."""
    if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or not image.size:
        raise GradganError(
            f"a picture must be uint8 (h, w) or (h, w, 3) and not empty, got {image.dtype} {image.shape}. "
            "Scale to 0..255 first, and put the channels last."
        )
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, format="PNG")
    return buffer.getvalue()

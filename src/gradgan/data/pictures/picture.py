"""One picture: bytes or numbers from anywhere -> (channels, size, size) uint8, upright, opaque, resized and cropped."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ...core.checks import GradganError

FORMATS = ("PNG", "JPEG", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
LONGEST_SIDE = 29_999
MOST_PIXELS = 120_000_000
"""More than a telephone takes; decoded, they are 480 MB."""
MOST_BYTES = 256 << 20
"""The largest picture file that is read."""

_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_GREY = ("1", "L", "LA", *_SIXTEEN_BITS)


@dataclass(frozen=True)
class Picture:
    """A picture that is still to be read: its name for messages, its class, and how its image is opened."""

    name: str
    label: str | int | None
    open: Callable[[], Image.Image]


def opened(content: bytes, name: str) -> Image.Image:
    """The image in a PNG, JPEG or WebP file's bytes, its pixels not yet decoded.

    Raises GradganError for one that is too large to be decoded, and whatever Pillow raises for a broken one.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise GradganError(f"{printable(name)} has too many pixels. {_REFUSED}") from None
    except UnidentifiedImageError:
        raise OSError("not a PNG, JPEG or WebP file") from None
    check_sides(*image.size, name)
    return image


def check_sides(width: int, height: int, name: str) -> None:
    """Refuse a picture that would not fit into memory."""
    most = f"{LONGEST_SIDE} a side and {MOST_PIXELS} in all"
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise GradganError(f"{printable(name)} has {width} x {height} pixels, wanted at most {most}. {_REFUSED}")


_REFUSED = "It is refused as a decompression bomb; make it smaller, or take it out."


def converted(image: Image.Image, size: int, channels: int) -> tuple[np.ndarray, bool]:
    """The picture as (channels, size, size) uint8, and whether it was stored grey; channels are 3 or 1 (luminance).

    In this order: turned as its EXIF orientation says; transparency laid over white; 16 bits to 8 by v / 257; the
    middle square cut out and resized with antialiasing (bicubic, over the source pixels that each target pixel covers).
    """
    grey = image.mode in _GREY
    image = _opaque(ImageOps.exif_transpose(image))
    # The square first: a strip of 30,000 to 1 resized as a whole would fill the memory.
    image = ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC).convert("RGB" if channels == 3 else "L")
    pixels = np.asarray(image).reshape(size, size, channels)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)), grey


def _opaque(image: Image.Image) -> Image.Image:
    """The image as RGB, as it would look on white paper."""
    if image.mode in _SIXTEEN_BITS:
        # Pillow's own conversion cuts at 255, which makes a white picture of nearly every 16-bit one.
        values = np.asarray(image, dtype=np.int64).clip(0, 65535)
        return Image.fromarray(((values + 128) // 257).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def printable(text: object) -> str:
    """One line that a terminal shows as it is: runs of white space as one space, control characters as escapes."""
    line = " ".join(str(text).split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)

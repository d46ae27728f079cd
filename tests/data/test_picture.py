"""One picture becomes what Pillow's own functions, applied by hand, make of it."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from gradgan.core.checks import GradganError
from gradgan.data.pictures.picture import converted, opened, printable

from .picture_files import encoded, noise, picture


def by_hand(image: Image.Image, size: int, mode: str = "RGB") -> np.ndarray:
    """Upright, on white, and Pillow's own way to fill a square."""
    image = ImageOps.exif_transpose(image)
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    short, (width, height) = min(image.size), image.size
    box = ((width - short) / 2, (height - short) / 2, (width + short) / 2, (height + short) / 2)
    small = white.convert("RGB").resize((size, size), Image.Resampling.BICUBIC, box)
    pixels = np.asarray(small.convert(mode))
    return pixels[None] if mode == "L" else pixels.transpose(2, 0, 1)


@settings(max_examples=60, deadline=None)
@given(
    mode=st.sampled_from(["L", "LA", "RGB", "RGBA", "P"]),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    size=st.integers(1, 24),
    grey=st.booleans(),
)
def test_as_pillow_by_hand(mode, width, height, size, grey):
    image = opened(encoded(picture(mode, (width, height))), "x.png")
    got, was_grey = converted(image, size, 1 if grey else 3)
    assert np.array_equal(got, by_hand(image, size, "L" if grey else "RGB"))
    assert got.dtype == np.uint8 and was_grey == (mode in ("L", "LA"))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_every_format_gives_its_own_pixels(suffix):
    content = encoded(picture(size=(32, 32)), suffix)
    got, _ = converted(opened(content, "x"), 32, 3)
    assert np.array_equal(got, np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).transpose(2, 0, 1))


def test_sixteen_bits_keep_their_greys():
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    got, grey = converted(opened(encoded(Image.fromarray(values)), "x.png"), 8, 1)
    assert grey and np.abs(got[0] - values / 257).max() <= 0.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_stands_upright(orientation):
    # Left half black, right half white, as a camera held that way would have stored it.
    upright = Image.fromarray(np.repeat([[0] * 16 + [255] * 16], 32, 0).astype(np.uint8))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    got, _ = converted(opened(encoded(stored, "jpg", exif=exif, quality=95), "x.jpg"), 32, 1)
    assert got[0, :, :15].max() < 16 and got[0, :, 17:].min() > 240


def test_what_is_transparent_is_white_whatever_lies_beneath():
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert (converted(opened(encoded(clear), "x"), 8, 3)[0] == 255).all()
    palette = picture("P", (8, 8))
    clear_index = encoded(palette, transparency=int(np.asarray(palette)[0, 0]))
    assert converted(opened(clear_index, "x"), 8, 3)[0][:, 0, 0].tolist() == [255, 255, 255]


def test_shrinking_does_not_alias():
    # Lines of one pixel: taking every fourth pixel would give black or white, averaging gives grey.
    lines = np.zeros((64, 64), np.uint8)
    lines[:, ::2] = 255
    got, _ = converted(Image.fromarray(lines), 16, 1)
    # The outermost columns see less than a whole period.
    assert np.abs(got[0, :, 1:-1].astype(int) - 127).max() < 4


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(30_000, 1), (1, 30_000), (12_000, 12_000), (30_000, 30_000)])
def test_a_bomb_is_refused_before_it_is_decoded(size):
    # A header that promises so much, with the pixels of a small one.
    content = bytearray(encoded(Image.fromarray(noise(4, 4))))
    content[16:24] = size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    with pytest.raises(GradganError, match=r"x\.png has .* pixels.* decompression bomb"):
        opened(bytes(content), "x.png")


def test_other_formats_are_not_opened():
    with pytest.raises(OSError, match="not a PNG, JPEG or WebP"):
        opened(encoded(picture(), "bmp"), "x.png")


def test_a_thin_strip_is_not_blown_up():
    strip = Image.fromarray(np.full((1, 30_000), 7, np.uint8))
    got, _ = converted(strip, 1024, 3)
    assert got.shape == (3, 1024, 1024) and (got == 7).all()


def test_names_cannot_write_to_the_terminal():
    assert printable("a\n b\x1b[2Jé\udc80") == "a b\\x1b[2Jé\\udc80"

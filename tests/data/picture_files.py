"""Small pictures and the files they lie in, for the tests."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def noise(*shape: int, seed: int = 0, dtype: type = np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, shape, dtype=dtype, endpoint=True)


def picture(mode: str = "RGB", size: tuple[int, int] = (12, 9), seed: int = 0) -> Image.Image:
    """Noise in a mode of Pillow's; (width, height)."""
    if mode == "I;16":
        return Image.fromarray(noise(size[1], size[0], seed=seed, dtype=np.uint16))
    depth = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}.get(mode, 3)
    values = noise(size[1], size[0], depth, seed=seed)
    if mode == "P":
        return Image.fromarray(values).quantize(16)
    return Image.fromarray(values[:, :, 0] if depth == 1 else values, mode=None if mode != "CMYK" else "CMYK")


def encoded(image: Image.Image, suffix: str = "png", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format={"jpg": "JPEG"}.get(suffix, suffix.upper()), **options)
    return buffer.getvalue()


def write_tree(folder: Path, files: dict[str, bytes]) -> Path:
    """A folder of these files, with the folders on their paths."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


PNG = encoded(picture())
TREE = {  # two classes, one picture in a folder deeper, and two files that are no pictures
    "dogs/b.png": encoded(picture(seed=1)),
    "cats/a.jpg": encoded(picture(seed=2, size=(40, 20)), "jpg"),
    "cats/deep/c.WEBP": encoded(picture("RGBA", seed=3), "webp"),
    "notes.txt": b"not a picture",
    "dogs/.hidden.png": b"a thumbnail",
}

"""A folder to try `gradgan train images` on: colour JPEGs of mixed sizes in three classes, one in a hundred broken.

python tests/data/make_folder.py FOLDER N
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("red", "green", "blue")


def disc(rng: np.random.Generator, label: int) -> Image.Image:
    """A disc of a bright colour on light ground, anywhere near the middle."""
    width, height = (int(side) for side in rng.integers(60, 400, 2))
    y, x = np.mgrid[0:height, 0:width]
    centre = rng.uniform(0.3, 0.7, 2) * (width, height)
    radius = rng.uniform(0.15, 0.35) * min(width, height)
    pixels = np.full((height, width, 3), rng.integers(160, 256), np.uint8)
    inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
    pixels[inside] = 30
    pixels[inside, label] = rng.integers(150, 256)
    return Image.fromarray(pixels)


def main(folder: Path, n: int) -> None:
    rng = np.random.default_rng(0)
    for k in range(n):
        label = k % len(CLASSES)
        path = folder / CLASSES[label] / f"{k:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        disc(rng, label).save(path, quality=90)
        if k % 200 == 7:
            path.write_bytes(path.read_bytes()[:-500])
        if k % 200 == 107:
            path.write_bytes(b"not a picture")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""Writes small IDX folders for the tests, sound and hostile."""

import gzip
from pathlib import Path

import torch
from torch import Tensor


def idx_bytes(values: Tensor, *, kind: int = 8, sizes: tuple[int, ...] | None = None) -> bytes:
    """An IDX file's content; `sizes` may lie about the shape."""
    shape = tuple(values.shape) if sizes is None else sizes
    header = bytes([0, 0, kind, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    return header + bytes(values.flatten().tolist())


def pixels(n: int = 5, h: int = 4, w: int = 3) -> Tensor:
    return torch.arange(n * h * w).remainder(256).to(torch.uint8).reshape(n, h, w)


def write(folder: Path, name: str, content: bytes) -> Path:
    """Write it; gzip it if the name says so."""
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def write_folder(
    folder: Path, *, prefix: str = "train", joint: str = "-", end: str = "", labels: bool = True
) -> Tensor:
    """A sound folder of 5 images with labels 0..4; returns the images."""
    images = pixels()
    write(folder, f"{prefix}-images{joint}idx3-ubyte{end}", idx_bytes(images))
    if labels:
        write(folder, f"{prefix}-labels{joint}idx1-ubyte{end}", idx_bytes(torch.arange(5, dtype=torch.uint8)))
    return images

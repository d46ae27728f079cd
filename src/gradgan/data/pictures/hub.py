"""Pictures of a Hugging Face data set that `save_to_disk` wrote; needs the extra gradgan[hf]."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from PIL import Image

from ...core.checks import GradganError, unknown_name
from .content import Files
from .picture import Picture, opened, printable
from .source import WHOLE, Source, no_splits


def is_saved_dataset(path: Path) -> bool:
    """Has `Dataset.save_to_disk` or `DatasetDict.save_to_disk` written this folder?"""
    return (path / "dataset_dict.json").is_file() or (path / "state.json").is_file()


def saved_dataset(path: Path, split: str) -> Source:
    """The pictures in the only column of images, with the classes of the only ClassLabel column if there is one.

    Raises GradganError where `datasets` is not installed, the folder is broken, or such a column is missing.
    """
    library = _library(path)
    names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    files = Files(f"hub, {split}", path, names)
    stamp = files.stamp()
    rows, column, classes = _columns(path, library, _loaded(path, library, split))
    return Source(path, len(rows), _pictures(rows, column, classes), files, stamp)


def _library(path: Path) -> Any:
    try:
        return import_module("datasets")
    except ImportError:
        raise GradganError(
            f"images: {path} is a saved Hugging Face data set, which needs the extra: pip install 'gradgan[hf]'"
        ) from None


def _loaded(path: Path, library: Any, split: str) -> Any:
    try:
        found = library.load_from_disk(str(path))
    except Exception as error:  # pyarrow and datasets raise nearly anything for a broken folder
        told = printable(error)[:100]
        raise GradganError(f"images: {path} cannot be loaded as a saved data set ({told}). Save it again.") from None
    if not isinstance(found, library.DatasetDict):
        if split != WHOLE:
            raise no_splits(path, split)
        return found
    if split not in found:
        raise unknown_name(f"split of {path}", split, map(str, found))
    return found[split]


def _columns(path: Path, library: Any, rows: Any) -> tuple[Any, str, tuple[str, list[str]] | None]:
    """The rows with undecoded images; the image column; the label column and its class names."""
    images = [name for name, kind in rows.features.items() if isinstance(kind, library.Image)]
    labels = [name for name, kind in rows.features.items() if isinstance(kind, library.ClassLabel)]
    if len(images) != 1 or len(labels) > 1:
        raise GradganError(
            f"images: {path} has {len(images)} columns of images and {len(labels)} of class labels, wanted one and at "
            "most one. Remove the others with remove_columns and save it again."
        )
    # Undecoded: bytes for our own checks, and never a path to follow.
    rows = rows.select_columns(images + labels).cast_column(images[0], library.Image(decode=False))
    return rows, images[0], (labels[0], rows.features[labels[0]].names) if labels else None


def _pictures(rows: Any, column: str, classes: tuple[str, list[str]] | None) -> Iterator[Picture]:
    for index, row in enumerate(rows):
        number = None if classes is None else row[classes[0]]
        # -1: the class is not known.
        label = None if classes is None or number is None or number < 0 else classes[1][number]
        name = f"{column}[{index}]"
        yield Picture(name, label, lambda held=row[column], name=name: _open(held, name))


def _open(held: dict[str, Any] | None, name: str) -> Image.Image:
    if held is None or not held["bytes"]:
        raise OSError("the data set holds no bytes, only a path; embed the images before saving")
    return opened(held["bytes"], name)

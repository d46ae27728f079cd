"""Where pictures come from: a folder, a zip archive, a file of arrays, a saved Hugging Face data set."""

from os import PathLike
from pathlib import Path

from ...core.checks import GradganError
from .archive import archive
from .arrays import array_file
from .folder import folder
from .hub import is_saved_dataset, saved_dataset
from .source import WHOLE, Source, no_splits


def source_of(path: str | PathLike[str] | None, split: str) -> Source:
    """The pictures at `path`. Raises GradganError for what is missing, of another kind, or hostile."""
    if path is None or not str(path):
        raise GradganError("images needs a folder, a .zip, or a .npz or .npy file. Give it: --data.path FOLDER")
    place = Path(path).expanduser()
    if is_saved_dataset(place):
        return saved_dataset(place, split)
    if split != WHOLE:
        raise no_splits(place, split)
    if place.is_dir():
        return folder(place)
    if not place.is_file():
        raise GradganError(f"images: {place} does not exist. Give a folder, a .zip, .npz or .npy: --data.path FOLDER")
    readers = {".zip": archive, ".npz": array_file, ".npy": array_file}
    if place.suffix.lower() not in readers:
        raise GradganError(
            f"images: {place} is neither a folder nor a .zip, .npz or .npy file. For single pictures, give the folder "
            "they lie in."
        )
    return readers[place.suffix.lower()](place)

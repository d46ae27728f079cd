"""One's own pictures: a folder, an archive, arrays or a saved Hugging Face data set, as one data set."""

from os import PathLike
from typing import Literal

from ..core.checks import GradganError, unknown_name
from .dataset import DATASETS, Dataset, image_scale
from .pictures import WHOLE, decoded, source_of

_CHANNELS = {"auto": None, "grey": 1, "rgb": 3}
_SIZES = (8, 1024)


@DATASETS.add(paper="gradgan", event=None, scale="symmetric", labelled=None)
def images(
    path: str | PathLike[str] | None = None,
    size: int = 32,
    channels: Literal["auto", "grey", "rgb"] = "auto",
    mirror: bool = False,
    split: str = WHOLE,
    scale: Literal["symmetric", "unit"] = "symmetric",
) -> Dataset:
    """Your own pictures: a folder (class subfolders become labels), a .zip, .npz or .npy file, or a saved HF data set.

    PNG, JPEG and WebP of any size: turned upright, laid over white, the middle square cut out and resized to `size`
    with antialiasing. `channels`: "auto" keeps grey pictures grey if all of them are. `mirror`:
    the loader shows half of them mirrored, others in each epoch. `split`: of a saved Hugging Face DatasetDict.
    Pictures that cannot be read are left out and listed in `skipped`; hostile ones are refused (docs/data.md).
    They are decoded once, into a cache, and mapped into memory from there.
    Shapes: (n, c, size, size). Raises GradganError for whatever cannot be taken.
    """
    image_scale(scale, what="images")
    if channels not in _CHANNELS:
        raise unknown_name("channels of images", str(channels), _CHANNELS)
    if not _SIZES[0] <= size <= _SIZES[1]:
        raise GradganError(f"images.size must lie in {_SIZES[0]}..{_SIZES[1]}, got {size}; networks serve 8 to 64.")
    found = decoded(source_of(path, split), size=size, channels=_CHANNELS[channels])
    return Dataset(
        "images",
        found.pixels,
        found.labels,
        len(found.class_names),
        kind="images",
        scale=scale,
        class_names=found.class_names,
        skipped=found.skipped,
        mirror=mirror,
    )

"""Which samples could not be read: the first of them on the terminal, all of them in the run folder."""

import logging

from ..core.files import replace_file, writing
from ..core.record import RunFolder
from ..data import Dataset


def tell_skipped(dataset: Dataset, folder: RunFolder) -> None:
    """Warn of the samples that were left out, and list them in RUN/skipped.txt; nothing where there are none."""
    skipped = dataset.skipped
    if not skipped:
        return
    path = folder.path / "skipped.txt"
    with writing(path):
        replace_file(path, "".join(f"{line}\n" for line in skipped).encode())
    logging.getLogger("gradgan").warning(
        "%d of %d pictures cannot be read and are left out: %s%s. All of them: %s",
        len(skipped), len(skipped) + len(dataset), "; ".join(skipped[:3]), " ..." * (len(skipped) > 3), path,
    )  # fmt: skip

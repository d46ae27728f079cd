"""TensorBoard's event files, written without TensorFlow and without torch."""

import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .files import sync_folder, write_all
from .png import png_bytes


class EventFile:
    """One more events.out.tfevents file in `folder`, made at the first write; later files sort after earlier ones.

    Of tensorboard only the protobuf messages and the checksum are used, imported at the first write. Its own writer
    would import TensorFlow where that is installed, and puts a thread and a queue between a number and the disk.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` need not exist yet."""
        self._folder = folder
        self._file: int | None = None

    def scalars(self, step: int, numbers: Mapping[str, float]) -> None:
        """The numbers of one step."""
        _, words = _messages()
        values = [words.Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
        self._write(step=step, summary=words.Summary(value=values))

    def image(self, step: int, name: str, image: np.ndarray) -> None:
        """A picture, uint8 (h, w) or (h, w, 3)."""
        _, words = _messages()
        height, width = image.shape[:2]
        colors = 1 if image.ndim == 2 else 3
        encoded = words.Summary.Image(
            height=height, width=width, colorspace=colors, encoded_image_string=png_bytes(image)
        )
        self._write(step=step, summary=words.Summary(value=[words.Summary.Value(tag=name, image=encoded)]))

    def restart(self, step: int) -> None:
        """Tell TensorBoard that the run goes on from `step`: what it read at this step or later no longer counts."""
        session = _messages()[0].SessionLog
        self._write(step=step, session_log=session(status=session.START))

    def sync(self) -> None:
        """Put what was written on the disk."""
        if self._file is not None:
            os.fsync(self._file)
            sync_folder(self._folder)

    def close(self) -> None:
        """Close the file, if one was made."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, **fields: Any) -> None:
        if self._file is None:
            self._file = self._open()
            self._put(file_version="brain.Event:2")
        self._put(**fields)

    def _put(self, **fields: Any) -> None:
        """One record of the TFRecord format: length, its checksum, the event, its checksum (all little-endian)."""
        from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

        assert self._file is not None
        event = _messages()[0].Event(wall_time=time.time(), **fields).SerializeToString()
        length = struct.pack("<Q", len(event))
        checks = [struct.pack("<I", masked_crc32c(part)) for part in (length, event)]
        write_all(self._file, length + checks[0] + event + checks[1])

    def _open(self) -> int:
        self._folder.mkdir(exist_ok=True)
        # TensorBoard reads a folder's files in the order of their names: the count keeps it within one second, and no
        # clock that was set back may put a later file first.
        before = [path.name.split(".")[3] for path in self._folder.glob("events.out.tfevents.*.*")]
        second = max([int(time.time()), *(int(name) for name in before if name.isdigit())])
        path = self._folder / f"events.out.tfevents.{second:010d}.{len(before):04d}"
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)


def _messages() -> tuple[Any, Any]:
    """The generated protobuf modules of events and of summaries, whose classes no type checker sees."""
    from tensorboard.compat.proto import event_pb2, summary_pb2

    return event_pb2, summary_pb2

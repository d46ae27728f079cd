"""TensorBoard's event files, written without TensorFlow and without torch."""

import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .png import png_bytes


class EventFile:
    """One more events.out.tfevents file in `folder`, made at the first write; later files sort after earlier ones.

    Of tensorboard only the protobuf messages and the checksum are used, imported at the first write. Its own writer
    would import TensorFlow where that is installed, and puts a thread and a queue between a number and the disk.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` need not exist yet."""
        self._folder = folder
        self._file: BinaryIO | None = None

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

    def close(self) -> None:
        """Close the file, if one was made."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, **fields: Any) -> None:
        if self._file is None:
            self._file = self._open()
            self._put(file_version="brain.Event:2")
        self._put(**fields)
        self._file.flush()

    def _put(self, **fields: Any) -> None:
        """One record of the TFRecord format: length, its checksum, the event, its checksum (all little-endian)."""
        from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

        assert self._file is not None
        event = _messages()[0].Event(wall_time=time.time(), **fields).SerializeToString()
        length = struct.pack("<Q", len(event))
        checks = [struct.pack("<I", masked_crc32c(part)) for part in (length, event)]
        self._file.write(length + checks[0] + event + checks[1])

    def _open(self) -> BinaryIO:
        self._folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads a folder's files in the order of their names: the count keeps it within one second.
        count = len(list(self._folder.glob("events.out.tfevents.*")))
        return (self._folder / f"events.out.tfevents.{int(time.time()):010d}.{count:04d}").open("xb")


def _messages() -> tuple[Any, Any]:
    """The generated protobuf modules of events and of summaries, whose classes no type checker sees."""
    from tensorboard.compat.proto import event_pb2, summary_pb2

    return event_pb2, summary_pb2

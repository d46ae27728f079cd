"""Pictures in a zip archive, of which nothing is believed and nothing unpacked to disk."""

import re
import stat
import zipfile
from pathlib import Path

from ...core.checks import GradganError
from .content import Files
from .picture import MOST_BYTES, Picture, opened, printable
from .source import Source, classes_of, is_picture, no_pictures

_ENCRYPTED = 0x1
_UNIX = 3
_BOMB_BYTES, _BOMB_RATIO = 1 << 20, 100
"""Pictures are packed already: one that unpacks a hundredfold to more than this is no picture."""


def archive(path: Path) -> Source:
    """Every picture in the archive, in the order of their names.

    Raises GradganError for what is no zip archive, holds no picture or encrypted ones, has members whose paths are
    absolute or climb out, links, members that overlap, or a decompression bomb.
    """
    files = Files(".zip", path, [""])
    stamp = files.stamp()
    unpacked = opened_zip(path)
    members = sorted((m for m in unpacked.infolist() if not m.is_dir()), key=lambda member: member.filename)
    chosen = [member for member in members if is_picture(member.filename)]
    if not chosen:
        raise no_pictures(path, [member.filename for member in members])
    for member in chosen:
        _refuse_bomb(path, member)
    labels = classes_of([member.filename for member in chosen])
    pictures = [
        Picture(member.filename, label, lambda member=member: opened(unpacked.read(member), member.filename))
        for member, label in zip(chosen, labels, strict=True)
    ]
    return Source(path, len(chosen), pictures, files, stamp)


def opened_zip(path: Path) -> zipfile.ZipFile:
    """The archive, its table of contents checked. Raises GradganError for one that cannot be trusted."""
    try:
        unpacked = zipfile.ZipFile(path)
    except Exception as error:  # zipfile raises half a dozen kinds for a broken table of contents
        raise GradganError(
            f"{path}: no zip archive, or a broken one ({printable(error)[:100]}). Pack it anew."
        ) from None
    for member in unpacked.infolist():
        _refuse_hostile(path, member)
    packed = sum(member.compress_size for member in unpacked.infolist())
    if packed > path.stat().st_size:
        raise GradganError(
            f"{path}: its members claim {packed} packed bytes in a file of {path.stat().st_size}, so they overlap. "
            "It is refused as a decompression bomb."
        )
    return unpacked


def _refuse_hostile(path: Path, member: zipfile.ZipInfo) -> None:
    name = member.filename
    # zipfile itself has cut the name at a zero byte; the name as stored is the one to judge.
    stored = member.orig_filename
    if not name:
        raise GradganError(f"{path}: a member has no name. Pack it anew.")
    if stored.startswith(("/", "\\")) or re.match("[A-Za-z]:", stored) or ".." in re.split(r"[/\\]", stored):
        raise GradganError(f"{path}: member {name!r} has a path that leads out of the archive. Pack it anew.")
    if member.flag_bits & _ENCRYPTED:
        raise GradganError(f"{path}: member {name!r} is encrypted. Unpack it with its password and give the folder.")
    if member.create_system == _UNIX and stat.S_ISLNK(member.external_attr >> 16):
        raise GradganError(f"{path}: member {name!r} is a link. It is refused; pack the file it points to.")


def _refuse_bomb(path: Path, member: zipfile.ZipInfo) -> None:
    size, packed = member.file_size, max(1, member.compress_size)
    if size > MOST_BYTES or (size > _BOMB_BYTES and size > _BOMB_RATIO * packed):
        raise GradganError(
            f"{path}: member {member.filename!r} unpacks from {packed} to {size} bytes. It is refused as a bomb; "
            f"pictures stay under {MOST_BYTES >> 20} MB and {_BOMB_RATIO} to 1."
        )

"""Mutated pictures, archives and arrays give a data set or the one error: no other, no crash, no memory blow-up.

Ten thousand of each kind instead of some hundred, in about two minutes on one core:
    python -m pytest tests/data/test_hostile_images.py --hypothesis-profile fuzz -n 0
"""

import io
import resource
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradgan.core.checks import GradganError
from gradgan.data import Dataset, images

from .picture_files import encoded, noise, picture, write_tree, write_zip

_MOST_GROWTH = 700 << 20
"""What a lying header may cost for a moment: the largest picture that is let in, and its copy."""

many = settings(
    max_examples=max(150, settings.default.max_examples),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
damages = st.fixed_dictionaries(
    {
        # A place as a share of the file, so that examples shrink whatever its length; small places are headers.
        "bytes": st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
        "head": st.lists(st.tuples(st.integers(0, 63), st.integers(0, 255)), max_size=2),
        "keep": st.one_of(st.just(1.0), st.floats(0, 1)),
        "more": st.binary(max_size=8),
    }
)


def damaged(content: bytes, damage: dict) -> bytes:
    result = bytearray(content)
    for place, value in damage["bytes"]:
        result[int(place * len(result))] = value
    for place, value in damage["head"]:
        result[place % len(result)] = value
    return bytes(result[: int(damage["keep"] * len(result))]) + damage["more"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An own folder and cache; what is decoded here need not outlive a power cut."""
    monkeypatch.setenv("GRADGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("os.fsync", lambda handle: None)
    monkeypatch.setattr("logging.Logger.warning", lambda *arguments: None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield tmp_path
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < _MOST_GROWTH


def taken_or_refused(path: Path) -> Dataset | None:
    shutil.rmtree(path.parent / "cache", ignore_errors=True)
    try:
        data = images(path, size=8)
    except GradganError as error:
        assert str(path) in str(error) or path.name in str(error) or "0.png" in str(error)
        assert "\n" not in str(error)
        return None
    assert data.samples.shape[1:] in ((1, 8, 8), (3, 8, 8)) and len(data) > 0
    return data


def with_sums(png: bytes) -> bytes:
    """The same chunks with checksums that are right again, so that a mutation reaches what lies behind them."""
    result, at = bytearray(png), 8
    while at + 12 <= len(result):
        (length,) = struct.unpack_from(">I", result, at)
        end = at + 8 + length
        if end + 4 > len(result):
            break
        struct.pack_into(">I", result, end, zlib.crc32(result[at + 4 : end]))
        at = end + 4
    return bytes(result)


MODES = ("L", "LA", "RGB", "RGBA", "P", "I;16")
SOUND = {
    **{f"png {mode}": encoded(picture(mode)) for mode in MODES},
    "jpg L": encoded(picture("L"), "jpg"),
    "jpg RGB": encoded(picture(), "jpg", progressive=True),
    "jpg CMYK": encoded(picture("CMYK"), "jpg"),
    "webp RGB": encoded(picture(), "webp"),
    "webp RGBA": encoded(picture("RGBA"), "webp", lossless=True),
    "webp moving": encoded(picture(), "webp", save_all=True, append_images=[picture(seed=1)]),
}


@many
@given(sound=st.sampled_from(sorted(SOUND)), damage=damages, sums=st.booleans())
def test_pictures(place, sound, damage, sums):
    content = damaged(SOUND[sound], damage)
    content = with_sums(content) if sums and sound.startswith("png") else content
    # Beside a sound one, so that what is left out leaves something.
    data = taken_or_refused(write_tree(place / "x", {"0.png": content, "1.png": SOUND["png L"]}))
    assert data is None or len(data) + len(data.skipped) == 2


ZIP = {"a/0.png": SOUND["png L"], "a/1.jpg": SOUND["jpg RGB"], "b/2.png": SOUND["png RGBA"]}


@many
@given(damage=damages, tail=st.lists(st.tuples(st.integers(1, 260), st.integers(0, 255)), max_size=3))
def test_archives(place, damage, tail):
    content = bytearray(damaged(write_zip(place / "x.zip", ZIP).read_bytes(), damage))
    for back, value in tail:  # the table of contents stands at the end
        if back <= len(content):
            content[-back] = value
    (place / "x.zip").write_bytes(content)
    outside = set(place.parent.iterdir())
    taken_or_refused(place / "x.zip")
    assert set(place.parent.iterdir()) == outside


def saved(save, *arrays, **named) -> bytes:
    buffer = io.BytesIO()
    save(buffer, *arrays, **named)
    return buffer.getvalue()


NPY = saved(np.save, noise(4, 8, 9, 3))
NPZ = [saved(save, images=noise(4, 8, 9), labels=np.arange(4)) for save in (np.savez, np.savez_compressed)]


@many
@given(damage=damages)
def test_npy(place, damage):
    (place / "x.npy").write_bytes(damaged(NPY, damage))
    taken_or_refused(place / "x.npy")


@many
@given(sound=st.sampled_from(NPZ), damage=damages)
def test_npz(place, sound, damage):
    (place / "x.npz").write_bytes(damaged(sound, damage))
    taken_or_refused(place / "x.npz")


def test_an_array_whose_name_has_a_line_break(place):
    write_zip(place / "x.npz", {"imag\ns.npy": b"no array"})
    with pytest.raises(GradganError, match=r"x\.npz: imag s is no NumPy array .*Save it anew\.$"):
        images(place / "x.npz", size=8)
    write_zip(place / "x.npz", {"imag\ns.npy": saved(np.save, np.zeros((2, 2)))})
    taken_or_refused(place / "x.npz")

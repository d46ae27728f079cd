"""The IDX reader takes sound files in every spelling and refuses everything else with one clear line."""

import gzip
import tracemalloc
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradgan.core.checks import GradganError
from gradgan.data import idx
from gradgan.data.idx import read_idx

from .idx_files import idx_bytes, pixels, write, write_folder


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("joint", ["-", "."])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_folder_in_every_spelling(tmp_path, end, joint, split, prefix):
    images = write_folder(tmp_path, prefix=prefix, joint=joint, end=end)
    data = idx(str(tmp_path), split=split)
    assert torch.equal(data.samples, images[:, None])
    assert data.labels.tolist() == [0, 1, 2, 3, 4]
    assert (data.event, data.classes, data.scale) == ((1, 4, 3), 5, "symmetric")


def test_labels_are_optional(tmp_path):
    write_folder(tmp_path, labels=False)
    data = idx(tmp_path)
    assert data.labels is None and data.classes == 0


def test_gzip_is_told_by_content_not_by_name(tmp_path):
    packed = write(tmp_path, "named-plain", gzip.compress(idx_bytes(pixels())))
    plain = tmp_path / "named-packed.gz"
    plain.write_bytes(idx_bytes(pixels()))
    assert torch.equal(read_idx(packed, dimensions=3), pixels())
    assert torch.equal(read_idx(plain, dimensions=3), pixels())


def test_two_gzip_members_are_one_content(tmp_path):
    content = idx_bytes(pixels())
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(content[:30]) + gzip.compress(content[30:]))
    assert torch.equal(read_idx(path, dimensions=3), pixels())


SOUND = idx_bytes(pixels())
HOSTILE = {
    "empty": (b"", "not an IDX file.*nothing"),
    "short magic": (SOUND[:3], "not an IDX file"),
    "bad magic": (b"PNG!" + SOUND, "not an IDX file, it starts with 50 4e 47 21"),
    "floats": (idx_bytes(pixels(), kind=0x0D), "type 0x0d"),
    "labels for images": (idx_bytes(torch.zeros(4, dtype=torch.uint8)), "1 dimensions, wanted 3"),
    "truncated header": (SOUND[:11], "truncated within its header"),
    "truncated values": (SOUND[:-1], "truncated"),
    "longer": (SOUND + b"x", "longer than the 60 bytes"),
    "no images": (idx_bytes(pixels(), sizes=(0, 4, 3)), "holds nothing"),
    "huge promise": (idx_bytes(pixels(), sizes=(2**32 - 1,) * 3), "truncated, its header promises"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused(tmp_path, name, packed):
    content, message = HOSTILE[name]
    path = write(tmp_path, "file.gz" if packed else "file", content)
    with pytest.raises(GradganError, match=message):
        read_idx(path, dimensions=3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-9],
        lambda b: b[:12],
        lambda b: b[:2],
        lambda b: b[:-6] + b"\0\0" + b[-4:],
        lambda b: b[:10] + b"\xff" * 9,
    ],
    ids=["cut tail", "cut early", "magic only", "wrong crc", "bad deflate"],
)
def test_broken_gzip_is_refused(tmp_path, damage):
    path = tmp_path / "x.gz"
    path.write_bytes(damage(gzip.compress(SOUND)))
    with pytest.raises(GradganError, match=r"gzip|truncated"):
        read_idx(path, dimensions=3)


def peak_of(call) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(GradganError):
            call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_bomb_is_not_unpacked(tmp_path):
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(SOUND + bytes(200_000_000), compresslevel=1))
    assert peak_of(lambda: read_idx(bomb, dimensions=3)) < 4_000_000


def test_a_bomb_that_promises_more_than_gzip_can_hold_is_not_unpacked(tmp_path):
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(
        gzip.compress(idx_bytes(pixels(), sizes=(60_000, 1000, 1000)) + bytes(100_000_000), compresslevel=1)
    )
    assert peak_of(lambda: read_idx(bomb, dimensions=3)) < 4_000_000


@pytest.mark.parametrize("name", ["liar", "liar.gz"])
def test_a_promise_is_not_allocated(tmp_path, name):
    liar = write(tmp_path, name, idx_bytes(pixels(), sizes=(60_000, 1000, 1000)))
    assert peak_of(lambda: read_idx(liar, dimensions=3)) < 4_000_000


def test_a_promise_that_gzip_could_keep_costs_only_what_is_there(tmp_path):
    # 1032 to 1 is possible, so the header passes; memory must follow the content.
    liar = tmp_path / "x.gz"
    noise = torch.randint(256, (200_000,), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    liar.write_bytes(gzip.compress(idx_bytes(noise, sizes=(100, 1000, 1000))))
    assert peak_of(lambda: read_idx(liar, dimensions=3)) < 6_000_000


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), packed=st.booleans())
def test_mutated_files_give_a_tensor_or_the_one_error(tmp_path: Path, data, packed):
    content = bytearray(gzip.compress(SOUND, mtime=0) if packed else SOUND)
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=6)
    ):
        content[place] = value
    cut = data.draw(st.integers(0, len(content)))
    path = tmp_path / "fuzzed"
    path.write_bytes(bytes(content[:cut]) + data.draw(st.binary(max_size=8)))
    try:
        values = read_idx(path, dimensions=3)
    except GradganError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert values.dtype == torch.uint8 and values.ndim == 3 and values.numel() > 0


def test_missing_and_unreadable(tmp_path):
    with pytest.raises(GradganError, match="cannot be read"):
        read_idx(tmp_path / "nothing", dimensions=3)
    with pytest.raises(GradganError, match="cannot be read"):
        read_idx(tmp_path, dimensions=3)

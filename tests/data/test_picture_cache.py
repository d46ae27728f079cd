"""The cache of decoded pictures: one entry for a content, wherever it lies; no file read at the second start."""

import io
import logging
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from gradgan.core.checks import GradganError
from gradgan.data import images
from gradgan.data.pictures import cache as decoding
from gradgan.data.pictures import content, known
from gradgan.data.pictures.content import Files

from .picture_files import PNG, TREE, noise, write_tree, write_zip

KINDS = ["folder", ".zip", ".npz", ".npy"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "images"


@pytest.fixture
def decodes(monkeypatch):
    """Grows by one for each picture that is decoded."""
    seen, real = [], decoding.converted
    monkeypatch.setattr(decoding, "converted", lambda *given: (seen.append(1), real(*given))[1])
    return seen


@pytest.fixture
def readings(monkeypatch):
    """Grows by one whenever all files of a source are read."""
    seen, real = [], Files.content
    monkeypatch.setattr(Files, "content", lambda self: (seen.append(1), real(self))[1])
    return seen


def entries(cache):
    return sorted(path for path in cache.iterdir() if path.is_dir() and path.name != "known")


def index(cache):
    """What is known of each source's content: one small file for each."""
    return sorted((cache / "known").glob("*.json"))


def source(place, kind):
    """Three pictures."""
    if kind == "folder":
        return write_tree(place, TREE)
    path = place.with_suffix(kind)
    if kind == ".zip":
        return write_zip(path, TREE)
    np.save(path, noise(3, 8, 8)) if kind == ".npy" else np.savez(path, noise(3, 8, 8), labels=np.arange(3))
    return path


def copied(path, place):
    (shutil.copytree if path.is_dir() else shutil.copy)(path, place)
    return place


def files_of(path):
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def change(file, at=-1):
    """Another byte, while size and date stay."""
    time.sleep(0.02)  # the system's own clock for files goes in steps of some milliseconds
    status, held = file.stat(), bytearray(file.read_bytes())
    held[at] ^= 1
    file.write_bytes(held)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


# ---- one content, one entry -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bytes_are_decoded_once_wherever_they_lie(tmp_path, cache, decodes, readings, kind):
    path = source(tmp_path / "x", kind)
    first = images(path)
    for place in (copied(path, tmp_path / f"y{path.suffix}"), path.rename(tmp_path / f"z{path.suffix}")):
        again = images(place)
        assert torch.equal(again.samples, first.samples) and again.class_names == first.class_names
    for file in files_of(place):
        os.utime(file, (1, 1))
    images(place)
    for file in files_of(place):
        file.chmod(0o600)
    images(place)
    assert (len(decodes), len(readings), len(entries(cache))) == (3, 5, 1)
    images(place)
    assert len(readings) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_another_byte_is_another_content_though_size_and_date_are_the_same(tmp_path, cache, decodes, kind):
    path = source(tmp_path / "x", kind)
    images(path)
    # In archives the date of a member, which nobody looks at: else their own checksums would notice.
    change(path / "dogs" / "b.png" if kind == "folder" else path, at=10 if kind in (".zip", ".npz") else -1)
    images(path)
    assert (len(decodes), len(entries(cache))) == (6, 2)


def test_a_broken_picture_is_noticed_though_size_and_date_are_the_same(tmp_path, cache):
    path = write_tree(tmp_path / "x", TREE)
    images(path)
    for at in range(8):
        change(path / "dogs" / "b.png", at)
    assert images(path).skipped == ("dogs/b.png: not a PNG, JPEG or WebP file",)
    images(path, size=16)
    assert len(entries(cache)) == 3


def test_names_are_content_for_the_classes_follow_from_them(tmp_path, cache):
    path = write_tree(tmp_path / "x", TREE)
    assert images(path).class_names == ("cats", "dogs")
    (path / "dogs").rename(path / "wolves")
    assert images(path).class_names == ("cats", "wolves")
    (path / "wolves").rename(path / "ants")
    data = images(path)
    assert data.class_names == ("ants", "cats") and data.labels.tolist() == [0, 1, 1] and len(entries(cache)) == 3


def test_names_and_bytes_do_not_run_into_one_another(tmp_path, cache):
    names = ["a.png", "b.png"]
    trees = [{}, {"a.png": PNG}, {"b.png": PNG}, {"a.png": PNG, "b.png": b""}, {"a.png": b"", "b.png": PNG}]
    contents = [Files("folder", write_tree(tmp_path / str(k), tree), names).content() for k, tree in enumerate(trees)]
    contents.append(Files(".zip", tmp_path / "1", names).content())
    assert len({held.digest for held in contents}) == 6
    assert [held.unread for held in contents] == [2, 1, 1, 0, 0, 1]


def test_another_size_reads_the_files_once_more_to_decode_but_not_to_know_them(tmp_path, cache, readings):
    path = write_tree(tmp_path / "x", TREE)
    for size in (8, 16, 8):
        images(path, size=size)
    assert len(readings) == 1 and len(entries(cache)) == 2


@pytest.mark.parametrize("kind", ["folder", ".zip", ".npy"])
def test_the_second_start_opens_no_picture(tmp_path, caplog, monkeypatch, kind):
    path = source(tmp_path / "x", kind)
    caplog.set_level(logging.WARNING)
    first = images(path).samples.clone()
    real = io.open

    def only_tables_of_contents(file, *given, **words):
        assert Path(str(file)).suffix.lower() not in (".png", ".jpg", ".webp"), file
        return real(file, *given, **words)

    monkeypatch.setattr("io.open", only_tables_of_contents)
    monkeypatch.setattr("zipfile.ZipFile.read", None)
    monkeypatch.setattr(Files, "content", None)
    assert torch.equal(images(path).samples, first) and len(caplog.records) == 1


# ---- what goes wrong ------------------------------------------------------------------------------------------------


def test_links_to_nothing_and_pipes_are_left_out_wherever_they_lie(tmp_path, cache, decodes):
    path = write_tree(tmp_path / "x", {"a.png": PNG, "b.png": PNG})
    (path / "lost.png").symlink_to("nothing")
    os.mkfifo(path / "pipe.png")
    skipped = ("lost.png: No such file or directory", "pipe.png: not a file")
    assert images(path).skipped == skipped
    images(path.rename(tmp_path / "y"))
    assert images(tmp_path / "y").skipped == skipped and (len(decodes), len(entries(cache))) == (2, 1)
    (tmp_path / "y" / "nothing").write_bytes(PNG)
    assert images(tmp_path / "y").skipped == skipped[1:] and len(entries(cache)) == 2


def test_a_file_that_may_not_be_read_is_left_out_and_taken_once_it_may(tmp_path, cache, monkeypatch):
    path = write_tree(tmp_path / "x", {"a.png": PNG, "b.png": PNG})
    real, shut = Path.open, {"b.png"}

    def guarded(self, *given, **words):
        if self.name in shut:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *given, **words)

    monkeypatch.setattr(Path, "open", guarded)
    assert images(path).skipped == ("b.png: Permission denied",)
    shut.clear()
    (path / "b.png").chmod(0o600)
    assert images(path).skipped == () and len(entries(cache)) == 2


def test_a_file_that_was_read_and_then_cannot_be_spoils_no_entry(tmp_path, cache, monkeypatch):
    path = write_tree(tmp_path / "x", {"a.png": PNG, "b.png": PNG})

    def lost(*_, **__):
        raise content.Unread("Input/output error")

    with monkeypatch.context() as once:
        once.setattr("gradgan.data.pictures.folder.opened_file", lost)
        with pytest.raises(GradganError, match=r"none of the 2 pictures .*a.png: Input/output error"):
            images(path)
        real = content.opened_file
        once.setattr(
            "gradgan.data.pictures.folder.opened_file",
            lambda place, *rest: (lost if "b" in place.name else real)(place, *rest),
        )
        with pytest.raises(GradganError, match="changed while they were decoded, or could not all be read") as error:
            images(path)
    assert "\n" not in str(error.value) and not entries(cache) and not index(cache)
    assert images(path).skipped == ()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["touched", "changed"])
def test_files_that_change_while_they_are_decoded(tmp_path, cache, monkeypatch, readings, kind, what):
    path = source(tmp_path / "x", kind)
    file = files_of(path)[0] if kind != "folder" else path / "dogs" / "b.png"
    held, real = file.read_bytes(), decoding._fill

    def fill(*given):
        unread = real(*given)
        change(file) if what == "changed" else os.utime(file, (1, 1))
        return unread

    with monkeypatch.context() as once:
        once.setattr(decoding, "_fill", fill)
        if what == "changed":
            with pytest.raises(GradganError, match=r"the files of .* changed while they were decoded") as error:
                images(path)
            assert "\n" not in str(error.value) and not entries(cache)
        else:
            images(path)
    file.write_bytes(held)
    assert len(images(path)) == 3 and len(entries(cache)) == 1
    images(path)
    assert len(readings) == 3


def test_nothing_is_known_of_files_that_change_while_they_are_read(tmp_path, cache, monkeypatch):
    path = write_tree(tmp_path / "x", TREE)
    real = Files.content
    monkeypatch.setattr(Files, "content", lambda self: (real(self), change(path / "dogs" / "b.png", 0))[0])
    with pytest.raises(GradganError, match="changed while they were decoded"):
        images(path)
    assert not index(cache)


@pytest.mark.parametrize(
    "torn", [b"", b"{", b"[]", b"7", b'{"digest": "../../x", "unread": 0}', b'{"digest": null, "unread": 0}', b"\xff"]
)
def test_a_torn_index_is_made_again(tmp_path, cache, decodes, readings, torn):
    path = write_tree(tmp_path / "x", TREE)
    images(path)
    (place,) = index(cache)
    whole = place.read_bytes()
    place.write_bytes(torn)
    images(path)
    assert (len(decodes), len(readings)) == (3, 2) and place.read_bytes() == whole


def test_an_index_without_its_entry_decodes_and_one_that_cannot_be_written_is_said(
    tmp_path, cache, decodes, readings, caplog, monkeypatch
):
    path = write_tree(tmp_path / "x", TREE)
    images(path)
    shutil.rmtree(entries(cache)[0])
    images(path)
    assert (len(decodes), len(readings)) == (6, 1)
    caplog.clear()
    os.utime(path / "dogs" / "b.png", (1, 1))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(known, "replace_file", full)
    assert len(images(path)) == 3 and len(decodes) == 6
    assert ["the next start reads it all again" in record.message for record in caplog.records] == [True]


def test_that_much_is_read_is_said(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(known, "_WORTH_A_WORD", 1)
    images(write_tree(tmp_path / "x", TREE))
    assert caplog.records[0].message.startswith("reading 0.0 GB of ")


@pytest.mark.parametrize("damage", ["pixels", "labels", "index.json", "cut", "gone"])
def test_a_torn_entry_is_made_again(tmp_path, cache, damage):
    path = write_tree(tmp_path / "x", TREE)
    whole = images(path).samples.clone()
    (entry,) = entries(cache)
    if damage == "gone":
        (entry / "index.json").unlink()
    else:
        file = entry / ("index.json" if damage == "cut" else damage)
        file.write_bytes(file.read_bytes()[:-1] if damage != "index.json" else b'{"shape": [1]}')
    data = images(path)
    assert torch.equal(data.samples, whole) and data.labels.tolist() == [0, 0, 1]


def test_what_a_killed_process_left_is_not_taken(tmp_path, cache):
    path = write_tree(tmp_path / "x", TREE)
    images(path)
    (entry,) = entries(cache)
    entry.rename(entry.with_suffix(".partial"))
    (entry.with_suffix(".partial") / "pixels").write_bytes(b"half")
    assert len(images(path)) == 3
    assert entries(cache) == [entry]


def test_a_cache_that_cannot_be_written_is_named(tmp_path, cache, monkeypatch):
    path = write_tree(tmp_path / "x", TREE)
    monkeypatch.setattr(decoding, "_fill", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(GradganError, match=r"cannot write the cache .*: full.*GRADGAN_CACHE") as error:
        images(path)
    assert not entries(cache) and "\n" not in str(error.value)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1000))
    with pytest.raises(GradganError, match=r"need 1 MB in .*, where 0 MB are free"):
        images(path)


# ---- several at once ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [1, 4])
def test_of_several_that_ask_at_once_one_reads_and_one_decodes(tmp_path, caplog, readings, places):
    # Threads stand for processes: the lock is on the open file, of which each call has its own.
    paths = [tmp_path / f"{k % places}.npy" for k in range(4)]
    for path in paths[:places]:
        np.save(path, noise(500, 8, 8))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(images, paths))
    assert len(caplog.records) == 1 and len(readings) == places
    assert all(torch.equal(data.samples, found[0].samples) for data in found)


def test_processes_agree_on_the_content(tmp_path, cache):
    path = write_tree(tmp_path / "x", TREE)
    (path / os.fsdecode(b"latin\xe9.png")).write_bytes(PNG)
    code = "import sys; from gradgan.data import images; print(len(images(sys.argv[1])))"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [process.communicate()[0] for process in running] == ["4\n", "4\n"]
    assert len(images(path)) == 4 and len(entries(cache)) == len(index(cache)) == 1

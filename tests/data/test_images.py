"""One's own pictures: what is taken from folders, archives and arrays, and what is refused."""

import os
import struct
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from gradgan.core.checks import GradganError
from gradgan.data import DATASETS, Loader, images
from gradgan.data.pictures.picture import converted
from gradgan.testing import check_dataset

from .picture_files import PNG, TREE, encoded, noise, picture, write_tree, write_zip

NAMES = ["cats/a.jpg", "cats/deep/c.WEBP", "dogs/b.png"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADGAN_CACHE", str(tmp_path / "cache"))


def refused(path, message, **options):
    with pytest.raises(GradganError, match=message) as error:
        images(path, **options)
    assert "\n" not in str(error.value)


# ---- what is taken --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "zip", "wrapped zip"])
def test_pictures_in_the_order_of_their_names_with_their_folders_as_classes(tmp_path, kind):
    if kind == "folder":
        path = write_tree(tmp_path / "x", TREE)
    else:
        top = "everything/" if kind == "wrapped zip" else ""
        path = write_zip(tmp_path / "x.zip", {top + name: content for name, content in reversed(TREE.items())})
    data = images(path, size=16)
    assert (data.event, data.classes, data.class_names) == ((3, 16, 16), 2, ("cats", "dogs"))
    assert data.labels.tolist() == [0, 0, 1] and data.skipped == ()
    reader = write_tree(tmp_path / "y", TREE)
    for pixels, name in zip(data.samples, NAMES, strict=True):
        assert np.array_equal(pixels, converted(Image.open(reader / name), 16, 3)[0])


@pytest.mark.parametrize(
    "names",
    [["a.png", "b.png"], ["cats/a.png", "b.png"], ["cats/a.png", "cats/b.png"], ["x/y/a.png", "x/y/b.png"]],
)
def test_no_classes_without_two_folders_that_hold_everything(tmp_path, names):
    assert images(write_tree(tmp_path / "x", dict.fromkeys(names, PNG))).labels is None


def test_a_class_of_broken_pictures_is_none(tmp_path):
    tree = {"a/1.png": PNG, "b/1.png": b"broken", "c/1.png": PNG}
    data = images(write_tree(tmp_path / "x", tree))
    assert data.class_names == ("a", "c") and data.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("modes", "channels", "depth"),
    [(["L", "I;16"], "auto", 1), (["L", "RGB"], "auto", 3), (["RGB", "RGBA"], "grey", 1), (["L", "LA"], "rgb", 3)],
)
def test_channels(tmp_path, modes, channels, depth):
    files = {f"{k}.png": encoded(picture(mode)) for k, mode in enumerate(modes)}
    data = images(write_tree(tmp_path / "x", files), size=8, channels=channels)
    assert data.event == (depth, 8, 8)
    for pixels, name in zip(data.samples, files, strict=True):
        assert np.array_equal(pixels, converted(Image.open(tmp_path / "x" / name), 8, depth)[0])


@pytest.mark.parametrize("shape", [(5, 9, 8), (5, 9, 8, 1), (5, 9, 8, 3), (5, 9, 8, 4), (5, 1, 9, 8), (5, 3, 9, 8)])
@pytest.mark.parametrize("packed", [None, np.savez, np.savez_compressed])
def test_arrays_in_every_layout(tmp_path, shape, packed):
    values, labels = noise(*shape), np.array([7, 3, 7, 10, 3])
    path = tmp_path / ("x.npy" if packed is None else "x.npz")
    if packed is None:
        np.save(path, values)
    else:
        packed(path, labels=labels, images=values)
    data = images(path, size=8)
    last = values[..., None] if len(shape) == 3 else values.transpose(0, 2, 3, 1) if shape[1] in (1, 3) else values
    for pixels, row in zip(data.samples, last, strict=True):
        image = Image.fromarray(row[:, :, 0] if row.shape[2] == 1 else row)
        assert np.array_equal(pixels, converted(image, 8, data.event[0])[0])
    # Numbers keep their order, 3 before 10.
    wanted = (None, ()) if packed is None else ([1, 0, 1, 2, 0], ("3", "7", "10"))
    assert (None if data.labels is None else data.labels.tolist(), data.class_names) == wanted


@pytest.mark.parametrize("kind", ["folder", "zip", "npz"])
def test_a_split_of_what_has_none_is_refused(tmp_path, kind):
    path = tmp_path / f"x.{kind}"
    if kind == "npz":
        np.savez(path, images=noise(6, 8, 8))
    else:
        (write_tree if kind == "folder" else write_zip)(path, TREE)
    with pytest.raises(
        GradganError, match=r"has no splits, got split='test'; only a saved DatasetDict has\. Leave data"
    ):
        images(path, size=8, split="test")


def test_is_a_data_set(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, images=noise(6, 8, 8), labels=np.arange(6) % 3)
    for scale in ("symmetric", "unit"):
        check_dataset(images, DATASETS["images"].facts, path=str(path), size=8, scale=scale)
    check_dataset(images, DATASETS["images"].facts, path=str(write_tree(tmp_path / "t", TREE)), size=8, mirror=True)


# ---- the loader -----------------------------------------------------------------------------------------------------


def test_the_loader_maps_and_does_not_copy(tmp_path):
    data = images(write_tree(tmp_path / "x", TREE))
    loader = Loader(data, 2, rng=torch.Generator().manual_seed(0))
    assert loader._samples.data_ptr() == data.samples.data_ptr()


def test_what_is_written_into_the_samples_stays_in_this_process(tmp_path):
    path = write_tree(tmp_path / "x", TREE)
    data = images(path)
    before = data.samples.clone()
    data.samples.zero_()
    assert torch.equal(images(path).samples, before)


def test_mirrored_half_of_them_others_each_epoch_and_resumed_exactly(tmp_path):
    np.save(tmp_path / "x.npy", noise(64, 8, 8))
    data = images(tmp_path / "x.npy", size=8, mirror=True)
    plain = {row.numpy().tobytes() for row in data.scaled(slice(None))}
    loader = Loader(data, 16, rng=torch.Generator().manual_seed(0))
    epochs = [torch.cat([next(loader).real for _ in range(4)]) for _ in range(2)]
    for epoch in epochs:
        turned = [row for row in epoch if row.numpy().tobytes() not in plain]
        assert 16 < len(turned) < 48 and all(row.flip(-1).numpy().tobytes() in plain for row in turned)
    next(loader)
    state = loader.state_dict()
    expected = [next(loader).real for _ in range(9)]
    again = Loader(data, 16, rng=torch.Generator().manual_seed(9))
    again.load_state_dict(state)
    assert all(torch.equal(next(again).real, batch) for batch in expected)


def test_fewer_pictures_than_a_batch(tmp_path):
    data = images(write_tree(tmp_path / "x", TREE))
    with pytest.raises(GradganError, match=r"batch must lie in 1..3, the samples of 'images' in use, got 64"):
        Loader(data, 64, rng=torch.Generator())


# ---- broken and hostile ---------------------------------------------------------------------------------------------


def test_broken_pictures_are_left_out_and_named(tmp_path):
    files = {"a.png": PNG, "cut.png": PNG[:-30], "empty.jpg": b"", "words.webp": b"hello", "z.png": PNG}
    for path in (write_tree(tmp_path / "x", files), write_zip(tmp_path / "x.zip", files)):
        data = images(path)
        assert len(data) == 2
        assert [line.split(":")[0] for line in data.skipped] == ["cut.png", "empty.jpg", "words.webp"]


def test_names_of_any_bytes_are_told_in_one_line(tmp_path):
    path = write_tree(tmp_path / "x", {"a.png": PNG})
    for name in (b"line\nfeed.png", b"escape\x1b.png", b"latin\xe9.png"):
        (path / os.fsdecode(name)).write_bytes(b"broken")
    data = images(path)
    assert [line.split(": ")[0] for line in data.skipped] == ["escape\\x1b.png", "latin\\udce9.png", "line feed.png"]
    assert images(path).skipped == data.skipped


def test_places_without_pictures(tmp_path):
    refused(None, "images needs a folder")
    refused(tmp_path / "nowhere", "does not exist")
    refused(write_tree(tmp_path / "x", {"a.txt": b"", "b.gif": b""}), r"no pictures .*only files of \.gif, \.txt")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "no pictures .*nothing")
    refused(write_zip(tmp_path / "x.zip", {}), "no pictures")
    refused(write_tree(tmp_path, {"one.png": PNG}) / "one.png", "neither a folder nor")
    refused(write_tree(tmp_path / "b", {"a.png": b"x"}), "none of the 1 pictures .*a.png: not a PNG")


def test_options_are_checked(tmp_path):
    refused(tmp_path, r"size must lie in 8..1024, got 4", size=4)
    with pytest.raises((GradganError, TypeError), match="grey"):  # TypeError: the tests' own check of annotations
        images(tmp_path, channels="gray")


def test_links_within_the_folder_are_read_and_others_refused(tmp_path):
    path = write_tree(tmp_path / "x", {"a.png": PNG, "sub/b.png": PNG})
    (path / "again.png").symlink_to(path / "a.png")
    (path / "loop").symlink_to(path)
    (path / "lost.png").symlink_to(path / "nothing")
    # Not where it lies: elsewhere the same pictures are skipped for the same reason.
    assert images(path).skipped == ("lost.png: No such file or directory",)
    assert len(images(path)) == 3
    write_tree(tmp_path / "secret", {"s.png": PNG})
    for target in ("secret", "secret/s.png"):
        link = path / "out.png"
        link.symlink_to(tmp_path / target)
        refused(path, "out.png is a link that leaves the folder")
        link.unlink()


def test_a_pipe_does_not_hang(tmp_path):
    path = write_tree(tmp_path / "x", {"a.png": PNG})
    os.mkfifo(path / "pipe.png")
    assert images(path).skipped == ("pipe.png: not a file",)


def test_a_file_larger_than_any_picture_is_not_read(tmp_path):
    path = write_tree(tmp_path / "x", {"a.png": PNG, "huge.png": b""})
    os.truncate(path / "huge.png", (256 << 20) + 1)
    refused(path, "huge.png is larger than 256 MB")


def stored_as(name: str, **fields) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo("x.png")
    member.filename = member.orig_filename = name
    for key, value in fields.items():
        setattr(member, key, value)
    return member


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (stored_as("../a.png"), "leads out of the archive"),
        (stored_as("x/../../a.png"), "leads out of the archive"),
        (stored_as("..\\a.png"), "leads out of the archive"),
        (stored_as("/etc/a.png"), "leads out of the archive"),
        (stored_as("C:\\a.png"), "leads out of the archive"),
        (stored_as("link.png", external_attr=0o120777 << 16, create_system=3), "is a link"),
    ],
    ids=lambda value: getattr(value, "filename", ""),
)
def test_hostile_members_are_refused(tmp_path, member, message):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("good.png", PNG)
        archive.writestr(member, PNG)
    refused(tmp_path / "x.zip", message)
    assert sorted(path.name for path in tmp_path.iterdir()) in (["cache", "x.zip"], ["x.zip"])


def table_of(path) -> tuple[bytearray, int]:
    """The archive's bytes and where its table of contents begins."""
    content = bytearray(path.read_bytes())
    return content, content.index(b"PK\1\2")


def test_a_member_without_a_name_is_refused(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"a.png": PNG})
    content, table = table_of(path)
    content[table + 46] = 0  # a name ends at its first zero byte
    path.write_bytes(content)
    refused(path, "a member has no name")


def test_encrypted_overlapping_and_bombs_are_refused(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"a.png": PNG})
    content, table = table_of(path)
    content[table + 8] |= 1
    path.write_bytes(content)
    refused(path, "'a.png' is encrypted")
    write_zip(path, {"a.png": PNG})
    content, table = table_of(path)
    struct.pack_into("<I", content, table + 20, 10 * len(content))
    path.write_bytes(content)
    refused(path, "so they overlap")
    refused(write_zip(path, {"a.png": bytes(5 << 20)}), "'a.png' unpacks from .* refused as a bomb")
    path.write_bytes(b"PK nonsense")
    refused(path, "no zip archive")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (noise(3, 8, 8).astype(np.float32), "float32 of shape .* wanted uint8"),
        (noise(3, 8), "wanted uint8"),
        (noise(3, 2, 8), "sides of 4 pixels or more"),
        (noise(3, 3, 8, 3), "cannot be told"),
        (noise(3, 8, 8, 5), "cannot be told"),
        (np.asfortranarray(noise(3, 8, 8)), "order F"),
        (noise(1, 4, 30_001), "30001 x 4 pixels"),
        (np.zeros((0, 8, 8), np.uint8), "wanted uint8"),
        (np.zeros(3, [("a", "u1")]), "plain numbers"),
    ],
)
def test_arrays_that_are_no_pictures(tmp_path, values, message):
    np.save(tmp_path / "x.npy", values)
    refused(tmp_path / "x.npy", message)


def test_nothing_is_unpickled_and_no_promise_believed(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    refused(path, "type object")
    np.save(path, noise(3, 8, 8))
    path.write_bytes(path.read_bytes()[:-1])
    refused(path, "does not fit its")
    path.write_bytes(path.read_bytes().replace(b"(3, 8, 8)", b"(9**9,)  "))
    refused(path, "no NumPy array")
    path.write_bytes(b"nonsense")
    refused(path, "no NumPy array")


def test_which_arrays_of_several(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, a=noise(3, 8, 8), b=noise(3, 8, 8))
    refused(path, r"holds a \(3, 8, 8\), b \(3, 8, 8\); wanted one named 'images'")
    np.savez(path, a=noise(3, 8, 8), labels=np.zeros(2, int))
    refused(path, r"labels is int64 of shape \(2,\), wanted whole numbers \(3,\)")

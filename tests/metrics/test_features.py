"""Features: scale and size, files without code, a classifier that is learned once, a cache that survives anything."""

import os
import selectors
import subprocess
import sys

import pytest
import torch
from torch import nn

from gradgan.core.cache import cache_folder
from gradgan.core.errors import GradganError
from gradgan.data import DATASETS
from gradgan.metrics import (
    Own,
    Raw,
    classifier,  # the module
    network_of_file,
    stored,
    trained_classifier,
)

PICTURES = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_raw_numbers_and_large_pictures():
    small, large = torch.rand(2, 1, 32, 32), torch.rand(2, 3, 64, 64)
    for x, kind, name in (
        (small, "images", "pixels"),
        (large, "images", "pixels_16x16"),
        (small, "points", "coordinates"),
    ):
        assert Raw(kind, x.shape[1:]).name == name
    assert torch.equal(Raw("images", (1, 32, 32))(small), small.flatten(1))
    means = large.reshape(2, 3, 16, 4, 16, 4).mean((3, 5)).flatten(1)
    assert torch.allclose(Raw("images", (3, 64, 64))(large), means)


@pytest.mark.parametrize(("range_", "low", "high"), [("bytes", 0, 255), ("unit", 0, 1), ("symmetric", -1, 1)])
def test_a_network_gets_the_pictures_that_it_wants(range_, low, high):
    seen = []
    Own(lambda x: (seen.append(x), x.flatten(1))[1], size=5, range=range_)(
        torch.stack([PICTURES[0] * 0, PICTURES[0] * 0 + 1])
    )
    assert seen[0].shape == (2, 3, 5, 5)
    assert seen[0][0].unique().item() == low and seen[0][1].unique().item() == pytest.approx(high)


def test_torchscript_is_read_and_a_pickled_module_is_not(tmp_path, recwarn):
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    traced = tmp_path / "small.pt"
    torch.jit.save(torch.jit.trace(module, PICTURES), traced)
    found = Own(network_of_file(traced), "small", rgb=False)(PICTURES)
    torch.testing.assert_close(found, module(PICTURES).detach())
    torch.save(module, tmp_path / "pickled.pt")
    for name, message in [("pickled.pt", "not TorchScript"), ("none.pt", "no such file"), ("f.bin", "wanted a TorchS")]:
        if name == "f.bin":
            (tmp_path / name).write_bytes(b"")
        with pytest.raises(GradganError, match=message):
            network_of_file(tmp_path / name)


class Asked(nn.Module):
    """As NVIDIA's Inception: probabilities, or features where it is asked for them."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Flatten(), nn.Linear(64, 5)), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        features = self.body(x)
        return features if return_features else self.head(features).softmax(1)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torchscript_that_has_the_word_is_asked_for_features(tmp_path):
    module = Asked()
    torch.jit.save(torch.jit.script(module), tmp_path / "inception.pt")
    found = Own(network_of_file(tmp_path / "inception.pt"), "inception", rgb=False)(PICTURES)
    torch.testing.assert_close(found, module.body(PICTURES).detach())


def onnx_file(path, batch):
    """A graph that flattens (batch, 1, 8, 8) and multiplies by a matrix; path and matrix."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    matrix = torch.rand(64, 5, generator=torch.Generator().manual_seed(1))
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "matrix"], ["y"])],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 1, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 5])],
        [numpy_helper.from_array(matrix.numpy(), "matrix")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path, matrix


def test_onnx_is_read_and_what_does_not_fit_is_said(tmp_path):
    path, matrix = onnx_file(tmp_path / "small.onnx", "n")
    network = network_of_file(path)
    torch.testing.assert_close(Own(network, "small", rgb=False)(PICTURES), PICTURES.flatten(1) @ matrix)
    with pytest.raises(GradganError, match=r"wants pictures \(1, 8, 8\), got \(3, 8, 8\)"):
        Own(network, "small")(PICTURES)
    with pytest.raises(GradganError, match="takes 4 pictures at a time"):
        network_of_file(onnx_file(tmp_path / "four.onnx", 4)[0])
    (tmp_path / "torn.onnx").write_bytes(path.read_bytes()[:20])
    with pytest.raises(GradganError, match="is not ONNX"):
        network_of_file(tmp_path / "torn.onnx")


def test_stored_is_made_once_and_again_when_it_is_torn():
    made = []

    def make():
        made.append(1)
        return {"x": torch.arange(3)}

    for _ in range(2):
        assert torch.equal(stored("test", "once", make)["x"], torch.arange(3))
    assert len(made) == 1
    path = cache_folder("test") / "once.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    assert torch.equal(stored("test", "once", make)["x"], torch.arange(3))
    assert len(made) == 2 and torch.equal(stored("test", "once", make)["x"], torch.arange(3))


WAITING = """
import os, sys, time, torch
from pathlib import Path
from gradgan.metrics import stored

def make():
    print("made", flush=True)
    while not Path(sys.argv[2]).exists():
        time.sleep(0.05)
    return {"x": torch.full((100_000,), float(os.getpid()))}

print("asks", flush=True)
print(int(stored("test", sys.argv[1], make)["x"][0]))
"""


def test_of_many_who_want_the_same_one_makes_it_and_all_have_it(tmp_path):
    command = [sys.executable, "-c", WAITING, "many", str(tmp_path / "go on")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for one in processes:
        assert one.stdout is not None and one.stdout.readline() == "asks\n"
    # All have come, none has it, and the others say that they wait before the first is let go on.
    waiting = selectors.DefaultSelector()
    for one in processes:
        waiting.register(one.stderr, selectors.EVENT_READ, one)
    said = set()
    while len(said) < 2:
        for key, _ in waiting.select(timeout=100):
            assert "waiting for it" in key.fileobj.readline()
            said.add(key.data.pid)
    (tmp_path / "go on").touch()
    told = []
    for one in processes:
        with one:
            assert one.stdout is not None
            told.append(one.stdout.read().split())
    maker = next(one.pid for one in processes if one.pid not in said)
    assert sorted(told) == sorted([["made", str(maker)], [str(maker)], [str(maker)]])
    assert stored("test", "many", dict)["x"][0] == maker


def test_who_dies_while_making_keeps_nobody_waiting():
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, "dies", "/nowhere"], stdout=subprocess.PIPE, text=True
    ) as slow:
        assert slow.stdout is not None and [slow.stdout.readline() for _ in range(2)] == ["asks\n", "made\n"]
        slow.kill()
    assert stored("test", "dies", lambda: {"x": torch.ones(3)})["x"].tolist() == [1, 1, 1]


def test_what_is_kept_may_be_read_by_whoever_may_read_the_users_files():
    stored("test", "mode", lambda: {"x": torch.ones(1)})
    umask = os.umask(0)
    os.umask(umask)
    assert (cache_folder("test") / "mode.safetensors").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize(
    ("broken", "said"), [("replace_file", "could not keep"), ("FileLock.acquire", "could not lock")]
)
def test_a_cache_that_cannot_be_written_or_locked_costs_only_time(broken, said, tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("GRADGAN_CACHE", str(tmp_path))

    def full(*_args, **_words):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"gradgan.metrics.store.{broken}", full)
    for _ in range(2):
        assert stored("test", broken, lambda: {"x": torch.ones(1)})["x"].item() == 1
    assert [record.message.startswith(said) for record in caplog.records] == [True]
    assert "No space left" in caplog.text


@pytest.mark.parametrize("place", ["cache", "test"])
def test_a_cache_folder_that_cannot_be_made_or_written_is_said_once_and_costs_only_time(
    place, tmp_path, monkeypatch, caplog
):
    # A file where a folder should be, and a folder where the lock and the file should be: root may write anywhere else.
    monkeypatch.setenv("GRADGAN_CACHE", str(tmp_path / "cache"))
    if place == "cache":
        (tmp_path / "cache").write_text("")
    else:
        for name in ("some.safetensors", "some.safetensors.lock"):
            (tmp_path / "cache" / "test" / name).mkdir(parents=True)
    for number in range(2):
        assert (
            stored("test", "some", lambda number=number: {"x": torch.full((1,), float(number))})["x"].item() == number
        )
    (record,) = caplog.records
    assert ("GRADGAN_CACHE" if place == "cache" else "could not keep") in record.message
    assert str(tmp_path) in record.message


def test_the_classifier_moves_no_random_generator_and_is_loaded_the_second_time():
    data = DATASETS.make("digits", split="train")
    state = torch.get_rng_state()
    first = trained_classifier(data.samples, data.labels, 10)
    assert torch.equal(state, torch.get_rng_state())
    again = trained_classifier(data.samples, data.labels, 10)
    assert torch.equal(first(PICTURES), again(PICTURES))
    assert first(PICTURES).shape == (6, 128) and first(PICTURES).dtype == torch.float32


def test_learning_from_some_is_learning_from_a_data_set_of_them():
    data = DATASETS.make("digits", split="train")
    some = torch.arange(0, 1400, 2)
    alone = trained_classifier(data.samples[some], data.labels[some], 10)
    among = trained_classifier(data.samples, data.labels, 10, among=some)
    assert alone.key == among.key != trained_classifier(data.samples, data.labels, 10).key


def test_classes_by_channel_are_read_as_one_number():
    data = DATASETS.make("digits", split="train")
    pairs = torch.cat((data.samples[:700], data.samples[700:1400]), 1)
    labels = torch.stack((data.labels[:700], data.labels[700:1400]), 1)
    judge = trained_classifier(pairs, labels, 10)
    features, seen = judge.look(pairs.float() / 255)
    assert features.shape == (700, 256)
    assert (seen == labels[:, 0] * 10 + labels[:, 1]).double().mean() > 0.97


def test_one_class_is_none():
    with pytest.raises(GradganError, match="at least two classes"):
        trained_classifier(torch.zeros(20, 1, 8, 8, dtype=torch.uint8), torch.zeros(20, dtype=torch.int64), 2)


@pytest.mark.parametrize("fast", [True, False])
def test_it_learns_in_half_precision_only_where_the_processor_is_fast_at_it(fast, monkeypatch, tmp_path):
    monkeypatch.setenv("GRADGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(classifier, "fast_at_bfloat16", lambda device: fast)
    monkeypatch.setattr(classifier, "_LEAST", 256)
    monkeypatch.setattr(classifier, "_MOST", 256)
    seen = []

    class Seen(classifier.Network):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(super().forward(x).dtype)
            return super().forward(x)

    monkeypatch.setattr(classifier, "Network", Seen)
    pictures = torch.randint(256, (64, 1, 16, 16), dtype=torch.uint8)
    trained_classifier(pictures, torch.arange(64) % 2, 2)
    assert set(seen) == {torch.bfloat16 if fast else torch.float32}

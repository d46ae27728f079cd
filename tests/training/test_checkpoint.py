"""Checkpoints give back exactly what was saved, and a broken file is told in one line."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradgan.core.errors import GradganError
from gradgan.training import checkpoint

plain = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=5)
trees = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(tree=trees)
def test_plain_data_comes_back(tree):
    tensors: dict = {}
    flat = json.loads(json.dumps(checkpoint.flatten(tree, tensors)))
    assert checkpoint.unflatten(flat, tensors) == tree
    assert not tensors


def test_tensors_come_back_bit_for_bit(tmp_path):
    tree = {"a": torch.randn(3, 2), "b": [{"step": torch.tensor(4.0)}, torch.arange(3, dtype=torch.uint8)], 0: {"x": 1}}
    checkpoint.save(tmp_path / "c.safetensors", tree)
    again = checkpoint.load(tmp_path / "c.safetensors")
    assert torch.equal(again["a"], tree["a"]) and torch.equal(again["b"][0]["step"], tree["b"][0]["step"])
    assert torch.equal(again["b"][1], tree["b"][1]) and again[0] == {"x": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"], "nothing half-written remains"


def test_objects_are_refused():
    with pytest.raises(TypeError, match="plain data"):
        checkpoint.flatten({"f": print}, {})


@pytest.mark.parametrize("content", [b"", b"x" * 7, b"\xff" * 64, b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_broken_file_is_one_line(tmp_path, content):
    path = tmp_path / "c.safetensors"
    path.write_bytes(content)
    with pytest.raises(GradganError, match="checkpoint"):
        checkpoint.load(path)


def test_a_torn_file_is_one_line(tmp_path):
    path = tmp_path / "c.safetensors"
    checkpoint.save(path, {"a": torch.randn(100)})
    data = path.read_bytes()
    for cut in range(0, len(data), 37):
        path.write_bytes(data[:cut])
        with pytest.raises(GradganError):
            checkpoint.load(path)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(GradganError, match="not a readable checkpoint"):
        checkpoint.load(tmp_path / "none.safetensors")


def test_any_changed_bit_is_seen(tmp_path):
    path = tmp_path / "c.safetensors"
    tree = {"a": torch.arange(6.0).reshape(2, 3), "b": {"n": 3}, "h": torch.ones(2, dtype=torch.bfloat16)}
    checkpoint.save(path, tree)
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (1, 128):
            data = bytearray(whole)
            data[place] ^= bit
            path.write_bytes(data)
            try:
                again = checkpoint.load(path)
            except GradganError as error:
                assert "\n" not in str(error)
            else:  # a blank of the header's padding, say
                assert torch.equal(again["a"], tree["a"]) and again["b"] == tree["b"], place
                assert torch.equal(again["h"], tree["h"])


def test_format_1_gets_what_later_formats_added(tmp_path, monkeypatch):
    path = tmp_path / "c.safetensors"
    monkeypatch.setattr(checkpoint, "_FORMAT", 1)
    checkpoint.save(path, {"step": 4})
    monkeypatch.setattr(checkpoint, "flatten", lambda state, tensors: {"plain": 4})
    checkpoint.save(tmp_path / "number.safetensors", {})
    monkeypatch.undo()
    assert checkpoint.load(path) == {"step": 4, "best": None, "rollbacks": [], "controls": {}}
    with pytest.raises(GradganError, match="not a readable checkpoint"):
        checkpoint.load(tmp_path / "number.safetensors")


def test_another_format_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "_FORMAT", 4)
    checkpoint.save(tmp_path / "c.safetensors", {"a": 1})
    monkeypatch.undo()
    with pytest.raises(GradganError, match="has checkpoint format 4, this gradgan reads 1 to 3"):
        checkpoint.load(tmp_path / "c.safetensors")

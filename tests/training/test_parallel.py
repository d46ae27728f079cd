"""Two processes do what one does: the same gradients for every part, the same training, the same bits on both ranks."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gradgan.core.checks import GradganError
from gradgan.core.launch import Launch, launched
from gradgan.core.world import World

from . import rank

_RANK = Path(__file__).with_name("rank.py")


def environment(number: int, size: int, port: int) -> dict[str, str]:
    """What torchrun would set."""
    own = {"RANK": number, "LOCAL_RANK": number, "WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return {**os.environ, **{name: str(value) for name, value in own.items()}, "OMP_NUM_THREADS": "1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """(one process, rank 0, rank 1): what rank.py computes, by name."""
    out, port = tmp_path_factory.mktemp("ranks"), free_port()
    ranks = [
        subprocess.Popen([sys.executable, _RANK, out], env=environment(r, 2, port), stderr=subprocess.PIPE, text=True)
        for r in range(2)
    ]
    one = {name: value.detach() for name, value in rank.everything(World()).items()}
    for process in ranks:
        _, errors = process.communicate(timeout=200)
        assert process.returncode == 0, errors
    return one, *(load_file(out / f"{r}.safetensors") for r in range(2))


def difference(one: torch.Tensor, two: torch.Tensor) -> float:
    return float((one - two).abs().max() / one.abs().max())


def test_every_penalty_loss_and_engine_has_the_gradient_of_the_global_batch(computed):
    one, first, _ = computed
    of = {name: difference(one[name], first[name]) for name in one if not name.startswith(("fault|", "200 steps|"))}
    worst = max((name for name in of if not name.endswith("numbers")), key=of.__getitem__)
    print(f"\n{len(of)} gradients and tables of numbers; largest relative difference {of[worst]:.1e} ({worst})")
    assert of[worst] < 1e-10, worst
    # Measured after Adam's first step, which divides a gradient of 1e-8 by itself.
    assert max(of.values()) < 1e-9


def test_two_hundred_steps_agree(computed):
    one, first, _ = computed
    of = {name: difference(one[name], first[name]) for name in one if name.startswith("200 steps|")}
    print(f"\n{of}")
    assert len(of) == len(rank.TRAININGS)
    assert max(of.values()) < 1e-10, of


def test_ranks_never_drift_apart(computed):
    _, first, second = computed
    assert "500 steps" in first
    assert all(torch.equal(first[name], second[name]) for name in first if not name.startswith("fault|"))


def test_the_faults_of_the_field_are_seen(computed):
    one, first, _ = computed
    of = {name: difference(one[name], first[name]) for name in one if name.startswith("fault|")}
    assert len(of) == 5 and min(of.values()) > 1e-3, of


@pytest.mark.parametrize("world", [World(0, 3), World(2, 3)])
def test_parts_are_disjoint_halves_of_halves(world):
    batch = torch.arange(12)
    parts = [batch[World(r, world.size).part] for r in range(world.size)]
    assert torch.cat(parts).sort().values.equal(batch)
    own = batch[world.part]
    assert (own[: len(own) // 2] < 6).all() and (own[len(own) // 2 :] >= 6).all()


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(GradganError, match=r"shared by 4 processes .* of 4\. Use batch=8 or batch=12"):
        World(0, 4).share(10)
    with pytest.raises(GradganError, match="multiple of 8 "):
        World(0, 4).share(12, halves=True)
    assert World(3, 4).share(12) == 3 and World().share(7) == 7


def test_one_process_is_the_identity():
    x = torch.randn(4, requires_grad=True)
    world = World()
    assert world.total(x) is x and world.gather(x) is x and world.mean([x])[0] is x
    world.average_([x])
    world.wait()
    world.agree([x], step=3)
    assert not torch.distributed.is_initialized()


def test_the_launch_is_read_from_the_environment(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RESTART_COUNT"):
        monkeypatch.delenv(name, raising=False)
    assert launched() == Launch()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(GradganError, match=r"RANK, MASTER_ADDR, MASTER_PORT is not set\. Start them with torchrun"):
        launched()
    for name, value in environment(1, 2, 5).items():
        monkeypatch.setenv(name, value)
    assert launched() == Launch(1, 2, 1, 0)
    monkeypatch.setenv("RANK", "two")
    with pytest.raises(GradganError, match="RANK must be a whole number, got 'two'"):
        launched()

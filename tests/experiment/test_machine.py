"""What `auto` stands for: bfloat16 for convolutional networks on a fast device, float32 for all else."""

import pytest
import torch

from gradgan.experiment import complete, configure, machine
from gradgan.experiment.machine import fast_at_bfloat16

CONV = ("generator.name=conv_generator", "critic.name=conv_critic")


@pytest.mark.parametrize(
    ("settings", "fast", "wanted"),
    [
        ([*CONV], True, "bfloat16"),
        ([*CONV], False, "float32"),
        ([], True, "float32"),
        (["critic.name=conv_critic"], True, "float32"),
        ([*CONV, "precision=float32"], True, "float32"),
        (["precision=bfloat16"], False, "bfloat16"),
    ],
)
def test_precision(settings: list[str], fast: bool, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "fast_at_bfloat16", lambda device: fast)
    assert complete(configure("digits", settings=settings)).precision == wanted


@pytest.mark.parametrize("tiles", [True, False])
def test_a_processor_is_fast_where_it_has_tiles(tiles: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True, "amx_bf16": tiles})
    assert fast_at_bfloat16(torch.device("cpu")) is tiles


@pytest.mark.parametrize(("capability", "fast"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_a_gpu_is_fast_from_8_0_on(capability: tuple[int, int], fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert fast_at_bfloat16(torch.device("cuda")) is fast

"""What `auto` stands for: bfloat16 for convolutional networks on a fast device, float32 for all else."""

from pathlib import Path

import pytest
import torch

from gradgan.core.errors import GradganError
from gradgan.core.precision import fast_at_bfloat16
from gradgan.experiment import complete, configure, machine, train
from gradgan.experiment.build import build
from gradgan.experiment.rehearse import rehearse

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


SMALL = (*CONV, "generator.width=4", "critic.width=4", "batch=8", "evaluate.samples=64")


def test_auto_goes_on_with_the_precision_that_the_run_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train("digits", steps=1, settings=[*SMALL, "precision=float32"], out=tmp_path / "run")
    monkeypatch.setattr(machine, "fast_at_bfloat16", lambda device: True)
    run = train("digits", steps=2, settings=SMALL, out=tmp_path / "run", resume=True)
    assert (run.step, run.config.precision) == (2, "float32")


def test_the_rehearsal_runs_in_the_precision_of_the_run() -> None:
    def fault(module: torch.nn.Module, given: object) -> None:
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("no bfloat16 here")

    experiment = build(configure("ring", settings=["precision=bfloat16", "batch=8", "device=cpu"]))
    experiment.state.networks["critic"].register_forward_pre_hook(fault)
    with pytest.raises(GradganError, match="no bfloat16 here"):
        rehearse(experiment)


def test_the_rehearsal_compiles_what_the_run_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(torch.nn.Module):
        def __init__(self, module: torch.nn.Module) -> None:
            super().__init__()

        def forward(self, *given: object) -> None:
            raise RuntimeError("cannot be compiled")

    experiment = build(configure("ring", settings=["compile=true", "batch=8"]))
    monkeypatch.setattr(torch, "compile", lambda what, **options: Refused(what) if callable(what) else what)
    monkeypatch.setattr("gradgan.experiment.rehearse.through_engine", lambda player, scene, **how: (player, {}))
    with pytest.raises(GradganError, match="cannot be compiled"):
        rehearse(experiment)

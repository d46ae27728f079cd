"""Networks, data sets and hooks of one's own: they train, or are refused in one line with nothing left behind."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import gradgan
from gradgan.core.errors import GradganError
from gradgan.data import DATASETS, Dataset
from gradgan.networks import NETWORKS

TINY = ["data.samples=100", "batch=8", "generator.widths=[8]", "steps=2", "log.every=1", "evaluate.samples=50"]
OWN = [word for word in TINY if not word.startswith(("data.", "generator."))]


class OwnCritic(nn.Module):
    """A critic that knows neither labels nor our activations."""

    def __init__(self, event: tuple[int, ...], activation: nn.Module) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(torch.Size(event).numel(), 8), activation, nn.Linear(8, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@pytest.fixture
def own(monkeypatch):
    """Two critics and two data sets in the catalogs, for one test."""
    monkeypatch.setattr(NETWORKS, "_entries", dict(NETWORKS._entries))
    monkeypatch.setattr(DATASETS, "_entries", dict(DATASETS._entries))

    @NETWORKS.add(name="smooth_critic", paper="none", role="critic", sizes=((2,),))
    def make_smooth(event: tuple[int, ...] = (2,)) -> OwnCritic:
        """SiLU."""
        return OwnCritic(event, nn.SiLU())

    @NETWORKS.add(name="linear_critic", paper="none", role="critic", sizes=((2,),))
    def make_linear(event: tuple[int, ...] = (2,)) -> OwnCritic:
        """Leaky ReLU."""
        return OwnCritic(event, nn.LeakyReLU())

    @DATASETS.add(paper="none", event=(2, 8, 8), scale="symmetric", labelled=True)
    def two_channels() -> Dataset:
        """Two channels."""
        images = torch.randint(256, (40, 2, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
        return Dataset("two_channels", images, torch.arange(40) % 3, 3, "images", "symmetric")


@pytest.mark.parametrize("system", ["gan", "r3gan", "gc_gan", "atgp"])
def test_a_critic_without_labels_is_told_in_a_conditional_run(own, tmp_path: Path, system: str) -> None:
    settings = [*TINY, "critic.name=smooth_critic", "conditional=true"]
    with pytest.raises(GradganError, match=r"^the first step of this experiment fails: .*takes 2 positional arguments"):
        gradgan.train("ring", system=system, settings=settings, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_gc_gan_takes_a_smooth_critic_of_ones_own_and_refuses_a_piecewise_linear_one(own, tmp_path: Path) -> None:
    run = gradgan.train("ring", system="gc_gan", settings=[*TINY, "critic.name=smooth_critic"], out=tmp_path / "a")
    assert run.step == 2
    with pytest.raises(GradganError, match=r"'gc_gan' needs a smooth critic, and network 'linear_critic' is piecewise"):
        gradgan.train("ring", system="gc_gan", settings=[*TINY, "critic.name=linear_critic"], out=tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_images_of_two_channels_train_and_are_drawn(own, tmp_path: Path) -> None:
    settings = ["generator.widths=[8]", "critic.widths=[8]", "evaluate.metrics=[]", "conditional=true", *OWN]
    run = gradgan.train("ring", data="two_channels", settings=settings, out=tmp_path / "run")
    assert [step for step, _ in run.folder.grids()] == [0, 2]
    assert run.sample(4).shape == (4, 2, 8, 8)
    for labels, got in (([0, 3], r"0\.\.3"), ([-1, 0], r"-1\.\.0")):
        with pytest.raises(GradganError, match=rf"labels: wanted whole numbers in 0\.\.2, got {got}"):
            run.sample(2, labels=labels)


def test_a_hook_may_be_a_plain_function(tmp_path: Path) -> None:
    seen = []
    gradgan.train("ring", settings=TINY, out=tmp_path / "a", hooks=[lambda state, numbers: seen.append(state.step)])
    assert seen == [1, 2]


@pytest.mark.parametrize(
    ("hooks", "message"),
    [(["a word"], r"a hook must be a function \(state, numbers\).*got 'a word'"), (print, r"must be a list.*\[hook\]")],
    ids=["no function", "no list"],
)
def test_what_is_no_hook_is_refused_before_anything_is_written(hooks: object, message: str, tmp_path: Path) -> None:
    train = getattr(gradgan.train, "__wrapped__", gradgan.train)
    with pytest.raises(GradganError, match=message):
        train("ring", settings=TINY, out=tmp_path / "run", hooks=hooks)
    assert not (tmp_path / "run").exists()


def test_export_takes_the_folder_of_a_run(tmp_path: Path) -> None:
    run = gradgan.train("ring", settings=TINY, out=tmp_path / "run")
    for folder in (run.path, str(run.path)):
        assert gradgan.export(folder, tmp_path / "generator.pt2").path.is_file()
    with pytest.raises(GradganError, match="nowhere"):
        gradgan.export(tmp_path / "nowhere", tmp_path / "generator.pt2")

"""A run from config to folder and back: what it leaves, that it resumes bit for bit, that a sick one is loud."""

import json

import numpy as np
import pytest
import torch

import gradgan
from gradgan.core.errors import GradganError, NonFiniteError
from gradgan.experiment import Run, save_samples, train

TINY = ["data.samples=300", "batch=16", "generator.widths=[8]", "critic.widths=[8]", "log.every=2", "sample.every=4"]
CONV = ["data.name=digits", "generator.name=conv_generator", "critic.name=conv_critic", "generator.width=4"]
EVERY_KIND = [
    ("r3gan", []),
    ("gc_gan", []),
    ("gc_gan", ["reading=synthetic"]),
    ("atgp", ["conditional=true"]),
    ("atgp", ["variational.on=true"]),
    ("wgan_gp", ["variational.on=true", "variational.of=features", "wgan_gp.every=2"]),
    ("gp_gan", ["reading=consensus", "lr.shape=cosine"]),
    ("hinge", ["critic.spectral_norm=true", "generator.norm=batch"]),
    ("r3gan", [*CONV, "precision=bfloat16"]),
]


def weights(run: Run) -> dict[str, torch.Tensor]:
    state = run.experiment.state
    named = {f"{p}.{k}": v for p, net in state.networks.items() for k, v in net.state_dict().items()}
    return named | {f"average.{k}": v for k, v in state.average.state_dict().items()}


def test_what_a_run_leaves(tmp_path):
    run = train("ring", steps=8, settings=TINY, out=tmp_path / "run")
    names = {path.name for path in run.path.iterdir()}
    assert names == {
        "config.yaml",
        "run.json",
        "log.jsonl",
        "tensorboard",
        "samples",
        "checkpoints",
        "report.html",
        "evaluation.json",
    }
    info = run.folder.info()
    assert info["status"] == "finished" and info["system"]["name"] == "r3gan"
    assert set(info["results"]) == {"modes", "high_quality", "reverse_kl", "mixture_distance"}
    assert [step for step, _ in run.folder.grids()] == [0, 4, 8]
    entries = run.log()
    assert [entry.step for entry in entries] == [2, 4, 6, 8]
    logged = set().union(*(entry.numbers for entry in entries))
    assert logged <= set(info["glossary"]) and {"critic/loss", "critic/r1", "slope/real"} <= logged
    assert {row["name"] for row in info["citations"]} >= {"r3gan", "relativistic", "r1", "r2", "ring"}
    assert "<html" in run.report.read_text()


@pytest.mark.parametrize(("system", "settings"), EVERY_KIND, ids=lambda v: v if isinstance(v, str) else " ".join(v))
def test_a_resumed_run_is_the_unbroken_one_bit_for_bit(tmp_path, system, settings):
    tiny = TINY if "data.name=digits" not in settings else ["batch=16", "log.every=2", "sample.every=4"]
    words = [*tiny, *settings, "checkpoint.every=3"]
    whole = train("ring", system=system, steps=7, settings=words, out=tmp_path / "whole")

    class Stop(Exception):
        pass

    class Halt:
        def wants_numbers(self, step: int) -> bool:
            return False

        def __call__(self, state, numbers) -> None:
            if state.step == 5:
                raise Stop

    with pytest.raises(Stop):
        train("ring", system=system, steps=7, settings=words, out=tmp_path / "half", hooks=[Halt()])
    torch.randn(7)  # somebody else's use of the global generator
    again = train("ring", system=system, steps=7, settings=words, out=tmp_path / "half", resume=True)
    assert again.step == 7
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(again)[name]), name
    same = [(a.step, {k: v for k, v in a.numbers.items() if k != "speed"}) for a in whole.log()]
    assert same == [(b.step, {k: v for k, v in b.numbers.items() if k != "speed"}) for b in again.log()]


def test_a_run_does_not_depend_on_how_often_it_is_logged(tmp_path):
    words = [*TINY, "critic.spectral_norm=true", "generator.norm=batch"]
    often = train("ring", system="hinge", steps=6, settings=[*words, "log.every=1"], out=tmp_path / "often")
    never = train("ring", system="hinge", steps=6, settings=[*words, "log.every=100"], out=tmp_path / "never")
    for name, value in weights(often).items():
        assert torch.equal(value, weights(never)[name]), name


def test_bfloat16_keeps_weights_losses_and_optimisers_in_float32(tmp_path):
    words = [*CONV, "critic.width=4", "generator.norm=none", "batch=16", "log.every=1"]
    runs = {
        precision: train("digits", steps=3, settings=[*words, f"precision={precision}"], out=tmp_path / precision)
        for precision in ("float32", "bfloat16")
    }
    state = runs["bfloat16"].experiment.state
    assert {p.dtype for net in state.networks.values() for p in net.parameters()} == {torch.float32}
    assert {v.dtype for o in state.optimisers.values() for s in o.state.values() for v in s.values()} == {torch.float32}
    low, high = (runs[p].log()[0].numbers for p in ("bfloat16", "float32"))
    assert low["critic/loss"] == pytest.approx(high["critic/loss"], rel=2e-2)
    assert low["critic/r1"] == pytest.approx(high["critic/r1"], rel=5e-2)
    assert low["critic/loss"] != high["critic/loss"], "half precision was used"


def test_load_gives_the_same_samples(tmp_path):
    run = train("ring", steps=4, settings=[*TINY, "conditional=true"], out=tmp_path / "run")
    again = Run.load(tmp_path / "run")
    assert torch.equal(run.sample(9, seed=3), again.sample(9, seed=3))
    assert not torch.equal(run.sample(9, seed=3), again.sample(9, seed=4))
    assert torch.equal(again.sample(2, labels=[1, 2]), run.sample(2, labels=[1, 2]))
    with pytest.raises(GradganError, match="one per sample"):
        again.sample(2, labels=[1])


def full(*_args):
    raise OSError(28, "No space left on device")


def test_samples_go_to_pictures_and_arrays(tmp_path, monkeypatch):
    run = train(
        "digits", steps=1, settings=["generator.widths=[4]", "critic.widths=[4]", "batch=8"], out=tmp_path / "r"
    )
    save_samples(run, tmp_path / "s.png", n=9)
    save_samples(run, tmp_path / "s.npz", n=9)
    with np.load(tmp_path / "s.npz") as saved:
        assert saved["samples"].shape == (9, 1, 8, 8) and np.abs(saved["samples"]).max() <= 1
    with pytest.raises(GradganError, match=r"png or a \.npz"):
        save_samples(run, tmp_path / "s.gif")
    for name in ("s.png", "s.npz"):
        before = (tmp_path / name).read_bytes()
        with monkeypatch.context() as patched, pytest.raises(GradganError, match="No space left"):
            patched.setattr("gradgan.core.files.os.write", full)
            save_samples(run, tmp_path / name, n=4)
        assert (tmp_path / name).read_bytes() == before, "the old one stays whole"
    with pytest.raises(GradganError, match="cannot write"):
        (tmp_path / "file").write_text("")
        save_samples(run, tmp_path / "file" / "s.png")


def test_another_config_or_a_run_that_is_there_is_refused(tmp_path):
    train("ring", steps=2, settings=TINY, out=tmp_path / "run")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("*")}
    with pytest.raises(GradganError, match="--resume"):
        train("ring", steps=2, settings=TINY, out=tmp_path / "run")
    with pytest.raises(GradganError, match="batch is 8 now and was 16"):
        train("ring", steps=2, settings=[*TINY, "batch=8"], out=tmp_path / "run", resume=True)
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("*")}


def test_a_run_goes_on_with_more_steps_and_with_a_config_of_an_older_gradgan(tmp_path):
    # A constant rate: a schedule sees step / steps, so with one the first four steps would be others.
    words = [*TINY, "checkpoint.every=2", "lr.shape=constant"]
    whole = train("ring", steps=6, settings=words, out=tmp_path / "whole")
    train("ring", steps=4, settings=words, out=tmp_path / "run")
    stored = tmp_path / "run" / "config.yaml"
    stored.write_text("\n".join(line for line in stored.read_text().splitlines() if "engine:" not in line) + "\n")
    longer = train("ring", steps=6, settings=words, out=tmp_path / "run", resume=True)
    assert longer.step == 6 and "steps: 6" in stored.read_text()
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(longer)[name]), name


def test_bad_input_leaves_nothing(tmp_path):
    for words in (
        ["critic.name=nope"],
        ["data.name=mnist"],
        ["batch=1000"],
        ["engine=sweep", "critic.activation=silu"],
        ["generator.norm=batch", "batch=1"],
    ):
        with pytest.raises(GradganError):
            train("ring", settings=[*TINY, *words], out=tmp_path / "new" / "run")
    assert list(tmp_path.iterdir()) == []


class Poison:
    """Breaks one weight after step 5, as an overflow would."""

    def wants_numbers(self, step: int) -> bool:
        return False

    def __call__(self, state, numbers) -> None:
        if state.step == 5:
            next(state.networks["critic"].parameters()).data[0] = float("nan")


def test_a_run_that_diverges_is_loud_and_keeps_what_was_healthy(tmp_path):
    words = [*TINY, "checkpoint.every=1", "log.every=1"]
    with pytest.raises(NonFiniteError, match=r"step 6: critic/loss is nan\. The run has diverged"):
        train("ring", steps=40, settings=words, out=tmp_path / "run", hooks=[Poison()])
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert info["status"] == "failed" and "diverged" in info["message"]
    assert "diverged" in (tmp_path / "run" / "report.html").read_text()
    last = Run.load(tmp_path / "run")
    assert last.step == 5
    assert all(bool(v.isfinite().all()) for v in last.experiment.state.networks["critic"].state_dict().values())


def test_a_run_that_diverges_between_two_looks_is_not_finished(tmp_path):
    words = [*TINY, "checkpoint.every=100", "log.every=100"]
    with pytest.raises(NonFiniteError, match="weights is nan"):
        train("ring", steps=8, settings=words, out=tmp_path / "run", hooks=[Poison()])
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "failed"
    assert not list((tmp_path / "run" / "checkpoints").glob("*"))


def test_a_run_stopped_before_its_first_checkpoint_begins_again(tmp_path):
    class Halt(Poison):
        def __call__(self, state, numbers) -> None:
            if state.step == 5:
                raise KeyboardInterrupt

    words = [*TINY, "log.every=1"]
    with pytest.raises(KeyboardInterrupt):
        train("ring", steps=8, settings=words, out=tmp_path / "run", hooks=[Halt()])
    again = train("ring", steps=8, settings=words, out=tmp_path / "run", resume=True)
    assert [entry.step for entry in again.log()] == list(range(1, 9))


def test_fewer_steps_than_reached_leave_a_finished_run_alone(tmp_path):
    train("ring", steps=4, settings=TINY, out=tmp_path / "run")
    before = {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    with pytest.raises(GradganError, match="stands at step 4 already"):
        train("ring", steps=2, settings=TINY, out=tmp_path / "run", resume=True)
    assert before == {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}


def test_loading_leaves_the_global_generator_alone(tmp_path):
    train("ring", steps=2, settings=TINY, out=tmp_path / "run")
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    Run.load(tmp_path / "run")
    assert torch.equal(torch.rand(3), wanted)


def test_a_folder_without_a_checkpoint_says_so(tmp_path):
    run = train("ring", steps=2, settings=TINY, out=tmp_path / "run")
    for _, path in run.folder.checkpoints():
        path.unlink()
    with pytest.raises(GradganError, match="no checkpoint"):
        Run.load(tmp_path / "run")


def test_conditional_data_and_systems_of_images_train(tmp_path):
    conv = ["generator.name=conv_generator", "generator.norm=none", "critic.name=conv_critic"]
    words = [*conv, "generator.width=2", "critic.width=2", "batch=8"]
    for system in ("dcgan", "atgp"):
        run = train("digits", system=system, steps=2, settings=[*words, "conditional=true"], out=tmp_path / system)
        assert run.sample(3).shape == (3, 1, 8, 8)
        assert str(run.config.critic.name).startswith("conv")


def test_the_package_has_a_chosen_face():
    assert gradgan.train is train and gradgan.Run is Run
    with pytest.raises(AttributeError, match="it offers"):
        gradgan.nothing  # noqa: B018

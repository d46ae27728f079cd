"""Controllers: what they see on critics of known slope, which way the weight goes, and exact resuming."""

import math

import pytest
import torch

import gradgan
from gradgan.control import CONTROLLERS, Controller, hold_overfit, hold_slope, pixels_per_batch
from gradgan.core.errors import GradganError
from gradgan.core.sight import Sight
from gradgan.experiment import build, complete, configure
from gradgan.experiment.play import play
from gradgan.training import checkpoint

TINY = ["data.samples=400", "batch=16", "generator.widths=[8]", "critic.widths=[8]"]


def sight(critic, n: int = 64, held_out=None, step: int = 3) -> Sight:
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(n, 2, generator=rng), torch.randn(n, 2, generator=rng) + 5
    return Sight(critic, real, fake, held_out, step)


def linear(slope: float):
    return lambda x: slope * x[:, 0]


@pytest.mark.parametrize("at", ["real", "fake", "between"])
def test_a_linear_critics_slope_is_seen_everywhere(at):
    controller = hold_slope(target=2.0, at=at)
    assert controller.look(sight(linear(3.0))).item() == pytest.approx(3.0)


def test_the_places_are_different_places():
    seen = {
        at: hold_slope(at=at).look(sight(lambda x: x.square().sum(1) / 2)).item() for at in ("real", "fake", "between")
    }
    assert seen["real"] < seen["between"] < seen["fake"]
    # What is drawn between depends on the step alone.
    between = hold_slope(at="between")
    same = [between.look(sight(lambda x: x.square().sum(1) / 2, step=step)).item() for step in (3, 3, 4)]
    assert same[0] == same[1] != same[2]


def test_the_weight_rises_above_the_target_falls_below_it_and_rests_on_it():
    controller = hold_slope(target=2.0, rate=0.1)
    assert controller.next(1.0, 2.0) == pytest.approx(1.0)
    assert controller.next(1.0, 2.0 * math.e**0.5) == pytest.approx(math.exp(0.05))
    assert controller.next(1.0, 200.0) == pytest.approx(math.exp(0.1)), "no step is larger than the rate"
    assert controller.next(1.0, 0.0) == pytest.approx(math.exp(-0.1))
    assert controller.next(1.0, math.nan) == 1.0 and controller.next(1.0, math.inf) == 1.0
    assert controller.next(1e6, 200.0) == 1e6 and controller.next(1e-6, 0.0) == 1e-6
    overfit = hold_overfit(target=0.2, rate=0.1)
    assert overfit.next(1.0, 0.3) == pytest.approx(math.exp(0.1))
    assert overfit.next(1.0, 0.1) == pytest.approx(math.exp(-0.1)) and overfit.next(1.0, 0.2) == 1.0


def test_overfitting_is_0_for_equals_and_1_for_what_is_known_by_heart():
    looked = sight(linear(-1.0))  # real ones, around 0, score above the fakes, around 5
    fresh = -torch.randn(512, generator=torch.Generator().manual_seed(9))
    equal = hold_overfit().look(Sight(looked.critic, looked.real, looked.fake, fresh, 0))
    assert abs(equal.item()) < 0.05
    known = hold_overfit().look(Sight(looked.critic, looked.real, looked.fake, torch.full((8,), -9.0), 0))
    assert known.item() == pytest.approx(1.0, abs=0.05)
    # A shift of all scores, which relativistic losses do not see, changes nothing.
    shifted = hold_overfit().look(Sight(lambda x: linear(-1.0)(x) + 70, looked.real, looked.fake, fresh + 70, 0))
    assert shifted.item() == pytest.approx(equal.item())


def test_the_rule_of_thumb_is_the_weight_times_pixels_over_batch():
    assert pixels_per_batch().first((3, 32, 32), 64) == 16.0
    assert not pixels_per_batch().due(0)
    assert hold_slope(start="pixels_per_batch").first((1, 8, 8), 128) == 0.5
    with pytest.raises(GradganError, match="has none"):
        pixels_per_batch().first((2,), 64)


@pytest.mark.parametrize("entry", CONTROLLERS.values(), ids=str)
def test_every_controller_is_made_by_its_defaults_and_says_its_name(entry):
    made = entry.make()
    assert isinstance(made, Controller) and made.name == entry.name
    assert made.first((1, 8, 8), 4) in (1.0, 16.0)


BAD = {
    "unknown": (["r1.control.name=hold_slop"], "Perhaps you meant 'hold_slope'"),
    "option of nobody": (["r1.control.target=1"], "add r1.control.name"),
    "unknown option": (["r1.control.name=hold_slope", "r1.control.goal=1"], "unknown option of controller"),
    "no slope": (["r1.control.name=hold_slope", "r1.control.target=0"], "must be finite and > 0"),
    "no place": (["r1.control.name=hold_slope", "r1.control.at=nowhere"], "must be one of real"),
    "nothing held out": (["r1.control.name=hold_overfit"], "set data.held_out=0.1"),
    "no share": (["r1.control.name=hold_overfit", "r1.control.target=2", "data.held_out=0.1"], "between 0 and 1"),
    "no pixels": (["r1.control.name=pixels_per_batch"], "has none"),
    "no start": (["r1.control.name=hold_slope", "r1.control.start=late"], "given or pixels_per_batch"),
}


@pytest.mark.parametrize(("settings", "told"), BAD.values(), ids=BAD.keys())
def test_bad_controllers_are_refused_in_one_line(settings, told):
    with pytest.raises(GradganError) as error:
        build(configure("ring", settings=[*TINY, *settings]))
    assert told in str(error.value) and "\n" not in str(error.value)


def experiment(*settings: str, steps: int = 200):
    base = ["r1.weight=1", "r1.control.name=hold_slope", "r1.control.every=2", "optimiser.lr=0.01", "lr.shape=constant"]
    return build(configure("ring", system="r1", steps=steps, settings=[*TINY, *base, *settings]))


def test_the_slope_is_held_at_its_target_from_either_side():
    slopes = []
    for weight in ("0.02", "3"):
        run = experiment("r1.control.target=0.3", "r1.control.rate=0.2", f"r1.weight={weight}", steps=600)
        play(run, until=400)
        seen = []
        for step in range(401, 601):
            play(run, until=step)
            x = run.dataset.scaled(slice(200))
            seen.append(hold_slope().look(Sight(run.state.networks["critic"], x, x, None, 0)).item())
        slopes.append(sum(seen) / len(seen))
    assert slopes == pytest.approx([0.3, 0.3], rel=0.25)


def test_looking_changes_nothing_but_the_weight():
    """With a target that is always met the run is bit for bit the uncontrolled one."""
    free = experiment("r1.control.rate=1e-300")
    bare = build(
        configure(
            "ring", system="r1", steps=200, settings=[*TINY, "optimiser.lr=0.01", "lr.shape=constant", "r1.weight=1"]
        )
    )
    for run in (free, bare):
        play(run, until=30)
    ours, theirs = (dict(run.state.networks["critic"].named_parameters()) for run in (free, bare))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_resumed_run_is_bit_for_bit_the_unbroken_one(tmp_path):
    whole, half, again = experiment(), experiment(), experiment()
    play(whole, until=41)
    play(half, until=21)
    checkpoint.save(tmp_path / "half.safetensors", half.state.state_dict())
    again.state.load_state_dict(checkpoint.load(tmp_path / "half.safetensors"))
    play(again, until=41)
    assert again.state.controls == whole.state.controls != half.state.controls
    pairs = zip(whole.state.parameters["critic"], again.state.parameters["critic"], strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_the_weight_is_logged_and_the_controller_cited(tmp_path):
    settings = [*TINY, "r1.control.name=hold_slope", "r1.control.target=100", "log.every=5", "evaluate.samples=100"]
    run = gradgan.train("ring", steps=20, settings=settings, out=tmp_path / "run")
    logged = [entry.numbers["weight/r1"] for entry in run.log() if "weight/r1" in entry.numbers]
    # It falls, for the slope is never so steep.
    assert len(logged) == 4 and logged == sorted(logged, reverse=True) and logged[-1] < logged[0]
    info = run.folder.info()
    assert "weight/r1" in info["glossary"] and "weight/r2" not in info["glossary"]
    assert any(row["kind"] == "controller" and row["name"] == "hold_slope" for row in info["citations"])


def test_held_out_samples_steer(tmp_path):
    run = build(
        configure("ring", system="r1", steps=20,
                  settings=[*TINY, "data.held_out=0.2", "r1.control.name=hold_overfit", "r1.control.every=1"])
    )  # fmt: skip
    play(run)
    assert run.state.controls["r1"] != 1.0


def test_a_config_with_a_controller_is_complete():
    config = complete(configure("ring", settings=["r1.control.name=hold_slope"]))
    control = config.penalties["r1"].control
    assert control.options == {"target": 1.0, "at": "real", "rate": 0.05, "every": 10, "start": "given"}
    assert config.penalties["r2"].control.name is None

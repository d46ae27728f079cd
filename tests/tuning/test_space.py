"""The words after --over: what they search, and one clear line for what cannot be searched."""

import pytest

from gradgan.core.errors import GradganError
from gradgan.experiment import complete, configure
from gradgan.tuning.plan import Plan, check_plan, plan_from_json, plan_to_json, refuse_other
from gradgan.tuning.space import Axis, axis_of, config_with, default_values, none_settings, settings_of, value_of
from gradgan.tuning.tune import first_trials

RING = complete(configure("ring"))


def test_a_weight_is_searched_by_its_logarithm_four_decades_round_its_value():
    axis = axis_of("r1.weight", RING)
    assert axis == Axis(("r1.weight",), 0.001, 10.0, log=True)
    # A penalty that the system lacks has no value to be round.
    assert axis_of("atgp.weight", RING) == Axis(("atgp.weight",), 0.001, 10.0, log=True)


def test_scales_ranges_and_lists():
    assert axis_of("r1.weight=1e-2..1", RING).log
    assert not axis_of("optimiser.beta2=0.9..0.99", RING).log
    assert not axis_of("r1.weight=0..5:linear", RING).log
    assert axis_of("optimiser.beta2=0.9..0.99:log", RING).log
    assert axis_of("batch=16..64", RING) == Axis(("batch",), 16.0, 64.0, whole=True)
    assert axis_of("critic.activation=relu,silu", RING).choices == ("relu", "silu")
    assert axis_of("conditional=true,false", RING).choices == (True, False)
    assert axis_of("batch=16, 32", RING).choices == (16, 32)


def test_a_point_becomes_settings_and_a_config():
    axes = [axis_of("r1.weight+r2.weight=1e-3..10", RING), axis_of("batch=8,16", RING)]
    settings = settings_of(axes, {"r1.weight+r2.weight": 0.0123456, "batch": 16})
    assert settings == ["r1.weight=0.01235", "r2.weight=0.01235", "batch=16"]
    config = config_with(RING, settings)
    assert (config.penalties["r1"].weight, config.penalties["r2"].weight, config.batch) == (0.01235, 0.01235, 16)
    tiny = axes[0].settings(1.5e-7)
    assert config_with(RING, tiny).penalties["r1"].weight == 1.5e-7


def test_the_default_is_a_point_only_where_the_space_holds_it():
    inside = [axis_of("r1.weight+r2.weight", RING)]
    assert default_values(inside, RING) == {"r1.weight+r2.weight": 0.1}
    assert default_values([axis_of("r1.weight=1..10", RING)], RING) is None
    differing = config_with(RING, ["r1.weight=0.2"])
    assert default_values([axis_of("r1.weight+r2.weight=1e-3..10", differing)], differing) is None


def test_none_switches_off_what_is_searched_and_leaves_the_rest():
    axes = [axis_of("r1.weight=1e-3..10", RING), axis_of("batch=8,16", RING)]
    assert none_settings(axes, RING) == ["r1.weight=0.0", "batch=256"]
    assert none_settings(axes[1:], RING) is None


def test_a_grid_is_queued_whole_beside_default_and_none():
    plan = Plan("", ["r1.weight=1e-3..10", "batch=8,16"], "modes", trials=12, sampler="grid")
    axes = [axis_of(words, RING) for words in plan.over]
    queue = first_trials(plan, RING, axes)
    assert [facts.get("kind") for _, facts in queue[:2]] == ["default", "none"]
    points = [params for params, facts in queue[2:]]
    weights = sorted({round(p["r1.weight"], 6) for p in points})
    assert len(points) == 10 and weights == pytest.approx([1e-3, 1e-2, 0.1, 1, 10])


@pytest.mark.parametrize(
    ("words", "told"),
    {
        "no such field": ("r1.wieght", "Perhaps you meant 'r1.weight'"),
        "no such penalty": ("r11.weight=1e-3..1", "Perhaps you meant"),
        "a group": ("optimiser=1..2", "group of fields"),
        "a field that comes with a controller": ("r1.control.target=1..2", "--set r1.control.name=hold_slope"),
        "no field at all": ("=1..2", "wants FIELD"),
        "reversed": ("r1.weight=10..1", "reversed"),
        "empty": ("r1.weight=1..1", "empty"),
        "not numbers": ("r1.weight=a..b", "LOW..HIGH"),
        "infinite": ("r1.weight=1..inf", "finite"),
        "log of 0": ("r1.weight=0..1", "begins above 0"),
        "unknown scale": ("r1.weight=1..2:square", "log or linear"),
        "no decades around a word": ("critic.activation", "give a range or a list"),
        "no decades around a whole number": ("batch", "batch=1..8"),
        "whole numbers": ("batch=1.5..3", "whole numbers"),
        "one value": ("batch=16", "two different values"),
        "twice the same": ("batch=16,16", "two different values"),
        "a value it does not take": ("batch=0..5", "batch must be"),
        "a word it does not take": ("engine=sweep,magic", "engine must be"),
        "negative": ("r1.weight=-1..1", "above 0"),
    }.values(),
)
def test_what_cannot_be_searched_is_told_in_one_line(words, told):
    with pytest.raises(GradganError) as error:
        axis_of(words, RING)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_values_of_fields_by_short_and_long_keys():
    assert value_of(RING, "r1.weight") == value_of(RING, "penalties.r1.weight") == 0.1
    assert value_of(RING, "data.samples") == 50_000


def test_a_plan_comes_back_and_another_one_is_refused():
    from gradgan.experiment import to_yaml

    plan = Plan(to_yaml(RING), ["r1.weight"], "modes")
    assert plan_from_json(plan_to_json(plan)) == plan
    refuse_other(plan, Plan(**{**vars(plan), "trials": 99}), name="s")
    other = Plan(to_yaml(configure(RING, settings=["batch=16"])), ["r1.weight"], "modes")
    with pytest.raises(GradganError, match=r"config\.batch is 16 now and was 256"):
        refuse_other(plan, other, name="s")
    with pytest.raises(GradganError, match="folds is 5 now and was 3"):
        refuse_other(plan, Plan(**{**vars(plan), "folds": 5}), name="s")
    with pytest.raises(GradganError, match="another version"):
        plan_from_json('{"over": []}')


@pytest.mark.parametrize(
    "words",
    [{"folds": 1}, {"seeds": 0}, {"trials": 0}, {"looks": 0}, {"looks": 5000}, {"over": []}, {"sampler": "magic"}],
    ids=str,
)
def test_a_plan_with_a_bad_number_is_refused(words):
    from gradgan.experiment import to_yaml

    plan = Plan(**{"config": to_yaml(RING), "over": ["r1.weight"], "metric": "modes", **words})
    with pytest.raises(GradganError) as error:
        check_plan(plan)
    assert "\n" not in str(error.value)

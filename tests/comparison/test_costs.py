"""The costs of a step: on what machine, of which recipe, and that what was told of a method once stays."""

import json
from dataclasses import replace

import pytest
import torch

from gradgan.comparison.costs import Cost, about_costs, measure_costs
from gradgan.core.errors import GradganError
from gradgan.experiment import complete, configure


def test_costs_are_said_to_be_of_the_device_that_the_runs_take(tmp_path, monkeypatch):
    # As on a machine with a GPU, which this one need not have.
    costs = "gradgan.comparison.costs."
    monkeypatch.setattr(costs + "_measured", lambda config, *, anchor: Cost(1.0, 1.0, 1.0, 1))
    monkeypatch.setattr(costs + "device_of", torch.device)
    monkeypatch.setattr(costs + "machine", lambda device: {"machine": f"the {device.type} device", "torch": "2"})
    config = replace(complete(configure("ring")), threads=2)
    for device in ("cuda", "cpu"):
        path = tmp_path / f"{device}.json"
        measure_costs({("ring", "gan"): replace(config, device=device)}, path, print)
        assert about_costs(path) == {"machine": f"the {device} device", "torch": "2", "threads": "2"}


BATCH = complete(configure("ring")).batch


class Machine:
    """Stands in for the stopwatch: a step takes `seconds`, for larger batches more; a penalty doubles it."""

    def __init__(self, monkeypatch):
        self.seconds = 1.0
        self.timed = 0
        monkeypatch.setattr("gradgan.comparison.costs._measured", self.measure)

    def measure(self, config, *, anchor):
        self.timed += 1
        slope = 2.0 if config.penalties else 1.0
        own, beside = (self.seconds * each.batch / BATCH for each in (config, anchor))
        return Cost(slope * own, beside, slope, 1)


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


def seconds(methods, path, told=lambda text: None):
    configs = {("ring", name): complete(configure("ring", settings=words)) for name, words in methods.items()}
    return {name: cost.seconds for (_, name), cost in measure_costs(configs, path, told).items()}


def test_what_is_added_later_is_measured_and_leaves_the_others_their_pace(tmp_path, machine):
    path = tmp_path / "costs.json"
    two = {"gan": ["system=gan"], "r1": ["system=r1"]}
    assert seconds(two, path) == {"gan": 1.0, "r1": 2.0}
    machine.seconds = 10.0  # the machine is busy now
    assert seconds({**two, "r2": ["system=r2"]}, path) == {"gan": 1.0, "r1": 2.0, "r2": 2.0}
    assert machine.timed == 3


BIG = {"big": ["system=gan", f"batch={100 * BATCH}"]}


def test_what_comes_to_stand_before_the_others_is_timed_beside_the_same_network_as_they(tmp_path, machine):
    path = tmp_path / "costs.json"
    assert seconds(BIG, path) == {"big": 100.0}
    machine.seconds = 10.0
    assert seconds({"gan": ["system=gan"], **BIG}, path) == {"gan": 1.0, "big": 100.0}
    assert seconds({"r1": ["system=r1"], "gan": ["system=gan"], **BIG}, path)["r1"] == 2.0
    assert machine.timed == 3


def test_a_comparison_cut_short_while_it_was_timed_goes_on_beside_the_same_network(tmp_path, machine, monkeypatch):
    path = tmp_path / "costs.json"
    plan = {**BIG, "r1": ["system=r1"]}

    def cut(text):
        if "r1" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seconds(plan, path, cut)
    assert seconds({"gan": ["system=gan"], **plan}, path) == {"gan": 1.0, "big": 100.0, "r1": 2.0}
    assert {row["anchor_seconds"] for row in json.loads(path.read_text())["costs"].values()} == {100.0}


@pytest.mark.parametrize("then", [{"big": ["system=gan", f"batch={50 * BATCH}"]}, {}])
def test_where_that_network_is_gone_all_of_the_preset_is_timed_anew_and_said(tmp_path, machine, then):
    path, told = tmp_path / "costs.json", []
    seconds({**BIG, "gan": ["system=gan"]}, path)
    machine.seconds = 10.0
    assert seconds({"gan": ["system=gan"], **then}, path, told.append)["gan"] == 10.0
    assert told[0] == "timing all of ring anew: no method has the network any more that they were timed beside"
    assert len(told) == 2 + len(then) and not any("another recipe" in line for line in told)
    assert seconds({"gan": ["system=gan"], **BIG}, path)["big"] == 1000.0, "nothing is left of the old level"


def test_the_anchor_of_an_older_gradgan_is_its_first_method(tmp_path, machine):
    path = tmp_path / "costs.json"
    seconds({**BIG, "r1": ["system=r1"]}, path)
    kept = json.loads(path.read_text())
    del kept["anchors"]
    path.write_text(json.dumps(kept))
    machine.seconds = 10.0
    grown = {"gan": ["system=gan"], **BIG, "r1": ["system=r1"]}
    assert seconds(grown, path) == {"gan": 1.0, "big": 100.0, "r1": 2.0}
    assert machine.timed == 3


def test_another_recipe_is_measured_anew_and_said(tmp_path, machine):
    path, told = tmp_path / "costs.json", []
    seconds({"gan": ["system=gan"], "mine": ["system=gan"]}, path)
    seconds({"gan": ["system=gan", "seed=5", "threads=1", "log.every=3"], "mine": ["system=gan"]}, path, told.append)
    assert (machine.timed, told) == (2, []), "neither takes another time"
    assert seconds({"gan": ["system=gan"], "mine": ["system=r1"]}, path, told.append) == {"gan": 1.0, "mine": 2.0}
    assert told == ["timing a step of mine on ring anew: it is another recipe than was timed"]


def test_costs_of_an_older_gradgan_are_taken_and_broken_ones_refused(tmp_path, machine):
    path = tmp_path / "costs.json"
    seconds({"gan": ["system=gan"]}, path)
    kept = json.loads(path.read_text())
    del kept["anchors"], kept["levels"], kept["costs"]["ring/gan"]["recipe"]
    path.write_text(json.dumps(kept))
    assert seconds({"gan": ["system=gan"]}, path) == {"gan": 1.0}
    assert machine.timed == 1
    path.write_text("{}")
    with pytest.raises(GradganError, match="Delete it, to measure the costs anew"):
        seconds({"gan": ["system=gan"]}, path)

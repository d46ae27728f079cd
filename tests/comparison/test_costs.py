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


class Machine:
    """Stands in for the stopwatch: whatever is measured takes `seconds`, the anchor too."""

    def __init__(self, monkeypatch):
        self.seconds = 1.0
        self.timed = 0
        monkeypatch.setattr("gradgan.comparison.costs._measured", self.measure)

    def measure(self, config, *, anchor):
        self.timed += 1
        slope = 2.0 if config.penalties else 1.0
        return Cost(slope * self.seconds, self.seconds, slope, 1)


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
    del kept["levels"], kept["costs"]["ring/gan"]["recipe"]
    path.write_text(json.dumps(kept))
    assert seconds({"gan": ["system=gan"]}, path) == {"gan": 1.0}
    assert machine.timed == 1
    path.write_text("{}")
    with pytest.raises(GradganError, match="Delete it, to measure the costs anew"):
        seconds({"gan": ["system=gan"]}, path)

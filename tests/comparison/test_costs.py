"""The costs of a step say on what machine they were measured."""

from dataclasses import replace

import torch

from gradgan.comparison.costs import Cost, about_costs, measure_costs
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

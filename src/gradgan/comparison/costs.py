"""What a step of each method costs: time over the unpenalised step of the same networks, and memory; measured once.

Times during the runs depend on what runs beside them. So, before them, each method's rounds are timed interleaved with
those of its unpenalised twin and of one anchor that all methods of a data preset share, those added later too, and kept
in costs.json. A method's time per step is its ratio to the anchor times the anchor's median time over a preset's first
measurements.
"""

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..bench.measuring import interleaved, machine, peak_memory
from ..bench.train import fitting
from ..core.errors import GradganError
from ..core.files import replace_file, to_json, writing
from ..experiment import Config, build, complete
from ..experiment.config import NetworkConfig, VariationalConfig, plain
from ..experiment.machine import device_of
from ..experiment.running import MAY_CHANGE

_ROUNDS = 7
_TOGETHER, _MOST = 0.3, 10
"""Seconds of training that are timed together, about, in at most so many cycles of lazily paid penalties."""


@dataclass(frozen=True)
class Cost:
    """Of one step of a method."""

    seconds: float
    """Of training alone on this machine."""
    anchor_seconds: float
    """Of the anchor's step, measured beside it."""
    over_unpenalised: float
    """Its time over that of `gan` with the same networks and data."""
    memory: int
    """Peak bytes of tensors within a step, over those that live between steps."""


Costs = dict[tuple[str, str], Cost]


def measure_costs(configs: Mapping[tuple[str, str], Config], path: Path, tell: Callable[[str], None]) -> Costs:
    """The cost of each data preset and method, read from `path` where it was measured before, else measured now.

    A preset or system with other numbers than when it was measured is measured anew. What was told once of the
    others stays, whatever is measured later, and so does the number of steps that fit into their minutes.
    """
    kept = _read(path)
    anchors = {data: _anchor(data, _of(data, configs), kept, tell) for data in dict.fromkeys(d for d, _ in configs)}
    rows, levels = kept["costs"], kept["levels"]
    for (data, method), config in configs.items():
        recipe = _recipe(config)
        row = rows.get(f"{data}/{method}")
        # Those that an older gradgan kept tell no recipe.
        if row is None or row.get("recipe", recipe) != recipe:
            tell(f"timing a step of {method} on {data}{' anew: it is another recipe than was timed' if row else ''}")
            measured = asdict(_measured(config, anchor=anchors[data]))
            rows[f"{data}/{method}"] = measured | {"recipe": recipe}
            kept["about"] = machine(device_of(config.device)) | {"threads": str(config.threads)}
            _keep(kept, path)
    costs = {(d, m): Cost(**{k: v for k, v in rows[f"{d}/{m}"].items() if k != "recipe"}) for d, m in configs}
    for data in {d for d, _ in configs} - set(levels):
        levels[data] = statistics.median(cost.anchor_seconds for (d, _), cost in costs.items() if d == data)
        _keep(kept, path)
    return {key: _levelled(cost, levels[key[0]]) for key, cost in costs.items()}


def about_costs(path: Path) -> dict[str, str]:
    """Where the costs in `path` were measured."""
    return json.loads(path.read_text(encoding="utf-8"))["about"]


def _levelled(cost: Cost, level: float) -> Cost:
    """Its time as if the anchor had taken `level` seconds, the median over a data preset's first measurements: the
    machine's slow moments fall out."""
    return replace(cost, seconds=cost.seconds / cost.anchor_seconds * level)


def _recipe(config: Config) -> str:
    """Tells apart what may take another time; neither the seed nor what a resumed run may change does."""
    same = {name: value for name, value in plain(config).items() if name not in ("seed", *MAY_CHANGE)}
    return hashlib.sha256(to_json(same).encode()).hexdigest()[:16]


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"anchors": {}, "levels": {}, "costs": {}}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        begun = {name: dict(kept.get(name, {})) for name in ("anchors", "levels")}
        return {"about": kept["about"], **begun, "costs": dict(kept["costs"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GradganError(
            f"{path} is not what gradgan wrote ({error}). Delete it, to measure the costs anew."
        ) from None


def _keep(kept: Mapping[str, Any], path: Path) -> None:
    with writing(path):
        replace_file(path, (to_json(kept, indent=1) + "\n").encode())


def _of(data: str, configs: Mapping[tuple[str, str], Config]) -> dict[str, Config]:
    return {method: config for (d, method), config in configs.items() if d == data}


def _anchor(data: str, own: Mapping[str, Config], kept: Mapping[str, Any], tell: Callable[[str], None]) -> Config:
    """The method whose unpenalised twin all of a data preset are timed beside: one with the twin that was the first.

    A method that comes to stand first later may have another network. Where no method has the first twin any more, what
    was measured beside it is worth nothing, and is dropped from `kept`.
    """
    begun = kept["anchors"].get(data) or _first_twin(data, own, kept)
    anchor = next((config for config in own.values() if _recipe(unpenalised(config)) == begun), None)
    if anchor is None:
        anchor = next(iter(own.values()))
        dropped = [kept["costs"].pop(name) for name in list(kept["costs"]) if name.startswith(f"{data}/")]
        kept["levels"].pop(data, None)
        if dropped:
            tell(f"timing all of {data} anew: no method has the network any more that they were timed beside")
    kept["anchors"][data] = _recipe(unpenalised(anchor))
    return anchor


def _first_twin(data: str, own: Mapping[str, Config], kept: Mapping[str, Any]) -> str:
    """The anchor's recipe in costs of an older gradgan: that of the first method measured, if it is still the same."""
    name = next((name for name in kept["costs"] if name.startswith(f"{data}/")), "")
    first = own.get(name.removeprefix(f"{data}/"))
    if first is None or kept["costs"][name].get("recipe", _recipe(first)) != _recipe(first):
        return ""
    return _recipe(unpenalised(first))


def _measured(config: Config, *, anchor: Config) -> Cost:
    """Seconds of a step beside the unpenalised and the anchor's, and its memory."""
    cycle = max((p.every for p in config.penalties.values()), default=1)
    threads = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        cases = {"own": config, "unpenalised": unpenalised(config), "anchor": unpenalised(anchor)}
        play = {name: fitting(build(case)) for name, case in cases.items()}
        device = device_of(config.device)
        steps = cycle * _cycles(play["own"], cycle)
        work = {name: (lambda own=own: own(steps)) for name, own in play.items()}
        seconds = interleaved(work, _ROUNDS, device)
        memory = peak_memory(lambda: play["own"](cycle), device)
    finally:
        torch.set_num_threads(threads)
    own = seconds["own"]
    return Cost(own / steps, seconds["anchor"] / steps, own / seconds["unpenalised"], memory)


def _cycles(play: Callable[[int], object], cycle: int) -> int:
    """How many cycles to time together, by how long the second of two takes."""
    play(cycle)
    started = time.perf_counter()
    play(cycle)
    return min(_MOST, max(1, round(_TOGETHER / (time.perf_counter() - started))))


def unpenalised(config: Config) -> Config:
    """The system `gan`, which pays no penalty, with the same networks, data and batch."""
    return complete(
        replace(
            complete(config),
            system="gan",
            reading=None,
            penalties={},
            critic_steps=None,
            clip_weights=None,
            clip_gradient=None,
            variational=VariationalConfig(),
            gon=NetworkConfig(),
            encoder=NetworkConfig(),
        )
    )

"""Every part of every catalog, also tomorrow's, passes the public checks of gradgan.testing."""

import os
import subprocess
import sys

import pytest

from gradgan.core.catalog import Entry
from gradgan.data import DATASETS
from gradgan.losses import LOSSES
from gradgan.metrics import INPUTS, METRICS
from gradgan.networks import NETWORKS
from gradgan.penalties import PENALTIES
from gradgan.testing import check_dataset, check_loss, check_metric, check_network, check_penalty, check_term
from gradgan.training.objective import Term
from gradgan.training.schedules import Schedule

CATALOGS = (LOSSES, PENALTIES, NETWORKS, DATASETS, METRICS)
EVERY_ENTRY = [entry for catalog in CATALOGS for entry in catalog.values()]


@pytest.mark.parametrize("entry", LOSSES.values(), ids=str)
def test_loss(entry: Entry) -> None:
    check_loss(entry.make(), entry.facts)


@pytest.mark.parametrize("entry", PENALTIES.values(), ids=str)
def test_penalty(entry: Entry) -> None:
    check_penalty(entry.make(), entry.facts)


@pytest.mark.parametrize("name", ["atgp", "g_gan", "gp_gan"])
def test_penalty_of_the_score_instead_of_the_probability(name: str) -> None:
    # The sigmoid's slope at 0 is 1/4, so the squared slope of the score is 16 times that of the probability.
    facts = PENALTIES[name].facts
    check_penalty(PENALTIES.make(name, of="score"), {"on_linear": lambda slope: 16 * facts["on_linear"](slope)})


@pytest.mark.parametrize("target", [0.0, 2.5])
@pytest.mark.parametrize("name", ["wgan_gp", "wgan_lp", "dragan"])
def test_penalty_with_another_target(name: str, target: float) -> None:
    def on_linear(slope: float) -> float:
        return max(0.0, slope - target) ** 2 if name == "wgan_lp" else (slope - target) ** 2

    check_penalty(PENALTIES.make(name, target=target), {"on_linear": on_linear})


@pytest.mark.parametrize("every", [1, 4, 16])
@pytest.mark.parametrize("entry", PENALTIES.values(), ids=str)
def test_lazy_payment(entry: Entry, every: int) -> None:
    for weight in (0.0, 0.3, 10.0):
        check_term(Term(entry.make(), weight=weight, every=every))
        check_term(Term(entry.make(), weight=weight, every=every, schedule=Schedule("linear", final=0.1, warmup=0.2)))


def small(entry: Entry) -> dict[str, int]:
    """Options that make a network of the catalog small enough to be tested often."""
    return {"width": 4} if "width" in entry.options else {}


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("entry", NETWORKS.values(), ids=str)
def test_network(entry: Entry, classes: int) -> None:
    if classes and "classes" not in entry.options:
        pytest.skip(f"a {entry.facts['role']} takes no labels")
    for event in entry.facts["sizes"]:
        check_network(entry.make, event, 4, classes, entry.facts["role"], **small(entry))


SPECTRAL = [entry for entry in NETWORKS.values() if "spectral_norm" in entry.options]


@pytest.mark.parametrize("entry", SPECTRAL, ids=str)
def test_network_with_spectral_norm(entry: Entry) -> None:
    for event in entry.facts["sizes"]:
        check_network(entry.make, event, 4, 3, entry.facts["role"], spectral_norm=True, **small(entry))


# Those that need a folder are proved in tests/data, on files made there.
HERE = [entry for entry in DATASETS.values() if "path" not in entry.options]


@pytest.mark.parametrize("entry", HERE, ids=str)
def test_dataset(entry: Entry) -> None:
    options = {"samples": 500} if "samples" in entry.options else {}
    check_dataset(entry.make, entry.facts, **options)
    if entry.facts["scale"] != "none":
        check_dataset(entry.make, entry.facts, **options, scale="unit")


@pytest.mark.parametrize("entry", METRICS.values(), ids=str)
def test_metric(entry: Entry) -> None:
    check_metric(entry.make(), entry.facts, INPUTS[entry.facts["needs"]])


@pytest.mark.parametrize("entry", EVERY_ENTRY, ids=str)
def test_part_names_its_source_and_says_what_it_is(entry: Entry) -> None:
    assert entry.paper.strip()
    assert entry.summary.endswith("."), "the docstring's first line is a sentence: it is what `gradgan cite` prints"
    assert entry.name.islower()


@pytest.mark.parametrize("entry", [*LOSSES.values(), *PENALTIES.values(), *METRICS.values()], ids=str)
def test_part_bears_the_name_of_its_entry(entry: Entry) -> None:
    assert entry.make().name == entry.name


def test_parts_pass_without_run_time_types() -> None:
    """Users have no jaxtyping hook: what it refuses here, the parts' own checks must refuse there."""
    program = (
        "import torch; torch.set_num_threads(1)\n"
        "from gradgan import losses, penalties, testing\n"
        "for e in losses.LOSSES.values(): testing.check_loss(e.make(), e.facts)\n"
        "for e in penalties.PENALTIES.values(): testing.check_penalty(e.make(), e.facts)\n"
    )
    environment = {**os.environ, "JAXTYPING_DISABLE": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

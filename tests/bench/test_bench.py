"""The benches: what they count is exact, what they print has every case; times are not asserted."""

import json
import os
import sys

import pytest
import torch

from gradgan.bench.by_hand import ring_by_hand
from gradgan.bench.critics import CRITICS
from gradgan.bench.measuring import flops, interleaved, peak_memory
from gradgan.bench.metrics import metrics
from gradgan.bench.options import ApproximateBench, MetricsBench, PenaltiesBench, TrainBench
from gradgan.bench.penalties import cases_of, penalties
from gradgan.bench.picture import penalties_picture
from gradgan.bench.train import train
from gradgan.cli import main
from gradgan.core.checks import GradganError
from gradgan.engine.price import PRICES
from gradgan.experiment import build, configure

CPU = torch.device("cpu")
TINY = PenaltiesBench(channels=4, batch=2, size=8, rounds=1, threads=1)


def layer_flops(name: str) -> tuple[int, int]:
    """One forward of one batch: of the first layer, and of all the others."""
    critic = CRITICS[name](TINY.channels, TINY.size)
    x = torch.randn(TINY.batch, 3, TINY.size, TINY.size)
    labels = (torch.zeros(TINY.batch, dtype=torch.long),) if name == "projection" else ()
    with torch.no_grad():
        total = flops(lambda: critic(x, *labels))
    first = 2 * TINY.batch * TINY.channels * 3 * 9 * TINY.size**2
    return first, total - first


@pytest.mark.parametrize("name", ["sequential", "residual", "projection"])
@pytest.mark.parametrize("penalty", list(PRICES))
def test_flops_are_the_layer_products_to_the_last_one(name, penalty):
    """Every layer is paid as the price says, but for savings at the ends.

    The first needs no gradient by its input where nothing is charged. The last one's slope does not depend on what came
    before, which saves double backward a product, and three where no loss reads the scores of the charged samples.
    """
    first, others = layer_flops(name)
    last = 2 * TINY.batch * TINY.channels
    _, cases = cases_of(name, TINY, CPU)
    price = PRICES[penalty]
    plain, charged = price.batches - price.charged, price.charged
    for work in cases.values():
        work()  # the engine's first look at a critic is not counted
    assert flops(cases["none", "plain"]) == 2 * (2 * first + 3 * others)
    assert flops(cases[penalty, "sweep"]) == plain * (2 * first + 3 * others) + charged * 4 * (first + others)
    for engine in ("double_backward", "usual"):
        unpaid = 2 if engine == "usual" else plain
        saved = (3 if engine == "usual" or price.batches == 3 else 1) * last
        counted = flops(cases[penalty, engine])
        assert counted == unpaid * (2 * first + 3 * others) + charged * (6 * (first + others) - saved)
        assert counted + unpaid * first + charged * saved == price.units(engine) * (first + others)


def test_every_case_has_a_row_and_the_files_hold_it(tmp_path):
    result = penalties(TINY)
    ways = {(row["critic"], row["penalty"], row["engine"]) for row in result.rows}
    engines = ("sweep", "double", "usual")
    assert ways == {(c, "none", "plain") for c in CRITICS} | {
        (c, p, e) for c in CRITICS for p in PRICES for e in engines
    }
    for row in result.rows:
        assert row["ms"] > 0 and row["MiB"] > 0
        if row["engine"] == "double":
            assert row["/double"] == row["MiB/dbl"] == 1
    stored = json.loads(result.write(tmp_path / "new").read_text())
    assert stored["rows"] == result.rows
    assert stored["about"]["threads"] == "1"
    assert penalties_picture(result, tmp_path).read_bytes().startswith(b"\x89PNG")


@pytest.mark.filterwarnings("ignore:In CPU autocast")
def test_bfloat16_and_parts_of_the_list():
    options = PenaltiesBench(critics=("spectral",), penalties=("r1",), engines=("sweep",), channels=4, batch=2, size=8,
                             rounds=1, precision="bfloat16")  # fmt: skip
    result = penalties(options)
    assert [row["engine"] for row in result.rows] == ["plain", "sweep"]
    assert result.rows[1]["/double"] is None
    assert result.name == "penalties_bfloat16_spectral"


@pytest.mark.parametrize("wrong", [{"size": 12}, {"size": 0}, {"rounds": 0}, {"channels": 0}, {"batch": 1}])
def test_options_that_do_not_fit_are_refused_and_threads_put_back(wrong):
    threads = torch.get_num_threads()
    with pytest.raises(GradganError, match=next(iter(wrong))):
        penalties(PenaltiesBench(**{"channels": 4, "batch": 2, "size": 8, "rounds": 1, **wrong}))
    assert torch.get_num_threads() == threads


def test_rounds_take_every_case_in_turn_forwards_and_backwards():
    calls: list[str] = []
    seconds = interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 2, CPU)
    assert "".join(calls) == "abba" * 2
    assert set(seconds) == {"a", "b"}


def test_peak_memory_is_what_lives_at_once():
    def one_after_the_other() -> None:
        for _ in range(3):
            torch.ones(1000)

    kept: list[torch.Tensor] = []
    assert peak_memory(one_after_the_other, CPU) < 2 * 4000
    assert peak_memory(lambda: kept.extend(torch.ones(1000) for _ in range(3)), CPU) >= 3 * 4000


def test_what_an_earlier_measurement_left_and_this_one_frees_makes_no_room():
    left: list[torch.Tensor] = []
    peak_memory(lambda: left.append(torch.ones(1000)), CPU)

    def work() -> None:
        left.clear()
        left.append(torch.ones(50))

    assert peak_memory(work, CPU) == 50 * 4


def test_what_is_freed_while_memory_is_measured_is_not_warned_of_and_all_else_is_said(capfd):
    before = [torch.ones(1000)]

    def work() -> None:
        before.clear()
        before.append(torch.ones(50))
        os.write(2, b"from C++\n")
        print("from Python", file=sys.stderr)

    assert peak_memory(work, CPU) == 50 * 4
    assert sorted(capfd.readouterr().err.splitlines()) == ["from C++", "from Python"]


def test_train_times_every_case_and_the_loop_by_hand(tmp_path):
    options = TrainBench(cases=("engine=auto", "engine=usual,r1.weight=2"), settings=("batch=8", "data.samples=64",
                         "critic.widths=[8,8]"), steps=2, rounds=1)  # fmt: skip
    result = train(options)
    assert [row["case"] for row in result.rows] == ["engine=auto", "engine=usual,r1.weight=2", "by hand"]
    assert all(row["steps/s"] > 0 for row in result.rows)
    assert result.rows[0]["/3"] == result.rows[0]["steps/s"] / result.rows[2]["steps/s"]


def test_train_refuses_an_empty_list_and_unknown_settings():
    with pytest.raises(GradganError, match="no cases"):
        train(TrainBench(cases=()))
    with pytest.raises(GradganError, match="engin"):
        train(TrainBench(cases=("engin=auto",)))


def test_the_loop_by_hand_does_what_the_trainer_does():
    """From the same networks and batches, one round by hand and one by the trainer make the same critic."""
    from gradgan.training.steps import play_round

    settings = ("batch=64", "data.samples=64", "critic.widths=[8]", "generator.widths=[8]", "latent=1")
    ours, theirs = (build(configure("ring", settings=settings)) for _ in range(2))
    # Plain descent: a relativistic loss has gradients of exactly 0, whose rounding Adam would blow up to whole steps.
    # One sample repeated and a generator that ignores its latent: whatever is drawn, the batches are the same.
    for experiment in (ours, theirs):
        experiment.dataset.samples[:] = experiment.dataset.samples[:1].clone()
        networks = experiment.state.networks
        experiment.state.optimisers = {k: torch.optim.SGD(net.parameters(), lr=0.1) for k, net in networks.items()}
        with torch.no_grad():
            next(experiment.state.networks["generator"].parameters()).zero_()
    play_round(ours.state, ours.players, ours.system.loss)
    ring_by_hand(theirs)(1)
    for player in ("critic", "generator"):
        pairs = list(zip(ours.state.parameters[player], theirs.state.parameters[player], strict=True))
        # How the generator's first weight should move still depends on the latents that were drawn.
        for a, b in pairs[player == "generator" :]:
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_approximate_tells_bias_and_noise():
    from gradgan.bench.approximate import approximate

    result = approximate(ApproximateBench(sigmas=(0.01, 1.0), steps=2, samples=20, draws=50))
    assert {(row["critic"], row["precision"], row["sigma"]) for row in result.rows} == {
        (c, p, s) for c in ("leaky ReLU", "SiLU") for p in ("float32", "bfloat16") for s in (0.01, 1.0)
    }
    fine = [row for row in result.rows if row["precision"] == "float32" and row["sigma"] == 0.01]
    for row in fine:
        assert abs(row["bias %"]) < 5 * row["+-"]
        assert row["1 draw %"] == pytest.approx(141, abs=40)


def test_the_command_prints_a_table_and_writes_files(capsys, tmp_path):
    arguments = ["--channels", "4", "--batch", "2", "--size", "8", "--rounds", "1", "--critics", "sequential"]
    main(["bench", "penalties", *arguments, "--out", str(tmp_path)])
    said = capsys.readouterr().out
    assert "r1 + r2 sweep" in said
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        f"penalties_float32_sequential.{kind}" for kind in ("json", "png")
    ]


def test_the_command_refuses_in_one_line(capsys):
    with pytest.raises(SystemExit) as leaving:
        main(["bench", "penalties", "--size", "9"])
    assert leaving.value.code == 2
    assert capsys.readouterr().err.startswith("gradgan: size must be a multiple of 8")


def test_all_ways_to_the_frechet_distance_agree(capsys):
    result = metrics(MetricsBench(features=20, samples=60, rounds=1))
    assert [row["way"] for row in result.rows] == ["cholesky, eigvalsh", "with its error", "scipy sqrtm"]
    ours, look, theirs = result.rows
    assert ours["value"] == pytest.approx(theirs["value"], rel=1e-6)
    assert look["value"] == pytest.approx(ours["value"], rel=1e-9)
    assert look["seconds"] is None and look["with moments"] > 0
    assert look["ratio"] == theirs["with moments"] / look["with moments"]
    result.show()
    assert "with its error:" in capsys.readouterr().out
    with pytest.raises(GradganError, match="samples must be"):
        metrics(MetricsBench(samples=1))

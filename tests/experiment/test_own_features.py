"""A network of the user's own, named in a config: known to every command, and tried at the door."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import gradgan
from gradgan.cli import main
from gradgan.core.errors import GradganError
from gradgan.data import DATASETS
from gradgan.experiment import Evaluator, build, configure, evaluator_of, train
from gradgan.experiment.own_features import named_features, tried_features
from gradgan.metrics import Own, features_of_file
from gradgan.tuning.cells import Bench

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
DIGITS = DATASETS.make("digits", split="train")
TINY = ["batch=16", "generator.widths=[8]", "critic.widths=[8]", "evaluate.samples=100", "threads=1"]


def file_of(folder: Path, *, inputs=192, seed=0, scale=1.0, name="net.pt") -> Path:
    """TorchScript of a matrix of its own for each seed: (n, 3, 8, 8) -> (n, 5)."""
    linear = nn.Linear(inputs, 5)
    with torch.no_grad():
        linear.bias.zero_()
        linear.weight.copy_(torch.randn(5, inputs, generator=torch.Generator().manual_seed(seed)) * scale)
    path = folder / name
    torch.jit.save(torch.jit.script(nn.Sequential(nn.Flatten(), linear)), path)
    return path


def test_a_run_is_measured_in_them_while_it_trains_and_when_its_file_has_moved(tmp_path, capsys, monkeypatch):
    file_of(tmp_path)
    monkeypatch.chdir(tmp_path)
    settings = [*TINY, "evaluate.features=net.pt", "evaluate.every=2", "steps=4"]
    run = train("digits", out=tmp_path / "run", settings=settings)
    assert run.config.evaluate.features == str(tmp_path / "net.pt"), "a run can be opened from anywhere"
    wanted = {f"{name}/net" for name in ("frechet", "frechet_floor", "frechet_ratio")}
    results = run.folder.info()["results"]
    assert wanted < set(results) and "frechet_ratio/classifier" in results, "beside what is meant for the data"
    assert [e.step for e in run.folder.entries() if "frechet/net" in e.numbers] == [2, 4]
    of_hand = Evaluator(DIGITS, ["frechet/net"], samples=100, features=[Own(lambda x: matrix(x), "net")])
    matrix = torch.jit.load(tmp_path / "net.pt")
    assert run.evaluate(of_hand)["frechet/net"].value == pytest.approx(results["frechet/net"], rel=1e-6)

    (tmp_path / "net.pt").rename(tmp_path / "elsewhere.pt")
    (tmp_path / "new").mkdir()
    (tmp_path / "elsewhere.pt").rename(tmp_path / "new" / "net.pt")
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["evaluate", str(run.path)])
    assert "net.pt: there is no such file" in capsys.readouterr().err
    main(["evaluate", str(run.path), "--features", "new/net.pt", "--metrics", "frechet/net"])
    told = json.loads((run.path / "evaluation.json").read_text())
    assert told["4"]["numbers"]["frechet/net"]["value"] == pytest.approx(results["frechet/net"], rel=1e-6)


def test_the_real_side_is_kept_under_the_content_of_the_file_and_its_words(tmp_path):
    def real(own: Own) -> torch.Tensor:
        return Evaluator(DIGITS, [f"frechet/{own.name}"], samples=100, features=[own]).real(own.name).held_out

    first = features_of_file(file_of(tmp_path))
    wanted = real(first)

    def broken(x: torch.Tensor) -> torch.Tensor:
        raise AssertionError("it was kept, and need not be computed")

    torch.testing.assert_close(real(Own(broken, "net", key=first.key)), wanted, rtol=0, atol=0)
    other = features_of_file(file_of(tmp_path, seed=1))
    words = features_of_file(file_of(tmp_path), range="bytes")
    assert len({first.key, other.key, words.key}) == 3
    assert features_of_file(file_of(tmp_path)).key == first.key
    for own in (other, words):
        assert not torch.equal(real(own), wanted)
    with pytest.raises(AssertionError, match="it was kept"):
        real(Own(broken, "net"))


def test_a_comparison_in_equal_time_by_two_workers_is_judged_in_them(tmp_path):
    told = gradgan.compare(
        "digits", systems=["gan", "r1"], seeds=1, minutes=0.01, looks=2, workers=2, out=tmp_path / "two",
        metrics=["frechet_ratio/net"], settings=[*TINY, f"evaluate.features={file_of(tmp_path)}"],
    )  # fmt: skip
    (table,) = told.tables
    assert "frechet_ratio/net" in table.metrics and {row.method for row in table.rows} == {"gan", "r1"}
    for curve in told.curves:
        steps = curve.cell.config.steps
        assert steps >= 2 and steps % 2 == 0 and set(curve.looks["frechet_ratio/net"]) == {steps // 2, steps}


def test_a_study_is_judged_in_them(tmp_path):
    config = configure("digits", settings=[*TINY, f"evaluate.features={file_of(tmp_path)}"])
    bench = Bench(config, 2, "frechet_ratio/net")
    assert "frechet_ratio/net" in bench.evaluator(0).names
    assert bench.evaluator(0).features("net").name == "net"


def test_flags_come_before_the_config(tmp_path):
    (tmp_path / "other").mkdir()
    theirs = features_of_file(file_of(tmp_path / "other", seed=1))
    experiment = build(configure("digits", settings=[*TINY, f"evaluate.features={file_of(tmp_path)}"]))
    assert evaluator_of(experiment, ["frechet/net"], features=[theirs]).features("net") is theirs


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (["evaluate.features=none.pt"], "there is no such file"),
        (["evaluate.features=narrow.pt"], r"do not take pictures \(1, 8, 8\) .* Resize them"),
        (["evaluate.features=infinite.pt"], "are not finite"),
        (["evaluate.features=pixels.pt"], "would be taken for gradgan's own"),
        (["evaluate.features_size=8"], "go with a file"),
        (["evaluate.features=net.pt", "evaluate.features_size=-1"], "evaluate.features_size must be finite >= 0"),
        (["evaluate.features=net.pt", "evaluate.metrics=[frechet/nett]"], "Perhaps you meant 'net'"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(tmp_path, monkeypatch, settings, wanted):
    monkeypatch.chdir(tmp_path)
    for name, words in (("net", {}), ("narrow", {"inputs": 7}), ("infinite", {"scale": 1e38}), ("pixels", {})):
        file_of(tmp_path, name=f"{name}.pt", **words)
    with pytest.raises(GradganError, match=f"(?i){wanted}"):
        train("digits", out=tmp_path / "run", settings=[*TINY, "steps=2", *settings])
    assert not (tmp_path / "run").exists()


def test_points_have_no_pictures(tmp_path):
    with pytest.raises(GradganError, match="want pictures, and data set 'ring' has points"):
        tried_features(file_of(tmp_path), DATASETS.make("ring"))
    assert named_features(configure("ring").evaluate, DATASETS.make("ring")) == []

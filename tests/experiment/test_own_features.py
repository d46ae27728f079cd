"""A network of the user's own, named in a config: known to every command, and tried at the door."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import gradgan
from gradgan.cli import main
from gradgan.comparison import make_plan
from gradgan.comparison.cells import cells_of, configs_of
from gradgan.comparison.compare import _refuse_other_features
from gradgan.core.errors import GradganError
from gradgan.data import DATASETS
from gradgan.experiment import Evaluator, build, configure, evaluator_of, train
from gradgan.experiment.complete import complete
from gradgan.experiment.own_features import tried_features
from gradgan.experiment.reading import from_yaml, override, to_yaml
from gradgan.metrics import Inception, Own, features_of_file
from gradgan.tuning.cells import Bench, Cell

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
    settings = [*TINY, "evaluate.features=net.pt", "evaluate.features_range=bytes", "evaluate.every=2", "steps=4"]
    run = train("digits", out=tmp_path / "run", settings=settings)
    assert run.config.evaluate.features == str(tmp_path / "net.pt"), "a run can be opened from anywhere"
    wanted = {f"{name}/net" for name in ("frechet", "frechet_floor", "frechet_ratio")}
    results = run.folder.info()["results"]
    assert wanted < set(results) and "frechet_ratio/classifier" in results, "beside what is meant for the data"
    assert [e.step for e in run.folder.entries() if "frechet/net" in e.numbers] == [2, 4]
    of_hand = Evaluator(DIGITS, ["frechet/net"], samples=100, features=[Own(lambda x: matrix(x), "net", range="bytes")])
    matrix = torch.jit.load(tmp_path / "net.pt")
    assert run.evaluate(of_hand)["frechet/net"].value == pytest.approx(results["frechet/net"], rel=1e-6)

    (tmp_path / "net.pt").rename(tmp_path / "elsewhere.pt")
    (tmp_path / "new").mkdir()
    (tmp_path / "elsewhere.pt").rename(tmp_path / "new" / "net.pt")
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["evaluate", str(run.path)])
    said = capsys.readouterr().err
    assert "net.pt: there is no such file" in said and "--features" in said
    main(["evaluate", str(run.path), "--metrics", "frechet_ratio/pixels"])  # asks for no file
    main(
        ["evaluate", str(run.path), "--features", "new/net.pt", "--metrics", "frechet/net"]
    )  # its words are the config's
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
    cell = Cell(config, Bench(config, 2, "frechet_ratio/net"), fold=0, seed=0)
    judged = cell.advance(1)
    assert cell.record.looks == {1: judged} and cell.record.numbers["frechet_ratio/net"] == judged > 1
    (tmp_path / "net.pt").unlink()  # a study that does not ask for it does not open it
    Bench(complete(replace(config, evaluate=replace(config.evaluate, features_content="0"))), 2, "kid/pixels")


def test_flags_come_before_the_config(tmp_path):
    (tmp_path / "other").mkdir()
    theirs = features_of_file(file_of(tmp_path / "other", seed=1))
    experiment = build(configure("digits", settings=[*TINY, f"evaluate.features={file_of(tmp_path)}"]))
    assert evaluator_of(experiment, ["frechet/net"], features=[theirs]).features("net") is theirs


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (["evaluate.features=none.pt"], "there is no such file"),
        (["evaluate.features=narrow.pt"], r"given as \(3, 8, 8\) .*features_size"),
        (["evaluate.features=infinite.pt"], "are not finite"),
        (["evaluate.features=pixels.pt"], "would be taken for gradgan's own"),
        (["evaluate.features_size=8"], "none is named"),
        (["evaluate.features=net.pt", "evaluate.metrics=[kid/pixels]"], "no metric asks for it; add frechet/net"),
        (["evaluate.features=net.pt", "evaluate.features_size=-1"], "evaluate.features_size must be finite >= 0"),
        (["evaluate.features=net.pt", "evaluate.metrics=[frechet/nett]"], "no metric asks for it"),
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
    with pytest.raises(GradganError, match="are of pictures, and data set 'ring' has points"):
        tried_features(file_of(tmp_path), DATASETS.make("ring"))


def test_grey_pictures_are_given_as_asked(tmp_path):
    grey = file_of(tmp_path, inputs=64)
    with pytest.raises(GradganError, match=r"given as \(3, 8, 8\).*features_rgb=false"):
        tried_features(grey, DIGITS)
    settings = [*TINY, f"evaluate.features={grey}", "evaluate.features_rgb=false", "evaluate.metrics=[frechet/net]"]
    found = evaluator_of(build(configure("digits", settings=settings))).features("net")
    assert found(DIGITS.samples[:3].float()).shape == (3, 5)


def test_a_run_keeps_to_one_network_under_one_name(tmp_path, capsys):
    words = [*TINY, "steps=2", "evaluate.metrics=[frechet/net]", f"evaluate.features={file_of(tmp_path)}"]
    run = train("digits", out=tmp_path / "run", settings=words)
    main(["evaluate", str(run.path), "--metrics", "kid/net"])
    (tmp_path / "other").mkdir()
    other = file_of(tmp_path / "other", seed=1)
    with pytest.raises(GradganError, match="measured by another network of that name"):
        train("digits", out=run.path, resume=True, settings=[*words, f"evaluate.features={other}"])
    again = train(
        "digits", out=run.path, resume=True, settings=[*words, "evaluate.features=null", "evaluate.metrics=[]"]
    )
    assert again.config.evaluate.features is None

    run = train("digits", out=tmp_path / "second", settings=words)
    main(["evaluate", str(run.path), "--metrics", "kid/net"])
    main(["evaluate", str(run.path), "--features", str(other), "--metrics", "frechet/net"])
    told = json.loads((run.path / "evaluation.json").read_text())["2"]["numbers"]
    assert "frechet/net" in told and "kid/net" not in told, "it was another network's"
    file_of(tmp_path, seed=2)
    with pytest.raises(SystemExit):
        main(["evaluate", str(run.path)])
    assert "the file has changed" in capsys.readouterr().err


def test_a_comparison_keeps_to_one_network(tmp_path):
    words: dict = {
        "systems": ["gan"], "steps": 2, "looks": 1, "metrics": ["frechet_ratio/net"],
        "settings": [*TINY, f"evaluate.features={file_of(tmp_path)}"],
    }  # fmt: skip
    plan = make_plan({"data": ["digits"], "seeds": 1, **words}, source="test")
    cells = cells_of(plan, configs_of(plan), {("digits", "gan"): 1.0}, tmp_path / "out")
    (cell,) = cells
    cell.path.mkdir(parents=True)
    (cell.path / "config.yaml").write_text(to_yaml(cell.config))
    _refuse_other_features(cells)
    file_of(tmp_path, seed=1)
    with pytest.raises(GradganError, match="measured in another network"):
        _refuse_other_features(cells_of(plan, configs_of(plan), {("digits", "gan"): 1.0}, tmp_path / "out"))


@pytest.mark.parametrize("size", [8, None])
def test_what_an_onnx_graph_says_is_one_line(tmp_path, size):
    pytest.importorskip("onnxruntime", reason="no onnxruntime: pip install 'gradgan[onnx]'")
    onnx_of(tmp_path / "net.onnx", size)
    with pytest.raises(GradganError, match="MatMul" if size is None else "wants pictures") as caught:
        tried_features(tmp_path / "net.onnx", DIGITS, size=5)
    assert "\n" not in str(caught.value)
    assert not tried_features(tmp_path / "net.onnx", DIGITS).kept, "its weights may lie in another file"


def onnx_of(path: Path, side: int | None) -> None:
    """(n, 3, side, side) -> (n, 5), where a side that is None may be any until the product is taken."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    matrix = np.ones((192, 5), np.float32)
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "matrix"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, side or "h", side or "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 5])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


class Particular(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.shape[2] == 32, "wants 32"
        return x.flatten(1)[:, :5]


def test_a_graph_that_asserts_is_one_line_too(tmp_path):
    torch.jit.save(torch.jit.script(Particular()), tmp_path / "net.pt")
    with pytest.raises(GradganError, match=r"given as \(3, 8, 8\) \(.*wants 32\)") as caught:
        tried_features(tmp_path / "net.pt", DIGITS)
    assert "\n" not in str(caught.value)
    assert tried_features(tmp_path / "net.pt", DIGITS, size=32).name == "net"


def test_another_file_or_none_in_the_place_of_a_config_s(tmp_path):
    (tmp_path / "other").mkdir()
    words = [f"evaluate.features={file_of(tmp_path, inputs=64)}", "evaluate.features_rgb=false"]
    begun = from_yaml(to_yaml(complete(configure("digits", settings=words))), source="a run")
    other = complete(override(begun, [f"evaluate.features={file_of(tmp_path / 'other', inputs=64, seed=1)}"]))
    assert other.evaluate.features_content not in (None, begun.evaluate.features_content)
    assert not other.evaluate.features_rgb
    for none in ("evaluate.features=null", "evaluate.features="):
        assert complete(override(begun, [none])).evaluate == configure("digits").evaluate


def test_methods_are_not_measured_by_two_networks_of_one_name(tmp_path):
    path = file_of(tmp_path)
    words: dict = {
        "data": ["digits"], "steps": 2, "looks": 1, "settings": [*TINY, f"evaluate.features={path}"],
        "methods": {"a": [], "b": ["evaluate.features_range=bytes"]},
    }  # fmt: skip
    with pytest.raises(GradganError, match="b on digits: its features net are another network"):
        configs_of(make_plan(words, source="test"))


def test_reading_a_file_leaves_chance_alone(tmp_path):
    save_file(Inception().state_dict(), tmp_path / "inception.safetensors")
    before = torch.get_rng_state()
    features_of_file(tmp_path / "inception.safetensors")
    assert torch.equal(torch.get_rng_state(), before)

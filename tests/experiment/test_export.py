"""A generator that leaves as a file gives the run's samples without gradgan; what cannot is refused in one line."""

import io
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import gradgan
from gradgan import Sampler
from gradgan.cli import main
from gradgan.core.errors import GradganError
from gradgan.experiment import exporting
from gradgan.networks import NETWORKS

CASES = {
    "points": ("ring", ["batch=16", "data.samples=64"]),
    "classes, batch norm": (
        "digits",
        ["batch=16", "conditional=true", "generator.norm=batch", "generator.widths=[8]", "critic.widths=[8]"],
    ),
}


@pytest.fixture(scope="module", params=CASES)
def run(request, tmp_path_factory):
    preset, settings = CASES[request.param]
    return gradgan.train(preset, steps=3, settings=settings, out=tmp_path_factory.mktemp("export") / "run")


def inputs(sampler, n: int) -> dict[str, torch.Tensor]:
    z = torch.randn(n, sampler.config.latent)
    return {"z": z, "labels": torch.arange(n) % sampler.classes} if sampler.config.conditional else {"z": z}


def test_an_exported_program_gives_the_run_s_samples_without_gradgan(run, tmp_path, capsys):
    main(["export", str(run.path), "--out", str(tmp_path / "new" / "g.pt2")])
    told = capsys.readouterr().out
    sampler = Sampler.load(run.path)
    assert f"z float32 (n, {sampler.config.latent})" in told and "as the run's own to " in told
    assert ("labels int64 (n,) in 0..9" in told) == sampler.config.conditional
    many = [inputs(sampler, n) for n in (1, 7)]
    torch.save(many, tmp_path / "many.pt")
    alone = (
        "import sys, torch\n"
        "many, generator = torch.load(sys.argv[2]), torch.export.load(sys.argv[1]).module()\n"
        "torch.save([generator(**given) for given in many], sys.argv[2])\n"
        "assert 'gradgan' not in sys.modules"
    )
    files = [tmp_path / "new" / "g.pt2", tmp_path / "many.pt"]
    subprocess.run([sys.executable, "-c", alone, *files], check=True, timeout=100)
    for given, samples in zip(many, torch.load(tmp_path / "many.pt"), strict=True):
        # Another process may have other threads, and they another order of summing.
        torch.testing.assert_close(samples, sampler.generator(*given.values()), rtol=1e-5, atol=1e-5)


def test_onnx_gives_the_run_s_samples_and_says_what_it_is(run, tmp_path):
    import onnxruntime

    done = gradgan.export(run, tmp_path / "g.onnx")
    session = onnxruntime.InferenceSession(done.path)
    sampler = Sampler.load(run.path)
    for n in (1, 7):
        given = inputs(sampler, n)
        (samples,) = session.run(["samples"], {name: value.numpy() for name, value in given.items()})
        np.testing.assert_allclose(samples, sampler.generator(*given.values()).numpy(), atol=1e-5)
    about = json.loads(session.get_modelmeta().custom_metadata_map["gradgan"])
    assert about == done.about
    assert (about["latent"], about["event"]) == (sampler.config.latent, list(run.dataset.event))
    assert about["classes"] == (10 if sampler.config.conditional else 0) and about["scale"] == run.scale
    assert done.difference < 1e-5


def test_the_average_in_evaluation_leaves_and_the_run_is_as_before(run, tmp_path):
    before = {name: value.clone() for name, value in run.generator.state_dict().items()}
    run.generator.train()
    one = gradgan.export(run, tmp_path / "run.pt2")
    assert run.generator.training and all(before[n].equal(v) for n, v in run.generator.state_dict().items())
    run.generator.eval()
    two = gradgan.export(Sampler.load(run.path), tmp_path / "sampler.pt2")
    given = inputs(Sampler.load(run.path), 3)
    first, second = (torch.export.load(done.path).module()(**given) for done in (one, two))
    assert first.equal(second) and one.about == two.about
    extra = {"gradgan.json": ""}
    torch.export.load(io.BytesIO(one.path.read_bytes()), extra_files=extra)
    assert json.loads(extra["gradgan.json"]) == one.about


GENERATORS = [name for name in NETWORKS if NETWORKS[name].facts["role"] == "generator"]


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_leaves_for_any_number_of_samples(name, classes):
    about = {"latent": 5, "classes": classes}
    small = {} if name == "mlp_generator" else {"width": 4}
    norms = {"mlp_generator": ("none", "batch"), "conv_generator": ("none", "batch", "layer")}.get(name, ())
    sizes = NETWORKS[name].facts["sizes"]
    cases = [(size, {}) for size in sizes] + [(sizes[-1], {"norm": norm}) for norm in norms]
    for event, options in cases:
        network = NETWORKS.make(name, event=event, latent=5, classes=classes, **small, **options)
        # As a run has it: weights of convolutions channels last.
        generator = exporting._alone(network.to(memory_format=torch.channels_last), labelled=classes > 0)
        data = exporting._write_pt2(generator, exporting._drawn(about, 2), "{}")
        off = exporting._difference(generator, exporting._read_pt2(data), about)
        assert off < exporting._TOLERANCE, (event, options)
    with exporting._quiet():
        data = exporting._write_onnx(generator, exporting._drawn(about, 2), "{}")
    assert exporting._difference(generator, exporting._read_onnx(data), about) < exporting._TOLERANCE
    assert str(Path(gradgan.__file__).parent).encode() not in data, "no path of this machine leaves with it"


class Untraceable(torch.nn.Module):
    def forward(self, z):
        return z if z.sum() > 0 else -z


class Moody(torch.nn.Module):
    """Draws by chance, so that no file gives its samples."""

    def forward(self, z):
        return z + torch.rand_like(z)


def test_what_cannot_leave_is_refused_in_one_line_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    run = gradgan.train("ring", steps=2, settings=["batch=16", "data.samples=64"], out=tmp_path / "run")
    sampler = Sampler.load(run.path)
    for generator, message in [(Untraceable(), "cannot be exported"), (Moody(), "gives other samples")]:
        sampler.generator = generator
        with pytest.raises(GradganError, match=message) as error:
            gradgan.export(sampler, tmp_path / "g.pt2")
        assert "\n" not in str(error.value)
    for package in ("onnxscript", "onnxruntime"):
        with monkeypatch.context() as without:
            without.setitem(sys.modules, package, None)
            with pytest.raises(GradganError, match=rf"wants {package}: pip install 'gradgan\[onnx\]'"):
                gradgan.export(run, tmp_path / "g.onnx")
    with pytest.raises(SystemExit):
        main(["export", str(run.path), "--out", str(tmp_path / "g.pt")])
    told = capsys.readouterr()
    assert told.out == "" and "a .onnx or a .pt2 file, got" in told.err
    assert not list(tmp_path.glob("g.*")) and not list(tmp_path.glob(".g.*"))


def test_a_file_that_is_in_the_way_is_told_in_one_line(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GradganError, match="cannot write"):
        gradgan.export(run, tmp_path / "file" / "g.pt2")


WRONG = {
    "other values": (lambda x: x * 1.001, "they differ by 1.0e-03"),
    "values that are no numbers": (lambda x: torch.full_like(x, math.nan), "they differ by nan"),
    "another shape": (lambda x: x[:1], "of shape"),
    "another type": (lambda x: x.double(), "float64"),
}


@pytest.mark.parametrize(("change", "told"), WRONG.values(), ids=WRONG)
def test_a_file_that_gives_other_samples_is_not_kept(run, tmp_path, monkeypatch, change, told):
    written, read = exporting._FORMATS[".pt2"]
    monkeypatch.setitem(exporting._FORMATS, ".pt2", (written, lambda data: lambda **given: change(read(data)(**given))))
    with pytest.raises(GradganError, match=told):
        gradgan.export(run, tmp_path / "g.pt2")
    assert not (tmp_path / "g.pt2").exists()

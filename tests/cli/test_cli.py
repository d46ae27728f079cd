"""The command line as a person meets it: exit codes, one clear line, no traceback, quick help."""

import os
import resource
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from gradgan.cli import main

TINY = ["--steps", "2", "--set", "data.samples=300", "batch=16", "--set", "generator.widths=[8]", "critic.widths=[8]"]


def call(capsys, *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(arguments)
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    main(["train", "ring", "--out", str(out), *TINY])
    return out


def test_train_says_where_the_report_is(capsys, tmp_path):
    code, out, _ = call(capsys, "train", "ring", "--out", str(tmp_path / "r"), *TINY)
    assert code == 0
    assert out.strip().splitlines()[-1] == f"report: {tmp_path / 'r' / 'report.html'}"
    assert "high_quality" in out


def test_a_second_call_needs_resume_and_then_ends_at_once(capsys, run):
    code, _, err = call(capsys, "train", "ring", "--out", str(run), *TINY)
    assert code == 2 and "--resume" in err
    assert call(capsys, "train", "ring", "--out", str(run), "--resume", *TINY)[0] == 0


def test_dry_run_prints_a_config_that_trains(capsys, tmp_path):
    code, out, _ = call(capsys, "train", "ring", "--dry-run", *TINY)
    assert code == 0 and "r1:" in out
    (tmp_path / "c.yaml").write_text(out)
    assert call(capsys, "train", "--config", str(tmp_path / "c.yaml"), "--out", str(tmp_path / "r"))[0] == 0


def test_sample_evaluate_report_cite(capsys, run, tmp_path):
    assert call(capsys, "sample", str(run), "--n", "5", "--seed", "1", "--out", str(tmp_path / "s.png"))[0] == 0
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    code, out, _ = call(capsys, "evaluate", str(run))
    assert code == 0 and "modes" in out
    assert call(capsys, "report", str(run))[0] == 0
    by_run, by_preset = call(capsys, "cite", str(run))[1], call(capsys, "cite", "ring")[1]
    assert "penalty r1: R1: half the squared norm" in by_run and "[arXiv:1801.04406]" in by_preset


def test_evaluate_refuses_features_that_do_not_fit(capsys, run, tmp_path):
    code, _, err = call(capsys, "evaluate", str(run), "--features", str(tmp_path / "net.pt"))
    assert code == 2 and "are of pictures, and data set 'ring' has points" in err
    for words in (("--features-size", "299"), ("--features-range", "bytes"), ("--features-rgb", "False")):
        code, _, err = call(capsys, "evaluate", str(run), *words)
        assert code == 2 and "describe a file; give --features FILE" in err


def test_its_version_is_that_of_the_package(capsys):
    assert call(capsys, "--version") == (0, f"gradgan {version('gradgan')}\n", "")


def test_parts_lists_every_kind(capsys):
    out = call(capsys, "parts")[1]
    for name in (
        "r3gan",
        "relativistic_average",
        "wgan_lp",
        "conv_critic",
        "digits",
        "mnist_mlp",
        "frechet_ratio",
        "1704.00028",
    ):
        assert name in out


def test_dynamics_prints_eigenvalues(capsys, tmp_path):
    code, out, _ = call(capsys, "dynamics", "r1", "--weight", "1", "--out", str(tmp_path / "p.png"))
    assert code == 0 and "-0.500000" in out and (tmp_path / "p.png").exists()


def idx_folder(path: Path, content: bytes) -> Path:
    path.mkdir()
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (path / name).write_bytes(content)
    return path


BAD = {
    "system": (["train", "ring", "--system", "r3gam"], "r3gan"),
    "preset": (["train", "rings"], "ring"),
    "key": (["train", "ring", "--set", "r1.wieght=3"], "r1.weight"),
    "negative weight": (["train", "ring", "--set", "r1.weight=-3"], ">= 0, got -3"),
    "nan weight": (["train", "ring", "--set", "r1.weight=.nan"], "must be finite"),
    "missing data folder": (["train", "mnist_mlp"], "train-images-idx3-ubyte"),
    "no such folder": (["train", "mnist_mlp", "--set", "data.path=nowhere"], "nowhere"),
    "batch norm": (["train", "ring", "--set", "critic.norm=batch"], "mixes samples"),
    "no run": (["report", "nowhere"], "nowhere"),
    "no run to cite": (["cite", "nowhere"], "nowhere"),
    "kind of part": (["parts", "penalties"], "penalty"),
    "no such system": (["dynamics", "gc_gann"], "gc_gan"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_is_one_line_and_exit_code_2(capsys, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, message = BAD[name]
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err and err.startswith("gradgan: ") and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [], "nothing half-written remains"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello world", "IDX"),
        (b"\x00\x00\x08\x03\x00\x00\x00\x05\x00\x00\x00\x1c", "train-images"),
        (b"", "train-images"),
    ],
    ids=["not IDX", "truncated", "empty"],
)
def test_broken_idx_files_are_one_line(capsys, tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    folder = idx_folder(tmp_path / "data", content)
    code, _, err = call(capsys, "train", "mnist_mlp", "--data", "idx", "--set", f"data.path={folder}")
    assert code == 2 and message in err and err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_wrong_checksum_is_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = b"\x00\x00\x08\x03" + b"\x00\x00\x00\x02" + b"\x00\x00\x00\x1c" * 2 + bytes(2 * 28 * 28)
    folder = idx_folder(tmp_path / "data", images)
    (folder / "train-labels-idx1-ubyte").write_bytes(b"\x00\x00\x08\x01" + b"\x00\x00\x00\x02" + bytes(2))
    code, _, err = call(capsys, "train", "mnist_mlp", "--set", f"data.path={folder}")
    assert code == 2 and "checksum" in err and err.count("\n") == 1


def test_wrong_type_in_a_config_file(capsys, tmp_path):
    (tmp_path / "c.yaml").write_text("steps: lots\n")
    code, _, err = call(capsys, "train", "--config", str(tmp_path / "c.yaml"))
    assert code == 2 and "steps must be" in err and err.count("\n") == 1


def test_a_place_that_cannot_be_written(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = call(capsys, "train", "ring", "--out", str(tmp_path / "file" / "run"), *TINY)
    assert code == 2 and "file" in err and err.count("\n") == 1


def python(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=os.environ, timeout=60)


def test_help_is_quick_and_loads_no_torch():
    # The children's processor time: 0.4 s, however busy the machine is.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = python("-m", "gradgan", "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0 and "train" in done.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.5
    names = "('torch', 'matplotlib', 'sklearn')"
    code = f"import sys, gradgan, gradgan.cli.commands; print([m for m in {names} if m in sys.modules])"
    assert python("-c", code).stdout.strip() == "[]"


def test_audit_of_a_preset_and_of_a_module(capsys):
    code, out, _ = call(capsys, "audit", "ring")
    assert code == 0
    assert "Every layer is swept" in out
    assert "8 (1.33)" in out
    code, out, _ = call(capsys, "audit", "digits", "--system", "gc_gan")
    assert code == 0
    assert "double backward, because of critic.trunk.2 (SiLU)" in " ".join(out.split())
    code, out, _ = call(capsys, "audit", "gradgan.networks.residual:residual_critic", "--event", "3", "16", "16")
    assert code == 0
    assert "Convolution" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing:here", "--event", "2"], "package.module:name"),
        (["torch.nn:Flatten", "--event", "1", "--system", "gan"], "change presets"),
        (["ring", "--event", "2"], "knows its own samples"),
        (["rong"], "Perhaps you meant 'ring'"),
    ],
)
def test_audit_of_what_is_not_there_is_one_line(capsys, arguments, message):
    code, _, said = call(capsys, "audit", *arguments)
    assert code == 2
    assert message in said
    assert said.count("\n") == 1

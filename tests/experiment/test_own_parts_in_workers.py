"""Parts of one's own in comparisons and studies: worker processes import their module; what is none is refused."""

import importlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import gradgan
from gradgan.core.errors import GradganError
from gradgan.experiment.own_parts import modules_of_own_parts
from gradgan.losses import LOSSES
from gradgan.penalties import PENALTIES
from gradgan.systems import SYSTEMS

PARTS = '''
from gradgan import Term
from gradgan.core.gradients import norm
from gradgan.losses import non_saturating
from gradgan.penalties import PENALTIES, InputGradientPenalty
from gradgan.penalties.points import at_real
from gradgan.systems import SYSTEMS, System

@PENALTIES.add(name="own_l1_gp", paper="none", on_linear=abs, unit="score/unit")
def make_own_l1_gp() -> InputGradientPenalty:
    """The slope itself."""
    return InputGradientPenalty("own_l1_gp", at_real, norm)

@SYSTEMS.add(name="own_system", paper="none", readings=("only",))
def make_own_system(reading: str = "only") -> System:
    """A system."""
    return System("own_system", non_saturating, terms=(Term(make_own_l1_gp(), 0.1),))
'''
TINY = ["batch=8", "generator.widths=[8]", "critic.widths=[8]", "data.samples=200", "evaluate.samples=100", "threads=1"]


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with a penalty and a system, imported from a folder that only this process knows."""
    for catalog in (PENALTIES, SYSTEMS, LOSSES):
        monkeypatch.setattr(catalog, "_entries", dict(catalog._entries))
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "parts_of_a_test.py").write_text(PARTS)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "parts_of_a_test", raising=False)
    importlib.import_module("parts_of_a_test")
    return "parts_of_a_test"


def test_only_the_modules_of_parts_in_use_are_imported(parts: str) -> None:
    assert modules_of_own_parts(["system: own_system\npenalties: {own_l1_gp: {weight: 1}}"]) == (parts,)
    assert modules_of_own_parts(["system: r3gan"]) == ()


def test_a_part_of_a_script_is_refused_with_the_way_out(parts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PENALTIES["own_l1_gp"].make, "__module__", "__main__")
    with pytest.raises(GradganError, match=r"penalty 'own_l1_gp' was registered in __main__.*module of its own beside"):
        modules_of_own_parts(["own_l1_gp"])


def test_a_comparison_and_a_study_run_with_parts_of_ones_own(parts: str, tmp_path: Path) -> None:
    compared = gradgan.compare(
        "ring", systems=["gan", "own_system"], seeds=1, steps=2, looks=1, settings=TINY, out=tmp_path / "c", workers=1
    )
    assert {curve.cell.method for curve in compared.curves} == {"gan", "own_system"}
    answer = gradgan.tune(
        "ring", system="own_system", over=["own_l1_gp.weight=0.1..1"], steps=2, looks=1, settings=TINY,
        trials=3, folds=2, workers=1, out=tmp_path / "t",
    )  # fmt: skip
    assert (tmp_path / "t" / "answer.json").is_file() and answer is not None


def test_a_script_is_told_before_anything_is_written(tmp_path: Path) -> None:
    call = "gradgan.compare('ring', systems=['own_system'], seeds=1, steps=2, looks=1, out='c')"
    script = f"import gradgan\n{PARTS}\nif __name__ == '__main__':\n    {call}\n"
    (tmp_path / "script.py").write_text(textwrap.dedent(script))
    ran = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert "was registered in __main__, which worker processes cannot import" in ran.stderr
    assert not (tmp_path / "c").exists()

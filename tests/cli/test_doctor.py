"""gradgan doctor, and the page's section on health: what is said of a sick run, of a healthy one, of an old one."""

import json
from pathlib import Path

import numpy as np
import pytest

from gradgan.cli import main
from gradgan.cli.doctoring import sparkline
from gradgan.core.record import RunFolder
from gradgan.report import write_report


def folder(path: Path, rows: list[dict[str, float]], **info: object) -> Path:
    """A run folder with these numbers logged on every tenth step."""
    with RunFolder.create(path, config_yaml="preset: ring\n") as run:
        for k, row in enumerate(rows):
            run.log(10 * (k + 1), 1.0, {"lr/critic": 1e-3, **row})
        run.update_info(system={"name": "r3gan"}, data={"name": "ring"}, status="finished", patience=3, **info)
    return path


COLLAPSED = [{"diversity/distance": 0.2, "diversity/missed": 3.0, "critic/loss": 1.0}] * 15


def test_a_sick_run_is_named_with_evidence_since_when_and_what_helps(tmp_path, capsys):
    main(["doctor", str(folder(tmp_path / "run", COLLAPSED))])
    said = capsys.readouterr().out
    assert "MODE COLLAPSE, since step 60, named at step 80, still there at the end" in said
    assert "mean distance of two samples, in that of real ones, is 0.2 (below 0.45)" in said
    assert "What usually helps: " in said and "Not looked for" in said
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<h2>Health</h2>" in page and "Mode collapse" in page and page.count("<svg") == 4


def test_a_healthy_run_is_said_to_be_well(tmp_path, capsys):
    main(["doctor", str(folder(tmp_path / "run", [{"diversity/distance": 1.0}] * 15))])
    assert "No illness was found" in capsys.readouterr().out
    assert "No illness was found in 15 logged steps" in (tmp_path / "run" / "report.html").read_text()


def test_an_old_or_empty_log_is_not_called_healthy_of_what_it_does_not_hold(tmp_path, capsys):
    main(["doctor", str(folder(tmp_path / "run", [{"critic/loss": 1.0}] * 15))])
    said = capsys.readouterr().out
    assert "mode collapse" in said and "critic overfitting" in said and "Not looked for" in said
    main(["doctor", str(folder(tmp_path / "empty", []))])
    assert "0 steps" in capsys.readouterr().out


def test_an_evaluation_that_is_infinite_is_no_divergence(tmp_path, capsys):
    path = folder(tmp_path / "run", [{"diversity/distance": 1.0}] * 15)
    with RunFolder.create(path, config_yaml="preset: ring\n", resume=True) as run:
        run.log(155, 1.0, {"class_kl": float("inf")})
    main(["doctor", str(path)])
    said = capsys.readouterr().out
    assert "No illness was found" in said and "15 of them logged" in said


def test_rollbacks_are_told_and_escaped_on_the_page(tmp_path, capsys):
    row = {
        "illness": "divergence<b>",
        "since": 60,
        "left": 80,
        "to": 50,
        "rates": {"critic": 0.5},
        "weights": {"r1": 2},
    }
    path = folder(tmp_path / "run", COLLAPSED, rollbacks=[row])
    main(["doctor", str(path)])
    assert "since step 60; at step 80 back to 50, then learning rate of the critic x 0.5, weight of r1 x 2" in (
        " ".join(capsys.readouterr().out.split())
    )
    write_report(RunFolder.open(path))
    assert "<b>since" not in (path / "report.html").read_text()


def test_a_folder_that_is_no_run_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["doctor", str(tmp_path)])
    assert left.value.code == 2 and capsys.readouterr().err.startswith("gradgan: ")


def test_a_sparkline_shows_what_is_not_a_number():
    assert sparkline(np.array([])) == ""
    assert sparkline(np.array([1.0, 1.0])) == "▁▁"
    assert sparkline(np.array([0.0, 7.0, np.nan])) == "▁█x"
    assert len(sparkline(np.arange(1000.0))) == 60
    assert json.dumps(sparkline(np.array([0.0, np.inf])))

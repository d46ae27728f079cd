"""gradgan tune, whole: what it leaves, that it goes on, that killed workers lose nothing, and what it refuses."""

import json
from pathlib import Path

import pytest

import gradgan
from gradgan.cli import main
from gradgan.core.errors import GradganError
from gradgan.core.pool import Message
from gradgan.experiment import tuned_config
from gradgan.tuning import Answer

from .killer import Killer

TINY = ["data.samples=600", "batch=16", "generator.widths=[8]", "critic.widths=[8]", "ema=0.5", "evaluate.samples=200"]
WORDS: dict = {
    "over": ["r1.weight+r2.weight=1e-3..10"],
    "steps": 30,
    "looks": 3,
    "folds": 2,
    "trials": 6,
    "pruner": "none",
    "settings": TINY,
}


@pytest.mark.timeout(1800)  # it starts torch several times, which takes long on a busy machine
def test_a_study_whole_and_gone_on_with(tmp_path):
    """One test, for the processes cost most."""
    out = tmp_path / "study"
    answer = gradgan.tune("ring", **WORDS, workers=1, out=out)
    check_what_it_leaves(out, answer)
    check_that_a_second_call_runs_nothing(out, answer)
    check_that_train_uses_it(out, answer)
    check_that_another_plan_is_refused(out)
    check_that_more_trials_go_on_and_killed_workers_lose_nothing(out)


def check_what_it_leaves(out: Path, answer: Answer) -> None:
    assert {p.name for p in out.iterdir()} >= {"study.json", "study.db", "answer.json", "table.md", "report.html"}
    assert (out / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert [t.kind for t in answer.trials] == ["default", "none", *["search"] * 4]
    assert answer.metric == "mixture_distance" and answer.chosen is not None
    assert [(c["fold"], c["seed"]) for c in answer.chosen.cells] == [(0, 0), (1, 1)]
    assert list(answer.chosen.cells[0]["looks"]) == ["10", "20", "30"]
    assert answer.steps == answer.unpruned == 6 * 2 * 30
    assert answer.chosen.loss == min(t.loss for t in answer.trials)
    tree = json.loads((out / "answer.json").read_text())
    assert tree["settings"] == answer.chosen.settings and tree["chosen"] == answer.chosen.number
    text = (out / "table.md").read_text()
    assert text.startswith("```bash\ngradgan tune ") and "| chosen |" in text and "| none |" in text
    html = (out / "report.html").read_text()
    assert "<svg" in html and answer.verdict.split(":")[0] in html and "http" not in html.split("</style>")[1]


def check_that_a_second_call_runs_nothing(out: Path, answer: Answer) -> None:
    told: list[object] = []
    again = gradgan.tune("ring", **WORDS, workers=1, out=out, tell=lambda message, over, trials: told.append(message))
    assert again == answer and not any(isinstance(message, Message) for message in told)


def check_that_train_uses_it(out: Path, answer: Answer) -> None:
    assert answer.chosen is not None
    config = tuned_config(out)
    assert f"r1.weight={config.penalties['r1'].weight}" == answer.chosen.settings[0]
    assert config.steps == 30 and config.batch == 16


def check_that_another_plan_is_refused(out: Path) -> None:
    with pytest.raises(GradganError, match="folds is 3 now and was 2"):
        gradgan.tune("ring", **{**WORDS, "folds": 3}, out=out)
    with pytest.raises(GradganError, match=r"config\.batch is 32 now and was 16"):
        gradgan.tune("ring", **{**WORDS, "settings": [*TINY, "batch=32"]}, out=out)


def check_that_more_trials_go_on_and_killed_workers_lose_nothing(out: Path) -> None:
    killer = Killer(str(out / "study.db"), out.name, lambda killed: None if killed else 6)
    try:
        more = {**WORDS, "trials": 10}
        answer = gradgan.tune("ring", **more, workers=1, out=out, tell=lambda *_: killer.start_once())
    finally:
        killer.stop()
    whole = [t for t in answer.trials if t.end == "complete"]
    assert len(whole) == 10 and len({t.number for t in whole}) == 10
    (lost,) = (t for t in answer.trials if t.end == "lost")
    (retry,) = (t for t in answer.trials if t.kind == "retry")
    assert [lost.number] == killer.killed and retry.settings == lost.settings != [] and retry.end == "complete"


BAD = {
    "no such field": (["--over", "r1.wieght"], "Perhaps you meant 'r1.weight'"),
    "reversed": (["--over", "r1.weight=1..0.1"], "reversed"),
    "empty": (["--over", "r1.weight=1..1"], "empty"),
    "no such metric": (["--over", "r1.weight", "--metric", "training_loss"], "unknown metric to judge by"),
    "the training loss": (["--over", "r1.weight", "--metric", "critic/loss"], "unknown metric to judge by"),
    "a metric that only describes": (["--over", "r1.weight", "--metric", "critic_slope"], "does not judge"),
    "a metric that the data cannot serve": (["--over", "r1.weight", "--metric", "classes"], "wants images"),
    "metric without features": (["--over", "r1.weight", "--metric", "recall"], "wants features"),
    "more folds than samples": (["--over", "r1.weight", "--folds", "9", "--set", "data.samples=8"], "at most 8"),
    "a fold that leaves no batch": (["--over", "r1.weight", "--set", "data.samples=300"], "batch must lie in 1..200"),
    "an end that cannot be": (["--over", "batch=16..99999"], "--over batch at 99999: batch must lie in"),
    "no storage": (
        ["--over", "r1.weight", "--storage", "postgresql+psycopg://me:secret@127.0.0.1:9/db"],
        "cannot be reached",
    ),
    "twice": (["--over", "r1.weight", "r1.weight=1..10"], "names r1.weight twice"),
    "no workers": (["--over", "r1.weight", "--workers", "0"], "workers must be at least 1"),
    "no preset": (["rign", "--over", "r1.weight"], "Perhaps you meant 'ring'"),
}


@pytest.mark.parametrize(("arguments", "told"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_with_code_2_and_leaves_nothing(arguments, told, tmp_path, capsys):
    out = tmp_path / "study"
    preset = [] if arguments[0] == "rign" else ["ring"]
    with pytest.raises(SystemExit) as left:
        main(["tune", *preset, *arguments, "--out", str(out)])
    said = capsys.readouterr().err.splitlines()
    assert left.value.code == 2 and told in said[-1] and "secret" not in said[-1]
    assert not out.exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(GradganError, match="holds no study"):
        gradgan.tune("ring", **WORDS, out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "no answer"), ("{", "damaged"), ('{"config": "", "settings": null}', "chose nothing"), ("[]", "damaged")],
)
def test_a_study_without_an_answer_is_told(text, told, tmp_path):
    if text is not None:
        (tmp_path / "answer.json").write_text(text)
    with pytest.raises(GradganError, match=told):
        tuned_config(tmp_path)

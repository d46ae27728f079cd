"""A sick run says so, stops, or goes back; what it went back on stays readable, and resuming is exact throughout."""

import json
import logging
from dataclasses import asdict

import pytest
import torch

from gradgan.alarm import ILLNESSES, History, examine
from gradgan.core.errors import NonFiniteError, SickRunError
from gradgan.experiment import Run, train
from gradgan.experiment.rollback import targets
from gradgan.training.state import Rollback

TINY = ["data.samples=500", "batch=16", "generator.widths=[8]", "critic.widths=[8]", "log.every=2", "sample.every=8",
        "checkpoint.every=4", "alarm.patience=3"]  # fmt: skip
SICK = [*TINY, "optimiser.lr=1.0"]


def weights(run: Run) -> dict[str, torch.Tensor]:
    return {f"{p}.{k}": v for p, net in run.experiment.state.networks.items() for k, v in net.state_dict().items()}


def rows(run: Run) -> list:
    return [(e.step, {k: v for k, v in e.numbers.items() if k != "speed"}) for e in run.log()]


def test_every_run_is_watched_and_a_warning_names_the_illness_once(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="gradgan"):
        run = train("ring", steps=16, settings=SICK, out=tmp_path / "run")
    said = [record.message for record in caplog.records if "divergence" in record.message]
    assert len(said) == 1 and "since step 2" in said[0]
    assert run.step == 16 and run.folder.info()["patience"] == 3
    (first, *_) = examine(History.of(run.log()), patience=3)
    assert first.illness == "divergence" and f"step {first.step}:" in said[0]


def test_stop_ends_the_run_with_the_illness_as_its_message(tmp_path):
    with pytest.raises(SickRunError, match="divergence, since step 2"):
        train("ring", steps=16, settings=[*SICK, "alarm.action=stop"], out=tmp_path / "run")
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert info["status"] == "failed" and "divergence" in info["message"]


def test_rollback_goes_back_with_slower_players_and_keeps_what_was_logged(tmp_path):
    run = train("ring", steps=16, settings=[*SICK, "alarm.action=rollback", "alarm.rollbacks=30"], out=tmp_path / "run")
    state = run.experiment.state
    rollbacks = run.folder.info()["rollbacks"]
    assert rollbacks and [r.to for r in state.rollbacks] == [r["to"] for r in rollbacks]
    first = rollbacks[0]
    assert (first["illness"], first["to"]) == ("divergence", 0)
    kept = [json.loads(line)["step"] for line in (tmp_path / "run/rolled_back/1/log.jsonl").read_text().splitlines()]
    assert kept == list(range(2, first["left"] + 1, 2))
    assert [entry.step for entry in run.log()] == list(range(2, 17, 2))
    slowed = ILLNESSES["divergence"].facts["remedy"].critic_rate ** sum(r["illness"] == "divergence" for r in rollbacks)
    assert run.log()[-1].numbers["lr/critic"] < 1.0 * slowed + 1e-12


def test_no_more_rollbacks_than_allowed(tmp_path):
    with pytest.raises(SickRunError, match="divergence"):
        train(
            "ring",
            steps=16,
            settings=[*SICK, "optimiser.lr=100.0", "alarm.action=rollback", "alarm.rollbacks=1"],
            out=tmp_path / "run",
        )
    assert len(json.loads((tmp_path / "run" / "run.json").read_text())["rollbacks"]) == 1


@pytest.mark.parametrize("cut", [9, 17])
def test_a_run_with_rollbacks_that_is_cut_and_resumed_is_the_unbroken_one(tmp_path, cut):
    words = [*SICK, "alarm.action=rollback", "alarm.rollbacks=30"]
    whole = train("ring", steps=16, settings=words, out=tmp_path / "whole")
    rounds = 0

    class Stop(Exception):
        pass

    class Halt:
        def wants_numbers(self, step: int) -> bool:
            return False

        def __call__(self, state, numbers) -> None:
            nonlocal rounds
            rounds += 1
            if rounds == cut:
                raise Stop

    with pytest.raises(Stop):
        train("ring", steps=16, settings=words, out=tmp_path / "half", hooks=[Halt()])
    again = train("ring", steps=16, settings=words, out=tmp_path / "half", resume=True)
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(again)[name]), name
    assert rows(whole) == rows(again)
    folders = [sorted(p.name for p in (run.path / "rolled_back").iterdir()) for run in (whole, again)]
    assert folders[0] == folders[1]
    assert whole.folder.info()["rollbacks"] == again.folder.info()["rollbacks"]


def test_a_run_that_stopped_being_numbers_goes_back_too(tmp_path):
    class Break:
        broken = False

        def wants_numbers(self, step: int) -> bool:
            return False

        def __call__(self, state, numbers) -> None:
            if state.step == 9 and not self.broken:
                self.broken = True
                with torch.no_grad():
                    next(state.networks["critic"].parameters()).fill_(float("nan"))

    words = [*TINY, "alarm.patience=100"]
    with pytest.raises(NonFiniteError):
        train("ring", steps=12, settings=words, out=tmp_path / "warned", hooks=[Break()])
    run = train("ring", steps=12, settings=[*words, "alarm.action=rollback"], out=tmp_path / "run", hooks=[Break()])
    assert run.step == 12
    assert [(r["illness"], r["to"]) for r in run.folder.info()["rollbacks"]] == [("divergence", 8)]
    # JSON has no nan; the stretch that was left says it as a word.
    assert '"nan"' in (tmp_path / "run/rolled_back/1/log.jsonl").read_text()


def test_the_target_is_before_the_illness_and_not_tried_before():
    assert targets([0, 10, 20], 15, used=[]) == [10, 0]
    assert targets([0, 10, 20], 15, used=[10]) == [0]
    assert targets([0, 10, 20], 15, used=[0, 10]) == [0]
    assert targets([10, 20], 5, used=[]) == []


class Sicken:
    """A hook that finds an illness at step 13, with signs since step 11, unless the run has gone back."""

    def wants_numbers(self, step: int) -> bool:
        return False

    def __call__(self, state, numbers) -> None:
        if state.step == 13 and not state.rollbacks:
            raise SickRunError("step 13: ill", illness="divergence", since=11)


def test_a_run_resumed_with_rollback_goes_back_without_a_step_0(tmp_path):
    train("ring", steps=8, settings=TINY, out=tmp_path / "run")
    words = [*TINY, "alarm.action=rollback", "checkpoint.every=5"]
    run = train("ring", steps=16, settings=words, out=tmp_path / "run", resume=True, hooks=[Sicken()])
    assert 0 not in dict(run.folder.checkpoints())
    assert [(r["left"], r["to"]) for r in run.folder.info()["rollbacks"]] == [(13, 10)]


def test_where_the_illness_is_older_than_every_checkpoint_one_line_says_so(tmp_path):
    train("ring", steps=8, settings=[*SICK, "alarm.patience=100"], out=tmp_path / "run")
    words = [*SICK, "alarm.patience=5", "alarm.action=rollback"]
    with pytest.raises(SickRunError, match=r"no checkpoint from step 2 or before is kept \(kept: 4, 8") as told:
        train("ring", steps=16, settings=words, out=tmp_path / "run", resume=True)
    assert "divergence, since step 2" in str(told.value) and "\n" not in str(told.value)
    assert [step for step, _ in Run.load(tmp_path / "run").folder.checkpoints()] == [4, 8]


def test_a_broken_checkpoint_is_no_way_back(tmp_path, caplog):
    class Damage(Sicken):
        def __call__(self, state, numbers) -> None:
            if state.step == 11 and not state.rollbacks:
                path = tmp_path / "run" / "checkpoints" / "step_00000010.safetensors"
                path.write_bytes(path.read_bytes()[:-1])
            super().__call__(state, numbers)

    words = [*TINY, "alarm.action=rollback", "checkpoint.every=5"]
    run = train("ring", steps=16, settings=words, out=tmp_path / "run", hooks=[Damage()])
    assert [(r["left"], r["to"]) for r in run.folder.info()["rollbacks"]] == [(13, 5)]
    assert "step_00000010.safetensors" in caplog.text and "PASSED OVER" in caplog.text


def test_a_run_that_may_go_back_keeps_step_0(tmp_path):
    run = train("ring", steps=8, settings=[*TINY, "checkpoint.every=1", "alarm.action=rollback"], out=tmp_path / "run")
    assert [step for step, _ in run.folder.checkpoints()] == [0, 4, 5, 6, 7, 8]


def test_resuming_from_before_a_rollback_takes_it_out_of_run_json(tmp_path):
    run = train("ring", steps=4, settings=TINY, out=tmp_path / "run")
    # As if the run had gone back, and the checkpoint that knew of it was lost.
    run.folder.update_info(rollbacks=[asdict(Rollback("divergence", 2, 4, 0, rates={}, weights={}))])
    again = train("ring", steps=8, settings=TINY, out=tmp_path / "run", resume=True)
    assert again.folder.info()["rollbacks"] == []


def test_held_out_samples_are_measured_and_not_learned_from(tmp_path):
    run = train("ring", steps=4, settings=[*TINY, "data.held_out=0.2"], out=tmp_path / "run")
    logged = run.log()[-1].numbers
    assert {"critic/score_held_out", "critic/memory"} <= set(logged) <= set(run.folder.info()["glossary"])
    assert run.experiment.state.batches.state_dict()["samples"] == 400


def test_an_epoch_is_what_is_learned_from(tmp_path):
    run = train("ring", steps=26, settings=[*TINY, "data.held_out=0.2", "checkpoint.every=0"], out=tmp_path / "run")
    assert [step for step, _ in run.folder.checkpoints()] == [400 // run.config.batch, 26]

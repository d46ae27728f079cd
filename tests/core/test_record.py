"""The run folder: written whole, read back equal, resumed without a trace, refused in one line."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gradgan import __version__
from gradgan.core.errors import GradganError
from gradgan.core.png import png_bytes
from gradgan.core.record import LogEntry, RunFolder

CONFIG = "system: r3gan\npenalties:\n  r1: {weight: 1.0}\nsteps: 100\n"


@pytest.fixture
def run(tmp_path):
    with RunFolder.create(tmp_path / "a" / "run", config_yaml=CONFIG) as run:
        yield run


def one_line(caught) -> str:
    text = str(caught.value)
    assert "\n" not in text
    return text


def tensorboard(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(run.path / "tensorboard"))
    reader.Reload()
    return reader


# ---- beginning and opening ------------------------------------------------------------------------------------------


def test_new_run_reads_back(run):
    again = RunFolder.open(run.path)
    assert again.config_text() == CONFIG
    info = again.info()
    assert info["gradgan"] == __version__
    assert (info["status"], info["message"], info["results"]) == ("running", "", {})
    assert again.entries() == again.grids() == again.checkpoints() == []
    assert sorted(p.name for p in run.path.iterdir()) == [".lock", "config.yaml", "run.json"]
    run.close()
    assert sorted(p.name for p in run.path.iterdir()) == ["config.yaml", "run.json"]


def test_second_run_in_one_folder_is_refused(run):
    with pytest.raises(GradganError) as caught:
        RunFolder.create(run.path, config_yaml=CONFIG)
    assert "--resume" in one_line(caught)


def test_resume_begins_where_nothing_lies(tmp_path):
    assert RunFolder.create(tmp_path / "new", config_yaml=CONFIG, resume=True).info()["status"] == "running"


def test_resume_goes_on_and_runs_again(run):
    run.log(1, 0.5, {"speed": 1.0})
    run.update_info(status="failed", message="power cut", results={"modes": 3})
    run.close()
    again = RunFolder.create(run.path, config_yaml="# the same, said otherwise\n" + CONFIG, resume=True)
    assert (again.info()["status"], again.info()["message"]) == ("running", "")
    assert again.info()["results"] == {"modes": 3}
    assert [e.step for e in again.entries()] == [1]


def test_resume_with_another_config_names_the_keys(run):
    other = "system: r3gan\npenalties:\n  r1: {weight: 2.0}\nsteps: 100\nseed: 3\n"
    before = {p: p.read_bytes() for p in run.path.iterdir()}
    with pytest.raises(GradganError) as caught:
        RunFolder.create(run.path, config_yaml=other, resume=True)
    text = one_line(caught)
    assert "penalties.r1.weight is 2.0 now and was 1.0" in text
    assert "seed is 3 now and was nothing" in text
    assert "steps" not in text
    assert "choose another --out, or delete it" in text
    assert {p: p.read_bytes() for p in run.path.iterdir()} == before


def test_empty_folder_is_taken_and_strange_files_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    RunFolder.create(tmp_path, config_yaml=CONFIG)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_half_a_run_is_refused(tmp_path):
    (tmp_path / "log.jsonl").write_text("")
    with pytest.raises(GradganError, match=r"log.jsonl but no config.yaml"):
        RunFolder.create(tmp_path, config_yaml=CONFIG)
    assert [p.name for p in tmp_path.iterdir()] == ["log.jsonl"]


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_file_in_the_way_is_refused(tmp_path, below):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(GradganError, match="cannot write"):
        RunFolder.create(tmp_path / "taken" / below, config_yaml=CONFIG)
    assert (tmp_path / "taken").read_text() == "mine"


def test_nothing_is_left_of_a_run_that_could_not_begin(tmp_path, monkeypatch):
    def full(self, target):
        if Path(target).name == "config.yaml":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    replace = Path.replace
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(GradganError) as caught:
        RunFolder.create(tmp_path / "b" / "c", config_yaml=CONFIG)
    assert "No space left on device" in one_line(caught)
    assert list(tmp_path.iterdir()) == []


def test_open_wants_a_run(tmp_path):
    with pytest.raises(GradganError, match=r"is not a run folder: config.yaml is missing"):
        RunFolder.open(tmp_path)
    with pytest.raises(GradganError, match="is not there"):
        RunFolder.open(tmp_path / "nowhere")


# ---- run.json -------------------------------------------------------------------------------------------------------


def test_update_keeps_the_rest_and_reads_back(run):
    run.update_info(results={"reverse_kl": math.inf, "modes": 8.0}, data={"name": "inf", "event": (1, 8, 8)})
    run.update_info(status="finished")
    info = run.info()
    assert info["results"] == {"reverse_kl": math.inf, "modes": 8.0}
    assert info["data"] == {"name": "inf", "event": [1, 8, 8]}
    assert info["status"] == "finished"
    assert [p.name for p in run.path.glob(".*.part")] == []


def test_broken_info_is_told(run):
    (run.path / "run.json").write_text('{"gradgan": ')
    with pytest.raises(GradganError, match=r"run.json is not JSON"):
        run.info()


# ---- the log --------------------------------------------------------------------------------------------------------


def test_log_reads_back_exactly(run):
    numbers = {"critic/loss": 0.1 + 0.2, "a": math.nan, "b": math.inf, "c": -math.inf, "modes": 3}
    run.log(100, 1.25, numbers)
    (entry,) = run.entries()
    assert (entry.step, entry.seconds) == (100, 1.25)
    assert entry.numbers["critic/loss"] == 0.1 + 0.2
    assert math.isnan(entry.numbers["a"])
    assert (entry.numbers["b"], entry.numbers["c"], entry.numbers["modes"]) == (math.inf, -math.inf, 3.0)


def test_log_is_valid_json_for_any_reader(run):
    def refuse(word):
        raise AssertionError(f"not JSON: {word}")

    run.log(1, 0.0, {"x": math.nan, "y": -math.inf})
    line = json.loads((run.path / "log.jsonl").read_text(), parse_constant=refuse)
    assert line == {"step": 1, "seconds": 0.0, "numbers": {"x": "nan", "y": "-inf"}}


def test_each_line_is_on_disk_at_once(run):
    run.log(1, 0.0, {"x": 1.0})
    assert RunFolder.open(run.path).entries() == [LogEntry(1, 0.0, {"x": 1.0})]


def test_a_line_cut_in_writing_is_ignored_and_written_over(run):
    run.log(1, 0.1, {"x": 1.0})
    run.close()
    with (run.path / "log.jsonl").open("a") as file:
        file.write('{"step": 2, "seco')
    assert [e.step for e in run.entries()] == [1]
    with RunFolder.create(run.path, config_yaml=CONFIG, resume=True) as again:
        again.log(2, 0.2, {"x": 2.0})
    assert [e.step for e in run.entries()] == [1, 2]


@pytest.mark.parametrize("line", ["{", "[]", '{"step": 2}', '{"step": 2, "seconds": 0, "numbers": {"x": "much"}}', ""])
def test_any_other_broken_line_is_told_by_number(run, line):
    good = '{"step": 1, "seconds": 0.0, "numbers": {}}\n'
    (run.path / "log.jsonl").write_text(good + line + "\n" + good)
    with pytest.raises(GradganError, match=r"log.jsonl, line 2 is broken") as caught:
        run.entries()
    one_line(caught)


def test_rewind_forgets_what_came_later(run):
    for step in range(1, 6):
        run.log(step, step / 10, {"x": float(step)})
        run.save_grid(step, np.zeros((2, 2), np.uint8))
    run.rewind(3)
    assert [e.step for e in run.entries()] == [1, 2, 3]
    assert [step for step, _ in run.grids()] == [1, 2, 3]
    run.log(4, 0.45, {"x": -4.0})
    assert run.entries()[-1] == LogEntry(4, 0.45, {"x": -4.0})
    run.close()
    reader = tensorboard(run)
    assert [(s.step, s.value) for s in reader.Scalars("x")] == [(1, 1.0), (2, 2.0), (3, 3.0), (4, -4.0)]
    assert [i.step for i in reader.Images("samples")] == [1, 2, 3]


# ---- TensorBoard ----------------------------------------------------------------------------------------------------


def test_tensorboard_reads_scalars_and_images(run):
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    run.log(10, 1.0, {"critic/loss": 0.5, "bad": math.nan, "huge": 1e300})
    run.log(20, 2.0, {"critic/loss": 0.25})
    run.save_grid(20, image)
    run.close()
    reader = tensorboard(run)
    assert [(s.step, s.value) for s in reader.Scalars("critic/loss")] == [(10, 0.5), (20, 0.25)]
    assert math.isnan(reader.Scalars("bad")[0].value)
    assert reader.Scalars("huge")[0].value == math.inf
    (shown,) = reader.Images("samples")
    assert (shown.step, shown.width, shown.height) == (20, 7, 5)
    assert shown.encoded_image_string == png_bytes(image)


def test_writing_loads_neither_torch_nor_tensorflow(tmp_path):
    code = (
        "import sys; import numpy as np; from gradgan.core.record import RunFolder\n"
        f"run = RunFolder.create({str(tmp_path / 'run')!r}, config_yaml='a: 1')\n"
        "run.log(1, 0.1, {'x': 1.0}); run.save_grid(1, np.zeros((2, 2), np.uint8)); run.close()\n"
        "print([m for m in ('torch', 'tensorflow', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- pictures and checkpoints ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (4, 9, 3)])
def test_png_holds_the_very_pixels(run, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    path = run.save_grid(7, image)
    assert path == run.path / "samples" / "step_00000007.png"
    with Image.open(path) as read:
        assert np.array_equal(np.asarray(read), image)


@pytest.mark.parametrize("image", [np.zeros((2, 2)), np.zeros((2, 2, 4), np.uint8), np.zeros((0, 2), np.uint8)])
def test_other_pictures_are_refused(run, image):
    with pytest.raises(GradganError, match="a picture must be uint8"):
        run.save_grid(1, image)
    assert run.grids() == []


def test_grids_and_checkpoints_are_listed_by_step(run):
    for step in (200, 5, 123_456_789):
        run.save_grid(step, np.zeros((1, 1), np.uint8))
        run.checkpoint_path(step).write_bytes(b"")
    (run.path / "samples" / "step_last.png").write_bytes(b"")
    (run.path / "checkpoints" / "step_00000300.safetensors.part").write_bytes(b"")
    assert [step for step, _ in run.grids()] == [5, 200, 123_456_789]
    assert [step for step, _ in run.checkpoints()] == [5, 200, 123_456_789]
    assert run.checkpoints()[0][1] == run.path / "checkpoints" / "step_00000005.safetensors"


def test_a_full_disk_is_told_in_one_line(run, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(GradganError, match=r"step_00000001.png: No space left on device") as caught:
        run.save_grid(1, np.zeros((1, 1), np.uint8))
    one_line(caught)

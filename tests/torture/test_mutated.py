"""What is damaged at random is taken or refused with the one error; the script beside this file tries many more."""

import random
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutated_inputs import BOMB, KINDS, attempt, sound_inputs

from gradgan.core.errors import GradganError
from gradgan.core.plain_yaml import LONGEST, read_yaml
from gradgan.core.record import RunFolder
from gradgan.experiment.presets import ring
from gradgan.experiment.reading import from_yaml, override, read_config


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mutated")
    return folder, sound_inputs(folder)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(chance=st.randoms(use_true_random=False))
def test_damaged_input_is_taken_or_refused(place, kind, chance: random.Random):
    folder, sound = place
    assert attempt(kind, folder, chance, sound) in ("taken", "refused")


def test_a_bomb_of_aliases_is_refused_in_no_memory():
    tracemalloc.start()
    try:
        with pytest.raises(GradganError, match="more than 10000 values"):
            from_yaml(BOMB, source="bomb")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [*a]", "nested deeper than 30"),
        ("a: " + "[" * 400 + "]" * 400, "not YAML|nested deeper"),
        ("steps: " + "9" * 50, "more than 64 bits"),
        ("steps: 0x" + "f" * 5000, "more than 64 bits"),
        ("x" * (LONGEST + 1), "longer than"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: !!bool maybe", "not YAML"),
    ],
)
def test_yaml_that_is_no_config_is_refused(text, message):
    with pytest.raises(GradganError, match=message) as caught:
        read_yaml(text, source="it")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_aliases_within_reason_are_read():
    assert read_yaml("a: &x {n: 1}\nb: *x", source="it") == {"a": {"n": 1}, "b": {"n": 1}}


def test_a_config_without_end_is_not_read_whole():
    with pytest.raises(GradganError, match=r"longer than|not text"):
        read_config("/dev/zero")


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "", "a/b", "a\nb", ".."])
def test_a_preset_cannot_lead_out_of_the_runs(name):
    with pytest.raises(GradganError, match="plain name") as caught:
        from_yaml(f"preset: {name!r}", source="it") if "\n" not in name else override(ring(), [f'preset="{name}"'])
    assert "\n" not in str(caught.value)


def test_a_log_of_numbers_beyond_all_bounds_is_told(tmp_path):
    with RunFolder.create(tmp_path / "run", config_yaml="a: 1") as run:
        for step in ("1" + "0" * 400, "-1", "9" * 30, "[" * 5000):
            (run.path / "log.jsonl").write_text(f'{{"step": {step}, "seconds": 0, "numbers": {{}}}}\n')
            with pytest.raises(GradganError, match="line 1 is broken"):
                run.entries()

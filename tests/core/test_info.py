"""A damaged run.json is told in a few words, whatever is wrong with it."""

import copy

import pytest

from gradgan.core.info import misfit

SOUND = {
    "status": "finished",
    "results": {"modes": 8.0, "reverse_kl": "nan"},
    "patience": 6,
    "rollbacks": [
        {"illness": "divergence", "since": 40, "left": 60, "to": 32, "rates": {"critic": 0.5}, "weights": {}}
    ],
}


def test_a_sound_one_passes() -> None:
    assert misfit(SOUND) == ""
    assert misfit({}) == ""


@pytest.mark.parametrize("name", ["illness", "since", "left", "to", "rates", "weights"])
@pytest.mark.parametrize("value", [None, [], "x", {"a": "b"}, True])
def test_a_damaged_rollback_is_told(name: str, value: object) -> None:
    if name == "illness" and value == "x":
        pytest.skip("an illness is a text")
    damaged = copy.deepcopy(SOUND)
    damaged["rollbacks"][0][name] = value
    assert "rollbacks" in misfit(damaged)
    del damaged["rollbacks"][0][name]
    assert "rollbacks" in misfit(damaged)


@pytest.mark.parametrize("value", [None, "6", 6.5, [], True])
def test_a_damaged_patience_is_told(value: object) -> None:
    assert "patience" in misfit(SOUND | {"patience": value})


@pytest.mark.parametrize("value", [None, "x", {}, [1], [None]])
def test_rollbacks_of_another_kind_are_told(value: object) -> None:
    assert "rollbacks" in misfit(SOUND | {"rollbacks": value})

"""Every logged number has a unit and a sentence; a name that nobody knows is refused."""

import pytest

from gradgan.core.errors import GradganError
from gradgan.core.glossary import NUMBERS, PLAYERS, describe


@pytest.mark.parametrize("name", [*NUMBERS, *(f"lr/{p}" for p in PLAYERS), *(f"{p}/gradient_norm" for p in PLAYERS)])
def test_every_number_says_something(name):
    number = describe(name)
    assert number.unit
    assert number.sentence.endswith(".")
    assert number.sentence[0].isupper()


def test_a_penalty_is_described_by_its_own_line():
    number = describe("generator/atgp", penalties={"atgp": ("probability²/latent²", "ATGP: slope along the latent.")})
    assert number.unit == "probability²/latent²"
    assert number.sentence == "ATGP: slope along the latent. Mean over the batch, before its weight."


@pytest.mark.parametrize("name", ["critic/r1", "lr/cat", "cat/loss", "critic", "", "critic/"])
def test_unknown_names_are_refused(name):
    with pytest.raises(GradganError, match="unknown number"):
        describe(name)


def test_a_slip_is_answered_with_the_nearest_name():
    with pytest.raises(GradganError, match="Perhaps you meant 'critic/loss'"):
        describe("critic/los")

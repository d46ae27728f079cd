"""Weights of other code, converted: the price that lands on the critic is the same."""

import pytest
import torch

from gradgan.core.errors import GradganError
from gradgan.penalties import r1, r1_weight

CHARGED_FOR_TEN = {"stylegan3": 5, "r3gan": 5, "studiogan": 5, "gan_stability": 10, "lightweight_gan": 1.25}


@pytest.mark.parametrize(("code", "factor"), CHARGED_FOR_TEN.items())
def test_the_price_of_a_nominal_ten(code, factor):
    slope = torch.tensor([[0.3, -0.4]])
    paid = r1_weight(10, of=code) * r1(lambda x: x @ slope[0], torch.randn(7, 2)).mean()
    torch.testing.assert_close(paid, torch.tensor(factor * 0.25))


def test_unknown_code_and_bad_values_are_refused():
    with pytest.raises(GradganError, match="stylegan3"):
        r1_weight(1, of="stylegan")
    with pytest.raises(GradganError, match="must be finite"):
        r1_weight(float("inf"), of="paper")

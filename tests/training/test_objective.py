"""Terms and players: what is paid when, and what is refused."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradgan import penalties
from gradgan.core.checks import GradganError
from gradgan.core.scene import Scene
from gradgan.testing import check_term
from gradgan.training.objective import Player, Term
from gradgan.training.schedules import Schedule

schedules = st.builds(
    Schedule, shape=st.sampled_from(["constant", "linear", "cosine"]), final=st.floats(0, 1), warmup=st.floats(0, 0.5)
)


@given(st.floats(0, 1e6), st.integers(1, 64), schedules)
def test_lazy_payment_is_the_same_on_average(weight: float, every: int, schedule: Schedule) -> None:
    check_term(Term(penalties.r1, weight=weight, every=every, schedule=schedule))


def test_a_term_is_due_at_the_first_step_and_on_each_k_th() -> None:
    assert [step for step in range(10) if Term(penalties.r1, every=4).due(step)] == [0, 4, 8]


def test_a_term_of_weight_0_is_never_due() -> None:
    # So it costs no gradient either.
    assert not any(Term(penalties.r1, weight=0.0).due(step) for step in range(5))


def test_factor_is_weight_times_every_times_schedule() -> None:
    term = Term(penalties.r1, weight=3.0, every=4, schedule=Schedule("linear"))
    assert [term.factor(t) for t in (0.0, 0.5, 1.0)] == pytest.approx([12.0, 6.0, 0.0])


def test_payers_are_the_penaltys_unless_told_otherwise() -> None:
    assert Term(penalties.atgp).payers == ("critic", "generator")
    assert Term(penalties.atgp, payers=("generator",)).payers == ("generator",)
    assert Term(penalties.r1).name == "r1"


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), -float("inf")])
def test_bad_weights_are_refused_with_the_way_out(weight: float) -> None:
    with pytest.raises(
        GradganError, match=rf"penalty 'r1': weight must be finite and >= 0, got {weight}.*leave it out"
    ):
        Term(penalties.r1, weight=weight)


@pytest.mark.parametrize("given", ["r1", None, penalties.PENALTIES["r1"]], ids=["name", "nothing", "entry"])
def test_a_term_of_no_penalty_is_refused_with_the_way_out(given: object) -> None:
    with pytest.raises(GradganError, match=r"Term wants a penalty, such as penalties\.r1, got ('r1'|None|Entry)\. By"):
        inspect.unwrap(Term.__post_init__)(bare(penalty=given, weight=1.0))


def test_a_weight_in_words_is_refused() -> None:
    with pytest.raises(GradganError, match=r"penalty 'r1': weight must be a number, got '10'"):
        inspect.unwrap(Term.__post_init__)(bare(penalty=penalties.r1, weight="10"))


def bare(**fields: object) -> Term:
    """A term that was not checked yet: the suite's type checks would answer before the term does."""
    term = object.__new__(Term)
    for name, value in fields.items():
        object.__setattr__(term, name, value)
    return term


@pytest.mark.parametrize("every", [0, -4, True])
def test_bad_intervals_are_refused_with_an_example(every: int) -> None:
    with pytest.raises(GradganError, match=rf"every must be a whole number >= 1, got {every}.*every=16"):
        Term(penalties.r1, every=every)


def test_a_player_is_a_name_a_loss_and_terms() -> None:
    player = Player("critic", Scene.critic_loss, (Term(penalties.r1),))
    assert (player.steps, player.clip_weights, player.clip_gradient) == (1, None, None)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"steps": 0}, "player 'critic': steps must be >= 1, got 0"),
        ({"clip_weights": 0.0}, r"critic\.clip_weights must be > 0, got 0"),
        ({"clip_weights": -0.01}, r"critic\.clip_weights must be finite >= 0, got -0.01"),
        ({"clip_gradient": float("nan")}, r"critic\.clip_gradient must be finite"),
    ],
)
def test_bad_players_are_refused(parts: dict, message: str) -> None:
    with pytest.raises(GradganError, match=message):
        Player("critic", Scene.critic_loss, **parts)

"""critic_backward behaves like loss.backward(): it adds, it leaves the rest alone, it refuses what cannot be."""

import inspect

import pytest
import torch
import torch.nn.functional as fn
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gradgan import losses, penalties
from gradgan.core.checks import GradganError
from gradgan.core.rng import isolated
from gradgan.engine import critic_backward, sweep
from gradgan.penalties import InputGradientPenalty
from gradgan.penalties.profile import half_squared_norm
from gradgan.training.objective import Schedule, Term

from .critics import Case, error, grads

ENGINES = ("sweep", "double_backward", "usual")
NAMES = ("leaky_relu", "strided conv", "leaky_relu")
AT_TWO = InputGradientPenalty("two", lambda real, fake, rng: real[:2], half_squared_norm)
AT_BOTH = InputGradientPenalty("both", lambda real, fake, rng: torch.cat([real, fake]), half_squared_norm)


def small(**options: object) -> Case:
    return Case(2, NAMES, "flatten", **options)


@pytest.mark.parametrize("engine", ENGINES)
def test_it_adds_to_grad(engine: str) -> None:
    case = small()
    _, once = case.gradient(engine)
    case.gradient(engine)
    critic_backward(case.critic, case.real, case.fake, loss=case.loss, terms=case.terms, engine=engine)
    torch.testing.assert_close(grads(case.critic), 2 * once)


@pytest.mark.parametrize("engine", ENGINES)
def test_micro_batches_add_up_to_the_batch(engine: str) -> None:
    case = small(n=4, loss=losses.non_saturating)
    _, whole = case.gradient(engine)
    case.critic.zero_grad()
    for part in (slice(0, 2), slice(2, 4)):
        critic_backward(case.critic, case.real[part], case.fake[part], loss=case.loss, terms=case.terms, engine=engine)
    assert error(grads(case.critic) / 2, whole) < 1e-12


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_laziness_and_schedules_multiply(engine: str) -> None:
    case = small(terms=())
    _, bare = case.gradient(engine)
    case.terms = [Term(penalties.r1, 1.0)]
    _, once = case.gradient(engine)
    case.terms = [Term(penalties.r1, 1.5, every=4, schedule=Schedule("linear"))]
    case.step = 3
    assert error(case.gradient(engine)[1], bare) < 1e-12, "not due"
    parts = critic_backward(case.critic, case.real, case.fake, loss=case.loss, terms=case.terms, step=4, progress=0.5,
                            engine=engine)  # fmt: skip
    paid = grads(case.critic) - bare - bare
    assert error(paid, 3 * (once - bare)) < 1e-12
    assert parts.penalties.keys() == {"r1"}


@pytest.mark.parametrize("engine", ENGINES)
def test_parts_are_detached_and_true(engine: str) -> None:
    case = small(terms=("r1", "wgan_gp"))
    parts, _ = case.gradient(engine)
    rng = torch.Generator().manual_seed(7)
    real, fake = case.critic(case.real).squeeze(1), case.critic(case.fake).squeeze(1)
    torch.testing.assert_close(parts.loss, case.loss.critic(real, fake).mean().detach())
    torch.testing.assert_close(parts.fake_scores, fake.detach())
    for name, penalty in (("r1", penalties.r1), ("wgan_gp", penalties.wgan_gp)):
        values = penalty(case.critic, case.real, case.fake, rng=rng).detach()
        torch.testing.assert_close(parts.penalties[name], values.mean())
    torch.testing.assert_close(parts.slopes["r1"].square().mean() / 2, parts.penalties["r1"])
    numbers = [parts.loss, parts.real_scores, parts.fake_scores, *parts.penalties.values(), *parts.slopes.values()]
    assert not any(number.requires_grad for number in numbers)
    assert parts.engine == engine


@pytest.mark.parametrize("engine", ENGINES)
def test_the_caller_is_left_alone(engine: str) -> None:
    case = small(terms=("r1", "dragan"))
    case.critic.train()
    real, fake, before = case.real.clone(), case.fake.clone(), torch.get_rng_state()
    with torch.no_grad():
        case.gradient(engine)
        assert not torch.is_grad_enabled()
    assert torch.equal(case.real, real) and torch.equal(case.fake, fake)
    assert not case.real.requires_grad and case.real.grad is None
    assert torch.equal(torch.get_rng_state(), before)
    assert all(module.training for module in case.critic.modules())
    assert not any(module._forward_hooks for module in case.critic.modules())


def test_fake_counts_as_constant() -> None:
    case = small()
    z = torch.randn_like(case.fake).requires_grad_()
    case.fake = 2 * z
    for engine in ENGINES:
        case.gradient(engine)
    assert z.grad is None


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_generator_gives_the_same_bits(engine: str) -> None:
    case = small(terms=("r1", "dragan", "wgan_gp"), dtype=torch.float32)
    (first, a), (second, b) = case.gradient(engine), case.gradient(engine)
    assert torch.equal(a, b)
    assert torch.equal(first.penalties["dragan"], second.penalties["dragan"])
    again = small(terms=("r1", "dragan", "wgan_gp"), dtype=torch.float32)
    assert torch.equal(a, again.gradient(engine)[1]), "a fresh critic's first step is its second"


def test_dropout_draws_the_same_at_a_first_and_a_later_look() -> None:
    case = small(dtype=torch.float32)
    case.critic.body.append(nn.Dropout(0.5))
    case.critic.train()
    drawn = []
    for _ in range(2):
        torch.manual_seed(5)
        drawn.append((*case.gradient("sweep"), torch.get_rng_state()))
    assert torch.equal(drawn[0][1], drawn[1][1])
    assert torch.equal(drawn[0][2], drawn[1][2])


@pytest.mark.parametrize("engine", ENGINES)
def test_frozen_parameters_are_untouched_and_hooks_fire_once(engine: str) -> None:
    case = small()
    first, last = case.critic.body[0], case.critic.last
    first.requires_grad_(False)
    fired: list[str] = []
    last.weight.register_hook(lambda g: fired.append("tensor"))
    last.weight.register_post_accumulate_grad_hook(lambda p: fired.append("accumulated"))
    case.gradient(engine)
    assert first.weight.grad is None and first.bias.grad is None
    assert last.weight.grad is not None
    assert fired == ["tensor", "accumulated"]


def test_a_hook_on_a_parameter_changes_its_gradient() -> None:
    case = small()
    _, plain = case.gradient("sweep")
    for p in case.critic.parameters():
        p.register_hook(lambda g: 3 * g)
    assert error(case.gradient("sweep")[1], 3 * plain) < 1e-12


def test_spectral_norm_takes_one_power_iteration_a_step_and_agrees() -> None:
    made = []
    for engine in ENGINES:
        case = small()
        with isolated(0, "vectors"):
            spectral_norm(case.critic.body[0])
        case.critic.train()
        steps = [case.gradient(engine)[1] for _ in range(3)]
        made.append((steps[-1], case.critic.body[0].parametrizations.weight[0]._u.clone()))
    for gradient, u in made:
        assert error(gradient, made[0][0]) < 1e-12
        torch.testing.assert_close(u, made[0][1])


def test_a_critic_may_be_any_callable() -> None:
    case = small()
    _, wanted = case.gradient("sweep")
    case.critic.zero_grad()
    parts = critic_backward(lambda x: case.critic(x), case.real, case.fake, loss=case.loss, terms=case.terms)
    assert parts.engine == "sweep"
    assert error(grads(case.critic), wanted) < 1e-14


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("terms", [(AT_TWO,), (AT_BOTH,), (penalties.r1, AT_BOTH), (AT_BOTH, AT_TWO, penalties.r2)],
                         ids=lambda terms: " ".join(term.name for term in terms))  # fmt: skip
def test_a_penalty_may_look_at_any_number_of_points(engine: str, terms: tuple[InputGradientPenalty, ...]) -> None:
    case = small(n=4)
    case.terms = [Term(penalty, 2.0 + place) for place, penalty in enumerate(terms)]
    parts, got = case.gradient(engine)
    case.critic.zero_grad()
    scores = [case.critic(x).squeeze(1) for x in (case.real, case.fake)]
    values = {penalty.name: inspect.unwrap(type(penalty).__call__)(penalty, case.critic, case.real, case.fake)
              for penalty in terms}  # fmt: skip
    paid = sum((2.0 + place) * value.mean() for place, value in enumerate(values.values()))
    (case.loss.critic(*scores).mean() + paid).backward()
    assert error(got, grads(case.critic)) < 1e-12
    for name, value in values.items():
        torch.testing.assert_close(parts.slopes[name].square() / 2, value.detach())


@pytest.mark.parametrize("engine", ENGINES)
def test_labels_may_be_codes(engine: str) -> None:
    class Projecting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.classes = nn.Linear(3, 4), nn.Linear(5, 4, bias=False)

        def forward(self, x: Tensor, codes: Tensor) -> Tensor:
            return (fn.relu(self.body(x)) * self.classes(codes)).sum(1)

    torch.manual_seed(0)
    case = Case(0, (), "sum", n=4)
    case.critic, case.labels = Projecting().double(), torch.eye(5, dtype=torch.float64)[[0, 3, 3, 1]]
    case.terms = [Term(penalties.r1), Term(AT_BOTH, 2.0)]
    (_, got), (_, wanted) = case.gradient(engine), case.gradient("usual")
    assert error(got, wanted) < 1e-12
    case.labels = case.labels.flip(0)
    assert error(case.gradient(engine)[1], wanted) > 1e-3


class Learned(nn.Module):
    """A temperature of the loss, a multiplier of the penalties, and a number that both share."""

    def __init__(self) -> None:
        super().__init__()
        self.temperature, self.multiplier, self.shared = (nn.Parameter(torch.rand(()).double()) for _ in range(3))

    def loss_and_terms(self, critic: nn.Module) -> tuple[losses.Loss, list[Term]]:
        both = self.shared.exp()  # one graph that two values hang on
        loss = losses.Loss("warm", critic_formula=lambda r, f: fn.softplus((f - r) * self.temperature) + both,
                           generator_formula=lambda r, f: -f)  # fmt: skip
        profiles = {
            "multiplied": lambda g: self.multiplier * half_squared_norm(g) + both,
            "decayed": lambda g: half_squared_norm(g) + critic.last.bias.square().sum(),
        }
        points = {"multiplied": penalties.r1.points, "decayed": penalties.r2.points}
        return loss, [Term(InputGradientPenalty(name, points[name], profiles[name]), 2.0) for name in profiles]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("share", [True, False])
def test_numbers_learned_within_loss_and_penalty_get_their_gradient(
    engine: str, share: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not share:
        monkeypatch.setattr(sweep, "_SHARE_UP_TO", 0)
    torch.manual_seed(0)
    case, learned = small(n=4), Learned()
    found = []
    for way in (engine, "usual"):
        learned.zero_grad()
        case.loss, case.terms = learned.loss_and_terms(case.critic)
        gradient = case.gradient(way)[1]
        found.append(torch.cat([gradient, grads(learned)]))
    assert error(*found) < 1e-12
    assert grads(learned).abs().min() > 1e-3


def test_the_compiled_way_refuses_learned_numbers_that_it_would_leave_out() -> None:
    case, learned = small(), Learned()
    loss, terms = learned.loss_and_terms(case.critic)
    for change, name in (
        ({"loss": loss, "terms": case.terms}, "the loss"),
        ({"loss": case.loss, "terms": terms}, "multiplied"),
    ):
        with pytest.raises(GradganError, match=f"{name} has a learned number"):
            critic_backward(case.critic, case.real, case.fake, **change, engine="compiled")


def test_channels_last_and_sliced_batches() -> None:
    case = small(n=4)
    _, wanted = case.gradient("usual")
    case.critic.to(memory_format=torch.channels_last)
    case.real = case.real.to(memory_format=torch.channels_last)
    case.fake = torch.stack([case.fake, case.fake], -1)[..., 0]
    assert error(case.gradient("sweep")[1], wanted) < 1e-12


def test_bfloat16_by_autocast_keeps_float32_gradients_and_numbers() -> None:
    case = Case(2, (*NAMES, "residual", "average pool", "prelu"), "projection", n=8, size=8, dtype=torch.float32,
                terms=("r1", "wgan_gp"))  # fmt: skip
    _, wanted = case.gradient("usual")
    with torch.autocast("cpu", torch.bfloat16):
        (swept, a), (_, b) = case.gradient("sweep"), case.gradient("double_backward")
    assert a.dtype == swept.loss.dtype == swept.slopes["r1"].dtype == torch.float32
    assert error(a, wanted) < 1.5 * error(b, wanted) < 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"engine": "sweeep"}, "unknown engine 'sweeep'. Perhaps you meant 'sweep'"),
        ({"terms": [penalties.r1]}, "terms must be terms, got the penalty 'r1'. Write Term(penalties.r1, weight)."),
        ({"terms": ["r1"]}, "terms must be terms, got 'r1'. Write Term(penalties.r1, weight)."),
        ({"terms": Term(penalties.r1)}, "terms must be a list of terms, got Term. Write [Term(penalty, weight)]."),
        ({"terms": None}, "terms must be a list of terms, got None"),
        ({"loss": "relativistic"}, "got 'relativistic'. By name: losses.LOSSES.make(name)"),
        ({"loss": lambda real, fake: fake - real}, "such as losses.relativistic, got function."),
        ({"fake": None}, "fake must be a tensor (n, *event), got NoneType"),
        ({"fake": torch.zeros(3, 2, 5, 5, dtype=torch.float64)}, "real is torch.float32 on cpu and fake torch.float64"),
        ({"critic": lambda x: x.flatten(1).sum(1) * 1j}, "returned torch.complex64 scores, wanted floating point"),
        ({"terms": [Term(penalties.atgp)]}, "'atgp' is not a penalty on the score's gradient by its sample"),
        ({"terms": [Term(penalties.r1), Term(penalties.r1)]}, "two terms are called 'r1'"),
        ({"critic": nn.Sequential(nn.Flatten(), nn.Linear(50, 2))}, "one score per sample"),
        ({"critic": nn.Flatten()}, "no parameter of the critic requires a gradient"),
        ({"critic": nn.Sequential(nn.Flatten(), nn.Linear(50, 1), nn.Tanh()), "engine": "sweep"}, "critic.2 (Tanh)"),
        *[
            ({"labels": torch.zeros(shape, dtype=torch.long)}, f"labels must be (3,), got {shape}.")
            for shape in ((1,), (6,), (2,), (0,), (1, 3))
        ],
        ({"labels": torch.zeros(3).long(), "terms": [Term(AT_TWO)]}, "2 points, which 3 labels do not fit"),
        (
            {"terms": [Term(InputGradientPenalty("flat", lambda r, f, g: r.flatten(1), half_squared_norm))]},
            "flat: its points have shape (3, 50), wanted (m, 2, 5, 5)",
        ),
        ({"critic": nn.Sequential(nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(50, 1))}, "it mixes samples"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused(change: dict, message: str) -> None:
    case = small(dtype=torch.float32)
    given = {"critic": case.critic, "fake": case.fake, "loss": case.loss, "terms": case.terms, "engine": "auto"}
    with pytest.raises(GradganError) as refusal:
        # Unwrapped, for the suite's type checks would refuse some of it before the door does.
        inspect.unwrap(critic_backward)(real=case.real, **(given | change))
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_scores_without_a_graph_are_refused(engine: str) -> None:
    case = small(dtype=torch.float32)
    cut = torch.no_grad()(lambda x: case.critic(x))
    for terms in ((), case.terms):
        with pytest.raises(
            GradganError, match=r"carry no graph|whose graph does not hold|do not depend on the samples"
        ):
            critic_backward(cut, case.real, case.fake, loss=case.loss, terms=terms, engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_inference_mode_is_refused_and_so_is_a_fake_made_in_it(engine: str) -> None:
    case = small()
    with torch.inference_mode():
        fake = case.fake.clone()
        with pytest.raises(GradganError, match=r"critic_backward: called within torch\.inference_mode"):
            case.gradient(engine)
    with pytest.raises(GradganError, match=r"critic_backward: got fake made in torch\.inference_mode.*clone\(\)"):
        critic_backward(case.critic, case.real, fake, loss=case.loss, terms=case.terms, engine=engine)


def test_batch_norm_behind_a_closure_is_refused_under_a_penalty() -> None:
    case = small(dtype=torch.float32)
    critic = nn.Sequential(nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(50, 1))
    for call in (
        lambda: critic_backward(lambda x: critic(x), case.real, case.fake, loss=case.loss, terms=case.terms),
        lambda: penalties.r1(lambda x: critic(x), case.real),
        lambda: penalties.approximate_r1(lambda x: critic(x), case.real),
    ):
        with pytest.raises(GradganError, match=r"critic\.0 is BatchNorm2d: it mixes samples"):
            call()
    critic_backward(lambda x: critic(x), case.real, case.fake, loss=case.loss)

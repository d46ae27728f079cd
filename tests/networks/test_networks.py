"""Every network at every size it claims: shapes, both directions, labels, copies; and critics can be penalised."""

import copy
from math import prod

import pytest
import torch
from torch import nn

from gradgan.core.checks import GradganError, separate_samples
from gradgan.core.gradients import input_gradient, squared_norm
from gradgan.networks import ACTIVATIONS, NETWORKS, activation
from gradgan.networks.activations import gain
from gradgan.networks.ladder import ladder

LATENT = 5
ROLES = {role: [name for name, entry in NETWORKS.items() if entry.facts["role"] == role]
         for role in ("generator", "critic", "encoder", "field")}  # fmt: skip
AT_SIZES = [(name, event) for name, entry in NETWORKS.items() for event in entry.facts["sizes"]]
LABELLED = [name for name, entry in NETWORKS.items() if "classes" in entry.options]


def made(name: str, event: tuple[int, ...] | None = None, **options) -> nn.Module:
    """A network with few channels."""
    entry = NETWORKS[name]
    given = {"event": event or entry.facts["sizes"][2], "latent": LATENT, "width": 4, **options}
    torch.manual_seed(0)
    return NETWORKS.make(name, **{key: value for key, value in given.items() if key in entry.options})


def batch(name: str, network: nn.Module, n: int = 3) -> torch.Tensor:
    shape = (LATENT,) if name in ROLES["generator"] else network.event
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("name", "event"), AT_SIZES)
def test_shapes_and_a_backward(name, event):
    network = made(name, event)
    x = batch(name, network).requires_grad_()
    out = network(x)
    wanted = {"critic": (3,), "encoder": (3, LATENT)}.get(NETWORKS[name].facts["role"], (3, *event))
    for part in out if isinstance(out, tuple) else (out,):
        assert part.shape == wanted and part.isfinite().all()
    total = sum(part.square().sum() for part in out) if isinstance(out, tuple) else out.square().sum()
    total.backward()
    assert x.grad is not None and x.grad.isfinite().all()
    # Eval mode for generators with batch normalisation is proved by the conformance suite; here none may be left out.
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("family", ["conv", "residual"])
@pytest.mark.parametrize("event", [(1, 8, 64), (2, 64, 8), (1, 9, 9), (3, 15, 16), (1, 31, 33), (4, 63, 63)])
def test_every_side_from_8_to_64(family, event):
    generator, critic = made(f"{family}_generator", event), made(f"{family}_critic", event)
    fake = generator(torch.randn(2, LATENT))
    assert fake.shape == (2, *event)
    assert critic(fake).shape == (2,)


@pytest.mark.parametrize("name", [name for name in NETWORKS if not name.startswith("mlp")])
def test_what_convolutions_do_not_serve(name):
    role = name.split("_")[1]
    with pytest.raises(GradganError, match=rf"{name} serves images .* got event \(2,\). Use mlp_{role}\."):
        made(name, (2,))
    for event in ((1, 7, 28), (1, 28, 65), (3, 128, 128)):
        with pytest.raises(GradganError, match=rf"8 to 64 pixels, got {event[1]} x {event[2]}.*mlp_{role}"):
            made(name, event)
    with pytest.raises(GradganError, match="width must be a whole number >= 1, got 0"):
        made(name, width=0)


@pytest.mark.parametrize("side", range(8, 65))
def test_ladders_end_at_a_base_of_about_four_pixels(side):
    rungs = ladder((1, side, side), 16, caller="conv_critic")
    assert 3 <= rungs.base[0] <= 6
    assert side <= rungs.base[0] * 2**rungs.steps < side + 2**rungs.steps, "no more padding than halving wants"


@pytest.mark.parametrize("event", [(), (0,), (1, -3)])
def test_what_is_no_event(event):
    for name in ("mlp_generator", "mlp_critic", "mlp_encoder", "mlp_field"):
        with pytest.raises(GradganError, match="event"):
            NETWORKS.make(name, event=event, **({"latent": 2} if "latent" in NETWORKS[name].options else {}))


def test_published_networks_of_system_1():
    generator = NETWORKS.make("mlp_generator", event=(1, 28, 28), latent=100)
    kinds = [nn.Linear, nn.LeakyReLU, nn.Linear, nn.LeakyReLU, nn.Linear]
    assert [type(layer) for layer in generator.body] == kinds and isinstance(generator.output, nn.Sigmoid)
    assert [layer.out_features for layer in generator.body[::2]] == [128, 256, 784]
    assert count(generator) == (100 + 1) * 128 + (128 + 1) * 256 + (256 + 1) * 784 == 247_440
    critic = NETWORKS.make("mlp_critic", event=(1, 28, 28))
    assert [layer.out_features for layer in [*critic.trunk[1::2], critic.head]] == [256, 128, 1]
    assert count(critic) == (784 + 1) * 256 + (256 + 1) * 128 + 128 + 1 == 233_985


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_linear_players_for_the_dirac_gan():
    critic = NETWORKS.make("mlp_critic", event=(1,), widths=())
    x = torch.tensor([[0.0], [1.0], [3.0]])
    assert count(critic) == 2
    torch.testing.assert_close(critic(x), critic.head.weight[0, 0] * x[:, 0] + critic.head.bias)
    generator = NETWORKS.make("mlp_generator", event=(1,), latent=1, widths=(), output="linear")
    assert count(generator) == 2 and generator(x).shape == (3, 1)


@pytest.mark.parametrize("name", ROLES["generator"])
@pytest.mark.parametrize(("output", "low", "high"), [("tanh", -1.0, 1.0), ("sigmoid", 0.0, 1.0)])
def test_outputs_fill_their_range(name, output, low, high):
    generator = made(name, output=output)
    fake = generator(1000 * torch.randn(20, LATENT))
    assert fake.min() < low + 0.1 and fake.max() > high - 0.1
    assert fake.min() >= low and fake.max() <= high
    plain, z = made(name, output="linear").eval(), torch.randn(3, LATENT)
    assert torch.equal(plain(z).flatten(1), plain.body(z).flatten(1))


# Critics


@pytest.mark.parametrize("name", ROLES["critic"])
@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("how", ACTIVATIONS)
def test_double_backward_with_every_activation(name, how, spectral_norm):
    critic = made(name, (1, 8, 8), activation=how, spectral_norm=spectral_norm).double()
    x = batch(name, critic).double()
    _, gradient = input_gradient(critic, x)
    assert squared_norm(gradient).min() > 0
    squared_norm(gradient).mean().backward()
    reached = [p.grad for p in critic.parameters() if p.grad is not None]
    assert reached and all(grad.isfinite().all() for grad in reached)
    assert any(grad.abs().max() > 0 for grad in reached)


@pytest.mark.parametrize("name", ROLES["critic"])
@pytest.mark.parametrize("classes", [0, 3])
def test_penalty_gradient_matches_finite_differences(name, classes):
    critic = made(name, (1, 8, 8), activation="softplus", classes=classes, width=2, widths=(3,)).double()
    x = batch(name, critic, 2).double()
    labels = (torch.tensor([2, 0]),) if classes else ()
    names = list(dict(critic.named_parameters()))

    def penalty(*weights):
        def judge(x):
            return torch.func.functional_call(critic, dict(zip(names, weights, strict=True)), (x, *labels))

        return squared_norm(input_gradient(judge, x)[1]).mean()

    weights = tuple(p.detach().requires_grad_() for p in critic.parameters())
    assert torch.autograd.gradcheck(penalty, weights, fast_mode=True)


@pytest.mark.parametrize("name", ROLES["critic"])
@pytest.mark.parametrize("classes", [0, 3])
def test_a_score_does_not_depend_on_its_neighbours(name, classes):
    critic = made(name, classes=classes).double()
    x = batch(name, critic, 4).double()
    labels = torch.tensor([0, 1, 2, 1])
    alone = [critic(x[i : i + 1], *((labels[i : i + 1],) if classes else ())) for i in range(4)]
    together = critic(x, *((labels,) if classes else ()))
    torch.testing.assert_close(torch.cat(alone), together, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ROLES["critic"])
def test_projection_critic_is_the_papers_formula(name):
    critic = made(name, classes=3)
    x, labels = batch(name, critic), torch.tensor([2, 0, 2])
    features = critic.features(x)
    assert features.ndim == 2
    wanted = critic.head(features)[:, 0] + torch.einsum("nk,nk->n", critic.embedding.weight[labels], features)
    torch.testing.assert_close(critic(x, labels), wanted)


@pytest.mark.parametrize("name", ROLES["critic"])
@pytest.mark.parametrize("classes", [0, 3])
def test_spectral_norm_bounds_every_matrix(name, classes):
    critic = made(name, spectral_norm=True, classes=classes)
    x, labels = batch(name, critic), ((torch.tensor([2, 0, 2]),) if classes else ())
    for _ in range(300):
        critic(x, *labels)
    critic.eval()
    layers = [m for m in critic.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.Embedding)]
    assert len(layers) > 2
    for layer in layers:
        norm = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item()
        assert norm == pytest.approx(1, abs=0.02), layer


@pytest.mark.parametrize("name", ROLES["critic"])
def test_channels_last_and_labels_in_32_bits(name):
    critic = made(name, (3, 8, 8), classes=3)
    x, labels = batch(name, critic), torch.tensor([2, 0, 2])
    same = critic(x.to(memory_format=torch.channels_last), labels.int())
    torch.testing.assert_close(same, critic(x, labels))


# Labels


@pytest.mark.parametrize("name", LABELLED)
def test_labels_matter_and_take_part_in_training(name):
    network = made(name, classes=3).eval()
    x = batch(name, network)
    one, other = network(x, torch.tensor([0, 1, 2])), network(x, torch.tensor([0, 2, 2]))
    pairs = zip(one, other, strict=True) if isinstance(one, tuple) else [(one, other)]
    for a, b in pairs:
        assert torch.equal(a[0], b[0]) and torch.equal(a[2], b[2]) and not torch.equal(a[1], b[1])
    (one if isinstance(one, torch.Tensor) else torch.cat(one)).sum().backward()
    assert network.embedding.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("name", LABELLED)
def test_labels_that_do_not_fit(name):
    plain, labelled = made(name), made(name, classes=3)
    x = batch(name, plain)
    fine = torch.tensor([0, 1, 2])
    with pytest.raises(GradganError, match="built without classes and called with labels"):
        plain(x, fine)
    with pytest.raises(GradganError, match="built for 3 classes and called without labels"):
        labelled(x)
    for wrong in (fine[:2], fine[:, None], fine.float(), fine.bool()):
        with pytest.raises(GradganError, match=r"labels must be whole numbers \(int64\) of shape \(3,\)"):
            labelled(x, wrong)
    for wrong in (fine + 1, fine - 1):
        with pytest.raises(GradganError, match=r"labels must lie in 0..2, got"):
            labelled(x, wrong)
    with pytest.raises(GradganError, match="classes must be a whole number >= 0, got -1"):
        made(name, classes=-1)


@pytest.mark.parametrize("name", NETWORKS)
def test_inputs_of_another_shape(name):
    network = made(name)
    with pytest.raises(GradganError, match=rf"{NETWORKS[name].facts['role']}: .* got \(3, 99\)"):
        network(torch.randn(3, 99))


@pytest.mark.parametrize("option", ["activation", "norm", "output"])
@pytest.mark.parametrize("name", NETWORKS)
def test_unknown_words(name, option):
    if option not in NETWORKS[name].options:
        with pytest.raises(GradganError, match="unknown option"):
            NETWORKS.make(name, **{option: "x"})
        return
    with pytest.raises(GradganError, match=f"unknown {option} 'tanhh'"):
        made(name, **{option: "tanhh"})


@pytest.mark.parametrize("name", [name for name, entry in NETWORKS.items() if "latent" in entry.options])
def test_latent_width_is_checked(name):
    with pytest.raises(GradganError, match="latent must be a whole number >= 1, got 0"):
        made(name, latent=0)


@pytest.mark.parametrize("norm", ["none", "layer"])
def test_a_generator_whose_norm_mixes_no_samples(norm):
    generator = made("conv_generator", (1, 8, 8), norm=norm).train()
    separate_samples(generator, caller="test", who="generator")
    z = torch.randn(3, LATENT)
    torch.testing.assert_close(generator(z)[:1], generator(z[:1]))


def test_batch_normalisation_mixes_samples_and_is_told():
    generator = made("conv_generator", (1, 8, 8), norm="batch").train()
    with pytest.raises(GradganError, match=r"generator\.norm=none"):
        separate_samples(generator, caller="test", who="generator")


# Copies and starts


@pytest.mark.parametrize("name", NETWORKS)
def test_deepcopy_and_state_dict(name):
    options = {"spectral_norm": True} if "spectral_norm" in NETWORKS[name].options else {}
    network = made(name, **options)
    x = batch(name, network)
    network(x)
    network.eval()
    copied = copy.deepcopy(network)
    torch.manual_seed(9)
    loaded = made(name, **options).eval()
    with torch.no_grad():
        for parameter in loaded.parameters():
            parameter.add_(1)
    loaded.load_state_dict(network.state_dict())
    for other in (copied, loaded):
        for a, b in zip(_flat(other(x)), _flat(network(x)), strict=True):
            assert torch.equal(a, b)
    with torch.no_grad():
        next(copied.parameters()).add_(1)
    assert not torch.equal(next(copied.parameters()), next(network.parameters()))


def _flat(out) -> tuple[torch.Tensor, ...]:
    return out if isinstance(out, tuple) else (out,)


# The fully connected ones keep PyTorch's own initialisation, as published.
@pytest.mark.parametrize("name", ["conv_critic", "conv_encoder", "residual_critic"])
@pytest.mark.parametrize("event", [(1, 8, 8), (3, 64, 64)])
def test_signals_keep_their_size_without_norms(name, event):
    network = made(name, event, width=16)
    features = network.trunk(torch.randn(16, *event))
    assert 0.2 < features.square().mean().sqrt() < 3


def test_leaky_relu_has_slope_a_fifth():
    assert activation("leaky_relu")(torch.tensor(-1.0)).item() == pytest.approx(-0.2)


@pytest.mark.parametrize("how", ACTIVATIONS)
def test_gain_keeps_the_mean_square(how):
    e = torch.randn(400_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert (gain(how) * activation(how)(e)).square().mean().item() == pytest.approx(1, rel=0.01)
    assert gain("relu") == pytest.approx(2**0.5, rel=1e-3)


def test_encoder_gives_mean_and_log_variance_of_their_own():
    encoder = made("mlp_encoder")
    mean, log_variance = encoder(batch("mlp_encoder", encoder))
    assert mean.shape == log_variance.shape == (3, LATENT) and not torch.equal(mean, log_variance)
    assert encoder.head.out_features == 2 * LATENT


def test_sizes_in_the_catalog_hold_odd_and_oblong_ones():
    sizes = NETWORKS["conv_critic"].facts["sizes"]
    assert any(event[1] != event[2] for event in sizes) and any(prod(event[1:]) % 2 or event[1] % 4 for event in sizes)
    assert (1, 28, 28) in sizes and (3, 64, 64) in sizes

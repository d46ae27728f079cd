"""The yardstick of `gradgan bench train`: the shortest loop by hand that trains as the preset `ring` does."""

from collections.abc import Callable

import torch
import torch.nn.functional as fn

from ..experiment import Experiment


def ring_by_hand(experiment: Experiment) -> Callable[[int], None]:
    """R3GAN on the experiment's networks, data, batch, weights and optimiser; the returned function plays k rounds.

    One forward for scores and slopes of both batches, as somebody would write it who knows the trick. Without logging,
    learning-rate schedule, checks and pictures; the generator's average is kept, because samples are drawn from it.
    """
    config, state = experiment.config, experiment.state
    critic, generator = state.networks["critic"], state.networks["generator"]
    optimise_critic, optimise_generator = state.optimisers["critic"], state.optimisers["generator"]
    data, batch, latent = experiment.dataset.scaled(slice(None)), config.batch, config.latent
    gamma = config.penalties["r1"].weight or 0.0
    learned: list[torch.Tensor] = list(generator.parameters())
    average = [p.detach().clone() for p in learned]

    def play(rounds: int) -> None:
        for _ in range(rounds):
            real = data[torch.randint(len(data), (batch,))]
            with torch.no_grad():
                fake = generator(torch.randn(batch, latent))
            x = torch.cat([real, fake]).requires_grad_()
            scores = critic(x)
            (slopes,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
            loss = fn.softplus(scores[batch:] - scores[:batch]).mean()
            loss = loss + gamma / 2 * slopes.square().sum() / batch
            optimise_critic.zero_grad()
            loss.backward()
            optimise_critic.step()

            with torch.no_grad():
                wanted = critic(real)
            loss = fn.softplus(wanted - critic(generator(torch.randn(batch, latent)))).mean()
            optimise_generator.zero_grad()
            loss.backward()
            optimise_generator.step()
            torch._foreach_lerp_(average, learned, 1 - config.ema)  # pyright: ignore[reportPrivateImportUsage]

    return play

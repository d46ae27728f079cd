"""The compiled step against the usual code, in a process of its own: the suite's type checks cannot be compiled."""

import functools

import torch
from torch import Tensor, nn

from gradgan import losses
from gradgan.engine import compiled, critic_backward
from gradgan.penalties import PENALTIES
from gradgan.training.objective import Term


class Critic(nn.Module):
    """Convolutions, one smooth and one kinked activation, labels; half of one layer is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 4, 2, 1)
        self.score, self.embedding = nn.Linear(64, 1), nn.Embedding(3, 64)
        self.first.bias.requires_grad_(False)  # type: ignore[union-attr]

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        h = nn.functional.silu(self.first(x))
        h = nn.functional.leaky_relu(self.second(h), 0.2).flatten(1)
        score = self.score(h).squeeze(1)
        return score if labels is None else score + (self.embedding(labels) * h).sum(1)


def gradient(
    engine: str, names: tuple[str, ...], labels: Tensor | None, critic: Critic
) -> tuple[list[Tensor | None], Tensor]:
    """The gradient of two steps one after the other, and the numbers of the second."""
    real, fake = torch.randn(2, 6, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    critic.zero_grad()
    terms = [Term(PENALTIES.make(name), 0.7) for name in names]
    parts = None
    for step in range(2):
        rng = torch.Generator().manual_seed(step)
        parts = critic_backward(critic, real, fake, loss=losses.relativistic, terms=terms, labels=labels, rng=rng,
                                step=step, progress=step / 2, engine=engine)  # type: ignore[arg-type]  # fmt: skip
    assert parts is not None and parts.engine == engine
    numbers = [parts.loss, *parts.penalties.values(), *(s.sum() for s in parts.slopes.values())]
    return [p.grad for p in critic.parameters()], torch.stack(numbers)


def main() -> None:
    """Every penalty's engine step with and without labels, to 1e-10 and in the parameters' layout."""
    compiled._compiled_step = functools.cache(  # without code generation, which is torch's own and slow
        lambda: torch.compile(torch.func.grad(compiled.step, has_aux=True), fullgraph=True, backend="aot_eager")
    )
    torch.manual_seed(0)
    critic = Critic().double().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    for names in (("r1", "r2"), ("wgan_gp", "r1"), ()):
        for labels in (None, torch.arange(6) % 3):
            ours, our_numbers = gradient("compiled", names, labels, critic)
            theirs, their_numbers = gradient("usual", names, labels, critic)
            torch.testing.assert_close(our_numbers, their_numbers, rtol=1e-10, atol=1e-12)
            for parameter, our, their in zip(critic.parameters(), ours, theirs, strict=True):
                assert (our is None) == (their is None) or not (our is None or our.any())
                if our is not None and their is not None:
                    torch.testing.assert_close(our, their, rtol=1e-10, atol=1e-12)
                    assert our.stride() == parameter.stride()
    print("equal")


if __name__ == "__main__":
    main()

"""Critics made of pieces, by hand or by Hypothesis, and how two ways to their gradient are compared."""

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from gradgan import losses, penalties
from gradgan.core.rng import isolated
from gradgan.engine import Parts, critic_backward
from gradgan.training.objective import Term

from .pieces import conv, pieces

HEADS = ("flatten", "sum", "mean of scores", "matrix product", "projection", "einsum")
TERMS = {
    "r1": lambda: Term(penalties.r1, 10.0),
    "r2": lambda: Term(penalties.r2, 3.0),
    "wgan_gp": lambda: Term(penalties.wgan_gp, 10.0),
    "wgan_lp": lambda: Term(penalties.wgan_lp, 10.0),
    "zero_gp": lambda: Term(penalties.zero_gp, 2.0),
    "dragan": lambda: Term(penalties.dragan, 10.0),
    "lazy r1": lambda: Term(penalties.r1, 1.0, every=4),
}
LOSSES = (losses.non_saturating, losses.hinge, losses.least_squares, losses.wasserstein, losses.relativistic,
          losses.relativistic_average)  # fmt: skip


class MadeCritic(nn.Module):
    """A first convolution, pieces, and a head; `classes` labels if its head projects."""

    def __init__(self, d: int, event: tuple[int, ...], names: tuple[str, ...], head: str, *, channels: int = 4) -> None:
        super().__init__()
        self.head = head
        body = [conv(d, event[0], channels)]
        x = body[0](torch.zeros(2, *event))
        for name in names:
            if d and min(x.shape[2:]) < 4:
                body.append(nn.Upsample(size=[4] * d))
                x = body[-1](x)
            body.append(pieces(d)[name](d, x.shape[1]))
            x = body[-1](x.clone())
        self.body = nn.Sequential(*body)
        width = x[0].numel() if head == "flatten" else x.shape[1]
        if head == "mean of scores":
            self.last = conv(d, width, 3 if d == 0 else 1)
        elif head in ("matrix product", "einsum"):
            self.last = nn.ParameterList([torch.randn(width)])
        else:
            self.last = nn.Linear(width, 1)
        self.labels = nn.Embedding(5, width) if head == "projection" else None

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.body(x)
        if self.head == "flatten":
            return self.last(h.flatten(1))
        if self.head == "mean of scores":
            return self.last(h).flatten(1).mean(1)
        h = h.flatten(2).sum(2) if h.ndim > 2 else h
        if self.head == "matrix product":
            return h @ self.last[0]
        if self.head == "einsum":
            return torch.einsum("nc,nc->n", h, self.last[0].expand_as(h))
        score = self.last(h).squeeze(1)
        return score if self.labels is None or y is None else score + (self.labels(y) * h).sum(1)


class Case:
    """A critic with batches, loss, terms and labels, made anew from a seed for each way."""

    def __init__(self, d: int, names: tuple[str, ...], head: str, *, n: int = 3, seed: int = 0, size: int = 5,
                 loss: losses.Loss = losses.relativistic, terms: tuple[str, ...] = ("r1", "r2"), step: int = 0,
                 zeros: bool = False, dtype: torch.dtype = torch.float64) -> None:  # fmt: skip
        event = (2, *[size] * d) if d else (3,)
        with isolated(seed, "critic"):
            self.critic = MadeCritic(d, event, names, head).to(dtype)
            self.critic.eval()  # spectral norm's vectors stand still: the reference evaluates them more often
            self.real, self.fake = torch.randn(2, n, *event, dtype=dtype)
            self.labels = torch.randint(5, (n,)) if head == "projection" else None
            if zeros:
                # Without biases the zero sample has a pre-activation of exactly 0 everywhere.
                for name, p in self.critic.named_parameters():
                    if name.endswith("bias"):
                        nn.init.zeros_(p)
                self.real[0] = 0
                self.fake[-1] = 0
        self.loss, self.terms, self.step = loss, [TERMS[t]() for t in terms], step

    def gradient(self, engine: str) -> tuple[Parts, Tensor]:
        """What the engine adds to `.grad`, all parameters in one vector."""
        for p in self.critic.parameters():
            p.grad = None
        parts = critic_backward(
            self.critic, self.real, self.fake, loss=self.loss, terms=self.terms, labels=self.labels, step=self.step,
            rng=torch.Generator().manual_seed(7), engine=engine,
        )  # fmt: skip
        return parts, grads(self.critic)


def grads(critic: nn.Module) -> Tensor:
    """All gradients in one vector, zeros where there is none."""
    return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in critic.parameters()])


def error(got: Tensor, wanted: Tensor) -> float:
    """The relative error of the whole gradient; where real and fake cancel to nothing, of one of size 0.1."""
    return float((got - wanted).norm() / wanted.norm().clamp(min=0.1))


@st.composite
def plans(draw: st.DrawFn) -> dict[str, object]:
    """What makes a random `Case`: pieces, batch, loss, terms, labels and step."""
    d = draw(st.integers(0, 3))
    return {
        "d": d,
        "names": tuple(draw(st.lists(st.sampled_from(sorted(pieces(d))), min_size=1, max_size=4 if d < 3 else 2))),
        "head": draw(st.sampled_from(HEADS)),
        "n": draw(st.integers(1, 4)),
        "seed": draw(st.integers(0, 2**16)),
        "size": draw(st.integers(4, 6)),
        "loss": draw(st.sampled_from(LOSSES)),
        "terms": tuple(draw(st.lists(st.sampled_from(sorted(TERMS)), max_size=3, unique_by=lambda t: t.split()[-1]))),
        "step": draw(st.integers(0, 4)),
        "zeros": draw(st.booleans()),
    }

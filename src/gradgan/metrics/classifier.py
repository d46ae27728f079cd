"""A small convolutional classifier of the data set itself: features, and the classes that it sees in samples."""

import hashlib
import math
from dataclasses import dataclass
from itertools import chain, repeat

import torch
import torch.nn.functional as fn
from torch import Tensor, nn

from ..core.checks import GradganError
from ..core.precision import fast_at_bfloat16
from ..core.rng import isolated
from .store import stored

_WIDTHS = (16, 32, 64)
_FEATURES = 128
_BATCH = 128
_EPOCHS, _LEAST, _MOST = 8, 50_000, 180_000
"""Eight epochs, but at least and at most so many pictures: 400 to 1400 updates."""
_RATE = 4e-3
_HASHED = 1024
"""So many pictures at once: a data set that is mapped from a file need not fit into memory."""
_RECIPE = f"2 {_WIDTHS} {_FEATURES} {_BATCH} {_EPOCHS} {_LEAST} {_MOST} {_RATE}"
"""Part of the cache's key; its first number counts up whenever anything else here changes what is learned."""


class Network(nn.Module):
    """Convolutions of 16, 32, 64 channels, and more of 64 until the side is below 8; 128 features; classes."""

    def __init__(self, event: tuple[int, ...], classes: int) -> None:
        """`event` (c, h, w), any size."""
        super().__init__()
        channels, side = event[0], min(event[1:])
        layers: list[nn.Module] = []
        for width in chain(_WIDTHS, repeat(_WIDTHS[-1])):
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
            if side >= 8:
                layers.append(nn.MaxPool2d(2))
                side //= 2
            elif len(layers) >= 3 * len(_WIDTHS):
                break
        # Pictures that are not square end in a square too.
        layers += [nn.AdaptiveAvgPool2d(side), nn.Flatten(), nn.Linear(channels * side**2, _FEATURES), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(_FEATURES, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes) of pictures in [0, 1]."""
        return self.head(self.body(x))


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained network as features and as a judge of classes; its numbers are of float32.

    `per_channel`: every channel is a picture of its own with a class of its own (Stacked MNIST); a sample's features
    are its channels' side by side, its class their classes read as the digits of one number.
    """

    network: Network
    classes: int
    per_channel: bool
    key: str
    """Of its weights; what is computed with it can be kept under it."""
    name: str = "classifier"

    def __call__(self, x: Tensor) -> Tensor:
        """Features (n, d) of pictures (n, c, h, w) in [0, 1]."""
        return self.look(x)[0]

    @torch.no_grad()
    def look(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, d), and the class that is seen in each picture, (n,)."""
        found = [self._look(part) for part in x.split(2 * _BATCH)]
        return torch.cat([features for features, _ in found]), torch.cat([classes for _, classes in found])

    def _look(self, x: Tensor) -> tuple[Tensor, Tensor]:
        pictures = x.flatten(0, 1)[:, None] if self.per_channel else x
        features = self.network.body(pictures.contiguous(memory_format=torch.channels_last))
        seen = self.network.head(features).argmax(1)
        if not self.per_channel:
            return features, seen
        places = self.classes ** torch.arange(x.shape[1] - 1, -1, -1, device=x.device)
        return features.reshape(len(x), -1), (seen.reshape(len(x), -1) * places).sum(1)


def trained_classifier(samples: Tensor, labels: Tensor, classes: int, *, among: Tensor | None = None) -> Classifier:
    """A classifier of images (n, c, h, w) uint8 with labels (n,), or (n, c) for a class in each channel.

    `among` (k,): indices of those to learn from; all where it is left out. It is learned once and kept in the cache
    under the content of the data and the recipe's version; whoever finds it there loads it. Raises GradganError for
    data of fewer than two classes.
    """
    among = torch.arange(len(samples)) if among is None else among
    if len(labels[among].unique()) < 2:
        raise GradganError("a classifier wants at least two classes among the labels; compare in pixels.")
    per_channel = labels.ndim == 2
    if per_channel:
        samples, labels = samples[among].flatten(0, 1)[:, None], labels[among].flatten()
        # A channel is a picture that occurs many times over: a tenth shows them all.
        among = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))[:_MOST]
    event = tuple(samples.shape[1:])
    with isolated(0, "init/classifier"):
        network = Network(event, classes)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def learn() -> dict[str, Tensor]:
        _learn(network, samples, labels, among)
        return {name: tensor.contiguous() for name, tensor in network.state_dict().items()}

    key = hashlib.sha256(f"{_RECIPE} {event} {classes}".encode())
    for part in (samples, labels):
        for some in among.split(_HASHED):
            key.update(part[some].numpy().data)
    network.load_state_dict(stored("classifiers", key.hexdigest(), learn))
    # Two machines may learn weights that differ in their last digits.
    own = hashlib.sha256()
    for tensor in network.state_dict().values():
        own.update(tensor.contiguous().numpy().data)
    return Classifier(network.eval().requires_grad_(False), classes, per_channel, own.hexdigest())


def _learn(network: nn.Module, samples: Tensor, labels: Tensor, among: Tensor) -> None:
    """AdamW on one cycle of the rate; each batch is shifted by up to a twelfth of its side."""
    updates = min(max(_EPOCHS * len(among), _LEAST), _MOST) // _BATCH
    rng = torch.Generator().manual_seed(0)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-2)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=updates)
    # Half precision pays where the products are large enough, on a processor with matrix units for it.
    half = math.prod(samples.shape[2:]) >= 256 and fast_at_bfloat16(torch.device("cpu"))
    network.train()
    for picked in _batches(len(among), updates, rng):
        chosen = among[picked]
        x = _shifted(samples[chosen].float() / 255, rng).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = network(x)
        optimiser.zero_grad()
        fn.cross_entropy(logits.float(), labels[chosen], label_smoothing=0.05).backward()
        optimiser.step()
        rate.step()


def _batches(n: int, updates: int, rng: torch.Generator) -> list[Tensor]:
    """So many batches of indices, epoch after epoch."""
    epochs = math.ceil(updates * _BATCH / n)
    order = torch.cat([torch.randperm(n, generator=rng) for _ in range(epochs)])
    return list(order[: updates * _BATCH].split(_BATCH))


def _shifted(x: Tensor, rng: torch.Generator) -> Tensor:
    """The whole batch moved by as many pixels, its border repeated."""
    height, width = x.shape[2:]
    reach = max(1, min(height, width) // 12)
    down, right = torch.randint(2 * reach + 1, (2,), generator=rng).tolist()
    return fn.pad(x, (reach,) * 4, mode="replicate")[..., down : down + height, right : right + width]

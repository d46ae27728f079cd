"""The four roles of a network, and what all of one role share: checks at the door, labels, outputs.

A file of networks supplies trunks (samples -> features) and bodies (latents -> samples); the roles do the rest.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as normalised

from ..core.catalog import Catalog
from ..core.checks import GradganError, unknown_name
from ..core.types import Latents, Samples, Scores

NETWORKS = Catalog("network", facts=("role", "sizes"))
"""Every network by name. Facts: `role`, one of generator, critic, encoder, field; `sizes`, example shapes of one sample
that it is claimed to serve."""

OUTPUTS = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "linear": nn.Identity}
"""What ends a generator: "tanh" for images in [-1, 1], "sigmoid" for images in [0, 1], "linear" for points."""

NORMS = ("none", "batch")


class GeneratorNetwork(nn.Module):
    """Latents (n, latent), and labels where it has classes, to samples (n, *event).

    The label's embedding, as wide as the latent, is put beside it (conditional GAN, arXiv:1411.1784).
    """

    def __init__(self, body: nn.Module, event: tuple[int, ...], latent: int, output: str, classes: int) -> None:
        """`body` maps (n, `body_width(latent, classes)`) to anything with the event's number of values."""
        super().__init__()
        if output not in OUTPUTS:
            raise unknown_name("output", str(output), OUTPUTS)
        self.event, self.latent, self.classes = event, latent, classes
        self.embedding = nn.Embedding(classes, latent) if classes else None
        self.body = body
        self.output = OUTPUTS[output]()

    def forward(self, z: Latents, labels: Tensor | None = None) -> Samples:
        """G(z) or G(z, labels); raises GradganError for latents of another width and labels that do not fit."""
        if z.shape[1:] != (self.latent,):
            raise GradganError(f"generator: latents must be (n, {self.latent}), got {tuple(z.shape)}.")
        labels = labels_of(labels, z, self.classes, caller="generator")
        if self.embedding is not None and labels is not None:
            z = torch.cat((z, embed(self.embedding, labels, caller="generator").to(z.dtype)), 1)
        return self.output(self.body(z)).reshape(z.shape[0], *self.event)


class CriticNetwork(nn.Module):
    """Samples (n, *event), and labels where it has classes, to scores (n,). No layer mixes samples.

        D(x) = head(phi(x))        D(x, y) = head(phi(x)) + <embedding(y), phi(x)>

    The second is the projection critic, Miyato & Koyama 2018, arXiv:1802.05637, eq. 3.
    """

    def __init__(
        self, trunk: nn.Module, event: tuple[int, ...], width: int, classes: int, spectral_norm: bool = False
    ) -> None:
        """`trunk` maps (n, *event) to features (n, width). `spectral_norm`: every layer's, arXiv:1802.05957."""
        super().__init__()
        self.event, self.classes = event, classes
        self.trunk = trunk
        self.head = nn.Linear(width, 1)
        self.embedding = nn.Embedding(classes, width) if classes else None
        if self.embedding is not None:
            # As large as the head's weights: the default N(0, 1) would start with scores of size sqrt(width).
            nn.init.normal_(self.embedding.weight, std=width**-0.5)
        if spectral_norm:
            for layer in list(self.modules()):
                if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding):
                    normalised(layer)

    def features(self, x: Samples) -> Tensor:
        """phi(x), (n, k): what the head sees; VAE-GAN compares reconstructions in it."""
        check_event(x, self.event, caller="critic")
        return self.trunk(x)

    def forward(self, x: Samples, labels: Tensor | None = None) -> Scores:
        """D(x) or D(x, labels); raises GradganError for samples of another shape and labels that do not fit."""
        labels = labels_of(labels, x, self.classes, caller="critic")
        features = self.features(x)
        scores = self.head(features).squeeze(1)
        if self.embedding is not None and labels is not None:
            scores = scores + (embed(self.embedding, labels, caller="critic") * features).sum(1)
        return scores


class EncoderNetwork(nn.Module):
    """Samples (n, *event), and labels where it has classes, to mean and log variance of a latent, (n, latent) each."""

    def __init__(self, trunk: nn.Module, event: tuple[int, ...], width: int, latent: int, classes: int) -> None:
        """`trunk` maps (n, *event) to features (n, width)."""
        super().__init__()
        self.event, self.latent, self.classes = event, latent, classes
        self.trunk = trunk
        self.embedding = nn.Embedding(classes, latent) if classes else None
        self.head = nn.Linear(width + (latent if classes else 0), 2 * latent)

    def forward(self, x: Samples, labels: Tensor | None = None) -> tuple[Latents, Latents]:
        """(mean, log_variance); raises GradganError for samples of another shape and labels that do not fit."""
        labels = labels_of(labels, x, self.classes, caller="encoder")
        check_event(x, self.event, caller="encoder")
        features = self.trunk(x)
        if self.embedding is not None and labels is not None:
            features = torch.cat((features, embed(self.embedding, labels, caller="encoder").to(features.dtype)), 1)
        mean, log_variance = self.head(features).chunk(2, 1)
        return mean, log_variance


class FieldNetwork(nn.Module):
    """Samples (n, *event) to vectors of the same shape: a GON that predicts gradients by samples."""

    def __init__(self, body: nn.Module, event: tuple[int, ...]) -> None:
        """`body` maps (n, *event) to anything with the event's number of values."""
        super().__init__()
        self.event = event
        self.body = body

    def forward(self, x: Samples) -> Samples:
        """Q(x); raises GradganError for samples of another shape."""
        check_event(x, self.event, caller="field")
        return self.body(x).reshape(x.shape)


def check_event(x: Tensor, event: tuple[int, ...], *, caller: str) -> None:
    """Refuse samples of another shape than the network was built for."""
    if tuple(x.shape[1:]) != event:
        raise GradganError(
            f"{caller}: built for samples (n, {', '.join(map(str, event))}), got {tuple(x.shape)}. "
            "Build it with event=dataset.event."
        )


def labels_of(labels: Tensor | None, beside: Tensor, classes: int, *, caller: str) -> Tensor | None:
    """The labels, if they fit `beside` (n, ...) and a network of so many classes: (n,) whole numbers, None without."""
    n = beside.shape[0]  # not len(), which would fix the number of samples of an exported network
    if classes == 0:
        if labels is not None:
            raise GradganError(f"{caller}: built without classes and called with labels. Build it with classes=K.")
        return None
    if labels is None:
        raise GradganError(f"{caller}: built for {classes} classes and called without labels. Pass them, or classes=0.")
    if labels.shape != (n,) or labels.dtype not in (torch.int64, torch.int32):
        raise GradganError(
            f"{caller}: labels must be whole numbers (int64) of shape ({n},), one per sample, got {labels.dtype} of "
            f"shape {tuple(labels.shape)}."
        )
    return labels


def embed(embedding: nn.Embedding, labels: Tensor, *, caller: str) -> Tensor:
    """The labels' embeddings, (n, width)."""
    # The embedding itself checks the range on the CPU; asking before would make a GPU wait in every step.
    try:
        return embedding(labels)
    except IndexError:
        raise GradganError(
            f"{caller}: labels must lie in 0..{embedding.num_embeddings - 1}, got "
            f"{int(labels.min())}..{int(labels.max())}."
        ) from None


def body_width(latent: int, classes: int) -> int:
    """How many values a generator's body sees: the latent, and beside it the label's embedding."""
    whole(classes, what="classes", minimum=0)
    return whole(latent, what="latent") * (2 if classes else 1)


def whole(value: int, *, what: str, minimum: int = 1) -> int:
    """A whole number that is large enough; `what` names it in the message."""
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise GradganError(f"{what} must be a whole number >= {minimum}, got {value!r}.")
    return value


def shape_of(event: Sequence[int], *, caller: str) -> tuple[int, ...]:
    """The shape of one sample, checked."""
    if not event:
        raise GradganError(f"{caller}: event must be the shape of one sample, such as (2,) or (1, 28, 28), got ().")
    return tuple(whole(size, what=f"{caller}: each size of event {tuple(event)}") for size in event)


def one_of_norms(norm: str) -> bool:
    """Is batch normalisation wanted? An unknown word is refused."""
    if norm not in NORMS:
        raise unknown_name("norm", str(norm), NORMS)
    return norm == "batch"

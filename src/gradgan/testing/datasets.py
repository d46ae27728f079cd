"""check_dataset: what a data set must be."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from .claims import claim, is_finite, prove

RANGES = {"symmetric": (-1.0, 1.0), "unit": (0.0, 1.0)}


def check_dataset(make: Callable[..., Any], facts: Mapping[str, Any], **options: Any) -> None:
    """Prove the data set that `make(**options)` gives.

    It has `samples`, images (n, c, h, w) uint8 or points (n, d) float32; `labels`, (n,) int64 or None; `classes`;
    `event`; `scale` and `scaled(index)`, float32 in [-1, 1] ("symmetric"), [0, 1] ("unit") or as stored ("none").
    `facts["event"]` and `facts["labelled"]`: what is claimed of it, None where the files decide; `facts["scale"]`: its
    scale, checked where no other is asked for in `options`.
    Raises AssertionError for the first property that does not hold, with what was got and what was wanted.
    """
    state = torch.get_rng_state()
    try:
        first, second = make(**options), make(**options)
    except Exception as error:
        raise AssertionError(
            f"data set {getattr(make, '__name__', '?')!r}: got {type(error).__name__}: {error}"
        ) from error
    moved = not torch.equal(state, torch.get_rng_state())
    claims = dict(facts) | {"scale": options.get("scale", facts.get("scale"))}
    prove(f"data set {first.name!r}", PROPERTIES, first, second, claims)
    claim(
        not moved, f"data set {first.name!r}: got torch's global random generator moved, wanted a generator of its own"
    )


def _samples(dataset: Any, again: Any, facts: Mapping[str, Any]) -> None:
    """Its samples are uint8 images (n, c, h, w) or finite float32 points (n, d), of the event that is claimed."""
    samples = dataset.samples
    got = (samples.dtype, samples.ndim)
    fits = got in ((torch.uint8, 4), (torch.float32, 2))
    claim(fits, f"got {got[0]} in {got[1]} dimensions, wanted uint8 in 4 (images) or float32 in 2 (points)")
    claim(len(samples) > 0 and len(dataset) == len(samples), f"got length {len(dataset)} of {len(samples)} samples")
    claim(tuple(dataset.event) == tuple(samples.shape[1:]), f"got event {dataset.event} of {tuple(samples.shape)}")
    wanted = facts.get("event")
    claim(wanted in (None, dataset.event), f"got event {dataset.event}, wanted {wanted}")
    if samples.is_floating_point():
        is_finite(samples, where="samples")


def _labels(dataset: Any, again: Any, facts: Mapping[str, Any]) -> None:
    """Its labels are int64 in 0..classes-1, one per sample, each class used; or None with 0 classes."""
    labels, wanted = dataset.labels, facts.get("labelled")
    claim(wanted in (None, labels is not None), f"got labels {'None' if labels is None else 'given'}, wanted {wanted}")
    if labels is None:
        claim(dataset.classes == 0, f"got {dataset.classes} classes without labels, wanted 0")
        return
    fits = labels.dtype == torch.int64 and labels.shape == (len(dataset),)
    claim(fits, f"got labels {labels.dtype} {tuple(labels.shape)}, wanted int64 ({len(dataset)},)")
    used = sorted(set(labels.tolist()))
    claim(used == list(range(dataset.classes)), f"got the classes {used}, wanted 0..{dataset.classes - 1}")


def _scaled(dataset: Any, again: Any, facts: Mapping[str, Any]) -> None:
    """scaled(index) is float32 within its scale, reaches near both ends of it, and is the caller's to change."""
    if facts.get("scale") is not None:
        claim(dataset.scale == facts["scale"], f"got scale {dataset.scale!r}, wanted {facts['scale']!r}")
    whole = dataset.scaled(slice(None))
    claim(whole.dtype == torch.float32, f"got {whole.dtype}, wanted float32")
    claim(
        whole.shape == dataset.samples.shape, f"got shape {tuple(whole.shape)}, wanted {tuple(dataset.samples.shape)}"
    )
    if dataset.scale == "none":
        claim(torch.equal(whole, dataset.samples), "got other numbers than the stored ones, wanted scale 'none'")
    else:
        low, high = RANGES[dataset.scale]
        stored = dataset.samples.float() / 255 * (high - low) + low
        claim(
            torch.allclose(whole, stored, atol=1e-5), f"got other numbers than 0..255 spread over [{low:g}, {high:g}]"
        )
        got = (float(whole.min()), float(whole.max()))
        claim(low <= got[0] and got[1] <= high, f"got numbers in {got}, wanted [{low:g}, {high:g}]")
    part = dataset.scaled(slice(1, 3))
    claim(torch.equal(part, whole[1:3]), "got other samples at slice(1, 3) than in the whole")
    before = dataset.samples.clone()
    part.fill_(7.0)
    claim(
        torch.equal(before, dataset.samples), "got the stored samples changed through scaled(...), wanted a new tensor"
    )


def _same_again(dataset: Any, again: Any, facts: Mapping[str, Any]) -> None:
    """The same options give the same data."""
    claim(torch.equal(dataset.samples, again.samples), "got other samples the second time")
    one, other = dataset.labels, again.labels
    same = one is None if not isinstance(other, Tensor) else torch.equal(one, other)
    claim(same, "got other labels the second time")


PROPERTIES = (_samples, _labels, _scaled, _same_again)

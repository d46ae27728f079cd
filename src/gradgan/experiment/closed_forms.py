"""The Dirac-GAN's eigenvalues in closed form, w = the weight, s = the generator's spread."""

import cmath
from collections.abc import Callable, Iterable

import numpy as np

from ..systems import System


def _pair(half: float, square: float) -> tuple[complex, complex]:
    """half +- sqrt(square)"""
    root = cmath.sqrt(square)
    return half + root, half - root


def _damped(d: float) -> tuple[complex, complex]:
    return _pair(-d / 2, d * d / 4 - 1 / 4)


def ordered(values: Iterable[complex]) -> tuple[complex, ...]:
    """What turns first, + before -; a solver's own order differs from machine to machine."""
    known = [complex(value) for value in values]
    return tuple(sorted(known, key=lambda v: (-round(abs(v.imag), 6), -round(v.imag, 6), -round(v.real, 6))))


def _beside_a_judge(w: float, s: float) -> tuple[complex, ...]:
    return (*_pair(0, -1 / 4), 0j)


Formula = Callable[[float, float], tuple[complex, ...]]

# Keyed by loss and penalties, not by the system's name: what counts is what is minimised.
_WITHOUT_SPREAD: dict[tuple[str, tuple[str, ...]], tuple[str, Formula]] = {
    ("non_saturating", ()): ("+- i/2", lambda w, s: _pair(0, -1 / 4)),
    ("minimax", ()): ("+- i/2", lambda w, s: _pair(0, -1 / 4)),
    ("relativistic", ()): ("+- i/2", lambda w, s: _pair(0, -1 / 4)),
    ("wasserstein", ()): ("+- i", lambda w, s: _pair(0, -1)),
    ("wasserstein", ("wgan_lp",)): ("+- i (no slope near 0 is charged)", lambda w, s: _pair(0, -1)),
    ("hinge", ()): ("+- i", lambda w, s: _pair(0, -1)),
    ("non_saturating", ("r1",)): ("-w/2 +- sqrt(w^2/4 - 1/4)", lambda w, s: _damped(w)),
    ("non_saturating", ("r2",)): ("-w/2 +- sqrt(w^2/4 - 1/4)", lambda w, s: _damped(w)),
    ("non_saturating", ("r1", "r2")): ("-w +- sqrt(w^2 - 1/4)", lambda w, s: _damped(2 * w)),
    ("relativistic", ("r1", "r2")): ("-w +- sqrt(w^2 - 1/4)", lambda w, s: _damped(2 * w)),
    ("non_saturating", ("consensus",)): ("-w/4 +- i/2", lambda w, s: _pair(-w / 4, -1 / 4)),
    ("non_saturating", ("gp_gan",)): ("+- i/2 (its penalties vanish to first order)", lambda w, s: _pair(0, -1 / 4)),
    ("non_saturating", ("gon_matching",)): ("+- i/2, 0 (a linear critic has one slope to judge)", _beside_a_judge),
    ("non_saturating", ("gon_published",)): ("+- i/2, 0 (a linear critic has one slope to judge)", _beside_a_judge),
    ("non_saturating", ("gon_synthetic",)): (
        "the roots of x^3 + 2 x^2 + (1 - w)/4 x + 1/2",
        lambda w, s: ordered(np.roots([1, 2, (1 - w) / 4, 1 / 2])),
    ),
}
_WITH_SPREAD: dict[tuple[str, ...], tuple[str, Formula]] = {
    (): ("-d/2 +- sqrt(d^2/4 - 1/4), d = s^2/4", lambda w, s: _damped(s * s / 4)),
    ("g_gan",): ("-d/2 +- sqrt(d^2/4 - 1/4), d = s^2/4", lambda w, s: _damped(s * s / 4)),
    ("atgp",): (
        "-d/2 +- sqrt(d^2/4 - 1/4), d = s^2/4 + w s^2/8",
        lambda w, s: _damped(s * s / 4 + w * s * s / 8),
    ),
}


def closed_form(system: System, weight: float, spread: float) -> tuple[str, tuple[complex, ...]] | None:
    """The formula and its values for this system, None where none is known."""
    names = tuple(term.name for term in system.terms)
    if spread > 0:
        found = _WITH_SPREAD.get(names) if system.loss.name in ("non_saturating", "minimax") else None
    else:
        found = _WITHOUT_SPREAD.get((system.loss.name, names))
    return None if found is None else (found[0], found[1](weight, spread))

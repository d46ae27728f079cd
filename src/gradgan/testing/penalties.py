"""check_penalty: what every gradient penalty must do, by the kind of thing it differentiates."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal

from . import estimate, input_penalty, latent_penalty, scene_penalty
from .claims import prove

Kind = Literal["input", "latent", "parameter", "consensus", "judged"]

_CALLED_WITH: dict[tuple[str, str], Kind] = {
    ("critic", "real"): "input",
    ("critic", "generator"): "latent",
    ("value", "parameters"): "parameter",
    ("losses", "parameters"): "consensus",
}
_CALLED: dict[Kind, tuple[Callable[..., None], ...]] = {
    "input": input_penalty.PROPERTIES,
    "latent": latent_penalty.PROPERTIES,
}
_IN_A_STEP: dict[Kind, tuple[Callable[..., None], ...]] = {
    "input": scene_penalty.PER_SAMPLE,
    "latent": scene_penalty.PER_SAMPLE,
    "parameter": scene_penalty.PARAMETER,
    "consensus": scene_penalty.CONSENSUS,
    "judged": scene_penalty.JUDGED,
}


def kind_of(penalty: Any) -> Kind:
    """The kind of a penalty, from the names of its first two arguments; one with a `judge_loss` is judged.

        (critic, real, ...)        "input": the critic's gradient by its input
        (critic, generator, z)     "latent": the slope of the critic along the latent
        (value, parameters)        "parameter": the slope of a player's mean value by its own parameters
        (losses, parameters)       "consensus": both players' slopes together

    Raises AssertionError for anything else.
    """
    if hasattr(penalty, "judge_loss"):
        return "judged"
    names = tuple(inspect.signature(penalty).parameters)[:2] if callable(penalty) else ()
    for wanted, kind in _CALLED_WITH.items():
        if names == wanted:
            return kind
    known = "; ".join(f"({', '.join(wanted)}, ...)" for wanted in _CALLED_WITH)
    raise AssertionError(f"penalty: got arguments ({', '.join(names)}), wanted one of {known}, or a judge_loss.")


def check_penalty(penalty: Any, facts: Mapping[str, Any], *, kind: Kind | None = None) -> None:
    """Prove a penalty: its closed value, its gradients, its refusals, and that it leaves the caller alone.

    `facts["on_linear"]`: its value as a function of the slope of a linear critic (score 0 where the probability
    matters). `facts["judge"]`, for a judged one: whether its third player, "gon", is a "critic" (scores, the default)
    or a "field" (answers shaped as samples). `facts["estimates"]`, for one that is right on average only: the exact
    penalty, which its mean over many draws must meet within 5 standard errors. `kind` is found from the call's
    arguments where it is not given.
    A penalty with `payers` and `on(scene)` is also proved in a training step; a plain function is proved by calls.
    Raises AssertionError for the first property that does not hold, with what was got and what was wanted.

    >>> from gradgan import penalties
    >>> check_penalty(penalties.r1, {"on_linear": lambda slope: slope**2 / 2})
    """
    kind = kind or kind_of(penalty)
    subject = f"penalty {getattr(penalty, 'name', getattr(penalty, '__name__', '?'))!r}"
    called = estimate.PROPERTIES if "estimates" in facts else _CALLED.get(kind, ())
    prove(subject, called, penalty, facts)
    if hasattr(penalty, "on") or kind not in _CALLED:
        prove(subject, _IN_A_STEP[kind], penalty, facts)

"""Random streams: apart from each other, the same for the same seed, and put back where they stood."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradgan.core.errors import GradganError
from gradgan.core.rng import Streams, isolated

NAMES = ("latent", "data", "penalty", "init/critic")


def first(streams: Streams, name: str) -> list[float]:
    return torch.rand(4, generator=streams[name]).tolist()


@given(st.integers(0, 2**40), st.permutations(NAMES))
def test_a_stream_depends_on_seed_and_name_not_on_the_order_of_use(seed: int, order: list[str]) -> None:
    one, other = Streams(seed), Streams(seed)
    wanted = {name: first(one, name) for name in NAMES}
    assert {name: first(other, name) for name in order} == wanted


def test_streams_differ_by_name_and_by_seed() -> None:
    draws = [tuple(first(Streams(seed), name)) for seed in (0, 1, 2) for name in NAMES]
    assert len(set(draws)) == len(draws)


def test_a_stream_goes_on_where_it_was() -> None:
    streams = Streams(0)
    assert first(streams, "latent") != first(streams, "latent")
    assert streams["latent"] is streams["latent"]


@given(st.integers(0, 10), st.integers(0, 10))
def test_a_restored_run_draws_what_the_whole_one_draws(before: int, after: int) -> None:
    global_before = torch.get_rng_state()
    try:
        whole = Streams(3)
        for name in NAMES[:2]:
            torch.rand(before, generator=whole[name])
        torch.rand(before)
        saved = {name: state.clone() for name, state in whole.state_dict().items()}
        wanted = [torch.rand(after, generator=whole[name]) for name in NAMES], torch.rand(after)

        torch.rand(7)
        again = Streams(3)
        again.load_state_dict(saved)
        got = [torch.rand(after, generator=again[name]) for name in NAMES], torch.rand(after)
        assert all(torch.equal(a, b) for a, b in zip(got[0], wanted[0], strict=True))
        assert torch.equal(got[1], wanted[1])
    finally:
        torch.set_rng_state(global_before)


def test_data_and_initialisation_are_drawn_on_the_cpu_and_the_rest_where_told() -> None:
    streams = Streams(0, device="meta")
    assert streams["data"].device.type == "cpu"
    assert streams["init/critic"].device.type == "cpu"
    assert streams.device.type == "meta"


def test_isolated_starts_from_seed_and_name_and_puts_the_global_generator_back() -> None:
    before = torch.get_rng_state()
    draws = []
    for seed, name in ((0, "critic"), (0, "critic"), (1, "critic"), (0, "generator")):
        with isolated(seed, name):
            draws.append(tuple(torch.rand(3).tolist()))
    assert torch.equal(before, torch.get_rng_state())
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3


def test_streams_of_another_kind_of_device_are_no_way_on_and_no_hindrance_to_looking() -> None:
    saved = Streams(0)
    first(saved, "latent")
    states = saved.state_dict() | {"latent": torch.zeros(16, dtype=torch.uint8)}  # as CUDA's generators write it
    wanted = first(Streams(0), "latent")
    again = Streams(0)
    with pytest.raises(GradganError, match=r"drew its chance on device=cuda, and cpu cannot go on with it\."):
        again.load_state_dict(states)
    again.load_state_dict(states, globally=False)
    assert first(again, "latent") == wanted
    with pytest.raises(RuntimeError):
        again.load_state_dict(states | {"latent": torch.zeros(17, dtype=torch.uint8)}, globally=False)


def test_isolated_puts_it_back_after_an_error_too() -> None:
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="inside"), isolated(0, "critic"):
        torch.rand(3)
        raise RuntimeError("inside")
    assert torch.equal(before, torch.get_rng_state())

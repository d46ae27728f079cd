"""The loader: every sample once an epoch, seeded, cheap, and resumed bit for bit from any place."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradgan.core.checks import GradganError
from gradgan.core.rng import Streams
from gradgan.data import Dataset, Loader, ring


def numbered(n: int) -> Dataset:
    """Points whose value is their number, labelled with it too."""
    return Dataset("numbered", torch.arange(n).float()[:, None], torch.arange(n), n, kind="points", scale="none")


def loader_of(n=10, batch=3, seed=0, **options) -> Loader:
    return Loader(numbered(n), batch, rng=torch.Generator().manual_seed(seed), **options)


def drawn(loader: Loader, count: int) -> list[list[float]]:
    return [next(loader).real[:, 0].tolist() for _ in range(count)]


def test_an_epoch_has_every_sample_at_most_once_and_labels_go_along():
    loader = loader_of()
    for epoch in range(3):
        assert loader.epoch == epoch
        batches = [next(loader) for _ in range(loader.batches_per_epoch)]
        real = torch.cat([batch.real for batch in batches])[:, 0]
        assert len(real.unique()) == 9
        assert torch.equal(torch.cat([batch.labels for batch in batches]), real.long())
    assert loader.epoch == 3


def test_epochs_differ_and_seeds_differ():
    loader = loader_of(100, 50)
    assert drawn(loader, 2) != drawn(loader, 2)
    assert drawn(loader_of(seed=1), 3) != drawn(loader_of(seed=2), 3)
    assert drawn(loader_of(seed=1), 7) == drawn(loader_of(seed=1), 7)


@settings(deadline=None)
@given(n=st.integers(1, 12), batch=st.integers(1, 12), before=st.integers(0, 30), seed=st.integers(0, 5))
def test_resumed_is_uninterrupted(n, batch, before, seed):
    batch = min(n, batch)
    whole = loader_of(n, batch, seed)
    drawn(whole, before)
    state = whole.state_dict()
    expected, epoch = drawn(whole, 15), whole.epoch
    again = loader_of(n, batch, seed=99)
    again.load_state_dict(state)
    assert drawn(again, 15) == expected and again.epoch == epoch


@pytest.mark.parametrize("streams_first", [True, False])
def test_resumes_beside_its_stream_in_either_order(streams_first):
    streams = Streams(7)
    loader = Loader(numbered(10), 3, rng=streams["data"])
    drawn(loader, 4)
    states = streams.state_dict(), loader.state_dict()
    expected = drawn(loader, 9)
    fresh = Streams(8)
    again = Loader(numbered(10), 3, rng=fresh["data"])
    loads = [(fresh, states[0]), (again, states[1])]
    for part, state in loads if streams_first else loads[::-1]:
        part.load_state_dict(state)
    assert drawn(again, 9) == expected


def test_saved_state_does_not_move_with_the_loader():
    loader = loader_of()
    next(loader)
    state = loader.state_dict()
    copy = {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in state.items()}
    drawn(loader, 10)
    assert all(torch.equal(torch.as_tensor(state[key]), torch.as_tensor(copy[key])) for key in copy)


def test_only_the_start_of_an_epoch_draws():
    rng = torch.Generator().manual_seed(0)
    loader = Loader(numbered(9), 3, rng=rng)
    next(loader)
    state = rng.get_state()
    drawn(loader, 2)
    assert torch.equal(rng.get_state(), state)
    next(loader)
    assert not torch.equal(rng.get_state(), state)


def test_indices_restrict_it():
    loader = loader_of(10, 2, indices=torch.tensor([1, 3, 5, 7]))
    assert loader.batches_per_epoch == 2
    assert {value for batch in drawn(loader, 10) for value in batch} == {1.0, 3.0, 5.0, 7.0}


@pytest.mark.parametrize("scale", ["symmetric", "unit"])
def test_images_are_stored_as_bytes_and_scaled_as_the_data_set_says(scale):
    images = torch.arange(4 * 6, dtype=torch.uint8).reshape(4, 1, 2, 3) * 10
    data = Dataset("t", images, None, 0, kind="images", scale=scale)
    batch = next(Loader(data, 4, rng=torch.Generator().manual_seed(0)))
    order = torch.randperm(4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(batch.real, data.scaled(slice(None))[order])
    assert batch.labels is None


def test_batches_are_the_callers_own():
    loader = loader_of(4, 4)
    next(loader).real.fill_(-1)
    assert sorted(drawn(loader, 1)[0]) == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("large", [False, True])
def test_data_too_large_for_the_device_gives_the_same_batches(large, monkeypatch):
    # On "meta" nothing is computed, but where each tensor lies can be seen.
    if large:
        monkeypatch.setattr("gradgan.data.loader._RESIDENT", 0)
    loader = loader_of(device="meta")
    assert next(loader).real.device.type == "meta"
    assert loader._samples.device.type == ("cpu" if large else "meta")


@pytest.mark.parametrize("batch", [0, 11, -1])
def test_bad_batch(batch):
    with pytest.raises(GradganError, match=rf"batch must lie in 1..10.*got {batch}"):
        loader_of(10, batch)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (torch.tensor([0, 10]), r"0..9"),
        (torch.tensor([-1, 1]), "got -1..1"),
        (torch.tensor([True, False]), "nonzero"),
        (torch.tensor([[0]]), r"shape \(1, 1\)"),
        (torch.tensor([], dtype=torch.int64), r"1..0"),
    ],
)
def test_bad_indices(indices, message):
    with pytest.raises(GradganError, match=message):
        loader_of(10, 1, indices=indices)


@pytest.mark.parametrize("other", [loader_of(10, 2), loader_of(9, 3)])
def test_state_of_another_run_is_refused(other):
    with pytest.raises(GradganError, match="Resume with the same data and batch"):
        other.load_state_dict(loader_of(10, 3).state_dict())


def test_damaged_position_is_refused():
    with pytest.raises(GradganError, match="stands at batch 3 of 3"):
        loader_of().load_state_dict({**loader_of().state_dict(), "position": 3})


def test_is_its_own_iterator():
    loader = Loader(ring(samples=8), 8, rng=torch.Generator())
    assert iter(loader) is loader

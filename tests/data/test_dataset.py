"""Data sets: what is stored, what networks see, and the shapes and densities of the toy ones."""

import subprocess
import sys

import pytest
import torch

from gradgan.core.checks import GradganError
from gradgan.data import DATASETS, Dataset, digits, dirac, grid, ring, spiral

images = torch.arange(2 * 3 * 4 * 5).remainder(256).to(torch.uint8).reshape(2, 3, 4, 5)
every = pytest.mark.parametrize("name", [name for name in DATASETS if "path" not in DATASETS[name].options])


def image_set(scale="symmetric", **parts):
    return Dataset(
        **{"name": "t", "samples": images, "labels": None, "classes": 0, "kind": "images", "scale": scale, **parts}
    )


@every
def test_facts(name):
    entry, data = DATASETS[name], DATASETS.make(name)
    assert data.name == name
    assert data.event == entry.facts["event"]
    assert data.scale == entry.facts["scale"]
    assert (data.labels is not None) == entry.facts["labelled"]
    assert data.labels is None or sorted(set(data.labels.tolist())) == list(range(data.classes))
    assert data.scaled(slice(0, 7)).dtype == torch.float32 and data.scaled(slice(0, 7)).shape == (7, *data.event)
    assert DATASETS[name].summary.endswith(".")


@pytest.mark.parametrize(("scale", "low"), [("symmetric", -1.0), ("unit", 0.0)])
def test_scale_and_back(scale, low):
    black_to_white = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    data = image_set(scale, samples=black_to_white)
    x = data.scaled(slice(None))
    assert (x.min(), x.max()) == (low, 1.0)
    torch.testing.assert_close(data.to_unit(x) * 255, black_to_white.float())
    assert data.to_unit(torch.tensor([-9.0, 9.0])).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("index", [0, slice(0, 1), torch.tensor([1, 0])])
def test_scaled_gives_a_copy_of_what_was_asked(index):
    for data in (image_set(), ring(samples=3)):
        before = data.samples.clone()
        data.scaled(index).zero_()
        assert torch.equal(data.samples, before)
    assert torch.equal(image_set().scaled(index), image_set().scaled(slice(None))[index])


def test_points_are_no_pictures():
    with pytest.raises(GradganError, match="not pictures"):
        dirac(samples=1).to_unit(torch.zeros(1, 1))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"samples": images.float()}, "images must be torch.uint8"),
        ({"samples": images[0]}, "4 dimensions"),
        ({"samples": images[:0]}, "not empty"),
        ({"scale": "none"}, "scale of data set 't' 'none'"),
        ({"kind": "points", "samples": torch.zeros(2, 2)}, "points have scale 'none'"),
        ({"kind": "points", "scale": "none", "samples": torch.zeros(2, 2).double()}, "points must be torch.float32"),
        (
            {"kind": "points", "scale": "none", "samples": torch.tensor([[0.0, float("nan")], [1.0, 2.0]])},
            r"points must be finite, got nan or inf in 1 of 2.*isfinite\(\)\.all\(1\)",
        ),
        ({"classes": 3}, "3 classes without labels"),
        ({"labels": torch.zeros(3, dtype=torch.int64), "classes": 3}, r"shape \(2,\)"),
        ({"labels": torch.zeros(2), "classes": 3}, "must be int64"),
        ({"labels": torch.tensor([0, 3]), "classes": 3}, r"in 0..2 for 3 classes, got 0..3"),
        ({"labels": torch.tensor([-1, 0]), "classes": 3}, r"got -1..0"),
    ],
)
def test_parts_that_do_not_fit(parts, message):
    with pytest.raises(GradganError, match=message):
        image_set(**parts)


@pytest.mark.parametrize(("make", "count"), [(ring, 8), (grid, 25)])
def test_mixtures_have_their_modes_and_spread(make, count):
    data = make(spread=0.03)
    assert data.modes.shape == (count, 2) and data.spread == 0.03
    offset = data.samples - data.modes[data.labels]
    assert offset.std().item() == pytest.approx(0.03, rel=0.02)
    share = data.labels.bincount() / len(data)
    torch.testing.assert_close(share, torch.full((count,), 1 / count), atol=0.01, rtol=0)


def test_positions_of_the_modes():
    torch.testing.assert_close(ring(samples=1).modes.norm(dim=1), torch.ones(8))
    torch.testing.assert_close(ring(samples=1).modes[2], torch.tensor([0.0, 1.0]), atol=1e-7, rtol=0)
    assert {tuple(mode) for mode in grid(samples=1).modes.tolist()} == {
        (float(x), float(y)) for x in range(-4, 5, 2) for y in range(-4, 5, 2)
    }


def test_spiral_lies_on_its_curve():
    points = spiral(samples=2000, spread=0.0, turns=2.0).samples
    radius = points.norm(dim=1)
    angle = 4 * torch.pi * radius
    torch.testing.assert_close(points, radius[:, None] * torch.stack((angle.cos(), angle.sin()), 1), atol=1e-5, rtol=0)
    assert radius.max() <= 1 and radius.max() > 0.99


def test_dirac_is_zero():
    assert not dirac(samples=9).samples.any()


@pytest.mark.parametrize("make", [ring, grid, spiral])
def test_same_seed_same_samples_and_the_global_stream_is_left_alone(make):
    state = torch.get_rng_state()
    one, two, other = make(samples=50, seed=3), make(samples=50, seed=3), make(samples=50, seed=4)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one.samples, two.samples)
    assert not torch.equal(one.samples, other.samples)


@pytest.mark.parametrize("make", [ring, grid, spiral, dirac])
def test_bad_toy_options(make):
    with pytest.raises(GradganError, match=r"samples must be >= 1, got 0"):
        make(samples=0)
    with pytest.raises(GradganError, match="seed must lie"):
        make(seed=-1)
    if make is not dirac:
        with pytest.raises(GradganError, match="spread must be finite"):
            make(spread=float("nan"))


def test_digits_are_the_scans():
    data = digits()
    assert data.samples.shape == (1797, 1, 8, 8) and data.classes == 10
    assert len(data.samples.unique()) == 17 and data.samples.max() == 255
    assert data.labels[:4].tolist() == [0, 1, 2, 3]


def test_sklearn_is_imported_only_for_digits():
    code = "import sys, gradgan.data; assert not any(m.split('.')[0] == 'sklearn' for m in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

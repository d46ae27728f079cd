"""Pictures of samples: every pixel where it belongs, fixed frames, refusals in one line."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from gradgan.core.errors import GradganError
from gradgan.core.png import png_bytes
from gradgan.report.pictures import grid_of_images, scatter_of_points

SIDE = 480


def images(n, c=1, h=8, w=8):
    return np.random.default_rng(0).integers(0, 256, (n, c, h, w), dtype=np.uint8)


def test_grid_holds_every_image_in_its_place():
    batch = images(5, c=3, h=2, w=4)
    grid = grid_of_images(batch, columns=3, zoom=2)
    assert grid.shape == (2 * (4 + 1) + 1, 3 * (8 + 1) + 1, 3)
    for index, image in enumerate(batch):
        top, left = index // 3 * 5 + 1, index % 3 * 9 + 1
        tile = grid[top : top + 4, left : left + 8]
        assert np.array_equal(tile[::2, ::2], image.transpose(1, 2, 0))
        assert np.array_equal(tile[1::2, 1::2], image.transpose(1, 2, 0))
    gap = grid[0, 0]
    assert (grid[5] == gap).all()
    assert (grid[:, 9] == gap).all()
    assert (grid[6:10, 19:27] == gap).all()


@pytest.mark.parametrize(("side", "zoom"), [(8, 6), (28, 2), (32, 2), (64, 1), (256, 1)])
def test_small_images_are_enlarged(side, zoom):
    assert grid_of_images(images(1, h=side, w=side)).shape == (side * zoom + 2, side * zoom + 2)


@pytest.mark.parametrize(("n", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (64, 8, 8), (30, 5, 6)])
def test_the_grid_is_nearly_square(n, rows, columns):
    assert grid_of_images(images(n), zoom=1).shape == (rows * 9 + 1, columns * 9 + 1)


def test_more_columns_than_images_make_one_row():
    assert grid_of_images(images(3), columns=10, zoom=1).shape == (10, 28)


@pytest.mark.parametrize(
    "batch",
    [images(2).astype(np.float32), images(2)[0], images(2, c=2), images(2, c=4), images(0)],
)
def test_other_images_are_refused(batch):
    with pytest.raises(GradganError, match="a grid wants uint8 images"):
        grid_of_images(batch)


@pytest.mark.parametrize("options", [{"columns": 0}, {"zoom": 0}])
def test_no_columns_and_no_zoom_are_refused(options):
    with pytest.raises(GradganError, match="columns >= 1 and zoom >= 1"):
        grid_of_images(images(2), **options)


def points(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def colored(picture):
    """Where the picture shows the generated points' colour, as (rows, columns)."""
    r, g, b = (picture[:, :, i].astype(int) for i in range(3))
    return np.nonzero((r - b > 120) & (r - g > 50))


@pytest.mark.parametrize("d", [1, 2, 3, 16])
def test_points_of_any_width_make_a_picture(d):
    picture = scatter_of_points(points(200, d), points(300, d, seed=1))
    assert picture.shape == (SIDE, SIDE, 3)
    assert picture.dtype == np.uint8
    assert len(colored(picture)[0]) > 50


def test_the_frame_is_the_real_points():
    """A generated point lands on the same pixel whatever the others do, and far ones are not drawn but counted."""
    real = points(300, 2)
    alone = scatter_of_points(np.array([[-0.5, -0.5]]), real)
    among = scatter_of_points(np.array([[-0.5, -0.5], [1e6, 0.0], [np.nan, 0.0]]), real)
    plot = slice(60, 420)
    assert len(colored(alone[plot])[0]) > 5
    assert np.array_equal(alone[plot], among[plot])
    assert not np.array_equal(alone[440:], among[440:])


def test_axes_are_equal():
    """Four points on a circle span as many pixels across as upwards."""
    circle = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    rows, columns = colored(scatter_of_points(circle, 3 * points(300, 2))[60:430])
    assert abs(np.ptp(rows) - np.ptp(columns)) <= 2


def test_real_points_all_alike_still_make_a_picture():
    assert scatter_of_points(points(10, 2), np.zeros((5, 2))).shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize(("fake", "real"), [((0, 2), (5, 2)), ((5, 2), (5, 3)), ((5,), (5, 2)), ((5, 2), (0, 2))])
def test_other_points_are_refused(fake, real):
    with pytest.raises(GradganError, match="a scatter wants points"):
        scatter_of_points(np.zeros(fake), np.zeros(real))


def test_real_points_must_be_finite():
    with pytest.raises(GradganError, match="finite real points"):
        scatter_of_points(np.zeros((3, 2)), np.array([[0.0, np.inf]]))


def test_a_png_holds_every_pixel():
    for grid in (grid_of_images(images(4)), grid_of_images(images(4, c=3))):
        with Image.open(io.BytesIO(png_bytes(grid))) as read:
            assert np.array_equal(np.asarray(read), grid)


def test_no_torch_and_no_pyplot():
    code = (
        "import sys; import numpy as np; import gradgan.report as report\n"
        "report.scatter_of_points(np.zeros((2, 2)), np.eye(2))\n"
        "print([m for m in ('torch', 'matplotlib.pyplot') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

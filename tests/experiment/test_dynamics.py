"""The Dirac-GAN's eigenvalues, found through the training code, are those of the closed forms."""

import cmath
from pathlib import Path

import numpy as np
import pytest

from gradgan.core.errors import GradganError
from gradgan.experiment import Dynamics, write_atlas
from gradgan.experiment.atlas import PLATES, _lines
from gradgan.experiment.dynamics import verdict
from gradgan.systems import SYSTEMS


def pair(half: complex, square: float) -> list[complex]:
    return [half + cmath.sqrt(square), half - cmath.sqrt(square)]


def damped(d: float) -> list[complex]:
    return pair(-d / 2, d * d / 4 - 1 / 4)


CASES = [
    ("gan", {}, pair(0, -1 / 4)),
    ("gan", {"reading": "minimax"}, pair(0, -1 / 4)),
    ("r3gan", {"weight": 0.0}, pair(0, -1 / 4)),
    ("wgan", {}, pair(0, -1)),
    *[("r1", {"weight": g}, damped(g)) for g in (0.1, 1.0, 3.0)],
    *[("r2", {"weight": g}, damped(g)) for g in (0.1, 1.0, 3.0)],
    *[("r3gan", {"weight": g}, pair(-g, g * g - 1 / 4)) for g in (0.1, 0.5, 3.0)],
    *[("gp_gan", {"weight": w, "reading": "consensus"}, pair(-w / 4, -1 / 4)) for w in (0.1, 2.0)],
    ("gp_gan", {"weight": 2.0, "reading": "published"}, pair(0, -1 / 4)),
    *[("gan", {"spread": s}, damped(s * s / 4)) for s in (0.5, 2.0)],
    *[
        ("atgp", {"spread": s, "weight": w, "reading": r}, damped(s * s / 4 + w * s * s / 8))
        for s in (0.5, 2.0)
        for w in (0.5, 4.0)
        for r in ("sound", "published")
    ],
    *[("g_gan", {"spread": s, "weight": 2.0}, damped(s * s / 4)) for s in (0.5, 2.0)],
]


@pytest.mark.parametrize(
    ("system", "options", "wanted"), CASES, ids=lambda v: str(v) if isinstance(v, (str, dict)) else ""
)
def test_eigenvalues(system, options, wanted):
    found = Dynamics.of(system, **options).eigenvalues()
    assert found is not None
    for value in wanted:
        assert np.abs(found - value).min() < 1e-6


@pytest.mark.parametrize("system", ["wgan_gp", "dragan"])
@pytest.mark.parametrize("weight", [0.05, 1.0, 50.0])
def test_a_field_that_jumps_has_no_eigenvalues(system, weight):
    assert Dynamics.of(system, weight=weight).eigenvalues() is None


def test_wgan_gp_cycles_and_r1_arrives():
    far = np.linalg.norm(Dynamics.of("wgan_gp", weight=0.3).trajectory(time=20.0, step=0.1)[-50:], axis=1)
    near = np.linalg.norm(Dynamics.of("r1", weight=1.0).trajectory(time=20.0, step=0.1)[-1])
    assert far.min() > 0.5
    assert near < 1e-2


def test_lines_print_both_ways_to_six_digits():
    lines = Dynamics.of("r3gan", weight=0.5).lines()
    assert lines[1].split(": ")[1] == lines[2].split(": ")[1].split("    ")[0]
    assert "converges" in lines[3]


def test_no_verdict_where_the_eigenvalues_say_nothing():
    assert "not decided" in Dynamics.of("lsgan").lines()[-1]


def test_the_portrait_is_a_picture(tmp_path):
    from PIL import Image

    out = Dynamics.of("gan").draw(tmp_path / "a" / "portrait.png")
    with Image.open(out) as picture:
        assert picture.size[0] > 300


@pytest.mark.parametrize("weight", [0.1, 0.5, 1.0])
def test_a_third_player_that_lags_drives_the_circle_outwards(weight):
    """By hand: psi' = -theta/2, theta' = (1 - w) psi/2 - w phi, phi' = -psi - 2 phi."""
    found = Dynamics.of("gc_gan", weight=weight, reading="synthetic")
    by_hand = np.array([[0, -1 / 2, 0], [(1 - weight) / 2, 0, -weight], [-1, 0, -2]])
    np.testing.assert_allclose(found.jacobian(), by_hand, atol=1e-8)
    assert verdict(found).startswith("moves away")
    values = found.eigenvalues()
    assert np.abs(np.sort_complex(values) - np.sort_complex(np.linalg.eigvals(by_hand))).max() < 1e-6
    near = np.linalg.norm(found.trajectory(start=(0.01, 0.0), time=4 * np.pi, step=0.4), axis=1)
    assert near[-1] > near[0], "a turn later the flow is further out"


@pytest.mark.parametrize("reading", ["matching", "published"])
def test_a_judge_of_gradients_changes_nothing_on_a_linear_critic(reading):
    judged, alone = Dynamics.of("gc_gan", reading=reading), Dynamics.of("gan")
    for psi, theta, phi in [(0.3, -0.7, 0.5), (-1.0, 0.2, -2.0)]:
        np.testing.assert_allclose(judged.field(psi, theta, phi)[:2], alone.field(psi, theta), atol=1e-12)
    lines = judged.lines()
    assert lines[1].split(": ")[1] == lines[2].split(": ")[1].split("    ")[0] and "circles" in lines[3]


def test_bad_weights_are_refused():
    with pytest.raises(GradganError, match="weight must be finite"):
        Dynamics.of("r1", weight=float("nan"))


def test_the_page_of_all_is_the_one_in_the_docs_and_shows_every_system() -> None:
    page = "\n".join(_lines([plate.dynamics() for plate in PLATES]))
    kept = Path(__file__).parents[2] / "docs" / "evidence" / "dynamics.md"
    assert page == kept.read_text(), "write it again with the command that stands in it"
    for plate in PLATES:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{plate.command}` |")]
        assert plate.because in row
    assert {plate.system for plate in PLATES} | {"dcgan"} == set(SYSTEMS)


def test_the_page_is_written_with_its_portraits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = tuple(plate for plate in PLATES if plate.system == "wgan" or plate.reading == "synthetic")
    monkeypatch.setattr("gradgan.experiment.atlas.PLATES", some)
    page = write_atlas(tmp_path).read_text()
    assert page.count("| `gradgan dynamics") == len(some) == 2
    assert (tmp_path / "dynamics.png").read_bytes().startswith(b"\x89PNG")

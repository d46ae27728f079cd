"""What all tests share: one thread, Hypothesis without deadlines, the folder of the real MNIST files."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

# The suite runs in several processes; threads on top of them only wait for each other.
torch.set_num_threads(1)

# Deadlines fail on busy machines. In CI every run draws the same examples, so that a red build can be repeated.
settings.register_profile("gradgan", deadline=None, max_examples=30, derandomize=bool(os.environ.get("CI")))
# For the tests of hostile files, by hand: --hypothesis-profile fuzz
settings.register_profile("fuzz", deadline=None, max_examples=10_000, database=None)
settings.load_profile("gradgan")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("GRADGAN_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def mnist_path() -> Path:
    """The folder with MNIST's four files; the test is skipped where there is none."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "mnist"
    folder = Path(os.environ.get("GRADGAN_MNIST", beside))
    if not any(folder.glob("train-images*")):
        pytest.skip("no MNIST files: set GRADGAN_MNIST to their folder, or put them in ../shared/data/mnist")
    return folder

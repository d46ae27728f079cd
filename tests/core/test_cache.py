"""Where the cache lies, by the environment, and what is said where it cannot lie there."""

from pathlib import Path

import pytest

from gradgan.core.cache import cache_folder
from gradgan.core.errors import GradganError


@pytest.mark.parametrize(
    ("own", "users", "wanted"),
    [
        ("own", "users", "own/images"),
        (None, "users", "users/gradgan/images"),
        ("", "", "home/.cache/gradgan/images"),
        (None, None, "home/.cache/gradgan/images"),
    ],
)
def test_the_environment_says_where(tmp_path, monkeypatch, own, users, wanted):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in (("GRADGAN_CACHE", own), ("XDG_CACHE_HOME", users)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, str(tmp_path / value) if value else "")
    folder = cache_folder("images")
    assert folder == tmp_path / wanted and folder.is_dir()
    assert cache_folder("images") == folder


def test_a_relative_xdg_folder_counts_for_nothing(tmp_path, monkeypatch):
    monkeypatch.delenv("GRADGAN_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert cache_folder("x") == tmp_path / ".cache" / "gradgan" / "x"
    assert not Path("somewhere").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRADGAN_CACHE", str(tmp_path / "file"))
    with pytest.raises(GradganError, match=r"cannot make the cache folder .*GRADGAN_CACHE"):
        cache_folder("images")

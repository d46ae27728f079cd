"""The page of a comparison: ties shown as ties, samples side by side, nothing fetched, hostile words stay words."""

import base64
import hashlib
import json
import math
import re

import numpy as np
import pytest

from gradgan.core.errors import GradganError
from gradgan.core.record import RunFolder
from gradgan.report import write_comparison_page
from gradgan.report.bands import band_of, svg_of_bands
from gradgan.report.ranking import ranking

from .reader import EVIL, Reader


def interval(mean, half=0.1, n=3):
    return {"mean": mean, "low": mean - half, "high": mean + half, "sd": half, "n": n}


def reading(mean, rank, difference=None):
    steps = {"0": 10, "1": 20, "2": 20}
    values = dict.fromkeys(steps, mean)
    return {"interval": interval(mean), "difference": difference, "rank": rank, "values": values, "steps": steps}


def row(method, mean, rank, difference=None, diverged=0):
    rank = dict(zip(("best", "worst", "place"), rank, strict=True))
    found = {"modes": {name: reading(mean, rank, difference) for name in ("last", "equal", "best")}}
    logged = {"generator/gradient_norm": {"interval": interval(1.0), "difference": difference, "rank": None}}
    return {
        "method": method, "seeds": 3, "diverged": diverged, "collapsed": 0, "steps": 20, "metrics": found,
        "cost": {"seconds": 0.01, "over_unpenalised": 1.5, "memory": 2**20}, "over_baseline": 1.5, "logged": logged,
    }  # fmt: skip


def comparison(word="plain"):
    rows = [
        row("gan", 5.0, (3, 3, 3)),
        row(f"r1{word}", 8.0, (1, 2, 1), interval(3.0)),
        row("r2", 7.9, (1, 2, 2), interval(2.9)),
        row("wgan", 2.0, (4, 4, 4)),
    ]
    rows[3]["metrics"] = {}
    runs = [
        {"data": word, "budget": word, "method": r["method"], "seed": seed, "path": f"runs/{i}/{seed}",
         "diverged": word, "looks": {"modes": {"10": 4.0 + seed, "20": 5.0 + i}}}
        for i, r in enumerate(rows) for seed in range(3)
    ]  # fmt: skip
    table = {"data": word, "budget": word, "equal": "time", "better": {"modes": "higher"}, "rows": rows}
    about = {"date": word, "gradgan": word, "machine": word}
    return {"command": word, "baseline": "gan", "about": about, "how": word, "tables": [table], "runs": runs}


@pytest.fixture
def folder(tmp_path):
    for i in range(4):
        with RunFolder.create(tmp_path / "runs" / str(i) / "0", config_yaml="a: 1") as run:
            run.save_grid(0, np.zeros((3, 3), np.uint8))
            run.save_grid(20, np.full((3, 3), i, np.uint8))
    return tmp_path


def written_of(words, folder):
    (folder / "comparison.json").write_text(json.dumps(words))
    return write_comparison_page(folder).read_text("utf-8")


def written(folder, word="plain"):
    return written_of(comparison(word), folder)


def test_the_page_shows_ranks_samples_and_curves(folder):
    text = written(folder)
    page = Reader(text)
    assert "4 methods on plain" in page.text and "Differences are to gan" in page.text
    sources = [image["src"] for image in page.all("img")]
    newest = [RunFolder.open(folder / "runs" / str(i) / "0").grids()[-1][1].read_bytes() for i in range(4)]
    assert sources == ["data:image/png;base64," + base64.b64encode(data).decode() for data in newest]
    assert text.count(">over steps<") == text.count(">over seconds<") == 1
    assert {f'class="method-{i}"' for i in range(4)} <= set(re.findall(r'class="method-\d"', text))


def test_same_latents_are_said_only_of_methods_that_have_them(folder):
    said = "the averaged generator, from the same latents for every method."
    for latents, same in ((None, False), ([64, 64, 64, 64], True), ([64, 64, 8, 64], False)):
        words = comparison()
        for run in words["runs"] if latents else ():
            run |= {"latent": latents[int(run["path"].split("/")[1])], "device": "auto"}
        assert (said in Reader(written_of(words, folder)).text) is same
    words["runs"][0]["device"] = "cuda"
    assert said not in Reader(written_of(words, folder)).text


def test_pictures_for_which_there_is_no_room_are_named(folder, monkeypatch):
    of_two = sum(RunFolder.open(folder / "runs" / i / "0").grids()[-1][1].stat().st_size for i in ("0", "1"))
    monkeypatch.setattr("gradgan.report.comparison._MOST_BYTES", of_two)
    page = Reader(written(folder))
    assert len(page.all("img")) == 2
    names = [f"{name} (runs/{i}/0/samples/step_00000020.png)" for i, name in ((2, "r2"), (3, "wgan"))]
    assert f"Left out, to keep this page small: {', '.join(names)}." in page.text
    monkeypatch.setattr("gradgan.report.comparison._MOST_BYTES", 0)
    assert "r1plain (runs/1/0/" in Reader(written(folder)).text, "also where there is no room for any"


def drawn(rows):
    """Of each row: the method's number, whether a line is above it, and its rank."""
    table = {"rows": rows, "better": {"modes": "higher"}, "equal": "time"}
    text = ranking(table, "modes", {r["method"]: i for i, r in enumerate(rows)}, "gan")
    assert "higher is better" in text and 'class="n strong">+3 ' in text
    found = re.findall(r'<tr data-method="(\d)"( class=apart)?><td class="rank">(.*?)</td>', text)
    return [(int(number), line != "", rank) for number, line, rank in found]


def test_ties_are_ranges_and_lie_together():
    rows = comparison()["tables"][0]["rows"]
    assert drawn(rows) == [(1, False, "1–2"), (2, False, "1–2"), (0, True, "3"), (3, True, "–")]
    rows[2]["metrics"] = {}
    assert [line for _, line, _ in drawn(rows)] == [False, True, True, False], "one line above all that have no rank"


def test_no_line_parts_methods_that_tie():
    first, second = row("a", 9.0, (1, 2, 1), interval(3.0)), row("b", 5.0, (2, 3, 2))
    scatters = row("c", 4.0, (1, 3, 3))  # it may be as good as a, which is better than b
    assert drawn([first, second, scatters]) == [(0, False, "1–2"), (1, False, "2–3"), (2, False, "1–3")]


def test_nothing_is_fetched_and_only_its_own_script_runs(folder):
    text = written(folder)
    page = Reader(text)
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    assert page.all("link") == page.all("iframe") == page.all("a") == [] and "@import" not in text
    script = re.search(r"<script>(.*?)</script>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';") and f"script-src 'sha256-{digest}';" in policy
    assert len(re.findall(r'id="[^"]+"', text)) == len(set(re.findall(r'id="[^"]+"', text))), "ids occur once"


def test_hostile_words_stay_words(folder):
    plain, evil = (Reader(written(folder, word)) for word in ("plain", EVIL))
    assert [(tag, sorted(a)) for tag, a in evil.tags] == [(tag, sorted(a)) for tag, a in plain.tags]
    assert evil.text.count("<script>alert(") >= 8
    assert [key for _, a in evil.tags for key in a if key.startswith("on")] == []


def test_a_broken_folder_is_told(tmp_path):
    with pytest.raises(GradganError, match=r"comparison\.json cannot be read"):
        write_comparison_page(tmp_path)


def test_a_band_spans_the_seeds_at_the_steps_that_all_reached():
    band = band_of(3, [{10: 1.0, 20: 2.0}, {10: 3.0, 20: 6.0, 30: 9.0}, {}], scale=0.5)
    assert band is not None
    assert (band.x.tolist(), band.mean.tolist()) == ([5.0, 10.0], [2.0, 4.0])
    assert (band.low.tolist(), band.high.tolist()) == ([1.0, 2.0], [3.0, 6.0])
    assert band_of(0, [{}, {}]) is None
    svg = svg_of_bands([band], salt="s", label="modes")
    assert 'class="method-3"' in svg and "var(--m3)" in svg and "#fe01" not in svg
    assert not math.isnan(band.x.sum())

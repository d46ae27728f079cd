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


def written(folder, word="plain"):
    (folder / "comparison.json").write_text(json.dumps(comparison(word)))
    return write_comparison_page(folder).read_text("utf-8")


def test_the_page_shows_ranks_samples_and_curves(folder):
    text = written(folder)
    page = Reader(text)
    assert "4 methods on plain" in page.text and "Differences are to gan" in page.text
    sources = [image["src"] for image in page.all("img")]
    newest = [RunFolder.open(folder / "runs" / str(i) / "0").grids()[-1][1].read_bytes() for i in range(4)]
    assert sources == ["data:image/png;base64," + base64.b64encode(data).decode() for data in newest]
    assert text.count(">over steps<") == text.count(">over seconds<") == 1
    assert {f'class="method-{i}"' for i in range(4)} <= set(re.findall(r'class="method-\d"', text))


def test_ties_are_ranges_and_lie_together():
    table = comparison()["tables"][0]
    text = ranking(table, "modes", {r["method"]: i for i, r in enumerate(table["rows"])}, "gan")
    rows = re.findall(r'<tr data-method="(\d)"( class=tied)?><td class="rank">(.*?)</td>', text)
    assert rows == [("1", "", "1–2"), ("2", " class=tied", "1–2"), ("0", "", "3"), ("3", "", "–")]
    assert "higher is better" in text and 'class="n strong">+3 ' in text


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

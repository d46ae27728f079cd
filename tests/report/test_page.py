"""The report: complete, self-contained, and safe whatever the run's words are."""

import base64
import hashlib
import json
import math
import re

import numpy as np
import pytest

from gradgan.core.errors import GradganError
from gradgan.core.record import RunFolder
from gradgan.report import parts, write_report
from gradgan.report.page import chosen
from gradgan.report.parts import duration, moment, paper

from .reader import EVIL, Reader


@pytest.fixture
def run(tmp_path):
    with RunFolder.create(tmp_path / "run", config_yaml="system: r3gan\nsteps: 30\n") as run:
        yield run


def fill(run, word="r3gan"):
    for step in range(0, 30, 10):
        run.log(step, step / 10, {"critic/loss": 1.0 + step, "critic/r1": 0.5, "slope/real": 0.1})
        run.save_grid(step, np.full((3, 3), step, np.uint8))
    glossary = {"critic/r1": {"unit": f"score²{word}", "sentence": f"half the slope {word}"}}
    run.update_info(
        status="finished",
        message=f"all well {word}",
        system={"name": word, "summary": f"summary of {word}"},
        data={"name": f"digits {word}", "count": 1797, "event": [1, 8, 8], "classes": 10},
        parameters={f"critic {word}": 98177},
        citations=[{"kind": word, "name": word, "summary": word, "paper": f"arXiv:1801.04406 {word}"}],
        glossary=glossary,
        results={f"modes {word}": 8, "reverse_kl": 0.25},
    )


def read(run):
    return Reader(write_report(run).read_text("utf-8"))


def numbers(page_text):
    return json.loads(re.search(r'id="numbers">(.*?)</script>', page_text, re.S)[1])


def test_the_page_tells_the_whole_run(run):
    fill(run)
    page = read(run)
    wanted = (
        "r3gan on digits r3gan|finished|summary of r3gan|1\u202f797 real samples of shape 1 × 8 × 8 in 10 classes|"
        "all well r3gan|98\u202f177|step 20|Losses|critic/loss 21|Penalty r1, before its weight|score²r3gan|"
        "half the slope r3gan|steps: 30|0.25 nats|2.0 s|arXiv:1801.04406"
    )
    assert [part for part in wanted.split("|") if part not in page.text] == []
    assert [a for a in page.all("a") if a["href"] == "https://arxiv.org/abs/1801.04406"]
    rows = re.sub(r"\s+", " ", page.text[page.text.index("what it says") :])
    assert "critic/loss 21 1 21 nats" in rows


def test_the_commands_name_the_run(tmp_path):
    with RunFolder.create(tmp_path / "my run", config_yaml="a: 1") as run:
        page = read(run)
    path = tmp_path / "my run"
    assert f"gradgan train --config '{path}/config.yaml' --out '{path}' --resume" in page.text
    assert f"gradgan sample '{path}' --out samples.png" in page.text


def test_the_newest_picture_is_shown_and_the_others_can_be_played(run):
    fill(run)
    text = write_report(run).read_text("utf-8")
    newest = "data:image/png;base64," + base64.b64encode(run.grids()[-1][1].read_bytes()).decode()
    assert [image["src"] for image in Reader(text).all("img")] == [newest]
    assert [grid["step"] for grid in numbers(text)["grids"]] == [0, 10, 20]
    assert numbers(text)["grids"][-1]["image"] == newest
    assert Reader(text).all("input")[0]["max"] == "2"


def test_one_picture_needs_no_slider(run):
    run.save_grid(0, np.zeros((2, 2), np.uint8))
    page = read(run)
    assert len(page.all("img")) == 1
    assert page.all("input") == []


def test_an_empty_run_says_so(run):
    page = read(run)
    assert "No samples are drawn yet" in page.text
    assert "No numbers are logged yet" in page.text
    assert "running" in page.text


def test_nothing_is_fetched(run):
    fill(run)
    text = write_report(run).read_text("utf-8")
    page = Reader(text)
    sources = [value for _, a in page.tags for key, value in a.items() if key in ("src", "srcset", "data", "poster")]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert page.all("link") == page.all("iframe") == []
    assert all(a["href"].startswith("https://arxiv.org/abs/") for a in page.all("a"))
    assert "@import" not in text
    assert all(a.get("xlink:href", "#").startswith("#") for _, a in page.tags)
    assert re.findall(r"url\((?!#)", text) == []


def test_the_policy_allows_the_pages_own_script_only(run):
    text = write_report(run).read_text("utf-8")
    policy = next(a["content"] for a in Reader(text).all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    script = re.search(r"<script>(.*?)</script>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")


def test_hostile_words_stay_words(tmp_path):
    """Names, messages, units, configs and results full of markup add no tag and no attribute to the page."""
    pages = []
    for word in ("plain", EVIL):
        folder = tmp_path / word.replace("/", "|")
        with RunFolder.create(folder, config_yaml=json.dumps({"note": word})) as run:
            fill(run, word)
            run.update_info(status=word, created=word, gradgan=word, results={word: word})
            run.update_info(data={"name": word, "count": word, "event": [word], "classes": word})
            run.update_info(glossary={name: {"unit": word + "!", "sentence": word} for name in (word, "critic/r1")})
            run.log(30, 3.0, {f"critic/{word}": 1.0, word: math.nan, f"lr/{word}": 0.1})
            pages.append(read(run))
    plain, evil = pages
    assert [(tag, sorted(a)) for tag, a in evil.tags] == [(tag, sorted(a)) for tag, a in plain.tags]
    assert evil.text.count("<script>alert(") >= 10
    assert [key for _, a in evil.tags for key in a if key.startswith("on")] == []


def test_numbers_that_are_not_finite_are_said(run):
    for step, value in enumerate([1.0, math.nan, math.inf, math.nan]):
        run.log(step, 0.0, {"critic/loss": value, "generator/loss": 1.0})
    run.update_info(results={"reverse_kl": math.inf})
    text = write_report(run).read_text("utf-8")
    page = Reader(text)
    assert "× critic/loss is inf and nan 3 times, first at step 1." in page.text
    assert "3 not finite." in page.text
    assert "× generator/loss" not in page.text
    assert "inf nats" in page.text
    assert "var(--alarm)" in text
    assert numbers(text)["charts"][0]["series"][0]["values"] == ["1", "nan", "inf", "nan"]


def test_a_number_nobody_described_is_shown_all_the_same(run):
    run.log(1, 0.0, {"my/own": 4.5})
    assert "my/own 4.5" in read(run).text


def test_many_pictures_are_thinned_evenly(tmp_path):
    grids = []
    for step in range(101):
        path = tmp_path / f"{step}.png"
        path.write_bytes(b"x")
        grids.append((step, path))
    steps = [step for step, _ in chosen(grids)]
    assert (len(steps), steps[0], steps[-1]) == (40, 0, 100)
    assert set(np.diff(steps)) == {2, 3}
    assert chosen(grids[:40]) == grids[:40]
    assert chosen(grids[:1]) == grids[:1]
    assert chosen([]) == []


def test_heavy_pictures_are_thinned_more(tmp_path):
    path = tmp_path / "big.png"
    path.write_bytes(bytes(500_000))
    steps = [step for step, _ in chosen([(step, path) for step in range(30)])]
    assert (len(steps), steps[0], steps[-1]) == (6, 0, 29)


def test_a_long_run_makes_a_page_of_few_megabytes(run):
    rng = np.random.default_rng(0)
    names = [f"critic/{i}" for i in range(12)]
    line = '{{"step": {}, "seconds": 1.0, "numbers": {}}}\n'
    rows = (line.format(i, json.dumps(dict(zip(names, rng.random(12), strict=True)))) for i in range(5000))
    (run.path / "log.jsonl").write_text("".join(rows))
    assert write_report(run).stat().st_size < 1_500_000


def test_a_broken_log_is_told_and_the_old_report_stays(run):
    before = write_report(run).read_bytes()
    (run.path / "log.jsonl").write_text("broken\n")
    with pytest.raises(GradganError, match="line 1 is broken"):
        write_report(run)
    assert (run.path / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (45.2, "45 s"), (59.7, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_are_said_as_people_do(seconds, text):
    assert duration(seconds) == text


def test_moments_are_in_utc():
    assert moment("2026-01-02T03:04:05+02:00") == "2026-01-02 01:04 UTC"
    assert moment("yesterday") == "yesterday"


def test_papers_off_arxiv_are_plain_words():
    assert "href" not in paper("ATGP")
    assert paper("arXiv:1801.04406, arXiv:2501.05441").count("<a href=") == 2


def test_evaluations_stand_side_by_side_and_are_escaped():
    numbers = {"modes": {"value": 7.0, "error": "nan", "method": "bootstrap"}, "<b>": {"value": 1.0, "error": 0.25}}
    found = {step: {"samples": 2500, "unseen": step < 6, "numbers": numbers} for step in range(1, 7)}
    text = parts.evaluation(found, {})
    assert "7 ± nan" in text and "1 ± 0.25" in text and "&lt;b&gt;" in text and "<b>" not in text
    assert "step 6" in text and "step 2<" not in text
    assert "Shown are the newest 4 of 6 evaluated checkpoints." in text
    assert "Shown are" not in parts.evaluation({step: found[step] for step in (1, 2, 5, 6)}, {}), "they are all there"
    assert "learned from" in text
    assert parts.evaluation({}, {}) == ""

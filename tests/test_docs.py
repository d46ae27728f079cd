"""The documents point to files that are there, the README's figures are the evidence's, and its plans the code's."""

import re
from pathlib import Path

import pytest

from gradgan.comparison import make_plan, read_plan
from gradgan.experiment import configure

ROOT = Path(__file__).parents[1]
EVIDENCE = ROOT / "docs" / "evidence"
PLANS = sorted(EVIDENCE.glob("*.yaml"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), link


def column(page: str, title: str, heading: str) -> dict[str, str]:
    """Of the table below `title` on a page of the evidence: each method's mean in the first column of that heading."""
    body = (EVIDENCE / page).read_text().split(f"**{title}", 1)[1].split("\n\n")[1]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines())
    wanted = next(i for i, cell in enumerate(head) if cell.startswith(heading))
    return {row[head.index("method")]: row[wanted].split(" [")[0] for row in rows}


def test_the_readme_s_comparison_is_the_evidence_s():
    mnist = "mnist_mlp, 9370 steps, 3 seeds: "
    columns = {
        "ring": column("toy.md", "ring, 1 minutes, 5 seeds: mixture_distance", "last"),
        "grid": column("toy.md", "grid, 1 minutes, 5 seeds: modes", "last"),
        "MNIST": column("mnist_mlp.md", f"{mnist}classes", "last"),
        "ratio": column("mnist_mlp.md", f"{mnist}frechet_ratio", "last"),
        "a step": column("mnist_mlp.md", f"{mnist}ends and costs", "time/step over unpenalised"),
    }
    stacked = column("stacked_mnist.md", "stacked_mnist, 20 minutes, 2 seeds: class_kl**", "last")
    ablation = {"gan": "gan", "wgan_gp": "wgan_gp", "r1": "gan+r1", "r1r2": "gan+r1+r2", "r3gan": "relativistic+r1+r2"}
    columns["Stacked"] = {system: stacked[method] for system, method in ablation.items()}
    table = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table)
    assert len(rows) == 15 == len({row[0] for row in rows})
    for row in rows:
        told = {name: cell for name, cell in zip(head, row, strict=True) if name in columns}
        assert told == {name: found.get(row[0].strip("`"), "–") for name, found in columns.items()}, row[0]


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_every_plan_of_the_evidence_is_one_of_the_present_code(path):
    plan = make_plan(read_plan(path), source=path.name)
    for data, own in plan.data.items():
        for settings in plan.named_methods().values():
            configure(data, settings=[*own, *plan.settings, *settings])
    assert f"]({path.name})" in (EVIDENCE / "README.md").read_text()


def test_the_evidence_s_commands_name_plans_that_are_there():
    named = {name for page in EVIDENCE.glob("*.md") for name in re.findall(r"--config (docs/\S+)", page.read_text())}
    assert len(named) >= 6
    assert all((ROOT / name).exists() for name in named)

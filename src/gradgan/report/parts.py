"""The page's parts, each a piece of HTML; whatever comes from the run goes through `e`, which escapes it."""

import html
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.glossary import NUMBERS, Number
from .curves import Chart, Series, figure_of
from .drawing import svg_of, svg_of_histograms

Glossary = Mapping[str, Number]


def e(value: object) -> str:
    """Any value as text in HTML, within quotes too."""
    return html.escape(str(value))


def glossary_of(info: Mapping[str, Any]) -> dict[str, Number]:
    """The run's own glossary over the general one."""
    own = {name: Number(row.get("unit", ""), row.get("sentence", "")) for name, row in info.get("glossary", {}).items()}
    return {**NUMBERS, **own}


def duration(seconds: float) -> str:
    """Seconds as a person says them: 45 s, 3 min 20 s, 2 h 05 min."""
    whole = round(seconds)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(iso: object) -> str:
    """A point in time without its seconds, or the text as it is where it is none."""
    with suppress(ValueError):
        return datetime.fromisoformat(str(iso)).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return str(iso)


def header(info: Mapping[str, Any], path: Path) -> str:
    """Title, status, what was trained on what, and the message if there is one."""
    system, data = info.get("system", {}), info.get("data", {})
    status = str(info.get("status", "unknown"))
    css = status if status in ("running", "finished", "stopped", "failed") else "unknown"
    name = system.get("name", path.name)
    title = e(name) + (f" on {e(data['name'])}" if "name" in data else "")
    facts = []
    if data.get("count") is not None:
        facts.append(f"{figure_of(data['count'])} real samples" if isinstance(data["count"], int) else e(data["count"]))
    if data.get("event"):
        facts.append("of shape " + e(" × ".join(map(str, data["event"]))))
    if data.get("classes"):
        facts.append(f"in {e(data['classes'])} classes")
    made = f"Begun {e(moment(info['created']))}" if "created" in info else ""
    lines = [e(system.get("summary", "")), ". ".join(part for part in (" ".join(facts), made) if part)]
    message = info.get("message")
    if status == "running" and not message:
        message = "The run was going on when this page was written, or was cut off since. Below: how to go on."
    return (
        f'<div class="top"><h1>{title}</h1><span class="status {css}">{e(status)}</span></div>'
        + "".join(f'<p class="lead">{line}</p>' for line in lines if line)
        + (f'<p class="message {css}">{e(message)}</p>' if message else "")
    )


def tiles(info: Mapping[str, Any], glossary: Glossary, *, step: int | None, seconds: float | None) -> str:
    """The few big numbers: results, steps, time, sizes."""
    rows = [
        _tile(_value(value), name.replace("_", " "), glossary.get(name), "result")
        for name, value in info.get("results", {}).items()
    ]
    rows += [_tile(figure_of(step), "steps")] if step is not None else []
    rows += [_tile(duration(seconds), "training time")] if seconds is not None else []
    rows += [_tile(_value(count), f"parameters, {name}") for name, count in info.get("parameters", {}).items()]
    return f'<ul class="tiles">{"".join(rows)}</ul>' if rows else ""


def _tile(value: str, name: str, number: Number | None = None, css: str = "") -> str:
    title = f' title="{e(number.sentence)}"' if number else ""
    # The tile's name often is its unit: "8 modes" needs no second "modes".
    unit = f"<small>{e(number.unit)}</small>" if number and number.unit != name else ""
    return f'<li class="card {css}"{title}><b>{e(value)}{unit}</b><span>{e(name)}</span></li>'


def _value(value: object) -> str:
    return figure_of(value) if isinstance(value, (int, float)) else str(value)


_COLUMNS = 4


def evaluation(found: Mapping[int, Mapping[str, Any]], glossary: Glossary) -> str:
    """The newest evaluations of checkpoints side by side, each number with its standard error; nothing without any."""
    if not found:
        return ""
    shown = dict(sorted(found.items())[-_COLUMNS:])
    names = dict.fromkeys(name for one in shown.values() for name in one.get("numbers", {}))
    head = "".join(f'<th class="n">step {figure_of(step)}</th>' for step in shown)
    rows = "".join(
        f'<tr><td class="name">{e(name)}</td>'
        + "".join(f'<td class="n">{_estimate(one.get("numbers", {}).get(name))}</td>' for one in shown.values())
        + f'<td class="what">{e(glossary.get(name, Number("", "")).sentence)}</td></tr>'
        for name in names
    )
    last = list(shown.values())[-1]
    seen = "" if last.get("unseen", True) else " The held-out samples are a fifth of what the run has learned from."
    chosen = f" Shown are the newest {_COLUMNS} of {len(found)} evaluated checkpoints." if len(found) > _COLUMNS else ""
    return (
        f'<h2>Evaluation</h2><p class="quiet">{e(last.get("samples", ""))} samples of the averaged generator; ± one '
        f"standard error.{seen}{chosen}</p>"
        f'<div class="card scroll"><table><thead><tr><th>number</th>{head}<th>what it says</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        f"{_charts(_slopes(last.get('slopes', {})) + _classes(last.get('classes', {})))}"
    )


_PLACES = {"real": ("real", "real samples"), "fake": ("generator", "generated"), "between": ("critic", "between them")}
"""Of a slope histogram: the palette's word and the reader's."""


def _charts(drawn: str) -> str:
    return f'<div class="charts">{drawn}</div>' if drawn else ""


def _slopes(found: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """How the critic's slopes are spread, as the evaluation found them; nothing where it was not asked."""
    shown = {place: found[place] for place in _PLACES if place in found}
    if not shown:
        return ""
    svg = svg_of_histograms({_PLACES[place][0]: histogram for place, histogram in shown.items()},
                            salt="slopes", label="histograms of the critic's slopes")  # fmt: skip
    keys = "".join(f'<li style="--c: var(--{_PLACES[place][0]})"><i></i>{e(_PLACES[place][1])}</li>' for place in shown)
    return (
        '<figure class="card chart"><header><h3>slopes of the critic</h3>'
        f'<span>samples by ‖∇D‖, ± 2 standard errors</span></header><ul class="keys">{keys}</ul>'
        f'<div class="plot">{svg}</div></figure>'
    )


_MOST_CLASSES = 200
"""Of which a chart can be read."""


def _classes(found: Mapping[str, Sequence[float]]) -> str:
    """Which classes the samples have, beside the data's; nothing where it was not asked, or there are too many."""
    count = len(found.get("data", ()))
    if not 0 < count <= _MOST_CLASSES:
        return ""
    edges = [one - 0.5 for one in range(count + 1)]
    shares = {
        "real": {"edges": edges, "counts": found["data"]},
        "generator": {"edges": edges, "counts": found["samples"], "errors": found["errors"]},
    }
    svg = svg_of_histograms(shares, salt="classes", label="shares of the classes")
    keys = "".join(
        f'<li style="--c: var(--{word})"><i></i>{said}</li>'
        for word, said in (("real", "the data"), ("generator", "generated, ± 2 standard errors"))
    )
    return (
        '<figure class="card chart"><header><h3>classes</h3>'
        f'<span>share by class</span></header><ul class="keys">{keys}</ul><div class="plot">{svg}</div></figure>'
    )


def _estimate(number: Mapping[str, Any] | None) -> str:
    if number is None:
        return ""
    value, error = (float(number[part]) for part in ("value", "error"))
    return e(f"{value:.4g} ± {error:.2g}")


def film(grids: Sequence[tuple[int, str]], total: int) -> str:
    """The newest picture, and what the script needs to play through the earlier ones."""
    if not grids:
        return '<div class="card empty">No samples are drawn yet. They appear here after the first picture.</div>'
    step, image = grids[-1]
    last = len(grids) - 1
    controls = (
        f'<form><button type="submit">Play</button><input type="range" min="0" max="{last}" value="{last}" step="1" '
        f'aria-label="Picture"><output>step {figure_of(step)}</output></form>'
        if last
        else ""
    )
    chosen = f" Shown are {len(grids)} of {total} pictures, evenly spaced." if total > len(grids) else ""
    about = f'<p class="quiet">From the same latents at every picture, so one place shows one sample grow.{chosen}</p>'
    still = f'<p class="quiet{" unscripted" if last else ""}">Step {figure_of(step)}</p>'
    return (
        f'{about}<div class="card player" id="film"><img src="{image}" alt="Samples at step {step}">'
        f"{controls}{still}</div>"
    )


def chart(index: int, drawn: Chart, glossary: Glossary) -> str:
    """One chart with its key, its unit and the sentences that say what is seen."""
    units = dict.fromkeys(glossary[s.name].unit for s in drawn.series if s.name in glossary and glossary[s.name].unit)
    unit = ", ".join(units) + (", log axis" if units and drawn.log else "log axis" if drawn.log else "")
    keys = "".join(
        f'<li style="--c: var(--{s.color})"><i></i>{e(s.name)} <b>{figure_of(float(s.values[-1]))}</b></li>'
        for s in drawn.series
    )
    notes = "".join(f"<p>{e(sentence)}</p>" for sentence in sentences(drawn, glossary))
    alarms = "".join(f'<p class="alarm">{note}</p>' for s in drawn.series if (note := broken(s)))
    label = e(f"{drawn.title}: " + ", ".join(s.name for s in drawn.series))
    return (
        f'<figure class="card chart" id="chart{index}"><header><h3>{e(drawn.title)}</h3><span>{e(unit)}</span></header>'
        f'<ul class="keys">{keys}</ul><div class="plot">{svg_of(drawn, label)}</div>'
        f"<figcaption>{alarms}{notes}</figcaption></figure>"
    )


def sentences(drawn: Chart, glossary: Glossary) -> list[str]:
    """What the chart's numbers say; what is the same for every player is said once."""
    said = [(s.name.split("/"), glossary[s.name].sentence) for s in drawn.series if s.name in glossary]
    if len(said) > 1:
        shared = {re.sub("|".join(map(re.escape, filter(None, name))), "player", text) for name, text in said}
        if len(shared) == 1:
            return list(shared)
    return [text for text in dict.fromkeys(text for _, text in said) if text]


def broken(series: Series) -> str:
    """What is said of values that are not finite: which, how many, since when."""
    at = series.steps[~series.finite]
    if not len(at):
        return ""
    kinds = " and ".join(sorted({figure_of(float(v)) for v in series.values[~series.finite]}))
    times = "once" if len(at) == 1 else f"{len(at)} times, first"
    return f"× {e(series.name)} is {kinds} {times} at step {figure_of(int(at[0]))}."


def table(series: Mapping[str, Series], glossary: Glossary) -> str:
    """Every number: last, least and greatest finite value, unit, sentence."""
    rows = []
    for name, s in series.items():
        number = glossary.get(name, Number("", ""))
        known = s.values[s.finite]
        low, high = (figure_of(float(known.min())), figure_of(float(known.max()))) if len(known) else ("–", "–")
        last = figure_of(float(s.values[-1]))
        alarm = "" if s.finite[-1] else " alarm"
        note = (
            f' <span class="alarm">{len(s.values) - len(known)} not finite.</span>'
            if len(known) < len(s.values)
            else ""
        )
        rows.append(
            f'<tr><td class="name" style="--c: var(--{s.color})"><i></i>{e(name)}</td><td class="n{alarm}">{last}</td>'
            f'<td class="n">{low}</td><td class="n">{high}</td><td>{e(number.unit)}</td>'
            f'<td class="what">{e(number.sentence)}{note}</td></tr>'
        )
    head = '<th>number</th><th class="n">last</th><th class="n">least</th><th class="n">greatest</th><th>unit</th>'
    return (
        f'<div class="card scroll"><table><thead><tr>{head}<th>what it says</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def sources(citations: Sequence[Mapping[str, str]]) -> str:
    """The papers behind the parts, linked where they are on arXiv."""
    rows = "".join(
        f"<li><b>{e(row.get('name', ''))}</b> <small>{e(row.get('kind', ''))}</small><br>{e(row.get('summary', ''))} "
        f"{paper(row.get('paper', ''))}</li>"
        for row in citations
    )
    return f'<ul class="card sources">{rows}</ul>'


def paper(text: str) -> str:
    """A paper as the catalog names it; every arXiv number in it becomes a link."""
    link = r'<a href="https://arxiv.org/abs/\1" rel="noreferrer">arXiv:\1</a>'
    return f"<small>{re.sub(r'arXiv:([0-9]{4}[.][0-9]{4,5})', link, e(text))}</small>"


def commands(path: Path) -> str:
    """How to go on with the run."""
    run = shlex.quote(str(path))
    config = shlex.quote(str(path / "config.yaml"))
    rows = {
        "Go on training": f"gradgan train --config {config} --out {run} --resume",
        "Draw new samples": f"gradgan sample {run} --out samples.png",
        "Write this page again": f"gradgan report {run}",
        "Look at the same numbers in TensorBoard": f"tensorboard --logdir {shlex.quote(str(path / 'tensorboard'))}",
    }
    return (
        '<dl class="card commands">'
        + "".join(f"<dt>{e(what)}</dt><dd><code>{e(how)}</code></dd>" for what, how in rows.items())
        + "</dl>"
    )

"""Evaluation: by name, against held-out data, during a run without changing it, and with the best kept."""

import copy
import json
import math
import re
import statistics
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gradgan.cli import main
from gradgan.core.errors import GradganError
from gradgan.data import DATASETS, Dataset
from gradgan.data.held_out import part_of
from gradgan.experiment import (
    Drawn,
    Evaluator,
    Run,
    all_metrics,
    build,
    configure,
    default_metrics,
    evaluator_of,
    score_of,
    train,
)
from gradgan.experiment.sampler import samples_of
from gradgan.metrics import BLOCKS, METRICS, Estimate, Own, fewest, merit, trained_classifier
from gradgan.training import checkpoint
from gradgan.training.hooks import Save

TINY = ["data.samples=300", "batch=16", "generator.widths=[8]", "critic.widths=[8]", "evaluate.samples=100"]
RING = DATASETS.make("ring", samples=2000)
DIGITS = DATASETS.make("digits", split="train")


def drawn(dataset: Dataset) -> Drawn:
    return Drawn(lambda n: dataset.scaled(slice(n)))


def test_training_samples_are_as_good_as_can_be_and_are_seen_to_be_copies():
    found = Evaluator(DIGITS, all_metrics(DIGITS)).measure(drawn(DIGITS))
    assert found["classes"].value == 10
    assert found["classifier_accuracy"].value >= 0.98
    assert found["frechet_ratio/classifier"].value == pytest.approx(1, abs=1e-6)
    assert found["precision/classifier"].value > 0.9
    assert found["memorisation/classifier"].value > 0.95


def test_copies_are_seen_however_few_samples_are_measured():
    # Of 1438 training samples 200 are compared; the copies are mostly of the others.
    few = Evaluator(DIGITS, ["memorisation/pixels", "memorisation/classifier"], samples=200)
    copies = few.measure(Drawn(lambda n: DIGITS.scaled(slice(1000, 1000 + n))))
    assert min(one.value for one in copies.values()) > 0.95
    others = DATASETS.make("digits", split="test")
    assert few.measure(drawn(others))["memorisation/pixels"].value == pytest.approx(0.5, abs=0.1)
    assert len(few.real("pixels").training) == 200 and len(few.real("pixels").learned) == len(DIGITS)


def test_all_metrics_are_all_that_there_are():
    names = {name.partition("/")[0] for data in (RING, DIGITS) for name in all_metrics(data, networks=True)}
    assert names == set(METRICS)
    assert not {"critic_slope", "latent_sensitivity"} & set(all_metrics(RING))


def test_features_do_not_take_the_names_of_gradgan_s_own():
    with pytest.raises(GradganError, match="'classifier' would be taken for gradgan's own"):
        Evaluator(DIGITS, features=[Own(torch.nn.Flatten(), "classifier")])


def test_what_is_computed_with_other_weights_is_kept_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADGAN_CACHE", str(tmp_path))
    labels, some = DIGITS.labels, torch.arange(200)
    one = trained_classifier(DIGITS.samples, labels, 10, among=some)
    (kept,) = (tmp_path / "classifiers").glob("*.safetensors")
    weights = load_file(kept)
    save_file({name: w * 1.001 if w.is_floating_point() else w for name, w in weights.items()}, kept)
    other = trained_classifier(DIGITS.samples, labels, 10, among=some)
    assert one.key != other.key


def test_held_out_samples_are_no_copies():
    held_out = DIGITS.held_out()
    low, high = Evaluator(DIGITS, ["memorisation/pixels"]).measure(drawn(held_out))["memorisation/pixels"].interval
    assert low < 0.5 < high


def test_noise_is_condemned():
    noise = Drawn(lambda n: torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    found = Evaluator(DIGITS, ["frechet/pixels", "precision/pixels"]).measure(noise)
    assert list(found) == ["frechet/pixels", "frechet_floor/pixels", "frechet_ratio/pixels", "precision/pixels"]
    assert found["frechet_ratio/pixels"].value > 20
    assert found["precision/pixels"].value == 0


def test_a_generator_by_class_is_asked_for_the_classes_as_often_as_the_data_have_them():
    # Ones are a third of what is learned. To know every class perfectly must be as good as to be the data.
    labels, ones = DIGITS.labels, (DIGITS.labels == 1).nonzero()[:, 0]
    lopsided = part_of(DIGITS, torch.cat([torch.arange(len(DIGITS)), ones.repeat(5)]))
    where = [(labels == label).nonzero()[:, 0] for label in range(10)]

    def of_classes(wanted: torch.Tensor) -> torch.Tensor:
        pick = torch.Generator().manual_seed(3)
        index = [where[label][torch.randint(len(where[label]), (), generator=pick)] for label in wanted.tolist()]
        return DIGITS.scaled(torch.stack(index))

    def uniform(n: int) -> torch.Tensor:
        return of_classes(torch.arange(n) % 10)

    by = Evaluator(replace(lopsided, held_out=lambda: lopsided), ["frechet/pixels", "class_kl"])
    told, not_told = by.measure(Drawn(uniform, of_classes)), by.measure(Drawn(uniform))
    assert told["frechet/pixels"].value < 0.05 * not_told["frechet/pixels"].value
    assert told["class_kl"].value < 0.005 < 0.1 < not_told["class_kl"].value
    assert torch.bincount(by.labels).tolist() == torch.bincount(lopsided.labels).tolist()


def test_the_error_of_a_generator_by_class_is_how_far_its_numbers_scatter():
    # Each class with a little noise of its own. Were the blocks' classes left to chance, the error would be five times
    # too large.
    centres = torch.stack([DIGITS.scaled(DIGITS.labels == label).mean(0) for label in range(10)])
    by = Evaluator(DIGITS, ["frechet/pixels"])

    def measured(seed: int) -> Estimate:
        noise = 0.2 * (torch.rand(DIGITS.samples.shape, generator=torch.Generator().manual_seed(seed)) - 0.5)
        told = Drawn(lambda n: noise[:n], lambda labels: centres[labels] + noise[: len(labels)])
        return by.measure(told)["frechet/pixels"]

    found = [measured(seed) for seed in range(20)]
    scatter = statistics.stdev(one.value for one in found)
    assert scatter / 2 < statistics.mean(one.error for one in found) < 2 * scatter


def test_features_of_ones_own_give_their_name_to_the_numbers():
    own = Own(lambda x: x.flatten(1)[:, :3], "first_three", rgb=False)
    found = Evaluator(DIGITS, ["kid/first_three"], features=[own]).measure(drawn(DIGITS))
    assert list(found) == ["kid/first_three"]
    with pytest.raises(GradganError, match="a vector for each"):
        Own(lambda x: x.sum())(torch.rand(4, 1, 8, 8))


@pytest.mark.parametrize(
    ("dataset", "name", "message"),
    [
        (RING, "frechet", "wants features: frechet/coordinates"),
        (RING, "frechet/pixels", "coordinates"),
        (RING, "classes", "two classes or more"),
        (DIGITS, "modes", "known centres"),
        (DIGITS, "classes/pixels", "takes no features"),
        (DIGITS, "frechet_ration/pixels", "frechet_ratio"),
        (DIGITS, "kid/inception", "features of data set 'digits'"),
    ],
)
def test_what_the_data_cannot_serve_is_refused_at_the_door(dataset, name, message):
    with pytest.raises(GradganError, match=message):
        Evaluator(dataset, [name])


FEATURED = [name for name in METRICS if METRICS[name].facts["needs"] == "features"]


@pytest.mark.parametrize("name", FEATURED)
def test_the_fewest_samples_that_a_metric_wants(name):
    """With so many it gives a number; with one less it says so before anything is trained, not at the first look."""
    wanted, asked = fewest(name), [f"{name}/pixels"]
    kept, enough = torch.arange(wanted), torch.arange(wanted + 10)
    few = Evaluator(part_of(replace(DIGITS, held_out=None), enough), asked, samples=wanted, kept=kept)
    assert math.isfinite(few.measure(drawn(DIGITS))[asked[0]].value)
    whole = part_of(replace(DIGITS, held_out=None), enough)
    message = rf"{name}/pixels wants at least {wanted} .* allows "
    if name not in ("frechet_floor", "frechet_ratio"):  # with them comes frechet, which is named first
        with pytest.raises(GradganError, match=message + f"{wanted - 1} and {wanted}"):
            Evaluator(whole, asked, samples=wanted - 1, kept=kept)
    with pytest.raises(GradganError, match=rf"wants at least {wanted} .* allows 10 and {wanted - 1}"):
        Evaluator(whole, asked, samples=10, kept=kept[1:])


def test_a_handful_of_pictures_is_refused_before_anything_is_trained(tmp_path):
    for n, message in ((12, "precision/pixels wants at least 4"), (8, "wanted at least 10 samples, a fifth of which")):
        np.savez(tmp_path / "x.npz", images=np.random.default_rng(0).integers(0, 255, (n, 8, 8), dtype=np.uint8))
        settings = [f"data.path={tmp_path / 'x.npz'}", "data.size=8", "batch=4"]
        with pytest.raises(GradganError, match=message):
            train("images", steps=2, settings=settings, out=tmp_path / "run")
        assert not (tmp_path / "run").exists()
    with pytest.raises(GradganError, match="wanted at least 10 samples, a fifth of which"):
        Evaluator(part_of(replace(DIGITS, held_out=None), torch.arange(8)), ["classes"])


def test_a_frechet_distance_is_found_once_a_look(monkeypatch):
    evaluator = Evaluator(DIGITS, ["frechet_ratio/pixels"], samples=200)
    evaluator.measure(drawn(DIGITS))  # the floor is kept from here on
    calls = []
    module = sys.modules["gradgan.metrics.frechet"]  # the package's `frechet` is the metric
    of = module.frechet_distance
    monkeypatch.setattr(module, "frechet_distance", lambda *moments: calls.append(1) or of(*moments))
    found = evaluator.measure(drawn(DATASETS.make("digits", split="test")))
    assert len(calls) == 1 + BLOCKS
    assert found["frechet_ratio/pixels"].value == found["frechet/pixels"].value / found["frechet_floor/pixels"].value


def test_what_best_means():
    assert score_of(RING) == "mixture_distance"
    assert score_of(DIGITS) == "frechet_ratio/classifier"
    assert score_of(DATASETS.make("spiral", samples=50)) == "coverage/coordinates"
    assert score_of(DIGITS, ["frechet_floor/pixels", "recall/pixels"]) == "recall/pixels"
    with pytest.raises(GradganError, match="says what is better"):
        score_of(DIGITS, ["critic_slope"])
    assert merit("frechet_ratio/pixels", 1.0) > merit("frechet_ratio/pixels", 2.0)
    assert merit("recall/pixels", 0.1) < merit("recall/pixels", 0.2)
    assert merit("memorisation/pixels", 0.55) > merit("memorisation/pixels", 0.3)
    assert merit("modes", math.nan) < merit("modes", 1.0) and merit("modes", math.inf) < merit("modes", 1.0)
    for dataset in (RING, DIGITS, DATASETS.make("spiral", samples=50), DATASETS.make("dirac", samples=50)):
        assert score_of(dataset) in default_metrics(dataset)


def test_evaluation_during_a_run_changes_nothing_and_keeps_the_best(tmp_path):
    words = [*TINY, "critic.spectral_norm=true", "generator.norm=batch", "checkpoint.every=4", "log.every=4"]
    plain = train("ring", system="hinge", steps=8, settings=[*words, "evaluate.every=0"], out=tmp_path / "plain")
    seen = train("ring", system="hinge", steps=8, settings=[*words, "evaluate.every=2"], out=tmp_path / "seen")
    for name, value in plain.experiment.state.networks["generator"].state_dict().items():
        assert torch.equal(value, seen.experiment.state.networks["generator"].state_dict()[name]), name
    logged = {
        entry.step: entry.numbers["mixture_distance"] for entry in seen.log() if "mixture_distance" in entry.numbers
    }
    assert set(logged) == {2, 4, 6, 8}
    best = seen.experiment.state.best
    assert best["value"] == min(logged.values()) == logged[best["step"]]
    assert [step for step, _ in seen.folder.best_checkpoints()][-1] == best["step"]
    loaded = Run.load(tmp_path / "seen", best=True)
    assert loaded.step == best["step"]
    assert loaded.evaluate()["mixture_distance"].value == best["value"]
    with pytest.raises(GradganError, match=r"no best checkpoint.*evaluate\.every"):
        Run.load(tmp_path / "plain", best=True)


@pytest.mark.parametrize("conditional", [False, True])
def test_what_is_measured_is_drawn_from_the_average_and_not_from_the_weights_that_are_trained(tmp_path, conditional):
    words = [*TINY, "ema=0.9", "optimiser.lr=0.05", f"conditional={str(conditional).lower()}"]
    run = train("ring", steps=8, settings=words, out=tmp_path / "run")
    # The average from the file, into a generator of its own: none of the run's own ways to it is taken.
    kept = checkpoint.load(run.folder.checkpoints()[-1][1])["average"]
    raw = run.experiment.state.networks["generator"]
    average = copy.deepcopy(raw).eval()
    average.load_state_dict({name: kept[f"module.{name}"] for name in raw.state_dict()})
    labels = torch.randint(8, (40,)) if conditional else None

    def drawn_from(generator: torch.nn.Module, labels: torch.Tensor | None = None) -> torch.Tensor:
        given = None if labels is None else labels.tolist()
        return samples_of(generator, run.config, run.dataset.classes, 40, seed=1, labels=given)

    found = run.drawn()
    assert torch.equal(found.draw(40), drawn_from(average))
    assert (found.draw(40) - drawn_from(raw)).abs().mean() > 0.05, "or nothing would be told apart"
    if labels is not None:
        assert found.of_classes is not None
        assert torch.equal(found.of_classes(labels), drawn_from(average, labels))
    assert found.generator is not None and found.latents is not None
    z = found.latents(40)
    with torch.no_grad():
        wanted = average(z, torch.arange(40) % 8) if conditional else average(z)
        assert torch.equal(found.generator(z), wanted)


def test_going_back_to_any_kept_checkpoint_finds_the_best_until_then(tmp_path):
    run = train("ring", steps=1, settings=TINY, out=tmp_path / "run")
    state, save = run.experiment.state, Save(run.folder, every=1, keep=2)
    for step in (10, 20, 30):
        state.step, state.best = step, {"name": "mixture_distance", "value": 1 / step, "step": step}
        checkpoint.save(run.folder.best_path(step), state.state_dict())
        state.step += 5
        save.save(state)
    assert [step for step, _ in run.folder.checkpoints()] == [25, 35]
    assert [step for step, _ in run.folder.best_checkpoints()] == [20, 30]
    # The same where an old one is pinned: what was the best between is the best of nowhere.
    save.pinned = (25,)
    for step in (40, 50, 60, 70):
        state.step, state.best = step, {"name": "mixture_distance", "value": 1 / step, "step": step}
        checkpoint.save(run.folder.best_path(step), state.state_dict())
        state.step += 5
        save.save(state)
    assert [step for step, _ in run.folder.checkpoints()] == [25, 65, 75]
    assert [step for step, _ in run.folder.best_checkpoints()] == [20, 60, 70]
    run.folder.rewind(25)
    assert Run.load(run.folder.path, best=True).step == 20 == Run.load(run.folder.path).experiment.state.best["step"]


def test_a_resumed_run_remembers_its_best(tmp_path):
    words = [*TINY, "checkpoint.every=2", "evaluate.every=2", "log.every=2"]
    train("ring", steps=4, settings=words, out=tmp_path / "run")
    before = Run.load(tmp_path / "run").experiment.state.best
    again = train("ring", steps=6, settings=words, out=tmp_path / "run", resume=True)
    logged = [entry.numbers["mixture_distance"] for entry in again.log() if "mixture_distance" in entry.numbers]
    assert len(logged) == 3
    assert before["value"] == min(logged[:2]) and again.experiment.state.best["value"] == min(logged)


def test_a_later_best_goes_when_the_run_is_taken_up_before_it(tmp_path):
    run = train("ring", steps=2, settings=TINY, out=tmp_path / "run")
    late = run.folder.best_path(900)
    late.write_bytes(b"")
    run.folder.rewind(2)
    run.folder.close()
    assert not late.exists()


def test_the_command_measures_every_checkpoint(tmp_path, capsys):
    out = tmp_path / "run"
    train("ring", steps=4, settings=[*TINY, "checkpoint.every=2"], out=out)
    main(["evaluate", str(out), "--which", "all", "--metrics", "modes", "critic_slope", "latent_sensitivity"])
    said = capsys.readouterr().out
    assert "step 2" in said and "step 4" in said and "critic_slope" in said and "learns from" in said
    kept = json.loads((out / "evaluation.json").read_text())
    assert set(kept) == {"2", "4"}
    assert set(kept["4"]["numbers"]["critic_slope"]) == {"value", "error", "method"}
    assert "mixture_distance" in kept["4"]["numbers"], "what was known of the step stays"
    slopes = kept["4"]["slopes"]
    assert set(slopes) == {"real", "fake", "between"}
    assert len({tuple(found["edges"]) for found in slopes.values()}) == 1, "places are compared in the same bins"
    mean = kept["4"]["numbers"]["critic_slope"]["value"]
    counts, edges = (np.array(slopes["between"][part]) for part in ("counts", "edges"))
    between = counts @ edges[:-1] <= mean * counts.sum() <= counts @ edges[1:]
    assert between, "the histogram is of the slopes that the metric means"
    page = (out / "report.html").read_text()
    assert "slopes of the critic" in page
    main(["evaluate", str(out), "--metrics", "modes"])
    assert json.loads((out / "evaluation.json").read_text())["4"]["slopes"] == slopes, "and stays too"


def test_the_class_histogram_is_kept_drawn_and_printed(tmp_path, capsys):
    out = tmp_path / "run"
    settings = ["batch=16", "generator.widths=[8]", "critic.widths=[8]", "evaluate.every=0", "evaluate.samples=100"]
    train("digits", steps=1, settings=settings, out=out)
    main(["evaluate", str(out), "--metrics", "class_kl"])
    found = json.loads((out / "evaluation.json").read_text())["1"]["classes"]
    assert sum(found["samples"]) == pytest.approx(1) and len(found["errors"]) == 10
    counted = torch.bincount(Run.load(out).dataset.labels).numpy()
    assert found["data"] == pytest.approx(counted / counted.sum())
    assert "shares of the classes" in (out / "report.html").read_text()
    most = int(np.argmax(found["samples"]))
    share, error, of = (f"{100 * found[part][most]:.1f}" for part in ("samples", "errors", "data"))
    assert f"{most}: {share} ± {error} ({of})" in " ".join(capsys.readouterr().out.split())


def test_classes_are_printed_by_their_names_where_they_have_some(tmp_path, capsys):
    pictures = np.random.default_rng(0).integers(0, 255, (60, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", images=pictures, labels=np.where(np.arange(60) % 2, 7, 31))
    settings = [f"data.path={tmp_path / 'x.npz'}", "data.size=8", "batch=4", "evaluate.every=0"]
    settings += ["generator.width=2", "critic.width=2"]
    train("images", steps=1, settings=settings, out=tmp_path / "run")
    main(["evaluate", str(tmp_path / "run"), "--metrics", "class_kl"])
    printed = " ".join(capsys.readouterr().out.split())
    assert re.search(r"\(of the data\): 7: \d[^,]*\(50\.0\), 31: \d[^,]*\(50\.0\)", printed)


def test_a_damaged_evaluation_file_is_one_line(tmp_path):
    run = train("ring", steps=1, settings=TINY, out=tmp_path / "run")
    (run.path / "evaluation.json").write_text("{")
    with pytest.raises(GradganError, match=r"evaluation\.json is broken"):
        run.evaluate()


@pytest.mark.parametrize("metrics", ["[classes]", "[critic_slope]", "[modez]"])
def test_metrics_that_cannot_serve_are_refused_before_anything_is_written(tmp_path, metrics):
    with pytest.raises(GradganError):
        train(
            "ring", steps=2, settings=[*TINY, f"evaluate.metrics={metrics}", "evaluate.every=1"], out=tmp_path / "run"
        )
    assert list(tmp_path.iterdir()) == []


def test_networks_that_take_labels_are_measured_too(tmp_path):
    run = train("ring", steps=1, settings=[*TINY, "conditional=true"], out=tmp_path / "run")
    found = run.evaluate(Evaluator(run.dataset, ["critic_slope", "latent_sensitivity"], samples=50))
    assert found["critic_slope"].value > 0 and found["latent_sensitivity"].value > 0


def test_a_critic_that_takes_labels_sees_the_real_samples_own_and_generated_ones_of_the_same_classes(tmp_path):
    run = train("ring", steps=1, settings=[*TINY, "conditional=true"], out=tmp_path / "run")
    judged, made = [], []
    run.experiment.state.networks["critic"].register_forward_pre_hook(lambda _, given: judged.append(given[1]))
    run.generator.register_forward_pre_hook(lambda _, given: made.append(given[1]))
    evaluator = Evaluator(run.dataset, ["critic_slope"], samples=300)
    evaluator.measure(run.drawn())
    labels = evaluator.parts.held_out.labels
    assert torch.equal(torch.cat(judged), labels) and torch.equal(torch.cat(made), labels)


def test_samples_kept_from_the_run_are_its_held_out_ones_where_the_data_have_none():
    experiment = build(configure("digits", settings=["data.options.split=all", "data.held_out=0.3"]))
    parts = evaluator_of(experiment).parts
    assert parts.unseen and len(parts.held_out) == 539 and len(parts.training) == 1797 - 539
    assert torch.equal(parts.held_out.stored(slice(None)), experiment.dataset.samples[experiment.kept])
    assert torch.equal(parts.held_out.labels, experiment.dataset.labels[experiment.kept])


def test_a_metric_of_networks_wants_them():
    with pytest.raises(GradganError, match="critic"):
        Evaluator(RING, ["critic_slope"]).measure(drawn(RING))

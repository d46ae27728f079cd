"""Configs, IDX files, checkpoints and run folders, damaged at random: each is taken, or refused with the one error.

    python tests/torture/mutated_inputs.py --n 10000 [--kinds config idx checkpoint state run] [--seed 0]

Any other exception, a file outside the folder, more than ten seconds or more than four gigabytes is a failure: it is
printed with its seed, and the exit code is 1.
"""

import argparse
import copy
import json
import logging
import random
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gradgan.core.errors import GradganError
from gradgan.core.record import RunFolder
from gradgan.data import idx
from gradgan.experiment import build, complete, read_config, to_yaml, train
from gradgan.experiment.config import plain
from gradgan.experiment.presets import preset
from gradgan.experiment.reading import override
from gradgan.report import write_report
from gradgan.training import checkpoint

_HOSTILE: list[Any] = [
    *(None, True, -1, 0, 2**31, 2**63, 10**30, 10**400, 1e308, -1e-320, float("nan"), float("inf"), "nan"),
    *("", "\0", "a\nb", "x" * 5000, "../../outside", "/tmp/outside", "<script>alert(1)</script>"),
    *([], {}, [[]], {"a": {}}, [None], {"": 0}),
]
_TOKENS = [
    *("null", "~", "-1", "1e999", ".nan", ".inf", "0x" + "f" * 3000, "9" * 5000, "2001-01-01", "1:2:3", "99999999"),
    *("[]", "{}", "[[1]]", "[" * 300, "{a: " * 300, "? [a]", "'../../outside'", '"\\0"', "|", ">", "yes", "true"),
    *("*a", "&a [*a, *a]", "<<: *a", "!!python/object/apply:os.system ['touch outside']", "!!set {a, b}", "!<x> y"),
    *("!!binary aaaa", "!!int x", "!!float ''", "!!bool maybe", "!!timestamp x", "-0.0", "\ufeff", "\t"),
    *("%YAML 9.9", "---", "...", "!", "&", "*"),
]
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)
)


def mutated_bytes(data: bytes, chance: random.Random) -> bytes:
    """A few random damages: changed, removed, doubled, inserted, cut."""
    content = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        a = chance.randint(0, len(content))
        b = min(len(content), a + chance.choice([1, 1, 2, 4, 8, 64, 500]))
        kind = chance.randrange(5)
        if kind == 0:
            content[a:b] = bytes(chance.choice([0, 1, 255, 128, chance.randrange(256)]) for _ in range(b - a))
        elif kind == 1:
            del content[a:b]
        elif kind == 2:
            content[a:a] = content[a:b]
        elif kind == 3:
            content[a:a] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 9)))
        elif chance.random() < 0.3:
            del content[a:]
    return bytes(content)


def mutated_yaml(text: str, chance: random.Random) -> bytes:
    """Values, keys and lines replaced by what YAML makes something of; now and then a bomb, or damaged bytes."""
    if chance.random() < 0.01:
        return (text + BOMB).encode()
    lines = text.splitlines()
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.randrange(len(lines))
        kind, token = chance.randrange(6), chance.choice(_TOKENS)
        key, colon, _ = lines[at].partition(":")
        if kind < 3:
            lines[at] = f"{key}{colon} {token}"
        elif kind == 3:
            lines[at] = " " * chance.randint(0, 6) + token + ": " + chance.choice(_TOKENS)
        elif kind == 4:
            lines.insert(at, chance.choice(lines))
        else:
            lines[at] = " " * chance.randint(0, 6) + lines[at].lstrip()
    data = "\n".join(lines).encode()
    return mutated_bytes(data, chance) if chance.random() < 0.3 else data


def mutated_tree(tree: Any, chance: random.Random) -> Any:
    """Nested plain data with a few of its values replaced, removed or exchanged."""
    tree = copy.deepcopy(tree)
    for _ in range(chance.randint(1, 3)):
        places = list(_places(tree))
        holder, key = chance.choice(places)
        kind = chance.randrange(4)
        if kind < 2:
            holder[key] = copy.deepcopy(chance.choice(_HOSTILE))
        elif kind == 2:
            del holder[key]
        else:
            other, name = chance.choice(places)
            holder[key] = copy.deepcopy(other.get(name) if isinstance(other, dict) else None)
        if chance.random() < 0.02:
            deep: Any = 0
            for _ in range(200):
                deep = [deep]
            (tree if isinstance(tree, dict) else {})["deep"] = deep
        if not list(_places(tree)):
            break
    return tree


def _places(tree: Any, depth: int = 0) -> Any:
    if depth > 50:
        return
    if isinstance(tree, (dict, list)):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from _places(tree[key], depth + 1)


def try_config(folder: Path, chance: random.Random, sound: dict[str, Any]) -> None:
    """What `gradgan train --config` does before it trains."""
    path = folder / "c.yaml"
    path.write_bytes(mutated_yaml(chance.choice(sound["configs"]), chance))
    config = complete(read_config(path))
    to_yaml(config)
    numbers = [v for v in _values(plain(config)) if isinstance(v, (int, float)) and v != config.seed]
    # What is only large is a person's own business; the door is what is tried here.
    if chance.random() < 0.1 and max(map(abs, numbers)) <= 5000:
        build(config)


def _values(tree: Any) -> Any:
    if isinstance(tree, (dict, list)):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from _values(value)
    else:
        yield tree


def try_idx(folder: Path, chance: random.Random, sound: dict[str, Any]) -> None:
    """A folder of two IDX files, one or both damaged, plain or packed."""
    import gzip

    for name, data in sound["idx"].items():
        data = mutated_bytes(data, chance) if chance.random() < 0.7 else data
        if chance.random() < 0.4:
            data = gzip.compress(data, 1)
            data = mutated_bytes(data, chance) if chance.random() < 0.5 else data
        (folder / name).write_bytes(data)
    idx(folder)


def try_checkpoint(folder: Path, chance: random.Random, sound: dict[str, Any]) -> None:
    """A checkpoint whose bytes are damaged; of format 1, too, which has no checksum."""
    path = folder / "c.safetensors"
    path.write_bytes(mutated_bytes(chance.choice(sound["checkpoints"]), chance))
    _put_back(checkpoint.load(path), sound)


def try_state(folder: Path, chance: random.Random, sound: dict[str, Any]) -> None:
    """A checkpoint that somebody made up, with a right checksum: its state is damaged, not its bytes."""
    path = folder / "c.safetensors"
    try:
        checkpoint.save(path, mutated_tree(sound["state"], chance))
    except (ValueError, TypeError, RecursionError, RuntimeError):
        return  # cannot be written, so cannot be met
    _put_back(checkpoint.load(path), sound)


def _put_back(state: dict[str, Any], sound: dict[str, Any]) -> None:
    try:
        sound["experiment"].state.load_state_dict(state, globally=False)
    except checkpoint.BROKEN as error:
        raise GradganError("does not fit") from error


def try_run(folder: Path, chance: random.Random, sound: dict[str, Any]) -> None:
    """A run folder with damaged files: listed, reported, taken up."""
    (folder / "samples").mkdir(exist_ok=True)
    (folder / "config.yaml").write_bytes(sound["configs"][0].encode())
    info, lines = dict(sound["info"]), list(sound["lines"])
    if chance.random() < 0.6:
        info = mutated_tree(info, chance)
    if chance.random() < 0.6:
        at = chance.randrange(len(lines))
        lines[at] = mutated_tree(lines[at], chance)
    texts = {"run.json": json.dumps(info), "log.jsonl": "".join(json.dumps(line) + "\n" for line in lines)}
    for name, text in texts.items():
        if chance.random() < 0.05:
            text = text.replace('"nan"', "[" * 5000 + "]" * 5000)
        data = text.encode()
        (folder / name).write_bytes(mutated_bytes(data, chance) if chance.random() < 0.3 else data)
    picture = mutated_bytes(sound["picture"], chance)
    (folder / "samples" / chance.choice(["step_00000002.png", "step_<b>.png", "step_1.png"])).write_bytes(picture)
    run = RunFolder.open(folder)
    page = write_report(run)
    assert "<script>alert" not in page.read_text(encoding="utf-8", errors="replace"), "what was not escaped"
    with RunFolder.create(folder, config_yaml=run.config_text(), resume=True) as again:
        again.rewind(chance.randint(-1, 5))


KINDS: dict[str, Callable[[Path, random.Random, dict[str, Any]], None]] = {
    "config": try_config, "idx": try_idx, "checkpoint": try_checkpoint, "state": try_state, "run": try_run,
}  # fmt: skip


def sound_inputs(folder: Path) -> dict[str, Any]:
    """One whole input of each kind, to be damaged."""
    tiny = ["data.samples=50", "batch=4", "generator.widths=[4]", "critic.widths=[4]", "latent=2", "log.every=1"]
    run = train("ring", steps=4, settings=[*tiny, "sample.every=2"], out=folder / "sound")
    _, saved = run.folder.checkpoints()[-1]
    old = next((Path(__file__).parents[1] / "experiment" / "format_1" / "checkpoints").glob("*.safetensors"))
    images = torch.arange(5 * 4 * 3, dtype=torch.uint8)
    lines = (run.path / "log.jsonl").read_text().splitlines()
    digits = override(preset("digits"), ["variational.on=true", "generator.widths=[8]", "critic.widths=[8]"])
    return {
        "configs": [run.folder.config_text(), to_yaml(complete(digits)), "steps: 5\nr1: {weight: 2, every: 3}\n"],
        "idx": {
            "train-images-idx3-ubyte": b"\0\0\x08\x03\0\0\0\x05\0\0\0\x04\0\0\0\x03" + bytes(images.tolist()),
            "train-labels-idx1-ubyte": b"\0\0\x08\x01\0\0\0\x05\0\1\2\3\4",
        },
        "checkpoints": [saved.read_bytes(), old.read_bytes()],
        "state": checkpoint.load(saved),
        "experiment": run.experiment,
        "info": json.loads((run.path / "run.json").read_text()),
        "lines": [json.loads(line) for line in lines],
        "picture": run.folder.grids()[0][1].read_bytes(),
    }


def attempt(kind: str, folder: Path, chance: random.Random, sound: dict[str, Any]) -> str:
    """Try one damaged input in FOLDER/in: "taken", "refused", or what went wrong."""
    inside = folder / "in"
    for path in sorted(inside.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    inside.mkdir(exist_ok=True)
    try:
        KINDS[kind](inside, chance, sound)
        told = "taken"
    except GradganError as error:
        told = "refused" if "\n" not in str(error) else f"more than one line: {str(error)!r}"
    except Exception:
        told = traceback.format_exc()
    beside = [path.name for path in folder.iterdir() if path.name not in ("in", "sound")]
    return told if not beside else f"outside the folder: {beside}"


def _too_long(number: int, frame: object) -> None:
    raise TimeoutError("more than ten seconds")


def main() -> int:
    """n of each kind that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    chosen = parser.parse_args()
    logging.getLogger("gradgan").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGPROF, _too_long)
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound = sound_inputs(folder)
        for kind in chosen.kinds:
            counts = {"taken": 0, "refused": 0, "failed": 0}
            for number in range(chosen.n):
                # Of this process's own time, so that a busy machine is no hang.
                signal.setitimer(signal.ITIMER_PROF, 10)
                told = attempt(kind, folder, random.Random(f"{chosen.seed}/{kind}/{number}"), sound)
                if told not in counts:
                    print(f"{kind} {number}: {told}", flush=True)
                counts[told if told in counts else "failed"] += 1
            signal.setitimer(signal.ITIMER_PROF, 0)
            failures += counts["failed"]
            print(f"{kind}: {chosen.n} tried, {', '.join(f'{n} {word}' for word, n in counts.items())}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""A run's generator as a file that runs without gradgan: ONNX (.onnx), or PyTorch's exported program (.pt2)."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .. import __version__
from ..core.checks import GradganError
from ..core.files import replace_file, writing
from .run import Run
from .sampler import Sampler

_TRACED, _TRIED = 2, (1, 5)
"""With how many samples the network is traced, and with how many the file is tried."""
_TOLERANCE = 1e-4
"""How far the file's samples may lie from the network's, over the largest of these."""

_RANGES = {"symmetric": "in [-1, 1]", "unit": "in [0, 1]", "none": "in the data's own units"}

_Network = Callable[..., Tensor]
_Inputs = dict[str, Tensor]


@dataclass(frozen=True)
class Exported:
    """A file that was written, what it says of itself, and how far its samples lie from the run's."""

    path: Path
    about: dict[str, Any]
    difference: float

    def __str__(self) -> str:
        latent, event = self.about["latent"], ", ".join(map(str, self.about["event"]))
        labels = f", labels int64 (n,) in 0..{self.about['classes'] - 1}" if self.about["classes"] else ""
        return (
            f"z float32 (n, {latent}){labels} -> samples float32 (n, {event}) {_RANGES[self.about['scale']]}; "
            f"as the run's own to {self.difference:.1e}"
        )


def export(run: Run | Sampler | str | Path, out: str | Path) -> Exported:
    """Write the averaged generator, G: z (n, latent), labels (n,) where it has classes -> samples (n, *event).

    `run`: a run, a sampler, or the folder of a run, of which the newest checkpoint is taken.
    z ~ N(0, I); any n; samples in the data's scale, as `Sampler.sample` draws them. FILE.onnx wants
    `pip install 'gradgan[onnx]'` and says what it is under the key "gradgan" of its metadata; FILE.pt2 is for
    `torch.export.load`, with the same in its extra file gradgan.json. The file is read again and must give the
    network's samples, before it takes its name. Raises GradganError for another suffix, a network that cannot be
    traced, and a file that gives other samples.
    """
    out = Path(out)
    if out.suffix not in _FORMATS:
        raise GradganError(f"a generator is exported to a .onnx or a .pt2 file, got {str(out)!r}.")
    run = Sampler.load(run, device="cpu") if isinstance(run, str | Path) else run
    generator = _alone(run.generator, labelled=run.config.conditional)
    about = _about(run, generator)
    written, read = _FORMATS[out.suffix]
    with _quiet(), _told(out):
        data = written(generator, _drawn(about, _TRACED), json.dumps(about))
        difference = _difference(generator, read(data), about)
    if not difference <= _TOLERANCE:
        raise GradganError(
            f"{out}: the exported generator gives other samples (they differ by {difference:.1e}); not written."
        )
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(out, data)
    return Exported(out, about, difference)


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Tell in one line whatever the tracer or the file's reader met in the network."""
    try:
        yield
    except GradganError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise GradganError(
            f"{out}: this generator cannot be exported ({type(error).__name__}: {reason}). Its forward must be tensor "
            "operations on z and labels, for any number of samples."
        ) from error


def _about(run: Run | Sampler, generator: nn.Module) -> dict[str, Any]:
    config = run.config
    classes = (run.classes if isinstance(run, Sampler) else run.dataset.classes) if config.conditional else 0
    about = {
        "latent": config.latent,
        "classes": classes,
        "scale": run.scale,
        "preset": config.preset,
        "system": config.system,
        "seed": config.seed,
        "gradgan": __version__,
    }
    return {**about, "event": list(generator(**_drawn(about, 1)).shape[1:])}


def _drawn(about: dict[str, Any], n: int) -> _Inputs:
    """Inputs of n samples."""
    rng = torch.Generator().manual_seed(n)
    z = torch.randn(n, about["latent"], generator=rng)
    classes = about["classes"]
    return {"z": z, "labels": torch.randint(classes, (n,), generator=rng)} if classes else {"z": z}


def _difference(generator: nn.Module, exported: _Network, about: dict[str, Any]) -> float:
    """The largest difference over the largest value; nan where either is no number."""
    differences = []
    for n in _TRIED:
        inputs = _drawn(about, n)
        wanted, got = generator(**inputs), exported(**inputs)
        if (got.shape, got.dtype) != (wanted.shape, wanted.dtype):
            raise GradganError(
                f"the exported generator gives {got.dtype} of shape {tuple(got.shape)}, and the run's own "
                f"{wanted.dtype} of shape {tuple(wanted.shape)}; not written."
            )
        differences.append((got - wanted).abs().max() / wanted.abs().max().clamp(min=torch.finfo(wanted.dtype).tiny))
    return float(torch.stack(differences).max())


def _alone(generator: nn.Module, *, labelled: bool) -> nn.Module:
    """A copy that only draws, on the CPU; its weights row by row, for the writer warns of other layouts."""
    bare = deepcopy(generator).cpu().eval().requires_grad_(False)
    bare.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return _Labelled(bare) if labelled else _Unlabelled(bare)


class _Unlabelled(nn.Module):
    """Any generator, its inputs named as the file's."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z: Tensor) -> Tensor:
        """G(z)"""
        return self.generator(z)


class _Labelled(_Unlabelled):
    def forward(self, z: Tensor, labels: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """G(z, labels)"""
        return self.generator(z, labels)


# ---- formats --------------------------------------------------------------------------------------------------------


def _traced(generator: nn.Module, inputs: _Inputs) -> torch.export.ExportedProgram:
    n = torch.export.Dim("n")
    program = torch.export.export(generator, (), kwargs=inputs, dynamic_shapes={name: {0: n} for name in inputs})
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    return program


def _write_pt2(generator: nn.Module, inputs: _Inputs, about: str) -> bytes:
    packed = io.BytesIO()
    torch.export.save(_traced(generator, inputs), packed, extra_files={"gradgan.json": about})
    return packed.getvalue()


def _read_pt2(data: bytes) -> _Network:
    return torch.export.load(io.BytesIO(data)).module()


def _write_onnx(generator: nn.Module, inputs: _Inputs, about: str) -> bytes:
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]  # noqa: F401  (an extra)
        import onnxscript  # pyright: ignore[reportMissingImports]  # noqa: F401
    except ImportError as error:
        raise GradganError(f"a .onnx file wants {error.name}: pip install 'gradgan[onnx]'; a .pt2 does not.") from None
    program: Any = torch.onnx.export(
        _traced(generator, inputs),
        kwargs=inputs,
        input_names=list(inputs),
        output_names=["samples"],
        dynamo=True,
        verbose=False,
    )
    program.model.metadata_props["gradgan"] = about
    return program.model_proto.SerializeToString()


def _read_onnx(data: bytes) -> _Network:
    import onnxruntime  # pyright: ignore[reportMissingImports]  (an extra)

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])

    def run(**inputs: Tensor) -> Tensor:
        (samples,) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        return torch.from_numpy(samples)

    return run


_FORMATS: dict[str, tuple[Callable[[nn.Module, _Inputs, str], bytes], Callable[[bytes], _Network]]] = {
    ".onnx": (_write_onnx, _read_onnx),
    ".pt2": (_write_pt2, _read_pt2),
}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says of itself: libraries that it would know, and its own deprecations."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)

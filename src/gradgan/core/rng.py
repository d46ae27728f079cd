"""Named random streams: each use of chance has its own generator, so that adding one use moves no other."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from .errors import GradganError
from .world import World

_CUDA = "cuda:global"
_DRAWN_ON = {torch.Generator().get_state().numel(): "cpu", 16: "cuda"}
"""The device of a stream by the bytes of its state."""


def _seed_of(seed: int, name: str) -> int:
    digest = hashlib.sha256(f"gradgan/{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


class Stream(torch.Generator):
    """A generator that knows among how many ranks its draws are divided; `normal` and `uniform` ask it."""

    world = World()


def normal(shape: Sequence[int], *, rng: torch.Generator | None, like: Tensor) -> Tensor:
    """Numbers from N(0, 1) of `shape` (n, ...), with the type and device of `like`.

    A stream of several ranks draws for the global batch and gives this rank's part, so that W ranks together see what
    one process sees. Draw in memory order of a plain layout: randn_like would give channels_last samples other noise.
    """
    world, (n, *rest) = _world_of(rng), shape
    drawn = torch.randn((world.size * n, *rest), generator=rng, device=like.device, dtype=like.dtype)
    return drawn if world.size == 1 else drawn[world.part]


def uniform(n: int, *, rng: torch.Generator | None, like: Tensor) -> Tensor:
    """Numbers from U[0, 1) of shape (n,), one per sample; otherwise as `normal`."""
    world = _world_of(rng)
    drawn = torch.rand(world.size * n, generator=rng, device=like.device, dtype=like.dtype)
    return drawn if world.size == 1 else drawn[world.part]


def _world_of(rng: torch.Generator | None) -> World:
    return rng.world if isinstance(rng, Stream) else World()


class Streams:
    """Generators by name, all from one seed: `streams["latent"]`, `streams["data"]`, `streams["penalty"]` ...

    A stream is made at its first use, from the seed and its name alone.

    >>> a, b = Streams(0), Streams(0)
    >>> _ = torch.randn(3, generator=a["latent"])     # drawing latents does not move the data order
    >>> bool((torch.randperm(5, generator=a["data"]) == torch.randperm(5, generator=b["data"])).all())
    True
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu", *, world: World | None = None) -> None:
        """`device` is where the streams draw; those whose name starts with "data" or "init" draw on the CPU. `world`:
        the ranks among which `normal` and `uniform` divide what is drawn; every rank moves all streams alike."""
        self.seed = seed
        self.world = world or World()
        self.device = torch.device(device)
        self._generators: dict[str, Stream] = {}

    def __getitem__(self, name: str) -> torch.Generator:
        if name not in self._generators:
            device = "cpu" if name.startswith(("data", "init")) else self.device
            generator = Stream(device=device)
            generator.world = self.world
            generator.manual_seed(_seed_of(self.seed, name))
            self._generators[name] = generator
        return self._generators[name]

    def state_dict(self) -> dict[str, Tensor]:
        """The state of every stream in use, and of torch's global one, which dropout draws from."""
        on_device = {_CUDA: torch.cuda.get_rng_state(self.device)} if self.device.type == "cuda" else {}
        return {
            "": torch.get_rng_state(),
            **on_device,
            **{name: generator.get_state() for name, generator in sorted(self._generators.items())},
        }

    def load_state_dict(self, states: dict[str, Tensor], *, globally: bool = True) -> None:
        """Put every stream back where it stood; torch's global one too, unless told not to, by who only looks.

        Who goes on gets GradganError for streams of another kind of device; who only looks does without them.
        """
        for name, state in states.items():
            if name == _CUDA:
                if globally and self.device.type == "cuda":
                    torch.cuda.set_rng_state(state.cpu(), self.device)
            elif name:
                there, here = _DRAWN_ON.get(state.numel()), self[name].device.type
                if there in (None, here):
                    self[name].set_state(state.cpu())
                elif globally:
                    raise GradganError(
                        f"the run drew its chance on device={there}, and {here} cannot go on with it. "
                        f"Resume it with device={there}, or begin another run."
                    )
            elif globally:
                torch.set_rng_state(state.cpu())


class isolated:
    """Within it, torch's global generator starts from (seed, name); outside, it is as it was.

    For what draws from the global generator: libraries that initialise networks, dropout while a run is trained.
    """

    def __init__(self, seed: int, name: str, device: torch.device | str = "cpu") -> None:
        """With a CUDA `device`, its global generator too."""
        self._seed = _seed_of(seed, name)
        self._cuda = torch.device(device) if torch.device(device).type == "cuda" else None

    def __enter__(self) -> None:
        self._before = torch.get_rng_state()
        # Not torch.manual_seed, which would also reseed every CUDA device, for good.
        torch.default_generator.manual_seed(self._seed)
        if self._cuda is not None:
            self._before_on_cuda = torch.cuda.get_rng_state(self._cuda)
            with torch.cuda.device(self._cuda):
                torch.cuda.manual_seed(self._seed)

    def __exit__(self, *exception: object) -> None:
        torch.set_rng_state(self._before)
        if self._cuda is not None:
            torch.cuda.set_rng_state(self._before_on_cuda, self._cuda)

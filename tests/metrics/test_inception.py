"""The Inception network of published Frechet distances: its shape, its pictures, its file, a reference beside it."""

import importlib.util
import json
import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gradgan.core.errors import GradganError
from gradgan.metrics import Own, features_of_file, network_of_file
from gradgan.metrics.inception import Inception, stretched

KEPT = Path(__file__).with_name("inception_features.json")
"""Every 256th feature of two pictures of three sizes, by torch-fidelity 0.4.0 with the weights below."""


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = Inception().eval()
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, std=0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.1)
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    return made


@pytest.fixture(scope="module")
def file(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "inception.safetensors"
    head = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    save_file({**network.state_dict(), **head}, path)
    return path


def pictures(n=3, size=20, channels=3):
    return torch.randint(256, (n, channels, size, size), generator=torch.Generator().manual_seed(0)) / 255


def test_it_has_as_many_parameters_as_inception_v3_without_its_head():
    assert sum(p.numel() for p in Inception().parameters()) == 21_785_568


@pytest.mark.parametrize(("side", "wanted"), [(4, [0.0, 0.5, 1.0, 1.0]), (2, [0.0, 1.0]), (3, [0.0, 2 / 3, 1.0])])
def test_pictures_are_stretched_without_half_pixels(side, wanted):
    found = stretched(torch.tensor([[[[0.0, 1.0]] * 2]]), side)
    torch.testing.assert_close(found, torch.tensor(wanted).expand(1, 1, side, side))


def test_a_file_gives_the_network_and_grey_pictures_are_taken(network, file):
    grey = pictures(channels=1)
    found = Own(network_of_file(file), "inception")(grey)
    assert found.shape == (3, 2048)
    with torch.no_grad():
        torch.testing.assert_close(found, network(grey.expand(-1, 3, -1, -1)))


@pytest.mark.parametrize("words", [{"size": 299}, {"range": "bytes"}, {"rgb": False}])
def test_it_resizes_and_scales_by_itself(file, words):
    with pytest.raises(GradganError, match="leave features_size, features_range and features_rgb out"):
        features_of_file(file, **words)


def test_average_pools_leave_the_padding_out_and_the_last_pools_by_the_maximum(network):
    ones = torch.ones(1, 1280, 8, 8)
    seen = []
    handle = network.Mixed_7b.branch_pool.register_forward_pre_hook(lambda _m, given: seen.append(given[0]))
    network.Mixed_7b(ones)
    handle.remove()
    torch.testing.assert_close(seen[0], ones)
    spike = torch.zeros(1, 2048, 8, 8)
    spike[..., 4, 4] = 1
    handle = network.Mixed_7c.branch_pool.register_forward_pre_hook(lambda _m, given: seen.append(given[0]))
    network.Mixed_7c(spike)
    handle.remove()
    assert seen[1][0, 0, 3:6, 3:6].eq(1).all() and seen[1][0, 0].sum() == 9


def test_what_is_not_its_weights_or_not_its_pictures_is_refused(network, file, tmp_path):
    with pytest.raises(GradganError, match="Leave --features-range out"):
        network(pictures() * 255)
    with pytest.raises(GradganError, match=r"wants pictures \(n, 3, h, w\), got \(3, 1, 20, 20\)"):
        network(pictures(channels=1))
    state = dict(network.state_dict())
    for change, message in [
        ({"Conv2d_1a_3x3.conv.weight": torch.zeros(1)}, r"Conv2d_1a_3x3.conv.weight \(32, 3, 3, 3\).*got \(1,\)"),
        ({"Conv2d_1a_3x3.conv.weight": None}, "got none of that name"),
        ({"transformer.weight": torch.zeros(1)}, r"holds transformer.weight \(1,\), which"),
        ({"fc.weight": torch.zeros(1000, 2048)}, "torchvision's is another network"),
        ({"AuxLogits.fc.weight": torch.zeros(1000, 768)}, "torchvision's is another network"),
    ]:
        save_file({k: v for k, v in {**state, **change}.items() if v is not None}, tmp_path / "other.safetensors")
        with pytest.raises(GradganError, match=message):
            network_of_file(tmp_path / "other.safetensors")
    (tmp_path / "torn.safetensors").write_bytes(file.read_bytes()[:1000])
    with pytest.raises(GradganError, match="not a readable safetensors"):
        network_of_file(tmp_path / "torn.safetensors")


def test_features_are_those_that_torch_fidelity_gave(network):
    """Kept in a file, which the next test makes sure of where torch-fidelity is installed."""
    for size, kept in json.loads(KEPT.read_text()).items():
        with torch.no_grad():
            found = network(pictures(2, int(size)))[:, ::256]
        torch.testing.assert_close(found, torch.tensor(kept), rtol=1e-3, atol=1e-3)


def test_features_are_those_of_torch_fidelity(network, monkeypatch):
    """Runs where `pip install --no-deps torch-fidelity==0.4.0` was done; the package itself wants torchvision."""
    spec = importlib.util.find_spec("torch_fidelity")
    if spec is None or spec.origin is None:
        pytest.skip("no torch-fidelity: pip install --no-deps torch-fidelity==0.4.0")
    package = types.ModuleType("torch_fidelity")
    package.__path__ = [str(Path(spec.origin).parent)]
    monkeypatch.setitem(sys.modules, "torch_fidelity", package)
    from torch_fidelity import feature_extractor_inceptionv3 as reference  # pyright: ignore[reportMissingImports]

    state = {**network.state_dict(), "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    monkeypatch.setattr(reference, "load_state_dict_from_url", lambda *_args, **_options: state)
    theirs = reference.FeatureExtractorInceptionV3("inception", ["2048"])
    kept = {}
    with torch.no_grad():
        for size in (28, 299, 320):
            x = pictures(2, size)
            wanted = theirs((x * 255).round().to(torch.uint8))[0]
            torch.testing.assert_close(network(x), wanted, rtol=1e-4, atol=1e-4)
            kept[str(size)] = wanted[:, ::256].tolist()
    if not KEPT.exists():
        KEPT.write_text(json.dumps(kept) + "\n")
    assert json.loads(KEPT.read_text()).keys() == kept.keys()
    for size, values in json.loads(KEPT.read_text()).items():
        torch.testing.assert_close(torch.tensor(values), torch.tensor(kept[size]), rtol=1e-4, atol=1e-4)

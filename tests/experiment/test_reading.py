"""Words to a Config: short keys, overrides, YAML there and back, and one clear line for everything wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradgan.core.errors import GradganError
from gradgan.experiment import PRESETS, Config, complete, configure, read_config, to_yaml
from gradgan.experiment.presets import WEIGHTS
from gradgan.experiment.reading import from_yaml, override
from gradgan.systems import SYSTEMS


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_complete_config_is_loadable_again_and_stays(name):
    whole = complete(configure(name))
    again = from_yaml(to_yaml(whole), source="test")
    assert again == whole
    assert complete(again) == whole


def test_short_keys_reach_their_places():
    config = configure(
        "ring",
        settings=["r1.weight=5", "wgan_gp.target=2", "wgan_gp.weight=1e-3", "critic.widths=[4, 4]", "data.seed=7"],
    )
    assert config.penalties["r1"].weight == 5
    assert config.penalties["wgan_gp"].options == {"target": 2}
    assert config.penalties["wgan_gp"].weight == 1e-3, "YAML reads 1e-3 as a word; a number is meant"
    assert config.critic.options["widths"] == [4, 4]
    assert config.data.options == {"seed": 7}


def test_another_system_keeps_shared_penalties_and_takes_its_own():
    config = complete(configure("ring", system="r1", settings=["atgp.weight=0.5"]))
    assert config.penalties["r1"].weight == configure("ring").penalties["r1"].weight
    assert set(config.penalties) == {"r1", "atgp"}
    config = complete(configure("digits", system="wgan_gp"))
    assert config.penalties["wgan_gp"].weight == 10 and config.critic_steps == 5


@pytest.mark.parametrize(("name", "system"), [(name, penalty) for name in WEIGHTS for penalty in WEIGHTS[name]])
def test_a_preset_knows_better_weights_for_other_systems(name, system):
    better = WEIGHTS[name][system]
    assert complete(configure(name, system=system)).penalties[system].weight == better
    said = configure(name, system=system, settings=[f"{system}.weight=7"])
    assert complete(said).penalties[system].weight == 7
    elsewhere = complete(configure(name, system=system, data="spiral"))
    assert elsewhere.penalties[system].weight == SYSTEMS.make(system).terms[0].weight


def test_another_reading_keeps_all_that_was_said_of_a_penalty():
    said = ["g_gan.weight=3", "g_gan.every=2", "g_gan.control.name=hold_slope"]
    config = complete(configure(configure("ring", system="g_gan", settings=said), settings=["reading=code"]))
    penalty = config.penalties["g_gan"]
    assert (penalty.weight, penalty.every, penalty.control.name, penalty.options["sign"]) == (3, 2, "hold_slope", 1)


def test_another_network_does_not_inherit_the_options_of_the_old_one():
    words = ["generator.name=conv_generator", "generator.width=8", "critic.name=conv_critic"]
    config = complete(configure("digits", settings=words))
    assert config.generator.options["width"] == 8 and "widths" not in config.generator.options
    kept = complete(configure("digits", settings=["generator.name=mlp_generator"]))
    assert kept.generator == complete(configure("digits")).generator


def test_g_gan_sign_follows_the_reading_unless_told():
    assert complete(configure("ring", system="g_gan")).penalties["g_gan"].options["sign"] == -1
    code = configure("ring", system="g_gan", settings=["reading=code"])
    assert complete(code).penalties["g_gan"].options["sign"] == 1
    told = configure("ring", system="g_gan", settings=["reading=code", "g_gan.sign=-1"])
    assert complete(told).penalties["g_gan"].options["sign"] == -1


def test_a_system_that_needs_a_smooth_critic_gets_one_or_says_so():
    assert complete(configure("ring", system="gc_gan")).critic.options["activation"] == "silu"
    with pytest.raises(GradganError, match="needs a smooth critic"):
        complete(configure("ring", system="gc_gan", settings=["critic.activation=relu"]))


@pytest.mark.parametrize(("words", "reach"), [([], 1.0), (["data.scale=unit"], 0.5)])
def test_the_generator_reaches_exactly_the_scale_of_the_data(words, reach):
    import torch

    from gradgan.experiment import build

    tiny = ["generator.widths=[4]", "critic.widths=[4]", "batch=8"]
    generator = build(configure("digits", settings=[*tiny, *words])).state.networks["generator"]
    samples = generator(1e4 * torch.randn(64, 16)).detach()
    assert samples.max() == pytest.approx(1.0) and samples.min() == pytest.approx(1.0 - 2 * reach, abs=1e-6)


def test_a_complete_config_changed_is_what_was_asked_for():
    whole = complete(configure("ring", system="g_gan"))
    assert complete(configure(whole, settings=["reading=code"])).penalties["g_gan"].options["sign"] == 1
    whole = complete(configure("ring", system="gp_gan"))
    assert set(complete(configure(whole, settings=["reading=published"])).penalties) == {"gp_gan"}
    whole = complete(configure("ring", system="gan"))
    assert complete(configure(whole, system="gc_gan")).critic.options["activation"] == "silu"
    added = complete(configure("ring", settings=["atgp.weight=0.5"]))
    assert set(complete(configure(added, system="r1")).penalties) == {"r1", "atgp"}


def test_a_setting_is_the_flag_and_order_does_not_matter():
    for system in ("gan", "wgan_gp", "dcgan"):
        assert configure("digits", settings=[f"system={system}"]) == configure("digits", system=system)
    assert configure("ring", settings=["data.name=grid"]) == configure("ring", data="grid")
    words = ["critic.width=8", "critic.name=conv_critic"]
    assert configure("digits", settings=words) == configure("digits", settings=words[::-1])
    assert configure("digits", settings=words).critic.options == {"width": 8}


def test_dcgan_keeps_what_was_said_of_its_networks():
    words = ["critic.spectral_norm=true", "critic.width=16"]
    config = complete(configure("digits", system="dcgan", settings=words))
    assert config.critic.name == "conv_critic" and config.generator.name == "conv_generator"
    assert config.critic.options["spectral_norm"] is True and config.critic.options["width"] == 16


def test_every_system_can_be_built_on_every_kind_of_preset():
    from gradgan.experiment import build
    from gradgan.systems import SYSTEMS

    for preset in ("ring", "digits"):
        for system in SYSTEMS:
            assert build(configure(preset, system=system, settings=["batch=16"])).players


def test_paths_are_kept_whole_and_only_where_they_are_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = complete(configure("mnist_mlp", settings=["data.path=here"]))
    assert config.data.path == str(tmp_path / "here")
    assert configure(config, data="ring").data.path is None


WRONG = [
    (["stepz=3"], "steps"),
    (["dragan.noise=1e-3x", "dragan.weight=1"], "must be"),
    (["r1.wait=3"], "r1.weight"),
    (["optimiser.lrr=3"], "optimiser.lr"),
    (["steps=many"], "steps must be a valid integer"),
    (["steps=0"], "steps must be finite >= 1"),
    (["r1.weight=-1"], "r1.weight must be finite >= 0, got -1.0"),
    (["r1.weight=.nan"], "r1.weight must be finite"),
    (["r1.every=0"], "r1.every must be finite >= 1"),
    (["r1=3"], "wants keys such as r1.weight"),
    (["seed"], "key=value"),
    (["seed=[1"], "not a YAML value"),
    (["ema=2"], "ema must be finite"),
    (["lr.shape=square"], "lr.shape must be"),
    (["data.nme=1", "data.name=ring"], "option of data set"),
    (["critic.activation=leeky_relu"], "leaky_relu"),
    (["critic.name=mlp_generator"], "is no critic"),
    (["wgan_gp.target=-1"], "wgan_gp.target must be finite"),
    (["gon_matching.weight=1"], "third player"),
    (["data.path=somewhere"], "not read from disk"),
    (["device=cuda:77"], "not to be had"),
    (["conditional=true", "data.name=dirac"], "wants labels"),
    (["batch=100000"], "batch must lie in"),
    (["steps.name=x"], "steps must be a valid integer"),
    (["device=meta"], "not to be had"),
    (["lr.warmup=2"], "lr.warmup must be finite"),
    (["clip_gradient=-1"], "clip_gradient must be finite"),
    (["steps=true"], "steps must be a int, got True"),
    (["batch='32'"], "batch must be a int, got '32'"),
    (["system=gc_gan", "gon_synthetic.weight=1"], "needs the third player"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=lambda v: v[0] if isinstance(v, list) else "")
def test_wrong_words_are_one_clear_line(settings, message):
    from gradgan.experiment import build

    with pytest.raises(GradganError, match=message.replace("[", r"\[")) as caught:
        build(configure("ring", settings=["data.samples=500", "batch=64", *settings]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: abc", "steps must be a valid integer"),
        ("- 1\n- 2", "must hold keys"),
        ("a: [", "is not YAML"),
        ("sistem: gan", "system"),
        ("penalties: {r1: {weight: heavy}}", "penalties.r1.weight must be"),
        ("r1: {weight: [1]}", "penalties.r1.weight must be"),
        ("penalties: {nope: {weight: 1}}", "unknown penalty"),
        ("critic: 3", "critic must be"),
    ],
)
def test_wrong_yaml_is_one_clear_line(text, message):
    with pytest.raises(GradganError, match=message) as caught:
        from_yaml(text, source="file.yaml")
    assert "file.yaml" in str(caught.value) or "unknown penalty" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(GradganError, match="could not be read"):
        read_config(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GradganError, match="not text"):
        read_config(tmp_path / "bytes.yaml")


@given(text=st.text(max_size=40))
def test_any_text_is_a_config_or_one_clear_line(text):
    try:
        assert isinstance(from_yaml(text, source="x"), Config)
    except GradganError as error:
        assert "\n" not in str(error)


@given(
    key=st.sampled_from(["steps", "r1.weight", "critic", "data", "penalties", "lr", "seed"]), text=st.text(max_size=12)
)
def test_any_override_is_a_config_or_one_clear_line(key, text):
    try:
        assert isinstance(override(Config(), [f"{key}={text}"]), Config)
    except GradganError as error:
        assert "\n" not in str(error)


def test_a_critic_that_mixes_samples_is_refused_under_a_penalty_and_allowed_without():
    from gradgan.experiment import build

    words = ["critic.norm=batch", "data.samples=500", "batch=64"]
    with pytest.raises(GradganError, match="it mixes samples"):
        build(configure("ring", system="r1", settings=words))
    assert build(configure("ring", system="gan", settings=words)).system.name == "gan"
    with pytest.raises(GradganError, match=r"generator\.body\.\d+ is BatchNorm1d: it mixes"):
        build(configure("ring", system="atgp", settings=["generator.norm=batch", *words[1:]]))
    assert build(configure("ring", system="gp_gan", settings=words)), "a gradient of the batch mean has a meaning"


@pytest.mark.parametrize(
    "text", ["generator: {~: ~}", "generator: {widths: [8], 3: 4}", "r1: {~: 1}", "critic: {options: {~: 1}, ~: 2}"]
)
def test_keys_that_are_no_words_are_refused(text):
    with pytest.raises(GradganError) as caught:
        complete(from_yaml(f"preset: ring\n{text}\n", source="it"))
    assert "\n" not in str(caught.value)

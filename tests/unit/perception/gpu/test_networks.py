import shutil
from dataclasses import replace

import numpy as np
import pytest

import material
import tiny_perception
from bodydouble.perception import ModelPack, PersonChoice, perceive
from bodydouble.perception.backends import choose_networks, gpu_obstacle
from bodydouble.perception.gpu.networks import GpuNetworks, load_networks
from bodydouble.perception.networks import PackNetworks
from bodydouble.perception.windows import window_path
from bodydouble.tasks.errors import ModelPackMissing


class Clip:
    """Forty frames of a man who talks."""

    def __init__(self) -> None:
        self.images = material.carphone(40, 120)
        self.height, self.width = self.images[0].shape[:2]
        self.frames, self.frame_rate = len(self.images), 25.0

    def read(self, start: int, stop: int, step: int = 1):
        for i in range(start, stop, step):
            yield i, self.images[i]


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """Three folders of small models."""
    return tiny_perception.save_all(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def networks(options):
    """Loaded from their folders."""
    return load_networks(options)


@pytest.fixture(scope="module")
def seen(networks, model_pack: ModelPack, tmp_path_factory):
    """The clip's perception, and the folder that it is kept in."""
    folder = tmp_path_factory.mktemp("perception")
    return perceive(model_pack, Clip(), PersonChoice(), folder, networks=networks), folder


def test_a_video_becomes_the_same_kind_of_track(seen):
    """Through real models of the real classes: every frame has a body, 133 points, a box and a matte."""
    perception, _ = seen
    track = perception.track

    assert len(track) == 40
    assert track.present.all()
    assert not np.isnan(track.whole_body).any()
    assert (track.whole_body[..., 2] <= 1).all()
    assert not np.isnan(track.box).any()
    assert not np.isnan(track.body).any()
    assert all(matte.shape == (120, 147 // 2 * 2) and matte.any() for _, matte in perception.mattes.read(0, 40, 13))


def test_a_killed_run_goes_on_to_the_same_bytes(seen, networks, model_pack: ModelPack, tmp_path):
    """With the last window gone, perceiving again makes the very same file."""
    _, folder = seen
    resumed = tmp_path / "resumed"
    shutil.copytree(folder, resumed)
    window_path(resumed, 1).unlink()

    perceive(model_pack, Clip(), PersonChoice(), resumed, networks=networks)

    with np.load(window_path(resumed, 1)) as again, np.load(window_path(folder, 1)) as before:
        assert set(again.files) == set(before.files)
        for name in before.files:
            assert again[name].tobytes() == before[name].tobytes(), name


def test_windows_of_other_networks_are_not_continued(seen, model_pack: ModelPack, tmp_path):
    """On the CPU the GPU's windows are made anew."""
    _, folder = seen
    other = tmp_path / "other"
    shutil.copytree(folder, other)

    track = perceive(model_pack, Clip(), PersonChoice(), other).track

    assert np.isnan(track.whole_body).all()


def test_the_models_are_chosen_where_they_are(options, model_pack: ModelPack):
    """With all three there the back-end is theirs, and asking for the CPU wins."""
    assert gpu_obstacle(options) is None
    chosen = choose_networks(model_pack, options)
    assert isinstance(chosen.networks, GpuNetworks)
    assert options.pose in chosen.networks.name
    assert isinstance(choose_networks(model_pack, replace(options, backend="cpu")).networks, PackNetworks)


def test_a_missing_model_leaves_the_cpu_with_a_reason(options, model_pack: ModelPack, tmp_path):
    """The reason names the model; whoever insists on the GPU gets it as an error."""
    missing = replace(options, masks=str(tmp_path / "nowhere"))

    chosen = choose_networks(model_pack, missing)

    assert isinstance(chosen.networks, PackNetworks)
    assert "the masks model is not installed" in chosen.reason
    with pytest.raises(ModelPackMissing, match="the masks model is not installed"):
        choose_networks(model_pack, replace(missing, backend="gpu"))


def test_without_a_card_the_cpu_is_used(options, monkeypatch: pytest.MonkeyPatch):
    """torch without CUDA is an obstacle for the default device."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)

    assert gpu_obstacle(replace(options, device="cuda")) == "torch finds no GPU"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masks": "pose"}, "The masks model .* cannot be used: it is a vitpose"),
        ({"pose": "detector"}, "The pose model .* cannot be used"),
        ({"detector": "masks"}, "The detector model .* cannot be used"),
    ],
)
def test_a_model_in_the_wrong_place_is_refused(options, changes, message):
    """The message names the place and the folder."""
    wrong = replace(options, **{role: getattr(options, other) for role, other in changes.items()})

    with pytest.raises(ModelPackMissing, match=message):
        load_networks(wrong)

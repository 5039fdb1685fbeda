"""Weights on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from model.datasets.mitdb import DS2, HELD_BACK, TRAIN
from model.forecast import checkpoint
from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.network import Network
from stream.errors import CheckpointError, StorageError

SMALL = NetworkConfig(hidden=8, horizon=12)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "weights.safetensors"
    checkpoint.save(path, Network(SMALL), ScalingConfig(scale_s=5), {"seed": 7})
    return path


def header_changed(path: Path, **changes: str) -> None:
    header = {
        "format": checkpoint.FORMAT,
        "network": json.dumps({"hidden": 8, "horizon": 12}),
        "scaling": "{}",
        "provenance": "{}",
    }
    save_file(load_file(path), path, metadata={**header, **changes})


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    network = Network(SMALL)
    checkpoint.save(tmp_path / "w", network, ScalingConfig(scale_s=5), {"seed": 7, "trained_on": ["101"]})
    back = checkpoint.load(tmp_path / "w")
    assert back.network.config == SMALL
    assert not back.network.training
    assert back.scaling == ScalingConfig(scale_s=5)
    assert back.provenance == {"seed": 7, "trained_on": ["101"]}
    for name, value in network.state_dict().items():
        assert torch.equal(back.network.state_dict()[name], value)
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


def fails(path: Path, text: str) -> None:
    with pytest.raises(CheckpointError, match=text) as caught:
        checkpoint.load(path)
    assert "\n" not in str(caught.value)


def test_patches_that_do_not_fill_a_stride(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "w", Network(NetworkConfig(patch=5, hidden=8)), ScalingConfig(), {})
    fails(tmp_path / "w", "patches of 5 samples")


def test_missing(tmp_path: Path) -> None:
    fails(tmp_path / "none.safetensors", "none.safetensors")


def test_a_folder(tmp_path: Path) -> None:
    fails(tmp_path, "cannot be read")


@pytest.mark.parametrize("size", [0, 5, 100, -1])
def test_truncated(saved: Path, size: int) -> None:
    saved.write_bytes(saved.read_bytes()[:size])
    fails(saved, "cannot be read")


def test_random_bytes(saved: Path) -> None:
    saved.write_bytes(b"\x93" * 3000)
    fails(saved, "cannot be read")


def test_another_kind_of_file(saved: Path) -> None:
    save_file({"a": torch.zeros(3)}, saved)
    fails(saved, "no forecaster")


def test_wrong_shape(saved: Path) -> None:
    header_changed(saved, network=json.dumps({"hidden": 16, "horizon": 12}))
    fails(saved, "do not fit")


@pytest.mark.parametrize("network", ["{", '{"depth": 3}', '{"hidden": -1}', "[]", '"x"'])
def test_damaged_header(saved: Path, network: str) -> None:
    header_changed(saved, network=network)
    fails(saved, "do not fit")


def test_not_finite(saved: Path) -> None:
    network = Network(SMALL)
    torch.nn.init.constant_(network.head.bias, float("nan"))
    checkpoint.save(saved, network, ScalingConfig(), {})
    fails(saved, "not all finite")


def test_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        checkpoint.save(tmp_path / "file" / "weights", Network(SMALL), ScalingConfig(), {})


def test_the_weights_that_ship() -> None:
    shipped = checkpoint.load()
    assert checkpoint.SHIPPED.stat().st_size <= 2_000_000
    config = shipped.network.config
    assert config.horizon >= 90  # 250 ms
    trained, chosen = shipped.provenance["trained_on"], shipped.provenance["chosen_on"]
    assert set(trained) | set(chosen) == set(TRAIN)
    assert set(chosen) == set(HELD_BACK)
    assert not set(trained + chosen) & set(DS2)
    for key in ("seed", "date", "minutes", "commit", "held_back", "versions", "config"):
        assert key in shipped.provenance
    assert shipped.provenance["first_samples"]["commit"]

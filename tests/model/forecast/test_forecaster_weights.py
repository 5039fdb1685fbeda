"""Forecaster weights on disk: round trip, damaged files, the shipped weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from model.datasets.mitdb import DS2, TRAIN, VALIDATION_RECORDS
from model.forecast import forecaster_weights
from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.network import Network
from stream.errors import StorageError, WeightsError

SMALL = NetworkConfig(hidden=8, horizon=12)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "weights.safetensors"
    forecaster_weights.save(path, Network(SMALL).trained(ScalingConfig(scale_s=5), {"seed": 7}))
    return path


def change_header(path: Path, **changes: str) -> None:
    header = {
        "format": forecaster_weights.FORMAT,
        "network": json.dumps({"hidden": 8, "horizon": 12}),
        "scaling": "{}",
        "provenance": "{}",
    }
    save_file(load_file(path), path, metadata={**header, **changes})


def test_a_saved_forecaster_loads_unchanged(tmp_path: Path) -> None:
    network = Network(SMALL)
    forecaster_weights.save(
        tmp_path / "w", network.trained(ScalingConfig(scale_s=5), {"seed": 7, "trained_on": ["101"]})
    )
    loaded = forecaster_weights.load(tmp_path / "w")
    assert loaded.config == SMALL
    assert not Network.of(loaded).training
    assert loaded.scaling == ScalingConfig(scale_s=5)
    assert loaded.provenance == {"seed": 7, "trained_on": ["101"]}
    for name, value in network.state_dict().items():
        assert torch.equal(torch.tensor(loaded.weights[name]), value)
        assert torch.equal(Network.of(loaded).state_dict()[name], value)
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


def assert_load_fails(path: Path, text: str) -> None:
    with pytest.raises(WeightsError, match=text) as caught:
        forecaster_weights.load(path)
    assert "\n" not in str(caught.value)


def test_patches_that_do_not_fill_a_stride(tmp_path: Path) -> None:
    forecaster_weights.save(tmp_path / "w", Network(NetworkConfig(patch=5, hidden=8)).trained(ScalingConfig(), {}))
    assert_load_fails(tmp_path / "w", "patches of 5 samples")


def test_missing_file(tmp_path: Path) -> None:
    assert_load_fails(tmp_path / "none.safetensors", "none.safetensors")


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    assert_load_fails(tmp_path, "cannot be read")


@pytest.mark.parametrize("size", [0, 5, 100, -1])
def test_truncated_file(saved: Path, size: int) -> None:
    saved.write_bytes(saved.read_bytes()[:size])
    assert_load_fails(saved, "cannot be read")


def test_random_bytes(saved: Path) -> None:
    saved.write_bytes(b"\x93" * 3000)
    assert_load_fails(saved, "cannot be read")


def test_file_of_another_format(saved: Path) -> None:
    save_file({"a": torch.zeros(3)}, saved)
    assert_load_fails(saved, "not a forecaster")


def test_weights_of_another_shape(saved: Path) -> None:
    change_header(saved, network=json.dumps({"hidden": 16, "horizon": 12}))
    assert_load_fails(saved, "do not fit")


@pytest.mark.parametrize("network", ["{", '{"depth": 3}', '{"hidden": -1}', "[]", '"x"'])
def test_damaged_header(saved: Path, network: str) -> None:
    change_header(saved, network=network)
    assert_load_fails(saved, "do not fit")


def test_weights_that_are_not_finite(saved: Path) -> None:
    network = Network(SMALL)
    torch.nn.init.constant_(network.head.bias, float("nan"))
    forecaster_weights.save(saved, network.trained(ScalingConfig(), {}))
    assert_load_fails(saved, "not all finite")


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        forecaster_weights.save(tmp_path / "file" / "weights", Network(SMALL).trained(ScalingConfig(), {}))


def test_the_shipped_weights() -> None:
    shipped = forecaster_weights.load()
    assert forecaster_weights.SHIPPED.stat().st_size <= 2_000_000
    config = shipped.config
    assert config.horizon >= 90  # 250 ms
    trained, chosen = shipped.provenance["trained_on"], shipped.provenance["chosen_on"]
    assert set(trained) | set(chosen) == set(TRAIN)
    assert set(chosen) == set(VALIDATION_RECORDS)
    assert not set(trained + chosen) & set(DS2)
    for key in ("seed", "date", "minutes", "commit", "held_back", "versions", "config"):
        assert key in shipped.provenance
    assert shipped.provenance["first_samples"]["commit"]

"""Images from the device's memory are those from the host's, at every place and on every rank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from test_loop import assert_same, contents

from conftest import start, tiny, trained
from ganvas import api, process
from ganvas.errors import UsageError
from ganvas.training.backend import Engine
from ganvas.training.engine.images import OnDevice, OnHost, source
from ganvas.training.engine.reads import no_reads
from ganvas.training.setup import settle_labels
from ganvas.training.trainer import split_held_out

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "mirrored, with classes": {"data.flip": True, "data.labels": "use"},
    "some are held out": {"data.held_out": 0.2, "data.flip": True},
    "a batch of several passes": {"data.limit": 12, "step.batch": 32, "data.flip": True, "data.labels": "use"},
    "grey": {"data.channels": 1, "data.flip": True},
}


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_both_give_the_same_batches(changes: dict[str, Any]) -> None:
    found = []
    for where, kind in (("host", OnHost), ("device", OnDevice)):
        config = tiny({**changes, "engine.data": where})
        images = api.load_data(config.data)
        config = settle_labels(config, images)
        chosen, _ = split_held_out(config, len(images.images))
        given = source(config, images, chosen, Engine(config.engine))
        assert isinstance(given, kind)
        found.append([given(at, own) for at in range(0, 320, 16) for own in (slice(None), slice(1, None, 2))])
    for (host, host_labels), (device, device_labels) in zip(*found, strict=True):
        assert host.dtype == device.dtype == torch.uint8 and torch.equal(host, device)
        assert (host_labels is None) == (device_labels is None) == (changes.get("data.labels") != "use")
        assert host_labels is None or torch.equal(host_labels, device_labels)


def test_within_a_pass_nothing_but_the_place_comes_from_the_host() -> None:
    config = tiny({"engine.data": "device", "data.flip": True})
    images = api.load_data(config.data)
    given = source(config, images, split_held_out(config, 96)[0], Engine(config.engine))
    assert isinstance(given, OnDevice)
    given(0, slice(None))
    given._pass = None  # type: ignore[method-assign, assignment]
    with no_reads():
        first, _ = given(16, slice(None))
    assert first.data_ptr() != given.images.data_ptr()


def test_a_training_is_the_same(tmp: Path) -> None:
    host = trained(tmp / "host", {"data.flip": True})
    device = trained(tmp / "device", {"data.flip": True, "engine.data": "device"})
    ours, theirs = (contents(run) for run in (host, device))
    for found in (ours, theirs):
        del found["000000192.safetensors"]  # it holds the config
    assert_same(ours, theirs)


def test_images_that_do_not_fit_are_refused(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "memory_limit", lambda: 50_000)
    with pytest.raises(UsageError, match=r"engine.data = device: the images need at least .* use --engine.data host"):
        start(tmp / "run", {"engine.data": "device"})

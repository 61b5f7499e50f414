"""Which extractor a name gives, and what a number made with it may be called."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

from ganvas.errors import GanvasError, UsageError
from ganvas.metrics.extractors import custom, efficientnet, inception
from ganvas.metrics.extractors import registry as extractors
from ganvas.metrics.extractors.registry import distance_name, find, metric_name

CIFAR = ("cifar10", (3, 32, 32))


def test_only_inception_gives_fid_kid_and_is():
    assert [metric_name(kind, "inception") for kind in ("fd", "kd", "is")] == ["fid", "kid", "is"]
    for name in (*extractors.NAMES[:2], "net.pt", "module:function", "inception.pt"):
        assert {metric_name(kind, name) for kind in ("fd", "kd", "is")}.isdisjoint({"fid", "kid", "is"})


@pytest.mark.parametrize(
    ("extractor", "name"),
    [
        ("inception", "fid"),
        ("classifier", "fd_classifier"),
        ("efficientnet-lite0", "fd_efficientnet"),
        ("mine/net.pt", "fd_custom"),
        ("package.module:function", "fd_custom"),
    ],
)
def test_distance_names(extractor, name):
    assert distance_name(extractor) == name
    assert metric_name("is", extractor) == name.replace("fid", "is").replace("fd", "is")


def test_names_lead_to_their_modules(monkeypatch):
    classifier = types.ModuleType("ganvas.metrics.extractors.classifier")
    classifier.load = lambda *asked: ("classifier", asked)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ganvas.metrics.extractors.classifier", classifier)
    monkeypatch.setattr("ganvas.metrics.extractors.classifier", classifier, raising=False)
    monkeypatch.setattr(efficientnet, "load", lambda variant: variant.name)
    monkeypatch.setattr(inception, "load", lambda *path: ("inception", *path))
    monkeypatch.setattr(custom, "load", lambda name: ("custom", name))
    assert find("classifier", *CIFAR) == ("classifier", CIFAR)
    assert find("efficientnet-lite0", *CIFAR) == "efficientnet-lite0"
    assert find("inception", *CIFAR) == ("inception",)
    for name in ("net.pt", "folder/net", "package.module:function", __file__):
        assert find(name, *CIFAR) == ("custom", name)


def test_a_path_to_nvidias_file_is_inception(monkeypatch):
    monkeypatch.setattr(inception, "load", lambda *path: ("inception", *path))
    path = f"somewhere/{inception.FILE}"
    assert find(path, *CIFAR) == ("inception", Path(path))


def test_unknown_names():
    with pytest.raises(UsageError, match=r"no features are called 'inceptoin': .*; did you mean inception\?$"):
        find("inceptoin", *CIFAR)
    with pytest.raises(UsageError, match=r"efficientnet-lite0, inception, efficientnet-lite2, a TorchScript file"):
        find("???", *CIFAR)
    with pytest.raises(GanvasError, match=r"absent\.pt cannot be read"):
        find("absent.pt", *CIFAR)


def test_the_names_are_known_without_torch():
    source = Path(extractors.__file__).parents[3]
    check = "import sys; import ganvas.metrics.extractors.registry; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": str(source)}, check=False).returncode == 0

"""The user's own features: TorchScript files and Python functions, and every way they can be wrong."""

import hashlib
import sys
import textwrap
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvas.errors import GanvasError
from ganvas.metrics.extractors import custom

IMAGES = np.random.RandomState(0).randint(0, 256, (4, 3, 8, 8), dtype=np.uint8)
MEANS = IMAGES.mean((2, 3))


class Means(nn.Module):
    """The mean of each channel; a dropout that evaluation mode must silence."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.9)

    def forward(self, images: Tensor) -> Tensor:
        return self.dropout(images.float().mean((2, 3)))


class Pair(Means):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        means = images.float().mean((2, 3))
        return means, means.softmax(1)


def script(network: nn.Module, path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(network), path)
    return str(path)


@pytest.fixture
def module(tmp, monkeypatch):
    """`module(source)` writes a fresh module into the current folder and gives its name."""
    monkeypatch.chdir(tmp)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(tmp))])
    written = []

    def write(source: str) -> str:
        name = f"features_{tmp.name}_{len(written)}"
        (tmp / f"{name}.py").write_text(textwrap.dedent(source))
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.mark.filterwarnings("error::DeprecationWarning")
def test_a_torchscript_file_loads_without_a_warning(tmp):
    path = script(Means(), tmp / "means.pt")
    extractor = custom.load(path)
    assert extractor.name == path and extractor.resize == "the user's own"
    assert extractor.weights_hash == hashlib.sha256((tmp / "means.pt").read_bytes()).hexdigest()
    features = extractor.extract([IMAGES[:1], IMAGES[1:]])
    np.testing.assert_allclose(features.vectors, MEANS, rtol=1e-5)
    assert features.probabilities is None


def test_a_torchscript_file_that_also_classifies(tmp):
    features = custom.load(script(Pair(), tmp / "pair.ts")).extract([IMAGES])
    np.testing.assert_allclose(features.vectors, MEANS, rtol=1e-5)
    np.testing.assert_allclose(features.probabilities, torch.tensor(MEANS).softmax(1), rtol=1e-3, atol=1e-6)


def test_files_that_are_none(tmp):
    (tmp / "text.pt").write_text("not a network")
    with pytest.raises(GanvasError, match=r"text\.pt: this is no TorchScript file"):
        custom.load(str(tmp / "text.pt"))
    with pytest.raises(GanvasError, match=r"absent\.pt cannot be read \(No such file"):
        custom.load(str(tmp / "absent.pt"))


def test_a_function_in_the_current_folder(module, tmp):
    name = module("def means(images): return images.float().mean((2, 3))")
    extractor = custom.load(f"{name}:means")
    assert extractor.name == f"{name}:means"
    assert extractor.weights_hash == hashlib.sha256((tmp / f"{name}.py").read_bytes()).hexdigest()
    np.testing.assert_allclose(extractor.extract([IMAGES]).vectors, MEANS, rtol=1e-5)


def test_the_hash_is_that_of_the_file_where_the_function_is_written(module, tmp):
    home = module("def means(images): return images.float().mean((2, 3))")
    offers = module(f"from {home} import means")
    assert custom.load(f"{offers}:means").weights_hash == hashlib.sha256((tmp / f"{home}.py").read_bytes()).hexdigest()


def test_a_callable_object_and_probabilities(module):
    name = module("""
        class Look:
            def __call__(self, images):
                means = images.float().mean((2, 3))
                return means, means / means.sum(1, keepdim=True)
        look = Look()
    """)
    features = custom.load(f"{name}:look").extract([IMAGES])
    np.testing.assert_allclose(features.probabilities, MEANS / MEANS.sum(1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module:f", r"cannot be imported \(ModuleNotFoundError: No module named 'no_such_module'\)"),
        ("hashlib:no_such_function", r"hashlib has no no_such_function"),
        ("hashlib:algorithms_available", r"hashlib has no callable algorithms_available"),
        ("builtins:len", r"builtins has no file"),
    ],
)
def test_names_that_lead_nowhere(name, message):
    with pytest.raises(GanvasError, match=f"^features {name}: .*{message}") as error:
        custom.load(name)
    assert "\n" not in str(error.value)


def test_a_module_that_breaks_on_import(module):
    name = module("raise KeyError('broken')")
    with pytest.raises(GanvasError, match=r"cannot be imported \(KeyError: 'broken'\)"):
        custom.load(f"{name}:f")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return images.float()", r"4 images gave \(4, 3, 8, 8\); one vector each is needed"),
        ("return images.float().mean((2, 3))[:2]", r"4 images gave \(2, 3\)"),
        ("return images.float().mean((2, 3)) / 0", r"4 of 4 vectors hold NaN or infinity"),
        ("return images.numpy()", r"gave ndarray, not a tensor \[n, d\]"),
        ("return None", r"gave NoneType, not a tensor"),
        ("return images, images, images", r"gave Tensor, Tensor, Tensor, not a tensor"),
        ("return images.flatten(1), images", r"4 images gave probabilities \(4, 3, 8, 8\), not \[4, k\]"),
        ("return images.flatten(1), images.flatten(1).float()", r"add up to 1 \(logits need a softmax\)"),
        ("return {}['absent']", r"KeyError on images of \(3, 8, 8\) \('absent'\)"),
        ("assert False", r"AssertionError on images of \(3, 8, 8\) \(\)"),
    ],
)
def test_functions_that_give_something_else(module, body, message):
    name = module(f"def f(images): {body}")
    with pytest.raises(GanvasError, match=f"^features {name}:f: ?.*{message}") as error:
        custom.load(f"{name}:f").extract([IMAGES])
    assert "\n" not in str(error.value)

"""The code of docs/from-keras.md runs, top to bottom, with stand-ins for Keras and a budget of seconds."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ganvas
from ganvas.notebook.gan import GAN
from ganvas.notebook.run import Run, Runs
from learner import make_discriminator, make_generator
from notebook.test_gan import QUICK

PAGE = (Path(__file__).parents[2] / "docs" / "from-keras.md").read_text("utf-8")


def test_the_code_runs(shapes, in_tmp, monkeypatch):
    """Keras is no dependency: its layers only record themselves, and from_keras gives the tests' own networks."""
    fit, asked = GAN.fit, []

    def quick(self: GAN, data: Any, **words: Any) -> Any:
        asked.append(set(words))
        words.pop("epochs")
        seeds = {"seeds": 1} if "seeds" in words else {}
        return fit(self, data, **{**words, **QUICK, **seeds, "kimg": 0.016})

    made = {"G": make_generator, "D": make_discriminator}
    monkeypatch.setattr(GAN, "fit", quick)
    monkeypatch.setattr(ganvas, "from_keras", lambda model: made[model](), raising=False)
    monkeypatch.setattr(ganvas, "compare", lambda *groups: groups, raising=False)
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    code = re.sub(r"^import keras\nfrom keras import layers\n", "", code, flags=re.MULTILINE)
    layers = SimpleNamespace(**dict.fromkeys(set(re.findall(r"layers\.(\w+)\(", code)), lambda *sizes, **words: None))
    keras = SimpleNamespace(Sequential=lambda parts: "G", Input=lambda shape: None)
    known: dict[str, Any] = {
        "keras": keras, "layers": layers, "make_discriminator": lambda: "D", "train_x": shapes.images.images,
    }  # fmt: skip
    exec(compile(code, "from-keras.md", "exec"), known)
    assert isinstance(known["run"], Run) and known["run"].finished
    assert isinstance(known["before"], Runs) and known["after"][0].config.tricks == ("label-smoothing",)
    assert {"d_loss", "g_loss", "epochs"} in asked and len(asked) == 4


def test_every_name_of_the_table_exists():
    for name in re.findall(r"ganvas\.(\w+)", PAGE):
        assert name in ganvas.__all__
    for name in re.findall(r"\brun\.(\w+)", PAGE):
        assert hasattr(Run, name), name
    for name in re.findall(r"\bgan\.(\w+)", PAGE):
        assert hasattr(GAN, name), name

"""`ganvas.compare` takes what `fit` gives."""

from __future__ import annotations

import math

import pytest

import ganvas
from ganvas.errors import UsageError
from ganvas.notebook.gan import GAN
from learner import make_discriminator, make_generator
from notebook.test_gan import QUICK


@pytest.mark.slow
def test_before_and_after_of_several_seeds(shapes, in_tmp):
    gan = GAN(make_generator, make_discriminator)
    before = gan.fit(shapes, seeds=3, **QUICK)
    after = gan.fit(shapes, seeds=3, tricks=["label-smoothing"], **QUICK)
    found = ganvas.compare(before, after, features=["pixel_features:look"], n=32, sets=1, progress=False)
    assert [len(group.members) for group in found.groups] == [3, 3]
    assert ["label-smoothing" in group.name for group in found.groups] == [False, True]
    assert "fd" in repr(found) and "| " in found._repr_markdown_()
    page = found.write(in_tmp / "comparison")
    assert page.is_file()
    wishes = {"features": ["pixel_features:look"], "n": 32, "sets": 1, "progress": False}
    named = ganvas.compare({"a": before, "b": list(after)}, **wishes)
    assert [group.name for group in named.groups] == ["a", "b"]
    long = "the course's Adam at " + 20 * "x" + " and beta1 0.9"
    wide = repr(ganvas.compare({long: before, "b": list(after)}, **wishes))
    assert f"b compared with {long}:" in wide and "  the course's Adam...xxxxxx and beta1 0.9  " in wide
    assert not [line for line in wide.splitlines() if line.startswith("  ") and long in line]  # a row of a table


def test_one_run_against_another_has_no_verdict(shapes, in_tmp):
    gan = GAN(make_generator, make_discriminator)
    one, other = gan.fit(shapes, **QUICK), gan.fit(shapes, tricks=["label-smoothing"], **QUICK)
    found = ganvas.compare(one, other, features=["pixel_features:look"], n=32, sets=1, progress=False)
    assert all(math.isnan(verdict.p) for verdict in found.verdicts)


def test_what_train_gives_can_be_compared(finished):
    with pytest.raises(UsageError, match="found one group"):
        ganvas.compare({"a": finished, "b": []}, make=False)


def test_what_is_no_run(shapes):
    with pytest.raises(UsageError, match="not a int"):
        ganvas.compare(3)

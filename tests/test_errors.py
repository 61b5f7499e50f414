"""What errors say: options and commands as the one who reads them writes them."""

from __future__ import annotations

import pytest

from ganvas.errors import command, command_line, option


@pytest.mark.parametrize(
    ("flag", "argument"),
    [
        ("--out", "out="),
        ("--force", "force=True"),
        ("--sets 1", "sets=1"),
        ("--data PATH", "data=..."),
        ("--data.labels ignore", 'labels="ignore"'),
        ("--data.label-from folders", 'label_from="folders"'),
        ("--step.batch", 'settings={"step.batch": ...}'),
        ("--generator.family dcgan", 'settings={"generator.family": "dcgan"}'),
        ("--features efficientnet-lite0", 'features=["efficientnet-lite0"]'),
        ("--with ema", 'tricks=["ema"]'),
        ("--classes", "classes="),
    ],
)
def test_an_option_is_a_flag_only_in_a_terminal(flag: str, argument: str) -> None:
    assert option(flag) == argument
    with command_line():
        assert option(flag) == flag
    assert option(flag) == argument


def test_a_command_is_a_function_in_python() -> None:
    assert (command("tricks"), command("resume", "runs/a"), command("evaluate", "RUN")) == (
        "ganvas.tricks()", 'ganvas.resume("runs/a")', "ganvas.evaluate(RUN)",
    )  # fmt: skip
    with command_line():
        assert (command("tricks"), command("resume", "runs/a")) == ("ganvas tricks", "ganvas resume runs/a")

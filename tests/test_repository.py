"""What holds for the repository as a whole: its size, what it may name and import, its public face, its documents."""

from __future__ import annotations

import argparse
import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ganvas
from ganvas import generator as sampler
from ganvas.cli import main as cli
from ganvas.cli import parser as verbs

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
DOCUMENTS = sorted(path.name for path in ROOT.glob("*.md"))

ALL_FILES = 48 * 2**20
ONE_FILE = 8 * 10**6
PICKLES = {"pickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
# In pieces, for this file is searched as well
HOSTS = [".".join(words) for words in (
    ("registry", "npmjs"), ("pypi", "org"), ("pythonhosted", "org"), ("deb", "debian"), ("download", "pytorch"),
)]  # fmt: skip
FOLDERS = [f"/{name}/" for name in ("work", "tmp/w", "root", "opt")]


def run(*words: str, **options: Any) -> str:
    """The output of a program that succeeds."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{shlex.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def files() -> list[Path]:
    """What a clone would hold: tracked files, and those that git would add."""
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return [path for path in sorted(ROOT / name for name in set(names) if name) if path.is_file()]


# -- files -----------------------------------------------------------------------------------------------------


def test_the_repository_stays_small() -> None:
    sizes = {path: path.stat().st_size for path in files()}
    assert sum(sizes.values()) < ALL_FILES
    assert not [path for path, size in sizes.items() if size > ONE_FILE]


def test_no_file_names_a_registry_or_a_machine() -> None:
    word = re.compile("|".join([*map(re.escape, HOSTS), *(rf"(?<![\w.~}}-]){folder}" for folder in FOLDERS)]))
    found = []
    for path in files():
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}:{i}" for i, line in enumerate(lines, 1) if word.search(line)]
    assert found == []


# -- code ------------------------------------------------------------------------------------------------------


def imports(tree: ast.AST) -> Iterator[str]:
    """The top-level names of every module imported anywhere in the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def unpicklers(tree: ast.AST) -> Iterator[str]:
    """Calls that read or write pickles without saying so in an import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in ("torch.load", "torch.save", "torch.package.PackageImporter"):
                yield name
            for keyword in node.keywords:
                if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False":
                    yield f"{name}(allow_pickle=...)"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_source(path: Path) -> None:
    """No torchvision, no pickle; a docstring for the module and for each of its public functions and classes."""
    tree = ast.parse(path.read_text("utf-8"))
    assert not {*imports(tree)} & {"torchvision", *PICKLES}
    assert [*unpicklers(tree)] == (
        ["torch.load"] if path.name == "efficientnet.py" else []
    )  # others' file, known by hash
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    assert ast.get_docstring(tree)
    assert not [node.name for node in public if not ast.get_docstring(node)]


@pytest.mark.parametrize("name", sampler.shipped())
def test_a_model_that_ships_has_a_card_and_draws(name: str) -> None:
    """Its size, its card, and pictures of every class from the file alone."""
    path = sampler.WEIGHTS / f"{name}.safetensors"
    assert path.stat().st_size <= 6_000_000
    assert f"## `{name}`" in (ROOT / "docs" / "models.md").read_text("utf-8")
    model = sampler.load(name)
    drawn = model.sample(len(model.class_names) * 2, labels=list(range(len(model.class_names))) * 2)
    assert drawn.shape == (20, *model.shape) and drawn.std() > 20
    assert len(np.unique(drawn.reshape(20, -1), axis=0)) == 20


def test_public_names() -> None:
    assert ganvas.__all__ == [
        "GAN", "RECIPES", "Config", "Family", "GanvasError", "Generator", "Loss", "Recipe", "Rule", "Run", "UsageError",
        "animate", "compare", "data", "doctor", "evaluate", "experiment", "export", "from_keras", "load", "quiz",
        "recipes", "register_family", "register_loss", "register_recipe", "register_rule", "report", "resume", "runs",
        "sample", "submit", "train", "tricks", "ui",
    ]  # fmt: skip
    assert all(getattr(ganvas, name) is not None for name in ganvas.__all__)
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        ganvas.nothing_of_ours  # noqa: B018


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import ganvas", {"torch", "numpy", "tyro"}),
        ("from ganvas.cli.main import main; main(['--help'])", {"torch", "numpy", "tyro", "matplotlib", "PIL"}),
    ],
)
def test_start_is_light(code: str, absent: set[str]) -> None:
    loaded = run(sys.executable, "-c", f"import sys; {code}; print(*sys.modules)").splitlines()[-1].split()
    assert not absent & set(loaded)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy"])
def test_lint(command: str) -> None:
    run(sys.executable, "-m", *command.split())


# -- documents -------------------------------------------------------------------------------------------------


class Parsed(Exception):  # noqa: N818
    """Raised in place of doing what was asked."""


def fences(name: str, language: str) -> list[str]:
    """The fenced blocks of a document in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)


def commands(name: str, program: str) -> list[list[str]]:
    """Every line of the ```sh blocks that begins with a program, in words; a comment behind it is no part of it."""
    lines = "".join(fences(name, "sh")).replace("\\\n", " ").splitlines()
    words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [line for line in words if line and line[0].removeprefix(".venv/bin/") == program]


def targets() -> set[str]:
    """What make can be asked for."""
    line = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert line
    return set(line[1].split())


def test_readme_shows_commands() -> None:
    assert commands("README.md", "ganvas")
    assert commands("README.md", "make")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_ganvas_commands_in_documents(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each verb exists and takes its flags: a training is asked for a dry run, the others stop once they are parsed."""
    parse = argparse.ArgumentParser.parse_args

    def stop(*args: Any, **options: Any) -> None:
        raise Parsed(parse(*args, **options))

    monkeypatch.setattr(verbs.Parser, "parse_args", stop)
    for _, *words in commands(name, "ganvas"):
        if words[0].startswith("--") or words[-1] == "--help":
            assert cli.main(words) == 0, words
        elif words[0] == "train":
            assert cli.main([*words, "--dry-run"]) == 0, words
        else:
            with pytest.raises(Parsed):
                cli.verb(words[0])(words[1:])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_commands_in_documents(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for _, *words in commands(name, "make"):
        assert {word for word in words if "=" not in word} <= targets(), words
        assert all(f"$({word.split('=')[0]})" in makefile for word in words if "=" in word), words


@pytest.mark.parametrize("name", DOCUMENTS)
def test_python_in_documents(name: str) -> None:
    for code in fences(name, "python"):
        ast.parse(code)
        assert {*re.findall(r"\bganvas\.(\w+)", code)} <= {*ganvas.__all__}, code


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_in_documents(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    links = re.findall(r"\]\(([^)#\s]+)|(?:src|href)=\"([^\"#]+)\"", text)
    near = [one or other for one, other in links if "://" not in (one or other)]
    assert not [link for link in near if not (ROOT / link).exists()]


def test_the_tree_in_contributing_is_the_tree_on_disk() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    first, *rest = re.findall(r"^(src/ganvas/\n.*?)^```", text, re.MULTILINE | re.DOTALL)[0].splitlines()
    inside = [line for line in rest if line.startswith("  ")]
    listed = {name.rstrip("/") for line in inside for name in re.findall(r"(?<!\S)(\w+(?:\.py|/))(?= )", line[:56])}
    package = {path.name for path in (ROOT / first).iterdir()} - {"__pycache__", "py.typed"}
    assert listed == package
    outside = {line.split("/")[0] for line in rest if line and not line.startswith(" ")}
    folders = {path.relative_to(ROOT).parts[0] for path in files() if len(path.relative_to(ROOT).parts) > 1}
    assert outside | {"src"} == {name for name in folders if not name.startswith(".")} - {"records"}


def test_make_shows_its_targets() -> None:
    shown = run("make")
    assert all(f"make {target} " in shown for target in targets() - {"help", "stale"})

"""A simple look at a learner's own code: what can be counted of docstrings, repetition and style. No linter."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from dataclasses import dataclass

LONGEST_LINE = 99
"""Characters; PEP 8 allows teams up to this."""

TOOLS = re.compile(r"#\s*(?:fmt|noqa|type|pylint|mypy|ruff|pragma|yapf)\b")
"""Comments that explain nothing to a reader."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class CodeFacts:
    """Names of the functions and classes, of those that explain themselves, and what PEP 8 would not like."""

    names: tuple[str, ...]
    explained: tuple[str, ...]
    """With a docstring, or a comment inside."""
    long_lines: int
    misnamed: tuple[str, ...]
    """Functions not in snake_case, classes not in CapWords."""
    repeated: tuple[str, ...]
    """Functions whose body another one has as well."""

    @property
    def silent(self) -> tuple[str, ...]:
        """Without docstring or comment."""
        return tuple(name for name in self.names if name not in self.explained)


def look(text: str) -> CodeFacts | None:
    """The facts of a Python file; None where it is none, or defines nothing."""
    try:
        tree = ast.parse(text)
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError):
        return None
    said = [token for token in tokens if token.type == tokenize.COMMENT and not TOOLS.match(token.string)]
    comments = [token.start[0] for token in said]
    definitions = [node for node in ast.walk(tree) if isinstance(node, Definition)]
    outer = [node for node in tree.body if isinstance(node, Definition)]
    if not outer:
        return None
    functions = [node for node in definitions if not isinstance(node, ast.ClassDef)]
    bodies = Counter(body for node in functions if (body := _body(node)) is not None)
    return CodeFacts(
        names=tuple(node.name for node in outer),
        explained=tuple(node.name for node in outer if _explains(node, comments)),
        long_lines=sum(len(line) > LONGEST_LINE for line in text.splitlines()),
        misnamed=tuple(node.name for node in definitions if not _well_named(node)),
        repeated=tuple(node.name for node in functions if bodies.get(_body(node) or "", 0) > 1),
    )


def _explains(node: Definition, comments: list[int]) -> bool:
    inside = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    documented = any(ast.get_docstring(each) for each in ast.walk(node) if isinstance(each, Definition))
    return documented or any(line in inside for line in comments)


def _well_named(node: Definition) -> bool:
    pattern = r"_*[A-Z]\w*" if isinstance(node, ast.ClassDef) else r"_*[a-z0-9_]+"
    return re.fullmatch(pattern, node.name) is not None


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """What a function does, without its name and docstring; None where that is a line or less."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return ast.dump(ast.Module(body, [])) if len(body) > 1 else None

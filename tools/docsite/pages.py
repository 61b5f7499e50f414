"""The pages of the site: what the navigation and every link from it leads to, as Markdown for the builder."""

from __future__ import annotations

import ast
import posixpath
import re
import shutil
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from docsite import api, notebooks

ROOT = Path(__file__).parents[2]
KOREAN = "docs/ko/"
PICTURES = {".png", ".gif", ".webp", ".jpg", ".svg"}
LANGUAGES = {".py": "python", ".sh": "sh", ".toml": "toml", ".json": "json", "Makefile": "make"}
CODE = r"^(?P<fence>`{3,}).*?^(?P=fence)$|`[^`\n]+`"
LINK = re.compile(CODE + r"|(?<=\]\()(?P<link>[^)\s]+)(?=\)|\s+\")", re.MULTILINE | re.DOTALL)
SIBLING = re.compile(r"\[([^]]*)\]\((\w+\.ipynb)\)")
TWIN = re.compile(r"^\[(?:English|한국어)\]\(\S+\)\n+", re.MULTILINE)
INCLUDED = re.compile(r"^<!-- code: (\S+)((?: \w+)*) -->$", re.MULTILINE)


def navigation() -> dict[str, dict[str, list[str]]]:
    """Language -> title of a group -> its pages, as paths in the repository."""
    return tomllib.loads((ROOT / "docs" / "nav.toml").read_text("utf-8"))


def place(path: str) -> str:
    """Where a file of the repository lies in the site, as Markdown; pictures keep their form.

    >>> [place(name) for name in ("docs/ko/faq.md", "records/README.md", "src/a.py", "docs/faults/nan.png")]
    ['ko/faq.md', 'records/README.md', 'source/src/a.py.md', 'faults/nan.png']
    """
    inside = path.removeprefix("docs/")
    if path == "README.md" or path == "README.ko.md":
        return "index.md" if path == "README.md" else "ko/index.md"
    if Path(path).suffix in PICTURES or path.endswith(".md"):
        return inside
    return f"source/{path}.md"


def twin(path: str) -> str | None:
    """The same page in the other language."""
    other = path.replace(KOREAN, "docs/") if path.startswith(KOREAN) else path.replace("docs/", KOREAN, 1)
    return other if path.startswith("docs/") and (ROOT / other).is_file() else None


def definitions(path: str, names: list[str]) -> str:
    """The source of these top-level functions and classes, in the order asked for; of the whole file without names."""
    text = (ROOT / path).read_text("utf-8")
    if not names:
        return text
    found = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    lines = text.splitlines()
    first = {name: min([node.lineno, *(d.lineno for d in node.decorator_list)]) for name, node in found.items()}
    return "\n\n\n".join("\n".join(lines[first[name] - 1 : found[name].end_lineno]) for name in names)


def markdown(path: str) -> str:
    """The page that a file becomes, its links still those of the repository."""
    file = ROOT / path
    if file.is_dir():
        names = sorted(child.name + "/" * child.is_dir() for child in file.iterdir() if child.name[0] not in "._")
        shown = [name for name in names if name.endswith(("/", ".py", ".md", ".ipynb"))]
        return f"# {path}\n\n" + "".join(f"- [{name}]({file.name}/{name})\n" for name in shown)
    text = file.read_text("utf-8")
    if path.endswith(".ipynb"):  # one that the course does not have yet is named without a link
        there = {other.name for other in file.parent.glob("*.ipynb")}
        return SIBLING.sub(lambda match: match[0] if match[2] in there else match[1], notebooks.markdown(text))
    if not path.endswith(".md"):
        language = LANGUAGES.get(file.suffix, LANGUAGES.get(file.name, ""))
        return f"# {path}\n\n````{language}\n{text.rstrip()}\n````\n"

    def included(match: re.Match[str]) -> str:
        return f"```python\n{definitions(match[1], match[2].split()).rstrip()}\n```"

    text = INCLUDED.sub(included, TWIN.sub("", text, count=1))
    return text.replace("<!-- api -->", api.markdown()) if "<!-- api -->" in text else text


def relinked(text: str, change: Callable[[str], str]) -> str:
    """A page with every link outside of code changed.

    >>> relinked("[a](b.md) `[a](b.md)`", str.upper)
    '[a](B.MD) `[a](b.md)`'
    """
    return LINK.sub(lambda match: change(match["link"]) if match["link"] else match[0], text)


def target(page: str, link: str) -> str | None:
    """The file of the repository that a link of a page leads to, None for one that leads elsewhere."""
    path = link.split("#")[0]
    if "://" in link or link.startswith("mailto:") or not path:
        return None
    found = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    if found.startswith("..") or not (ROOT / found).exists():
        raise SystemExit(f"{page}: {link} leads to nothing in the repository")
    return found


def gather() -> dict[str, str]:
    """Path in the repository -> Markdown, of every page that the navigation or a link of another page leads to."""
    todo = ["docs/index.md", "docs/ko/index.md"]
    todo += [path for groups in navigation().values() for paths in groups.values() for path in paths]
    pages: dict[str, str] = {}
    while todo:
        path = todo.pop()
        if path in pages or Path(path).suffix in PICTURES:
            continue
        pages[path] = text = markdown(path)

        def follow(link: str, page: str = path) -> str:
            found = target(page, link)
            if found is not None and place(found) not in ("index.md", "ko/index.md"):
                todo.append(found)
            return link

        relinked(text, follow)
    return pages


def write(found: dict[str, str], folder: Path) -> None:
    """The pages of each language as the sources of a site of its own, in folder/en and folder/ko, links rewritten."""
    korean = {path for path in found if path.startswith(KOREAN)}
    for lang, own in (("ko", korean), ("en", found.keys() - korean)):
        near = {place(path) for path in own}
        for path in sorted(own):
            here = place(path)
            text = relinked(found[path], partial(_moved, path, near=near, pictures=folder / "en"))
            out = folder / lang / here.removeprefix("ko/")
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(_front(path) + text, "utf-8")


def _moved(page: str, link: str, near: set[str], pictures: Path) -> str:
    """A link of a page of the repository as one of the site. `near`: pages of its language; pictures are copied."""
    found = target(page, link)
    if found is None:
        return link
    to = posixpath.relpath(place(found), posixpath.dirname(place(page)) or ".")
    if Path(found).suffix in PICTURES:
        (pictures / place(found)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / found, pictures / place(found))
    elif place(found) not in near:
        to = _html(to)  # of the other language: built beside this one
    return to + "".join(link.partition("#")[1:])


def _front(path: str) -> str:
    """What the theme needs to know of a page: its twin; that sources are not searched; that they need the room."""
    other = place(twin(path) or ("docs/index.md" if path.startswith(KOREAN) else f"{KOREAN}index.md"))
    lines = [f"other: {_html(posixpath.relpath(other, posixpath.dirname(place(path)) or '.'))}"]
    source = place(path).startswith("source/")
    lines += ["search:", "  exclude: true"] if source else []
    if source or INCLUDED.search((ROOT / path).read_text("utf-8")):
        lines += ["hide:", "  - toc"]
    return "---\n" + "\n".join(lines) + "\n---\n\n"


def _html(path: str) -> str:
    return path.removesuffix(".md") + ".html"

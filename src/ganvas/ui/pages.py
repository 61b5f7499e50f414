"""A page, an answer in JSON, a picture; bodies of requests with their bounds; errors as one line."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from ganvas import __version__, i18n
from ganvas.errors import GanvasError, first_line
from ganvas.files import parse_json
from ganvas.i18n import Translator
from ganvas.reports import html
from ganvas.terminal import printable
from ganvas.ui import words
from ganvas.ui.house import House, MissingError

HERE = Path(__file__).parent
COMPARISON = HERE.parent / "comparison" / "templates"
SHARED = (html.TEMPLATES / "report.css", html.TEMPLATES / "report.js", COMPARISON / "compare.css")
"""Style sheets and the script of other pages that these use."""
ROOMS = {"runs": "/", "compare": "/compare", "experiments": "/experiments", "play": "/play", "learn": "/learn"}
"""The navigation: room -> where it begins."""
THEMES = ("auto", "light", "dark")
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOST_JSON = 100_000
"""Bytes of a request in JSON, unless a room says otherwise."""

words.register()


def page(request: Request, template: str, *, room: str = "", status: int = 200, **values: Any) -> HTMLResponse:
    """The page of a template in templates/ that extends layout.html; static/ files of its name come with it.

    `room` is marked in the navigation. A template has `say`, `house`, `room`, `link` (a path with its parts escaped)
    and `words`: the prefixes of sentences that its script needs.
    """
    say = translator(request)
    stem = template.removesuffix(".html")
    own = {kind: f"{stem}.{kind}" if f"{stem}.{kind}" in static_files() else "" for kind in ("css", "js")}
    theme = request.cookies.get("ganvas-theme")
    values = {
        "house": house_of(request), "say": say, "room": room, "rooms": ROOMS, "static": f"/static/{version()}",
        "style": own["css"], "script": own["js"],
        "theme": theme if theme in THEMES else "auto", "version": __version__, "words": ("ui.js.",), "link": link,
        "languages": {lang: _with_lang(request, lang) for lang in i18n.languages()}, **values,
    }  # fmt: skip
    values["script_words"] = {k: v for k, v in say.sentences.items() if k.startswith(("ui.js.", *values["words"]))}
    content = html.environment(HERE / "templates", COMPARISON).get_template(template).render(values)
    content = html.PLACE.sub(r' data-style="\1"', content)  # ui.js places it: the policy allows no style attributes
    response = HTMLResponse(content, status)
    if request.query_params.get("lang") == say.lang:
        response.set_cookie("ganvas-lang", say.lang, max_age=31_536_000, samesite="strict")
    return response


def answer(values: Any, status: int = 200) -> JSONResponse:
    """JSON; NaN and infinities must not be in it."""
    return Ascii(values, status)


class Ascii(JSONResponse):
    """JSON in which any name can stand, also one that is no UTF-8."""

    def render(self, content: Any) -> bytes:
        """The values as bytes."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def picture(content: bytes, kind: str = "png", keep: bool = False) -> Response:
    """Bytes of a PNG, WebP or GIF. `keep`: the browser may keep them, as what this address shows never changes."""
    headers = {"Cache-Control": "private, max-age=86400"} if keep else {}
    return Response(content, media_type=f"image/{kind}", headers=headers)


def house_of(request: Request) -> House:
    """The house that every room gets."""
    house: House = request.app.state.house
    return house


def translator(request: Request) -> Translator:
    """The sentences of the language that the reader chose: ?lang=, else the last choice, else the house's."""
    known = i18n.languages()
    chosen = (request.query_params.get("lang"), request.cookies.get("ganvas-lang"), house_of(request).lang)
    return i18n.load(next(lang for lang in (*chosen, "en") if lang in known))


def link(*parts: str) -> str:
    """A path of those parts, each escaped whole."""
    return "/" + "/".join(quote(part, safe="", errors="surrogateescape") for part in parts)


async def body(request: Request, most: int) -> bytes:
    """The body of a request; HTTPException 413 where it is longer than `most` bytes."""
    content, length = bytearray(), 0
    try:
        async for part in request.stream():
            length += len(part)
            if length <= most:
                content += part  # what is beyond is read and dropped: who still sends would not see the answer
    except ClientDisconnect:
        raise HTTPException(413, "the request was cut off") from None
    if length > most:
        raise HTTPException(413, f"at most {most:,} bytes here")
    return bytes(content)


async def json_body(request: Request, most: int = MOST_JSON) -> dict[str, Any]:
    """The JSON object in a request; HTTPException 400 for anything else, 413 above `most` bytes."""
    if request.headers.get("content-type", "").split(";")[0] != "application/json":
        raise HTTPException(415, "send JSON")
    try:
        values = parse_json(await body(request, most))
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise HTTPException(400, "expected a JSON object")
    return values


def failed(request: Request, error: Exception) -> Response:
    """An error as one line: JSON {"error": ...} below /api/ and for what was posted, else a page."""
    if isinstance(error, HTTPException):
        status, line = error.status_code, str(error.detail)
    elif isinstance(error, GanvasError):
        status, line = (404 if isinstance(error, MissingError) else 400), str(error)
    else:
        status, line = 500, f"{type(error).__name__}: {first_line(error)}"
    line = printable(line)
    if request.url.path.startswith("/api/") or request.method not in ("GET", "HEAD"):
        return answer({"error": line}, status)
    return page(request, "error.html", status=status, line=line, code=status)


@cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """Name -> (content, media type) of everything below /static/."""
    found = {path.name: path for path in (*SHARED, *sorted((HERE / "static").iterdir())) if path.suffix in KINDS}
    files = {name: (path.read_bytes(), KINDS[path.suffix]) for name, path in found.items()}
    forced = "".join(themes(files[name][0].decode()) for name in ("report.css", "compare.css"))
    return files | {"themes.css": (forced.encode(), KINDS[".css"])}


@cache
def version() -> str:
    """Changes whenever a static file does."""
    return hashlib.sha256(b"".join(content for content, _ in static_files().values())).hexdigest()[:12]


def themes(sheet: str) -> str:
    """The colours of a style sheet for readers who choose light or dark themselves."""
    light, dark = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)[:2]
    return "".join(
        f':root[data-theme="{name}"] {{{re.sub(r"color-scheme:[^;]*;", "", rules)} color-scheme: {name}; }}\n'
        for name, rules in (("light", light), ("dark", dark))
    )


def _with_lang(request: Request, lang: str) -> str:
    """This page in another language."""
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in ("lang", "token")]
    return "?" + urlencode([*kept, ("lang", lang)])


def dumped(values: Any) -> str:
    """Values as JSON in one line, for an event of a stream."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

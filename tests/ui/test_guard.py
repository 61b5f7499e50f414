"""Attacks, one test each: another web page, a name that was pointed here, no token, bodies too large, passwords."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ganvas import errors
from ganvas.cli import ui as cli
from ganvas.errors import GanvasError, UsageError
from ganvas.ui import guard, rooms
from ganvas.ui.command import ui
from ganvas.ui.house import House
from served import Served, serve

POSTS = [route.path for route in rooms.ROUTES if "POST" in (getattr(route, "methods", None) or ())]
PASSWORD = "correct horse"


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password costs little."""
    monkeypatch.setattr(guard, "LOGIN_SECONDS", 0.01)


@pytest.fixture
def locked(house: House) -> Iterator[Served]:
    """A server with a password."""
    yield from serve(House(house.root), password=PASSWORD)


def test_without_the_token_nothing_is_shown(served: Served) -> None:
    stranger = {served.guard.cookie: ""}
    for path in ("/", "/runs/0001-colour", "/compare", "/api/runs", "/api/runs/0001-colour", "/start", "/learn"):
        found = served.get(path, **stranger)
        assert found.status == 403 and b"colour" not in found.content, path
        assert "set-cookie" not in found.headers
    assert served.get("/", **{served.guard.cookie: "guessed"}).status == 403
    assert served.get("/?token=guessed", **stranger).status == 403
    assert served.get("/?token=", **stranger).status == 403
    assert served.get("/?token=gu%C3%A9ss%FF", **stranger).status == 403


def test_the_printed_address_lets_a_browser_in_with_a_cookie_of_this_site_alone(served: Served) -> None:
    found = served.get(f"/?token={served.guard.token}", **{served.guard.cookie: ""})
    assert found.status == 200
    cookie = found.headers["set-cookie"]
    assert cookie == f"{served.guard.cookie}={served.guard.session}; Path=/; HttpOnly; SameSite=Strict"
    assert str(served.port) in served.guard.cookie  # two servers do not take each other's cookie
    assert served.guard.token not in found.text


@pytest.mark.parametrize("other", [
    'a={"x":1}', "a,b=1", "a[b]=1", "flag", "=", "a=b c", 'a="open', "Path=/", "a=\xed\x95\x9c",
    "{own}=of-another-path",
])  # fmt: skip
def test_cookies_of_other_servers_of_this_host_shut_nobody_out(served: Served, other: str) -> None:
    """Cookies know no ports, and other servers write theirs as they like."""
    own, other = f"{served.guard.cookie}={served.guard.session}", other.replace("{own}", served.guard.cookie)
    for line in (f"{other}; {own}", f"{own}; {other}", f"{other};{own};"):
        assert served.send("GET", "/api/runs", None, {"cookie": line}).status == 200, line
    assert served.send("GET", "/api/runs", None, {"cookie": other}).status == 403
    assert served.send("GET", "/api/runs", None, {"cookie": f"x{own}"}).status == 403


def test_the_token_opens_no_post(served: Served) -> None:
    path = f"/api/runs/0001-colour/stop?token={served.guard.token}"
    assert served.post(path, **{served.guard.cookie: ""}).status == 403


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:8642", "127.0.0.1.evil.example", "localhost.evil.example", "93.184.216.34",
    "169.254.169.254", "[2001:db8::1]", "", "0.0.0.0", "127.0.0.1@evil.example", "[::1", "a b",
])  # fmt: skip
def test_a_name_that_was_pointed_here_is_refused(served: Served, host: str) -> None:
    """DNS rebinding: the browser believes that it speaks with evil.example, whose name now leads here."""
    found = served.send("GET", "/api/runs", None, {"Host": host} if host else {"Host": ""})
    assert found.status in (421, 400) and b"colour" not in found.content
    assert served.post("/api/start", {}, {"Host": host, "origin": f"http://{host}"}).status in (421, 400)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:1", "[::1]:8642"])
def test_names_of_this_machine_are_served(served: Served, host: str) -> None:
    assert served.send("GET", "/api/runs", None, {"Host": host}).status == 200


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:1"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"x-ganvas": ""},
    {"x-ganvas": "", "content-type": "text/plain"},
]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_site_starts_and_stops_nothing(served: Served, path: str, headers: dict[str, str]) -> None:
    """Even with the cookie, which SameSite=Strict does not send along."""
    place = re.sub(r"\{\w+(:\w+)?\}", "0001-colour", path)
    assert served.post(place, {}, headers).status == 403
    assert not served.house.trainings.all


def test_there_are_posts_to_try() -> None:
    assert len(POSTS) >= 7


def test_a_page_of_another_site_reads_no_api(served: Served) -> None:
    for site in ("cross-site", "same-site"):
        assert served.get("/api/runs", {"sec-fetch-site": site}).status == 403
    headers = served.get("/api/runs").headers
    assert "access-control-allow-origin" not in headers and headers["cross-origin-resource-policy"] == "same-origin"


def test_only_get_and_post(served: Served) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        headers = {"x-ganvas": "1", "origin": served.url}
        assert served.send(method, "/api/runs", b"", headers).status == 405


@pytest.mark.parametrize("path", ["/", "/start", "/compare", "/api/runs", "/nothing", "/runs/0001-colour/report"])
def test_every_answer_has_a_policy_that_lets_nothing_in(served: Served, path: str) -> None:
    headers = served.get(path).headers
    rules = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
    assert rules["default-src"] == "'none'" and rules["frame-ancestors"] == "'none'" and rules["base-uri"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"] and "http" not in headers["content-security-policy"]
    if "report" not in path:
        assert rules["script-src"] == rules["style-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_a_body_that_is_too_large_is_cut(served: Served) -> None:
    long = b'{"text": "' + b"x" * 400_000 + b'"}'
    assert served.post("/api/runs/0001-colour/notes", long).status == 413
    assert served.post("/api/start", long).status == 413
    said = {"content-length": str(10**12)}
    assert served.post("/api/start", b"{}", said).status == 413
    assert served.post("/api/start", b"{}", {"content-length": "-1"}).status in (400, 413)


def test_a_body_without_a_length_is_cut(served: Served) -> None:
    """Chunks, which do not say how many will come."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    headers = {
        "cookie": f"{served.guard.cookie}={served.guard.session}", "x-ganvas": "1", "origin": served.url,
        "content-type": "application/json",
    }  # fmt: skip
    chunks = (b"x" * 50_000 for _ in range(1000))
    try:
        connection.request("POST", "/api/start", chunks, headers, encode_chunked=True)
        status = connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413
    connection.close()
    assert status == 413


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000, b'"a"'])
def test_a_body_that_is_no_object_is_one_line(served: Served, content: bytes) -> None:
    found = served.post("/api/start", content)
    assert found.status in (400, 413) and found.json["error"] and "\n" not in found.json["error"]
    assert served.post("/api/start", content, {"content-type": "text/plain"}).status == 415


# -- hosts that others reach -------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "lab.example"])
def test_a_host_that_others_reach_needs_a_password(host: str, in_tmp: Path) -> None:
    with errors.command_line(), pytest.raises(UsageError, match=r"needs a password: --password-file .* GANVAS_UI_PASS"):
        ui(host=host)
    with pytest.raises(UsageError, match="8 or more"):
        ui(host=host, password="short")


def test_what_cannot_be_served_is_one_line(in_tmp: Path, monkeypatch: pytest.MonkeyPatch, house: House) -> None:
    (in_tmp / "file").write_text("")
    for line, words in {
        "is no folder": {"root": "file"}, "is one run": {"root": house.root / "0001-colour"}, "65535": {"port": 0},
        "no such file": {"data": ["nothing"]}, "unknown language": {"lang": "xx"},
    }.items():  # fmt: skip
        with pytest.raises(UsageError, match=line):
            ui(**{"root": "runs", **words})  # type: ignore[arg-type]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(GanvasError, match=r"cannot listen on 127.0.0.1, port \d+: .*choose another port="):
            ui("runs", port=taken.getsockname()[1], browser=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"^ganvas ui needs starlette and uvicorn: pip install 'ganvas\[ui\]'$"):
        ui()


def test_the_password_comes_from_a_file_or_the_environment(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr("ganvas.ui.server.serve", lambda *words: asked.append({"password": words[3], "host": words[1]}))
    (in_tmp / "secret").write_text(f"{PASSWORD}\nmore")
    assert cli.ui(["--host", "0.0.0.0", "--password-file", "secret"]) == 0
    monkeypatch.setenv("GANVAS_UI_PASSWORD", PASSWORD)
    assert cli.ui(["--host", "0.0.0.0"]) == 0
    assert asked == [{"password": PASSWORD, "host": "0.0.0.0"}] * 2
    with pytest.raises(UsageError, match="cannot be read"):
        cli.ui(["--password-file", "nothing"])


def test_it_warns_others_reach_it(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ganvas.ui import server

    monkeypatch.setattr(server, "server", lambda application: type("S", (), {"run": lambda self, sockets: None})())
    server.serve(house, "0.0.0.0", 0, PASSWORD, False)
    out, err = capsys.readouterr()
    assert err.startswith("warning: whoever reaches 0.0.0.0") and "token" not in out


def test_with_a_password_there_is_no_token(locked: Served, waiting: None) -> None:
    stranger = {locked.guard.cookie: ""}
    assert locked.guard.token is None and locked.get("/?token=None", **stranger).status == 303
    assert locked.get("/", **stranger).headers["location"] == "/login"
    assert locked.get("/api/runs", **stranger).status == 403
    page = locked.get("/login", **stranger)
    assert page.status == 200 and "0001-colour" not in page.text
    for guess in ("", "wrong", PASSWORD + "x", None, 5, "한글"):
        found = locked.post("/login", {"password": guess}, **stranger)
        assert found.status == 403 and "set-cookie" not in found.headers
    found = locked.post("/login", {"password": PASSWORD}, **stranger)
    assert found.status == 200 and locked.guard.session in found.headers["set-cookie"]
    assert locked.post("/login", {"password": PASSWORD}, {"origin": "https://evil.example"}, **stranger).status == 403


def test_without_a_password_nobody_logs_in(served: Served) -> None:
    assert served.post("/login", {"password": ""}, **{served.guard.cookie: ""}).status == 403


def test_wrong_passwords_wait_for_each_other(locked: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        assert locked.guard._trying.locked()

    monkeypatch.setattr(guard, "asyncio", SimpleNamespace(sleep=sleep))  # the server sleeps as well
    locked.post("/login", {"password": "wrong"}, **{locked.guard.cookie: ""})
    assert waited == [guard.LOGIN_SECONDS]

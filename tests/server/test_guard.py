"""Who may ask the server: its own page, by its own names; and the headers of every answer."""

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from mirrorfield.errors import InputError
from mirrorfield.server.app import create_app
from mirrorfield.server.guard import SAFETY, Guard, Names, names_of
from mirrorfield.server.limits import Limits

ROUTES = ("/", "/page.js", "/api/about", "/api/scenario.toml", "/openapi.json")


@pytest.fixture(scope="module")
def client():
    with TestClient(create_app(Limits())) as found:
        yield found


def live(client, host: str, origin: str | None = None):
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    return client.websocket_connect("/live", headers=headers)


OWN = [("127.0.0.1:8642", "http://127.0.0.1:8642"), ("localhost:9000", "https://localhost:9000"), ("[::1]:1", None),
       ("LOCALHOST", "http://localhost"), ("127.0.0.1", None)]  # fmt: skip
FOREIGN = [
    ("evil.example:8642", "http://evil.example:8642"), ("evil.example", None), ("localhost.evil.example", None),
    ("127.0.0.1.evil.example", None), ("localhost.", None), ("10.0.0.1", None), ("", None), ("localhost:x", None),
    ("[::1", None), ("localhost@evil.example", None),
    ("127.0.0.1:8642", "http://127.0.0.1:8643"), ("127.0.0.1:8642", "http://localhost:8642"),
    ("localhost", "https://evil.example"), ("localhost", "null"), ("localhost", ""), ("localhost", "http://[::1"),
    ("localhost", "http://localhost.evil.example"), ("localhost", "http://evil.example@localhost"),
    ("localhost", "file://localhost"), ("localhost", "http://localhost/"), ("localhost", "\xff"),
]  # fmt: skip


@pytest.mark.parametrize(("host", "origin"), OWN)
def test_the_own_page_may_ask_everything(client, host: str, origin: str | None) -> None:
    for route in ROUTES:
        headers = {"host": host} | ({} if origin is None else {"origin": origin})
        assert client.get(route, headers=headers).status_code == 200
    with live(client, host, origin) as socket:
        assert socket.receive_json()["t"] == 0


@pytest.mark.parametrize(("host", "origin"), FOREIGN)
def test_a_foreign_name_or_page_is_refused_in_one_line(client, host: str, origin: str | None) -> None:
    headers = {"host": host} | ({} if origin is None else {"origin": origin.encode("latin-1")})
    for route in ROUTES:
        told = client.get(route, headers=headers)
        assert told.status_code == 403 and told.text.count("\n") == 1 and "403: " in told.text
        assert SAFETY.items() <= dict(told.headers).items()
    for path in ("/live", "/crowd"):
        with pytest.raises(WebSocketDenialResponse) as caught, client.websocket_connect(path, headers=headers):
            pass
        assert caught.value.status_code == 403 and SAFETY.items() <= dict(caught.value.headers).items()


def test_names_follow_from_where_it_listens() -> None:
    assert names_of("127.0.0.1").has("localhost:1") and not names_of("127.0.0.1").has("192.168.1.5")
    assert names_of("192.168.1.5").has("192.168.1.5:80") and not names_of("192.168.1.5").has("localhost")
    anywhere = names_of("0.0.0.0", ["Campus.Example"])
    assert anywhere.has("192.168.1.5:8642") and anywhere.has("[2001:db8::1]:80") and anywhere.has("campus.example")
    assert anywhere.has("localhost") and not anywhere.has("evil.example") and not anywhere.has("[zz]")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("HEAD", "/page.js", 200), ("GET", "/index.css", 200), ("GET", "/api/about", 200),
     ("GET", "/no-such-page", 404), ("GET", "/../app.py", 404), ("POST", "/", 405), ("POST", "/api/about", 405),
     ("GET", "/api/whatif/x/y", 422), ("GET", "/api/whatif/filter-bubble/intensity-cap", 409),
     ("GET", "/api/scenario.toml?steps=0", 422), ("OPTIONS", "/live", 405)],
)  # fmt: skip
def test_every_answer_has_the_headers(client, method: str, path: str, status: int) -> None:
    told = client.request(method, path, headers={"host": "localhost"})
    assert told.status_code == status
    assert SAFETY.items() <= dict(told.headers).items() and len(told.headers.get_list("referrer-policy")) == 1
    policy = told.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy


def test_a_fault_has_the_headers_too() -> None:
    from starlette.applications import Starlette
    from starlette.routing import Route

    async def broken(request: object) -> None:
        raise ValueError("a fault")

    app = Guard(Starlette(routes=[Route("/", broken)]), Names(frozenset({"testserver"})))
    told = TestClient(app, raise_server_exceptions=False).get("/")
    assert told.status_code == 500 and SAFETY.items() <= dict(told.headers).items()


def test_a_page_may_be_framed_by_those_it_is_lent_to_only() -> None:
    def policy(*origins: str) -> str:
        with TestClient(create_app(embed_from=origins), base_url="http://localhost") as client:
            answer = client.get("/")
            assert answer.status_code == 200
            return answer.headers["content-security-policy"].rpartition("; ")[2]

    assert policy() == "frame-ancestors 'none'"
    assert policy("HTTPS://A.example") == "frame-ancestors https://a.example"
    assert policy("https://a.example", "http://b.example:81") == "frame-ancestors https://a.example http://b.example:81"
    for wrong in ("*", "https://a.example/page", "a.example", "https://a.example; script-src *"):
        with pytest.raises(InputError, match="expected an origin"):
            create_app(embed_from=[wrong])

"""The server: what it says, what it refuses, and that nothing a stranger sends can break it."""

import json
import random
import shlex
import string

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import mirrorfield as mf
from mirrorfield.cli.main import app as command
from mirrorfield.server.app import create_app
from mirrorfield.server.guard import Names
from mirrorfield.server.limits import BUSY, IDLE, MALFORMED, TOO_FAST, Limits, Pace
from mirrorfield.server.messages import READER
from mirrorfield.server.mirror import Mirror, Settings
from mirrorfield.server.panels import Desk
from mirrorfield.server.talk import read

NAMES = Names(frozenset({"testserver"}))


@pytest.fixture(scope="module")
def client():
    with TestClient(create_app(Limits(messages_per_second=1e9), NAMES)) as found:
        yield found


def test_the_page_and_what_it_needs_are_served_under_a_strict_policy(client) -> None:
    page = client.get("/")
    assert page.status_code == 200 and "mirrorfield" in page.text
    about = client.get("/api/about").json()
    assert [c["name"] for c in about["categories"]] == ["threat", "tribal", "validation", "depth"]
    assert len(about["posts"]) >= 60 and about["states"] == ["calm", "engaged", "hooked"]
    for name, kind in (("page.js", "text/javascript"), ("index.css", "text/css"), ("inter.woff2", "font/woff2")):
        answer = client.get(f"/{name}")
        assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind)
        assert client.get(f"/{name}", headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    for name in ("/../app.py", "/etc/passwd", "/%2e%2e/app.py", "/static/page.js", "/recorded"):
        assert client.get(name).status_code == 404
    assert client.post("/page.js").status_code == 405


def test_files_are_compressed_for_those_who_take_it(client) -> None:
    packed, whole = (client.get("/page.js", headers={"accept-encoding": how}) for how in ("gzip", "identity"))
    assert packed.headers["content-encoding"] == "gzip" and packed.content == whole.content
    assert int(packed.headers["content-length"]) < len(whole.content) / 2
    assert client.get("/api/about", headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_a_visit(client) -> None:
    with client.websocket_connect("/live") as socket:
        first = socket.receive_json()
        assert first["t"] == 0 and first["policy"] == [[0.25] * 4] * 3
        socket.send_json({"type": "auto"})
        told = socket.receive_json()
        (step,) = told["steps"]
        assert step["advantage"] == step["reward"] and step["learning_rate"] == 0.5 and told["t"] == 1
        socket.send_json({"type": "auto", "posts": 50})
        assert len(socket.receive_json()["steps"]) == 50
        socket.send_json({"type": "turn", "intentionality": 0.9, "learning_rate": 0.2, "noise": 0})
        turned = socket.receive_json()
        assert turned["t"] == 51 and turned["settings"]["learning_rate"] == 0.2
        socket.send_json({"type": "start", "seed": 9})
        assert socket.receive_json()["t"] == 0


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"type": "run"}', '{"type": "auto", "posts": 0}', '{"type": "auto", "posts": 201}',
     '{"type": "auto", "posts": NaN}', '{"type": "react", "action": "like", "dwell": 1}',
     '{"type": "start", "seed": -1}', '{"type": "start", "scenario": "/etc/passwd"}',
     '{"type": "turn", "noise": 1e999}'],
)  # fmt: skip
def test_a_message_that_means_nothing_is_answered_in_words(client, text: str) -> None:
    with client.websocket_connect("/live") as socket:
        socket.receive_json()
        socket.send_text(text)
        told = socket.receive_json()
        assert told["type"] == "error" and told["text"]
        socket.send_json({"type": "auto"})
        assert socket.receive_json()["t"] == 1


SOCKETS = {
    "/live": (("start", "turn", "auto"), ("seed", "posts", "session", "clip", "baseline", "y")),
    "/crowd": (("begin", "go", "who", "near", "pair"), ("seed", "posts", "user", "users", "x", "shift")),
}


VALUES = (None, -1, 1e308, "x" * 50, [], {}, True, "like", 0.5, 2**80, "\u2028")


def garbage(rng: random.Random, socket: str) -> str:
    kind = rng.randrange(4)
    if kind == 0:
        return "".join(rng.choices(string.printable, k=rng.randrange(200)))
    value = rng.choice(VALUES)
    message = {
        "type": rng.choice([*SOCKETS[socket][0], "x", None]),
        rng.choice(SOCKETS[socket][1]): value,
    }
    text = json.dumps(message)
    return text if kind < 3 else text[: rng.randrange(len(text))]


def test_ten_thousand_malformed_messages_break_nothing(client) -> None:
    """Each is read; the first thousand, and every type with every key and value, are also sent."""
    rng = random.Random(1)
    texts = [garbage(rng, "/live") for _ in range(10_000)]
    refused = [said for text in texts if isinstance(said := read(READER, text), str)]
    assert len(refused) > 9000 and all(said and "\n" not in said for said in refused)
    types, keys = SOCKETS["/live"]
    every = [json.dumps({"type": t, key: value}) for t in (*types, "x", None) for key in keys for value in VALUES]
    with client.websocket_connect("/live") as socket:
        socket.receive_json()
        for text in texts[:1000] + every:
            socket.send_text(text)
            assert socket.receive_json()["type"] in ("error", "view")
        socket.send_json({"type": "start"})
        assert socket.receive_json()["t"] == 0


def test_malformed_messages_break_no_crowd(client) -> None:
    rng, heard = random.Random(2), set()
    with client.websocket_connect("/crowd") as socket:
        for _ in range(400):
            socket.send_text(garbage(rng, "/crowd"))
        socket.send_text('{"type": "who", "user": 4321}')
        while True:
            event = socket.receive()
            told = json.loads(event["text"]) if event.get("text") else {"type": "frame"}
            heard.add(told["type"])
            if told.get("user") == 4321:
                break
        assert heard == {"crowd", "frame", "error", "person", "pair"}
        socket.send_json({"type": "begin"})
        assert socket.receive_json()["t"] == 0


def closed(client, *sent: str | bytes) -> int:
    with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect("/live") as socket:
        for one in sent:
            (socket.send_bytes if isinstance(one, bytes) else socket.send_text)(one)
        for _ in range(1000):
            socket.receive_json()
    return caught.value.code


def test_what_is_too_long_or_not_text_closes_the_socket(client) -> None:
    assert closed(client, "x" * 3000) == closed(client, b"\x00\x01") == MALFORMED


def test_visits_are_bounded_in_number_pace_posts_and_idleness() -> None:
    with TestClient(create_app(Limits(visitors=1, messages_per_second=5, posts=3), NAMES)) as small:
        with small.websocket_connect("/live") as socket:
            socket.receive_json()
            assert closed(small) == BUSY
            socket.send_json({"type": "auto", "posts": 3})
            assert socket.receive_json()["t"] == 3
            socket.send_json({"type": "auto"})
            assert "3 posts are enough" in socket.receive_json()["text"]
        assert closed(small, *['{"type": "auto"}'] * 30) == TOO_FAST
    with TestClient(create_app(Limits(idle_seconds=0.3), NAMES)) as small:
        assert closed(small) == IDLE


def test_a_pace_fills_again(monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr("mirrorfield.server.limits.time.monotonic", lambda: now[0])
    pace = Pace(10.0)
    assert pace.take(20) and not pace.take()
    now[0] += 1
    assert not pace.take(11) and pace.take(10) and not pace.take()


def test_the_command_checks_its_arguments(capsys) -> None:
    with pytest.raises(Exception, match=r"greater than or equal to 1|range"):
        command(["serve", "--port", "0"], standalone_mode=False)


def test_a_crowd_is_shown_frame_by_frame(client) -> None:
    with client.websocket_connect("/crowd") as socket:
        assert socket.receive_json()["t"] == 0 and len(socket.receive_bytes()) == 4 + 5 * 20_000
        socket.send_json({"type": "go", "posts": 50})
        told = socket.receive_json()
        assert told["t"] == 50 and sum(told["shares"]) == pytest.approx(1)
        assert int.from_bytes(socket.receive_bytes()[:4], "little") == 50
        socket.send_json({"type": "who", "user": 12})
        one = socket.receive_json()
        assert one["type"] == "person" and sum(one["shown"]) == 50
        for text in ('{"type": "who", "user": 20000}', '{"type": "go", "posts": 500}', "x"):
            socket.send_text(text)
            assert socket.receive_json()["type"] == "error"
        socket.send_json({"type": "begin", "seed": 2, "learning_rate": 0.5})
        assert socket.receive_json()["t"] == 0 and socket.receive_bytes()


def test_large_crowds_are_bounded() -> None:
    large = {"type": "begin", "users": 200_000}
    with (
        TestClient(create_app(Limits(large_crowds=1), NAMES)) as small,
        small.websocket_connect("/crowd") as one,
        small.websocket_connect("/crowd") as other,
    ):
        for socket in (one, other):
            socket.receive_json(), socket.receive_bytes()
        one.send_json(large)
        assert one.receive_json()["users"] == 200_000 and one.receive_bytes()
        other.send_json(large)
        assert "1 large crowds are here already" in other.receive_json()["text"]
        one.send_json({"type": "begin"})
        assert one.receive_json()["users"] == 20_000 and one.receive_bytes()
        other.send_json(large)
        assert other.receive_json()["users"] == 200_000


def test_crowds_are_bounded() -> None:
    with TestClient(create_app(Limits(crowds=1), NAMES)) as small, small.websocket_connect("/crowd") as socket:
        socket.receive_json()
        with pytest.raises(WebSocketDisconnect) as caught, small.websocket_connect("/crowd") as other:
            other.receive_json()
        assert caught.value.code == BUSY


def test_a_panel_says_what_compare_says(client, capsys) -> None:
    told = client.get("/api/whatif/filter-bubble/leash").json()
    assert told["pairs"] == 4000 and told["effects"][0]["metric"] == "filter_bubble"
    assert told["effects"][0]["high"] < 0
    command(shlex.split(told["command"])[1:], standalone_mode=False)
    said = capsys.readouterr().out
    for effect in told["effects"]:
        assert f"{effect['changed']:.4f}" in said and f"{effect['difference']:+.4f}" in said
    assert client.get("/api/whatif/filter-bubble/everything").status_code == 422
    refused = client.get("/api/whatif/filter-bubble/intensity-cap")
    assert refused.status_code == 409 and "expected radicalization" in refused.json()["detail"]
    assert client.get("/api/whatif/..%2f..%2fetc/leash").status_code in (404, 422)


def test_the_scenario_file_is_the_mirror_bit_for_bit(client) -> None:
    asked = {"seed": 8, "intentionality": 0.4, "learning_rate": 0.3, "steps": 120}
    text = client.get("/api/scenario.toml", params=asked).text
    mirror = Mirror(Settings(8, 0.4, 0.3))
    for _ in range(120):
        mirror.react()
    sample = mf.simulate(mf.Scenario.from_toml(text)).part.sample
    assert sample.logits[:, :, 0].tobytes() == mirror.logits.tobytes()
    assert "group = 8" in client.get("/api/scenario.toml?session=8&baseline=group-mean&z_score=true").text
    assert "value_rate = 0.001" in client.get("/api/scenario.toml?baseline=value&learning_rate=0").text
    refused = client.get("/api/scenario.toml?baseline=group-mean")
    assert refused.status_code == 409 and "group" in refused.json()["detail"]
    assert client.get("/api/scenario.toml", params={"steps": 0}).status_code == 422
    assert client.get("/api/scenario.toml", params={"file": "/etc/passwd"}).status_code == 422


def test_questions_are_bounded_in_number(monkeypatch) -> None:
    import asyncio
    import threading

    go, asked = threading.Event(), []

    def slow(*key: str) -> str:
        asked.append(key)
        go.wait()
        return "-".join(key)

    monkeypatch.setattr("mirrorfield.server.panels.effects", slow)

    async def ask() -> list:
        desk = Desk(waiting=1)
        changes = ("leash", "leash", "quota", "exploration")
        found = [asyncio.create_task(desk.answer("filter-bubble", change)) for change in changes]
        await asyncio.wait(found[2:])
        go.set()
        return await asyncio.gather(*found, return_exceptions=True)

    one, same, *late = asyncio.run(ask())
    assert one == same == "filter-bubble-leash" and asked == [("filter-bubble", "leash")]
    assert all("1 questions wait already" in str(error) for error in late)

"""Connections that stay, come in crowds, or say too much: each is ended, and others are served meanwhile."""

import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from mirrorfield.cli.main import app as command
from mirrorfield.errors import InputError
from mirrorfield.server.app import create_app
from mirrorfield.server.door import Door, open_door
from mirrorfield.server.guard import SAFETY
from mirrorfield.server.limits import Limits, Paces
from mirrorfield.server.process import LINES_A_MINUTE, Quiet, new_server, run

HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address")


@contextmanager
def serving(limits: Limits) -> Iterator[Door]:
    door = open_door("127.0.0.1", 0, limits)
    server = new_server(create_app(limits), limits)
    thread = threading.Thread(target=run, args=(server, door))
    thread.start()
    try:
        yield door
    finally:
        server.should_exit = True
        thread.join()


def dial(door: Door, said: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
    found = socket.create_connection(door.getsockname(), source_address=(source, 0))
    found.sendall(said)
    return found


def heard(peer: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    found = b""
    with suppress(ConnectionResetError):
        while more := peer.recv(65536):
            found += more
    return found


def get(door: Door, source: str = "127.0.0.1") -> int:
    """Return the status of the page; 503 also where the connection ended before it could be told."""
    asked = http.client.HTTPConnection(*door.getsockname(), source_address=(source, 0))
    try:
        asked.request("GET", "/", headers={"Connection": "close"})
        told = asked.getresponse()
        told.read()
        return told.status
    except ConnectionError:
        return 503
    finally:
        asked.close()


def test_half_open_connections_are_ended_and_a_visitor_is_served() -> None:
    with serving(Limits(per_address=300, request_seconds=0.5)) as door, ExitStack() as stack:
        half = [stack.enter_context(dial(door, HALF[: i % len(HALF)])) for i in range(200)]
        while get(door) != 200:  # a request that a busy machine is half a second late with is ended too
            pass
        assert [heard(peer) for peer in half] == 200 * [b""]


@pytest.mark.parametrize("said", [HALF, b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999\r\n\r\n"])
def test_a_request_that_comes_byte_by_byte_is_ended_all_the_same(said: bytes) -> None:
    with serving(Limits(request_seconds=0.5)) as door, dial(door, said) as peer:
        peer.settimeout(0.01)
        with suppress(ConnectionResetError, BrokenPipeError):
            while True:
                peer.sendall(b"x")
                with suppress(TimeoutError):
                    if not peer.recv(65536):
                        break


def test_who_does_not_read_is_ended() -> None:
    with serving(Limits(request_seconds=0.5)) as door, socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(door.getsockname())
        peer.sendall(100 * b"GET /page.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        held = door.places._held
        while not held:
            threading.Event().wait(0.01)
        while held:
            threading.Event().wait(0.01)


def test_one_address_holds_so_many_and_no_more() -> None:
    with serving(Limits(per_address=3)) as door, ExitStack() as stack:
        for _ in range(3):
            peer = stack.enter_context(dial(door, HALF))
        with dial(door, b"GET / HTTP/1.1\r\n") as late:
            refused = heard(late).decode()
        assert refused.startswith("HTTP/1.1 503 ")
        assert all(f"{name}: {value}\r\n" in refused for name, value in SAFETY.items())
        if sys.platform == "linux":
            assert get(door, "127.0.0.2") == 200
        peer.close()
        while get(door) != 200:
            pass


def test_one_address_opens_so_many_a_second() -> None:
    with serving(Limits()) as door:
        door.paces = Paces(rate=1e-6, seconds=2e6)
        assert [get(door) for _ in range(4)] == [200, 200, 503, 503]
        if sys.platform == "linux":
            assert get(door, "127.0.0.2") == 200


def test_addresses_that_are_gone_are_forgotten(monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr("mirrorfield.server.limits.time.monotonic", lambda: now[0])
    paces = Paces(rate=1, seconds=2, many=10)
    assert paces.take("same") and paces.take("same") and not paces.take("same")
    for other in range(1000):
        now[0] += 0.001
        assert paces.take(str(other))
    now[0] += 10
    assert paces.take("same") and len(paces._paces) == 1


def test_all_addresses_together_hold_so_many() -> None:
    with serving(Limits(connections=2)) as door, dial(door, HALF), dial(door, HALF), dial(door) as late:
        assert heard(late).startswith(b"HTTP/1.1 503 ")


def test_who_sends_too_much_is_ended() -> None:
    with serving(Limits(messages_per_second=1)) as door, dial(door) as peer:
        with suppress(ConnectionResetError, BrokenPipeError):
            for _ in range(10_000):
                peer.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 100)
            pytest.fail("40 MB were taken")
        assert get(door) == 200


def test_what_is_no_http_is_refused_with_the_headers() -> None:
    with serving(Limits()) as door, dial(door, b"\x16\x03\x01 hello\r\n\r\n") as peer:
        told = heard(peer).decode()
        assert told.startswith("HTTP/1.1 400 ") and "Invalid HTTP request" in told
        assert all(f"{name}: {value}\r\n" in told for name, value in SAFETY.items())


@LINUX
def test_without_descriptors_one_line_is_said_and_the_queue_is_emptied(caplog) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open_door("127.0.0.1", 0, Limits()) as door, ExitStack() as stack:
        peers = [stack.enter_context(dial(door)) for _ in range(5)]
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            for _ in range(5):
                with pytest.raises(BlockingIOError):
                    door.accept()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert [heard(peer) for peer in peers] == 5 * [b""]
        assert "may not open more files" in caplog.text
        stack.enter_context(dial(door))
        while True:
            with suppress(BlockingIOError):
                stack.enter_context(door.accept()[0])
                break


def test_a_flood_of_lines_is_left_out_and_counted() -> None:
    quiet, lines = Quiet(lines=2), list[str]()

    def say(word: str) -> None:
        record = logging.makeLogRecord({"msg": "%s refused", "args": (word,)})
        if quiet.filter(record):
            lines.append(record.getMessage())

    for i in range(1000):
        say(str(i))
    quiet.pace.left = 1
    say("last")
    assert lines == ["0 refused", "1 refused", "last refused (998 lines before were left out)"]


def test_a_port_in_use_is_told_before_an_address_is_printed(capsys) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(InputError, match=rf"port {port} of 127.0.0.1 is in use; choose another one with --port"):
            command(["serve", "--port", port], standalone_mode=False)
    for host in ("no-such-host.invalid", "203.0.113.7"):
        with pytest.raises(InputError, match=r"^serve: [^\n]+$"):
            command(["serve", "--host", host, "--port", port], standalone_mode=False)
    assert capsys.readouterr().out == ""


@LINUX
def test_with_128_descriptors_200_half_open_connections_deny_nobody_and_fill_no_log() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = free.getsockname()
    words = f'ulimit -n 128; exec "{sys.executable}" -m mirrorfield serve --port {place[1]}'
    server = subprocess.Popen(["sh", "-c", words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout and "Ctrl-C" in server.stdout.readline()
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(socket.create_connection(place)).sendall(HALF)
        visitor = stack.enter_context(socket.create_connection(place, source_address=("127.0.0.2", 0)))
        visitor.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert b" 200 OK\r\n" in heard(visitor)
    server.send_signal(signal.SIGINT)
    out, said = server.communicate()
    assert server.returncode == 0 and out == "" and "Traceback" not in said
    assert 0 < len(said.splitlines()) <= 2 * LINES_A_MINUTE

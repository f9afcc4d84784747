"""Real HTTP on the loopback: what the client does when the other side does not do as it should."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from connectors import http
from connectors.auth import BareKey
from connectors.errors import (
    AuthError,
    BadConfiguration,
    BadPayload,
    ConnectorError,
    NotFound,
    PermissionDenied,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TransportFailed,
    UnsafeRedirect,
)
from connectors.http import ATTEMPTS, Answer, ApiClient, Call, Pace, redacted_url, retry_after_seconds, vendor_message
from tests.connectors.conftest import NOW
from tests.connectors.server import Asked, Reply, Server, serving

KEY = "k3y-that-must-not-leak"
CALL = Call("OR11")
Clock = Callable[[], datetime]


def client(server: Server, naps: list[float], **more: object) -> ApiClient:
    options: dict[str, object] = {"sleep": naps.append, "clock": lambda: NOW, "timeout_seconds": 5.0, **more}
    return ApiClient("mirakl", server.url, auth=BareKey(KEY), secrets=(KEY,), **options)  # type: ignore[arg-type]


def read(api: ApiClient, path: str = "/api/orders") -> bytes:
    return api.read(CALL, path, {"max": "100"}, lambda answer: answer.body)


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    """The replies one after the other, the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (400, RequestRejected, 1),
        (401, AuthError, 1),
        (403, PermissionDenied, 1),
        (404, NotFound, 1),
        (405, RequestRejected, 1),
        (408, TransportFailed, ATTEMPTS),
        (410, NotFound, 1),
        (415, RequestRejected, 1),
        (422, RequestRejected, 1),
        (429, RateLimited, ATTEMPTS),
        (500, ServerFailed, ATTEMPTS),
        (502, ServerFailed, ATTEMPTS),
        (503, ServerFailed, ATTEMPTS),
        (504, ServerFailed, ATTEMPTS),
    ],
)
def test_a_status_becomes_its_error_and_only_what_can_pass_is_tried_again(
    status: int, kind: type[ConnectorError], tries: int, naps: list[float]
) -> None:
    with serving(lambda _: Reply(status, b'{"message":"no","status":1}')) as server:
        with pytest.raises(kind) as caught:
            read(client(server, naps))
        assert type(caught.value) is kind
        assert caught.value.status == status
        assert caught.value.detail == "no"
        assert caught.value.retryable is (tries > 1)
        assert len(server.asked) == tries
        assert len(naps) == tries - 1


@pytest.mark.parametrize("status", [200, 201, 202, 206])
def test_any_success_status_is_a_success(status: int, naps: list[float]) -> None:
    with serving(lambda _: Reply(status, b"[]")) as server:
        assert read(client(server, naps)) == b"[]"


def test_the_vendors_wish_to_wait_is_honoured_in_seconds(naps: list[float]) -> None:
    with serving(in_turn(Reply(429, headers={"Retry-After": "7"}), Reply(200, b"[]"))) as server:
        assert read(client(server, naps)) == b"[]"
    assert naps == [7.0]


@pytest.mark.parametrize("skew", [timedelta(0), timedelta(hours=-3), timedelta(days=400)])
def test_a_date_to_wait_for_is_of_the_vendors_clock_whatever_ours_says(naps: list[float], skew: timedelta) -> None:
    theirs = NOW + skew
    headers = {
        "Date": format_datetime(theirs, usegmt=True),
        "Retry-After": format_datetime(theirs + timedelta(seconds=42), usegmt=True),
    }
    answers = [httpx.Response(503, headers=headers), httpx.Response(200, content=b"[]")]
    api = ApiClient(
        "mirakl",
        "https://mirakl.example.com",
        transport=httpx.MockTransport(lambda _: answers.pop(0)),
        sleep=naps.append,
        clock=lambda: NOW,
    )
    assert read(api) == b"[]"
    assert naps == [42.0]


def test_a_wish_to_wait_for_an_hour_ends_the_run_instead(naps: list[float]) -> None:
    with serving(lambda _: Reply(429, headers={"Retry-After": "3600"})) as server:
        with pytest.raises(RateLimited) as caught:
            read(client(server, naps))
        assert caught.value.retry_after == 3600
        assert len(server.asked) == 1
    assert naps == []


def test_waits_without_a_wish_grow(naps: list[float]) -> None:
    with serving(lambda _: Reply(500)) as server, pytest.raises(ServerFailed):
        read(client(server, naps))
    assert len(naps) == ATTEMPTS - 1
    assert naps[0] < 3 < naps[-1] <= 60


def test_a_vendor_that_was_given_up_is_tried_once_until_it_answers(naps: list[float]) -> None:
    state = {"status": 503}
    with serving(lambda _: Reply(state["status"], b"[]")) as server:
        api = client(server, naps)
        tries = []
        for status in (503, 503, 200, 503):
            state["status"], before = status, len(server.asked)
            if status == 200:
                read(api)
            else:
                with pytest.raises(ServerFailed):
                    read(api)
            tries.append(len(server.asked) - before)
    assert tries == [ATTEMPTS, 1, 1, ATTEMPTS]


def test_a_connection_reset_in_the_middle_of_a_page_is_read_again_in_full(naps: list[float]) -> None:
    page = b'{"orders":[' + b'{"order_id":"A"},' * 20_000 + b"{}]}"
    with serving(in_turn(Reply(200, page, cut_after=100_000), Reply(200, page))) as server:
        assert read(client(server, naps)) == page
        assert len(server.asked) == 2


@pytest.mark.parametrize("sent", [70_000, 2_999_999])
def test_a_page_that_ends_early_in_good_order_is_read_again_in_full(naps: list[float], sent: int) -> None:
    """An orderly end, which only the announced length tells from the page's own; then pages on one connection."""
    page = b"x" * 3_000_000
    connections = 0

    def serve() -> None:
        nonlocal connections
        for content in (page[:sent], page):
            connection, _ = listening.accept()
            connections += 1
            with connection:
                while connection.recv(10_000):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(page) + content)
                    if content != page:
                        break

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving_thread = threading.Thread(target=serve)
        serving_thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        api = ApiClient("mirakl", url, sleep=naps.append, clock=lambda: NOW, timeout_seconds=5.0)
        assert read(api) == read(api) == page
        api.close()
        serving_thread.join()
    assert len(naps) == 1
    assert connections == 2, "a whole page leaves its connection to the next"


def test_a_page_in_chunks_is_read_whole(naps: list[float]) -> None:
    chunks = [b"a" * 100_000, b"b", b"c" * 700_000]
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with listening.accept()[0] as connection:
                for _ in range(2):
                    connection.recv(10_000)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded)

        serving_thread = threading.Thread(target=serve)
        serving_thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        api = ApiClient("mirakl", url, sleep=naps.append, clock=lambda: NOW, timeout_seconds=5.0)
        assert read(api) == read(api) == b"".join(chunks)
        api.close()
        serving_thread.join()
    assert naps == []


def test_a_server_that_always_resets_gives_a_transport_failure(naps: list[float]) -> None:
    with serving(lambda _: Reply(200, b"x" * 1000, cut_after=10)) as server:
        with pytest.raises(TransportFailed) as caught:
            read(client(server, naps))
        assert caught.value.retryable
        assert caught.value.sent
        assert len(server.asked) == ATTEMPTS


def test_nothing_listening_is_a_transport_failure_that_sent_nothing(naps: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    api = ApiClient("mirakl", f"http://127.0.0.1:{port}", sleep=naps.append)
    with pytest.raises(TransportFailed) as caught:
        api.write(CALL, "/x", content=b"{}")
    assert caught.value.sent is False
    assert naps == [], "a write is never tried again"


def test_no_answer_in_time_is_a_transport_failure_that_may_have_been_carried_out(naps: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        api = ApiClient("mirakl", f"http://127.0.0.1:{silent.getsockname()[1]}", sleep=naps.append, timeout_seconds=0.1)
        with pytest.raises(TransportFailed, match=r"no answer within 0\.1 s") as caught:
            api.write(CALL, "/x", content=b"{}")
    assert caught.value.sent is True


@pytest.mark.parametrize("status", [500, 502, 503, 408, 429])
def test_a_write_is_sent_once(status: int, naps: list[float]) -> None:
    with serving(lambda _: Reply(status)) as server:
        with pytest.raises(ConnectorError):
            client(server, naps).write(CALL, "/api/x", content=b"{}")
        assert len(server.asked) == 1
    assert naps == []


def test_an_html_error_page_does_not_reach_the_error_text(naps: list[float]) -> None:
    page = b"<html><h1>Bad gateway</h1></html>"
    with serving(lambda _: Reply(502, page)) as server, pytest.raises(ServerFailed) as caught:
        read(client(server, naps))
    assert caught.value.detail == "an HTML page"


def test_an_empty_error_body_is_understood(naps: list[float]) -> None:
    with serving(lambda _: Reply(401)) as server, pytest.raises(AuthError) as caught:
        read(client(server, naps))
    assert caught.value.detail is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"status":401,"message":"Unauthorized"}', "Unauthorized"),
        (b'{"errors":[{"code":"C1","field":"offer_sku","message":"unknown"}]}', "C1 offer_sku unknown"),
        (b'{"message":"bad","errors":[{"message":"x"}]}', "bad; x"),
        (b'{"Message":"SageNullFieldException"}', "SageNullFieldException"),
        (b'{"error":"invalid_grant"}', "invalid_grant"),
        (b"plain words", "plain words"),
        (b'["odd"]', '["odd"]'),
        (b"", ""),
    ],
)
def test_the_vendors_own_words_are_found(body: bytes, words: str) -> None:
    assert vendor_message(body) == words


def test_a_redirect_to_another_host_is_refused_and_the_key_stays(naps: list[float]) -> None:
    with (
        serving(lambda _: Reply(200, b"[]")) as thief,
        serving(lambda _: Reply(302, headers={"Location": f"{thief.url}/api/orders"})) as server,
    ):
        with pytest.raises(UnsafeRedirect):
            read(client(server, naps))
        assert thief.asked == []
        assert len(server.asked) == 1, "not worth another try"


def test_a_redirect_on_the_same_host_is_followed(naps: list[float]) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(200, b"[1]") if asked.path == "/new" else Reply(307, headers={"Location": "/new"})

    with serving(answer) as server:
        assert read(client(server, naps)) == b"[1]"


def test_what_an_answer_sets_is_not_sent_back(naps: list[float]) -> None:
    with serving(lambda _: Reply(200, b"[]", {"Set-Cookie": "session=somebody; Path=/"})) as server:
        api = client(server, naps)
        read(api)
        api.write(CALL, "/api/orders", content=b"{}")
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, None]


def test_a_redirect_in_a_circle_ends(naps: list[float]) -> None:
    with (
        serving(lambda a: Reply(302, headers={"Location": a.path})) as server,
        pytest.raises(BadPayload, match="circle"),
    ):
        read(client(server, naps))


def test_a_redirected_write_is_not_repeated_elsewhere(naps: list[float]) -> None:
    with serving(lambda _: Reply(307, headers={"Location": "/elsewhere"})) as server:
        with pytest.raises(UnsafeRedirect):
            client(server, naps).write(CALL, "/api/x", content=b"{}")
        assert [a.path for a in server.asked] == ["/api/x"]


def test_a_broken_answer_is_read_again(naps: list[float]) -> None:
    def parse(answer: Answer) -> bytes:
        if not answer.body.endswith(b"]"):
            raise BadPayload("truncated", vendor="mirakl", call="OR11")
        return answer.body

    with serving(in_turn(Reply(200, b'[{"a'), Reply(200, b"[]"))) as server:
        assert client(server, naps).read(CALL, "/x", {}, parse) == b"[]"


@pytest.mark.parametrize(
    "url",
    [
        "http://mirakl.example.com",
        "ftp://127.0.0.1",
        "mirakl.example.com",
        "https://user:secret@mirakl.example.com",
        "https://mirakl.example.com/?key=1",
        "https://",
        "http://127.0.0.1.example.com",
    ],
)
def test_an_address_that_no_key_may_go_to_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(BadConfiguration, match="base_url"):
        ApiClient("mirakl", url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8800/x/", "http://localhost:1", "http://[::1]:8", "https://a.example.com"]
)
def test_https_and_this_machine_are_accepted(url: str) -> None:
    assert ApiClient("mirakl", url).base_url == url.rstrip("/")


def test_the_key_is_sent_bare_and_never_logged_or_raised(naps: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(lambda _: Reply(400, f'{{"message":"bad key {KEY}"}}'.encode())) as server:
        with pytest.raises(RequestRejected) as caught:
            read(client(server, naps))
        assert server.asked[0].headers["authorization"] == KEY
        assert server.asked[0].headers["accept"] == "application/json"
        assert len(server.asked[0].headers["x-request-id"]) == 32
    assert KEY not in caplog.text
    assert KEY not in str(caught.value)
    assert caught.value.detail == "bad key ***"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://u:p@h.example.com/a?page_token=abc&max=5&access_token=t",
            "https://h.example.com/a?page_token=***&max=5&access_token=***",
        ),
        ("https://h.example.com/a?max=5&Key=abc", "https://h.example.com/a?max=5&Key=***"),
        ("https://u@h.example.com/a?max=5", "https://h.example.com/a?max=5"),
        ("https://h.example.com/a?max=5#part", "https://h.example.com/a?max=5"),
        (
            "https://h.example.com/a?since=2026-01-01%2000:00&max=5",
            "https://h.example.com/a?since=2026-01-01%2000:00&max=5",
        ),
    ],
)
def test_secret_parameters_are_masked_in_urls(url: str, shown: str) -> None:
    assert redacted_url(httpx.URL(url)) == shown


def test_a_call_keeps_below_the_vendors_pace() -> None:
    naps: list[float] = []
    with serving(lambda _: Reply(200, b"[]")) as server:
        api = client(server, naps, is_paced=True)
        call = Call("TL02", (Pace(2, 60.0),))
        for _ in range(2):
            api.read(call, "/x", {}, lambda a: a.body)
        assert naps == []

        class Enough(Exception):
            pass

        def give_up(_: float) -> None:
            raise Enough

        api.sleep = give_up
        with pytest.raises(Enough):
            api.read(call, "/x", {}, lambda a: a.body)
        assert len(server.asked) == 2, "the third call waits"
        api.read(Call("OR11", (Pace(1, 60.0),)), "/x", {}, lambda a: a.body)
        assert len(server.asked) == 3, "another call has its own allowance"


def test_a_server_on_this_machine_is_not_paced_unless_asked(naps: list[float]) -> None:
    with serving(lambda _: Reply(200, b"[]")) as server:
        api = client(server, naps)
        for _ in range(3):
            api.read(Call("TL02", (Pace(1, 3600.0),)), "/x", {}, lambda a: a.body)
        assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        ("-3", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Fri, 03 Jul 2026 08:00:10 GMT", 10.0),
    ],
)
def test_retry_after_is_read_in_every_form(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, datetime(2026, 7, 3, 8, tzinfo=UTC)) == seconds


def endless(size: int, chunk: bytes) -> httpx.MockTransport:
    """An answer of `size` chunks, each given only when it is asked for; `asked` counts them."""

    class Body(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(size):
                endless.asked += 1  # type: ignore[attr-defined]
                yield chunk

    endless.asked = 0  # type: ignore[attr-defined]
    return httpx.MockTransport(lambda request: httpx.Response(200, stream=Body()))


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAXIMUM_BODY_BYTES", 10_000)
    api = ApiClient("mirakl", "https://shop.example", transport=endless(1_000_000, b"x" * 1_000), clock=lambda: NOW)
    with pytest.raises(BadPayload, match="larger than"):
        api.write(CALL, "/api/orders")
    assert endless.asked <= 12  # type: ignore[attr-defined]


def test_a_packed_bomb_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is what comes out, not what came over the wire."""
    monkeypatch.setattr(http, "MAXIMUM_BODY_BYTES", 1_000_000)
    packed = gzip.compress(bytes(50_000_000))
    assert len(packed) < 100_000
    answer = httpx.Response(200, content=packed, headers={"Content-Encoding": "gzip"})
    api = ApiClient(
        "mirakl", "https://shop.example", transport=httpx.MockTransport(lambda request: answer), clock=lambda: NOW
    )
    with pytest.raises(BadPayload, match="larger than"):
        api.write(CALL, "/api/orders")

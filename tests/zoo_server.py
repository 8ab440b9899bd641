"""An HTTP server on loopback that gives one file, in good ways and bad."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ZooServer(ThreadingHTTPServer):
    """Answers every request by the next of ``manners``, the last of which stays.

    Attributes:
        content: of the file.
        manners: functions of a request, see below.
        ranges: the Range headers that came, None for a request without one.
    """

    daemon_threads = True

    def __init__(self, content: bytes, *manners: Callable[[Request], None]) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.content, self.manners = content, list(manners)
        self.ranges: list[str | None] = []
        self.over = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/files"


class Request(BaseHTTPRequestHandler):
    server: ZooServer

    def do_GET(self) -> None:
        """Answer."""
        self.server.ranges.append(self.headers.get("Range"))
        manners = self.server.manners
        (manners.pop(0) if len(manners) > 1 else manners[0])(self)

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def begin(self, content: bytes, ranges: bool = True) -> bytes:
        """Send the headers for a whole answer; return the body that belongs to it."""
        asked = self.headers.get("Range") if ranges else None
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        return content[start:]


def well(request: Request) -> None:
    request.wfile.write(request.begin(request.server.content))


def without_ranges(request: Request) -> None:
    request.wfile.write(request.begin(request.server.content, ranges=False))


def truncated(request: Request) -> None:
    body = request.begin(request.server.content)
    request.wfile.write(body[: len(body) // 2])


def corrupted(request: Request) -> None:
    body = request.begin(request.server.content)
    request.wfile.write(body[:-1] + bytes([body[-1] ^ 1]))


def too_long(request: Request) -> None:
    content = request.server.content
    request.wfile.write(request.begin(content + content))


def stalled(request: Request) -> None:
    body = request.begin(request.server.content)
    request.wfile.write(body[: len(body) // 2])
    request.wfile.flush()
    request.server.over.wait(10)


def redirected_to(address: str) -> Callable[[Request], None]:
    def answer(request: Request) -> None:
        request.send_response(302)
        request.send_header("Location", address)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


redirected = redirected_to("/elsewhere/file")


def saying(body: bytes, status: int = 200, **headers: str) -> Callable[[Request], None]:
    """Answer every request with the same."""

    def answer(request: Request) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)
        request.close_connection = True

    return answer


def endless(request: Request) -> None:
    """A body that does not end, of whatever was asked for."""
    request.send_response(200)
    request.end_headers()
    with suppress(ConnectionError):
        while not request.server.over.is_set():
            request.wfile.write(bytes(1 << 20))
    request.close_connection = True


def refused(status: int) -> Callable[[Request], None]:
    return lambda request: request.send_error(status)


@contextmanager
def serve(content: bytes, *manners: Callable[[Request], None]) -> Iterator[ZooServer]:
    """Run a server for a while."""
    with ZooServer(content, *manners) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()

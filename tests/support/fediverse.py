"""A server like Mastodon's, as far as gallery-dl asks it: hashtags' timelines in pages, and photos."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.pictures import photo

PAGE = 3
"""Posts of a page."""


@dataclass
class Instance:
    """What the server has, and what was asked of it."""

    root: str = ""
    posts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By hashtag, newest first."""
    broken: dict[str, int] = field(default_factory=dict)
    """HTTP status by what a path ends with."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often, by path."""
    authorizations: set[str | None] = field(default_factory=set)
    held: threading.Event = field(default_factory=threading.Event)
    """Set: photos come in full. Until then, those in ``slow`` stop half-way."""
    slow: set[str] = field(default_factory=set)

    def post(self, number: int, *tags: str, media: tuple[str, ...] = ()) -> None:
        """Add a post with files, such as ``1.jpg``, to the timelines of its hashtags."""
        status = self.status(number, tags, media)
        for tag in tags:
            self.posts.setdefault(tag.lower(), []).insert(0, status)

    def status(self, number: int, tags: tuple[str, ...], media: tuple[str, ...]) -> dict[str, Any]:
        """Return a post as the API gives it."""
        return {
            "id": str(number),
            "created_at": "2023-05-06T07:08:09.000Z",
            "uri": f"{self.root}/users/someone/statuses/{number}",
            "url": f"{self.root}/@someone/{number}",
            "content": "<p>Low tide</p>",
            "account": {"acct": "someone", "username": "someone", "moved": None},
            "tags": [{"name": tag, "url": f"{self.root}/tags/{tag}"} for tag in tags],
            "media_attachments": [
                {"id": f"{number}{n}", "type": "image", "url": f"{self.root}/media/{name}"}
                for n, name in enumerate(media)
            ],
            "reblog": None,
            "in_reply_to_id": None,
            "card": None,
        }

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and content."""
        if path.startswith("/media/"):
            name = path.rpartition("/")[2]
            if name.endswith(".mp4"):
                return 200, {"Content-Type": "video/mp4"}, b"\0\0\0\x18ftypmp42" + bytes(500)
            return 200, {"Content-Type": "image/jpeg"}, photo(int(name.partition(".")[0]))
        if path.startswith("/named/"):  # whatever it is called
            return 200, {"Content-Type": "image/jpeg"}, photo(len(path))
        tag = unquote(path.rpartition("/")[2]).lower()
        begin = int(query.get("max_id", ["0"])[0])
        every = self.posts.get(tag, [])
        headers = {"Content-Type": "application/json"}
        if len(every) > begin + PAGE:
            headers["Link"] = f'<{self.root}{path}?max_id={begin + PAGE}>; rel="next"'
        return 200, headers, json.dumps(every[begin : begin + PAGE]).encode()


@contextmanager
def running() -> Iterator[Instance]:
    """A server on loopback during the block."""
    instance = Instance()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            instance.asked[self.path] += 1
            instance.authorizations.add(self.headers.get("Authorization"))
            broken = next((code for end, code in instance.broken.items() if self.path.endswith(end)), None)
            if broken is None:
                status, headers, content = instance.answer(parts.path, parse_qs(parts.query))
            else:
                status, headers, content = broken, {}, b'{"error": "This method requires a login"}'
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            if parts.path.rpartition("/")[2] in instance.slow:
                self.wfile.write(content[: len(content) // 2])
                instance.held.wait(60)
                content = content[len(content) // 2 :]
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    instance.root = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield instance
    finally:
        instance.held.set()
        server.shutdown()
        server.server_close()
        thread.join()


def configure(folder: Path, instance: Instance, **more: Any) -> None:
    """Write gallery-dl's configuration, which makes the server known to it, into an XDG_CONFIG_HOME."""
    mastodon = {"local": {"root": instance.root}, "sleep-request": 0, "retries": 0, "reblogs": True}
    config = {"extractor": {"mastodon": mastodon, "retries": 0}, "downloader": {"retries": 0}}
    file = folder / "gallery-dl" / "config.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(config | more))

"""A headless Chromium, spoken to over two pipes (`--remote-debugging-pipe`): no driver, no port.

Messages are JSON, each ended by a NUL: the DevTools protocol as it is.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
)
READ_BYTES = 1 << 16


def binary() -> str | None:
    """The browser of this machine; None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a page is looked at with."""

    width: int
    height: int
    scheme: Literal["light", "dark"] = "light"
    media: Literal["screen", "print"] = "screen"
    scale: float = 1


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a browser made of a page. `overflow` is by how many pixels it is too wide."""

    requests: list[str]
    complaints: list[str]
    overflow: int
    height: int
    text: str


class Browser:
    """One page in one browser."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._read = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []
        self._session: str | None = None
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._ask(f"{domain}.enable")

    def look(self, page: Path, screen: Screen) -> Seen:
        """Open a file and say what came of it."""
        features = [{"name": "prefers-color-scheme", "value": screen.scheme}]
        self._ask("Emulation.setEmulatedMedia", media=screen.media, features=features)
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=screen.width,
            height=screen.height,
            deviceScaleFactor=screen.scale,
            mobile=screen.width < 600,
        )
        self._events.clear()
        self._ask("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._next()
        root = "document.documentElement"
        overflow = self.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
        return Seen(
            requests=[
                event["params"]["request"]["url"]
                for event in self._events
                if event["method"] == "Network.requestWillBeSent"
                and event["params"]["request"]["url"] != page.as_uri()
            ],
            complaints=[
                json.dumps(event["params"])
                for event in self._events
                if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")
                or event["method"] == "Runtime.consoleAPICalled"
            ],
            overflow=overflow,
            height=self.evaluate(f"{root}.scrollHeight"),
            text=self.evaluate("document.body.innerText"),
        )

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page that was looked at last."""
        found = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    def shoot(self, to: Path, *, height: int | None = None) -> None:
        """Save a picture of it, as long as it is or `height` pixels of it."""
        box = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        shown = min(height or box["height"], box["height"])
        clip = {"x": 0, "y": 0, "width": box["width"], "height": shown, "scale": 1}
        picture = self._ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        to.write_bytes(base64.b64decode(picture["data"]))

    def _ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer is not None and answer["id"] == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _next(self) -> dict[str, Any] | None:
        """The next answer; None if an event came instead, which is kept."""
        while b"\0" not in self._read:
            more = os.read(self._back, READ_BYTES)
            assert more, "the browser is gone"
            self._read += more
        line, _, self._read = self._read.partition(b"\0")
        message = json.loads(line)
        if "id" in message:
            return message
        self._events.append(message)
        return None


@contextmanager
def browser(path: str) -> Generator[Browser]:
    """A browser for the length of the block."""
    (their_end, to), (back, our_end) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        quiet = os.open(os.devnull, os.O_RDWR)
        actions = [
            (os.POSIX_SPAWN_DUP2, their_end, 3),
            (os.POSIX_SPAWN_DUP2, our_end, 4),
            (os.POSIX_SPAWN_DUP2, quiet, 2),
        ]
        arguments = [path, *FLAGS, f"--user-data-dir={profile}"]
        pid = os.posix_spawn(path, arguments, os.environ, file_actions=actions, setpgroup=0)
        os.close(their_end)
        os.close(our_end)
        try:
            yield Browser(to, back)
        finally:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            for fd in (to, back, quiet):
                os.close(fd)

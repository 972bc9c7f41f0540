"""The offline stack and a browser with one window, once for all tests here; each test finds it as new."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize, expect

from tests.browser import chromium
from tests.browser.pages import SAMPLES, Photos, wait_for_labels
from tests.local.process import Process, started, token_for

PATIENCE_MILLISECONDS = 30_000  # what is right comes in a blink; a busy machine may take its time
VIEWPORT: ViewportSize = {"width": 1280, "height": 800}
expect.set_options(timeout=PATIENCE_MILLISECONDS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.skipif(not chromium.installed(), reason=chromium.HOW_TO_GET_IT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not chromium.installed():
        terminalreporter.write_line(chromium.HOW_TO_GET_IT)


@pytest.fixture(scope="package")
def stack() -> Iterator[Process]:
    """The whole service as a process, with the sample photos in it; one for all tests of a worker."""
    with started() as process:
        wait_for_labels(f"http://127.0.0.1:{process.ports[0]}/", len(list(SAMPLES.glob("*.jpg"))))
        yield process


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """An empty folder, and the origin at which a plain web server shows it."""
    folder = tmp_path_factory.mktemp("site")
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="package")
def guarded(site: tuple[Path, str]) -> Iterator[Process]:
    """The whole service, which lets nobody in without a token, also from the origin of ``site``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORS_ORIGIN", site[1])
        with started("--auth", "token") as process:
            yield process


@pytest.fixture(scope="package")
def token(guarded: Process) -> str:
    """A token that opens everything, made the way an operator makes it."""
    return token_for(guarded)


def listed(url: str, **asked: str | int) -> list[str]:
    """The ids of the newest images."""
    images = requests.get(f"{url}images", params={**asked, "limit": 200}, timeout=30).json()["images"]
    return [one["id"] for one in images]


@pytest.fixture(scope="package")
def samples(stack: Process) -> frozenset[str]:
    """The ids of the sample photos."""
    return frozenset(listed(f"http://127.0.0.1:{stack.ports[0]}/"))


@pytest.fixture(scope="module")
def tidy(stack: Process, samples: frozenset[str]) -> None:
    """Nothing but the samples is there, whatever tests of other files have left behind."""
    url = f"http://127.0.0.1:{stack.ports[0]}/"
    while left := [one for one in (*listed(url), *listed(url, status="binned")) if one not in samples]:
        for at in range(0, len(left), 100):
            asked = {"ids": left[at : at + 100], "permanent": True}
            requests.post(f"{url}images/delete", json=asked, timeout=60).raise_for_status()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium.running() as browser:
        yield browser


@dataclass
class Watch:
    """Notes what a page must not do: log an error, fail, or ask another host than ``hosts``."""

    hosts: frozenset[str]
    allowed: tuple[str, ...] = ()
    faults: list[str] = field(default_factory=list)

    def allow(self, *parts: str) -> None:
        """Let errors pass that name one of ``parts``: a test causes them on purpose."""
        self.allowed += parts

    def said(self, message: ConsoleMessage) -> None:
        line = f"{message.text} {message.location}"
        if message.type in ("error", "warning") and not any(part in line for part in self.allowed):
            self.faults.append(line)

    def asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("blob", "data") and parts.netloc not in self.hosts:
            self.faults.append(f"{request.url} is another host")


@pytest.fixture
def watch(stack: Process) -> Watch:
    api, aws, _ = stack.ports
    return Watch(frozenset(f"127.0.0.1:{port}" for port in (api, aws)))


class Profile:
    """A browser's profile with one window, which is as new again after it was tidied."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": VIEWPORT, **options})
        self.context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.window = self.context.new_page()
        self._devtools = self.context.new_cdp_session(self.window)
        self._watch: Watch | None = None
        self.context.on("console", lambda message: self._watch and self._watch.said(message))
        self.context.on("weberror", lambda error: self._watch and self._watch.faults.append(str(error.error)))
        self.context.on("request", lambda request: self._watch and self._watch.asked(request))

    @contextmanager
    def watched(self, watch: Watch) -> Iterator[None]:
        """Let somebody watch for as long as a block takes."""
        self._watch = watch
        yield
        self._watch = None

    def tidy(self) -> None:
        """Take back what a test has done to the window."""
        self.window.unroute_all(behavior="ignoreErrors")
        self.context.set_offline(False)
        self.context.clear_permissions()
        for other in self.context.pages[1:]:
            other.close()
        if self.window.url != "about:blank":
            origin = self.window.evaluate("() => (sessionStorage.clear(), location.origin)")
            self.window.goto("about:blank")
            kinds = {"origin": origin, "storageTypes": "cookies,local_storage"}
            self._devtools.send("Storage.clearDataForOrigin", kinds)
        self._devtools.send("Page.resetNavigationHistory")
        self.window.emulate_media(color_scheme="null", media="null")
        self.window.set_viewport_size(VIEWPORT)


@pytest.fixture(scope="package")
def profile(browser: Browser) -> Profile:
    """What tests share who take nothing along that stays: scripts for each page, or what is in a cache."""
    return Profile(browser)


@pytest.fixture
def own_profile() -> None:
    """A profile that no test has had before and none has afterwards."""


@pytest.fixture
def context(
    browser: Browser, profile: Profile, watch: Watch, request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    """A browser's profile, which must not have done anything that :class:`Watch` notes."""
    used = Profile(browser) if "own_profile" in request.fixturenames else profile
    with used.watched(watch):
        yield used.context
        if used is profile:
            used.tidy()
        else:
            used.context.close()
    assert watch.faults == []


@pytest.fixture
def window(context: BrowserContext) -> Page:
    return context.pages[0]


@pytest.fixture
def page(window: Page, stack: Process, tidy: None) -> Photos:
    """The page of photos, which nobody has opened yet."""
    return Photos(window, f"http://127.0.0.1:{stack.ports[0]}/")


@pytest.fixture
def photos(page: Photos) -> Photos:
    """The page of photos, opened, with its first photos in sight."""
    page.open()
    return page


@dataclass(frozen=True)
class Message:
    """What was posted: its headers, by lower-case name, and its body."""

    headers: dict[str, str]
    body: bytes


class Receiver:
    """A web server that answers with ``status`` and keeps what it gets; it may agree to challenges."""

    def __init__(self) -> None:
        self.status = 204
        self.agrees = False  # to be called often
        self.got: list[Message] = []
        self.url = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.got.append(Message(headers, self.rfile.read(int(headers["content-length"]))))
            self.send_response(made.status)
            if made.agrees and "sightline-challenge" in headers:
                self.send_header("sightline-challenge", headers["sightline-challenge"])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield made
        server.shutdown()
        thread.join()

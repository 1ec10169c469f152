"""A real server in a process of its own, and Debian's Chromium."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.forked import begun

WORD = "#sp-look .sp-token"
PATIENCE = 300_000  # ms for what a model computes, on a machine however busy
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@contextmanager
def served(store: Path, *flags: str) -> Iterator[str]:
    """The address of a server in a process of its own."""
    with running(store, *flags) as (url, _):
        yield url


@contextmanager
def running(store: Path, *flags: str) -> Iterator[tuple[str, int]]:
    """As `served`, with the number of the process."""
    port = free_port()
    server = begun(["serve", "--port", str(port), *flags], SCRATCHPAD_STORE=str(store))
    url = f"http://127.0.0.1:{port}"
    try:
        answers(url, lambda: server.exitcode)
        assert server.pid
        yield url, server.pid
    finally:
        server.terminate()
        server.join(120)


@contextmanager
def cold(store: Path, *flags: str) -> Iterator[str]:
    """As `served`, by a process that imports all of it itself, in the environment as it is now."""
    port = free_port()
    command = [sys.executable, "-m", "scratchpad.cli", "serve", "--port", str(port), *flags]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, env=os.environ | {"SCRATCHPAD_STORE": str(store)}) as server:
        try:
            answers(url, server.poll)
            yield url
        finally:
            server.terminate()


def answers(url: str, ended: Callable[[], int | None]) -> None:
    """Waits for a server, however long a busy machine takes; one that can't start stops."""
    while True:
        assert ended() is None, f"the server stopped with {ended()}"
        try:
            urllib.request.urlopen(url, timeout=10)
            return
        except OSError:
            time.sleep(0.1)


@pytest.fixture(scope="session")
def address(store: Path) -> Iterator[str]:
    with served(store) as url:
        yield url


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("store"), "--mcp", "--rate", "60", "--proxies", "1") as url:
        yield url


@pytest.fixture(scope="session")
def image(scene_path: Path) -> str:
    return base64.b64encode(scene_path.read_bytes()).decode()


def browser_path() -> str:
    """Where Chromium is; without windows to draw it opens a page in half the time."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next(path for name in names if (path := shutil.which(name)))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """A fresh visitor on the opened page; fails on any request to another host and on script errors."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    foreign: list[str] = []
    errors: list[str] = []
    page.on(
        "request",
        lambda r: foreign.append(r.url) if not r.url.startswith((address, "data:", "blob:", address.replace("http", "ws"))) else None,
    )
    page.on("pageerror", lambda e: errors.append(str(e)))
    visit(page, address)
    yield page
    context.close()
    assert foreign == []
    assert errors == []


def visit(page: Page, url: str) -> Page:
    """Opens the page, and waits until what it opens on is drawn, its test too where there is one."""
    page.goto(url, timeout=PATIENCE)
    page.wait_for_selector(WORD, timeout=PATIENCE)
    page.wait_for_function("document.querySelector('.sp-map canvas').dataset.painted", timeout=PATIENCE)
    return page


def answer(page: Page) -> str:
    """The answer on show."""
    return str(page.evaluate("Scratchpad.state.analysis.answer"))


def ask(page: Page, question: str) -> None:
    """Asks about the pictures in the bar, and waits for the answer or for what is wrong."""
    page.locator("#sp-ask .sp-question").fill(question)
    page.locator("#sp-go").click()
    settled(page, "ask")


def settled(page: Page, line: str, timeout: int = PATIENCE) -> None:
    """Waits until no request of a line is under way."""
    page.wait_for_function("(line) => !Scratchpad.state.jobs[line]", arg=line, timeout=timeout)


def press(page: Page, what: str) -> None:
    """Presses one of the test bar's buttons, and waits for what comes of it."""
    page.locator(f"#sp-test [data-do={what}]").click()
    settled(page, "test")

"""A running app and a real browser.

The browser is the one of the variable SPECTRA_CHROMIUM, else /usr/bin/chromium. Where there is none the tests are
skipped with that reason, except under CI=true, where they must run.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
CALM = "[data-testid=stApp][data-test-script-state=notRunning]"
"""Selector of the app while no script runs."""
PATIENCE = 180_000
"""Milliseconds that a page may take to be calm on a busy machine."""
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_PROBE = re.compile(r"/_stcore/(health|host-config)$")
"""On a page's own address Streamlit first looks for its server below that page, finds nothing, and goes one up."""


@dataclass
class RunningApp:
    """A served app with a data folder of its own.

    Parameters
    ----------
    url
        Without a slash at the end.
    home
        The data folder.
    log
        File of what the server said.
    """

    url: str
    home: Path
    log: Path


@dataclass
class Visitor:
    """A browser page that remembers what went wrong in it."""

    page: Any
    errors: list[str] = field(default_factory=list)

    def heard(self, message: Any) -> None:
        """Remember an error of the browser's console, and what a library of charts warns of."""
        if (message.type == "error" or message.text.startswith("WARN ")) and not _PROBE.search(
            message.location.get("url", "")
        ):
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    def open(self, url: str) -> None:
        """Open an address and wait until the page is calm."""
        self.page.goto(url)
        self.calm()

    def calm(self) -> None:
        """Wait until the script has run and nothing is left half-drawn."""
        self.page.wait_for_selector(CALM, timeout=PATIENCE)
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector(CALM, timeout=PATIENCE)

    def menu(self, title: str) -> None:
        """Follow an entry of the menu."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=re.compile(rf"\b{title}$")).click()
        self.page.wait_for_timeout(200)
        self.calm()

    def require_health(self) -> None:
        """Fail when the page shows an exception or the browser reported an error."""
        assert self.page.get_by_test_id("stException").count() == 0
        assert self.errors == []


@pytest.fixture(scope="session")
def executable() -> str:
    """The browser to start."""
    path = os.environ.get("SPECTRA_CHROMIUM", "/usr/bin/chromium")
    if not Path(path).is_file() and os.environ.get("CI") != "true":
        pytest.skip(f"There is no browser at {path}; set SPECTRA_CHROMIUM to the path of a Chromium.")
    return path


@pytest.fixture(scope="package")
def browser(executable: str) -> Iterator[Any]:
    """A Chromium, started once for these tests: its event loop must not run on into tests of other things."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=BROWSER_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def at_home(browser: Any) -> Any:
    """A browser that keeps what it has loaded of the app, as that of a person does: two thirds of a page's time."""
    return browser.new_context()


@pytest.fixture
def visit(browser: Any, at_home: Any) -> Iterator[Callable[..., Visitor]]:
    """Make a visitor: a fresh browser page of a given size and theme, where asked in a browser of its own."""
    contexts = []

    def visitor(*, dark: bool = False, width: int = 1280, height: int = 900, stranger: bool = False) -> Visitor:
        contexts.append(browser.new_context() if stranger else at_home)
        visiting = Visitor(contexts[-1].new_page())
        visiting.page.set_viewport_size({"width": width, "height": height})
        visiting.page.emulate_media(color_scheme="dark" if dark else "light")
        visiting.page.on("pageerror", lambda error: visiting.errors.append(str(error)))
        visiting.page.on("console", visiting.heard)
        return visiting

    yield visitor
    for context in contexts:
        if context is not at_home:
            context.close()
    for page in at_home.pages:
        page.close()
    at_home.clear_cookies()


@pytest.fixture(scope="package")
def server(executable: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app as a person starts it, on a free port, with a data folder that is empty before the first test.

    One for all files: every server compiles and loads for half a minute before it answers as it does later.
    """
    folder = tmp_path_factory.mktemp("app")
    with served(folder / "home", folder / "server.log") as running:
        yield running


@pytest.fixture(scope="module")
def app(server: RunningApp) -> Iterator[RunningApp]:
    """The served app, where others may have left sets; no bug may come to light in it while a file is tested."""
    before = len(server.log.read_text())
    yield server
    assert "Traceback" not in server.log.read_text()[before:]


class served:  # read as a sentence in a with statement
    """Serve the app for the time of a with statement."""

    def __init__(self, home: Path, log: Path) -> None:
        self.home, self.log = home, log

    def __enter__(self) -> RunningApp:
        self.home.mkdir(parents=True, exist_ok=True)
        port = _free_port()
        environment = os.environ | {"SPECTRA_HOME": str(self.home), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
        self._output = self.log.open("w")
        self._process = subprocess.Popen(
            [*command, "--server.headless", "true"],
            cwd=ROOT,
            env=environment,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        url = f"http://localhost:{port}"
        _wait_until_served(url, self._process, self.log)
        return RunningApp(url, self.home, self.log)

    def __exit__(self, *_: object) -> None:
        started = psutil.Process(self._process.pid).children(recursive=True)
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for left in started:  # a process that waits for jobs would first finish compiling for them
            with suppress(psutil.NoSuchProcess):
                left.kill()
        self._output.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_served(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    pytest.fail(f"The app did not start:\n{log.read_text()}")

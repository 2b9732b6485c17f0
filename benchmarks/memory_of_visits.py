"""Memory of the server before visitors come, with them, and after they left (Linux): MB resident.

    OMP_NUM_THREADS=1 python -m benchmarks.memory_of_visits FOLDER [--visitors 20] [--rounds 2]

The demo stands in FOLDER, made there the first time. Each visitor is a session of its own that opens the dear pages and
stays until all have. Streamlit keeps a session for two minutes after it ended, and lets go when another one ends.
"""

import argparse
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil

from benchmarks.reruns import demo_in
from tests.browser.conftest import served
from tests.session import Session

PAGES = ("explore", "errors", "train", "sample", "channels", "latent_map", "neighbours")
KEPT_BY_STREAMLIT = 125.0
"""Seconds, a little more than Streamlit keeps a session."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    query = "&".join(f"{kind}={identifier}" for kind, identifier in demo_in(asked.folder).items())
    with served(asked.folder, asked.folder / "server.log") as app, httpx.Client(base_url=app.url) as http:
        port = app.url.rpartition(":")[2]
        (server,) = [one for one in psutil.process_iter(["cmdline"]) if port in (one.info["cmdline"] or [])]

        def say(when: str) -> None:
            print(f"{when:<40}{server.memory_info().rss / 2**20:>7.0f} MB", flush=True)

        def visit(stack: ExitStack) -> None:
            session = stack.enter_context(Session(http, query))
            for session.page in PAGES:
                session.run()

        say("served")
        for round_number in range(1, asked.rounds + 1):
            with ExitStack() as stack:
                for number in range(1, asked.visitors + 1):
                    visit(stack)
                    if number in (1, asked.visitors):
                        say(f"round {round_number}, visitors so far: {number}")
            say(f"round {round_number}, all left")
            time.sleep(KEPT_BY_STREAMLIT)
            with ExitStack() as stack:
                visit(stack)
            time.sleep(5)
            say(f"round {round_number}, one more came and left")


if __name__ == "__main__":
    main()

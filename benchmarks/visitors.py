"""What visitors of a class wait for: seconds from a click to the finished page, and what the server takes.

    OMP_NUM_THREADS=1 python -m benchmarks.visitors [--visitors 5 20 60] [--rounds 4] [--pause 5] [--training]

Every visitor has a workspace and a session, opens pages on the demo that lies on the shelf, and looks at each for some
seconds, by Streamlit's own protocol and without a browser: drawing there comes on top. With ``--training`` the first
visitor trains a network meanwhile.
"""

import argparse
import os
import random
import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import psutil

from benchmarks.reruns import demo_in
from spectra_core.jobs import Jobs
from spectra_core.store import classroom
from tests.browser.conftest import RunningApp, served
from tests.session import Session

PAGES = ("", "dataset", "explore", "spectra", "channels", "neighbours", "errors", "quiz")
EPOCHS = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", nargs="+", type=int, default=[5, 20, 60])
    parser.add_argument("--rounds", type=int, default=4, help="pages that every visitor opens")
    parser.add_argument("--pause", type=float, default=5.0, help="mean seconds for which one looks at a page")
    parser.add_argument("--training", action="store_true")
    parser.add_argument("--home", type=Path, help="where the class lies; made where it is not there")
    asked = parser.parse_args()
    home = asked.home or Path(tempfile.mkdtemp())
    home.mkdir(parents=True, exist_ok=True)
    made = demo_in(home)
    query = "&".join(f"{name}={made[name][:12]}" for name in ("set", "model", "generated"))
    os.environ["SPECTRA_CLASS"] = "1"
    print("visitors  pages  median, s  p95, s  longest, s  server, MB  CPU s/page", flush=True)
    for n_visitors in asked.visitors:
        with served(home, home / "server.log") as app:
            one_visit(app, classroom.new_secret(), query, len(PAGES), 0.0)  # what is computed once, for all
            secrets = [classroom.new_secret() for _ in range(n_visitors)]
            if asked.training:
                training = {"set": made["set"], "generator": "vae", "options": {"epochs": EPOCHS}, "seed": 1}
                jobs = Jobs(classroom.home_of_secret(home, secrets[0]))
                job = jobs.submit("train", {**training, "held_out_share": 0.1}, "Training")
            server = _server(app)
            before = sum(server.cpu_times()[:2])
            waited = np.array(_all_visits(app, secrets, query, asked.rounds, asked.pause))
            processor = (sum(server.cpu_times()[:2]) - before) / len(waited)
            memory = server.memory_info().rss / 1e6
            if asked.training:
                jobs.cancel(job)
                jobs.wait(job, 10)
        middle, high = np.quantile(waited, [0.5, 0.95])
        said = f"{n_visitors:>8}{len(waited):>7}{middle:>11.2f}{high:>8.2f}{waited.max():>12.2f}"
        print(f"{said}{memory:>12.0f}{processor:>12.2f}", flush=True)


def _all_visits(app: RunningApp, secrets: list[str], query: str, n_pages: int, pause: float) -> list[float]:
    waited: list[float] = []
    threads = [
        threading.Thread(target=lambda secret=secret: waited.extend(one_visit(app, secret, query, n_pages, pause)))
        for secret in secrets
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waited


def one_visit(app: RunningApp, secret: str, query: str, n_pages: int, pause: float) -> list[float]:
    """Return the seconds that one visitor waited for each page."""
    chance = random.Random(secret)  # when one clicks
    first, waited = chance.randrange(len(PAGES)), []
    time.sleep(chance.uniform(0, pause))
    with httpx.Client(base_url=app.url, timeout=60) as http, Session(http, f"workspace={secret}&{query}") as session:
        for number in range(n_pages):
            session.page = PAGES[(first + number) % len(PAGES)]
            begun = time.monotonic()
            session.run()
            waited.append(time.monotonic() - begun)
            assert "Sorry, something went wrong" not in session.text, session.page
            time.sleep(chance.expovariate(1 / pause) if pause else 0.0)
    return waited


def _server(app: RunningApp) -> psutil.Process:
    """Return the process that listens where the app is served."""
    port = int(app.url.rpartition(":")[2])
    children = psutil.Process().children()
    return next(one for one in children if any(part.laddr.port == port for part in one.net_connections("inet")))


if __name__ == "__main__":
    main()

"""The command ``app``: the app, served by Streamlit in place of this process."""

import argparse
import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

from spectra_core.cli.classroom import tell_teacher
from spectra_core.errors import ConfigError
from spectra_core.store import home_folder

_LAST_PORT = 65535
_BESIDE_THE_CORE = Path(__file__).resolve().parents[2]
PLACES = (_BESIDE_THE_CORE / "latent_spectra_app" / "app.py", _BESIDE_THE_CORE / "app.py")
"""Where app.py lies: as installed, and in a clone. Streamlit reads .streamlit/config.toml beside it."""


def add_options(one: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    one.add_argument("--port", type=int, default=8501, help="where the app is served (8501)")
    one.add_argument("--address", help="who may reach it: localhost, unless given; see SECURITY.md before 0.0.0.0")
    one.add_argument(
        "--class", dest="for_class", action="store_true", help="a workspace for every visitor: docs/serving.md"
    )
    one.add_argument("--headless", action="store_true", help="open no browser")
    one.add_argument("options", nargs="*", metavar="-- OPTION", help="further options of `streamlit run`, after --")


def app(chosen: argparse.Namespace) -> None:
    """Serve the app until it is stopped by Ctrl-C."""
    if not 1 <= chosen.port <= _LAST_PORT:
        raise ConfigError(f"A port lies between 1 and {_LAST_PORT}, got {chosen.port}.")
    if importlib.util.find_spec("streamlit") is None:
        raise ConfigError("The app needs Streamlit. Install it: pip install 'latent-spectra[app]'.")
    script = next((place for place in PLACES if place.with_name("ui").is_dir()), None)
    if script is None:
        raise ConfigError(f"The app was expected at {PLACES[0]}, and is not there. Install latent-spectra again.")
    if chosen.for_class:
        os.environ["SPECTRA_CLASS"] = "1"
        host = socket.gethostname() if chosen.address in ("0.0.0.0", "::") else chosen.address or "localhost"  # noqa: S104
        tell_teacher(home_folder().absolute(), f"http://{host}:{chosen.port}/")
        sys.stdout.flush()  # this process becomes another
    # -P: a file in the working directory can never stand in for a module.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(script), "--server.port", str(chosen.port)]
    command += ["--server.address", chosen.address] if chosen.address else []
    command += ["--server.headless", "true"] if chosen.headless else []
    command += chosen.options
    if os.name == "posix":
        os.execv(command[0], command)  # noqa: S606 (our own interpreter; signals go to the app itself)
    raise SystemExit(subprocess.call(command))  # noqa: S603 (the same)

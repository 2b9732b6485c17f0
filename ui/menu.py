"""The menu, in the order of the flow."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""Folder of app.py."""


@dataclass(frozen=True)
class Entry:
    """One page of the menu.

    Parameters
    ----------
    path
        The page's script, relative to app.py.
    title
        Its name in the menu.
    icon
        A Material symbol that comes with Streamlit.
    """

    path: str
    title: str
    icon: str


MENU: dict[str, tuple[Entry, ...]] = {
    "Start": (
        Entry("pages/start/overview.py", "Overview", ":material/home:"),
        Entry("pages/start/jobs.py", "Jobs", ":material/hourglass_empty:"),
    ),
    "Data": (
        Entry("pages/data/dataset.py", "Data set", ":material/table_chart:"),
        Entry("pages/data/explore.py", "Explore", ":material/search:"),
        Entry("pages/data/simulate.py", "Simulate", ":material/science:"),
        Entry("pages/data/identify.py", "Identify", ":material/fingerprint:"),
    ),
    "Generation": (
        Entry("pages/generation/train.py", "Train", ":material/model_training:"),
        Entry("pages/generation/sample.py", "Sample", ":material/scatter_plot:"),
    ),
    "Comparison": (
        Entry("pages/comparison/spectra.py", "Spectra", ":material/show_chart:"),
        Entry("pages/comparison/channels.py", "Channels", ":material/stacked_line_chart:"),
        Entry("pages/comparison/neighbours.py", "Neighbours", ":material/compare_arrows:"),
        Entry("pages/comparison/latent_map.py", "Latent map", ":material/bubble_chart:"),
        Entry("pages/comparison/fidelity.py", "Fidelity", ":material/verified:"),
    ),
    "Regression": (
        Entry("pages/regression/errors.py", "Errors", ":material/error_med:"),
        Entry("pages/regression/experiment.py", "Experiment", ":material/labs:"),
    ),
}
"""Sections with their pages."""

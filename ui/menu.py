"""The menu, in the order of work."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""Folder of app.py."""
HOME = "pages/start/overview.py"
"""The page that is opened first."""


@dataclass(frozen=True)
class Entry:
    """One page of the menu.

    Parameters
    ----------
    path
        The page's script, relative to app.py.
    title
        Its name, in the menu and on top of the page.
    icon
        A Material symbol that comes with Streamlit.
    question
        What the page answers.
    """

    path: str
    title: str
    icon: str
    question: str


MENU: dict[str, tuple[Entry, ...]] = {
    "Learn": (
        Entry("pages/learn/tour.py", "Tour", ":material/explore:", "What is the story, in eight steps?"),
        Entry("pages/learn/quiz.py", "Quiz", ":material/quiz:", "Can you tell real from generated?"),
    ),
    "Start": (
        Entry(HOME, "Overview", ":material/home:", "What is this, and where am I?"),
        Entry("pages/start/jobs.py", "Jobs", ":material/hourglass_empty:", "What is running, and what came of it?"),
    ),
    "Data": (
        Entry("pages/data/dataset.py", "Data set", ":material/table_chart:", "What do I have?"),
        Entry("pages/data/explore.py", "Explore", ":material/search:", "Is it fit for calibration?"),
        Entry("pages/data/simulate.py", "Simulate", ":material/science:", "What would physics give?"),
        Entry("pages/data/identify.py", "Identify", ":material/fingerprint:", "What can be known at all?"),
    ),
    "Calibration": (
        Entry("pages/calibration/advice.py", "Advice", ":material/troubleshoot:", "What would help?"),
        Entry(
            "pages/calibration/experiment.py", "Experiment", ":material/labs:", "Under which conditions does it help?"
        ),
        Entry("pages/calibration/errors.py", "Errors", ":material/error_med:", "Does it help, target by target?"),
    ),
    "Generation": (
        Entry("pages/generation/train.py", "Train", ":material/model_training:", "Does it learn?"),
        Entry(
            "pages/generation/sample.py",
            "Sample",
            ":material/scatter_plot:",
            "Where in latent space, at which concentrations?",
        ),
    ),
    "Comparison": (
        Entry("pages/comparison/spectra.py", "Spectra", ":material/show_chart:", "Do they look alike?"),
        Entry(
            "pages/comparison/channels.py",
            "Channels",
            ":material/stacked_line_chart:",
            "Do they vary alike, channel by channel?",
        ),
        Entry("pages/comparison/neighbours.py", "Neighbours", ":material/compare_arrows:", "Are they copies?"),
        Entry(
            "pages/comparison/latent_map.py", "Latent map", ":material/bubble_chart:", "Do they cover the same ground?"
        ),
        Entry(
            "pages/comparison/fidelity.py",
            "Fidelity",
            ":material/verified:",
            "What do the metrics say, and what can't they see?",
        ),
    ),
    "Use": (
        Entry("pages/use/calibrate.py", "Calibrate", ":material/tune:", "How good is the calibration that I will use?"),
        Entry("pages/use/read.py", "Read", ":material/colorize:", "What is in spectra nobody has analysed?"),
    ),
}
"""Sections with their pages."""


def question_of(title: str) -> str:
    """Return what a page answers.

    >>> question_of("Spectra")
    'Do they look alike?'
    """
    return next(entry.question for entries in MENU.values() for entry in entries if entry.title == title)

"""What the commands share: the progress bar, where spectra come from, files that are written whole."""

import json
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from spectra_core.contracts import Cancelled, Reporter
from spectra_core.datasets import WRITERS, export
from spectra_core.datasets.formulas import table_csv
from spectra_core.errors import ConfigError, ReadError, json_fault
from spectra_core.json_text import strict_json
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.text import counted
from spectra_core.store import Store
from spectra_core.store.files import is_there, write_at

_SHORTEST_KEY = 6


class ProgressBar:
    """A reporter that draws a bar on the terminal's error stream; safe to use from several threads."""

    def __init__(self) -> None:
        from tqdm import tqdm

        # A terminal is redrawn often; a log file gets a line now and then.
        patience = 0.1 if sys.stderr.isatty() else 10.0
        # `miniters` has it look at the clock at every step, however quick the steps of the stage before were.
        self._bar = tqdm(
            total=0, unit="step", mininterval=patience, miniters=0, delay=patience, file=sys.stderr, leave=False
        )
        self._stage = ""
        self._lock = threading.Lock()
        self._asked = threading.Event()

    def ask_to_stop(self, *_: Any) -> None:
        """Let the next progress report end the work; a signal handler."""
        if self._asked.is_set():
            raise KeyboardInterrupt
        self._asked.set()

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Redraw the bar; raise `Cancelled` once the person pressed Ctrl-C."""
        if self._asked.is_set():
            raise Cancelled
        with self._lock:
            self._bar.set_description(stage, refresh=False)
            if stage != self._stage or total != self._bar.total or done < self._bar.n:
                self._begin(stage, total)
            if values:
                self._bar.set_postfix({name: f"{value:.3g}" for name, value in values.items()}, refresh=False)
            self._bar.update(done - self._bar.n)

    def _begin(self, stage: str, total: int) -> None:
        """Start over, with nothing of the stage before; `reset` would draw every time, a line each in a log file."""
        self._stage, self._bar.total, self._bar.n, self._bar.last_print_n = stage, total, 0, 0
        self._bar.start_t = time.time() - self._bar.delay
        self._bar.set_postfix_str("", refresh=False)

    def message(self, text: str) -> None:
        """Write a sentence above the bar."""
        with self._lock:
            if sys.stderr.isatty():
                self._bar.write(text, file=sys.stderr)
            else:  # `write` would draw the bar again beneath every sentence
                self._bar.clear()
                sys.stderr.write(f"{text}\n")

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()


@contextmanager
def progress_bar() -> Iterator[Reporter]:
    """Draw progress while the work inside runs; the first Ctrl-C ends it in order, the second at once."""
    bar = ProgressBar()
    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGINT, bar.ask_to_stop)
    try:
        yield bar
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
        bar.close()


def spectra_from(
    sources: Sequence[str],
    store: Store,
    reporter: Reporter,
    *,
    targets: Sequence[str] | None,
    recipe: str | None,
    seed: int,
) -> SpectraSet:
    """Return the spectra that the person named.

    Parameters
    ----------
    sources
        Files or folders; or one of: ``simulated:PRESET`` or ``simulated:PRESET:N`` for N simulated spectra, the
        beginning of a kept set's fingerprint.
    targets
        Names of the targets to use; None for all, and none of an empty list, whatever their columns hold.
    recipe
        Path of a JSON file with decisions about the import; None to go by what is guessed.
    seed
        Of a simulation.

    Raises
    ------
    ReadError, ConfigError
        When there is no such thing, or it cannot be read.
    """
    first = sources[0]
    if first.startswith("simulated:"):
        spectra = _simulated(first, reporter, seed)
    elif not is_there(Path(first)) and (key := _kept(first, store)) is not None:
        spectra = store.load_set(key)
    else:
        from spectra_core.datasets import DataWarning, Recipe, read

        decisions = None if recipe is None else Recipe.from_json(read_text(recipe))
        paths = [Path(source) for source in sources]
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", DataWarning)
            spectra = read(paths, decisions, targets if targets == [] else None)
            if targets is not None and not set(targets) <= set(spectra.target_names):
                # Columns that are not taken for targets by themselves are named as the file names them.
                said.clear()
                spectra, targets = read(paths, decisions, targets), None
        for one in said:
            reporter.message(f"Warning: {one.message}")
    return spectra if targets is None else spectra.with_targets(targets)


def data_of(chosen: Any, store: Store, reporter: Reporter) -> SpectraSet:
    """Return the spectra that a command's options name."""
    return spectra_from(
        chosen.data, store, reporter, targets=chosen.targets, recipe=chosen.recipe, seed=getattr(chosen, "seed", 0)
    )


def say(text: str) -> None:
    """Write a line on the output stream."""
    sys.stdout.write(f"{text}\n")


def told(spectra: SpectraSet) -> str:
    """Say in words which set it is, and how large."""
    n_spectra = counted(len(spectra), f"{spectra.meta.origin} spectrum", f"{spectra.meta.origin} spectra")
    size = f"{n_spectra}, {counted(spectra.n_channels, 'channel')}, {counted(spectra.n_targets, 'target')}"
    return f"“{spectra.meta.name}”: {size}"


def names(text: str) -> list[str]:
    """Split a list of names; arms hold commas, so semicolons part them where there are any.

    >>> names("mlp,pls"), names("VAE, equalised;Oracle")
    (['mlp', 'pls'], ['VAE, equalised', 'Oracle'])
    """
    return [name.strip() for name in text.split(";" if ";" in text else ",") if name.strip()]


def _simulated(source: str, reporter: Reporter, seed: int) -> SpectraSet:
    from spectra_core.datasets.simulator import PRESETS, simulate

    _, preset, number = f"{source}:".split(":", 2)
    number = number.rstrip(":")
    if preset not in PRESETS:
        raise ConfigError(f"Unknown preset {preset!r}. Known presets: {', '.join(sorted(PRESETS))}.")
    if number and not number.isdecimal():
        raise ConfigError(f"Expected simulated:PRESET:NUMBER, got {source!r}. The number of spectra is a whole number.")
    return simulate(PRESETS[preset], n_spectra=int(number) if number else None, seed=seed, reporter=reporter)


def _kept(beginning: str, store: Store) -> str | None:
    if len(beginning) < _SHORTEST_KEY or not set(beginning) <= set("0123456789abcdef"):
        return None
    fitting = [record.fingerprint for record in store.sets() if record.fingerprint.startswith(beginning)]
    if len(fitting) != 1:
        raise ReadError(f"{len(fitting)} kept sets begin with {beginning!r}. Give more of the fingerprint, or a file.")
    return fitting[0]


def read_text(path: str) -> str:
    """Return the text of a file the person named.

    Raises
    ------
    ReadError
        When it cannot be read.
    """
    try:
        return Path(path).read_text("utf-8-sig")  # spreadsheets write the mark of UTF-8 first
    except OSError as error:
        raise ReadError(f"{path} cannot be opened: {error.strerror}. Check the name and the permissions.") from error
    except UnicodeDecodeError as error:
        raise ReadError(f"{path} is not a text file in UTF-8. Save it as one.") from error


def read_json(path: str) -> dict[str, Any]:
    """Return the JSON object of a file the person named.

    Raises
    ------
    ReadError, ConfigError
        When it cannot be read, or is no JSON object.
    """
    try:
        return strict_json(read_text(path))
    except ValueError as error:
        raise ConfigError(f"{path} {json_fault(error)}.") from error


def options_from(settings: Sequence[str]) -> dict[str, Any]:
    """Read options given as ``name=value``; values are JSON where they can be, else text.

    >>> options_from(["beta=0.5", "reduction=sum", "hidden=[32, 8]"])
    {'beta': 0.5, 'reduction': 'sum', 'hidden': [32, 8]}
    """
    options: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise ConfigError(f"An option is given as name=value, got {setting!r}.")
        if name in options:
            raise ConfigError(f"{name} is given twice: {json.dumps(options[name])} and {text}. Give it once.")
        try:
            options[name] = json.loads(text)
        except (ValueError, RecursionError):
            options[name] = text
    return options


def wide_table(spectra: SpectraSet) -> pd.DataFrame:
    """Return one spectrum a row: sample columns, targets with their unit in brackets, channels by position.

    The importer reads it back as the same spectra and targets.
    """
    targets = spectra.targets
    targets.columns = [f"{one.name} [{one.unit}]" if one.unit else one.name for one in spectra.target_info]
    channels = pd.DataFrame(spectra.signal, columns=[repr(float(position)) for position in spectra.axis.positions])
    return pd.concat([spectra.samples, targets, channels], axis="columns")


def form_of(out: str) -> str:
    """Return the format of a set of spectra that the ending of a file's name asks for.

    Raises
    ------
    ConfigError
        When the ending is of no format that is written, with those that are.
    """
    forms = {writer.extension: form for form, writer in WRITERS.items()}
    ending = Path(out).suffix.lower()
    if ending not in forms:
        raise ConfigError(f"Spectra are not written as {ending or 'a file without ending'}. Known: {', '.join(forms)}.")
    return forms[ending]


def write_spectra(spectra: SpectraSet, out: str) -> None:
    """Write a set as the ending of the name says; CSV as a plain wide table."""
    form = form_of(out)
    write_at(Path(out), table_csv(wide_table(spectra)) if form == "csv" else export(spectra, form))


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write every table as a CSV file of its name, numbers in full precision."""
    for name, table in tables.items():
        write_at(folder / f"{name}.csv", table_csv(table))


def error_table(errors: pd.DataFrame, spectra: SpectraSet) -> pd.DataFrame:
    """Lay out the RMSEP, mean ± standard deviation over folds, as text.

    Returns
    -------
    DataFrame, one row per (regressor, arm)
        One column per target, in its unit. Where runs blew up (`blown_up`), the text ends with how many did, and the
        median.
    """
    from spectra_core.evaluation.errors.regression_errors import blown_up

    grouped = errors.groupby(["regressor", "arm", "target"], sort=False)["rmsep"]
    text = grouped.mean().map("{:.3g}".format) + " ± " + grouped.std(ddof=1).fillna(0.0).map("{:.2g}".format)
    spreads = dict(zip(spectra.target_names, spectra.target_values.std(axis=0), strict=True))
    flagged = errors.assign(blown_up=blown_up(errors, spreads=spreads))
    n_blown_up = flagged.groupby(["regressor", "arm", "target"], sort=False)["blown_up"].sum()
    note = " (" + n_blown_up.astype(str) + " blew up, median " + grouped.median().map("{:.3g}".format) + ")"
    text += note.where(n_blown_up > 0, "")
    table = text.unstack("target")
    labels = {one.name: one.label for one in spectra.target_info}
    return table[[name for name in labels if name in table]].rename(columns=labels)

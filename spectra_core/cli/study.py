"""The command ``study``: an experiment designed by options or from a file, run, and written as tables."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectra_core.choices import Choice
from spectra_core.cli import shared
from spectra_core.contracts import NO_MEMO
from spectra_core.errors import ConfigError
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.text import counted
from spectra_core.store import Store
from spectra_core.store.files import json_bytes, write_at

if TYPE_CHECKING:  # loads torch, for which --help need not wait
    from spectra_core.experiment import Experiment


_DESIGN = ("folds", "repeats", "mode", "epochs", "arms", "regressors", "ratios", "sizes", "strategies", "reasons")
"""Options of which an experiment is made."""


def add_options(one: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    one.add_argument("--folds", type=int, help="test parts of the cross-validation (8)")
    one.add_argument("--repeats", type=int, help="how often it is repeated, with other seeds (1)")
    one.add_argument(
        "--mode",
        choices=["faithful", "fast"],
        help="networks trained as in the study, or fast: another path of optimisation (faithful)",
    )
    one.add_argument("--epochs", type=int, help="of every network; 100 in faithful mode, fewer in fast mode")
    one.add_argument(
        "--arms", type=_arms, metavar="NAMES", help="parted by ';'; by default the study's, where possible"
    )
    one.add_argument(
        "--regressors",
        type=shared.names,
        metavar="NAMES",
        help="parted by ','; preprocessing after a colon, as pls:clip+snv (mlp,pls,ridge,gaussian_process)",
    )
    one.add_argument("--ratios", type=_numbers, metavar="NUMBERS", help="added rows per training row, parted by ','")
    one.add_argument("--sizes", type=_whole_numbers, metavar="NUMBERS", help="training spectra, as 50,100,0; 0 is all")
    one.add_argument("--strategies", type=_arms, default=[], metavar="NAMES", help="arms to run at every strategy")
    one.add_argument(
        "--reasons", type=_arms, default=[], metavar="NAMES", help="arms to explain by counterfactual ones"
    )
    one.add_argument(
        "--declared",
        metavar="FILE.json",
        help="the question: reference, arms, regressors, targets, n_train, smallest_effect in per cent (5); what is "
        "not declared is looked at afterwards, without verdicts",
    )
    one.add_argument(
        "--fresh-sets",
        type=int,
        metavar="K",
        help="simulated data: K independent training sets, tested on one new set, in place of folds",
    )
    one.add_argument("--experiment", metavar="FILE", help="an experiment.json, in place of the options above")
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="change a field of the experiment, such as n_folds=5 or seed=1; may be given several times",
    )
    one.add_argument(
        "--device",
        choices=["auto", "cpu", "cuda"],
        help="where networks are trained: an accelerator where torch sees one, else the processor (auto); or insist",
    )
    one.add_argument("--estimate", action="store_true", help="say what it would take, and do nothing")
    one.add_argument("--workers", type=int, help="threads; changes the time, never a number")
    one.add_argument("--scheduler", metavar="ADDRESS", help="work on the Dask cluster there, as tcp://host:8786")
    one.add_argument("--out", metavar="FOLDER", help="where tables and experiment.json go")
    one.add_argument("--keep", action="store_true", help="also keep set and result for the app")


def study(chosen: argparse.Namespace) -> None:
    """Run an experiment; write its tables as CSV and itself as JSON."""
    from spectra_core.cluster import workforce
    from spectra_core.experiment import run
    from spectra_core.experiment.cost import estimated_seconds
    from spectra_core.experiment.parts import parts_of
    from spectra_core.experiment.run import runnable
    from spectra_core.jobs.tasks import default_workers, memo_of

    if chosen.out is None and not chosen.estimate:
        raise ConfigError("The tables need a folder: give --out FOLDER, or --estimate to learn the cost only.")
    store, n_workers = Store(), default_workers() if chosen.workers is None else chosen.workers
    with shared.progress_bar() as reporter:
        spectra = shared.data_of(chosen, store, reporter)
        experiment = designed(chosen, spectra)
        runnable(experiment, spectra)
        parts_of(experiment, spectra, NO_MEMO)  # what cannot be divided is refused before anything is timed
        seconds = estimated_seconds(experiment, spectra, n_workers, memo_of(store, "pace"))
        n_fits = len(experiment.arms) * len(experiment.regressors) * len(experiment.n_train) * experiment.n_splits
        reporter.message(
            f"{counted(len(experiment.arms), 'arm')}, {counted(n_fits, 'fit')} of all targets; "
            f"roughly {_minutes(seconds)} with {counted(n_workers, 'worker')} beside what this computer does now."
        )
        if chosen.estimate:
            return
        found = run(
            experiment,
            spectra,
            reporter=reporter,
            memo=memo_of(store, "study"),
            n_workers=n_workers,
            workforce=workforce(chosen.scheduler),
        )
    folder = Path(chosen.out)
    shared.write_tables(folder, found.tables)
    write_at(folder / "experiment.json", found.experiment.to_json().encode())
    write_at(folder / "document.json", json_bytes(found.document))
    if chosen.keep:
        store.save_set(spectra)
        store.save_result("study", found.document, found.tables, name=f"Study of {spectra.meta.name}")
    shared.say(f"RMSEP per target, mean ± sd over folds, on {shared.told(spectra)}.\n")
    shared.say(shared.error_table(found.tables["errors"], spectra).to_string())
    shared.say(f"\nTables and experiment.json are in {folder}.")


def designed(chosen: argparse.Namespace, spectra: SpectraSet) -> "Experiment":
    """Return the experiment that the options describe, for these spectra.

    Raises
    ------
    ConfigError
        When a name or a field is unknown.
    """
    from spectra_core.experiment import Experiment
    from spectra_core.experiment.cautions import cautions

    if chosen.experiment is not None:
        _require_no_design(chosen)
        experiment = replace(Experiment.from_json(shared.read_text(chosen.experiment)), data="")
        if chosen.device is not None:
            experiment = replace(experiment, device=chosen.device)
    else:
        experiment = _from_options(chosen, spectra)
    changes = shared.options_from(chosen.set)
    if chosen.declared is not None:
        changes["question"] = shared.read_json(chosen.declared)
    if chosen.fresh_sets is not None:
        changes["fresh_sets"] = chosen.fresh_sets
    if changes:
        experiment = Experiment.from_document({**json.loads(experiment.to_json()), **changes})
    for choice in experiment.regressors:
        _warn(choice)
    for caution in cautions(experiment, spectra):
        sys.stderr.write(f"{caution}\n")
    return experiment


def _require_no_design(chosen: argparse.Namespace) -> None:
    """Refuse options that would be left unheard beside an experiment that is read from a file."""
    for name in _DESIGN:
        if getattr(chosen, name) not in (None, []):
            raise ConfigError(
                f"--{name} designs an experiment, and --experiment brings one. Change a field of it by --set, as "
                "n_folds=5, or leave one of the two out."
            )
    if chosen.seed and not any(source.startswith("simulated:") for source in chosen.data):
        raise ConfigError("--seed stands in the experiment that --experiment brings. Change it there by --set seed=...")


def _from_options(chosen: argparse.Namespace, spectra: SpectraSet) -> "Experiment":
    from spectra_core.experiment import (
        Experiment,
        study_experiment,
        sweep_ratio,
        sweep_strategies,
        with_counterfactuals,
    )
    from spectra_core.experiment.presets import STUDY_ARMS, USUAL_REGRESSORS, has_salts, possible_arms
    from spectra_core.regressors.choice import with_steps

    names = chosen.arms
    if names is None:
        possible = possible_arms(spectra) if spectra.n_targets else list(STUDY_ARMS)
        names = [name for name in STUDY_ARMS if name in possible]
        for name in set(STUDY_ARMS) - set(names):
            sys.stderr.write(f"Left out, since no salts are known or found among the targets: {name}.\n")
    if chosen.regressors == []:
        raise ConfigError("An experiment needs at least one regressor.")
    plain, steps = zip(*(regressor_and_steps(text) for text in chosen.regressors or USUAL_REGRESSORS), strict=True)
    experiment = study_experiment(
        names,
        regressors=list(dict.fromkeys(plain)),
        mode=chosen.mode or "faithful",
        epochs=chosen.epochs,
        n_spectra=len(spectra),
        n_folds=Experiment.n_folds if chosen.folds is None else chosen.folds,
        n_repeats=Experiment.n_repeats if chosen.repeats is None else chosen.repeats,
        seed=chosen.seed,
        device=chosen.device or "auto",
        **({} if chosen.sizes is None else {"n_train": tuple(chosen.sizes)}),
    )
    trained = {choice.name: choice for choice in experiment.regressors}
    regressors = tuple(with_steps(trained[name], of_it) for name, of_it in zip(plain, steps, strict=True))
    experiment = replace(experiment, regressors=regressors)
    for name in chosen.strategies:
        experiment = sweep_strategies(experiment, name, has_salts=has_salts(spectra))
    for name in chosen.reasons:
        experiment = with_counterfactuals(experiment, name, simulated="simulator" in spectra.meta.provenance)
    return experiment if chosen.ratios is None else sweep_ratio(experiment, chosen.ratios)


def regressor_and_steps(text: str) -> tuple[str, tuple[Choice, ...]]:
    """Split a regressor's name from the preprocessing before it.

    >>> regressor_and_steps("pls:clip+snv")[1][1].name
    'snv'
    """
    name, _, steps = text.partition(":")
    return name, tuple(Choice(step) for step in steps.split("+") if step)


def _warn(choice: Choice) -> None:
    from spectra_core.preprocessing import PREPROCESSINGS
    from spectra_core.regressors.choice import steps_of

    for step in steps_of(choice):
        if caution := PREPROCESSINGS[step.name].caution:
            sys.stderr.write(f"{PREPROCESSINGS[step.name].title}: {caution}\n")


def _arms(text: str) -> list[str]:
    """Split names of arms: they hold commas, so semicolons part them."""
    return [name.strip() for name in text.split(";") if name.strip()]


def _numbers(text: str) -> list[float]:
    return _parted(text, float, "numbers parted by ',', as in 0.5,1,2")


def _whole_numbers(text: str) -> list[int]:
    return _parted(text, int, "whole numbers parted by ',', as in 50,100,0")


def _parted(text: str, kind: Callable[[str], Any], expected: str) -> list[Any]:
    try:
        numbers = [kind(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = []
    if not numbers:
        raise argparse.ArgumentTypeError(f"expected {expected}; got {text!r}")
    return numbers


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

"""The command ``advise``: what would help a calibration, within a stated time."""

import argparse
from pathlib import Path

from spectra_core.choices import Choice
from spectra_core.cli import shared
from spectra_core.datasets.formulas import table_csv
from spectra_core.errors import ConfigError
from spectra_core.store import Store
from spectra_core.store.files import write_at


def add_options(one: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    one.add_argument("--minutes", type=float, default=3.0, help="how long to try (3); more allow more remedies")
    one.add_argument(
        "--reference",
        metavar="NAME",
        help="the regressor in use, with preprocessing after a colon, as pls:snv; the study's network, if left out",
    )
    one.add_argument("--workers", type=int, help="fits at a time; one per processor, if left out")
    one.add_argument("--keep", action="store_true", help="also keep set and advice, for the app and for `report`")
    one.add_argument("--out", metavar="FILE.csv", help="where the table goes; without it, it is shown")
    one.add_argument("--solutions", metavar="FILE.csv", help="where a list of solutions to prepare goes")


def advise(chosen: argparse.Namespace) -> None:
    """Try what may lower the errors of a calibration, within a stated time, and judge it."""
    for name in (chosen.out, chosen.solutions):
        if name and Path(name).suffix.lower() != ".csv":
            raise ConfigError(f"A table is written as .csv, not as {Path(name).name!r}.")
    from spectra_core.cli.study import regressor_and_steps
    from spectra_core.experiment.advice import advise as advised
    from spectra_core.experiment.advice.saying import summary
    from spectra_core.experiment.modes import trained
    from spectra_core.jobs.tasks import default_workers, keep_advice, memo_of
    from spectra_core.regressors.choice import with_steps

    with shared.progress_bar() as reporter:
        store = Store()
        spectra = shared.data_of(chosen, store, reporter)
        reference = None
        if chosen.reference is not None:
            name, steps = regressor_and_steps(chosen.reference)
            reference = with_steps(trained(Choice(name), "fast", n_train=len(spectra)), steps)
        found = advised(
            spectra,
            minutes=chosen.minutes,
            reference=reference,
            seed=chosen.seed,
            reporter=reporter,
            memo=memo_of(store, "study"),
            n_workers=default_workers() if chosen.workers is None else chosen.workers,
        )
    if chosen.keep:
        asked = {"set": store.save_set(spectra), "minutes": chosen.minutes, "seed": chosen.seed}
        asked |= {"reference": reference and reference.to_json(), "workers": chosen.workers}
        shared.say(f"Kept as {keep_advice(found, asked, store, spectra.meta.name)[:8]}.")
    shared.say(f"Compared with what is in use: {found.document['reference']}.")
    for sentence in found.sentences:
        shared.say(sentence)
    for name, why in found.document["left_out"].items():
        shared.say(f"Left out: {name}. {why}")
    for name, table in ((chosen.out, found.table), (chosen.solutions, found.tables["solutions"])):
        if name and len(table):
            write_at(Path(name), table_csv(table))
            shared.say(f"Written to {name}.")
    if not chosen.out:
        shared.say(summary(found.table).to_string(index=False, float_format="{:.2g}".format))

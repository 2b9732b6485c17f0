"""The commands of the command line: the app's pipeline without the app.

``python -m spectra_core study --data FILE --folds 8 --seed 0 --out FOLDER`` and, alike, ``simulate``, ``import``,
``convert``, ``train``, ``generate``, ``jobs``. Errors are one sentence on the error stream and exit code 2.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spectra_core.cli import shared
from spectra_core.cli import study as study_command
from spectra_core.contracts import Cancelled
from spectra_core.errors import ConfigError, SpectraCoreError
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store

EXIT_ERROR, EXIT_CANCELLED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except SpectraCoreError as error:
        sys.stderr.write(f"Error: {error}" + "\n")
        return EXIT_ERROR
    except (Cancelled, KeyboardInterrupt):
        sys.stderr.write("Cancelled. Finished parts are kept: the same command goes on from there." + "\n")
        return EXIT_CANCELLED
    return 0


def simulate(chosen: argparse.Namespace) -> None:
    """Simulate a set; keep it, and write it where asked."""
    with shared.progress_bar() as reporter:
        from spectra_core.jobs.tasks import TASKS

        arguments = {
            "preset": chosen.preset,
            "n_spectra": chosen.n_spectra,
            "seed": chosen.seed,
            "settings": shared.options_from(chosen.option),
            "name": chosen.name,
        }
        store = Store()
        key = TASKS["simulate"](arguments, reporter, store)["set"]
    _tell_kept(store.load_set(key), chosen.out)


def import_files(chosen: argparse.Namespace) -> None:
    """Read files into a set and keep it."""
    with shared.progress_bar() as reporter:
        store = Store()
        spectra = shared.data_of(chosen, store, reporter)
        spectra = spectra.with_meta(name=chosen.name) if chosen.name else spectra
        store.save_set(spectra)
    _tell_kept(spectra, None)


def convert(chosen: argparse.Namespace) -> None:
    """Read files and write them as one wide table."""
    with shared.progress_bar() as reporter:
        spectra = shared.data_of(chosen, Store(), reporter)
    _write_wide(spectra, chosen.out)


def train(chosen: argparse.Namespace) -> None:
    """Train a generator; keep it, and write the model file where asked."""
    from spectra_core.jobs.tasks import TASKS

    options = shared.options_from(chosen.option)
    if chosen.epochs is not None:
        options["epochs"] = chosen.epochs
    with shared.progress_bar() as reporter:
        store = Store()
        arguments = {
            "set": store.save_set(shared.data_of(chosen, store, reporter)),
            "generator": chosen.generator,
            "options": options,
            "seed": chosen.seed,
            "held_out_share": chosen.held_out,
        }
        model_id = TASKS["train"](arguments, reporter, store)["model"]
    shared.say(f"Kept the model {model_id}.")
    if chosen.out:
        shared.write_file(Path(chosen.out), store.export_model(model_id))
        shared.say(f"Written to {chosen.out}.")


def generate(chosen: argparse.Namespace) -> None:
    """Make spectra with a kept generator or a model file."""
    from spectra_core.choices import Choice, build
    from spectra_core.conditions import CONDITIONS
    from spectra_core.regressors import REGRESSORS
    from spectra_core.samplers import SAMPLERS
    from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS
    from spectra_core.sampling.generation import generate_spectra
    from spectra_core.sampling.labelling import LABELLINGS

    store = Store()
    with shared.progress_bar() as reporter:
        model_id = _model(chosen.model, store)
        stored = store.load_model(model_id)
        whole = shared.data_of(chosen, store, reporter)
        unseen = set(stored.record.held_out_rows if stored.record.trained_on == whole.fingerprint else ())
        training = whole.take([row for row in range(len(whole)) if row not in unseen])
        teacher = chosen.teacher and build(REGRESSORS, Choice(chosen.teacher), "regressor")
        spectra = generate_spectra(
            stored.model,
            training,
            chosen.n_spectra,
            sampler=chosen.sampler and build(SAMPLERS, Choice(chosen.sampler), "sampler"),
            conditions=chosen.conditions and build(CONDITIONS, Choice(chosen.conditions), "condition sampler"),
            latent_given=chosen.latent_given
            and build(CONDITIONAL_SAMPLERS, Choice(chosen.latent_given), "sampler given concentrations"),
            labelling=chosen.labelling and build(LABELLINGS, Choice(chosen.labelling), "labelling"),
            teacher=teacher and teacher.fit(training, seed=chosen.seed, reporter=reporter),
            seed=chosen.seed,
            name=chosen.name or f"{stored.record.title}, {chosen.n_spectra} spectra",
            model=model_id,
        )
        store.save_set(spectra)
    _tell_kept(spectra, chosen.out)


def jobs(chosen: argparse.Namespace) -> None:
    """List jobs, or cancel, pause, resume, remove, or show the log of one."""
    from spectra_core.jobs import Jobs

    queue = Jobs()
    if chosen.action != "list":
        fitting = [record.id for record in queue.records() if record.id.startswith(chosen.id or " ")]
        if len(fitting) != 1:
            raise ConfigError(f"{len(fitting)} jobs begin with {chosen.id or ''!r}. Give the beginning of one id.")
        if chosen.action == "log":
            shared.say("\n".join(queue.log_tail(fitting[0], 1000)))
            return
        actions = {"cancel": queue.cancel, "pause": queue.pause, "resume": queue.resume, "remove": queue.delete}
        actions[chosen.action](fitting[0])
    for record in queue.records():
        share = f"{record.share:4.0%}" if record.state == "running" else ""
        shared.say(f"{record.id[:8]}  {record.state:11}  {share:4}  {record.title}  {record.error}".rstrip())


def _model(named: str, store: Store) -> str:
    if Path(named).is_file():
        return store.import_model(Path(named).read_bytes())
    fitting = [record.id for record in store.models() if record.id.startswith(named)]
    if len(fitting) != 1:
        raise ConfigError(f"{len(fitting)} kept models begin with {named!r}. Give a model file, or more of the id.")
    return fitting[0]


def _tell_kept(spectra: SpectraSet, out: str | None) -> None:
    shared.say(f"Kept {spectra!r} as {spectra.fingerprint}.")
    if out:
        _write_wide(spectra, out)


def _write_wide(spectra: SpectraSet, out: str) -> None:
    shared.write_file(Path(out), shared.wide_table(spectra).to_csv(index=False).encode())
    shared.say(f"Written to {out}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m spectra_core", description="Generate spectra and judge them.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    study_command.add_options(_command(commands, "study", study_command.study, data=True, seed=True))

    one = _command(commands, "simulate", simulate, seed=True)
    one.add_argument("--preset", default="msu_like")
    one.add_argument("--n-spectra", type=int)
    one.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="setting of the simulator")
    one.add_argument("--name", default="")
    one.add_argument("--out", metavar="FILE.csv")

    one = _command(commands, "import", import_files, data=True)
    one.add_argument("--name", default="")
    one = _command(commands, "convert", convert, data=True)
    one.add_argument("--out", required=True, metavar="FILE.csv")

    one = _command(commands, "train", train, data=True, seed=True)
    one.add_argument("--generator", default="vae")
    one.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="field of the generator")
    one.add_argument("--epochs", type=int)
    one.add_argument("--held-out", type=float, default=0.1, help="share of the spectra not trained on (0.1)")
    one.add_argument("--out", metavar="FILE.safetensors")

    one = _command(commands, "generate", generate, data=True, seed=True)
    one.add_argument("--model", required=True, help="a model file, or the beginning of a kept model's id")
    one.add_argument("--n-spectra", type=int, default=1000)
    for name in ("sampler", "conditions", "latent-given", "labelling", "teacher"):
        one.add_argument(f"--{name}", metavar="NAME")
    one.add_argument("--name", default="")
    one.add_argument("--out", metavar="FILE.csv")

    one = _command(commands, "jobs", jobs)
    actions = ["list", "cancel", "pause", "resume", "remove", "log"]
    one.add_argument("action", nargs="?", default="list", choices=actions)
    one.add_argument("id", nargs="?", help="the beginning of the job's id")
    return parser


def _command(commands: Any, name: str, run: Any, *, data: bool = False, seed: bool = False) -> argparse.ArgumentParser:
    """Add a command with the options that several share."""
    words = (run.__doc__ or "").strip()
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    parser.set_defaults(run=run)
    if data:
        parser.add_argument(
            "--data",
            required=True,
            nargs="+",
            help="files or a folder, simulated:PRESET[:N], or the beginning of a kept set's fingerprint",
        )
        parser.add_argument(
            "--targets", type=shared.names, metavar="NAMES", help="parted by ',' or ';'; all if left out"
        )
        parser.add_argument("--recipe", metavar="FILE", help="decisions about the import, as JSON")
    if seed:
        parser.add_argument("--seed", type=int, default=0, help="decides everything random (0)")
    return parser

"""The commands of the command line: the app, and its pipeline without it.

``latent-spectra study --data FILE --folds 8 --seed 0 --out FOLDER`` and, alike, ``app``, ``simulate``, ``import``,
``convert``, ``train``, ``generate``, ``calibrate``, ``read``, ``judge``, ``advise``, ``report``, ``card``, ``capsule``,
``verify``, ``class``, ``jobs``. Errors are one sentence on the error stream and exit code 2.
"""

import argparse
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spectra_core import __version__
from spectra_core.choices import Choice, build
from spectra_core.cli import advise as advise_command
from spectra_core.cli import app as app_command
from spectra_core.cli import calibration as calibration_commands
from spectra_core.cli import classroom as class_command
from spectra_core.cli import jobs as jobs_command
from spectra_core.cli import judge as judge_command
from spectra_core.cli import share as share_command
from spectra_core.cli import shared
from spectra_core.cli import study as study_command
from spectra_core.cli.parsing import Parser
from spectra_core.conditions import CONDITIONS
from spectra_core.contracts import Cancelled
from spectra_core.datasets.simulator import PRESETS
from spectra_core.errors import ConfigError, SpectraCoreError
from spectra_core.generators import GENERATORS
from spectra_core.regressors import REGRESSORS
from spectra_core.samplers import SAMPLERS
from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS
from spectra_core.sampling.generation import generate_spectra
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from spectra_core.store.files import is_there, require_place, write_at

EXIT_ERROR, EXIT_CANCELLED = 2, 130
_SPECTRA_FILE = "FILE.csv|.xlsx|.parquet|.npz|.jdx"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):  # a name may hold what the terminal's encoding lacks
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    chosen = _parser().parse_args(arguments)
    try:
        if getattr(chosen, "workers", None) is not None and chosen.workers < 1:
            raise ConfigError(f"At least 1 worker is needed, got {chosen.workers}.")
        for place in ("out", "coefficients", "solutions"):
            if named := getattr(chosen, place, None):
                require_place(Path(named), folder=chosen.run is study_command.study)
        return chosen.run(chosen) or 0
    except SpectraCoreError as error:
        sys.stderr.write(f"Error: {error}" + "\n")
        return EXIT_ERROR
    except MemoryError:
        sys.stderr.write("Error: This computer has too little memory for that. Ask for fewer spectra or channels.\n")
        return EXIT_ERROR
    except (Cancelled, KeyboardInterrupt):
        sys.stderr.write("Cancelled. Finished parts are kept: the same command goes on from there." + "\n")
        return EXIT_CANCELLED


def simulate(chosen: argparse.Namespace) -> None:
    """Simulate a set; keep it, and write it where asked."""
    shared.form_of(chosen.out or "set.csv")
    with shared.progress_bar() as reporter:
        from spectra_core.jobs.tasks import TASKS

        settings = shared.options_from(chosen.option)
        if "n_spectra" in settings and chosen.n_spectra is not None:
            raise ConfigError("The number of spectra is given twice: by --n-spectra and by --option. Give it once.")
        arguments = {
            "preset": chosen.preset,
            "n_spectra": chosen.n_spectra,
            "seed": chosen.seed,
            "settings": settings,
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
        key = store.save_set(spectra)
        if chosen.licence:
            store.state_licence(key, chosen.licence)
    _tell_kept(spectra, None)


def convert(chosen: argparse.Namespace) -> None:
    """Read files and write them as one file, in the format of its ending."""
    shared.form_of(chosen.out)
    with shared.progress_bar() as reporter:
        spectra = shared.data_of(chosen, Store(), reporter)
    shared.write_spectra(spectra, chosen.out)
    shared.say(f"Written to {chosen.out}.")


def train(chosen: argparse.Namespace) -> None:
    """Train a generator; keep it, and write the model file where asked."""
    if chosen.out and Path(chosen.out).suffix.lower() != ".safetensors":
        raise ConfigError(f"A model is written as .safetensors, not as {Path(chosen.out).name!r}.")
    from spectra_core.jobs.tasks import TASKS

    given = [] if chosen.epochs is None else [f"epochs={chosen.epochs}"]
    options = shared.options_from([*chosen.option, *given])
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
        write_at(Path(chosen.out), store.export_model(model_id))
        shared.say(f"Written to {chosen.out}.")


def generate(chosen: argparse.Namespace) -> None:
    """Make spectra with a kept generator or a model file."""
    shared.form_of(chosen.out or "set.csv")
    store = Store()
    with shared.progress_bar() as reporter:
        model_id = _model(chosen.model, store)
        stored = store.load_model(model_id)
        whole = shared.data_of(chosen, store, reporter)
        unseen = set(stored.record.held_out_rows if stored.record.trained_on == whole.fingerprint else ())
        training = whole.take([row for row in range(len(whole)) if row not in unseen])
        teacher = _named(REGRESSORS, chosen.teacher, "regressor")
        spectra = generate_spectra(
            stored.model,
            training,
            chosen.n_spectra,
            sampler=_named(SAMPLERS, chosen.sampler, "sampler"),
            conditions=_named(CONDITIONS, chosen.conditions, "condition sampler"),
            latent_given=_named(CONDITIONAL_SAMPLERS, chosen.latent_given, "sampler given concentrations"),
            labelling=_named(LABELLINGS, chosen.labelling, "labelling"),
            teacher=teacher and teacher.fit(training, seed=chosen.seed, reporter=reporter),
            seed=chosen.seed,
            name=chosen.name or f"{stored.record.title}, {chosen.n_spectra} spectra",
            model=model_id,
        )
        if chosen.teacher and chosen.labelling == "spectral":
            from spectra_core.calibration.labels import with_teacher_intervals

            spectra = with_teacher_intervals(
                spectra, training, Choice(chosen.teacher), seed=chosen.seed, reporter=reporter
            )
        store.save_set(spectra)
    _tell_kept(spectra, chosen.out)


def _named(registry: Mapping[str, Any], name: str | None, what: str) -> Any:
    return None if name is None else build(registry, Choice(name), what)


def _model(named: str, store: Store) -> str:
    if is_there(Path(named), file=True):
        return store.import_model(Path(named).read_bytes())
    fitting = [record.id for record in store.models() if record.id.startswith(named)]
    if not fitting:
        raise ConfigError(f"There is no file {named!r}, and no kept model begins so. `latent-spectra train` makes one.")
    if len(fitting) > 1:
        raise ConfigError(f"{len(fitting)} kept models begin with {named!r}. Give more of the id, or a model file.")
    return fitting[0]


def _tell_kept(spectra: SpectraSet, out: str | None) -> None:
    shared.say(f"Kept {shared.told(spectra)}, as {spectra.fingerprint}.")
    if out:
        shared.write_spectra(spectra, out)
        shared.say(f"Written to {out}.")


_LEGEND = """exit codes:
  0    done
  1    verify: a capsule was changed, or its figures are not what its data give
  2    wrong use, or something cannot be read or done: one sentence says why
  130  cancelled by Ctrl-C

Sets, models, jobs and results are kept in the app's own data folder, or where
the variable SPECTRA_HOME says."""
_DATA = "files or a folder, simulated:PRESET[:N], or the beginning of a kept set's fingerprint"


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="latent-spectra",
        description="Generate spectra, see how they differ from experimental ones, and find out\n"
        "whether they improve a calibration. `latent-spectra COMMAND --help` shows the\n"
        "options of a command, with examples.",
        epilog=_LEGEND,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"latent-spectra {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    one = _command(commands, "app", app_command.app, "app", "app --port 8600 --headless", "app --class")
    app_command.add_options(one)

    one = _command(commands, "class", class_command.show_class, "class", "class --sets 20 --jobs 2", "class --clean")
    class_command.add_options(one)

    one = _command(
        commands,
        "study",
        study_command.study,
        "study --data solutions.csv --estimate",
        "study --data solutions.csv --folds 8 --seed 0 --out results/",
        "study --data simulated:msu_like:800 --mode fast --arms 'Baseline;Oracle' --out results/",
    )
    study_command.add_options(_seed(_data(one)))

    one = _command(
        commands,
        "judge",
        judge_command.judge,
        "judge --errors errors.csv --out verdicts.csv",
        "judge --errors errors.csv --declared question.json",
    )
    judge_command.add_options(one)

    share_command.add_commands(commands, _command, _data)

    advise_command.add_options(
        _seed(
            _data(
                _command(
                    commands,
                    "advise",
                    advise_command.advise,
                    "advise --data solutions.csv --minutes 3 --out advice.csv",
                    "advise --data solutions.csv --reference pls:snv --solutions to_prepare.csv",
                )
            )
        )
    )

    one = _seed(
        _command(
            commands,
            "simulate",
            simulate,
            "simulate --preset dilute --n-spectra 500 --out dilute.csv",
            "simulate --preset beer_lambert --option step=2 --name 'Two nanometres'",
        )
    )
    one.add_argument("--preset", default="msu_like", help=f"{_known(PRESETS)} (msu_like)")
    one.add_argument("--n-spectra", type=int, help="the preset's own number, if left out")
    one.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="setting of the simulator")
    _name_and_out(one, _SPECTRA_FILE)

    one = _command(
        commands,
        "import",
        import_files,
        "import --data run1.spc run2.spc --name 'Monday'",
        "import --data solutions.csv --recipe recipe.json --targets Cu,Ni",
    )
    _data(one).add_argument("--name", default="", help="of the kept set")
    one.add_argument("--licence", default="", help="of the data, as you state it: reports and model cards say it")

    one = _command(
        commands,
        "convert",
        convert,
        "convert --data run.jdx --out run.csv",
        "convert --data simulated:dilute:100 --out dilute.csv",
    )
    _data(one).add_argument("--out", required=True, metavar=_SPECTRA_FILE, help="where to write")

    one = _command(
        commands,
        "train",
        train,
        "train --data solutions.csv --generator vae --epochs 100 --out vae.safetensors",
        "train --data solutions.csv --generator pca --option n_latent=8",
    )
    _seed(_data(one)).add_argument("--generator", default="vae", help=f"{_known(GENERATORS)} (vae)")
    one.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="field of the generator")
    one.add_argument("--epochs", type=int, help="passes over the spectra; the generator's own number, if left out")
    one.add_argument("--held-out", type=float, default=0.1, help="share of the spectra not trained on (0.1)")
    one.add_argument("--out", metavar="FILE.safetensors", help="where to write the model too")

    one = _command(
        commands,
        "generate",
        generate,
        "generate --model vae.safetensors --data solutions.csv --sampler standard_normal "
        "--labelling spectral --teacher pls --out generated.csv",
        "generate --model 3f9a --data solutions.csv --conditions as_measured --labelling asked_for --n-spectra 500",
    )
    _seed(_data(one)).add_argument("--model", required=True, help="a model file, or the beginning of a kept model's id")
    one.add_argument("--n-spectra", type=int, default=1000, help="how many (1000)")
    one.add_argument("--sampler", metavar="NAME", help=f"where in latent space: {_known(SAMPLERS)}")
    one.add_argument(
        "--conditions",
        metavar="NAME",
        help=f"at which concentrations, for a conditional generator: {_known(CONDITIONS)}",
    )
    one.add_argument(
        "--latent-given",
        metavar="NAME",
        help=f"where in latent space, given the concentrations: {_known(CONDITIONAL_SAMPLERS)}",
    )
    one.add_argument(
        "--labelling", metavar="NAME", help=f"how new spectra get their concentrations: {_known(LABELLINGS)}"
    )
    one.add_argument(
        "--teacher", metavar="NAME", help=f"the regressor that labels by pseudo-labels: {_known(REGRESSORS)}"
    )
    _name_and_out(one, _SPECTRA_FILE)

    one = _command(
        commands,
        "calibrate",
        calibration_commands.calibrate,
        "calibrate --data solutions.csv --out calibration.zip",
        "calibrate --data solutions.csv --regressor gaussian_process --regressor 'Cu2+=pls:savitzky_golay' "
        "--targets Cu2+,Ni2+ --out calibration.zip",
    )
    calibration_commands.add_calibrate_options(_seed(_data(one)))

    one = _command(
        commands,
        "read",
        calibration_commands.read,
        "read --calibration calibration.zip --data unknown.csv --out readings.csv",
        "read --calibration calibration.zip --data monday.spc --axis interpolate --level 0.95 --out readings.xlsx",
    )
    one.add_argument("--data", required=True, nargs="+", help=_DATA)
    one.add_argument("--recipe", metavar="FILE", help="decisions about the import, as JSON")
    calibration_commands.add_read_options(one)

    one = _command(commands, "jobs", jobs_command.jobs, "jobs", "jobs log 3f9a", "jobs resume 3f9a")
    actions = ["list", "cancel", "pause", "resume", "remove", "log"]
    one.add_argument("action", nargs="?", default="list", choices=actions, help="what to do with a job (list)")
    one.add_argument("id", nargs="?", help="the beginning of the job's id")
    return parser


def _known(registry: Iterable[str]) -> str:
    return ", ".join(registry)


def _command(commands: Any, name: str, run: Any, *examples: str) -> argparse.ArgumentParser:
    words = (run.__doc__ or "").strip()
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=words,
        description=words,
        epilog="examples:\n" + "\n".join(f"  latent-spectra {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _data(one: argparse.ArgumentParser, *, required: bool = True) -> argparse.ArgumentParser:
    one.add_argument("--data", required=required, nargs="+", help=_DATA)
    one.add_argument("--targets", type=shared.names, metavar="NAMES", help="parted by ',' or ';'; all if left out")
    one.add_argument("--recipe", metavar="FILE", help="decisions about the import, as JSON")
    return one


def _seed(one: argparse.ArgumentParser) -> argparse.ArgumentParser:
    one.add_argument("--seed", type=int, default=0, help="decides everything random (0)")
    return one


def _name_and_out(one: argparse.ArgumentParser, file: str) -> None:
    one.add_argument("--name", default="", help="of the kept set")
    one.add_argument("--out", metavar=file, help="where to write it too")

"""The pipeline without the app: exit codes, files, sentences."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from spectra_core.__main__ import run
from spectra_core.cli import study
from spectra_core.cli.commands import main
from spectra_core.cli.shared import error_table, wide_table
from spectra_core.conditions import CONDITIONS
from spectra_core.datasets import WRITERS, read
from spectra_core.datasets.readers import reader_of
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.errors import ConfigError
from spectra_core.experiment import Experiment, Question
from spectra_core.experiment.advice import advise
from spectra_core.experiment.advice.ways import AS_NOW
from spectra_core.regressors.choice import regressor_label
from spectra_core.samplers import SAMPLERS
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.store import Store
from spectra_core.training import devices
from tests.experiment.test_advice import quick

SHORT = ["--folds", "3", "--epochs", "2", "--arms", "Baseline;Duplicate rows", "--regressors", "pls"]


class TestStudy:
    def test_writes_tables_and_experiment_and_prints_errors_per_ion(self, table, home, capsys):
        out = home / "out"
        assert main(["study", "--data", str(table), "--out", str(out), *SHORT]) == 0
        errors = pd.read_csv(out / "errors.csv")
        predictions = pd.read_csv(out / "predictions.csv")
        # Computed again from the other table, by the definition of RMSEP.
        chosen = ["arm", "target", "fold"]
        squares = (predictions["predicted"] - predictions["reference"]) ** 2
        expected = np.sqrt(squares.groupby([predictions[name] for name in chosen]).mean())
        found = errors.set_index(chosen)["rmsep"].reindex(expected.index)
        np.testing.assert_allclose(found, expected, rtol=1e-9)  # decimal text, read back
        assert json.loads((out / "experiment.json").read_text())["n_folds"] == 3
        printed = capsys.readouterr().out
        assert "Cu2+, mol/L" in printed
        assert "Duplicate rows" in printed

    def test_repeats_to_the_bit_also_from_its_own_experiment(self, table, home, monkeypatch):
        main(["study", "--data", str(table), "--out", str(home / "one"), *SHORT])
        monkeypatch.setenv("SPECTRA_HOME", str(home / "nothing looked up"))
        again = ["study", "--data", str(table), "--experiment", str(home / "one" / "experiment.json")]
        main([*again, "--out", str(home / "two"), "--workers", "2"])
        for name in ("predictions.csv", "errors.csv", "experiment.json"):
            assert (home / "one" / name).read_bytes() == (home / "two" / name).read_bytes()

    def test_a_device_that_is_insisted_on_belongs_to_the_experiment(self, table, home, capsys, monkeypatch):
        monkeypatch.setattr(devices, "accelerator", lambda: None)
        again = ["study", "--data", str(table), "--out", str(home / "one")]
        assert main([*again, "--device", "cpu", *SHORT]) == 0
        stored = home / "one" / "experiment.json"
        assert json.loads(stored.read_text())["device"] == "cpu"
        assert main([*again, "--experiment", str(stored), "--device", "cuda"]) == 2
        assert "torch sees no accelerator" in capsys.readouterr().err
        assert main([*again, "--experiment", str(stored), "--device", "auto"]) == 0
        assert "device" not in json.loads(stored.read_text())

    def test_designs_sweeps_preprocessing_and_reasons(self, table, home, capsys):
        options = ["--arms", "Step-matched;Mixing", "--regressors", "pls,pls:clip+snv", "--folds", "2"]
        options += ["--epochs", "1", "--sizes", "20,0", "--reasons", "Mixing", "--ratios", "0.5,2"]
        assert main(["study", "--data", str(table), "--out", str(home / "out"), *options]) == 0
        experiment = Experiment.from_json((home / "out" / "experiment.json").read_text())
        assert experiment.n_train == (20, 0)
        assert [regressor_label(choice) for choice in experiment.regressors] == ["pls", "pls after clip, snv"]
        assert {arm.ratio for arm in experiment.arms if arm.beside} == {0.5, 2.0}
        assert "destroys what is to be predicted" in capsys.readouterr().err

    def test_changes_one_field_of_an_experiment_and_says_what_it_would_take(self, table, home, capsys):
        main(["study", "--data", str(table), "--out", str(home / "one"), *SHORT])
        again = ["study", "--data", str(table), "--experiment", str(home / "one" / "experiment.json")]
        assert main([*again, "--set", "n_folds=4", "--out", str(home / "two")]) == 0
        one, two = (Experiment.from_json((home / name / "experiment.json").read_text()) for name in ("one", "two"))
        assert two == replace(one, n_folds=4)
        capsys.readouterr()
        assert main([*again, "--estimate"]) == 0
        assert "2 arms, 6 fits of all targets; roughly" in capsys.readouterr().err
        assert main(again) == 2
        assert "give --out FOLDER" in capsys.readouterr().err

    def test_leaves_out_arms_that_the_targets_do_not_allow(self, table, home, capsys):
        few = ["--targets", "Cu2+,Ni2+", "--estimate"]
        assert main(["study", "--data", str(table), *few]) == 0
        printed = capsys.readouterr().err
        assert "Left out, since no salts are known or found among the targets: cVAE, charge-balanced." in printed
        assert "5 arms" in printed

    def test_uses_the_named_targets_only_and_keeps_what_the_app_should_see(self, table, home):
        out = home / "out"
        main(["study", "--data", str(table), "--targets", "Ni2+ ,Cu2+", "--out", str(out), "--keep", *SHORT])
        assert set(pd.read_csv(out / "errors.csv")["target"]) == {"Ni2+", "Cu2+"}
        assert len(Store().results("study")) == len(Store().sets()) == 1

    def test_pressing_ctrl_c_cancels_in_order(self, home):
        command = [sys.executable, "-m", "spectra_core", "study", "--data", "simulated:beer_lambert:300"]
        process = subprocess.Popen(
            [*command, "--out", str(home / "out"), "--epochs", "10000"],
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        told = b""
        while b"Training" not in told:
            told += process.stderr.read1()
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1].decode()
        assert process.returncode == 130
        assert "Cancelled. Finished parts are kept" in told
        assert "Traceback" not in told
        assert not (home / "out").exists()

    def test_pressing_it_while_the_program_is_loaded_is_no_traceback(self, capsys, monkeypatch):
        def interrupted():
            raise KeyboardInterrupt

        monkeypatch.setattr("spectra_core.cli.commands.main", interrupted)
        monkeypatch.setattr(sys, "argv", ["latent-spectra", "app"])
        assert run() == 130
        assert capsys.readouterr().err == "Cancelled before it began.\n"


class TestSentences:
    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ("nowhere.csv", "nowhere.csv cannot be opened"),
            ("simulated:mars", "Unknown preset 'mars'"),
            ("simulated:dilute:few", "The number of spectra is a whole number"),
            ("0123456789ab", "0 kept sets begin with '0123456789ab'"),
        ],
    )
    def test_data_that_is_not_there_ends_with_code_2(self, home, capsys, data, sentence):
        assert main(["study", "--data", data, "--out", str(home / "out")]) == 2
        told = capsys.readouterr().err
        assert sentence in told
        assert told.count("Error: ") == 1
        assert not (home / "out").exists()

    def test_file_without_targets_is_refused(self, home, mixtures, capsys):
        wide_table(mixtures.with_targets([])).to_csv(home / "bare.csv", index=False)
        assert main(["study", "--data", str(home / "bare.csv"), "--out", str(home / "out"), *SHORT]) == 2
        assert "has no targets" in capsys.readouterr().err

    def test_too_few_spectra_are_refused(self, home, mixtures, capsys):
        wide_table(mixtures.take([0, 1, 2])).to_csv(home / "few.csv", index=False)
        assert main(["study", "--data", str(home / "few.csv"), "--out", str(home / "out")]) == 2
        assert "8 folds need at least 8 independent spectra" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "arguments",
        [
            ["convert", "--out", "{}.csv"], ["simulate", "--out", "{}.csv"], ["calibrate", "--out", "{}.zip"],
            ["calibrate", "--out", "c.zip", "--coefficients", "{}.csv"], ["study", "--out", "{}"],
            ["advise", "--solutions", "{}.csv"], ["report", "x", "--out", "{}.html"],
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("place", ["a file/x", "n" * 300])
    def test_a_place_that_cannot_be_written_is_refused_before_the_work(self, home, capsys, arguments, place):
        (home / "a file").write_text("")
        data = [] if arguments[0] in {"simulate", "report"} else ["--data", "nowhere.csv"]
        assert main([*(one.format(home / place) for one in arguments), *data]) == 2
        assert re.fullmatch(r"Error: Writing .* failed: .* Choose another name\. .*\n", capsys.readouterr().err)

    def test_a_folder_is_not_written_over(self, table, home, capsys):
        (home / "set.csv").mkdir()
        assert main(["convert", "--data", str(table), "--out", str(home / "set.csv")]) == 2
        assert "Is a directory" in capsys.readouterr().err
        assert (home / "set.csv").is_dir()

    def test_a_link_is_followed(self, table, home):
        (home / "link.csv").symlink_to(home / "real.csv")
        assert main(["convert", "--data", str(table), "--out", str(home / "link.csv")]) == 0
        assert (home / "link.csv").is_symlink()
        assert (home / "real.csv").is_file()

    def test_a_reader_that_has_seen_enough_is_no_error(self, monkeypatch):
        reading, writing = os.pipe()
        os.close(reading)
        monkeypatch.setattr(os, "environ", os.environ.copy())
        monkeypatch.setattr(sys, "argv", ["latent-spectra", "--help"])
        with open(writing, "w", encoding="utf-8") as unread:
            monkeypatch.setattr(sys, "stdout", unread)
            assert run() == 141

    @pytest.mark.parametrize("arguments", [[], ["fly"], ["study"], ["study", "--data", "x", "--folds", "many"]])
    def test_wrong_usage_ends_with_code_2(self, arguments, capsys):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 2

    def test_numbers_that_are_none_are_said_in_words(self, capsys):
        with pytest.raises(SystemExit, match="2"):
            main(["study", "--data", "x", "--ratios", "half"])
        assert "expected numbers parted by ',', as in 0.5,1,2; got 'half'" in capsys.readouterr().err

    def test_no_spectra_and_no_workers_are_refused(self, home, capsys):
        assert main(["simulate", "--preset", "beer_lambert", "--n-spectra", "0"]) == 2
        assert main(["study", "--data", "x.csv", "--workers", "0", "--out", str(home / "out")]) == 2
        said = capsys.readouterr().err
        assert "at least one spectrum, got 0" in said
        assert "At least 1 worker is needed, got 0" in said

    def test_names_in_the_examples_of_generate_are_known(self, capsys):
        with pytest.raises(SystemExit, match="0"):
            main(["generate", "--help"])
        examples = capsys.readouterr().out.partition("examples:")[2]
        for option, known in (("sampler", SAMPLERS), ("conditions", CONDITIONS), ("labelling", LABELLINGS)):
            assert set(re.findall(rf"--{option} (\w+)", examples)) <= set(known)

    def test_a_port_that_is_none_is_refused(self, capsys):
        assert main(["app", "--port", "99999"]) == 2
        assert "A port lies between 1 and 65535, got 99999" in capsys.readouterr().err

    def test_an_option_of_another_kind_is_named_with_what_is_usual(self, table, home, capsys):
        settings = ["--generator", "pca", "--option", "n_latent=lots"]
        assert main(["train", "--data", str(table), *settings]) == 2
        assert "must be a whole number from 1 to 4096, got 'lots'" in capsys.readouterr().err

    @pytest.mark.parametrize("command", ["app", "study", "simulate", "import", "convert", "train", "generate", "jobs"])
    def test_help_shows_examples(self, command, capsys):
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert end.value.code == 0
        assert f"  latent-spectra {command}" in capsys.readouterr().out.partition("examples:")[2]


class TestOtherCommands:
    @pytest.mark.parametrize("form", WRITERS)
    def test_the_ending_names_the_format(self, table, home, mixtures, form):
        out = home / f"out{WRITERS[form].extension}"
        assert main(["convert", "--data", str(table), "--out", str(out)]) == 0
        assert np.allclose(read(out).signal, mixtures.signal, rtol=1e-12)
        assert reader_of(out.read_bytes(), "nameless") == {"csv": "text", "xlsx": "excel"}.get(form, form)

    @pytest.mark.parametrize("command", ["convert --data absent.csv", "simulate", "train --data absent.csv"])
    @pytest.mark.parametrize("name", ["out.xls", "out", "out.csv.bak"])
    def test_an_unknown_ending_is_refused_before_any_work(self, home, capsys, command, name):
        assert main([*command.split(), "--out", str(home / name)]) == 2
        assert " written as " in capsys.readouterr().err
        assert not (home / name).exists()

    def test_converted_file_reads_back_as_the_same_spectra(self, table, home, mixtures):
        out = home / "again.csv"
        assert main(["convert", "--data", str(table), "--out", str(out)]) == 0
        assert main(["import", "--data", str(out), "--name", "Mine"]) == 0
        (record,) = Store().sets()
        back = Store().load_set(record.fingerprint)
        assert_array_equal(back.signal, mixtures.signal)
        assert_array_equal(back.target_values, mixtures.target_values)
        assert [one.label for one in back.target_info] == [one.label for one in mixtures.target_info]
        assert record.name == "Mine"

    def test_train_then_generate_from_the_model_file(self, table, home):
        model, out = home / "pca.safetensors", home / "generated.csv"
        settings = ["--generator", "pca", "--option", "n_latent=3"]
        assert main(["train", "--data", str(table), "--out", str(model), *settings]) == 0
        methods = ["--sampler", "standard_normal", "--labelling", "latent", "--n-spectra", "7"]
        assert main(["generate", "--model", str(model), "--data", str(table), "--out", str(out), *methods]) == 0
        assert len(pd.read_csv(out)) == 7
        assert [record.origin for record in Store().sets()] == ["measured", "generated"]

    def test_simulate_keeps_the_set_for_other_commands(self, home, capsys):
        assert main(["simulate", "--preset", "beer_lambert", "--n-spectra", "6", "--option", "step=50"]) == 0
        (record,) = Store().sets()
        assert record.fingerprint in capsys.readouterr().out
        assert main(["convert", "--data", record.fingerprint[:8], "--out", str(home / "x.csv")]) == 0
        assert len(pd.read_csv(home / "x.csv")) == 6

    def test_jobs_are_listed(self, home, capsys):
        assert main(["jobs"]) == 0
        assert capsys.readouterr().out.startswith("There are no jobs.")
        assert main(["jobs", "cancel", "abc"]) == 2

    def test_a_job_that_said_nothing_has_a_log_that_says_so(self, home, capsys, monkeypatch):
        from spectra_core.jobs import Jobs

        monkeypatch.setattr(Jobs, "start_waiting", lambda self: None)
        job_id = Jobs().submit("simulate", {}, "Simulate")
        assert main(["jobs", "log", job_id[:8]]) == 0
        assert main(["jobs"]) == 0
        said, listed = capsys.readouterr().out.splitlines()
        assert said == "This job has said nothing yet."
        assert listed.split() == [job_id[:8], "queued", "Simulate"]


def test_error_table_shows_mean_and_spread_per_target_in_its_unit(mixtures):
    errors = pd.DataFrame({"arm": ["A", "A", "B", "B"], "rmsep": [1e-3, 3e-3, 5e-3, 5e-3], "fold": [0, 1, 0, 1]})
    errors = errors.assign(target="Cu2+", regressor="pls")
    table = error_table(errors, mixtures)
    assert table.loc[("pls", "A"), "Cu2+, mol/L"] == "0.002 ± 0.0014"  # sd of 0.001 and 0.003 is 0.001 * sqrt(2)
    assert table.loc[("pls", "B"), "Cu2+, mol/L"] == "0.005 ± 0"


def test_error_table_tells_runs_that_blew_up_and_the_median(mixtures):
    deviation = float(mixtures.targets["Cu2+"].std(ddof=0))
    errors = pd.DataFrame({"arm": "A", "rmsep": [0.5 * deviation, deviation, 2.1 * deviation], "fold": [0, 1, 2]})
    table = error_table(errors.assign(target="Cu2+", regressor="pls"), mixtures)
    assert table.iloc[0, 0].endswith(f" (1 blew up, median {deviation:.3g})")


class TestDesigned:
    """The question and fresh training sets of the command ``study``."""

    def experiment(self, *options):
        parser = argparse.ArgumentParser()
        study.add_options(parser)
        parser.add_argument("--seed", type=int, default=0)
        return study.designed(parser.parse_args(list(options)), simulate(PRESETS["msu_like"], n_spectra=24, seed=0))

    def test_the_question_is_read_from_a_file(self, tmp_path):
        declared = tmp_path / "question.json"
        declared.write_text('{"arms": ["Duplicate rows"], "targets": ["Cu2+"], "smallest_effect": 8}')
        found = self.experiment("--declared", str(declared), "--fresh-sets", "6")
        assert found.question == Question(arms=("Duplicate rows",), targets=("Cu2+",), smallest_effect=8)
        assert found.fresh_sets == 6

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ('{"arms": ["Best"]}', "names 'Best' among arms"),
            ('{"alpha": 0.01}', "no field 'alpha'"),
            ('{"arms": ', "question.json"),
        ],
    )
    def test_a_file_that_is_no_question_is_a_sentence(self, tmp_path, text, sentence):
        declared = tmp_path / "question.json"
        declared.write_text(text)
        with pytest.raises(ConfigError, match=sentence):
            self.experiment("--declared", str(declared))


class TestAdvise:
    def test_writes_the_table_and_says_what_was_compared_and_left_out(self, table, home, capsys, monkeypatch):
        def advise_at_a_known_pace(spectra, **given):
            """A busy computer would try less, or nothing at all; measuring it is tested in `tests.experiment`."""
            return advise(spectra, pace=quick(spectra, given["reference"], (AS_NOW, "Ridge")), **given)

        monkeypatch.setattr("spectra_core.experiment.advice.advise", advise_at_a_known_pace)
        out, solutions = home / "advice.csv", home / "solutions.csv"
        options = ["--workers", "1", "--reference", "ridge:snv", "--out", str(out), "--solutions", str(solutions)]
        assert main(["advise", "--data", str(table), *options]) == 0
        written = pd.read_csv(out)
        assert list(written) == [
            *("remedy", "target", "effect", "low", "high", "verdict", "promised_error", "seconds"),
        ]
        assert "As now" in set(written["remedy"])
        assert len(pd.read_csv(solutions)) == 20
        printed = capsys.readouterr().out
        assert printed.startswith("Compared with what is in use: Ridge after Standard normal variate (SNV).")
        assert "Left out: Replicates averaged." in printed

    def test_a_regressor_that_is_not_known_is_a_sentence(self, table, capsys):
        assert main(["advise", "--data", str(table), "--reference", "magic"]) == 2
        assert "Unknown regressor 'magic'" in capsys.readouterr().err

"""Wrong use of the command line: one sentence of ours each time, and nothing that was asked for is left unheard."""

import io
import re
import sys

import pytest

from spectra_core.cli.commands import main
from spectra_core.cli.shared import ProgressBar, wide_table

STUDY = ["study", "--estimate", "--arms", "Baseline;Duplicate rows", "--regressors", "pls"]


def said(arguments, capsys):
    """What a command that is refused says: one sentence, which names nothing of the libraries beneath."""
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code
    told = capsys.readouterr().err
    assert code == 2, told
    sentence = told.replace("\r", "\n").strip().splitlines()[-1].strip()
    assert sentence.startswith("Error: ")
    assert not re.search(r"usage:|argument|invalid|Traceback|dtype|int value|sys\.|numpy|pandas", sentence)
    return sentence


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("study --folds many --data x", "--folds is a whole number, got 'many'."),
        ("advise --minutes long --data x", "--minutes is a number, got 'long'."),
        ("study --mode slow --data x", "--mode is one of faithful, fast; got 'slow'."),
        ("fly", "COMMAND is one of app, class, study"),
        ("", "This is needed, too: COMMAND."),
        ("convert --out o.csv", "This is needed, too: --data."),
        ("convert --data", "--data is followed by a value, and none came."),
        ("verify x.capsule --part", "--part is followed by a value, and none came."),
        ("convert --data x --out o.csv --fast", "There is no such option or word here: --fast."),
        ("advise --data x --s 3", "--s may mean any of --seed, --solutions. Write the option in full."),
        ("app --headless=yes", "--headless takes no value, got 'yes'."),
        ("study --data x --sizes 60.5", "--sizes: expected whole numbers parted by ',', as in 50,100,0; got '60.5'."),
        ("study --data x --sizes nan", "got 'nan'."),
        ("study --data x --sizes ,", "got ','."),
        ("study --data x --ratios=", "--ratios: expected numbers parted by ','"),
    ],
)
def test_what_the_options_do_not_allow_is_a_sentence(words, sentence, capsys):
    assert sentence in said(words.split(" ") if words else [], capsys)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--folds", "0"], "n_folds must be a whole number from 2"),
        (["--regressors", ""], "needs at least one regressor"),
        (["--fresh-sets", "3"], "simulator"),
        (["--declared", '{"targets": ["Xy"]}'], "names the target 'Xy', which these spectra lack"),
        (["--experiment", "[" * 100_000], "nested too deeply"),
        (["--experiment", '{"n_folds": ' + "9" * 6000 + "}"], "a number has 6000 digits"),
        (["--experiment", '{"n_folds": 3, "n_folds": 4}'], "the key 'n_folds' occurs twice"),
        (["--set", "n_folds=3", "--set", "n_folds=4"], "n_folds is given twice: 3 and 4"),
    ],
)
def test_a_study_that_cannot_be_is_refused_by_its_estimate(options, sentence, home, mixtures, capsys):
    data = home / "measured.csv"  # without what says that it was simulated
    wide_table(mixtures).to_csv(data, index=False)
    if options[1][:1] in ("{", "["):
        (home / "given.json").write_text(options[1])
        options = [options[0], str(home / "given.json")]
    study = STUDY[:2] if "--experiment" in options else STUDY
    assert sentence in said([*study, "--data", str(data), *options], capsys)


@pytest.mark.parametrize(
    "option", ["--folds 4", "--repeats 1", "--mode fast", "--epochs 3", "--arms Baseline", "--regressors pls",
               "--ratios 1", "--sizes 0", "--strategies x", "--reasons x", "--seed 3"],
)  # fmt: skip
def test_options_that_an_experiment_would_leave_unheard_are_refused(option, table, home, capsys):
    assert main([*STUDY[:1], *STUDY[2:], "--data", str(table), "--folds", "3", "--out", str(home / "one")]) == 0
    again = ["study", "--estimate", "--data", str(table), "--experiment", str(home / "one" / "experiment.json")]
    assert main(again) == 0
    capsys.readouterr()
    sentence = said([*again, *option.split()], capsys)
    assert option.split()[0] in sentence
    assert "--set" in sentence


@pytest.mark.parametrize("option", ["--sampler", "--conditions", "--latent-given", "--labelling", "--teacher"])
def test_an_empty_name_is_no_name_of_a_method(option, table, home, capsys):
    model = home / "pca.safetensors"
    main(["train", "--data", str(table), "--generator", "pca", "--option", "n_latent=3", "--out", str(model)])
    sampled = [] if option == "--sampler" else ["--sampler", "standard_normal"]
    generate = ["generate", "--model", str(model), "--data", str(table), "--n-spectra", "3", *sampled]
    assert "Unknown " in said([*generate, option, ""], capsys)


def test_what_is_given_twice_is_refused(table, home, capsys):
    train = ["train", "--data", str(table), "--generator", "vae", "--epochs", "1", "--option", "epochs=2"]
    assert "epochs is given twice: 2 and 1" in said(train, capsys)
    simulate = ["simulate", "--preset", "beer_lambert", "--n-spectra", "3", "--option", "n_spectra=5"]
    assert "The number of spectra is given twice" in said(simulate, capsys)


def test_more_than_memory_holds_is_a_sentence(home, capsys):
    """Some 7000 terabytes of random numbers."""
    assert "too little memory" in said(["simulate", "--preset", "beer_lambert", "--n-spectra", str(10**14)], capsys)


def test_names_that_no_file_can_have_are_sentences(home, capsys):
    for name in ("n" * 300, "\0"):
        assert "cannot be opened" in said(["convert", "--data", name, "--out", str(home / "o.csv")], capsys)
        assert "There is no result or folder" in said(["report", name, "--out", str(home / "r.html")], capsys)
        assert "There is no file" in said(["generate", "--model", name, "--data", "x"], capsys)


def test_a_folder_without_a_study_is_named(home, monkeypatch, capsys):
    (home / "other.csv").write_bytes(b"\xff\x00,")
    monkeypatch.chdir(home)
    assert "lacks 'experiment.json'" in said(["report", "other.csv", "--out", "r.html"], capsys)
    assert f"folder {home.name!r} lacks" in said(["report", ".", "--out", "r.html"], capsys)
    (home / "experiment.json").write_text("{}")
    (home / "other.csv").write_text('a,b\n"')
    assert "other.csv: A table of the result" in said(["report", ".", "--out", "r.html"], capsys)


HEADER = "arm,regressor,target,repeat,fold,n_train,n_test,rmsep"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [(f"{HEADER}\n", "has no rows"), (f"arm,{HEADER}\nA,B,pls,Cu,0,0,9,3,1\n", "several columns 'arm'")],
)
def test_errors_that_cannot_be_judged_are_told(text, sentence, home, capsys):
    (home / "errors.csv").write_text(text)
    assert sentence in said(["judge", "--errors", str(home / "errors.csv")], capsys)


def test_data_that_are_not_those_of_the_capsule_are_refused(table, home, mixtures, capsys):
    """Also where the capsule has its own: whoever names data wants to know whether these give the figures."""
    main([*STUDY[:1], *STUDY[2:], "--data", str(table), "--folds", "3", "--out", str(home / "one")])
    packed, other = home / "one.capsule", home / "other.csv"
    assert main(["capsule", str(home / "one"), "--data", str(table), "--out", str(packed)]) == 0
    wide_table(mixtures.take(range(50))).to_csv(other, index=False)
    capsys.readouterr()
    assert main(["verify", str(packed), "--data", str(other)]) == 1
    assert "Refused: Expected the data with the fingerprint" in capsys.readouterr().out
    assert main(["verify", str(packed), "--data", str(table)]) == 0


def test_a_log_gets_no_line_for_every_stage_and_none_with_values_of_another(monkeypatch):
    log = io.StringIO()  # no terminal
    monkeypatch.setattr(sys, "stderr", log)
    bar = ProgressBar()
    for stage in range(30):
        bar.progress(f"Stage {stage}", 0, 10, {"loss": 1.0} if stage == 0 else None)
        bar.progress(f"Stage {stage}", 10, 10)
    bar._bar.refresh()
    bar.close()
    assert log.getvalue().count("Stage") == 1
    assert "loss" not in log.getvalue()

"""Verdicts by the command line, for errors that any program made."""

import io
import sys

import pandas as pd
import pytest

from spectra_core.cli.commands import main


class TestJudge:
    """Verdicts for a table of errors that any program made."""

    @pytest.fixture
    def errors(self, home):
        rows = [
            (arm, "pls", target, 0, fold, 70, 10, factor * (1 + 0.1 * fold) * (1.02 if fold % 2 else 1.0))
            for arm, factor in (("reference", 1.0), ("half", 0.5))
            for target in ("Cu", "Ni")
            for fold in range(8)
        ]
        columns = ["arm", "regressor", "target", "repeat", "fold", "n_train", "n_test", "rmsep"]
        path = home / "errors.csv"
        pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
        return path

    def test_writes_what_the_function_returns(self, errors, home):
        from spectra_core.experiment import judge

        declared = home / "question.json"
        declared.write_text('{"targets": ["Cu"]}')
        out = home / "verdicts.csv"
        assert main(["judge", "--errors", str(errors), "--declared", str(declared), "--out", str(out)]) == 0
        found = pd.read_csv(out, keep_default_na=False)
        expected = judge(pd.read_csv(errors), {"targets": ["Cu"]})
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
        assert found["verdict"].tolist() == ["improved", "looked at afterwards"]

    def test_what_the_terminal_cannot_write_is_shown_as_escapes(self, errors, monkeypatch):
        named = pd.read_csv(errors).replace({"regressor": {"pls": "\u6700\u5c0f"}})
        named.to_csv(errors, index=False)
        terminal = io.TextIOWrapper(io.BytesIO(), "ascii", write_through=True)
        monkeypatch.setattr(sys, "stdout", terminal)
        assert main(["judge", "--errors", str(errors)]) == 0
        assert b"\\u6700\\u5c0f" in terminal.buffer.getvalue()

    def test_semicolons_are_read_and_verdicts_shown(self, errors, capsys):
        pd.read_csv(errors).to_csv(errors, index=False, sep=";", decimal=",")
        assert main(["judge", "--errors", str(errors)]) == 0
        assert "improved" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [("a,b\n1,2\n", "needs the columns arm"), ("", "is no table"), ("arm,regressor\n\x00", "needs the columns")],
    )
    def test_what_is_no_table_of_errors_is_a_sentence(self, home, capsys, content, sentence):
        path = home / "errors.csv"
        path.write_text(content)
        assert main(["judge", "--errors", str(path)]) == 2
        assert sentence in capsys.readouterr().err
        assert main(["judge", "--errors", str(path), "--declared", str(path)]) == 2

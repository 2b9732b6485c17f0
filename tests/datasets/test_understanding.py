"""What is understood of tables written by people, and what is asked instead of guessed."""

import numpy as np
import pytest

from spectra_core.datasets import Recipe, read, understand
from spectra_core.errors import ConfigError, ReadError

WIDE = "sample,Cu,NO3-,400,401,402\na,1,2,0.1,0.2,0.3\nb,3,6,0.4,0.5,0.7\n"


def understood(text: str, recipe: Recipe | None = None, name: str = "file.csv"):
    return understand({name: text.encode()}, recipe)


def test_wide_table_gives_axis_signal_targets_and_ids():
    spectra = understood(WIDE).build()
    assert spectra.axis.positions.tolist() == [400.0, 401.0, 402.0]
    assert spectra.signal.tolist() == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.7]]
    assert spectra.targets.to_dict("list") == {"Cu": [1.0, 3.0], "NO3-": [2.0, 6.0]}
    assert spectra.samples["id"].tolist() == ["a", "b"]


def test_charge_of_an_ion_is_stated_or_usual_and_says_which():
    understanding = understood(WIDE)
    assert [(one.name, one.charge) for one in understanding.target_info] == [("Cu", 2), ("NO3-", -1)]
    reasons = {point.key: point.reason for point in understanding.points}
    assert reasons["target Cu"] == "usual charge of Cu in water"
    assert reasons["target NO3-"] == "written in the name"


def test_a_charge_given_by_the_person_replaces_the_guess():
    recipe = Recipe(targets={"Cu": {"charge": 1}})
    assert understood(WIDE, recipe).target_info[0].charge == 1


@pytest.mark.parametrize(
    ("separator", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","), ("|", "."), (" ", ".")]
)
def test_every_separator_and_decimal_mark_gives_the_same_numbers(separator, decimal):
    text = WIDE.replace(".", "\0").replace(",", separator).replace("\0", decimal)
    assert np.array_equal(understood(text).build().signal, understood(WIDE).build().signal)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings_and_line_ends_change_nothing(line_end, encoding):
    data = WIDE.replace("sample", "Prübe").replace("\n", line_end).encode(encoding)
    spectra = understand({"file.csv": data}).build()
    assert np.array_equal(spectra.signal, understood(WIDE).build().signal)


def test_spectra_in_columns_are_found_by_the_axis_not_by_the_shape():
    text = "wavelength (nm)\ts1\ts2\n400\t0.1\t0.4\n401\t0.2\t0.5\n402\t0.3\t0.7\n"
    spectra = understood(text).build()
    assert spectra.signal.tolist() == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.7]]
    assert spectra.samples["id"].tolist() == ["s1", "s2"]


def test_every_exact_copy_is_named_and_can_be_left_out():
    text = "sample,400,401,402\na,1,2,3\nb,3,2,1\nc,1,2,3\nd,3,2,1\ne,4,4,4\nf,1,2,3\n"  # equal sums: content decides
    understanding = understood(text)
    (copies,) = [problem for problem in understanding.problems if problem.kind == "copies"]
    assert copies.text.startswith("3 spectra are exact copies of another one (c = a, d = b, f = a).")
    (choice,) = copies.choices
    assert understood(text, Recipe(**choice.changes)).build().samples["id"].tolist() == ["a", "b", "e"]
    assert understanding.build().groups.tolist() == [0, 1, 0, 1, 2, 0]


def test_first_row_of_numbers_is_not_eaten_as_a_header():
    rows = "\n".join(f"{800 - at}, {1 / (at + 1):.6f}" for at in range(30))
    assert understood(rows).build().n_channels == 30


def test_a_gap_is_named_by_row_and_channel_and_waits_for_a_decision():
    text = WIDE.replace("0.5", "OVRFLW")
    understanding = understood(text)
    (question,) = understanding.open_questions
    assert "b (line 3 of file.csv) at 401 nm" in question.text
    with pytest.raises(ReadError, match=r"b \(line 3 of file.csv\) at 401 nm"):
        understanding.build()
    assert len(understood(text, Recipe(gaps="leave out spectra")).build()) == 1
    assert understood(text, Recipe(gaps="leave out channels")).build().n_channels == 2
    filled = understood(text, Recipe(gaps="interpolate")).build()
    assert filled.signal[1, 1] == pytest.approx((0.4 + 0.7) / 2)


def test_two_integer_columns_could_be_decimal_commas_and_are_asked_about():
    understanding = understood("1,5\n2,5\n3,4\n4,4\n5,9\n")
    assert "decimal comma" in understanding.open_questions[0].text


def test_unsorted_axis_stops_with_a_choice_and_sorts_only_when_told():
    text = "s,402,400,401\na,0.3,0.1,0.2\n"
    with pytest.raises(ReadError, match="turns back"):
        understood(text).build()
    spectra = understood(text, Recipe(axis_order="sort")).build()
    assert spectra.axis.positions.tolist() == [400, 401, 402]
    assert spectra.signal.tolist() == [[0.1, 0.2, 0.3]]


def test_repeated_channels_stop_with_a_choice():
    text = "s,400,401,401,402\na,1,2,4,5\n"
    with pytest.raises(ReadError, match="1 channel repeats a position: 401 nm"):
        understood(text).build()
    assert understood(text, Recipe(repeated_channels="first")).build().signal.tolist() == [[1, 2, 5]]
    assert understood(text, Recipe(repeated_channels="mean")).build().signal.tolist() == [[1, 3, 5]]


def test_targets_in_another_file_join_by_id_and_count_what_has_no_partner():
    spectra = b"sample,400,401,402\na,1,2,3\nb,4,5,6\nc,7,8,9\n"
    targets = b"sample,Cu\nc,0.3\na,0.1\nx,9\n"
    understanding = understand({"spectra.csv": spectra, "targets.csv": targets}, Recipe(gaps="leave out spectra"))
    built = understanding.build()
    assert built.targets["Cu"].tolist() == [0.1, 0.3]
    (text,) = [problem.text for problem in understanding.problems if problem.kind == "join"]
    assert "2 of 3 spectra" in text
    assert "1 of its rows belong to no spectrum" in text


def test_targets_join_by_order_only_when_told():
    files = {"spectra.csv": b"400,401,402\n1,2,2\n4,5,4\n", "targets.csv": b"glucose\n0.5\n0.1\n"}
    with pytest.raises(ReadError, match="Join it row by row only if"):
        understand(files).build()
    built = understand(files, Recipe(join="order")).build()
    assert built.targets["glucose"].tolist() == [0.5, 0.1]


def test_header_less_spectra_axis_and_targets_find_each_other_by_size():
    rng = np.random.default_rng(0)
    spectra, axis, targets = rng.random((6, 30)), np.linspace(1800.0, 900.0, 30), rng.random((6, 2))
    files = {
        name: "\n".join(",".join(map(repr, row.tolist())) for row in values).encode()
        for name, values in {"spectra.csv": spectra, "axis.csv": axis[:, None], "conc.csv": targets}.items()
    }
    built = understand(files, Recipe(join="order")).build()
    assert np.array_equal(built.signal, spectra)
    assert np.array_equal(built.axis.positions, axis)
    assert np.array_equal(built.target_values, targets)


def test_recipe_survives_json_and_names_what_it_does_not_know():
    recipe = Recipe(decimal=",", columns={"a": "target"}, leave_out_channels=((1.0, 2.0),), parts={"x": "axis"})
    assert Recipe.from_json(recipe.to_json()) == recipe
    with pytest.raises(ConfigError, match="Unknown entry 'decimals'"):
        Recipe.from_json('{"decimals": ","}')
    with pytest.raises(ConfigError, match="Unknown gaps 'zero'"):
        Recipe(gaps="zero")


def test_recipe_of_one_file_reads_the_next_one_without_a_question():
    first = understood("id;400;401;402\na;0,1;---;0,3\n", Recipe(gaps="interpolate"))
    recipe = Recipe.from_json(first.recipe_used().to_json())
    assert understood("id;400;401;402\nz;0,3;---;0,5\n", recipe).build().signal[0, 1] == pytest.approx(0.4)


def test_read_takes_a_path_and_a_choice_of_targets(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(WIDE)
    assert read(path, targets=["Cu"]).target_names == ("Cu",)
    with pytest.raises(ReadError, match="no column 'Zn' to be a target"):
        read(path, targets=["Zn"])
    with pytest.raises(ReadError, match="cannot be opened"):
        read(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "HTML web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n", "Git LFS pointer"),
        (b"\x80\x04K\x01.", "never read"),
        (b"sample,Cu,400,401,402\n", "header but no rows"),
        (b"Dear all,\nhere are the spectra.\nBest, A.\n", "no table of numbers"),
    ],
)
def test_what_is_no_data_is_said_in_one_sentence(data, sentence):
    with pytest.raises(ReadError, match=sentence):
        understand({"upload.csv": data})

"""One table in every supported spelling reads to the same values."""

import gzip

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spectra_core.datasets import Recipe, understand

LABELS = ["Cu", "glucose", "octane (%)", "NO3-", "protein"]
MARKS = [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","), ("|", ".")]
SPELLINGS = ["{}", "{} nm", "{} (nm)", "X{}", "X{}.nm", "NIR.{}.nm", "A({})", "wl_{}", "{}nm_abs", "Abs {}"]


@st.composite
def sets(draw):
    """Spectra, positions, targets and ids as a person may have them; all digits are those of the numbers."""
    n_spectra, n_channels = draw(st.integers(4, 7)), draw(st.integers(6, 12))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    start, step = draw(st.integers(200, 900)), draw(st.sampled_from([1.0, 2.0, 0.5, 5.0]))
    positions = start + step * np.arange(n_channels)
    signal = rng.random((n_spectra, n_channels)).round(draw(st.integers(3, 9)))
    labels = draw(st.lists(st.sampled_from(LABELS), max_size=3, unique=True))
    targets = rng.uniform(0.1, 9.9, (n_spectra, len(labels))).round(3)
    word = draw(st.sampled_from(["s{}", "Probe {}x", "vial-{}z", "{}"]))
    ids = [word.format(k + 1) for k in rng.permutation(n_spectra)]
    return positions, signal, labels, targets, ids


def written(value: float, decimal: str) -> str:
    return f"{value:.15g}".replace(".", decimal)


@st.composite
def spellings(draw):
    """How the cells are put down: separator, decimal mark, quotes, ends of lines, encoding, digits, marks of text."""
    separator, decimal = draw(st.sampled_from(MARKS))
    return {
        "separator": separator,
        "decimal": decimal,
        "end": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-32-be"])),
        "quoted": draw(st.sampled_from(["none", "words", "all"])),
        "packed": draw(st.booleans()),
        "dress": draw(st.sampled_from(["{}", "{}", "'{}", "{}x10^0"])),
        "zero": draw(st.sampled_from([ord("0"), ord("0"), 0xFF10, 0x0660, 0x06F0])),
    }


def content(rows, spelling) -> bytes:
    def cell(value) -> str:
        word = isinstance(value, str)
        text = value if word else spelling["dress"].format(written(float(value), spelling["decimal"]))
        return f'"{text}"' if spelling["quoted"] == "all" or (word and spelling["quoted"] == "words") else text

    text = "".join(spelling["separator"].join(map(cell, row)) + spelling["end"] for row in rows)
    if spelling["encoding"] in {"utf-8", "utf-8-sig", "utf-16"}:  # others are told by their zero bytes
        text = text.translate({ord("0") + digit: chr(spelling["zero"] + digit) for digit in range(10)})
    data = text.encode(spelling["encoding"])
    return gzip.compress(data, mtime=0) if spelling["packed"] else data


def read(rows, spelling, **recipe):
    found = understand({"table.csv": content(rows, spelling)}, Recipe(groups="none", **recipe))
    assert not found.open_questions, [problem.text for problem in found.open_questions]
    return found.build()


def require_equal(built, positions, signal, labels, targets, ids):
    assert np.array_equal(built.axis.positions, positions)
    assert built.axis.unit == "nm"
    assert np.array_equal(built.signal, signal)
    assert [name.split(" ")[0] for name in built.target_names] == [label.split(" ")[0] for label in labels]
    assert np.array_equal(built.target_values, targets)
    assert built.samples["id"].tolist() == ids


@settings(max_examples=15, deadline=None)
@given(sets(), spellings(), st.sampled_from(SPELLINGS), st.booleans())
def test_one_spectrum_a_row(made, spelling, name, units_row):
    positions, signal, labels, targets, ids = made
    names = [name.format(written(one, spelling["decimal"])) for one in positions]
    rows = [["sample", *labels, *names]]
    rows += [["", *[""] * len(labels), *["nm"] * len(positions)]] if units_row else []
    rows += [[one, *beside, *row] for one, beside, row in zip(ids, targets, signal, strict=True)]
    recipe = {"axis_quantity": "Wavelength", "axis_unit": "nm"}
    require_equal(read(rows, spelling, **recipe), *made)


@settings(max_examples=15, deadline=None)
@given(sets(), spellings(), st.sampled_from(["Wavelength (nm)", "nm", "wavelength", "λ (nm)"]), st.booleans())
def test_one_spectrum_a_column_with_targets_above(made, spelling, corner, names_first):
    positions, signal, labels, targets, ids = made
    names = [[corner, *ids]]
    above = [[label, *column] for label, column in zip(labels, targets.T, strict=True)]
    rows = [*names, *above] if names_first else [*above, *names]
    rows += [[place, *column] for place, column in zip(positions, signal.T, strict=True)]
    require_equal(read(rows, spelling), *made)


@settings(max_examples=15, deadline=None)
@given(sets(), spellings(), st.permutations(["sample", "Wavelength (nm)", "absorbance", "targets"]), st.booleans())
def test_one_value_a_row(made, spelling, order, by_axis):
    positions, signal, labels, targets, ids = made
    rows = []
    for key in ["head", *np.ndindex(signal.shape)]:
        k, at = (0, 0) if key == "head" else key
        cells = {
            "sample": ["sample" if key == "head" else ids[k]],
            "Wavelength (nm)": ["Wavelength (nm)" if key == "head" else positions[at]],
            "absorbance": ["absorbance" if key == "head" else signal[k, at]],
            "targets": labels if key == "head" else list(targets[k]),
        }
        rows.append([cell for column in order for cell in cells[column]])
    if by_axis:
        before = order[: order.index("Wavelength (nm)")]
        column = sum(len(labels) if one == "targets" else 1 for one in before)
        rows[1:] = sorted(rows[1:], key=lambda row: row[column])
    require_equal(read(rows, spelling), *made)


@settings(max_examples=15, deadline=None)
@given(
    sets(), spellings(), st.sampled_from([("Wavelength (nm)", "{}"), ("nm", "Sample {}"), ("x", "{}")]), st.booleans()
)
def test_pairs_of_columns(made, spelling, names, twice):
    positions, signal, _, _, ids = made
    place, value = names
    head = [cell for one in ids for cell in (place, value.format(one))]
    rows = [[str(cell) for cell in head]]
    rows += [[cell for k in range(len(ids)) for cell in (positions[at], signal[k, at])] for at in range(len(positions))]
    built = read(rows, spelling)
    assert np.array_equal(built.axis.positions, positions)
    assert np.array_equal(built.signal, signal)
    assert [one.split(" ")[-1] for one in built.samples["id"]] == [one.split(" ")[-1] for one in ids]


def test_channels_that_say_raman_shift_lie_on_one():
    for spelling in ("{} cm-1 Raman shift", "Raman shift {} cm-1", "Raman_{}", "{} cm^-1 (Raman)"):
        names = [spelling.format(at) for at in range(400, 480, 10)]
        lines = [["id", *names], *([f"v{row}x", *(row + np.arange(8) / 7)] for row in range(6))]
        prepared = understand({"raman.csv": "\n".join(",".join(map(str, line)) for line in lines).encode()}).prepared
        assert (prepared.axis_quantity, prepared.axis_unit) == ("Raman shift", "cm-1"), spelling

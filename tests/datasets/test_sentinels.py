"""Numbers such as -9999 that stand for a missing value are asked about, in spectra and targets; honest ones are not."""

import numpy as np
import pytest

from spectra_core.datasets import Recipe, read, understand
from spectra_core.datasets.preparing.sentinels import outlying
from spectra_core.errors import ReadError

RNG = np.random.default_rng(0)
SPECTRA = RNG.random((12, 20)).round(4)
COUNTS = (RNG.random((12, 20)) * 50_000).round()


def table(values, copper=None):
    head = "sample,Cu," + ",".join(str(350 + at) for at in range(values.shape[1]))
    copper = [f"{at / 10:g}" for at in range(len(values))] if copper is None else copper
    rows = [f"s{at},{copper[at]},{','.join(map(repr, row.tolist()))}" for at, row in enumerate(values)]
    return "\n".join([head, *rows]).encode()


def marked(values, mark, places=((2, 5),)):
    changed = values.copy()
    for place in places:
        changed[place] = mark
    return changed


@pytest.mark.parametrize(
    "mark", [-9999, -999, -99, 3.7e6, -1.23e34, 1e30, -1e30, 9.969209968386869e36, 9999, 99999, 65535, 1e20]
)
def test_a_value_far_outside_the_others_is_asked_about(mark):
    understanding = understand({"a.csv": table(marked(SPECTRA, mark))})
    (question,) = understanding.open_questions
    assert question.kind == "sentinels"
    assert f"{mark:.10g} (1 value, s2 (line 4 of a.csv) at 355 nm)" in question.text
    assert [one.label for one in question.choices] == [
        "Treat them as missing", "Keep them as they are", "Leave out those spectra",
    ]  # fmt: skip


def test_each_answer_does_what_it_says(tmp_path):
    content = table(marked(SPECTRA, -9999))
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r'far outside all others.*{"sentinels": "missing"}'):
        read(path)
    kept = read(path, Recipe(sentinels="keep"))
    assert kept.signal[2, 5] == -9999
    others = read(path, Recipe(sentinels="leave out spectra"))
    assert (len(others), others.meta.quantity) == (11, "Absorbance")
    missing = understand({"a.csv": content}, Recipe(sentinels="missing"))
    assert [problem.kind for problem in missing.open_questions] == ["gaps"]
    filled = read(path, Recipe(sentinels="missing", gaps="interpolate"))
    assert filled.signal[2, 5] == pytest.approx((SPECTRA[2, 4] + SPECTRA[2, 6]) / 2)
    assert filled.meta.quantity == "Absorbance"  # not taken for an intensity because of the mark


@pytest.mark.parametrize("mark", ["-999", "-9999", "-99", "9999", "1e30"])
def test_a_mark_in_a_target_is_asked_about(mark):
    copper = [f"{at / 10:g}" for at in range(12)]
    copper[3] = mark
    content = table(SPECTRA, copper)
    (question,) = understand({"a.csv": content}).open_questions
    assert question.kind == "sentinels"
    assert f"{float(mark):.10g} (1 value, s3 (line 5 of a.csv) in Cu)" in question.text
    assert question.rows == (3,)
    decided = Recipe(sentinels="missing", gaps="leave out spectra")
    assert len(understand({"a.csv": content}, decided).build()) == 11


def test_several_marks_whole_channels_and_counts_are_found():
    assert outlying(marked(COUNTS, -9999), 1e3) == [-9999]
    assert outlying(marked(marked(COUNTS, -9999), -999, [(3, 3)]), 1e3) == [-9999, -999]
    assert outlying(marked(SPECTRA, -999, [(row, 7) for row in range(12)]), 1e3) == [-999]
    assert outlying(marked(SPECTRA, 1e30, [(1, 1)]).astype(np.float32), 1e3) == [pytest.approx(1e30)]
    assert outlying(marked(SPECTRA, 3.7e6), 1e3) == [3.7e6]  # no usual mark, but absurd


@pytest.mark.parametrize(
    "values",
    [
        SPECTRA,
        COUNTS,
        -COUNTS,
        marked(COUNTS, 65535),  # the top of a detector, among counts
        np.vstack([SPECTRA[:6], 1e4 * SPECTRA[6:]]),  # two units: no mark
        10.0 ** np.linspace(-6, 6, 60).reshape(3, 20),  # many orders of magnitude
        np.zeros((3, 20)),
        np.full((2, 4), np.nan),
        np.vstack([np.zeros(20), np.eye(20)[0]]),
        np.array([[-9999.0]]),
    ],
)
def test_honest_values_raise_no_question(values):
    assert outlying(np.asarray(values, dtype=float), 1e3) == []


def test_a_target_fifty_times_the_others_is_honest():
    copper = [f"{at / 10:g}" for at in range(11)] + ["50"]
    assert not understand({"a.csv": table(SPECTRA, copper)}).open_questions


def test_dilutions_over_six_orders_are_honest_targets():
    copper = [f"1e-{at}" for at in range(6)] * 2
    assert not understand({"a.csv": table(SPECTRA, copper)}).open_questions

import numpy as np
import pandas as pd
import pytest

from spectra_core.figures.forest import VERDICT_SYMBOL, forest
from spectra_core.figures.theme import ORANGE, alt_text


def rows(**changes):
    table = pd.DataFrame(
        {
            "arm": ["VAE", "VAE", "VAE", "Oracle"],
            "target": ["Cu2+", "NH4+", "all", "Cu2+"],
            "effect": [-20.0, 300.0, 25.0, -60.0],
            "low": [-30.0, 100.0, -5.0, -70.0],
            "high": [-5.0, 900.0, 60.0, -45.0],
            "verdict": ["improved", "worse", "cannot tell", "improved"],
            "flagged": [0, 1, 0, 0],
        }
    )
    return table.assign(**changes)


def drawn(table):
    return forest(
        table,
        arm_kinds={"VAE": "generated", "Oracle": "oracle"},
        target_labels={"Cu2+": "Cu²⁺"},
        smallest_effect=5.0,
        reference="Step-matched",
    )


def test_rows_are_grouped_by_arm_with_the_mean_over_targets_first():
    figure = drawn(rows())
    assert list(figure.layout.yaxis.ticktext) == [
        *("<b>VAE</b>", "all declared targets", "Cu²⁺", "NH₄⁺"),
        *("<b>Oracle</b>", "Cu²⁺"),
    ]
    vae = next(trace for trace in figure.data if trace.marker.color == ORANGE)
    assert list(vae.y) == [1, 2, 3]
    assert list(vae.marker.symbol) == [VERDICT_SYMBOL[name] for name in ("cannot tell", "improved", "worse")]


def test_a_long_name_of_an_arm_is_not_cut():
    long = "Your generated way: VAE, aggregate posterior, labels read by MLP"
    table = rows(arm=[long] * 3 + ["Oracle"])
    kinds, reference = {long: "generated", "Oracle": "oracle"}, "Step-matched"
    figure = forest(table, arm_kinds=kinds, target_labels={}, smallest_effect=5.0, reference=reference)
    heading = [label[3:-4] for label in figure.layout.yaxis.ticktext if label.startswith("<b>")]
    assert (" ".join(heading[:-1]), heading[-1]) == (long, "Oracle")
    vae = next(trace for trace in figure.data if trace.marker.color == ORANGE)
    assert figure.layout.yaxis.ticktext[vae.y[0]] == "all declared targets"


def test_the_axis_is_one_of_ratios_so_that_half_and_double_lie_equally_far():
    figure = drawn(rows(effect=[-50.0, 100.0, 0.0, 0.0]))
    x = np.concatenate([trace.x for trace in figure.data if trace.error_x.array is not None])
    assert sorted(x) == pytest.approx([-np.log(2), 0, 0, np.log(2)])
    ticks = dict(zip(figure.layout.xaxis.ticktext, figure.layout.xaxis.tickvals, strict=True))
    assert ticks["0"] == 0
    assert all(
        value == pytest.approx(np.log1p(float(text.replace("\N{MINUS SIGN}", "-")) / 100))
        for text, value in ticks.items()
    )
    assert abs(np.diff(sorted(ticks.values()))).min() > 0.08 * np.ptp(figure.layout.xaxis.range)


def test_the_interval_reaches_from_low_to_high():
    trace = drawn(rows()).data[0]
    high, low = trace.x + trace.error_x.array, trace.x - trace.error_x.arrayminus
    assert np.expm1(high) * 100 == pytest.approx([60.0, -5.0, 900.0])
    assert np.expm1(low) * 100 == pytest.approx([-5.0, -30.0, 100.0])


def test_words_stand_for_what_cannot_be_seen():
    figure = drawn(rows())
    assert "2 improved" in alt_text(figure)
    assert "folds with a run that blew up: 1" in figure.data[0].text[2]
    single = drawn(rows(low=np.nan, high=np.nan, effect=0.0))
    assert np.isfinite(single.layout.xaxis.range).all()

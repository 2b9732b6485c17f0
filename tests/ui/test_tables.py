"""Tables on a page: every heading in words, numbers with three digits."""

import pandas as pd

from ui import tables


def test_headings_are_words_and_fractions_have_three_digits():
    table = pd.DataFrame({"t2_ratio": [1.0], "id": ["a"], "n_spectra": [3], "distance_training": [0.123456]})
    shown = tables.columns(table)
    assert {name: column["label"] for name, column in shown.items()} == {
        "t2_ratio": "T² / limit",
        "id": "Id",
        "n_spectra": "Spectra",
        "distance_training": "Distance training",
    }
    formats = {name: column.get("type_config", {}).get("format") for name, column in shown.items()}
    assert formats == {"t2_ratio": "%.3g", "id": None, "n_spectra": None, "distance_training": "%.3g"}

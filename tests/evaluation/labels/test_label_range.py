"""Labels that lie where no training label does, planted one by one."""

import pandas as pd
import pytest

from spectra_core.errors import SpectraError
from spectra_core.evaluation.labels.label_range import label_range, range_sentence

TRAINING = pd.DataFrame({"Cu": [0.0, 1.0, 2.0], "charge": [-1.0, 0.0, 1.0], "idle": [3.0, 3.0, 3.0]})
LABELS = pd.DataFrame({"Cu": [-0.5, -0.1, 0.5, 2.0], "charge": [-0.5, -2.0, 0.0, 1.5], "idle": [3.0, 3.0, 3.0, 3.0]})


def test_every_planted_label_is_counted_once():
    table = label_range(LABELS, TRAINING).set_index("target")
    assert table["n_below_zero"].to_dict() == {"Cu": 2, "charge": 0, "idle": 0}  # a charge may be negative
    assert table["n_outside"].to_dict() == {"Cu": 2, "charge": 2, "idle": 0}
    assert table["n_at_end"].to_dict() == {"Cu": 1, "charge": 0, "idle": 0}


def test_the_sentence_names_what_is_impossible():
    said = range_sentence(label_range(LABELS, TRAINING), clipped=False)
    assert said.startswith("4 of 12 labels lie outside the range")
    assert "2 of them below zero, most for Cu" in said


def test_what_was_moved_is_said():
    clipped = LABELS.clip(TRAINING.min(), TRAINING.max(), axis=1)
    said = range_sentence(label_range(clipped, TRAINING), clipped=True)
    assert said.startswith("5 of 12 labels")  # four were moved, one lay at the end by itself
    assert "none was moved" in range_sentence(label_range(TRAINING.iloc[1:2], TRAINING), clipped=True)


def test_labels_of_other_targets_are_refused():
    with pytest.raises(SpectraError, match="targets differ"):
        label_range(LABELS[["Cu"]], TRAINING)

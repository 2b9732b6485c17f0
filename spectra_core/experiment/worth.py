"""What the arms of an experiment are worth: in shares of what new spectra bring, and in numbers of spectra."""

import pandas as pd

from spectra_core.evaluation.errors.gains import augmentation_efficiency, equivalent_samples
from spectra_core.experiment.design import Experiment
from spectra_core.experiment.sweeps import WITHOUT_RATIO


def efficiencies(experiment: Experiment, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Relate every arm to the oracle of its own ratio and reference; see `augmentation_efficiency`.

    Returns
    -------
    DataFrame
        As `augmentation_efficiency`, and ``oracle``; NaN in ``efficiency`` means "not defined". Empty where there is
        no oracle, or it is compared with nothing.
    """
    arms = {arm.name: arm for arm in experiment.arms}
    oracles = [arm for arm in experiment.arms if arm.kind == "oracle"]
    references, names = experiment.references(), {arm.name for arm in oracles}
    tables = []
    for oracle in oracles:
        beside = [
            name
            for name, reference in references.items()
            if name not in names
            and reference == references.get(oracle.name)
            and (arms[name].kind in WITHOUT_RATIO or arms[name].ratio == oracle.ratio)
        ]
        rows = comparisons[comparisons["arm"].isin([*beside, oracle.name])] if len(comparisons) else comparisons
        if beside and len(rows):
            tables.append(augmentation_efficiency(rows, oracle.name).assign(oracle=oracle.name))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def equivalents(experiment: Experiment, errors: pd.DataFrame) -> pd.DataFrame:
    """Read from the learning curve of every arm's reference how many measured spectra the arm is worth.

    Returns
    -------
    DataFrame
        As `equivalent_samples`, and ``reference``. Empty where there is one training size, or no reference.
    """
    if len(experiment.n_train) < 2:
        return pd.DataFrame()
    references = experiment.references()
    tables = []
    for reference in dict.fromkeys(references.values()):
        # A second reference is an arm for the first one, but its own learning curve is the one read here.
        beside = [name for name, own in references.items() if own == reference]
        rows = errors[errors["arm"].isin([*beside, reference])]
        tables.append(equivalent_samples(rows, reference).assign(reference=reference))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

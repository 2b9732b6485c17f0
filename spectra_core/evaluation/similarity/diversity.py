"""How many different spectra a set holds, in effect."""

import numpy as np

from spectra_core.evaluation.similarity.point_clouds import CloudPair
from spectra_core.evaluation.similarity.two_sample import kernel_width


def vendi_score(pair: CloudPair) -> float:
    """Effective number of different generated spectra (Friedman & Dieng, TMLR 2023).

    exp of the entropy of the eigenvalues of K / n, with the Gaussian kernel exp(-d^2 / (2 width^2)), where the
    width is half the median distance of the real spectra: from 1 (all the same) to n (none alike). It looks
    at generated spectra alone, so only the score of as many real ones says what to expect.
    """
    width = 0.5 * kernel_width(pair.real.within)
    if width == 0:
        return float("nan")
    kernel = np.exp(-0.5 * (pair.generated.within / width) ** 2)
    eigenvalues = np.linalg.eigvalsh(kernel / len(kernel))
    positive = eigenvalues[eigenvalues > 1e-15]
    return float(np.exp(-(positive * np.log(positive)).sum()))

"""What would help this calibration? Remedies tried within a stated time, ranked, and judged as an outsider would."""

from spectra_core.experiment.advice.advising import advise, require_advisable
from spectra_core.experiment.advice.answering import Advice
from spectra_core.experiment.advice.ways import Way, usual_reference

__all__ = ["Advice", "Way", "advise", "require_advisable", "usual_reference"]

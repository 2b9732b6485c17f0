"""Errors a user can act on: each message says what was expected, what came, and what to do."""


class SpectraCoreError(Exception):
    """Base of every error whose message is meant for the person using the program."""


class SpectraError(SpectraCoreError):
    """Spectra, axis or targets do not fit together, or do not fit what is asked of them."""


class ReadError(SpectraCoreError):
    """A file cannot be read exactly, so it is refused."""


class ConfigError(SpectraCoreError):
    """A choice or a parameter is unknown or out of its range."""


class NotFittedError(SpectraCoreError):
    """A model is asked for something it can only do after `fit`."""


class TrainingError(SpectraCoreError):
    """Training stopped because going on would be meaningless, for example at a non-finite loss."""


class StoreError(SpectraCoreError):
    """Something kept on disk is missing, damaged, or cannot be written."""


class SimulationError(SpectraCoreError):
    """A solution cannot be simulated as asked."""


class ClusterError(SpectraCoreError):
    """A cluster cannot be reached, or its workers cannot do the work."""

"""Which function a job names."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from spectra_core.errors import ConfigError
from spectra_core.store import Store

_MOVED = {"spectra_core.demo:run_demo": "spectra_core.jobs.demo:run_demo"}
"""Tasks in jobs that earlier versions kept, by the names they have now."""

Task = Callable[[dict[str, Any], Any, Store], dict[str, Any]]


def find_task(name: str) -> Task:
    """Return a task by its name in `spectra_core.jobs.tasks.TASKS`, or by "module:function".

    Raises
    ------
    ConfigError
        When there is none, listing those of the registry.
    """
    module, _, function = _MOVED.get(name, name).partition(":")
    if function:
        found: Task = getattr(import_module(module), function)
        return found
    from spectra_core.jobs.tasks import TASKS  # imports everything that tasks use

    if name not in TASKS:
        raise ConfigError(f"Unknown task {name!r}. Known tasks: {', '.join(sorted(TASKS))}.")
    return TASKS[name]

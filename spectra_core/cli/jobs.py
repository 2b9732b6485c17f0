"""``latent-spectra jobs``: what the queue holds, and what to do with one of it."""

import argparse

from spectra_core.cli import shared
from spectra_core.errors import ConfigError
from spectra_core.shares import percent


def jobs(chosen: argparse.Namespace) -> None:
    """List jobs, or cancel, pause, resume, remove, or show the log of one."""
    from spectra_core.jobs import Jobs

    queue = Jobs()
    if chosen.action != "list":
        fitting = [record.id for record in queue.records() if record.id.startswith(chosen.id or " ")]
        if len(fitting) != 1:
            raise ConfigError(f"{len(fitting)} jobs begin with {chosen.id or ''!r}. Give the beginning of one id.")
        if chosen.action == "log":
            shared.say("\n".join(queue.log_tail(fitting[0], 1000)) or "This job has said nothing yet.")
            return
        actions = {"cancel": queue.cancel, "pause": queue.pause, "resume": queue.resume, "remove": queue.delete}
        actions[chosen.action](fitting[0])
    if not (records := queue.records()):
        shared.say("There are no jobs. Trainings, experiments and other long work of the app are listed here.")
    for record in records:
        share = percent(record.share) if record.state == "running" else ""
        shared.say(f"{record.id[:8]}  {record.state:11}  {share:6}  {record.title}  {record.error}".rstrip())

"""The teacher's command: rules, who is there until when, and removal of what nobody uses."""

import os
import re
import socket
import subprocess

import pytest

from spectra_core.cli.commands import main
from spectra_core.jobs import Jobs
from spectra_core.store import Store, classroom
from tests.conftest import beer_lambert_set


def test_idle_workspaces_are_listed_with_their_date_and_removed_on_demand(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path))
    homes = [classroom.home_of_secret(tmp_path, classroom.new_secret()) for _ in range(3)]
    for home in homes:
        Store(home).save_set(beer_lambert_set(n_spectra=6))
        (home / "used").touch()
    monkeypatch.setattr(Jobs, "start_waiting", lambda self: None)  # a job that waits, however fast this computer is
    Jobs(homes[1]).submit("simulate", {}, "Waits")
    for home in homes[:2]:
        os.utime(home / "used", (10**9, 10**9))  # 2001-09-09

    assert main(["class", "--idle-days", "14", "--board", "on"]) == 0
    said = capsys.readouterr().out
    assert "kept for 14 days without a visit; board on." in said
    assert classroom.teacher_secret(tmp_path) in said
    assert len(re.findall("may be removed from 2001-09-23", said)) == 2
    assert all(home.exists() for home in homes)

    assert main(["class", "--clean"]) == 0
    assert capsys.readouterr().out.count("  removed\n") == 1
    assert [home.exists() for home in homes] == [False, True, True]
    assert main(["class", "--sets", "0"]) == 2
    assert "from 1 upwards" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "host"), [([], "localhost"), (["--address", "10.0.0.7"], "10.0.0.7"), (["--address", "0.0.0.0"], None)]
)
def test_the_teachers_link_is_whole(tmp_path, monkeypatch, capsys, address, host):
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path))
    monkeypatch.setenv("SPECTRA_CLASS", "")  # set by the command; the way it was comes back
    monkeypatch.setattr(os, "name", "no server is started")
    monkeypatch.setattr(subprocess, "call", lambda command: 0)
    with pytest.raises(SystemExit):
        main(["app", "--class", "--port", "8600", *address])
    link = f"http://{host or socket.gethostname()}:8600/?workspace={classroom.teacher_secret(tmp_path)}"
    assert f"opens {link} fills" in capsys.readouterr().out

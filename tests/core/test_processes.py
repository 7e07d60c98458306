import subprocess
import sys
import time

import psutil
import pytest

from core.processes import (
    ProcessIdentity,
    boot_of,
    detached,
    killed_for_memory,
    this_boot,
    this_process,
)
from core.workspace import PROJECT

Other = tuple[subprocess.Popen[str], ProcessIdentity]


def test_this_process_is_alive() -> None:
    assert this_process().is_alive()


def test_this_process_is_the_same_whenever_it_is_asked_for() -> None:
    assert this_process() == this_process()


def test_another_process_is_alive_while_it_runs(other_process: Other) -> None:
    process, identity = other_process
    assert identity.pid == process.pid
    assert identity.is_alive()


def test_two_processes_have_two_identities(other_process: Other) -> None:
    assert other_process[1] != this_process()


def test_a_process_that_was_killed_is_dead(other_process: Other) -> None:
    process, identity = other_process
    process.kill()
    process.wait()
    assert not identity.is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no zombies")
def test_a_zombie_is_dead(other_process: Other) -> None:
    process, identity = other_process
    process.kill()
    deadline = time.monotonic() + 200
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not identity.is_alive()


def test_a_pid_that_was_given_to_another_process_is_dead(other_process: Other) -> None:
    _, identity = other_process
    assert not ProcessIdentity(pid=identity.pid, started="an earlier start").is_alive()


@pytest.mark.parametrize("pid", [-1, 0, 2**31 - 1])
def test_a_pid_that_no_process_has_is_dead(pid: int) -> None:
    assert not ProcessIdentity(pid=pid, started="").is_alive()


def test_an_identity_comes_back_from_json() -> None:
    identity = this_process()
    assert ProcessIdentity.model_validate_json(identity.model_dump_json()) == identity


@pytest.mark.skipif(sys.platform == "win32", reason="sessions are POSIX")
def test_a_detached_process_leads_a_session_of_its_own() -> None:
    script = "import os; print(os.getsid(0) == os.getpid())"
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **detached())
    assert process.communicate()[0].strip() == "True"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a start of the machine has no id")
def test_a_process_tells_in_which_start_of_the_machine_it_began(other_process: Other) -> None:
    assert this_boot()
    assert boot_of(this_process()) == boot_of(other_process[1]) == this_boot()
    assert boot_of(ProcessIdentity(pid=1, started="earlier:12")) == "earlier"
    assert boot_of(ProcessIdentity(pid=1, started="1700000000.12")) == ""


HOLD_AND_FREE = """
from core.processes import peak_memory
before = peak_memory()
held = bytearray(before + 2**26)
most = peak_memory()
del held
print(before, most, peak_memory())
"""


def test_the_most_memory_a_process_held_stays_when_it_is_freed() -> None:
    # In a process of its own: this one may have held gigabytes, which are more to beat.
    told = subprocess.check_output([sys.executable, "-c", HOLD_AND_FREE], cwd=PROJECT, text=True)
    before, most, after = map(int, told.split())
    assert most >= before + 2**25
    assert after >= most - 2**20


def test_how_many_processes_were_killed_for_memory_is_counted_where_it_can_be() -> None:
    assert 0 <= killed_for_memory() <= killed_for_memory()

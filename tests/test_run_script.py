"""The `run` script, with a stand-in for Python that notes what it is asked and installs nothing."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BASH = shutil.which("bash")
TOOLS = ("cat", "dirname", "env", "id", "mkdir", "rm", "sh", "sleep")
CHROME_APP = Path("/Applications/Google Chrome.app")

pytestmark = pytest.mark.skipif(BASH is None or os.name == "nt", reason="needs bash and POSIX")

# Copied into the environments it "makes", as a link would be. VERSION is filled in.
FAKE_PYTHON = """#!/bin/sh
case "$*" in
  *version_info*) printf VERSION; exit ;;
  *"import ensurepip, venv"*) [ ! -e "$FAKES/no-venv" ]; exit ;;
  *"import pip"*) exit 0 ;;
  *"import os, socket, sys"*) exec "$REAL_PYTHON" "$@" ;;
esac
echo "$@" >>"$FAKES/log"
case "$*" in
  "-m venv --clear .venv") rm -rf .venv; mkdir -p .venv/bin; cat "$0" >.venv/bin/python
    "$REAL_PYTHON" -c 'import os; os.chmod(".venv/bin/python", 0o755)' ;;
  "-m pip install "*) [ ! -e "$FAKES/pip" ] || . "$FAKES/pip" ;;
  "-m pytest"*) echo "CHROMIUM is ${CHROMIUM-unset}"; exit "${PYTEST_STATUS-0}" ;;
  "-m core samples --bring") [ -z "${SAMPLES_FAIL-}" ] || { echo "why not" >&2; exit 1; } ;;
  "-m mypy "*) exit "${MYPY_STATUS-0}" ;;
esac
"""


class Project:
    """A copy of the script in a folder of its own, on a PATH without any real Python."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a folder with spaces"
        self.fakes = folder / "fakes"
        self.log = self.fakes / "log"
        self.venv = self.root / ".venv"
        self.root.mkdir()
        self.fakes.mkdir()
        shutil.copy(ROOT / "run", self.root)
        (self.root / "requirements.txt").write_text("streamlit==1\n")
        (self.root / "requirements-dev.txt").write_text("-r requirements.txt\npytest==9\n")
        for tool in TOOLS:
            (self.fakes / tool).symlink_to(shutil.which(tool) or tool)

    def add_program(self, name: str, script: str) -> None:
        program = self.fakes / name
        program.write_text(script)
        program.chmod(0o755)

    def add_python(self, name: str, version: str) -> None:
        self.add_program(name, FAKE_PYTHON.replace("VERSION", version))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(BASH), str(self.root / "run"), *arguments],
            cwd=self.root.parent,
            env={
                "PATH": str(self.fakes),
                "FAKES": str(self.fakes),
                "REAL_PYTHON": sys.executable,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        process = self.start(*arguments, **environment)
        output, _ = process.communicate(timeout=200)
        return process.returncode, output

    def calls(self) -> list[str]:
        """What Python was asked for since the last time this was called."""
        if not self.log.exists():
            return []
        calls = self.log.read_text().splitlines()
        self.log.unlink()
        return calls

    def installed(self) -> list[str]:
        """The requirement files given to pip since the last look at the calls."""
        return [call.split()[-1] for call in self.calls() if call.startswith("-m pip install")]


@pytest.fixture
def bare_project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def project(bare_project: Project) -> Project:
    bare_project.add_python("python3", "3.12")
    return bare_project


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- Which Python


def test_without_any_python_one_sentence_says_what_is_needed(bare_project: Project) -> None:
    status, output = bare_project.run("bench")
    assert status == 1
    assert output.splitlines() == [
        "Transfer Lab needs Python 3.11, 3.12 or 3.13 and found none: install one of these, "
        "or name it: PYTHON=/path/to/python3.12 ./run bench"
    ]


def test_pythons_out_of_range_are_named_and_nothing_is_made(bare_project: Project) -> None:
    bare_project.add_python("python3", "3.10")
    bare_project.add_python("python", "2.7")
    status, output = bare_project.run("bench")
    assert status == 1
    assert "found python3, which is 3.10, python, which is 2.7:" in output
    assert not bare_project.venv.exists()
    assert not (bare_project.root / ".venv.lock").exists()


def test_a_python_in_range_is_found_behind_one_that_is_not(bare_project: Project) -> None:
    bare_project.add_python("python3", "3.14")
    bare_project.add_python("python3.13", "3.13")
    status, output = bare_project.run("bench")
    assert (status, output.splitlines()[0]) == (0, "Making .venv with python3.13.")


def test_the_python_that_the_caller_names_is_the_only_one_tried(project: Project) -> None:
    project.add_python("old", "3.9")
    status, output = project.run("bench", PYTHON="old")
    assert status == 1
    assert "found old, which is 3.9:" in output


def test_a_named_python_that_does_not_run_is_named(project: Project) -> None:
    status, output = project.run("bench", PYTHON="/nowhere/python3")
    assert status == 1
    assert "found /nowhere/python3, which does not run:" in output


def test_a_named_python_may_be_relative_to_the_callers_folder(bare_project: Project) -> None:
    bare_project.add_python("mine", "3.11")
    status, _ = bare_project.run("bench", PYTHON="fakes/mine")
    assert status == 0


def test_a_python_without_venv_names_the_package_to_install(project: Project) -> None:
    (project.fakes / "no-venv").touch()
    status, output = project.run("bench")
    assert status == 1
    assert "sudo apt install python3.12-venv" in output
    assert not project.venv.exists()


# --- What is installed, and when


def test_the_second_call_installs_nothing(project: Project) -> None:
    project.run("bench")
    project.calls()
    _, output = project.run("bench")
    assert project.calls() == ["-m benchmarks"]
    assert output == ""


def test_changed_requirements_are_installed_into_the_same_environment(project: Project) -> None:
    project.run("bench")
    (project.root / "requirements.txt").write_text("streamlit==2\n")
    project.calls()
    project.run("bench")
    calls = project.calls()
    assert "-m venv --clear .venv" not in calls
    assert calls[0].endswith("-r requirements-dev.txt")


def test_the_app_installs_only_what_it_needs(project: Project, port: int) -> None:
    project.run("app", "--port", str(port))
    assert project.installed() == ["requirements.txt"]


def test_after_the_app_the_tools_are_still_to_be_installed(project: Project, port: int) -> None:
    project.run("app", "--port", str(port))
    project.calls()
    project.run("bench")
    assert project.installed() == ["requirements-dev.txt"]


def test_after_the_tools_the_app_has_nothing_to_install(project: Project, port: int) -> None:
    project.run("bench")
    project.calls()
    project.run("app", "--port", str(port))
    assert project.installed() == []


def test_a_failed_installation_shows_pips_words_and_leaves_nothing(project: Project) -> None:
    (project.fakes / "pip").write_text("echo ERROR: no such package; exit 1")
    status, output = project.run("bench")
    assert status == 1
    assert "ERROR: no such package\nThe installation failed, for the reason pip gives" in output
    assert not project.venv.exists()


def test_tools_that_fail_to_install_leave_the_app_as_it_was(project: Project, port: int) -> None:
    project.run("app", "--port", str(port))
    (project.fakes / "pip").write_text("exit 1")
    assert project.run("bench")[0] == 1
    project.calls()
    assert project.run("app", "--port", str(port))[0] == 0
    assert project.installed() == []


def test_after_a_killed_installation_the_environment_is_made_anew(project: Project) -> None:
    (project.fakes / "pip").write_text("kill -9 $PPID")
    assert project.run("bench")[0] == -9
    assert project.venv.exists()
    (project.fakes / "pip").unlink()
    project.calls()
    assert project.run("bench")[0] == 0
    assert project.calls()[0] == "-m venv --clear .venv"


def test_an_environment_whose_python_has_vanished_is_made_anew(project: Project) -> None:
    project.run("bench")
    (project.venv / "bin" / "python").unlink()
    project.calls()
    assert project.run("bench")[0] == 0
    assert project.calls()[0] == "-m venv --clear .venv"


def test_naming_another_version_makes_the_environment_anew(project: Project) -> None:
    project.add_python("other", "3.11")
    project.run("bench")
    project.calls()
    _, output = project.run("bench", PYTHON="other")
    assert project.calls()[0] == "-m venv --clear .venv"
    assert "Making .venv with other." in output


def test_two_calls_at_once_install_once(project: Project) -> None:
    (project.fakes / "pip").write_text("sleep 0.5")
    both = [project.start("bench"), project.start("bench")]
    for process in both:
        process.communicate(timeout=200)
    assert [process.returncode for process in both] == [0, 0]
    assert project.installed() == ["requirements-dev.txt"]


def test_a_lock_whose_holder_is_gone_is_ignored(project: Project) -> None:
    gone = subprocess.Popen([str(BASH), "-c", "exit"])
    gone.wait()
    (project.root / ".venv.lock").mkdir()
    (project.root / ".venv.lock" / "pid").write_text(str(gone.pid))
    assert project.run("bench")[0] == 0
    assert not (project.root / ".venv.lock").exists()


def test_a_real_environment_is_made_and_used(bare_project: Project) -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        (bare_project.root / name).write_text("# nothing\n")
    (bare_project.root / "benchmarks.py").write_text(
        "import sys; print(sys.prefix, sys.argv[1:])\n"
    )
    status, output = bare_project.run("bench", "--quick", "a b", PYTHON=sys.executable)
    assert status == 0, output
    assert output.splitlines()[-1] == f"{bare_project.venv} ['--quick', 'a b']"


# --- ./run app


def test_a_taken_port_ends_in_a_sentence_with_a_free_one(project: Project) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        status, output = project.run("app", f"--server.port={taken}")
    assert status == 1
    sentence, command, suggested = output.splitlines()[-1].rpartition("./run app --port ")
    assert sentence.startswith(f"Port {taken} is taken, by another program or by a Transfer Lab")
    assert command
    assert int(suggested) > taken
    assert not any("streamlit run" in call for call in project.calls())


def test_the_port_and_all_other_options_reach_streamlit(project: Project, port: int) -> None:
    project.run("app", "--theme.base", "dark", "--port", str(port), "--server.headless=true")
    assert project.calls()[-1] == (
        f"-m streamlit run app.py --server.port {port} --server.showEmailPrompt false "
        "--theme.base dark --server.headless=true"
    )


def test_in_ci_no_browser_is_opened(project: Project, port: int) -> None:
    project.run("app", "--port", str(port), CI="true")
    assert "--server.headless true" in project.calls()[-1]


def test_a_new_workspace_gets_the_sample_runs(project: Project, port: int) -> None:
    project.run("app", "--port", str(port))
    samples, app = project.calls()[-2:]
    assert samples == "-m core samples --bring"
    assert "streamlit run" in app


@pytest.mark.parametrize("chosen", [True, False])
def test_a_workspace_that_held_runs_before_gets_none(
    project: Project, port: int, tmp_path: Path, chosen: bool
) -> None:
    workspace = tmp_path / "my workspace" if chosen else project.root / "workspace"
    (workspace / "runs").mkdir(parents=True)
    environment = {"TRANSFER_LAB_WORKSPACE": str(workspace)} if chosen else {}
    project.run("app", "--port", str(port), **environment)
    assert not any("samples" in call for call in project.calls())


def test_without_sample_runs_the_app_opens_all_the_same(project: Project, port: int) -> None:
    _, output = project.run("app", "--port", str(port), SAMPLES_FAIL="yes")
    assert output.splitlines()[-2:] == [
        "why not",
        "Transfer Lab opens without its sample runs, for the reason above.",
    ]
    assert "streamlit run" in project.calls()[-1]


@pytest.mark.parametrize("wrong", ["none", "0", "65536", "-1", ""])
def test_a_port_that_is_none_is_refused_before_anything_is_installed(
    project: Project, wrong: str
) -> None:
    status, output = project.run("app", "--port", wrong)
    assert status == 2
    assert output.startswith("--port must be a number from 1 to 65535, got ")
    assert project.calls() == []


# --- ./run test and ./run check


def test_the_tests_are_told_where_chromium_is(project: Project) -> None:
    project.add_program("google-chrome", "#!/bin/sh\n")
    status, output = project.run("test", "-k", "one")
    assert status == 0
    assert output.splitlines()[-1] == f"CHROMIUM is {project.fakes / 'google-chrome'}"
    assert project.calls()[-1] == "-m pytest -k one"


def test_a_chromium_that_does_not_run_is_passed_over(project: Project) -> None:
    project.add_program("chromium", "#!/bin/sh\nexit 1\n")
    project.add_program("chromium-browser", "#!/bin/sh\n")
    _, output = project.run("test")
    assert output.splitlines()[-1] == f"CHROMIUM is {project.fakes / 'chromium-browser'}"


def test_the_status_is_that_of_pytest(project: Project) -> None:
    project.add_program("chromium", "#!/bin/sh\n")
    assert project.run("test", PYTEST_STATUS="3")[0] == 3


@pytest.mark.skipif(CHROME_APP.exists(), reason="this machine has a Chrome that is always found")
def test_without_chromium_the_last_lines_say_what_was_skipped(project: Project) -> None:
    status, output = project.run("test")
    assert status == 0
    assert output.splitlines()[-3:] == [
        "CHROMIUM is unset",
        "The browser tests were skipped, as no Chromium was found.",
        "To run them, install Chromium or Chrome, or name one: CHROMIUM=/path/to/it ./run test",
    ]


@pytest.mark.skipif(CHROME_APP.exists(), reason="this machine has a Chrome that is always found")
def test_without_chromium_ci_fails_and_ends_with_pytests_words(project: Project) -> None:
    status, output = project.run("test", CI="true")
    assert status == 1
    assert output.splitlines()[-1] == "CHROMIUM is unset"


@pytest.mark.skipif(CHROME_APP.exists(), reason="this machine has a Chrome that is always found")
def test_root_gets_chromium_from_debian(project: Project) -> None:
    (project.fakes / "id").unlink()
    project.add_program("id", "#!/bin/sh\necho 0\n")
    project.add_program(
        "apt-get",
        '#!/bin/sh\ncase "$*" in install*chromium*)\n'
        '  ln -s "$(command -v env)" "$FAKES/chromium" ;;\nesac\n',
    )
    (project.fakes / "ln").symlink_to(shutil.which("ln") or "ln")
    status, output = project.run("test")
    assert status == 0
    assert output.splitlines()[-1] == f"CHROMIUM is {project.fakes / 'chromium'}"


def test_check_runs_every_step(project: Project) -> None:
    status, output = project.run("check")
    assert status == 0
    assert output.splitlines()[-1] == "== check passed"
    assert project.calls()[-4:] == [
        "-m ruff format --check .",
        "-m ruff check .",
        "-m mypy core ui",
        "-m pytest -q tests/test_imports.py",
    ]


def test_check_goes_on_after_a_failure_and_names_it(project: Project) -> None:
    status, output = project.run("check", MYPY_STATUS="1")
    assert status == 1
    assert output.splitlines()[-1] == "== check failed: types"
    assert project.calls()[-1] == "-m pytest -q tests/test_imports.py"


# --- The rest


def test_help_names_every_command(bare_project: Project) -> None:
    status, output = bare_project.run("help")
    assert status == 0
    for command in ("app", "test", "check", "bench", "help"):
        assert f"\n  {command} " in output


def test_an_unknown_command_is_refused(bare_project: Project) -> None:
    status, output = bare_project.run("tests")
    assert status == 2
    assert output.endswith("COMMAND must be app, test, check, bench or help, got tests\n")

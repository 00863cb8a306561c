"""The Temporal CLI is searched in a fixed order, and the one in use is always at one path.

Every test has a home and a PATH of its own; the CLIs and the `go` on it are shell scripts.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import pytest

from forerun.workers.devserver import DevServerError, find_cli
from forerun.workers.devserver.failure import CliUnusable
from forerun.workers.devserver.go_build import build_with_go, needed_go

SAYS = 'echo "temporal version 0.0.0-DEV (Server {}, UI 2.50.1)"'
NEW = SAYS.format("1.32.0")
OLD = SAYS.format("1.30.4")


def script(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(("#!/bin/sh", *lines)))
    path.chmod(0o755)
    return path


class Machine:
    """A home, a PATH, and a record of which expensive ways were taken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.cache = folder / ".cache" / "forerun"
        self.cache.mkdir(parents=True)
        self.env = {"HOME": str(folder), "PATH": str(self.bin)}
        self.progress = io.StringIO()
        self.downloads: Path | None = None
        self.taken: list[str] = []

    def download(self, env: Mapping[str, str], cache: Path, progress: TextIO) -> Path:
        self.taken.append("download")
        if self.downloads is None:
            raise CliUnusable("host not found")
        return self.downloads

    def build(self, env: Mapping[str, str], cache: Path, progress: TextIO) -> Path:
        self.taken.append("build")
        return build_with_go(env, cache, progress)

    def find(self) -> Path:
        link = find_cli(self.env, self.progress, download=self.download, build=self.build)
        assert link == self.cache / "temporal"
        return link.resolve()

    def go(self, *, version: str, build: str = "write_cli $1", toolchain: str = "auto") -> None:
        """Put a `go` on the PATH; `build` is the shell line that runs with $1 as the output."""
        script(
            self.bin / "go",
            "write_cli() {",
            f"printf '%s\\n' '#!/bin/sh' '{NEW}' > $1; /bin/chmod +x $1; }}",
            'case "$1" in',
            f"version) echo go version {version} linux/amd64 ;;",
            f"env) echo {toolchain} ;;",
            f"build) echo built >> {self.folder}/builds",
            'while [ "$1" != -o ]; do shift; done; shift',
            f"{build} ;;",
            "esac",
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_named_cli_wins_and_is_the_cached_one(machine: Machine) -> None:
    """TEMPORAL_CLI comes before everything, and the cached path follows each change of it."""
    script(machine.bin / "temporal", NEW)
    for name in ("one", "two"):
        named = script(machine.folder / name, NEW)
        machine.env["TEMPORAL_CLI"] = str(named)
        assert machine.find() == named
    del machine.env["TEMPORAL_CLI"]
    assert machine.find() == machine.folder / "two"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "is not an executable file"),
        ("#!/nowhere", "does not run"),
        ("#!/bin/sh\nexit 7", "failed with exit code 7"),
        ("#!/bin/sh\necho 1.0", "names no server version; its --version says '1.0'"),
        (f"#!/bin/sh\n{OLD}", "contains server 1.30, older than 1.31"),
    ],
)
def test_an_unusable_named_cli_is_an_error(
    content: str | None, complaint: str, machine: Machine
) -> None:
    """What the user names is used or refused in one line; nothing else is tried."""
    script(machine.bin / "temporal", NEW)
    named = machine.folder / "mine"
    if content:
        named.write_text(content)
        named.chmod(0o755)
    machine.env["TEMPORAL_CLI"] = str(named)
    with pytest.raises(DevServerError) as caught:
        machine.find()
    message = str(caught.value)
    assert complaint in message
    assert str(named) in message
    assert message.startswith("TEMPORAL_CLI")
    assert "\n" not in message


def test_the_cached_cli_comes_before_the_path(machine: Machine) -> None:
    """What was used last time is used again."""
    script(machine.bin / "temporal", NEW)
    cached = script(machine.cache / "temporal", NEW)
    assert machine.find() == cached


def test_a_binary_put_into_the_cache_survives(machine: Machine) -> None:
    """Naming another CLI does not delete the one in the cache, which is used again later."""
    script(machine.cache / "temporal", NEW, "# put here by hand")
    named = script(machine.folder / "mine", NEW)
    assert find_cli({**machine.env, "TEMPORAL_CLI": str(named)}, machine.progress).samefile(named)
    named.unlink()
    assert "# put here by hand" in machine.find().read_text()
    assert machine.taken == []


def test_a_new_enough_cli_on_the_path_is_linked(machine: Machine) -> None:
    """The PATH is looked at when the cached link leads nowhere."""
    (machine.cache / "temporal").symlink_to(machine.folder / "gone")
    on_path = script(machine.bin / "temporal", NEW)
    assert machine.find() == on_path
    assert machine.taken == []


def test_an_old_cli_on_the_path_is_passed_over(machine: Machine) -> None:
    """A server older than 1.31 lacks what promotion needs, so a download is better."""
    script(machine.bin / "temporal", OLD)
    machine.downloads = script(machine.folder / "downloaded", NEW)
    assert machine.find() == machine.downloads
    assert machine.taken == ["download"]


def test_without_a_download_go_builds_once_per_machine(machine: Machine) -> None:
    """The build is the last way, and the next search finds its result."""
    machine.go(version=f"go{needed_go()}")
    assert machine.find() == machine.cache / "temporal-built"
    assert machine.find() == machine.cache / "temporal-built"
    assert machine.taken == ["download", "build"]
    assert "building the Temporal CLI with Go" in machine.progress.getvalue()


def test_two_searches_at_once_build_once(machine: Machine) -> None:
    """Whoever comes during the other's build says so, waits, and uses its result."""
    machine.go(
        version=f"go{needed_go()}",
        build='until [ -e "$HOME/waited_for" ]; do /bin/sleep 0.05; done; write_cli $1',
    )
    searches = [threading.Thread(target=machine.find) for _ in range(2)]
    for search in searches:
        search.start()
    deadline = time.monotonic() + 20
    while "waiting for another process" not in machine.progress.getvalue():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (machine.folder / "waited_for").touch()
    for search in searches:
        search.join()
    assert (machine.folder / "builds").read_text() == "built\n"
    assert machine.find() == machine.cache / "temporal-built"


def test_a_broken_build_leaves_no_binary(machine: Machine) -> None:
    """Half a binary is never taken for a CLI, and the next build replaces it."""
    machine.go(version=f"go{needed_go()}", build='echo half > "$1"; echo no space >&2; exit 1')
    with pytest.raises(DevServerError, match="build with Go: failed with exit code 1: no space"):
        machine.find()
    machine.go(version=f"go{needed_go()}", build="write_cli $1")
    assert machine.find() == machine.cache / "temporal-built"


@pytest.mark.parametrize(
    ("version", "toolchain", "complaint"),
    [
        ("go1.19.8", "auto", "go1.19.8 linux/amd64 is older than the go1.26.8 needed"),
        ("go1.24.1", "local", "GOTOOLCHAIN=local forbids fetching it"),
    ],
)
def test_an_old_go_is_told_in_one_line(
    version: str, toolchain: str, complaint: str, machine: Machine
) -> None:
    """Go that can neither build the CLI nor fetch a newer Go is not even started."""
    machine.go(version=version, toolchain=toolchain)
    with pytest.raises(DevServerError, match=f"build with Go: .*{complaint}"):
        machine.find()
    assert not (machine.folder / "builds").exists()


def test_an_old_go_may_fetch_a_newer_one(machine: Machine) -> None:
    """With Go's default setting, Go itself gets the version that go.mod asks for."""
    machine.go(version="go1.24.1", toolchain="auto", build="write_cli $1")
    assert machine.find() == machine.cache / "temporal-built"


def test_when_no_way_works_each_is_named_with_its_reason(machine: Machine) -> None:
    """The one message lists every way, why it failed, and what to install."""
    script(machine.bin / "temporal", OLD)
    with pytest.raises(DevServerError) as caught:
        machine.find()
    assert str(caught.value).splitlines() == [
        "no usable Temporal CLI; tried:",
        "  TEMPORAL_CLI: not set",
        "  ~/.cache/forerun/temporal: "
        f"{machine.cache}/temporal does not run (No such file or directory)",
        f"  temporal on the PATH: {machine.bin}/temporal contains server 1.30, older than 1.31",
        "  download of v1.9.1 by the Temporal SDK: host not found",
        "  build with Go: go not found",
        "Install the Temporal CLI 1.7 or newer (https://docs.temporal.io/cli/setup-cli) or "
        f"Go {needed_go()} or newer (https://go.dev/dl), or set TEMPORAL_CLI to a CLI binary.",
    ]


def test_the_command_prints_the_path_or_one_error(machine: Machine) -> None:
    """`python -m forerun.workers.devserver` is what the Makefile calls."""
    command = [sys.executable, "-m", "forerun.workers.devserver"]
    machine.env["TEMPORAL_CLI"] = str(script(machine.folder / "mine", NEW))
    env = {**os.environ, **machine.env}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"{machine.cache}/temporal\n", "")
    env["TEMPORAL_CLI"] = "/nowhere"
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("TEMPORAL_CLI=/nowhere is not an executable file: correct or unset it\n")

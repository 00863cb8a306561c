"""Build the Temporal CLI, dev server and UI included, from the `go.mod` beside this file.

Some four minutes on two cores, once per machine. `go.sum` pins every byte that is compiled.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from forerun.workers.devserver.failure import CliUnusable
from forerun.workers.devserver.long_step import LongStep, run

MODULE = Path(__file__).parent
BUILT = "temporal-built"
PACKAGE = "github.com/temporalio/cli/cmd/temporal"
FIRST_GO_THAT_FETCHES_NEWER_ONES = (1, 21, 0)


def build_with_go(env: Mapping[str, str], cache: Path, progress: TextIO) -> Path:
    """Build into `cache`; the caller holds the lock. An interrupted build leaves no binary.

    Raises:
        CliUnusable: Go is missing or too old, or the build failed.
    """
    # A workspace or flags of the user's own must not change what is built.
    env = {**env, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}
    go = shutil.which("go", path=env.get("PATH", ""))
    if go is None:
        raise CliUnusable("go not found")
    _check_version(go, env, cache)
    built, partial = cache / BUILT, cache / f"{BUILT}.partial"
    options = ["-v", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", str(partial)]
    step = LongStep(
        title="building the Temporal CLI with Go (once, some minutes)",
        command=[go, "build", *options, PACKAGE],
        folder=MODULE,
        env=env,
    )
    run(step, progress)
    partial.replace(built)
    return built


def needed_go() -> str:
    """The Go version that `go.mod` asks for, such as "1.26.8"."""
    found = re.search(r"^go (\S+)$", (MODULE / "go.mod").read_text(), re.MULTILINE)
    assert found, "go.mod has no go line"
    return found[1]


def _check_version(go: str, env: Mapping[str, str], cache: Path) -> None:
    present = _ask(go, ["version"], {**env, "GOTOOLCHAIN": "local"}, cache)
    if _numbers(present) >= _numbers(f"go{needed_go()}"):
        return
    older = f"{present} is older than the go{needed_go()} needed"
    if _numbers(present) < FIRST_GO_THAT_FETCHES_NEWER_ONES:
        raise CliUnusable(older)
    if _ask(go, ["env", "GOTOOLCHAIN"], env, cache) == "local":
        raise CliUnusable(f"{older}, and GOTOOLCHAIN=local forbids fetching it: try auto")


def _ask(go: str, question: list[str], env: Mapping[str, str], folder: Path) -> str:
    done = subprocess.run(
        [go, *question], env=env, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CliUnusable(f"go {question[0]} failed: {done.stderr.strip()[-200:]}")
    return done.stdout.strip().removeprefix("go version ")


def _numbers(version: str) -> tuple[int, int, int]:
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", version)
    if found is None:
        raise CliUnusable(f"cannot read the Go version from {version!r}")
    return int(found[1]), int(found[2]), int(found[3] or 0)

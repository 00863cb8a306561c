"""Find the Temporal CLI, or get one; afterwards it is at `~/.cache/forerun/temporal`.

The order: the one the user names, the one used last time, the one on the PATH, a download, a build.
The cached name is always a link to where the CLI really is, so that everybody can rely on one path.
"""

from __future__ import annotations

import fcntl
import shutil
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from forerun.workers.devserver.cli_binary import check_cli
from forerun.workers.devserver.failure import CliUnusable, DevServerError
from forerun.workers.devserver.go_build import BUILT, build_with_go, needed_go
from forerun.workers.devserver.sdk_download import DOWNLOAD_VERSION, DOWNLOADED, download_with_sdk

NAMED_BY = "TEMPORAL_CLI"
IN_USE = "temporal"
KEPT = "temporal-kept"
HELD = (IN_USE, KEPT, BUILT, DOWNLOADED)  # what the cache may hold, best first

Way = Callable[[Mapping[str, str], Path, TextIO], Path]
"""Environment, cache folder and progress stream in; a CLI out, or `CliUnusable`."""


def find_cli(
    env: Mapping[str, str],
    progress: TextIO,
    *,
    download: Way = download_with_sdk,
    build: Way = build_with_go,
) -> Path:
    """Return `~/.cache/forerun/temporal`, having made it the CLI to use.

    This may take minutes, once per machine; `progress` then shows what is going on.

    Raises:
        DevServerError: the CLI that `TEMPORAL_CLI` names is unusable, or every way failed.
    """
    cache = Path(env.get("HOME") or Path.home()) / ".cache" / "forerun"
    cache.mkdir(parents=True, exist_ok=True)
    if named := env.get(NAMED_BY):
        return _adopt(cache, _named(named, env))
    ways: dict[str, Way] = {
        "~/.cache/forerun/temporal": _cached,
        "temporal on the PATH": _on_path,
        f"download of {DOWNLOAD_VERSION} by the Temporal SDK": _once_per_machine(download),
        "build with Go": _once_per_machine(build),
    }
    failures = [f"{NAMED_BY}: not set"]
    for name, way in ways.items():
        try:
            return _adopt(cache, way(env, cache, progress))
        except CliUnusable as failure:
            failures.append(f"{name}: {failure}")
    raise DevServerError(_no_way(failures))


def _named(named: str, env: Mapping[str, str]) -> Path:
    found = shutil.which(named, path=env.get("PATH", ""))
    if found is None:
        raise DevServerError(f"{NAMED_BY}={named} is not an executable file: correct or unset it")
    try:
        check_cli(Path(found))
    except CliUnusable as failure:
        raise DevServerError(f"{NAMED_BY}: {failure}; correct or unset it") from failure
    return Path(found)


def _cached(env: Mapping[str, str], cache: Path, progress: TextIO) -> Path:
    failures: list[CliUnusable] = []
    for cli in (cache / name for name in HELD):
        try:
            check_cli(cli)
            return cli
        except CliUnusable as failure:
            failures.append(failure)
    raise failures[0]


def _on_path(env: Mapping[str, str], cache: Path, progress: TextIO) -> Path:
    found = shutil.which("temporal", path=env.get("PATH", ""))
    if found is None:
        raise CliUnusable("not found")
    check_cli(Path(found))
    return Path(found)


def _once_per_machine(way: Way) -> Way:
    """Let one process at a time go this way; those that waited use what it left behind."""

    def way_alone(env: Mapping[str, str], cache: Path, progress: TextIO) -> Path:
        with _lock(cache / "temporal.lock", progress):
            try:
                return _cached(env, cache, progress)
            except CliUnusable:
                cli = way(env, cache, progress)
                check_cli(cli)
                return _adopt(cache, cli)

    return way_alone


@contextmanager
def _lock(path: Path, progress: TextIO) -> Generator[None]:
    with path.open("w") as file:  # the lock goes with its holder, whatever ends it
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.write("waiting for another process that is getting the Temporal CLI\n")
            progress.flush()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _adopt(cache: Path, cli: Path) -> Path:
    """Make `temporal` in the cache a link to `cli`, in one step for whoever is about to run it."""
    link = cache / IN_USE
    if link.exists() and link.samefile(cli):
        return link
    if link.exists() and not link.is_symlink():
        link.replace(cache / KEPT)  # somebody put a binary there: not ours to delete
    fresh = cache / f"{IN_USE}.{threading.get_native_id()}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(cli.absolute())
    fresh.replace(link)
    return link


def _no_way(failures: list[str]) -> str:
    tried = "\n".join(f"  {failure}" for failure in failures)
    return (
        f"no usable Temporal CLI; tried:\n{tried}\n"
        "Install the Temporal CLI 1.7 or newer (https://docs.temporal.io/cli/setup-cli) or "
        f"Go {needed_go()} or newer (https://go.dev/dl), or set {NAMED_BY} to a CLI binary."
    )

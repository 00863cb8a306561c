"""The Temporal SDK's own download of the CLI, in a process of its own.

The SDK downloads only on the way to starting a server, has no timeout, and waits for ever for a
host whose packets are dropped. A separate process can be watched and killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from temporalio.testing import WorkflowEnvironment

from forerun.workers.devserver.long_step import LongStep, run

DOWNLOAD_VERSION = "v1.9.1"  # server 1.32.0
DOWNLOADED = f"temporal-{DOWNLOAD_VERSION}"  # the SDK's own naming
PATIENCE_SECONDS = 20.0


def download_with_sdk(env: Mapping[str, str], cache: Path, progress: TextIO) -> Path:
    """Download the pinned CLI into `cache`; the caller holds the lock.

    Raises:
        CliUnusable: the download failed, or no byte came for 20 seconds.
    """
    partial = cache / f"{DOWNLOADED}.downloading"
    partial.unlink(missing_ok=True)  # or the SDK waits a minute for whoever left it

    def megabytes(_: str) -> str:
        return f"{partial.stat().st_size / 1e6:.1f} MB" if partial.exists() else "connecting"

    step = LongStep(
        title="downloading the Temporal CLI",
        command=[sys.executable, "-P", __file__, str(cache)],
        folder=cache,
        env=env,
        doing=megabytes,
        patience=PATIENCE_SECONDS,
    )
    run(step, progress)
    return cache / DOWNLOADED


async def _download(folder: str) -> None:
    server = await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType]
        download_dest_dir=folder, dev_server_download_version=DOWNLOAD_VERSION
    )
    await server.shutdown()


def _main() -> int:
    try:
        asyncio.run(_download(sys.argv[1]))
    except RuntimeError as error:  # all that the SDK raises, be it the download or the start
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    exit_code = _main()
    sys.stderr.flush()
    os._exit(exit_code)  # the interpreter may crash on its way out (temporalio/sdk-python#300)

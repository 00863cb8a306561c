"""What takes minutes shows that it lives, and does not take for ever."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from typing_extensions import override

from forerun.workers.devserver.failure import CliUnusable
from forerun.workers.devserver.long_step import LongStep, run
from forerun.workers.devserver.sdk_download import download_with_sdk


def sleeping(patience: float, *, folder: Path, seconds: str = "60") -> LongStep:
    return LongStep(
        title="sleeping",
        command=["/bin/sleep", seconds],
        folder=folder,
        env={},
        doing=lambda _: "zzz",
        patience=patience,
    )


def test_a_stuck_step_is_given_up(tmp_path: Path) -> None:
    """A host that swallows every packet costs the patience of the step and no more."""
    with pytest.raises(CliUnusable, match=r"no progress for 0 s \(zzz\)"):
        run(sleeping(0.3, folder=tmp_path), io.StringIO())


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "written"),
    [
        (io.StringIO(), "sleeping · 0 s · zzz\n"),
        (Terminal(), "\r\x1b[Ksleeping · 0 s · zzz\r\x1b[K"),
    ],
)
def test_progress_fits_its_stream(stream: io.StringIO, written: str, tmp_path: Path) -> None:
    """A log gets whole lines; a terminal gets one line that is gone in the end."""
    run(sleeping(9, folder=tmp_path, seconds="0.1"), stream)
    assert stream.getvalue() == written


def test_the_real_download_fails_without_a_network(tmp_path: Path) -> None:
    """The SDK's failure comes back as the reason, and leaves nothing behind."""
    nowhere = "http://127.0.0.1:9"
    env = {"HOME": str(tmp_path), "HTTPS_PROXY": nowhere, "https_proxy": nowhere}
    with pytest.raises(CliUnusable, match=r"exit code 1: .*error sending request"):
        download_with_sdk(env, tmp_path, io.StringIO())
    assert list(tmp_path.iterdir()) == []

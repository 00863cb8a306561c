"""A project of somebody's, with a `workflows` and an `activities` of its own, and forerun in it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import sysconfig
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from forerun.workers.devserver.leash import leashed

ROOT = Path(__file__).parents[1]
USERS_FILES = {
    "workflows/__init__.py": "WHOSE = 'the user'\n",
    "workflows/agent_dag.py": "WHOSE = 'the user'\n",
    "activities/__init__.py": "",
    "activities/registry.py": "GREETING = 'Hello'\n",
    "my_ops.py": """
from activities.registry import GREETING
from forerun.activities.registration import Arguments, operation
from forerun.speculation.effect_class import EffectClass

class Greet(Arguments):
    name: str

@operation("my.greet", version="1", effect=EffectClass.PURE)
async def greet(arguments: Greet) -> str:
    return f"{GREETING}, {arguments.name}!"
""",
}


@dataclass(frozen=True, slots=True)
class Project:
    """Somebody's project, with a virtual environment in which forerun is installed."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, wheel: Path) -> Project:
        """With files of its own, and forerun from the wheel."""
        project = cls(folder)
        for name, text in USERS_FILES.items():
            file = project.folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        (project.folder / "home").mkdir()
        venv = project.folder / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        pip = [uv(), "pip"] if uv() else [sys.executable, "-m", "pip"]
        options = ["--quiet", "--no-deps", "--python", venv / "bin/python"]
        subprocess.run([*map(str, [*pip, "install", *options, wheel])], check=True)
        # Our own dependencies will do; our editable install is not among them, being itself a .pth.
        (project.site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
        return project

    @property
    def site_packages(self) -> Path:
        return next(self.folder.glob(".venv/lib/python*/site-packages"))

    @property
    def env(self) -> dict[str, str]:
        """No variable of ours, and a home where nothing is."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home")}

    def run(self, command: str, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """What a command of the virtual environment prints."""
        called = [self.folder / ".venv/bin" / command, *arguments]
        env = self.env | dict(env or {})
        done = subprocess.run(
            called, cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @asynccontextmanager
    async def worker(
        self, address: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> AsyncGenerator[Process]:
        """`forerun worker` for the length of the block."""
        process = await asyncio.create_subprocess_exec(
            *leashed([str(self.folder / ".venv/bin/forerun"), "worker", *arguments]),
            cwd=self.folder,
            env=self.env | {"TEMPORAL_ADDRESS": address} | dict(env or {}),
            stdout=PIPE,
        )
        try:
            yield process
        finally:
            process.terminate()
            await process.communicate()


def uv() -> str | None:
    """The uv on the PATH, or the one that make has fetched."""
    return shutil.which("uv", path=with_uv()["PATH"])


def with_uv() -> dict[str, str]:
    return {**os.environ, "PATH": f"{os.environ['PATH']}{os.pathsep}{ROOT / '.uv/bin'}"}

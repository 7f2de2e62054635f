"""A throw-away PostgreSQL server: its own folder, a Unix socket and no network, gone afterwards."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

# Ends the server and removes its folder when the standard input ends: also where the tests were killed.
_KEEPER = 'folder="$1"; shift; "$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf "$folder"'

_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")  # tests kill clients, not the machine


@dataclass
class Server:
    """A running server; `url` is its one database."""

    folder: Path
    bin: Path
    run_as: dict[str, Any]
    settings: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def url(self) -> str:
        return f"postgresql://seqkit@/seqkit?host={self.folder}"

    def fresh(self) -> str:
        """Make an empty schema and give the URL of a ledger in it: as good as a database of its own, and quicker."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"{self.url}&options={quote(f'-csearch_path={name}')}"

    def execute(self, *statements: str) -> None:
        engine = sa.create_engine(
            self.url.replace("postgresql://", "postgresql+psycopg://"),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
        )
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def start(self) -> None:
        options = ["listen_addresses=", "max_connections=60", *self.settings]
        command = [self.bin / "postgres", "-D", self.folder / "data", "-k", self.folder]
        program = [*command, *(part for option in options for part in ("-c", option))]
        with open(self.folder / "log", "ab") as log:
            self.process = process = subprocess.Popen(
                ["sh", "-c", _KEEPER, "keeper", str(self.folder), *map(str, program)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is for the tests
                **self.run_as,
            )
        deadline = time.monotonic() + 60
        while subprocess.run([self.bin / "pg_isready", "-q", "-h", self.folder], check=False).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            self.process = None


def find_binaries() -> Path | None:
    """Find the folder that has the server's programs: on the PATH, else where Debian keeps them."""
    beside = [found for found in (shutil.which("initdb"),) if found]
    for program in beside + sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True):
        folder = Path(os.path.realpath(program)).parent
        if (folder / "postgres").exists():
            return folder
    return None


def _nobody() -> dict[str, Any]:
    """Tell how to start the server: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody")


@contextlib.contextmanager
def temp_postgres(settings: tuple[str, ...] = _FAST) -> Iterator[Server]:
    """Start a server; `settings` are its options. FileNotFoundError where it is not installed."""
    binaries = find_binaries()
    if binaries is None:
        raise FileNotFoundError("no PostgreSQL server here: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has at most 107 bytes
    run_as: dict[str, Any] = _nobody()
    if run_as:
        os.chown(folder, run_as["user"], run_as["group"])
    run_as |= {"cwd": folder, "env": {"PATH": f"{binaries}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}}
    server = Server(folder, binaries, run_as, settings)
    try:
        made = subprocess.run(
            [binaries / "initdb", "-D", folder / "data", "-U", "seqkit", "-A", "trust", "--no-sync", "-E", "UTF8"],
            capture_output=True,
            text=True,
            check=False,
            **run_as,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stderr}")
        server.start()
        subprocess.run([binaries / "createdb", "-h", folder, "-U", "seqkit", "seqkit"], check=True, **run_as)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)

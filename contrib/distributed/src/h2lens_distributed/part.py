"""One task: one part of one capture point, or the merge of all its parts. Either is there when it is whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import fsspec

from .points import Point, is_remote


class PartError(RuntimeError):
    """A process failed; the message is its last line."""


@dataclass(frozen=True)
class _Source:
    """What a process reads: names, the directory that they are in, and what is streamed into `-`."""

    names: list[str]
    directory: str | None = None
    stdin: IO[bytes] | None = None


def analyze(h2lens: tuple[str, ...], point: Point, index: int, of: int, options: tuple[str, ...], out: str) -> str:
    """Writes part `index` of `of` to `out`; does nothing where it is there already.

    `out` is a file of NDJSON or, unless it is called so, a directory of Parquet files.
    """
    path = Path(out)
    is_ndjson = path.suffix == ".ndjson"
    if is_whole(path) if is_ndjson else path.is_dir():
        return out
    with _inputs(point) as source:
        # Files that options name are the worker's, wherever the process runs.
        own = [os.path.abspath(word) if os.path.isfile(word) else word for word in options]
        command = [*h2lens, *source.names, "--partition", f"{index}/{of}", "--threads", "1", *own]
        if is_ndjson:
            _into_file([*command, "-o", "ndjson"], path, source)
        else:
            _into_directory([*command, "-o", "parquet"], path, source)
    return out


def merge(h2lens: tuple[str, ...], parts: list[str], out: str) -> str:
    """Writes the one result of all parts to the file `out`."""
    _into_file([*h2lens, "merge", *parts], Path(out), _Source([]))
    return out


def is_whole(path: Path) -> bool:
    """Whether a part is there, to its last line."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            step = 1 << 16
            while True:
                file.seek(max(0, size - step))
                tail = file.read(step)
                line = tail[:-1].rfind(b"\n")
                if line >= 0 or step >= size:
                    return tail.endswith(b"\n") and tail[line + 1 :].startswith(b'{"record":"part"')
                step *= 4
    except FileNotFoundError:
        return False


def _into_file(command: list[str], path: Path, source: _Source) -> None:
    """Runs it; what it prints is a file that gets its name when the process has ended well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        with temporary.open("wb") as file:
            _run(command, path, file, source)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _into_directory(command: list[str], path: Path, source: _Source) -> None:
    """Runs it; what it writes is a directory that gets its name when the process has ended well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        _run([*command, "--output-dir", str(temporary)], path, subprocess.DEVNULL, source)
        os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def _run(command: list[str], path: Path, stdout: IO[bytes] | int, source: _Source) -> None:
    """Runs it; messages go to a log beside `path`. Raises PartError unless it ends well."""
    log = path.with_name(f"{path.name.removesuffix('.ndjson')}.log")
    environment = {name: value for name, value in os.environ.items() if name != "SSLKEYLOGFILE"}
    with log.open("wb") as messages:
        process = subprocess.Popen(
            command,
            cwd=source.directory,
            stdin=subprocess.PIPE if source.stdin else subprocess.DEVNULL,
            stdout=stdout,
            stderr=messages,
            env=environment,
        )
        feeder = _Feeder(source.stdin, process.stdin) if source.stdin and process.stdin else None
        status = process.wait()
        if feeder:
            feeder.join()
    if feeder and feeder.error:
        raise PartError(f"{path.name}: {feeder.error}")
    # 1 is an incomplete analysis with --strict: the records are whole all the same.
    if status not in (0, 1):
        last = log.read_text(errors="replace").strip().splitlines()[-1:] or [f"exit status {status}"]
        raise PartError(f"{path.name}: {last[0]}")


class _Feeder(threading.Thread):
    """Copies one stream into another until either ends."""

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.source, self.sink, self.error = source, sink, ""
        self.start()

    def run(self) -> None:
        try:
            with self.sink:
                shutil.copyfileobj(self.source, self.sink, 1 << 20)
        except BrokenPipeError:
            pass
        except Exception as error:  # whatever a store raises: it is told of with the task
            self.error = f"{type(error).__name__}: {error}"


@contextlib.contextmanager
def _inputs(point: Point) -> Iterator[_Source]:
    """One remote file is streamed. Several are copied for the time of the task: the secrets of all are read before the packets."""
    if not any(is_remote(path) for path in point.inputs):
        yield _Source(list(point.inputs))
    elif len(point.inputs) == 1:
        with fsspec.open(point.inputs[0], "rb") as remote:
            yield _Source(["-"], stdin=remote)
    else:
        with tempfile.TemporaryDirectory(prefix="h2lens-") as directory:
            names = [os.path.basename(path.partition("::")[0]) for path in point.inputs]
            if len(set(names)) < len(names):
                names = [f"{number:06}-{name}" for number, name in enumerate(names)]
            for path, name in zip(point.inputs, names, strict=True):
                with fsspec.open(path, "rb") as remote, open(os.path.join(directory, name), "wb") as copy:
                    shutil.copyfileobj(remote, copy, 1 << 20)
            # Records name their inputs: they are told without the directory, which is another one for each part.
            yield _Source([f"./{name}" for name in names], directory)

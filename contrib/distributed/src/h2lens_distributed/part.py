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
from pathlib import Path
from typing import IO

import fsspec

from .points import Point, is_remote


class PartError(RuntimeError):
    """A process failed; the message is its last line."""


def analyze(h2lens: tuple[str, ...], point: Point, index: int, of: int, options: tuple[str, ...], out: str) -> str:
    """Writes part `index` of `of` to `out`; does nothing where it is there already.

    `out` is a file of NDJSON or, unless it is called so, a directory of Parquet files.
    """
    path = Path(out)
    is_ndjson = path.suffix == ".ndjson"
    if is_whole(path) if is_ndjson else path.is_dir():
        return out
    with _inputs(point) as (inputs, stdin):
        command = [*h2lens, *inputs, "--partition", f"{index}/{of}", "--threads", "1", *options]
        if is_ndjson:
            _into_file([*command, "-o", "ndjson"], path, stdin)
        else:
            _into_directory([*command, "-o", "parquet"], path, stdin)
    return out


def merge(h2lens: tuple[str, ...], parts: list[str], out: str) -> str:
    """Writes the one result of all parts to the file `out`."""
    _into_file([*h2lens, "merge", *parts], Path(out), None)
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


def _into_file(command: list[str], path: Path, stdin: IO[bytes] | None) -> None:
    """Runs it; what it prints is a file that gets its name when the process has ended well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        with temporary.open("wb") as file:
            _run(command, path, file, stdin)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _into_directory(command: list[str], path: Path, stdin: IO[bytes] | None) -> None:
    """Runs it; what it writes is a directory that gets its name when the process has ended well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        _run([*command, "--output-dir", str(temporary)], path, subprocess.DEVNULL, stdin)
        os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def _run(command: list[str], path: Path, stdout: IO[bytes] | int, stdin: IO[bytes] | None) -> None:
    """Runs it; messages go to a log beside `path`. Raises PartError unless it ends well."""
    log = path.with_name(f"{path.name.removesuffix('.ndjson')}.log")
    environment = {name: value for name, value in os.environ.items() if name != "SSLKEYLOGFILE"}
    with log.open("wb") as messages:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=stdout,
            stderr=messages,
            env=environment,
        )
        feeder = _feed(stdin, process.stdin) if stdin and process.stdin else None
        status = process.wait()
        if feeder:
            feeder.join()
    # 1 is an incomplete analysis with --strict: the records are whole all the same.
    if status not in (0, 1):
        last = log.read_text(errors="replace").strip().splitlines()[-1:] or [f"exit status {status}"]
        raise PartError(f"{path.name}: {last[0]}")
    if feeder and feeder.error:
        raise PartError(f"{path.name}: {feeder.error}")


class _Feeder(threading.Thread):
    """Copies one stream into another until either ends."""

    def __init__(self, source: IO[bytes], sink: str | IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.source, self.sink, self.error = source, sink, ""

    def run(self) -> None:
        try:
            with self.source, open(self.sink, "wb") if isinstance(self.sink, str) else self.sink as sink:
                shutil.copyfileobj(self.source, sink, 1 << 20)
        except BrokenPipeError:
            pass
        except Exception as error:  # whatever a store raises: it is told of with the task
            self.error = f"{type(error).__name__}: {error}"


def _feed(source: IO[bytes], sink: str | IO[bytes]) -> _Feeder:
    feeder = _Feeder(source, sink)
    feeder.start()
    return feeder


@contextlib.contextmanager
def _inputs(point: Point) -> Iterator[tuple[list[str], IO[bytes] | None]]:
    """The arguments that name a point's files. Remote ones are streamed: one into `-`, several through named pipes."""
    if not any(is_remote(path) for path in point.inputs):
        yield list(point.inputs), None
        return
    opened = [fsspec.open(path, "rb").open() for path in point.inputs]
    if len(opened) == 1:
        yield ["-"], opened[0]
        return
    directory = tempfile.mkdtemp(prefix="h2lens-")
    feeders: list[tuple[_Feeder, str]] = []
    try:
        for number, source in enumerate(opened):
            name = os.path.join(directory, f"{number:06}-{os.path.basename(point.inputs[number].partition('::')[0])}")
            os.mkfifo(name)
            feeders.append((_feed(source, name), name))
        yield [name for _, name in feeders], None
        for feeder, _ in feeders:
            feeder.join()
            if feeder.error:
                raise PartError(f"{point.name}: {feeder.error}")
    finally:
        for feeder, name in feeders:
            # A pipe that nobody opened keeps its feeder waiting: whoever opens and closes it sets it free.
            while feeder.is_alive():
                os.close(os.open(name, os.O_RDONLY | os.O_NONBLOCK))
                feeder.join(timeout=0.1)
        shutil.rmtree(directory, ignore_errors=True)

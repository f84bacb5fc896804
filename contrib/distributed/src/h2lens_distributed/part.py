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
    """Writes part `index` of `of` to the file `out`; does nothing where it is there already."""
    path = Path(out)
    if is_whole(path):
        return out
    with _inputs(point) as (inputs, stdin):
        command = [*h2lens, *inputs, "-o", "ndjson", "--partition", f"{index}/{of}", "--threads", "1", *options]
        _run(command, path, stdin)
    return out


def merge(h2lens: tuple[str, ...], parts: list[str], out: str) -> str:
    """Writes the one result of all parts to the file `out`."""
    path = Path(out)
    if not path.exists() or any(os.path.getmtime(part) > os.path.getmtime(path) for part in parts):
        _run([*h2lens, "merge", *parts], path, None)
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


def _run(command: list[str], path: Path, stdin: IO[bytes] | None) -> None:
    """Runs it into a file that gets its name when the process has ended well; messages go to a log beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    log = path.with_suffix(".log")
    environment = {name: value for name, value in os.environ.items() if name != "SSLKEYLOGFILE"}
    try:
        with temporary.open("wb") as file, log.open("wb") as messages:
            feeder = None
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=file,
                stderr=messages,
                env=environment,
            )
            if stdin and process.stdin:
                feeder = _feed(stdin, process.stdin)
            status = process.wait()
            if feeder:
                feeder.join()
                if feeder.error:
                    raise PartError(f"{path.name}: {feeder.error}")
            file.flush()
            os.fsync(file.fileno())
        # 1 is an incomplete analysis with --strict: the records are whole all the same.
        if status not in (0, 1):
            last = log.read_text(errors="replace").strip().splitlines()[-1:] or [f"exit status {status}"]
            raise PartError(f"{path.name}: {last[0]}")
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


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
    feeders = []
    try:
        names = []
        for number, source in enumerate(opened):
            name = os.path.join(directory, f"{number:06}-{os.path.basename(point.inputs[number])}")
            os.mkfifo(name)
            names.append(name)
            feeders.append(_feed(source, name))
        yield names, None
        for feeder in feeders:
            feeder.join(timeout=60)
            if feeder.error:
                raise PartError(f"{point.name}: {feeder.error}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)

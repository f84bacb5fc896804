"""Capture points: one host's or tap's rotated files, which are one timeline."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from dataclasses import dataclass

import fsspec

#: What capture files are called; others in a directory are left out.
CAPTURE = re.compile(r"\.(pcap|pcapng|cap)(\d+)?(\.(gz|zst|lz4))?$", re.IGNORECASE)

#: What fsspec knows of a file that changes when the file does.
SIGNS = ("size", "mtime", "LastModified", "last_modified", "ETag", "etag", "md5Hash", "CRC")


@dataclass(frozen=True)
class Point:
    """A capture point: its name, and its files in order."""

    name: str
    inputs: tuple[str, ...]


def is_remote(path: str) -> bool:
    """Whether it is read through fsspec."""
    return "://" in path and not path.startswith(("file://", "local://"))


def expand(texts: list[str]) -> list[Point]:
    """The capture points that a directory, a glob, a file or an fsspec URL each means.

    Raises ValueError where one has no captures, or two have one name.
    """
    points: dict[str, Point] = {}
    for text in texts:
        inputs = sorted(_remote(text) if is_remote(text) else _local(text))
        if not inputs:
            raise ValueError(f"{text}: no captures")
        name = _name(text)
        if name in points:
            raise ValueError(f"{text} and another capture point are both called {name}: their results would be one file")
        points[name] = Point(name, tuple(inputs))
    return list(points.values())


def stamp(inputs: tuple[str, ...], *words: str) -> str:
    """Names files as they are now, and words, in twelve digits: others when a file is added, grows or is written anew.

    Words that are names of files stand for these, too.
    """
    digest = hashlib.sha256(repr(words).encode())
    for path in (*inputs, *(word for word in words if os.path.isfile(word))):
        if is_remote(path):
            system, inner = fsspec.core.url_to_fs(path)
            info = system.info(inner)
            signs = [str(info.get(sign)) for sign in SIGNS]
        else:
            status = os.stat(path)
            signs = [str(status.st_size), str(status.st_mtime_ns)]
        digest.update(repr((path, signs)).encode())
    return digest.hexdigest()[:12]


def _local(text: str) -> list[str]:
    path = text.removeprefix("file://").removeprefix("local://")
    if os.path.isdir(path):
        found = [os.path.join(path, name) for name in os.listdir(path) if CAPTURE.search(name)]
    else:
        found = [path] if os.path.isfile(path) else glob.glob(path)
    return [os.path.abspath(each) for each in found if os.path.isfile(each)]


def _remote(text: str) -> list[str]:
    """A chained URL (`zip://*.pcap::s3://…`) keeps what stands behind `::`."""
    system, path = fsspec.core.url_to_fs(text)
    if any(sign in path for sign in "*?["):
        found = system.glob(path)
    elif system.isdir(path):
        found = [each for each in system.ls(path, detail=False) if CAPTURE.search(each)]
    else:
        found = [path]
    _, chained, rest = text.partition("::")
    return [system.unstrip_protocol(each) + chained + rest for each in found]


def _name(text: str) -> str:
    """A file name that says which point it is: the last components that are no pattern."""
    path = text.replace("::", "/").split("://", 1)[-1].rstrip("/")
    parts = [part for part in path.split("/") if part not in ("", ".", "..") and not any(sign in part for sign in "*?[")]
    name = parts[-1] if parts else "captures"
    return re.sub(r"[^A-Za-z0-9._-]", "_", CAPTURE.sub("", name)) or "captures"

"""Runs a local cluster of two worker processes, and compares with one h2lens process, byte for byte.

H2LENS names the program; the capture is the repository's testdata.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from h2lens_distributed import Plan, expand, run
from h2lens_distributed.part import is_whole

REPOSITORY = Path(__file__).resolve().parents[3]
H2LENS = os.environ.get("H2LENS", str(REPOSITORY / "target/release/h2lens"))
CAPTURES = sorted((REPOSITORY / "testdata").glob("*.pcap"))
OPTIONS = ("-S", "transactions,connections,endpoints,telemetry")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A capture point: rotated files, one of which is cut off."""
    point = tmp_path / "host-a"
    point.mkdir()
    for number, capture in enumerate(CAPTURES):
        data = capture.read_bytes()
        (point / f"{number:02}.pcap").write_bytes(data if number else data[: len(data) * 2 // 3])
    return point


def whole(inputs: tuple[str, ...]) -> bytes:
    environment = {name: value for name, value in os.environ.items() if name != "SSLKEYLOGFILE"}
    return subprocess.run([H2LENS, *inputs, "-o", "ndjson", *OPTIONS], stdout=subprocess.PIPE, check=True, env=environment).stdout


def slow(tmp_path: Path) -> tuple[str, ...]:
    """The program, and time to kill its worker."""
    script = tmp_path / "slow"
    script.write_text(f'#!/bin/sh\ncase "$*" in *--partition*) sleep 1;; esac\nexec {H2LENS} "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return (str(script),)


@pytest.mark.parametrize("parts", [1, 3, 20])
def test_merged_parts_are_the_whole(client: Client, directory: Path, tmp_path: Path, parts: int) -> None:
    (point,) = expand([str(directory)])
    summary = run(Plan([point], tmp_path / "out", parts, OPTIONS, (H2LENS,)), client)
    assert not summary.failed
    result = Path(summary.results["host-a"]).read_bytes()
    assert result == whole(point.inputs)
    telemetry = json.loads(result.splitlines()[-1])
    assert summary.coverage["packets"] == telemetry["coverage"]["packets"] > 0


def test_a_killed_worker_changes_nothing(directory: Path, tmp_path: Path) -> None:
    (point,) = expand([str(directory)])
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        victim = next(iter(cluster.workers.values())).pid

        def kill() -> None:
            time.sleep(1.5)
            os.kill(victim, signal.SIGKILL)

        threading.Thread(target=kill, daemon=True).start()
        summary = run(Plan([point], tmp_path / "out", 6, OPTIONS, slow(tmp_path)), client)
    assert not summary.failed
    assert Path(summary.results["host-a"]).read_bytes() == whole(point.inputs)
    assert not list((tmp_path / "out").rglob("*.ndjson.tmp"))


def test_a_run_goes_on_where_it_was_stopped(client: Client, directory: Path, tmp_path: Path) -> None:
    points = expand([str(directory)])
    plan = Plan(points, tmp_path / "out", 4, OPTIONS, (H2LENS,))
    run(plan, client)
    parts = sorted((tmp_path / "out/parts").glob("*.ndjson"))
    kept, deleted = parts[0], parts[1]
    before = kept.stat().st_mtime_ns
    deleted.unlink()
    summary = run(plan, client)
    assert not summary.failed
    assert kept.stat().st_mtime_ns == before
    assert is_whole(deleted)
    assert Path(summary.results["host-a"]).read_bytes() == whole(points[0].inputs)


def test_half_a_part_is_made_anew(client: Client, directory: Path, tmp_path: Path) -> None:
    points = expand([str(directory)])
    plan = Plan(points, tmp_path / "out", 2, OPTIONS, (H2LENS,))
    run(plan, client)
    part = next((tmp_path / "out/parts").glob("*.ndjson"))
    part.write_bytes(part.read_bytes()[:-100])
    assert not is_whole(part)
    summary = run(plan, client)
    assert Path(summary.results["host-a"]).read_bytes() == whole(points[0].inputs)


def test_what_is_no_capture_fails_and_leaves_no_result(client: Client, tmp_path: Path) -> None:
    (tmp_path / "bad.pcap").write_bytes(b"no capture at all, but long enough to be looked at")
    points = expand([str(tmp_path / "bad.pcap")])
    summary = run(Plan(points, tmp_path / "out", 2, OPTIONS, (H2LENS,), retries=0), client)
    assert list(summary.failed) == ["bad"]
    assert not list((tmp_path / "out").glob("*.ndjson"))


def test_files_of_a_store_are_streamed(client: Client, directory: Path, tmp_path: Path) -> None:
    """`local://` is fsspec's own, and stands for any object store."""
    (local,) = expand([str(directory)])
    for text in (f"local://{directory}", f"local://{directory}/01.pcap"):
        (point,) = expand([text])
        summary = run(Plan([point], tmp_path / point.name, 2, ("-S", "transactions"), (H2LENS,)), client)
        assert not summary.failed, summary.failed
        lines = Path(summary.results[point.name]).read_bytes().splitlines()
        assert lines
    assert len(local.inputs) == len(CAPTURES)


def test_two_points_of_one_name_are_refused(directory: Path) -> None:
    with pytest.raises(ValueError, match="both called host-a"):
        expand([str(directory), str(directory)])
    with pytest.raises(ValueError, match="no captures"):
        expand([str(directory / "nothing*")])

"""Runs a local cluster of two worker processes, and compares with one h2lens process, byte for byte.

H2LENS names the program.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from captures import REPOSITORY, cut, damaged, packets, rotate
from distributed import Client, LocalCluster

from h2lens_distributed import Plan, expand, run
from h2lens_distributed.cli import main
from h2lens_distributed.part import PartError, is_whole, merge

H2LENS = os.environ.get("H2LENS", str(REPOSITORY / "target/release/h2lens"))
OPTIONS = ("-S", "transactions,connections,endpoints,telemetry")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A capture point: a capture in twenty pieces."""
    return rotate(packets(), tmp_path / "host-a")


@pytest.fixture
def damage(tmp_path: Path) -> Path:
    """The same with packets lost, and a piece that ends within a packet."""
    point = rotate(damaged(), tmp_path / "host-b")
    cut(point / "10.pcap")
    return point


def whole(directory: Path) -> bytes:
    """What one process prints."""
    environment = {name: value for name, value in os.environ.items() if name != "SSLKEYLOGFILE"}
    command = [H2LENS, str(directory), "-o", "ndjson", *OPTIONS]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, env=environment).stdout


def instead(tmp_path: Path, script: str) -> tuple[str, ...]:
    """A program that does something else before it is h2lens. `$part` is empty when parts are merged."""
    path = tmp_path / "instead"
    part = 'part=$(printf "%s" "$*" | sed -n "s|.*--partition \\([0-9]*\\)/.*|\\1|p")'
    path.write_text(f'#!/bin/sh\n{part}\n{script}\nexec {H2LENS} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return (str(path),)


def parts(out: Path) -> list[Path]:
    return sorted((out / "parts").glob("*.ndjson"))


@pytest.mark.parametrize("count", [1, 3, 20])
def test_merged_parts_are_the_whole(client: Client, directory: Path, tmp_path: Path, count: int) -> None:
    (point,) = expand([str(directory)])
    assert len(point.inputs) == 20
    summary = run(Plan([point], tmp_path / "out", count, OPTIONS, (H2LENS,)), client)
    assert not summary.failed
    result = Path(summary.results["host-a"]).read_bytes()
    assert result == whole(directory)
    telemetry = json.loads(result.splitlines()[-1])
    assert summary.coverage["packets"] == telemetry["coverage"]["packets"] == len(packets())


def test_so_are_those_of_a_damaged_capture(client: Client, damage: Path, tmp_path: Path) -> None:
    summary = run(Plan(expand([str(damage)]), tmp_path / "out", 8, OPTIONS, (H2LENS,)), client)
    assert not summary.failed
    assert Path(summary.results["host-b"]).read_bytes() == whole(damage)
    assert summary.coverage["damaged_inputs"] == 1
    assert summary.coverage["gap_bytes"] > 0


def test_a_killed_worker_changes_nothing(directory: Path, damage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        victim = next(iter(cluster.workers.values())).pid
        killed = threading.Event()

        def kill() -> None:
            while not parts(out):
                time.sleep(0.05)
            os.kill(victim, signal.SIGKILL)
            killed.set()

        threading.Thread(target=kill, daemon=True).start()
        slowly = instead(tmp_path, '[ -z "$part" ] || sleep 0.5')
        summary = run(Plan(expand([str(directory), str(damage)]), out, 6, OPTIONS, slowly), client)
        assert killed.is_set()
    assert not summary.failed
    for point in (directory, damage):
        assert Path(summary.results[point.name]).read_bytes() == whole(point)
    assert not list(out.rglob("*.tmp"))


def test_a_run_goes_on_where_it_was_stopped(client: Client, directory: Path, tmp_path: Path) -> None:
    plan = Plan(expand([str(directory)]), tmp_path / "out", 4, OPTIONS, (H2LENS,))
    run(plan, client)
    kept, deleted, short, _ = parts(plan.out)
    before = kept.stat().st_mtime_ns
    deleted.unlink()
    short.write_bytes(short.read_bytes()[:-100])
    assert not is_whole(short)
    summary = run(plan, client)
    assert not summary.failed
    assert kept.stat().st_mtime_ns == before
    assert is_whole(deleted) and is_whole(short)
    assert Path(summary.results["host-a"]).read_bytes() == whole(directory)


def test_parts_of_other_files_or_options_are_not_kept(client: Client, directory: Path, tmp_path: Path) -> None:
    last = directory / "19.pcap"
    data = last.read_bytes()
    last.unlink()
    out = tmp_path / "out"
    run(Plan(expand([str(directory)]), out, 2, OPTIONS, (H2LENS,)), client)
    last.write_bytes(data)
    for options in [OPTIONS, (*OPTIONS, "-H")]:
        summary = run(Plan(expand([str(directory)]), out, 2, options, (H2LENS,)), client)
        text = Path(summary.results["host-a"]).read_bytes()
        assert summary.coverage["packets"] == len(packets())
        assert (b'"headers"' in text) == ("-H" in options)
        assert len(parts(out)) == 2


def test_without_a_part_there_is_no_result(client: Client, directory: Path, tmp_path: Path) -> None:
    plan = Plan(expand([str(directory)]), tmp_path / "out", 3, OPTIONS, (H2LENS,))
    run(plan, client)
    made = [str(part) for part in parts(plan.out)]
    os.unlink(made[1])
    for given in [made, [made[0], made[2]]]:
        with pytest.raises(PartError, match="No such file|of 3 parts one is not there: 1"):
            merge((H2LENS,), given, str(tmp_path / "merged.ndjson"))
    assert not list(tmp_path.glob("*merged*ndjson*"))


def test_a_full_disk_fails_and_leaves_no_result(client: Client, directory: Path, tmp_path: Path) -> None:
    full = instead(tmp_path, f'[ "$part" != 1 ] || exec {H2LENS} "$@" > /dev/full')
    points = expand([str(directory)])
    summary = run(Plan(points, tmp_path / "out", 3, OPTIONS, full, retries=1), client)
    assert "No space left" in summary.failed["host-a"]
    assert not summary.results and not summary.coverage
    assert not list((tmp_path / "out").glob("*.ndjson"))
    assert len(parts(tmp_path / "out")) == 2
    # Once there is room, the rest is made.
    summary = run(Plan(points, tmp_path / "out", 3, OPTIONS, (H2LENS,)), client)
    assert Path(summary.results["host-a"]).read_bytes() == whole(directory)


def test_a_disk_that_is_full_for_a_while_changes_nothing(client: Client, directory: Path, tmp_path: Path) -> None:
    once = instead(tmp_path, f'[ -e {tmp_path}/tried-$part ] || {{ : > {tmp_path}/tried-$part; exec {H2LENS} "$@" > /dev/full; }}')
    summary = run(Plan(expand([str(directory)]), tmp_path / "out", 3, OPTIONS, once), client)
    assert not summary.failed
    assert Path(summary.results["host-a"]).read_bytes() == whole(directory)


def test_what_is_no_capture_fails_and_leaves_no_result(client: Client, tmp_path: Path) -> None:
    (tmp_path / "bad.pcap").write_bytes(b"no capture at all, but long enough to be looked at")
    points = expand([str(tmp_path / "bad.pcap")])
    summary = run(Plan(points, tmp_path / "out", 2, OPTIONS, (H2LENS,), retries=0), client)
    assert list(summary.failed) == ["bad"]
    assert not list((tmp_path / "out").glob("*.ndjson"))


def test_files_of_a_store_are_read(client: Client, directory: Path, tmp_path: Path) -> None:
    """An archive, read through fsspec, stands for any object store."""
    archive = tmp_path / "store.zip"
    with zipfile.ZipFile(archive, "w") as store:
        for file in sorted(directory.glob("*.pcap")):
            store.write(file, file.name)
        store.write(directory / "03.pcap", "alone/one.pcap")
    records = ("-S", "transactions,connections")
    for pattern, local in [("*.pcap", "."), ("alone/*.pcap", "03.pcap")]:
        (point,) = expand([f"zip://{pattern}::file://{archive}"])
        summary = run(Plan([point], tmp_path / pattern[:3], 2, records, (H2LENS,), retries=0), client)
        assert not summary.failed, summary.failed
        command = [H2LENS, local, "-o", "ndjson", *records]
        alone = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, check=True).stdout
        assert Path(summary.results[point.name]).read_bytes() == alone


def test_a_process_that_reads_no_more_leaves_nobody_waiting(client: Client, directory: Path, tmp_path: Path) -> None:
    archive = tmp_path / "store.zip"
    with zipfile.ZipFile(archive, "w") as store:
        store.writestr("one.pcap", (directory / "00.pcap").read_bytes() + bytes(1 << 20))
    points = expand([f"zip://one.pcap::file://{archive}"])
    summary = run(Plan(points, tmp_path / "out", 2, OPTIONS, ("false-here",), retries=0), client)
    assert len(summary.failed) == 1
    summary = run(Plan(points, tmp_path / "out", 2, OPTIONS, ("sh", "-c", "exit 3"), retries=0), client)
    assert list(summary.failed.values())[0].endswith("exit status 3")


def test_parquet_parts_have_all_rows_and_one_schema(client: Client, directory: Path, tmp_path: Path) -> None:
    plan = Plan(expand([str(directory)]), tmp_path / "out", 4, ("-S", "transactions,telemetry"), (H2LENS,), parquet=True)
    result = Path(run(plan, client).results["host-a"])
    files = sorted(result.glob("*/transactions.parquet"))
    assert len(files) == 4
    before = [file.stat().st_mtime_ns for file in files]
    run(plan, client)
    assert [file.stat().st_mtime_ns for file in files] == before
    assert not list((tmp_path / "out/parts").iterdir())
    tables = [parquet.read_table(file) for file in files]
    assert all(table.schema == tables[0].schema for table in tables)
    lines = [json.loads(line) for line in whole(directory).splitlines()]
    calls = [line for line in lines if line["record"] == "transaction"]
    assert sum(table.num_rows for table in tables) == len(calls)


def test_the_command_says_what_came_of_it(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"no capture at all, but long enough to be looked at")
    out = tmp_path / "out"
    words = ["run", "--workers", "2", "--parts", "2", "--retries", "0", "--h2lens", H2LENS, "--out", str(out)]
    assert main([*words, str(directory), str(bad), "--", *OPTIONS]) == 1
    summary = json.loads((out / "summary.json").read_text())
    assert json.loads(capsys.readouterr().out) == summary
    assert list(summary["results"]) == ["host-a"] and list(summary["failed"]) == ["bad"]
    assert summary["coverage"]["packets"] == len(packets())


def test_two_points_of_one_name_are_refused(directory: Path) -> None:
    with pytest.raises(ValueError, match="both called host-a"):
        expand([str(directory), str(directory)])
    with pytest.raises(ValueError, match="no captures"):
        expand([str(directory / "nothing*")])

"""Reports of 3 and of 1,000 servers in a fresh process: time, memory and sizes, each held against its limit.

    .venv/bin/python -P -m tests.benchmarks.report

Each case runs in a process of its own that has imported nothing yet, as at the end of a run. The first process
compiles the templates into an empty folder, as on a new machine; the others find them, as every later run does.

Limits hold for processor time: the work is one thread that waits for nothing but the disk, so on a quiet machine
it is the time that passes, and a busy one does not change it by as much.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

MIB = 1 << 20
LIMITS = {  # seconds, size of the page and of the record in bytes
    "demo": (0.1, 1 * MIB),
    "thousand": (3.0, 5 * MIB),
}


def measure(case: str, folder: Path, rows: int) -> dict[str, float]:
    """Write one report with its index over `rows` runs; times are of this process, imports included."""
    from tests.unit.reporting.sample import demo, row, thousand

    report = demo() if case == "demo" else thousand()
    earlier = [row(i) for i in range(rows)]
    began, began_cpu = perf_counter(), process_time()
    from orchestrator.reporting.history import row_of
    from orchestrator.reporting.write import PAGE, write, write_index

    paths = write(report, folder / case, folder / "templates")
    written = perf_counter()
    write_index(report.stack, folder / "history", earlier, [row_of(report)], folder / "templates")
    ended = perf_counter()
    return {
        "cpu_seconds": round(process_time() - began_cpu, 3),
        "seconds": round(ended - began, 3),
        "index_seconds": round(ended - written, 3),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "index_bytes": (folder / "history" / PAGE).stat().st_size,
        **{f"{name}_bytes": path.stat().st_size for name, path in paths.items()},
    }


def in_a_fresh_process(case: str, folder: Path, rows: int) -> dict[str, float]:
    """What `measure` found, in a process that starts from nothing."""
    argv = [sys.executable, "-P", "-m", "tests.benchmarks.report", case, str(folder), str(rows)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120, cwd=Path.cwd())
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> int:
    """Measure, print, and fail where a limit is broken."""
    if len(sys.argv) == 4:
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
        return 0
    broken = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cold = in_a_fresh_process("demo", folder, 20)
        print(f"demo, templates not compiled yet  {cold}")
        for case, rows in (("demo", 20), ("demo", 500), ("thousand", 500)):
            found = min(
                (in_a_fresh_process(case, folder, rows) for _ in range(3)), key=lambda f: f["cpu_seconds"]
            )
            print(f"{case}, index of {rows} runs  {found}")
            seconds, size = LIMITS[case]
            broken += (
                [f"{case}: {found['cpu_seconds']} s, {seconds} allowed"]
                if found["cpu_seconds"] > seconds and rows < 500
                else []
            )
            for form in ("html", "json"):
                found_size = found[f"{form}_bytes"]
                broken += [f"{case}: {form} of {found_size} bytes"] if found_size > size else []
    print("\n".join(broken) or "inside every limit")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

"""Sent to a host on standard input: restic with the host's own repository, or its tool, timed there.

Prints {"seconds": N}. One clock around both programs: neither side counts SSH, and each begins with what was
written before it on the disk.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

SETTINGS = Path("/etc/steward/backup")
RESTIC = "/usr/local/lib/steward/restic"
TOOL = "/usr/local/sbin/steward-backup"
TARGET = "/var/tmp/benchmark-restore"  # on a host of the benchmark, removed at once


def main() -> None:
    """Back up a path, or restore the newest snapshot of it, as a person would by hand; or run our tool."""
    verb, path = sys.argv[1:]
    known = json.loads((SETTINGS / "repository.json").read_text())
    environment = {
        **os.environ,
        "RESTIC_REPOSITORY": f"rest:{known['url']}",
        "RESTIC_REST_USERNAME": known["user"],
        "RESTIC_REST_PASSWORD": known["http_password"],
        "RESTIC_PASSWORD_FILE": str(SETTINGS / "repository.password"),
        "RESTIC_CACERT": str(SETTINGS / "vault.crt"),
        "HOME": "/root",
    }
    latest = ["restore", "latest", "--quiet", "--tag", "benchmark", "--target", TARGET]
    ours = ["--plan", path, "--run", "benchmark"]
    argv = {
        "backup": [RESTIC, "--retry-lock", "5m", "backup", "--quiet", "--tag", "benchmark", path],
        "restore": [RESTIC, "--retry-lock", "5m", *latest],
        "restore-verify": [RESTIC, "--retry-lock", "5m", *latest, "--verify"],
        "our-backup": [TOOL, "run", *ours],
        "our-restore": [TOOL, "restore", *ours, "--target", TARGET],
    }[verb]
    shutil.rmtree(TARGET, ignore_errors=True)
    os.sync()
    began = time.perf_counter()
    subprocess.run(argv, env=environment, check=True, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - began
    shutil.rmtree(TARGET, ignore_errors=True)
    print(json.dumps({"seconds": took}))


main()

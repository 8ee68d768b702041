"""Sent to a host on standard input: bare restic with the host's own repository, timed. Prints {"seconds": N}."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

SETTINGS = Path("/etc/steward/backup")
RESTIC = "/usr/local/lib/steward/restic"
TARGET = "/var/tmp/bare-restore"  # on a host of the benchmark, removed at once


def main() -> None:
    """Back up a path, or restore the newest snapshot of it, as a person would by hand."""
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
    words = {
        "backup": ["backup", "--quiet", "--tag", "benchmark", path],
        "restore": ["restore", "latest", "--quiet", "--tag", "benchmark", "--target", TARGET],
        "restore-verify": [
            "restore",
            "latest",
            "--quiet",
            "--verify",
            "--tag",
            "benchmark",
            "--target",
            TARGET,
        ],
    }[verb]
    shutil.rmtree(TARGET, ignore_errors=True)
    began = time.perf_counter()
    subprocess.run(
        [RESTIC, "--retry-lock", "5m", *words], env=environment, check=True, stdout=subprocess.DEVNULL
    )
    took = time.perf_counter() - began
    shutil.rmtree(TARGET, ignore_errors=True)
    print(json.dumps({"seconds": took}))


main()

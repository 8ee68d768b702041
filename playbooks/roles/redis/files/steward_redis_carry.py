"""Before Redis restarts with another kind of persistence: make what it holds ready for the new kind to read.

Run on the host as root with the new kind: append_only, snapshots or none. The configuration from before still holds and
says how to reach the server. Redis reads at its start only what the configured kind wrote, so the running one begins to
write that too, and goes on with it until it stops: nothing is lost in between. Prints `carried` or `nothing to carry`.
"""

import os
import subprocess
import sys
import time

CONFIGURATION = "/etc/redis/redis.conf"
LONGEST_SECONDS = 600
TURN_ON = {"append_only": ("appendonly", "yes"), "snapshots": ("save", "900 1 300 100 60 10000")}
"""Redis writes an append-only file at once and goes on with it; with save points it writes a snapshot as it stops."""


def settings(text):
    """First words of the configuration's lines with the rest."""
    lines = (line.strip().partition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: value.strip().strip('"') for name, _, value in lines if name}


def kind(known):
    """The kind of persistence that a configuration asks for."""
    if known.get("appendonly") == "yes":
        return "append_only"
    return "snapshots" if known.get("save") else "none"


class Redis:
    """The running server, asked by its own client; the password goes by the environment."""

    def __init__(self, known):
        tls = ["--tls", "--cacert", known["tls-ca-cert-file"]] if "tls-port" in known else []
        self.argv = ["redis-cli", "-h", "127.0.0.1", "-p", known.get("tls-port") or known["port"], *tls]
        self.environment = {**os.environ, "REDISCLI_AUTH": known.get("requirepass", "")}

    def ask(self, *words):
        """One command's answer; ends the program where Redis refuses it."""
        done = subprocess.run(
            [*self.argv, "-e", *words], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode != 0:
            sys.exit(f"redis refused {words[0]} {words[1] if len(words) > 1 else ''}: {(done.stderr or done.stdout)[-300:]}")
        return done.stdout

    def persistence(self):
        """What Redis says of its files, by name."""
        lines = self.ask("INFO", "persistence").splitlines()
        return dict(line.strip().split(":", 1) for line in lines if ":" in line)


def is_up():
    """Whether there is a server whose keys could be lost."""
    return subprocess.run(["systemctl", "is-active", "--quiet", "redis-server"], check=False).returncode == 0


def written(redis):
    """Wait until the append-only file holds everything; ends the program where it cannot be written."""
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until:
        seen = redis.persistence()
        if seen.get("aof_last_bgrewrite_status") != "ok":
            sys.exit("redis could not write its append-only file: is /var/lib/redis full? It still keeps its keys as before.")
        if seen.get("aof_rewrite_in_progress") == seen.get("aof_rewrite_scheduled") == "0":
            return
        time.sleep(0.1)
    sys.exit(f"redis did not write its append-only file within {LONGEST_SECONDS} s. It still keeps its keys as before.")


def main(wanted):
    """Nothing to do where the kind stays, nothing ran, or nothing is to be kept."""
    try:
        with open(CONFIGURATION, encoding="utf-8") as file:
            known = settings(file.read())
    except FileNotFoundError:
        known = {}
    if not known or wanted not in TURN_ON or kind(known) == wanted or not is_up():
        return "nothing to carry"
    redis = Redis(known)
    redis.ask("CONFIG", "SET", *TURN_ON[wanted])
    if wanted == "append_only":
        written(redis)
    return "carried"


if __name__ == "__main__":
    print(main(sys.argv[1]))

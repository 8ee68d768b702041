"""Ten thousand records are judged, each signature too, in a few seconds."""

from __future__ import annotations

import base64
import hashlib
import struct
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from orchestrator.evidence.record import canonical, make_line, read_line, signed_bytes, written_time
from orchestrator.evidence.sshsig import EVIDENCE, sign
from orchestrator.evidence.verdict import Fault
from tests.unit.orchestrator.evidence.chains import Bench, bench_at
from tests.unit.orchestrator.evidence.test_verify import first

RECORDS = 10_000


def signer(path: Path, public: str) -> Callable[[bytes], str]:
    """As ssh-keygen signs, without a process for each of ten thousand."""
    key = load_ssh_private_key(path.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)

    def packed(*parts: bytes) -> bytes:
        return b"".join(struct.pack(">I", len(part)) + part for part in parts)

    def made(content: bytes) -> str:
        digest = hashlib.sha512(content).digest()
        blob = key.sign(b"SSHSIG" + packed(EVIDENCE.encode(), b"", b"sha512", digest))
        parts = (base64.b64decode(public.split()[1]), EVIDENCE.encode(), b"", b"sha512")
        whole = packed(*parts, packed(b"ssh-ed25519", blob))
        return base64.b64encode(b"SSHSIG" + struct.pack(">I", 1) + whole).decode()

    return made


def grown(bench: Bench, count: int) -> None:
    """The chain with so many records more."""
    (path,) = (each for each in bench.folder.signing_keys.iterdir() if each.suffix != ".pub")
    public = str(bench.records()[0].body["public_key"])
    made = signer(path, public)
    assert made(b"x\n") == sign(path, EVIDENCE, b"x\n"), "the same signature as that of ssh-keygen"
    last, lines = bench.records()[-1], []
    for _ in range(count):
        bench.clock.move(timedelta(minutes=5))
        values = {
            "number": last.number + 1,
            "previous": last.sha256,
            "ended_at": written_time(bench.clock.now()),
        }
        values["monotonic_ms"] = last.record["monotonic_ms"] + 300_000
        record = canonical({**last.record, **values})
        lines.append(make_line(record, made(signed_bytes(record))))
        last = read_line(lines[-1][:-1])
    bench.put([*bench.lines(), *lines])


def test_ten_thousand_records_are_judged_in_a_few_seconds(tmp_path: Path) -> None:
    bench = bench_at(tmp_path / "home")
    bench.runs(1)
    grown(bench, RECORDS - 2)
    began = time.monotonic()
    verdict = bench.verify()
    took = time.monotonic() - began
    assert verdict.ok, verdict.problems
    assert verdict.records == RECORDS
    assert took < 20, "a few seconds on a quiet machine"
    lines = bench.lines()
    lines[7_000] = lines[7_000].replace(b'"exit_code":0', b'"exit_code":1')
    bench.put(lines)
    assert first(bench.verify()) == (7_000, Fault.EDITED)
    del lines[6_000]
    bench.put(lines)
    assert first(bench.verify()) == (6_000, Fault.DELETED)
    bench.put([*bench.lines()[:5_000]])
    began = time.monotonic()
    bench.runs(1, begin=1)
    assert time.monotonic() - began < 5, "a run that ends does not read the whole chain closely"

"""A stack's passphrase and admin key: made once, kept privately, in the form that others read."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

from orchestrator.provisioning.credentials import ensure_admin_key, ensure_passphrase


def test_a_passphrase_is_made_once(tmp_path: Path) -> None:
    path = ensure_passphrase(tmp_path / "keys" / "acme-demo")
    first = path.read_text()
    assert len(first.strip()) >= 40
    assert ensure_passphrase(path.parent).read_text() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_openssh_reads_the_key_and_agrees_on_its_public_half(tmp_path: Path) -> None:
    key = ensure_admin_key(tmp_path, "acme-demo")
    read = subprocess.run(["ssh-keygen", "-y", "-f", key.private], capture_output=True, text=True, check=True)
    assert read.stdout.split()[:2] == key.public_text().split()[:2]
    assert key.public_text().endswith(" steward@acme-demo")
    assert stat.S_IMODE(key.private.stat().st_mode) == 0o600


def test_a_key_is_made_once_and_again_when_half_of_it_is_lost(tmp_path: Path) -> None:
    first = ensure_admin_key(tmp_path, "acme-demo").public_text()
    assert ensure_admin_key(tmp_path, "acme-demo").public_text() == first
    (tmp_path / "ssh" / "id_ed25519").unlink()
    again = ensure_admin_key(tmp_path, "acme-demo")
    assert again.public_text() != first

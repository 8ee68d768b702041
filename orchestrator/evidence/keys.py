"""The signing keys of a chain: which one is in force, by the chain's own records."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import ToolError
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.record import Kind, Line
from orchestrator.evidence.sshsig import EVIDENCE, fingerprint, make_key, public_key_of, sign


@dataclass(frozen=True)
class KeyPair:
    """A key of which the private half lies here."""

    path: Path
    public: str

    def sign(self, content: bytes) -> str:
        """Sign a record, by ssh-keygen."""
        return sign(self.path, EVIDENCE, content)


class SigningKeys:
    """Private keys of one chain, each in a file named by its fingerprint.

    A new one is a draft until a record brought it: so a name that no record knows tells of lost records.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self) -> KeyPair:
        """A new pair, as a draft."""
        return KeyPair(self._draft, make_key(self._draft))

    def adopt(self, public: str) -> KeyPair:
        """A record brought the draft: it gets its name. One that has it already keeps it."""
        path, half = self._place(public), self._draft.with_name("draft.pub")
        if not path.exists() and half.exists() and public_key_of(half.read_text()) == public:
            path.with_name(path.name + ".pub").write_bytes(half.read_bytes())
            path.with_name(path.name + ".pub").chmod(0o600)
            self._draft.rename(path)
            half.unlink()
        return KeyPair(path, public)

    def unknown(self, told: Collection[str]) -> list[str]:
        """Fingerprints of keys that lie here and are not among these: records brought them, and are gone."""
        known = {_file_name(name) for name in told}
        here = {path.name.removesuffix(".pub") for path in self._folder.glob("SHA256-*")}
        return sorted(name.replace("SHA256-", "SHA256:").replace("_", "/") for name in here - known)

    def pair(self, public: str) -> KeyPair:
        """The pair of a public key; raises ToolError where the private half is gone."""
        path = self.adopt(public).path
        if not path.exists():
            raise ToolError(
                "evidence", "the signing key in force is not here", place=str(path), got=fingerprint(public),
                next_step="Bring it back from your copy of STEWARD_HOME/keys. When it is lost for good: "
                "steward evidence rotate --lost --reason WHY",
            )  # fmt: skip
        return KeyPair(path, public)

    def forget_but(self, public: str) -> None:
        """Delete private halves of keys that are not in force; public ones stay."""
        for path in self._folder.glob("SHA256-*"):
            if path.suffix != ".pub" and path != self._place(public):
                path.unlink(missing_ok=True)

    @property
    def _draft(self) -> Path:
        return self._folder / "draft"

    def _place(self, public: str) -> Path:
        return self._folder / _file_name(fingerprint(public))


def _file_name(name: str) -> str:
    return name.replace("SHA256:", "SHA256-").replace("/", "_")


def key_in_force(chain: ChainFile) -> str:
    """The public key that must sign the next record; '' for a chain without records."""
    return last_key(chain.key_lines())


def last_key(lines: Iterable[Line]) -> str:
    """The key that the newest record about keys puts in force, '' when there is none."""
    found = ""
    for line in lines:
        if line.kind in (Kind.KEY_CREATED, Kind.KEY_ROTATED):
            found = public_key_of(str(line.body.get("public_key", "")))
    return found

"""An anchor by time stamps (RFC 3161): an authority signs that a head was there at a time.

The stamps lie beside the chain, so whoever owns this machine can take them away, and a truncation stays for
other anchors to see. They cannot be made later: a chain that was written anew has none of its own times.
`openssl ts` asks and checks, as an auditor would.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Final
from urllib.parse import urlsplit

from orchestrator.errors import InputError, ToolError
from orchestrator.evidence.anchors import head_line, read_head
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.folder import EvidenceFolder, sync_folder
from orchestrator.evidence.standing import STAMPS
from orchestrator.parallel import for_each
from orchestrator.ports.evidence import AnchorReceipt, Head, Kept
from orchestrator.private_file import write_private
from orchestrator.process import run

_SECONDS: Final = 20.0
_LARGEST_BYTES: Final = 64 << 10
_AT_ONCE: Final = 4
_TOLERANCE: Final = timedelta(hours=1)
"""Between the end of a record and its stamp: a run asks for it at its end, and two clocks may differ."""
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_ANCHORED: Final = f'"anchor":"{STAMPS}'.encode()
_STAMPED: Final = re.compile(rb'"head":(\d+),')
_TIME: Final = re.compile(r"^Time stamp: (\w{3} +\d+ [\d:]{8})(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE)


class TimestampAnchor:
    """Implements `ports.evidence.Anchor` for the chain of one folder.

    `url`: of the authority, '' where stamps are only checked. `trusted`: certificates (PEM) of those that may
    vouch for it.
    """

    def __init__(self, url: str, trusted: Path | None, folder: EvidenceFolder) -> None:
        if url and urlsplit(url).scheme not in ("http", "https"):
            raise InputError(
                "STEWARD_TSA", "expected the http or https address of a time stamp authority", got=url
            )
        if trusted is None or not trusted.is_file():
            raise InputError(
                "STEWARD_TSA_CA", "is no file, so that no stamp could be believed", got=str(trusted or ""),
                next_step="Name a file with the authority's root certificate in PEM.",
            )  # fmt: skip
        self._url, self._trusted, self._folder = url, trusted, folder

    @property
    def name(self) -> str:
        """By the authority's host."""
        return f"{STAMPS} of {urlsplit(self._url).hostname}" if self._url else STAMPS

    def publish(self, head: Head) -> AnchorReceipt:
        """Have the head stamped, check the answer as a stranger's, and keep it."""
        said = head_line(head)
        with tempfile.TemporaryDirectory(prefix="steward-stamp-") as room:
            query, answer = Path(room) / "query", Path(room) / "answer"
            (Path(room) / "head").write_bytes(said)
            _openssl("-query", "-data", f"{room}/head", "-sha256", "-cert", "-out", str(query))
            answer.write_bytes(self._asked(query.read_bytes()))
            at = self._checked(answer, "-queryfile", str(query))
            _in_time(self.name, head, at)
            stamp = answer.read_bytes()
        place = self._folder.stamps / f"{head.number:08d}-{head.sha256[:16]}"
        write_private(place.with_suffix(".tsr"), stamp)
        write_private(place.with_suffix(".json"), said)
        sync_folder(self._folder.stamps)
        return AnchorReceipt(self.name, f"{at:%Y-%m-%dT%H:%M:%SZ}")

    def kept(self, chain: str) -> Kept:
        """All heads that are stamped: the authority's signature vouches, wherever it lies."""
        return Kept(self.heads(chain))

    def heads(self, chain: str) -> Sequence[Head]:
        """All heads whose stamps hold; raises ToolError where one does not, or is gone but in the chain."""
        kept = sorted(self._folder.stamps.glob("*.json"))
        there = {path.name.split("-")[0] for path in kept}
        gone = [number for number in self._stamped() if f"{number:08d}" not in there]
        if gone:
            step = "Bring it back, or see who took it."
            raise ToolError(
                "time stamp", f"of record {gone[0]} is gone", place=str(self._folder.stamps), next_step=step
            )
        found = for_each(kept, self._read, at_once=_AT_ONCE)
        return [head for head in found if head is not None and head.chain == chain]

    def _stamped(self) -> Iterator[int]:
        """Records that were stamped, as the chain says; whether it says the truth is for others to judge."""
        for raw in ChainFile(self._folder.chain).raw_lines():
            told = _STAMPED.search(raw) if _ANCHORED in raw else None
            if told:
                yield int(told[1])

    def _read(self, path: Path, stopping: Event) -> Head | None:
        if stopping.is_set():
            return None
        said, stamp = path.read_bytes()[:_LARGEST_BYTES], path.with_suffix(".tsr")
        head = read_head(said)
        if head is None:
            raise ToolError("time stamp", "is for no head of a chain", place=str(path), got=repr(said[:80]))
        if not stamp.is_file():
            raise ToolError(
                "time stamp", "is gone", place=str(stamp), next_step="Bring it back, or see who took it."
            )
        _in_time(str(stamp), head, self._checked(stamp, "-data", str(path)))
        return head

    def _checked(self, stamp: Path, *against: str) -> datetime:
        """The time that the stamp bears, once it is for this and by somebody trusted; raises ToolError."""
        said = _openssl("-reply", "-in", str(stamp), "-text")
        found = _TIME.search(said)
        if found is None:
            raise ToolError("time stamp", "was refused by the authority", got=_refusal(said))
        at = datetime.strptime(f"{found[1]} {found[2]}", "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        # At its own time: a certificate that ran out since takes nothing from what it signed before.
        _openssl(
            "-verify", "-in", str(stamp), *against, "-CAfile", str(self._trusted),
            "-attime", str(int(at.timestamp())),
        )  # fmt: skip
        return at

    def _asked(self, query: bytes) -> bytes:
        import urllib.request  # with TLS and mail parsers behind it, and few installations have an authority
        from http.client import HTTPException

        request = urllib.request.Request(  # noqa: S310  # http or https, by the constructor
            self._url, data=query, headers={"Content-Type": _QUERY, "Accept": _REPLY, "User-Agent": "steward"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                kind, body = answer.headers.get_content_type(), answer.read(_LARGEST_BYTES + 1)
        except (OSError, HTTPException) as problem:
            raise ToolError(self.name, f"nobody answered: {problem}", place=self._url) from problem
        if kind != _REPLY or len(body) > _LARGEST_BYTES:
            raise ToolError(
                self.name,
                "gave no time stamp",
                place=self._url,
                rule=_REPLY,
                got=f"{kind}, {len(body)} bytes",
            )
        return bytes(body)


def _in_time(name: str, head: Head, at: datetime) -> None:
    """A head is stamped when its run ends; much later is what a chain that was written anew would get."""
    ended = datetime.fromisoformat(head.at)
    if abs(at - ended) > _TOLERANCE:
        raise ToolError(
            name, f"record {head.number} was not stamped when it was written", rule=f"within {_TOLERANCE}",
            got=f"ended {head.at}, stamped {at:%Y-%m-%dT%H:%M:%SZ}",
            next_step="Set the clock, or see who wrote this chain anew: steward evidence verify",
        )  # fmt: skip


def _openssl(*words: str) -> str:
    return run(["openssl", "ts", *words], timeout=_SECONDS).stdout


def _refusal(said: str) -> str:
    """`Status description` and `Failure info` of an answer without a stamp."""
    lines = [line.strip() for line in said.splitlines() if line.startswith(("Status", "Failure"))]
    return "; ".join(lines)[:200] or "no time"

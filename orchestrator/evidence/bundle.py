"""The auditor's bundle: a tar file that verifies with sha256sum and ssh-keygen, the same bytes each time."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from typing import Final

from orchestrator.errors import InputError, StewardError
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.documents import Document
from orchestrator.evidence.folder import EvidenceFolder
from orchestrator.evidence.keys import SigningKeys, last_key
from orchestrator.evidence.payloads import PayloadStore, load_key
from orchestrator.evidence.period import Period
from orchestrator.evidence.record import Kind, Line, written_time
from orchestrator.evidence.sshsig import EVIDENCE, EXPORT, PRINCIPAL, REVIEW, armoured, read_signature, sign
from orchestrator.evidence.standing import Standing, standing_of
from orchestrator.evidence.tables import files_of, tables_of
from orchestrator.ports.evidence import Anchor, Head

SAMPLE: Final = 25
_SEED: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")


@dataclass(frozen=True)
class Bundle:
    """The bytes of the tar file, with what a person wants to know of it."""

    name: str
    content: bytes
    head: str
    records: int
    documents: int
    erased: int
    seed: str

    @property
    def sha256(self) -> str:
        """Digest of the whole file."""
        return hashlib.sha256(self.content).hexdigest()


def export(
    folder: EvidenceFolder,
    period: Period,
    anchors: Sequence[Anchor] = (),
    *,
    seed: str = "",
    sample: int = SAMPLE,
) -> Bundle:
    """The bundle of one chain and period; its seed is the head of the chain unless one is given.

    Raises StewardError for a chain without records, for a payload that cannot be opened, and for a seed that
    is more than letters, digits, `.`, `_` and `-`: people paste it into shells.
    """
    if seed and not _SEED.fullmatch(seed):
        raise InputError(
            "--seed", "is no plain word", got=seed[:80], rule="letters, digits, '.', '_' and '-'"
        )
    chain = ChainFile(folder.chain)
    lines = list(chain.lines())
    if not lines:
        raise InputError("evidence", "there is no record to export", place=str(folder.chain))
    standing = standing_of(lines)
    documents = list(_documents(folder, client_of(lines), period, standing))
    seed = seed or lines[-1].sha256
    made = {
        "chain.jsonl": b"".join(raw + b"\n" for raw in islice(chain.raw_lines(), len(lines))),
        "allowed_signers": _signers(lines),
        "period.txt": f"{written_time(period.begin)} {written_time(period.end)}\n".encode(),
        "anchors.txt": _anchored(folder.id, lines, anchors),
        "sample.txt": f"{seed} {sample}\n".encode(),
        "verify.sh": _ours("verify.sh"),
        "README.md": _readme(folder, period, lines, seed, sample),
        **_payload_files(documents),
        **_review_files(lines),
        **{f"stamps/{path.name}": path.read_bytes() for path in sorted(folder.stamps.glob("*.*"))},
        **files_of(tables_of(folder.name, period, lines, documents, seed, sample)),
    }
    made["SHA256SUMS"] = _sums(made)
    key = SigningKeys(folder.signing_keys).pair(last_key(lines))
    made["SHA256SUMS.sig"] = armoured(sign(key.path, EXPORT, made["SHA256SUMS"])).encode()
    name = f"evidence-{folder.name}-{period.name}"
    return Bundle(
        name=f"{name}.tar",
        content=_tar(name, made, int(lines[-1].ended_at().timestamp())),
        head=lines[-1].sha256,
        records=len(lines),
        documents=sum(each.content is not None for each in documents),
        erased=sum(each.content is None for each in documents),
        seed=seed,
    )


def client_of(lines: Sequence[Line]) -> str:
    """The id of the client whose key the payloads have; '' while there is none."""
    return next((str(line.body.get("client", "")) for line in lines if line.kind == Kind.PAYLOAD_KEY), "")


def _documents(
    folder: EvidenceFolder, client_id: str, period: Period, standing: Standing
) -> Iterator[Document]:
    store, key = PayloadStore(folder.payloads, folder.id), load_key(folder.payload_key(client_id))
    for line, payload in standing.payloads:
        if not period.has(line.ended_at()):
            continue
        if payload.sha256 in standing.tombstones:
            yield Document(line, payload)
        else:
            yield Document(line, payload, *store.get(key, payload))


def _payload_files(documents: Sequence[Document]) -> dict[str, bytes]:
    """Each document with its salt, and the list that ties them to records."""
    made: dict[str, bytes] = {}
    index = []
    for number, each in enumerate(documents):
        payload = each.payload
        if each.content is None:
            index.append(f"{payload.commitment} erased {payload.sha256} - -")
            continue
        plain = payload.name if _PLAIN.fullmatch(payload.name) else f"document-{number}"
        path = f"payloads/{each.line.number}/{plain}"
        path = path if path not in made else f"payloads/{each.line.number}/document-{number}"
        made |= {path: each.content, f"{path}.salt": each.salt}
        index.append(f"{payload.commitment} here {payload.sha256} {path}.salt {path}")
    made["payloads.txt"] = _text(index)
    return made


def _review_files(lines: Sequence[Line]) -> dict[str, bytes]:
    """What reviewers signed; their keys are those that were in allowed_signers at the time."""
    made: dict[str, bytes] = {}
    index, signers = [], []
    for line in lines:
        if line.kind == Kind.REVIEW:
            signature, reviewer = str(line.body["signature"]), str(line.body["reviewer"])
            made[f"reviews/{line.number}.json"] = str(line.body["statement"]).encode()
            made[f"reviews/{line.number}.sig"] = armoured(signature).encode()
            index.append(f"{line.number} {reviewer}")
            signers.append(f'{reviewer} namespaces="{REVIEW}" {read_signature(signature).key}')
    return {
        **made,
        "reviews/index.txt": _text(index),
        "reviews/allowed_signers": _text(dict.fromkeys(signers)),
    }


def _signers(lines: Sequence[Line]) -> bytes:
    keys = [
        f'{PRINCIPAL} namespaces="{EVIDENCE},{EXPORT}" {line.body["public_key"]}'
        for line in lines
        if line.kind in (Kind.KEY_CREATED, Kind.KEY_ROTATED)
    ]
    return _text(keys)


def _anchored(chain: str, lines: Sequence[Line], anchors: Sequence[Anchor]) -> bytes:
    """Heads as the anchors have them now, also those that the chain does not have; raises StewardError."""
    rows = []
    for anchor in anchors:
        kept = anchor.kept(chain)
        told = dict.fromkeys(kept.heads, anchor.name)
        told |= dict.fromkeys([*kept.seen, *kept.lost], f"{anchor.name}, as this machine last saw it")
        rows += [f"{each.number} {each.sha256} {told[each]}" for each in sorted(told, key=_number)]
    beyond = [row for row in rows if int(row.split()[0]) >= len(lines)]
    if beyond:
        raise StewardError(
            "evidence", "an anchor knows records that the chain does not have", got=beyond[0],
            next_step="See what it is: steward evidence verify",
        )  # fmt: skip
    return _text(rows)


def _number(head: Head) -> int:
    return head.number


def _readme(folder: EvidenceFolder, period: Period, lines: Sequence[Line], seed: str, sample: int) -> bytes:
    values = {
        "stack": folder.name, "period": period.name, "begin": f"{period.begin:%Y-%m-%d}",
        "end": f"{period.end:%Y-%m-%d}", "head": lines[-1].number, "seed": seed, "sample": sample,
    }  # fmt: skip
    return _ours("README.md").decode().format(**values).encode()


def _ours(name: str) -> bytes:
    return (files("orchestrator.evidence") / "auditor" / name).read_bytes()


def _sums(made: Mapping[str, bytes]) -> bytes:
    return _text(f"{hashlib.sha256(made[name]).hexdigest()}  {name}" for name in sorted(made))


def _text(rows: Sequence[str] | Iterator[str] | Mapping[str, None]) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


def _tar(folder: str, made: Mapping[str, bytes], at: int) -> bytes:
    """Sorted, owned by nobody in particular, all of one time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(made):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mtime = len(made[name]), at
            entry.mode = 0o755 if name == "verify.sh" else 0o644
            tar.addfile(entry, io.BytesIO(made[name]))
    return out.getvalue()

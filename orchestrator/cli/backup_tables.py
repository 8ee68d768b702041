"""Backups as plain tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.backups.documents import RestoreResult, Snapshot
from orchestrator.backups.putting_back import Restored
from orchestrator.cli.tables import aligned
from orchestrator.reporting.escape import terminal as terminal_text
from orchestrator.reporting.humanise import age, size
from orchestrator.reporting.humanise import duration as span
from orchestrator.reporting.model import Backup, Finding, Verdict

_WORDS = {Verdict.PASS: "ok", Verdict.FAIL: "MISSED", Verdict.UNKNOWN: "unknown", Verdict.NOT_APPLICABLE: "-"}


def backup_table(rows: Sequence[Backup]) -> str:
    """One line per plan and server."""
    if not rows:
        return "no backup plan applies to these servers"
    table = [["verdict", "plan", "server", "newest", "rpo", "size", "snapshot", "note"]]
    for row in rows:
        newest = (
            f"{age(row.age_seconds)}" if row.age_seconds is not None else "never" if row.looked_at else "-"
        )
        verdict = "NOT RESTORED" if row.unrestored else _WORDS[row.verdict]
        table.append(
            [
                verdict, row.plan, row.server, newest, span(row.rpo_seconds),
                size(row.bytes) if row.bytes else "-", row.snapshot[:8] or "-", row.message,
            ]
        )  # fmt: skip
    return aligned(table)


def next_commands(findings: Sequence[Finding]) -> str:
    """What a person runs once the causes are mended, one line each; '' when nothing is left to do."""
    fixes = dict.fromkeys(each.fix for each in findings if each.source == "backup" and each.fix)
    return "\n".join(f"next: {terminal_text(fix)}" for fix in fixes)


def snapshot_table(servers: Mapping[str, Sequence[Snapshot]]) -> str:
    """One line per snapshot; those of a predecessor are told from the server's own."""
    table = [["server", "plan", "snapshot", "taken", "size", "of", "paths"]]
    for server, snapshots in servers.items():
        for each in snapshots:
            paths = ", ".join(each.paths[:3]) + (", …" if len(each.paths) > 3 else "")
            taken = f"{each.time:%Y-%m-%d %H:%M:%S} UTC"
            whose = f"predecessor {each.repository[:8]}" if each.earlier else "this server"
            whose += ", past keep" if each.past_keep else ""
            table.append([server, each.plan, each.id[:8], taken, size(each.size_bytes or 0), whose, paths])
    return aligned(table) if len(table) > 1 else "no snapshot yet"


def restore_text(result: RestoreResult, done: Restored) -> str:
    """What was restored where, whether it is the same, and what a person does with the copy."""
    compared = [f"{result.files_compared} files"] if result.files_compared else []
    compared += [f"{result.tables_compared} tables"] if result.tables_compared else []
    what = " and ".join(compared) or "nothing"
    whose = " of a predecessor" if done.predecessor else ""
    head = f"{done.server}: plan {result.plan}, snapshot {(result.snapshot or '?')[:8]}{whose}, "
    head += f"{size(result.bytes)} in {span(result.duration_seconds)}, into {result.target or 'nothing'}"
    if result.ok:
        lines = [f"compared {what} with the backup's own digests: all the same", *done.afterwards()]
        return "\n".join(terminal_text(line) for line in (head, *lines))
    different = [*result.files_different, *result.tables_different]
    reason = result.error or f"{len(different)} differ: {', '.join(different[:10])}"
    return terminal_text(head) + f"\nNOT the same: {terminal_text(reason)}"

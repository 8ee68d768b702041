"""Prose in Markdown: plain words stay plain, and what acts is code without the punctuation around it."""

from __future__ import annotations

import pytest

from orchestrator.reporting.escape import markdown_text, markdown_title


@pytest.mark.parametrize(
    ("value", "text", "title"),
    [
        ("NIST SP 800-53 SC-5(2): met", "NIST SP 800-53 SC-5(2): met", "NIST SP 800-53 SC-5(2): met"),
        ("ISO/IEC 27001", "`ISO/IEC` 27001", "ISO/IEC 27001"),
        ("role backup_vault), or", "role `backup_vault`), or", "role backup_vault), or"),
        ("/var/tmp is nodev", "`/var/tmp` is nodev", "/var/tmp is nodev"),
        ("passwd -l NAME", "passwd `-l` NAME", "passwd -l NAME"),
        ("99.0 % of (it)", "99.0 % of (it)", "99.0 % of (it)"),
        ("ask @all: now", "ask `@all`: now", "ask `@all`: now"),
        ("(https://x.example)", "(`https://x.example`)", "(`https://x.example`)"),
        ("[x](javascript:y)", "`[x](javascript:y)`", "`[x](javascript:y)`"),
        ("_em_ www.x.example", "`_em_` `www.x.example`", "`_em_` `www.x.example`"),
        ("...", "`...`", "`...`"),
    ],
)
def test_only_what_acts_is_code(value: str, text: str, title: str) -> None:
    assert (markdown_text(value), markdown_title(value)) == (text, title)

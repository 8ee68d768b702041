"""The report as one HTML file that asks nothing of the network and runs nothing."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from orchestrator.reporting import humanise, page, verdict
from orchestrator.reporting.advice import next_steps
from orchestrator.reporting.escape import visible
from orchestrator.reporting.findings import SEVERITIES, ranked
from orchestrator.reporting.model import Report
from orchestrator.reporting.sentence import sentence
from orchestrator.reporting.topology import head, line, topology


def to_html(report: Report) -> str:
    """The whole page; Jinja escapes every value after its control and bidi characters were made visible."""
    style = _style()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    standing = verdict.tone(report)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            style=Markup(style),  # noqa: S704  our own file, no value in it
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
            tone=standing.value,
            headline=verdict.headline(report),
            sentence=sentence(report),
            numbers=verdict.numbers(report),
            servers_note=verdict.servers_note(report),
            backups_note=verdict.backups_note(report),
            unjudged=verdict.unjudged(report),
            tones=verdict.server_tones(report),
            next_steps=next_steps(report),
            findings=ranked(report.findings),
            topology=topology(report),
            policies=verdict.policy_counts(report),
            check_counts=verdict.check_counts(report),
            took=(report.finished_at - report.started_at).total_seconds(),
        )
    )


def _style() -> str:
    # The stylesheet is ours and holds no value; its hash must match to the byte, so nothing may escape it.
    return files("orchestrator.reporting").joinpath("templates/page.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("orchestrator.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        page=page,
        humanise=humanise,
        line=line,
        head=head,
        SEVERITIES=SEVERITIES,
        SYMBOLS={tone.value: symbol for tone, symbol in verdict.SYMBOLS.items()},
        WORDS={tone.value: word for tone, word in verdict.WORDS.items()},
        STATE_TONES={state: tone.value for state, tone in verdict.STATE_TONES.items()},
        EXIT_MEANINGS=verdict.EXIT_MEANINGS,
    )
    return environment


def _shown(value: object) -> object:
    """Neutralises every string a template prints; our own markup is left as it is."""
    plain = isinstance(value, str) and not isinstance(value, Markup)
    return visible(str(value), keep_newlines=True) if plain else value

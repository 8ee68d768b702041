"""The report as one HTML file that asks nothing of the network and runs nothing."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined
from markupsafe import Markup

from orchestrator.reporting import humanise, page, plan_words, verdict
from orchestrator.reporting.advice import next_steps
from orchestrator.reporting.budget import budget
from orchestrator.reporting.escape import visible
from orchestrator.reporting.findings import SEVERITIES
from orchestrator.reporting.levels import levels
from orchestrator.reporting.model import Report
from orchestrator.reporting.sentence import sentence
from orchestrator.reporting.strips import strips
from orchestrator.reporting.timeline import timeline
from orchestrator.reporting.topology import head, line, tile_path, topology

_STYLES = ("page.css", "sections.css", "index.css", "print.css")


def to_html(report: Report, compiled: Path | None = None) -> str:
    """The whole page; Jinja escapes every value after its control and bidi characters were made visible."""
    return render_page(
        "page.html.j2",
        compiled,
        report=report,
        tone=verdict.tone(report).value,
        headline=verdict.headline(report),
        sentence=sentence(report),
        numbers=verdict.numbers(report),
        servers_note=verdict.servers_note(report),
        backups_note=verdict.backups_note(report),
        budget=budget(report),
        unjudged=verdict.unjudged(report),
        next_steps=next_steps(report),
        findings=page.told(report.findings),
        topology=topology(report),
        timeline=timeline(report),
        calendar=strips(report),
        levels=levels(report),
        policies=verdict.policy_counts(report),
        check_counts=verdict.check_counts(report),
        took=(report.finished_at - report.started_at).total_seconds(),
    )


def render_page(template: str, compiled: Path | None, **values: object) -> str:
    """One of our templates with our stylesheet, under a policy that allows that and nothing else.

    `compiled` is a folder that keeps compiled templates: compiling them takes longer than a whole page.
    """
    style = _style()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    trusted = Markup(style)  # noqa: S704  our own files, no value in them
    return _environment(compiled).get_template(template).render(style=trusted, policy=policy, **values)


@cache
def _style() -> str:
    # The stylesheet is ours and holds no value; its hash must match to the byte, so nothing may escape it.
    folder = files("orchestrator.reporting").joinpath("templates")
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in _STYLES)


@cache
def _environment(compiled: Path | None) -> Environment:
    if compiled is not None:
        compiled.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = Environment(
        loader=PackageLoader("orchestrator.reporting", "templates"),
        autoescape=True,
        auto_reload=False,
        bytecode_cache=FileSystemBytecodeCache(str(compiled)) if compiled else None,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        page=page,
        plan_words=plan_words,
        humanise=humanise,
        line=line,
        head=head,
        tile_path=tile_path,
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

"""The report as one HTML file that asks nothing of the network and runs nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from orchestrator.reporting import humanise, page, plan_words, verdict
from orchestrator.reporting.advice import next_steps
from orchestrator.reporting.budget import budget
from orchestrator.reporting.escape import visible
from orchestrator.reporting.levels import levels
from orchestrator.reporting.model import Report
from orchestrator.reporting.sentence import sentence
from orchestrator.reporting.strips import strips
from orchestrator.reporting.timeline import timeline
from orchestrator.reporting.tone import SEVERITIES, SYMBOLS
from orchestrator.reporting.topology import head, line, tile_path, topology

if TYPE_CHECKING:
    from jinja2 import Environment

STYLES = ("page.css", "sections.css", "index.css", "print.css")


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


def render_page(
    template: str,
    compiled: Path | None,
    *,
    styles: Sequence[str] = STYLES,
    program: str = "",
    longest: int = 0,
    **values: object,
) -> str:
    """One of our templates with our stylesheets, under a policy that allows those and nothing else.

    `program` names a script of ours that the page may run, too; it is allowed by its hash. Values end after
    `longest` characters, 0 being no limit. `compiled` is a folder that keeps compiled templates: compiling
    them takes longer than a whole page.
    """
    style = "".join(map(_ours, styles))
    policy = f"default-src 'none'; style-src '{_digest(style)}'; base-uri 'none'; form-action 'none'"
    trusted = {"style": Markup(style)}  # noqa: S704  our own files, no value in them
    if program:
        script = _ours(program)
        policy += f"; script-src '{_digest(script)}'"
        trusted["script"] = Markup(script)  # noqa: S704  likewise
    return _environment(compiled, longest).get_template(template).render(policy=policy, **trusted, **values)


@cache
def _ours(name: str) -> str:
    # Stylesheets and scripts are ours and hold no value; their hash must match to the byte, so nothing may
    # escape them.
    folder = files("orchestrator.reporting").joinpath("templates")
    return folder.joinpath(name).read_text(encoding="utf-8")


@cache
def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


@cache
def _environment(compiled: Path | None, longest: int) -> Environment:
    from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined

    if compiled is not None:
        compiled.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = Environment(
        loader=PackageLoader("orchestrator.reporting", "templates"),
        autoescape=True,
        auto_reload=False,
        bytecode_cache=FileSystemBytecodeCache(str(compiled)) if compiled else None,
        undefined=StrictUndefined,
        finalize=partial(_shown, longest=longest),
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
        SYMBOLS={tone.value: symbol for tone, symbol in SYMBOLS.items()},
        WORDS={tone.value: word for tone, word in verdict.WORDS.items()},
        STATE_TONES={state: tone.value for state, tone in verdict.STATE_TONES.items()},
        EXIT_MEANINGS=verdict.EXIT_MEANINGS,
    )
    return environment


def _shown(value: object, *, longest: int) -> object:
    """Neutralises every string a template prints; our own markup is left as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    shown = value[: longest - 1] + "…" if 0 < longest < len(value) else str(value)
    return visible(shown, keep_newlines=True)

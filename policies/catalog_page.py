"""The reference page of the rules, written from catalog and profiles (`python -m policies.catalog_page`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from policies.controls import load_frameworks
from policies.model import Rule, Steps
from policies.pack import all_profiles, all_rules
from policies.profiles import load_profiles
from policies.reach import steps_words

_HEAD: Final = """\
# Policies

This page is written by `python -m policies.catalog_page` from `policies/catalog` and `policies/profiles`;
a test compares them.

The rules run at every preview, for `steward` and for a bare `pulumi up` under `steward env`. A rule about
one resource runs again before that resource is made; a rule about the whole stack runs at the end of the
preview, and at the end of `up`, so `pulumi up --skip-preview` hears it after the fact. No rule runs on
`pulumi destroy`.

## How a resource gets its profile
The tags `client`, `environment` and `profile` say which one is asked for. `minimum.yaml` of the
[policy reference](exceptions.md), or the one that comes with Steward, says the mildest that the client and
environment may have: the stricter of the two judges. A resource without these tags, with a profile that does
not exist, or with tags of another stack than its own is judged by the strictest.

## States
| state | what it means | stops the change |
| --- | --- | --- |
| pass | the rule looked and found nothing | no |
| fail | the rule found something | when mandatory |
| unknown | a value is not known at preview | as the rule says: block, warn, or defer to `up` |
| error | the rule could not judge: a broken rule or a malformed property | always |
| not_applicable | the rule is not about this resource; the reason is recorded | no |
| not_run | the rule is disabled, ended early or cannot read the type | by `quality.type-is-known` |
| waived, baselined | the rule found something that is excused ([exceptions](exceptions.md)) | no |

Only pass is a pass. A deferred value is judged at `up`, before the resource is made; the addresses of a
server group are always deferred. With `STEWARD_POLICY_RESULTS=FILE` in its environment the pack appends one
JSON line a result to FILE, for every pair of rule and resource; a pair that fails at two places has two.

## In the engine's words
The policy name of an event is the rule's id; each finding has the enforcement that the profile of its
resource decides, at a preview and at `up` the stricter of both.
"""


def render() -> str:
    """The whole page."""
    return "\n".join(
        [_HEAD, *_profiles(), *_overview(), *(line for rule in all_rules() for line in _rule(rule))]
    )


def _profiles() -> Iterator[str]:
    yield "## Profiles"
    for profile in all_profiles():
        yield f"- `{profile.name}`: {profile.description}."
    yield f"\nMinimum where nothing else is said: `{load_profiles().minimum.default}`.\n"


def _overview() -> Iterator[str]:
    yield "## Rules"
    names = [profile.name for profile in all_profiles()]
    yield f"| rule | severity | on unknown | {' | '.join(names)} |"
    yield "| --- " * (len(names) + 3) + "|"
    for rule in all_rules():
        levels = " | ".join(profile.enforcement(rule.id).value for profile in all_profiles())
        yield f"| [{rule.id}](#{rule.id.replace('.', '')}) | {rule.severity} | {rule.on_unknown} | {levels} |"
    yield ""


def _rule(rule: Rule) -> Iterator[str]:
    yield f"## {rule.id}"
    yield f"**{rule.title}.** {rule.rationale}\n"
    steps = f": {steps_words(rule.steps)}" if rule.steps != Steps() else ""
    yield f"- Judges: {', '.join(f'`{subject}`' for subject in rule.subjects)}{steps}"
    yield f"- Fix: {rule.remediation}"
    titles = {key: framework.title for key, framework in load_frameworks().items()}
    controls = "; ".join(f"{titles[key]} {', '.join(ids)}" for key, ids in rule.controls.items())
    yield f"- Controls: {controls}"
    yield f"- Owner: {rule.owner}; reviewed {rule.reviewed_on}; version {rule.version}"
    if rule.params:
        names = [profile.name for profile in all_profiles()]
        yield f"\n| parameter | meaning | {' | '.join(names)} |"
        yield "| --- " * (len(names) + 2) + "|"
        for name, schema in rule.params.items():
            values = " | ".join(_cell(profile.params(rule).get(name)) for profile in all_profiles())
            yield f"| `{name}` | {schema['description']} | {values} |"
    yield ""


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    sys.stdout.write(render())

"""Whom the stack's providers speak with, how, and by which credentials: all else is made through them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.facts import Facts, Unknown, shown
from policies.model import Finding, Gap, Outcome, Subject
from policies.rules._provider_inputs import Setting, settings, words
from policies.rules._secret_words import holds_secret, is_placeholder, secret_shape
from policies.subjects.wire import SECRET

_ADDRESS_WORDS: Final = frozenset({"endpoint", "endpoints", "url", "uri", "host", "hostname", "proxy"})
_ADDRESS: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PLAIN_ADDRESS: Final = re.compile(r"^http://", re.IGNORECASE)
_UNCHECKED: Final = frozenset({"insecure", "unverified", "untrusted"})
_OFF_WORDS: Final = frozenset({"skip", "disable", "disabled", "no", "ignore", "without"})
_SAFE_WORDS: Final = frozenset({"tls", "ssl", "https", "certificate", "cert", "verify", "verification"})
_SSL_MODES: Final = ("disable", "allow", "prefer")
"""Modes of PostgreSQL's clients that do without encryption, or may."""


def endpoint_is_the_vendors(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """No provider is sent to another address than its vendor's, unless the profile names that address."""
    allowed = params.texts("allowed")
    for setting in settings(subject.facts):
        named = any(_ADDRESS_WORDS.intersection(words(key)) for key in setting.keys)
        if isinstance(setting.value, Unknown):
            if named:
                yield Gap(setting.path, reason=setting.value.reason)
        elif setting.text and (named or _ADDRESS.match(setting.text)) and setting.text not in allowed:
            yield Finding(
                setting.path, "the provider is sent to an address of its own", shown(setting.text),
                "the vendor's own address, or one that the profile allows",
            )  # fmt: skip


def credential_is_secret(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Credentials in a provider's inputs are marked secret, so that no preview, state or log holds them."""
    for setting in settings(subject.facts):
        if setting.value == SECRET:
            continue
        named = any(holds_secret(key) for key in setting.keys)
        if isinstance(setting.value, Unknown):
            if named:
                yield Gap(setting.path, reason=setting.value.reason)
            continue
        shape = secret_shape(setting.text)
        if shape or (named and setting.text and not is_placeholder(setting.text)):
            yield Finding(
                setting.path, f"{shape or 'a credential'} stands in the clear in the provider's inputs",
                "a text that is not marked secret", "a secret, or the provider's own environment",
            )  # fmt: skip


def connection_is_verified(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The provider's connection is encrypted, and it checks with whom it speaks."""
    for setting in settings(subject.facts):
        if isinstance(setting.value, Unknown):
            if _may_weaken(setting):
                yield Gap(setting.path, reason=setting.value.reason)
        elif _weakens(setting):
            yield Finding(
                setting.path, "whoever sits on the line can read or answer for the vendor",
                shown(setting.value), "an encrypted connection whose other end is verified",
            )  # fmt: skip


def _may_weaken(setting: Setting) -> bool:
    return bool(_UNCHECKED.intersection(setting.words) or _SAFE_WORDS.intersection(setting.words))


def _weakens(setting: Setting) -> bool:
    own = frozenset(setting.words)
    if _UNCHECKED & own:
        return setting.is_on
    if _PLAIN_ADDRESS.match(setting.text):
        return True
    if own in ({"sslmode"}, {"ssl", "mode"}):
        return setting.text.lower() in _SSL_MODES
    if _SAFE_WORDS & own:
        return setting.is_on if _OFF_WORDS & own else setting.is_off
    return False

"""What a secret looks like: names that hold one, shapes of known tokens, and texts too random for a word."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

_WORDS: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_ENDS: Final = re.compile(
    r"(?:^|_)(?:pass|passwd|password|passphrase|passcode|pwd|secret|token|apikey|credentials?|pin"
    r"|(?:api|access|secret|private|auth|encryption|signing|account)_key|password_hash|pgpassword)s?$"
)
_NOT_SECRET: Final = frozenset(
    {"update_password", "change_password", "generate_password", "ask_pass", "become_ask_pass", "no_secret"}
)
_PLACEHOLDER: Final = re.compile(
    r"^(?:[!*x]{0,3}|yes|no|true|false|none|null|omit|always|on_create|never|present|absent|[~/.][\w./@%-]*)$",
    re.IGNORECASE,
)
_SHAPES: Final = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40,})")),
    ("a GitLab token", re.compile(r"\bglpat-[\w-]{20,}")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[\w-]{10,}")),
    ("a Stripe key", re.compile(r"\b[rs]k_live_[A-Za-z0-9]{16,}")),
    ("a Google API key", re.compile(r"\bAIza[\w-]{35}")),
    ("a Vault token", re.compile(r"\bhv[sbr]\.[\w-]{24,}")),
    ("an npm token", re.compile(r"\bnpm_[A-Za-z0-9]{36}")),
    ("a SendGrid key", re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{16,}")),
    ("a JSON web token", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    ("a password in an address", re.compile(r"[a-z]://[^\s/:@{}]+:[^\s/@{}]{3,}@")),
    (
        "a password in a command",
        re.compile(
            r"(?:--?password|--?passwd|--token|PASSWORD|PASSWD|_TOKEN|_SECRET)[= ]['\"]?"
            r"(?![-$])[^\s'\"{}$<|]{4,}"
        ),
    ),
)
_RANDOM: Final = re.compile(r"(?<![\w/.+=-])[A-Za-z0-9+_=-]{24,200}(?![\w/.+=-])")
_NUMBERED: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-")
"""A universal identifier names something, as of a disk; it opens nothing."""
_PUBLIC: Final = re.compile(
    r"checksum|sha\d|digest|fingerprint|public|cert|known_host|authorized|uuid|signed|_id$|^id$|pattern|regex"
)
_DEFAULT: Final = re.compile(r"\bdefault\(\s*(['\"])(.+?)\1|^\s*\{\{\s*(['\"])([^'\"]*)\3\s*\}\}\s*$")
_STRING: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_TEMPLATE: Final = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)


def holds_secret(name: str) -> bool:
    """Whether a key or variable of that name holds a secret by what it is called."""
    flat = "_".join(word.lower() for word in _WORDS.findall(name))
    return flat not in _NOT_SECRET and bool(_ENDS.search(flat))


def is_placeholder(text: str) -> bool:
    """Whether a value under such a name is none: locked, left out, a path or a choice."""
    return bool(_PLACEHOLDER.match(text.strip()))


def secret_shape(text: str) -> str:
    """What a text holds that has the shape of a known secret, or nothing."""
    return next((what for what, shape in _SHAPES if shape.search(text)), "")


def fallback(text: str) -> str:
    """The text that a template falls back to, or is as a whole: it stands in clear all the same."""
    found = _DEFAULT.search(text)
    return (found.group(2) or found.group(4) or "") if found else ""


def looks_random(key: str, text: str, bits: float) -> bool:
    """Whether a word of the text has that many bits a character and a key that says nothing harmless."""
    if _PUBLIC.search(key.lower()) or text.startswith(("ssh-", "ecdsa-")) or "-BEGIN " in text:
        return False
    return any(
        _mixed(word) and not _NUMBERED.search(word) and _entropy(word) >= bits
        for word in _RANDOM.findall(text)
    )


def secret_in_templates(text: str) -> str:
    """The first variable in a template whose name holds a secret; quoted words are not variables."""
    for pair in _TEMPLATE.findall(text):
        for name in _NAME.findall(_STRING.sub("", pair[0] or pair[1])):
            if holds_secret(name):
                return str(name)
    return ""


def _mixed(word: str) -> bool:
    return all(any(test(letter) for letter in word) for test in (str.isupper, str.islower, str.isdigit))


def _entropy(word: str) -> float:
    counts = Counter(word).values()
    return -sum(count / len(word) * math.log2(count / len(word)) for count in counts)

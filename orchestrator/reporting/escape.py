"""How a hostile value leaves in each format; HTML adds Jinja's autoescape on top of `visible`.

Names, messages and observations come from hosts and fleet files, so each may hold anything. No format drops a
character: what could act (control, bidi, invisible) is shown as its code, so that a reader sees the attempt.
"""

from __future__ import annotations

import re
import unicodedata

# Cc control, Cf bidi and invisible, Cs lone surrogates, Zl/Zp separators that some viewers break lines at.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_WORD = re.compile(r"(\(?['\"]?)(.*?)(%?['\"]?\)?[.,:;?]?)")
"""What a word begins with, the word itself, and what it ends with; the outer two act nowhere."""
_PLAIN = re.compile(r"[^\W_](?:[^\W_]|[.,'()-](?=[^\W_]))*", re.ASCII)
_PLAIN_IN_TITLES = re.compile(r"(?:/|--?)?[^\W_](?:[^\W_]|[.,'()/_-](?=[^\W_]))*", re.ASCII)
"""Where no code host reads along, a path or an option begins no command and names nobody."""
_SIGNS = frozenset({"·", "–", "×", "=", "%"})
_PIPELINE_COMMAND = re.compile(r"##(?=\[|vso\[|teamcity\[)")
_LINE_COMMAND = re.compile(r"^( *)   ::")
_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001  # some programs take the wide ones for the others
_BREAKS_CODE_SPAN = re.compile(r"[`|\\]")
_NO_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Not compiled here: its ranges take longer than all other patterns, and few processes write XML."""


def visible(value: str, *, keep_newlines: bool = False) -> str:
    """The value with every acting character written as its code, such as `\\x1b`."""
    if value.isprintable():  # no character of an acting category is
        return value
    acting = {c for c in set(value) if not c.isprintable() and unicodedata.category(c) in _ACTING}
    if keep_newlines:
        acting.discard("\n")
    return value.translate({ord(c): _code(c) for c in acting}) if acting else value


def _code(character: str) -> str:
    point = ord(character)
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    if character in named:
        return named[character]
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def terminal(value: str) -> str:
    """The value on one line of a terminal: nothing in it moves the cursor, colours, or reorders text.

    A pipeline reads the same text for commands of its own, some of them anywhere in a line (`##vso[`).
    """
    return _PIPELINE_COMMAND.sub(r"\\x23#", visible(value))


def terminal_line(line: str) -> str:
    """A finished line, which must not begin with a pipeline's command (`::error`) either; width is kept."""
    return _LINE_COMMAND.sub(r"\1\\x3a:", line)


def csv_cell(value: str) -> str:
    """The value as text of a spreadsheet: one that would be read as a formula begins with an apostrophe."""
    shown = visible(value)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def markdown_code(value: str) -> str:
    """The value as inline code: no mention, link, quick action, table cell or markup can come of it."""
    shown = visible(value).strip()
    if not shown:
        return "–"
    if not _BREAKS_CODE_SPAN.search(shown):
        return f"`{shown}`"
    # Backslash and pipe mean different things inside and outside of tables, and viewers differ; entities are
    # read the same everywhere and can never open or close anything.
    return "<code>" + "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in shown) + "</code>"


def markdown_text(value: str) -> str:
    """Prose in which plain words stay plain and every other word becomes inline code."""
    return " ".join(_word(word, _PLAIN) for word in visible(value).split())


def markdown_title(value: str) -> str:
    """The same for titles and prose that no code host shows: paths, options and names stay plain as well."""
    return " ".join(_word(word, _PLAIN_IN_TITLES) for word in visible(value).split())


def _word(word: str, plain: re.Pattern[str]) -> str:
    if word in _SIGNS:
        return word
    parts = _WORD.fullmatch(word)
    # Viewers make a link of it also behind a bracket.
    if parts is None or "www." in word.lower():
        return markdown_code(word)
    before, core, after = parts.groups()
    if plain.fullmatch(core):
        return word
    if after.startswith(")") and core.count("(") > core.count(")"):
        core, after = core + ")", after[1:]
    return f"{before}{markdown_code(core)}{after}" if any(map(str.isalnum, core)) else markdown_code(word)


def markdown_block(value: str) -> str:
    """The value as a fenced block whose fence is longer than any run of backticks in it."""
    shown = visible(value, keep_newlines=True).strip("\n")
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


def xml_text(value: str) -> str:
    """The value without what XML 1.0 cannot hold, be it escaped or not; `&` and `<` are the writer's task."""
    return re.sub(_NO_XML, lambda found: _code(found[0]), visible(value))


def sarif_text(value: str) -> str:
    """The value as a plain-text message of SARIF, in which braces are placeholders and `[x](y)` is a link."""
    return visible(value).replace("{", "{{").replace("}", "}}").replace("](", "] (")

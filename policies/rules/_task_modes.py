"""Rules about who may write, run or become what: modes of files, sudo, SSH and cron."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from policies.facts import Facts, MalformedFactError, UnknownFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject, SubjectCheck
from policies.rules._task_facts import has_template, literal, module, not_for, true, written

_MODE_KEYS: Final = ("mode", "directory_mode", "home_mode")
_OCTAL: Final = re.compile(r"^0?o?[0-7]{3,5}$")
_CLAUSE: Final = re.compile(r"^([ugoa]*)([-+=])([rwxXst]*|[ugo])$")
_OTHERS_WRITE, _STICKY, _SETUID, _SETGID = 0o002, 0o1000, 0o4000, 0o2000
_MAKES_FILES: Final = frozenset(
    f"ansible.builtin.{name}"
    for name in ("copy", "template", "get_url", "assemble", "file", "lineinfile", "blockinfile")
)
_EDITS: Final = frozenset({"ansible.builtin.lineinfile", "ansible.builtin.blockinfile"})
_WRITES_TEXT: Final = frozenset(
    f"ansible.builtin.{name}"
    for name in ("copy", "template", "lineinfile", "blockinfile", "replace", "assemble")
)
_SUDO_MODULE: Final = "community.general.sudoers"
_NO_PASSWORD: Final = re.compile(r"NOPASSWD\s*:\s*(?:SETENV\s*:\s*)?ALL\b")
_ROOT_FOR_ALL: Final = "root for everything, without a password"
_WEAK_SSH: Final = re.compile(
    r"\b(?:PermitRootLogin\s+yes|PasswordAuthentication\s+yes|PermitEmptyPasswords\s+yes|StrictModes\s+no"
    r"|IgnoreRhosts\s+no|HostbasedAuthentication\s+yes|PermitUserEnvironment\s+yes|UsePAM\s+no|GatewayPorts\s+yes"
    r"|LogLevel\s+QUIET|Protocol\s+1\b|Ciphers\s[^\n]*(?:3des|arcfour|-cbc)|MACs\s[^\n]*md5)",
    re.IGNORECASE,
)
_OPEN_FOLDERS: Final = re.compile(r"(?<![\w/])/(?:tmp|var/tmp|dev/shm)/")


def not_world_writable(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No file that a task makes can be written by everybody; a sticky folder can."""

    def judge(row: Facts) -> Iterator[Outcome]:
        bits, folder = _bits(row), _is_folder(subject)
        if bits & _OTHERS_WRITE and not (folder and bits & _STICKY):
            yield Finding(
                row.text("path"), "everybody on the host can write it", _seen(row), "no write for others"
            )

    yield from written(subject, judge, *_MODE_KEYS)


def no_set_id(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No file gives its owner's or group's rights to whoever runs it; a folder may hand on its group."""

    def judge(row: Facts) -> Iterator[Outcome]:
        bits = _bits(row)
        if bits & _SETUID or (bits & _SETGID and not _is_folder(subject)):
            yield Finding(
                row.text("path"), "it runs with the rights of its owner or group", _seen(row), "no s bit"
            )

    yield from written(subject, judge, *_MODE_KEYS)


def modes_are_said(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A task that makes a file says its mode, in octal with a leading zero or in letters."""
    name, args = module(subject), subject.facts.table("args")
    if name not in _MAKES_FILES:
        yield not_for(subject, "modules that make files")
        return
    if name in _EDITS and not true(args, "create"):
        yield NotApplicable("edits a file that must be there")
        return
    state = literal(args, "state") if name == "ansible.builtin.file" else "touch"
    if state not in ("directory", "touch"):
        yield NotApplicable("makes no file")
        return
    place = args.where("mode")
    if not args.has("mode"):
        yield Finding(place, "the mode is left to chance", "nothing", 'a mode, as in "0644"')
    elif isinstance(mode := args.get("mode"), int) and mode > 0o777 and re.fullmatch("[0-7]{3}", str(mode)):
        yield Finding(place, f"{mode} without a leading zero is not octal", str(mode), f'"0{mode}"')


def sudoers_checked(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A file of sudo is judged by visudo before it is put in place: a broken one locks everybody out."""
    name, args = module(subject), subject.facts.table("args")
    if name == _SUDO_MODULE:
        if literal(args, "validation") == "absent":
            yield Finding(args.where("validation"), "visudo does not judge the file", "absent", "required")
    elif name not in _WRITES_TEXT:
        yield not_for(subject, "modules that write texts")
    elif not _is_sudoers(_target(args)):
        yield NotApplicable("writes no file of sudo")
    elif not args.has("validate") or "visudo" not in args.text("validate"):
        yield Finding(
            args.where("validate"), "visudo does not judge the file", "nothing", "validate: visudo -cf %s"
        )


def no_passwordless_sudo(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """Nobody becomes root for everything without a password."""
    said = False

    def judge(row: Facts) -> Iterator[Outcome]:
        nonlocal said
        if _NO_PASSWORD.search(row.text("text")):
            said = True
            yield Finding(shown(row.text("path")), _ROOT_FOR_ALL, "NOPASSWD: ALL", "a password, or a list")

    yield from written(subject, judge)
    if said or subject.type != "task":
        return
    name, args = module(subject), subject.facts.table("args")
    if name == _SUDO_MODULE:
        if true(args, "nopassword", default=True) and _all_commands(args):
            yield Finding(args.where("commands"), _ROOT_FOR_ALL, "ALL", "a password, or a list")
    elif name in _WRITES_TEXT and _hides_text(name, args) and _is_sudoers(_target(args)):
        yield Gap(args.where("content"), reason="what the file holds comes from elsewhere")


def sshd_not_weakened(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """No task writes a setting into the SSH server's configuration that lets more people in."""
    name, args = module(subject), subject.facts.table("args")
    if name not in _WRITES_TEXT:
        yield not_for(subject, "modules that write texts")
        return
    for key in ("line", "block", "content", "replace"):
        try:
            weak = _WEAK_SSH.search(args.text_or_none(key) or "")
        except UnknownFactError as gap:
            if "sshd_config" in _target(args):
                yield Gap.of(gap)
            continue
        if weak and "sshd_config" in _target(args):
            yield Finding(
                args.where(key), "SSH lets in more than it should", weak.group(), "a stricter value"
            )


def cron_runs_safe_files(subjects: Sequence[Subject]) -> SubjectCheck:
    """What cron runs as root can be changed by root alone."""
    open_files = frozenset(path for subject in subjects for path in _opened(subject))

    def check(subject: Subject, _params: Facts) -> Iterator[Outcome]:
        if module(subject) != "ansible.builtin.cron":
            yield not_for(subject, "cron")
            return
        args = subject.facts.table("args")
        if literal(args, "state") == "absent" or not _runs_as_root(subject, args) or not args.has("job"):
            yield NotApplicable("runs nothing as root")
            return
        job = args.text("job")
        found = _OPEN_FOLDERS.search(job) or next((path for path in open_files if path in job.split()), None)
        if found:
            yield Finding(
                args.where("job"), "root runs a file that everybody can write", shown(job), "a file of root's"
            )
        elif has_template(job):
            raise UnknownFactError(args.where("job"), reason=f"a template in it: {shown(job)}")

    return check


def _opened(subject: Subject) -> Iterator[str]:
    """The file that a task makes writable for everybody; one that cannot be read says nothing here."""
    try:
        args = subject.facts.table("args")
        bits = sum(_bits(row) for row in subject.facts.rows("written") if row.text("path") == "args.mode")
        path = _target(args)
    except (UnknownFactError, MalformedFactError):
        return
    if bits & _OTHERS_WRITE and path:
        yield path


def _runs_as_root(subject: Subject, args: Facts) -> bool:
    user = literal(args, "user")
    if user is None:
        return subject.facts.flag("become") and subject.facts.text("becomeUser") == "root"
    return user == "root"


def _all_commands(args: Facts) -> bool:
    value = args.get("commands")
    return "ALL" in (value if isinstance(value, list) else [value])


def _hides_text(name: str, args: Facts) -> bool:
    """Whether the text that is written is not to be read here."""
    if name in ("ansible.builtin.template", "ansible.builtin.assemble"):
        return True
    shown_here = next((key for key in ("content", "line", "block", "replace") if args.has(key)), None)
    try:
        return shown_here is None or args.get(shown_here) is None
    except UnknownFactError:
        return True


def _target(args: Facts) -> str:
    """The file that is written; raises UnknownFactError where a template decides it."""
    key = next((key for key in ("path", "dest", "destfile", "name") if args.has(key)), "path")
    text = args.text_or_none(key) or ""
    # What is certain about a path is how it begins.
    if text.startswith("{{"):
        raise UnknownFactError(args.where(key), reason=f"a template in it: {shown(text)}")
    return text


def _is_sudoers(path: str) -> bool:
    return path == "/etc/sudoers" or path.startswith("/etc/sudoers.d")


def _is_folder(subject: Subject) -> bool:
    """Whether the mode is a folder's; not sure means a file, which is judged more strictly."""
    try:
        return subject.facts.table("args").get("state") == "directory"
    except UnknownFactError:
        return False


def _seen(row: Facts) -> str:
    return f"0{int(row.text('text')):o}" if row.flag("number") else shown(row.text("text"))


def _bits(row: Facts) -> int:
    """A mode as bits; 0 for what is no mode of a file. Raises UnknownFactError at a template."""
    text = row.text("text").strip()
    if row.flag("template"):
        raise UnknownFactError(shown(row.text("path")), reason=f"a template: {shown(text)}")
    if row.flag("number"):
        return int(text) if text.isdecimal() else 0
    if _OCTAL.match(text):
        return int(text.replace("o", ""), 8)
    bits = 0
    for clause in text.split(","):
        match = _CLAUSE.match(clause)
        if match and match.group(2) in "+=":
            who, granted = match.group(1) or "a", match.group(3)
            everybody = "o" in who or "a" in who
            bits |= _OTHERS_WRITE if everybody and "w" in granted else 0
            bits |= _STICKY if "t" in granted else 0
            if "s" in granted:
                bits |= (_SETUID if set(who) & {"u", "a"} else 0) | (_SETGID if set(who) & {"g", "a"} else 0)
    return bits

"""Playbooks and roles become subjects: what each task is, what it inherits, and what is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policies.facts import Unknown
from policies.model import Kind, PackError, Subject
from policies.subjects._task_files import Unread
from policies.subjects.playbooks import playbook_subjects, read_folder

GROWING = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcde", "bcdef", strict=True)
)
"""Six lines that stand for a million values."""
TAGS = {"client": "acme", "environment": "demo", "profile": "demo"}


def subjects(**files: str) -> tuple[Subject, ...]:
    named = {name.replace("__", "/") + ".yml": text for name, text in files.items()}
    return playbook_subjects(named, stack="acme-demo", tags=TAGS)


def raw(subject: Subject, key: str) -> Any:
    """A fact as it is, be it known or not."""
    return subject.facts._values[key]  # type: ignore[index]


def task(text: str) -> Subject:
    (only,) = subjects(roles__r__tasks__main=text)
    return only


def by_name(found: tuple[Subject, ...]) -> dict[str, Subject]:
    return {each.facts.text("name"): each for each in found}


@pytest.mark.parametrize(
    ("text", "module", "args"),
    [
        ("- apt: {name: a, state: present}", "ansible.builtin.apt", {"name": "a", "state": "present"}),
        ("- apt: name=a state=latest", "ansible.builtin.apt", {"name": "a", "state": "latest"}),
        ("- action: apt name=a", "ansible.builtin.apt", {"name": "a"}),
        ("- action: {module: apt, name: a}", "ansible.builtin.apt", {"name": "a"}),
        ("- ansible.legacy.copy: {mode: 0644}", "ansible.builtin.copy", {"mode": 0o644}),
        ("- systemd: {name: x}", "ansible.builtin.systemd_service", {"name": "x"}),
        ("- sysctl: {name: x}\n  args: {value: 1}", "ansible.posix.sysctl", {"name": "x", "value": 1}),
        ("- ufw: {state: enabled}", "community.general.ufw", {"state": "enabled"}),
        ("- own_module: {a: !unsafe '{{ b }}'}", "own_module", {"a": "{{ b }}"}),
        ("- copy: {a: 'x {{ b }}', b: '{{ c }}'}", "ansible.builtin.copy", {"a": "x {{ b }}"}),
        ("- copy: {a: ['{{ c }}', d]}", "ansible.builtin.copy", {}),
    ],
)
def test_module_and_arguments(text: str, module: str, args: dict[str, object]) -> None:
    found = task(text)
    assert (found.kind, found.type, raw(found, "module")) == (Kind.PLAYBOOK_TASK, "task", module)
    got = {key: value for key, value in raw(found, "args").items() if "{{ c }}" not in repr(value)}
    assert got == args


@pytest.mark.parametrize(
    ("text", "line", "args"),
    [
        ("- shell: echo a creates=/b | c", "echo a | c", {"creates": "/b"}),
        ("- command: {cmd: ls /x}", "ls /x", {"cmd": "ls /x"}),
        ("- command: {argv: [ls, '{{ x }}']}", "ls {{ x }}", None),
        ("- shell: ls\n  args: {creates: /a}", "ls", {"creates": "/a"}),
        ("- local_action: command ls", "ls", {}),
    ],
)
def test_a_command_is_one_line_however_it_is_given(
    text: str, line: str, args: dict[str, object] | None
) -> None:
    found = task(text)
    assert raw(found, "commandLine") == line
    assert args is None or raw(found, "args") == args


def test_what_is_one_template_as_a_whole_is_unknown() -> None:
    found = task("- copy: {src: '{{ a }}', dest: '/x/{{ b }}', mode: '{{ m }}{{ n }}'}")
    assert raw(found, "args") == {
        "src": Unknown("a template: {{ a }}"),
        "dest": "/x/{{ b }}",
        "mode": "{{ m }}{{ n }}",
    }
    assert task("- shell: '{{ a }}'").facts._values["commandLine"] == Unknown("a template: {{ a }}")  # type: ignore[index]
    assert isinstance(raw(task("- apt: '{{ all }}'"), "args"), Unknown)
    assert isinstance(raw(task("- {apt: {}, no_log: '{{ x }}'}"), "noLog"), Unknown)


def test_the_texts_are_kept_as_they_were_written_and_vaulted_ones_are_not() -> None:
    found = task(
        "- user: {name: a, password: '{{ p }}', pin: 12, key: !vault 'abc'}\n  when: \"x == '{{ y }}'\""
    )
    rows = {row.text("path"): (row.text("key"), row.text("text")) for row in found.facts.rows("written")}
    assert rows["args.password"] == ("password", "{{ p }}")
    assert rows["args.pin"] == ("pin", "12")
    assert rows["args.key"] == ("key", "")
    assert rows["when"] == ("when", "x == '{{ y }}'")


def test_a_text_that_no_rule_could_search_in_time_is_unknown() -> None:
    found = task(f"- shell: {'x' * 8_193}")
    assert raw(found, "commandLine") == Unknown("a text of 8193 characters; at most 8192 are judged")
    assert isinstance(raw(found, "written")[0]["text"], Unknown)
    assert raw(task(f"- shell: {'x' * 8_192}"), "commandLine") == "x" * 8_192


PLAYS = """\
- name: First
  hosts: all
  become: true
  no_log: true
  environment: {A: "1"}
  tags: [outer]
  roles: [{role: web, become_user: www}]
  tasks:
    - name: In a block
      become: false
      environment: {B: "2"}
      block:
        - {name: Inner, command: ls, tags: inner}
      rescue:
        - {name: Rescued, command: ls, become: yes}
    - import_tasks: more.yml
      ignore_errors: true
  handlers:
    - {name: Handled, command: ls}
- name: Second
  hosts: all
  tasks:
    - include_tasks: {file: more.yml, apply: {become: true}}
      ignore_errors: true
    - include_tasks: "{{ which }}.yml"
    - include_role: {name: gone}
"""
ROLE = {
    "roles__web__tasks__main": "- {name: Of the role, command: ls}\n- import_tasks: part.yml",
    "roles__web__tasks__part": "- {name: Of a part, command: ls}",
    "roles__web__handlers__main": "- {name: Of a handler, command: ls}",
    "roles__web__meta__main": "dependencies: [base]",
    "roles__base__tasks__main": "- {name: Of the base, command: ls}",
    "roles__alone__tasks__main": "- {name: Alone, command: ls}\n- {name: Said, command: ls, become: true}",
    "more": "- {name: More, command: ls}",
}


def test_keywords_come_down_from_plays_blocks_imports_and_roles() -> None:
    found = by_name(subjects(site=PLAYS, **ROLE))
    inner, rescued, more = found["Inner"], found["Rescued"], found["More"]

    assert (raw(inner, "become"), raw(inner, "noLog"), raw(inner, "play")) == (False, True, "First")
    assert (raw(inner, "environment"), raw(inner, "taskTags")) == ({"A": "1", "B": "2"}, ["outer", "inner"])
    assert raw(rescued, "become") is True
    assert [raw(found[name], "handler") for name in ("Handled", "Of a handler", "Inner")] == [
        True,
        True,
        False,
    ]
    assert (raw(more, "become"), raw(more, "play")) == (True, "First, Second")
    assert isinstance(raw(more, "noLog"), Unknown)
    assert isinstance(raw(more, "ignoreErrors"), Unknown), "an include hands nothing on but what it applies"
    for name in ("Of the role", "Of a part", "Of a handler"):
        assert (raw(found[name], "becomeUser"), raw(found[name], "role")) == ("www", "web")
    assert (raw(found["Of the base"], "become"), raw(found["Of the base"], "role")) == (True, "base")
    assert isinstance(raw(found["Alone"], "become"), Unknown)
    assert raw(found["Said"], "become") is True


def test_an_include_says_what_it_brings_in() -> None:
    found = [
        each for each in subjects(site=PLAYS, **ROLE) if each.type == "task" and each.facts.has("includes")
    ]
    said = [(raw(each, "includes")["named"], raw(each, "includes")["file"]) for each in found]
    assert said == [
        ("more.yml", "more.yml"),
        ("more.yml", "more.yml"),
        (Unknown("a template: {{ which }}.yml"), None),
        ("gone", None),
        ("part.yml", "roles/web/tasks/part.yml"),
    ]


def test_a_short_name_under_a_strange_collection_may_be_anything() -> None:
    found = by_name(subjects(p="- {hosts: all, collections: [x.y], tasks: [{name: t, copy: {}}]}"))
    assert raw(found["t"], "module") == Unknown("copy may be a module of the collection x.y")


def test_an_identity_survives_an_edit_above_it_and_a_hostile_name_is_neutralised() -> None:
    before = subjects(roles__r__tasks__main="- {name: A, ping: }\n- {name: A, ping: }\n- ping:")
    after = subjects(roles__r__tasks__main="# new\n\n- {name: A, ping: }\n- {name: A, ping: }\n- ping:")
    assert [each.urn for each in before] == [each.urn for each in after]
    assert [each.urn.partition("/tasks/")[2] for each in after] == [
        "main.yml/A",
        "main.yml/A#2",
        "main.yml/ansible.builtin.ping",
    ]
    hostile = task('- {name: "\\u202e\\e[31mX", ping: }')
    assert hostile.urn.isprintable()
    assert hostile.name == "roles/r/tasks/main.yml:1 \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31mX"


def test_variables_and_settings_are_subjects_too() -> None:
    found = playbook_subjects(
        {
            "group_vars/all.yml": "a: {b: c}",
            "ansible.cfg": "[defaults]\nx = 1\n",
            "roles/r/files/x.yml": "a: 1",
        },
        stack="s-t",
        tags=TAGS,
    )
    assert [(each.type, each.facts.rows("written")[0].text("path")) for each in found] == [
        ("variables", "vars.a.b"),
        ("settings", "defaults.x"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a: [", "x.yml line 2: not YAML"),
        ("\n- name: a\n  copy: {}\n  file: {}", "x.yml line 2: a task names one module, got copy, file"),
        ("- name: a", "line 1: a task names one module, got none"),
        ("- {hosts: a, tasks: {x: 1}}", "line 1: expected a list of plays or tasks"),
        ("- {hosts: a, tasks: [x]}", "expected a mapping for each play or task, got x"),
        ("- copy: [1]", "arguments of ansible.builtin.copy are a mapping or a text, got [1]"),
        ("- action: 3", "line 1: an action is a module with its arguments, got 3"),
        ("- copy: !!python/object:os.system x", "the tag tag:yaml.org,2002:python/object:os.system is not"),
        ("- copy: !!python/tuple [x]", "is not understood on a seq"),
        ("- copy: &a [*a]", "the alias *a names nothing that is complete above it"),
        ("[" * 5000, "nested deeper than 64 levels"),
        ("a: 1\n---\nb: 1", "line 3: a second document"),
        ("? [a]\n: b", "a key that is not a plain text"),
        ("a: " + "9" * 200, "a number of 200 characters"),
        ("a: {<<: 1}", "<< merges a mapping"),
        ("a\x1b: 1", "not YAML"),
        ("#" * 1_048_577, "at most 1048576"),
        (GROWING, "more than 200000 values"),
    ],
)
def test_what_cannot_be_read_is_refused_by_file_and_line(text: str, told: str) -> None:
    with pytest.raises(PackError, match=r"^x\.yml") as error:
        subjects(x=text)
    assert told in str(error.value)


def test_files_that_include_each_other_come_to_an_end() -> None:
    loop = {f"t{n}": f"- import_tasks: t{(n + 1) % 1500}.yml\n  tags: [a{n}]" for n in range(1500)}
    assert len(subjects(play="- {hosts: all, tasks: [{import_tasks: t0.yml}]}", **loop)) == 1502


def test_a_folder_is_read_without_its_links(tmp_path: Path) -> None:
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles" / "a.yml").write_text("a: 1", encoding="utf-8")
    (tmp_path / "b.txt").write_text("b", encoding="utf-8")
    (tmp_path / "ansible.cfg").write_text("[defaults]", encoding="utf-8")
    (tmp_path / "link.yml").symlink_to("/etc/passwd")
    read = read_folder(tmp_path)
    assert sorted(read) == ["ansible.cfg", "link.yml", "roles/a.yml"]
    assert (read["link.yml"], type(read["link.yml"])) == ("/etc/passwd", Unread), "told, and not followed"

    (tmp_path / "c.yml").write_bytes(b"\xff")
    with pytest.raises(PackError, match=r"^c\.yml: not UTF-8 at byte 0$"):
        read_folder(tmp_path)
    with pytest.raises(PackError, match="got no folder"):
        read_folder(tmp_path / "nothing")

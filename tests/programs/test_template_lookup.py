"""`steward_template` gives what Ansible's own lookup gives, which it asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    name: shop
    ports: [80, 443]
    nested: "{{ ports | map('string') | join(',') }}"
    both: {ours: steward_template, builtin: ansible.builtin.template}
  tasks:
    - ansible.builtin.copy:
        dest: "{{ playbook_dir }}/said.json"
        mode: "0600"
        content: "{{ {'ours': lookup(both.ours, 'a.j2', template_vars={'extra': 'x'}),
                      'builtin': lookup(both.builtin, 'a.j2', template_vars={'extra': 'x'}),
                      'after': extra | default('gone')} | to_json }}"
"""
TEMPLATE = """\
# {{ template_path | basename }}: {{ name }} {{ nested }} {{ extra }}
{% for port in ports %}
port {{ port }};
{% endfor %}
{% include 'b.j2' %}
"""


def played(folder: Path, play: str) -> subprocess.CompletedProcess[str]:
    (folder / "play.yml").write_text(play)
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"localhost": here}}}))
    (folder / "templates").mkdir()
    (folder / "templates" / "a.j2").write_text(TEMPLATE)
    (folder / "templates" / "b.j2").write_text("included for {{ name }}\n")
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8",
        "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"), "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
    }  # fmt: skip
    argv = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.yml", "play.yml"]
    return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_template_says_the_same_by_either(tmp_path: Path) -> None:
    done = played(tmp_path, PLAY)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads((tmp_path / "said.json").read_text())
    assert said["ours"] == "# a.j2: shop 80,443 x\nport 80;\nport 443;\nincluded for shop\n"
    assert said["ours"] == said["builtin"]
    assert said["after"] == "gone"  # what only the template sees stays there


def test_a_template_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = played(tmp_path, PLAY.replace("lookup(both.ours, 'a.j2'", "lookup(both.ours, 'c.j2'"))
    assert done.returncode != 0
    assert "c.j2" in done.stdout + done.stderr

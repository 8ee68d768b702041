"""What the real Ansible reads out of a rendered inventory: every leaf as it was, and nothing of it is run."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from orchestrator.inventory.model import Inventory, InventoryHost
from orchestrator.inventory.render import render_hosts, render_secrets
from tests.unit.orchestrator.inventory.test_render import inventory_of

CONFIG = Path(__file__).parents[2] / "playbooks" / "ansible.cfg"


_PLAY = """
- hosts: all
  connection: local
  tasks:
    - debug:
        msg: >-
          <{{ hostvars[inventory_hostname] | dict2items | selectattr('key', 'in', names)
          | items2dict | to_json | b64encode }}>
"""


def plants(witness: Path) -> list[str]:
    """Texts that would make the witness if anything between here and the host took them for more."""
    return [
        f"{{{{ lookup('pipe', 'touch {witness}') }}}}",
        f"{{% if lookup('pipe', 'touch {witness}') %}}x{{% endif %}}",
        f"$(touch {witness})",
        f"`touch {witness}`",
        f"x; touch {witness} #",
        f"{{% raw %}}{{{{ lookup('pipe', 'touch {witness}') }}}}",
        f"{{% endraw %}}{{{{ lookup('pipe', 'touch {witness}') }}}}{{# ",
        f"!!python/object/apply:os.system ['touch {witness}']",
        f'"\n  planted: !unsafe "touch {witness}',
        "\u2028\u0085\x07 \U0001f600 \\ ' \" %s %(x)s {0}",
        "no", "1e3", "0o17", "null", "~", "2026-11-22", "- a", "# x", "*alias", "&anchor", "",
        "12:30:45", "0x1f", "<<", "=", ".inf",
    ]  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    """Ansible with nothing of this machine's configuration."""
    home = folder / "home"
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_CONFIG": str(CONFIG),
        "LC_ALL": "C.UTF-8",
    }


def ansible(folder: Path, *argv: str | Path) -> str:
    """What a program of the real Ansible says about the planted inventory."""
    env = environment(folder)
    done = subprocess.run(
        [argv[0], "-i", folder / "inventory", *argv[1:]], env=env, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_real_ansible_sees_every_leaf_as_it_was_and_runs_none(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    made = [inventory_of(text, f"host-{number}") for number, text in enumerate(plants(witness))]
    together = Inventory(hosts=[each.hosts[0] for each in made], shared=made[0].shared)
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "hosts.yml").write_text(render_hosts(together))
    (tmp_path / "inventory" / "secrets.yml").write_text(render_secrets(together))
    (tmp_path / "play.yml").write_text(_PLAY)

    said = ansible(tmp_path, "ansible-playbook", "-f", "2", tmp_path / "play.yml")
    seen = [json.loads(base64.b64decode(text)) for text in re.findall(r"<([A-Za-z0-9+/=]{100,})>", said)]
    by_name = {answer["planted_name"]: answer for answer in seen}
    for text, inventory in zip(plants(witness), made, strict=True):
        wanted = inventory.hosts[0]
        leaves = {**wanted.variables, **wanted.secrets}
        del leaves["names"]  # which of them the play shows
        assert by_name[wanted.name] == leaves, text
        assert by_name[wanted.name]["backup_repository"]["password"] == text
    assert "touch" in made[0].shared["steward_client"]

    listed = json.loads(ansible(tmp_path, "ansible-inventory", "--list"))["_meta"]["hostvars"]["host-0"]
    assert listed["ansible_host"] == {"__ansible_unsafe": plants(witness)[0]}
    assert not witness.exists()


def test_a_list_that_comes_again_is_written_once_and_read_by_real_ansible_each_time(tmp_path: Path) -> None:
    addresses = ["{{ 7 * 7 }}", "10.41.0.1/32", "no", "10.41.0.3/32", ""]
    hosts = [
        InventoryHost(
            name=f"h{n}", groups=["g"], variables={"rules": [{"port": 1, "addresses": list(addresses)}]}
        )
        for n in range(3)
    ]
    text = render_hosts(Inventory(hosts=hosts, shared={"all": list(addresses)}))
    assert text.count("10.41.0.1/32") == 1
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "hosts.yml").write_text(text)
    listed = json.loads(ansible(tmp_path, "ansible-inventory", "--list"))["_meta"]["hostvars"]
    plain = [{"__ansible_unsafe": each} for each in addresses]
    assert [listed[f"h{n}"]["rules"][0]["addresses"] for n in range(3)] == [plain] * 3
    assert listed["h2"]["all"] == plain

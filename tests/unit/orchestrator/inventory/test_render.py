"""Texts planted in an inventory come out of the real Ansible as the same texts, and nothing of them runs."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.inventory.build import Binaries, RepositoryAccess, build_inventory
from orchestrator.inventory.model import Inventory, InventoryHost
from orchestrator.inventory.render import render_hosts, render_secrets
from tests.unit.orchestrator.samples import fleet, outputs

CONFIG = Path(__file__).parents[4] / "playbooks" / "ansible.cfg"
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


def planted(value: Any, text: str) -> Any:
    """The same shape with the text in place of every string."""
    if isinstance(value, Mapping):
        return {key: planted(item, text) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [planted(item, text) for item in value]
    return text if isinstance(value, str) else value


def inventory_of(text: str, name: str) -> Inventory:
    """An inventory as the orchestrator builds it, with the text in every string leaf; one host is enough."""
    access = RepositoryAccess("u", "x", "PEM", "h", "p")
    made = build_inventory(
        fleet(), outputs(), "RUN", Binaries(Path("/r"), Path("/s")), dict.fromkeys(("web-1", "db-1"), access)
    )
    host = made.hosts[-1]
    variables = {**planted({**made.shared, **host.variables}, text), "nested": {"deep": [{"list": [text]}]}}
    renamed = host.model_copy(
        update={
            "name": name,
            "variables": {
                **variables,
                "planted_name": name,
                "names": [*variables, *host.secrets, "planted_name"],
            },
            "secrets": planted(host.secrets, text),
        }
    )
    return Inventory(hosts=[renamed], shared=planted(made.shared, text))


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


def test_variables_are_tagged_and_every_value_in_them_is_quoted() -> None:
    document = yaml.compose(render_hosts(inventory_of("no", "host-1")))
    assert document is not None
    (_, everything) = document.value[0]
    parts = {key.value: value for key, value in everything.value}
    (_, variables) = parts["hosts"].value[0]
    assert parts["vars"].tag == variables.tag == "!unsafe"

    def check(node: yaml.Node) -> int:
        if isinstance(node, yaml.MappingNode):
            return sum(check(value) for _, value in node.value)
        if isinstance(node, yaml.SequenceNode):
            return sum(check(item) for item in node.value)
        assert isinstance(node, yaml.ScalarNode)
        assert node.tag.rsplit(":", 1)[-1] in ("str", "int", "bool"), node
        assert node.tag.endswith(":str") == (node.style == '"'), node
        return 1

    assert check(parts["vars"]) == 5
    assert check(variables) > 20


def test_secrets_are_only_in_their_own_document() -> None:
    inventory = inventory_of("s3cret", "host-1")
    host = inventory.hosts[0].model_copy(update={"variables": {"open": "x"}})
    apart = Inventory(hosts=[host], shared={})
    assert "s3cret" not in render_hosts(apart)
    assert "s3cret" in render_secrets(apart)


def test_numbers_and_truth_stay_what_they_are() -> None:
    values = {"a": 1, "b": True, "c": None, "d": [0.5]}
    host = InventoryHost(name="h", groups=[], variables=values)
    text = render_hosts(Inventory(hosts=[host], shared={})).replace("!unsafe", "")
    assert yaml.safe_load(text)["all"]["hosts"]["h"] == values


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda below: st.lists(below, max_size=5) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=3))
def test_whatever_the_values_are_they_are_read_as_they_were(rows: list[dict[str, Any]]) -> None:
    hosts = [InventoryHost(name=f"h{n}", groups=[], variables=row) for n, row in enumerate(rows)]
    text = render_hosts(Inventory(hosts=hosts, shared={})).replace(": !unsafe", ":")
    assert text.isascii()
    read = yaml.load(text, Loader=yaml.CSafeLoader)["all"]["hosts"] or {}
    assert read == {host.name: host.variables for host in hosts}


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

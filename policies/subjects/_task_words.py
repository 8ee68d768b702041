"""The words of tasks: which keys are keywords, and which module a short name means."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from policies.facts import Unknown, shown

PLAYBOOK_TYPES: Final = ("task", "play", "block", "variables", "settings", "role", "unread")
"""What a playbook consists of, as types of subjects."""
_KEYWORDS: Final = """
    action any_errors_fatal args async become become_exe become_flags become_method become_user
    changed_when check_mode collections connection debugger delay delegate_facts delegate_to diff
    environment failed_when ignore_errors ignore_unreachable listen local_action loop loop_control
    module_defaults name no_log notify poll port register remote_user retries run_once tags throttle
    timeout until vars when block rescue always
    """
TASK_KEYWORDS: Final = frozenset(_KEYWORDS.split())
FREE_FORM: Final = frozenset(
    f"ansible.builtin.{name}"
    for name in ("command", "shell", "raw", "script", "win_command", "win_shell", "meta", "include_vars")
) | {f"ansible.builtin.{name}" for name in ("import_tasks", "include_tasks", "import_playbook")}
"""Modules whose argument may be one text without a name."""
SHELL_WORDS: Final = frozenset({"creates", "removes", "chdir", "executable", "stdin", "warn"})
"""What may stand as word=value inside the text of a command."""
IMPORTS: Final = frozenset({"ansible.builtin.import_tasks", "ansible.builtin.import_role"})
INCLUDES: Final = IMPORTS | {"ansible.builtin.include_tasks", "ansible.builtin.include_role"}
ROLES: Final = frozenset({"ansible.builtin.import_role", "ansible.builtin.include_role"})
_NEVER_ELSEWHERE: Final = frozenset(
    {"import_tasks", "import_role", "include_tasks", "include_role", "import_playbook", "meta"}
)
"""Orders to Ansible itself, which no collection or module of that name replaces."""

_BUILTIN: Final = """
    add_host apt apt_key apt_repository assemble assert async_status blockinfile command copy cron
    deb822_repository debconf debug dnf dnf5 dpkg_selections expect fail fetch file find
    gather_facts get_url getent git group group_by hostname import_playbook import_role import_tasks
    include_role include_tasks include_vars iptables known_hosts lineinfile meta mount_facts package
    package_facts pause ping pip raw reboot replace rpm_key script service service_facts set_fact
    set_stats setup shell slurp stat subversion systemd systemd_service sysvinit tempfile template
    unarchive uri user validate_argument_spec wait_for wait_for_connection yum yum_repository
    """
_POSIX: Final = "acl at authorized_key firewalld mount patch rhel_facts seboolean selinux synchronize sysctl"
_GENERAL: Final = """
    alternatives archive bower bundler cargo composer cpanm dconf filesystem flatpak gem github_repo
    homebrew htpasswd ini_file interfaces_file java_cert kernel_blacklist locale_gen logrotate lvg
    lvol lxd_container make modprobe monit nmcli npm pacman pam_limits pamd parted pipx proxmox
    python_requirements_info redis sefcontext selinux_permissive seport snap ssh_config sudoers
    supervisorctl svc timezone ufw xattr xml yarn zypper apk
    """
_OTHERS: Final[Mapping[str, str]] = {
    "community.crypto": """
    acme_certificate certificate_complete_chain openssh_cert openssh_keypair openssl_csr
    openssl_dhparam openssl_pkcs12 openssl_privatekey openssl_publickey x509_certificate x509_crl
    """,
    "community.docker": """
    docker_compose_v2 docker_container docker_image docker_login docker_network docker_secret
    docker_stack docker_swarm docker_volume
    """,
    "community.postgresql": """
    postgresql_db postgresql_ext postgresql_owner postgresql_ping postgresql_pg_hba postgresql_privs
    postgresql_query postgresql_schema postgresql_script postgresql_set postgresql_user
    """,
    "community.mysql": "mysql_db mysql_query mysql_replication mysql_user mysql_variables",
    "community.mongodb": "mongodb_user mongodb_replicaset",
    "community.rabbitmq": "rabbitmq_user rabbitmq_vhost rabbitmq_plugin",
    "community.grafana": "grafana_datasource grafana_dashboard grafana_user",
}
_ALIASES: Final[Mapping[str, str]] = {"ansible.builtin.systemd": "ansible.builtin.systemd_service"}
_KNOWN_COLLECTIONS: Final = frozenset(
    {"ansible.builtin", "ansible.legacy", "ansible.posix", "community.general", *_OTHERS}
)
_BUILTIN_PLACES: Final = ("ansible.builtin", "ansible.legacy")
_REDIRECTING: Final = frozenset({*_BUILTIN_PLACES, "community.general"})
"""Under these a name that moved elsewhere still works."""


def _table() -> Mapping[str, str]:
    named = {name: f"{place}.{name}" for place, names in _OTHERS.items() for name in names.split()}
    named |= {name: f"community.general.{name}" for name in _GENERAL.split()}
    named |= {name: f"ansible.posix.{name}" for name in _POSIX.split()}
    return named | {name: f"ansible.builtin.{name}" for name in _BUILTIN.split()}


_SHORT: Final = _table()


def module_name(
    written: str, collections: Sequence[str], shadowed: Collection[str] = frozenset()
) -> str | Unknown:
    """The module in full; a short name that is in no table stays as it is: the project's own.

    Collections that the play names are searched first, so one that nobody knows here may hold any name;
    `shadowed` are names of modules that lie beside the playbooks, which Ansible takes before its own.
    """
    if "{{" in written or "{%" in written:
        return Unknown(f"a template: {shown(written)}")
    place, _, name = written.rpartition(".")
    if name in _NEVER_ELSEWHERE and place in ("", *_BUILTIN_PLACES):
        return f"ansible.builtin.{name}"
    if place in ("", "ansible.legacy") and name in shadowed and name in _SHORT:
        return Unknown(f"{written} may be the module of that name beside the playbooks")
    if place:
        kept = name if place in _BUILTIN_PLACES else written
        full = _SHORT.get(name, kept) if place in _REDIRECTING else written
        return _ALIASES.get(full, full)
    strangers = strange(collections)
    if strangers:
        return Unknown(f"{written} may be a module of the collection {strangers[0]}")
    full = _SHORT.get(written, written)
    return _ALIASES.get(full, full)


def strange(collections: Sequence[str]) -> list[str]:
    """The collections of which nobody knows here what they hold."""
    return [name for name in collections if name not in _KNOWN_COLLECTIONS]


def foreign_collection(module: str) -> str | None:
    """The collection of a module in full where nobody knows it here; an empty text for a short name."""
    collection = ".".join(module.split(".")[:2]) if "." in module else ""
    return None if collection in _KNOWN_COLLECTIONS else collection

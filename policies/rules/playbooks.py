"""What tasks of playbooks do: to whom, how, and whether it can be repeated; a module a theme."""

from policies.rules._task_commands import (
    commands_say_what_changes,
    module_where_there_is_one,
    no_code_from_the_network,
    pipes_fail,
    root_by_become_only,
    shell_variables_quoted,
)
from policies.rules._task_modes import (
    cron_runs_safe_files,
    modes_are_said,
    no_passwordless_sudo,
    no_set_id,
    not_world_writable,
    sshd_not_weakened,
    sudoers_checked,
)
from policies.rules._task_secrets import no_plain_secrets, secrets_not_logged
from policies.rules._task_sources import (
    downloads_have_digests,
    downloads_over_tls,
    git_at_a_version,
    host_keys_checked,
    packages_chosen,
    repositories_signed,
)
from policies.rules._task_trust import (
    conditions_are_plain,
    errors_not_ignored,
    includes_are_judged,
    no_commands_on_control_machine,
    no_pipe_lookup,
    no_root_on_control_machine,
    protections_stay_on,
    tasks_have_names,
)

__all__ = [
    "commands_say_what_changes",
    "conditions_are_plain",
    "cron_runs_safe_files",
    "downloads_have_digests",
    "downloads_over_tls",
    "errors_not_ignored",
    "git_at_a_version",
    "host_keys_checked",
    "includes_are_judged",
    "modes_are_said",
    "module_where_there_is_one",
    "no_code_from_the_network",
    "no_commands_on_control_machine",
    "no_passwordless_sudo",
    "no_pipe_lookup",
    "no_plain_secrets",
    "no_root_on_control_machine",
    "no_set_id",
    "not_world_writable",
    "packages_chosen",
    "pipes_fail",
    "protections_stay_on",
    "repositories_signed",
    "root_by_become_only",
    "secrets_not_logged",
    "shell_variables_quoted",
    "sshd_not_weakened",
    "sudoers_checked",
    "tasks_have_names",
]

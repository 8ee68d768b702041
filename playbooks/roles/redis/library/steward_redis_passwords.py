#!/usr/bin/python
"""Ansible module: give Redis its passwords, in the file that it reads at its start and in the server that runs.

Nobody is cut off and nothing restarts. The running server takes the new passwords beside those that it has, then
the file is replaced, then the others go: killed anywhere, the server lets in who knows what the file says, so the
next run can go on.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: steward_redis_passwords
short_description: Give Redis its passwords, on disk and in the running server, without a restart
options:
  passwords:
    description: Each lets everybody in. No other does.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Give Redis its password
  steward_redis_passwords:
    passwords: ["{{ password }}"]
"""

RETURN = r"""
running: {description: Whether the running server was given other passwords., returned: always, type: bool}
problem: {description: Why it could not be; nothing where it was or had them., returned: always, type: str}
"""

import grp
import hashlib
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.steward_disk import attributes, stat_of
from ansible.module_utils.steward_redis_client import (
    CONFIGURATION,
    USERS,
    Redis,
    RedisError,
    is_up,
    kept_passwords,
    opened,
    settings,
    text_of,
)
from ansible.module_utils.steward_staging import Staging

_MODE = 0o640


def users_file(passwords: list[str]) -> str:
    """The one user there is, whom Redis takes for everybody that names none."""
    return f"user default on {' '.join(f'>{each}' for each in passwords)} ~* &* +@all\n"


def digests(passwords: list[str]) -> list[str]:
    """As Redis keeps passwords and tells them."""
    return sorted(hashlib.sha256(each.encode()).hexdigest() for each in passwords)


def known_to(redis: Redis) -> list[str]:
    """Digests of the passwords that the running server takes."""
    told = redis.ask("ACL", "GETUSER", "default")
    return sorted(dict(zip(told[::2], told[1::2], strict=True))["passwords"])


class Passwords:
    """What is wanted, on this host."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.wanted: list[str] = sorted(set(module.params["passwords"]))
        self.known = settings(text_of(CONFIGURATION))
        self.before = text_of(USERS)

    def converge(self) -> tuple[bool, bool]:
        """Bring file and server to it; whether the file and whether the server differed."""
        if self.known.get("aclfile") != USERS or not is_up():
            return self.write(), False  # it reads the file when it starts
        with opened(self.known, [*kept_passwords(self.known), *self.wanted]) as redis:
            only = digests(self.wanted)
            differs = known_to(redis) != only
            acts = differs and not self.module.check_mode
            if acts:
                redis.ask("ACL", "SETUSER", "default", "on", *(f"#{each}" for each in only))
            written = self.write()
            if acts:
                redis.ask("ACL", "SETUSER", "default", "resetpass", *(f"#{each}" for each in only))
        return written, differs

    def write(self) -> bool:
        """Replace the file; whether it was another."""
        content, found = users_file(self.wanted), stat_of(USERS)
        try:
            owner = (0, grp.getgrnam("redis").gr_gid, _MODE)
        except KeyError:  # a dry run before the package is there
            owner = (0, 0, _MODE)
        if content == self.before and found is not None and attributes(found) == owner:
            return False
        staging = Staging(self.module)
        try:
            staging.stage(USERS, content.encode(), owner, [])
            staging.commit()
        finally:
            staging.discard()
            staging.relock()
        return True


def main() -> None:
    """Read what is wanted and bring it about; a refusal is told as a result, since the task hides its failures."""
    spec = {"passwords": {"type": "list", "elements": "str", "required": True, "no_log": True}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    try:
        written, running = Passwords(module).converge()
    except RedisError as problem:
        module.exit_json(changed=False, running=False, problem=str(problem))
    module.exit_json(changed=written or running, running=running, problem="")


if __name__ == "__main__":
    main()

"""Ansible lookup: a template's text, without a copy of all variables for each template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.loader import lookup_loader
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: steward_template
short_description: The text of a template, like C(ansible.builtin.template)
description:
  - Ansible's own lookup copies every variable of the host, all the way down, before it renders a template.
    That is most of its time, and a role that writes ten files does it ten times.
  - This one gives the same lookup a copy of the top alone. A template of these roles changes no variable.
options:
  _terms: {description: Templates to render.}
  template_vars: {description: Variables that only the template sees., type: dict, default: {}}
author: steward
"""

EXAMPLES = r"""
- name: Write the configuration
  steward_files:
    files:
      - path: /etc/example/main.conf
        content: "{{ lookup('steward_template', 'main.conf.j2') }}"
"""

RETURN = r"""
_raw: {description: The text of each template., type: list, elements: raw}
"""


class _Shared(dict[str, Any]):
    """Variables whose deep copy is a new dict of the same values."""

    def __deepcopy__(self, _memo: Mapping[int, Any]) -> dict[str, Any]:
        return dict(self)


class LookupModule(LookupBase):
    """`ansible.builtin.template` over variables that are not copied."""

    def run(
        self, terms: Sequence[str], variables: Mapping[str, Any] | None = None, **options: Any
    ) -> list[str]:
        """The text of each template; AnsibleError names one that is not there."""
        template = lookup_loader.get("ansible.builtin.template", loader=self._loader, templar=self._templar)
        return list(template.run(terms, variables=_Shared(variables or {}), **options))

"""Ansible strategy: mitogen's, with less of the same work done in every task and for every host.

Ansible forks a worker for each task and host. What a worker loads or works out ends with it, so it is made
here once, before the first fork; ADR 40 has the figures.
"""

from __future__ import annotations

import builtins
import functools
import gc
from types import CodeType
from typing import Any

import ansible_mitogen.module_finder
from ansible.plugins.loader import filter_loader, test_loader
from ansible_mitogen.plugins.strategy.mitogen_linear import StrategyModule as MitogenLinear

DOCUMENTATION = r"""
name: steward_linear
short_description: mitogen_linear with work shared between workers
description:
  - Runs tasks as C(mitogen_linear) does.
  - Filters and tests of Jinja are loaded before the first worker is forked, and a file that many modules
    import is compiled once when mitogen looks for what they import.
author: steward
"""


@functools.cache
def compiled(source: bytes, name: str, mode: str) -> CodeType:
    """`compile` that remembers: mitogen asks anew for each module, and all import the same files."""
    return builtins.compile(source, name, mode)


ansible_mitogen.module_finder.compile = compiled  # the name that its scan looks up before the builtin


class StrategyModule(MitogenLinear):
    """`mitogen_linear`, prepared before its workers are forked."""

    def run(self, iterator: Any, play_context: Any, result: int = 0) -> int:
        """One play; the strategy's own result flags."""
        for loader in (filter_loader, test_loader):
            for _plugin in loader.all():
                pass  # loading is what it is for: the loader keeps them
        gc.freeze()  # a worker that collects garbage would copy every page of what the parent holds
        return int(super().run(iterator, play_context, result))

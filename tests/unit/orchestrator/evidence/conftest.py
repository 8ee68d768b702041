"""A chain that several files of tests copy, made once each."""

from __future__ import annotations

import pytest

from tests.unit.orchestrator.evidence.chains import Bench
from tests.unit.orchestrator.evidence.quarters import quarter


@pytest.fixture(scope="module")
def whole_quarter(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return quarter(tmp_path_factory.mktemp("quarter"))

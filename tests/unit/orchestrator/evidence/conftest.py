"""A quarter's chain, made once a file of tests, and its bundle unpacked; other files have their own bench."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.evidence.bundle import export
from tests.unit.orchestrator.evidence.chains import Bench, copied
from tests.unit.orchestrator.evidence.quarters import Q4, quarter, unpacked


@pytest.fixture(scope="module")
def whole_quarter(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return quarter(tmp_path_factory.mktemp("quarter"))


@pytest.fixture
def bench(whole_quarter: Bench, tmp_path: Path) -> Bench:
    return copied(whole_quarter, tmp_path / "home")


@pytest.fixture
def folder(bench: Bench, tmp_path: Path) -> Path:
    return unpacked(export(bench.folder, Q4), tmp_path / "out")

"""A quarter's chain and its bundle, for those that hand them to programs: made as for the unit tests."""

from tests.unit.orchestrator.evidence.conftest import bench, folder, whole_quarter

__all__ = ["bench", "folder", "whole_quarter"]

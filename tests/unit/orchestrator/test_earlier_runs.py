"""Earlier runs as the view needs them; reports that cannot be read tell nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestrator.earlier_runs import earlier_runs
from orchestrator.progress import EarlierRun
from orchestrator.settings import load_settings

REPORT = {
    "steps": [{"name": "plan", "duration_seconds": 1.5}],
    "hosts": [{"name": "web-1", "ok": 40, "failed": 1}, {"name": "idle", "ok": 0, "failed": 0}],
}


def rows(*runs: tuple[str, str, int | None]) -> Any:
    return lambda stack, limit: [{"id": i, "verb": verb, "exit_code": code} for i, verb, code in runs]


def test_only_runs_of_the_verb_that_came_to_an_end_count(tmp_path: Path) -> None:
    settings = load_settings({"STEWARD_HOME": str(tmp_path)})
    for run in ("a", "b", "c", "d"):
        settings.run_folder(run).mkdir(parents=True)
        (settings.run_folder(run) / "report.json").write_text(json.dumps(REPORT))
    (settings.run_folder("d") / "report.json").write_text('{"steps": [{"na')
    found = earlier_runs(
        settings,
        rows(
            ("a", "up", 0),
            ("b", "plan", 0),
            ("c", "up", 3),
            ("d", "up", 0),
            ("gone", "up", 1),
            ("e", "up", None),
        ),
        "acme-demo",
        "up",
    )
    assert found == [EarlierRun([("plan", 1.5)], {"web-1": 41})]


def test_five_runs_are_enough(tmp_path: Path) -> None:
    settings = load_settings({"STEWARD_HOME": str(tmp_path)})
    for number in range(8):
        folder = settings.run_folder(str(number))
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps(REPORT))
    made = rows(*((str(number), "up", 0) for number in range(8)))
    assert len(earlier_runs(settings, made, "acme-demo", "up")) == 5

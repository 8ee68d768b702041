"""What was upgraded is told in every format; names of packages come from hosts and say anything."""

from __future__ import annotations

from orchestrator.reporting.html import to_html
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.patched import Patched, Upgrade
from orchestrator.reporting.terminal import summary
from tests.unit.reporting.sample import demo

HOSTILE = "<script>alert(1)</script>|`x`\x1b[31m"
PATCHED = [
    Patched(
        server="web-1",
        upgrades=[
            Upgrade(package="nginx", before="1.22.1-9", after="1.22.1-10", security=True),
            Upgrade(package=HOSTILE, before="", after="2"),
        ],
        restarted=["ssh.service"],
        rebooted="/run/reboot-required exists",
    ),
    Patched(server="db-1", unhealthy=["postgresql.running"]),
]


def test_every_format_tells_packages_versions_and_reboots() -> None:
    report = demo().model_copy(update={"patched": PATCHED})
    page, comment, screen = to_html(report), to_markdown(report), summary(report, "report.html")
    for text in ("nginx", "1.22.1-9", "1.22.1-10"):
        assert text in page
        assert text in comment
    assert "/run/reboot-required exists" in page
    assert "ssh.service" in page
    assert "postgresql.running" in page
    assert "web-1 2 packages (1 security), rebooted" in " ".join(screen.split())
    assert "<script>alert" not in page + comment
    assert "\x1b[31m" not in page + comment + screen

"""Services asked from outside."""

from __future__ import annotations

from orchestrator.phases.probe import probe, summary
from orchestrator.ports.probes import HttpAnswer
from orchestrator.reporting.model import Verdict
from stacks.fleet.model import Fleet
from tests.fake_prober import FakeProber
from tests.fakes import NOON, FixedClock
from tests.unit.orchestrator.samples import FLEET, fleet, server

SHOP = "shop: {purpose: Customers order here, owner: shop@acme.example, servers: [web, db]"
PROBED = f"{SHOP}, availability: {{target_percent: 99.5, probe: {{http: web, path: /health, expect: 204}}}}"


def probed() -> Fleet:
    assert SHOP in FLEET
    return fleet(FLEET.replace(SHOP, PROBED))


def test_each_server_behind_a_service_is_asked_on_its_published_port() -> None:
    prober = FakeProber({"http://127.0.0.1:41000/health": HttpAnswer(204, 0.02)})
    servers = [server("web-1", published={"8080": 41000}), server("web-2", published={"8080": 41001})]
    good, bad = probe(probed(), [*servers, server("db-1")], prober, FixedClock())
    assert (good.service, good.server, good.verdict, good.observed) == (
        "shop", "web-1", Verdict.PASS, "status 204",
    )  # fmt: skip
    assert (bad.server, bad.verdict, bad.observed, bad.expected, bad.at) == (
        "web-2", Verdict.FAIL, "status 200", "status 204", NOON,
    )  # fmt: skip
    assert summary([good, bad]) == "1 of 2 answered"


def test_no_answer_is_a_failure_and_no_address_is_not_known() -> None:
    silent = FakeProber({"http://127.0.0.1:41000/health": HttpAnswer(None, 5.0, "timed out")})
    [failed] = probe(probed(), [server("web-1", published={"8080": 41000})], silent, FixedClock())
    assert (failed.verdict, failed.observed) == (Verdict.FAIL, "no answer: timed out")
    [unknown] = probe(probed(), [server("web-1")], silent, FixedClock())
    assert (unknown.verdict, unknown.url) == (Verdict.UNKNOWN, "")


def test_a_service_without_a_probe_is_not_asked() -> None:
    assert probe(fleet(), [server("web-1")], FakeProber(), FixedClock()) == []

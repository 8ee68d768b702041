"""What one accepted change makes right: itself and what follows from it alone, and nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.convergence.acceptance import Accepted, accepted
from orchestrator.convergence.comparison import items
from orchestrator.convergence.look import digest
from orchestrator.convergence.records import Expected, Parts, Seen
from tests.fakes import NOON

Part = Mapping[str, Mapping[str, str]]
ONE, TWO = {"/etc/one": "file 0644 0:0 1 aa"}, {"/etc/two": "file 0644 0:0 1 bb"}


class Host:
    """What should be, what is, and what `up` takes for the state that the last converge left."""

    def __init__(
        self, should: Part, now: Part, *, unhealed: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        parts: Parts = {name: dict(entries) for name, entries in should.items()}
        self.expected = Expected(run="RUN1", at=NOON, look="x", parts=parts, unhealed=unhealed or {})
        self.seen = Seen(
            {name: digest(found) for name, found in now.items()}, {n: dict(e) for n, e in now.items()}
        )
        self.state: Mapping[str, str] = self.expected.digests()

    def accept(self, *names: str) -> Accepted:
        told = items("web-1", self.expected, self.seen)
        wanted = [
            each.model_copy(update={"fix": "x"}) for each in told if f"{each.kind} {each.name}" in names
        ]
        assert len(wanted) == len(names), [f"{each.kind} {each.name}" for each in told]
        done = accepted("web-1", self.expected, self.state, self.seen, wanted)
        self.expected, self.state = done.expected, done.state
        return done

    def left(self) -> list[str]:
        return [f"{each.kind} {each.name}" for each in items("web-1", self.expected, self.seen)]

    def settled(self, now: Part) -> bool:
        """Whether `up` would leave a host alone that is like this."""
        return self.state == {name: digest(found) for name, found in now.items()}


def test_the_other_change_stays_drift_and_a_reason_to_converge() -> None:
    now = {"/etc": {**ONE, **TWO}}
    host = Host({"/etc": {}}, now)
    assert [each.name for each in host.accept("file /etc/one").items] == ["/etc/one"]
    assert host.left() == ["file /etc/two"]
    assert not host.settled(now)
    assert (host.expected.run, host.expected.at) == ("RUN1", NOON), "the host as a whole is of its converge"


def test_when_the_other_is_undone_by_hand_nothing_is_converged_over_the_accepted_one() -> None:
    host = Host({"/etc": {}}, {"/etc": {**ONE, **TWO}})
    host.accept("file /etc/one")
    assert host.settled({"/etc": ONE})


def test_what_was_changed_or_removed_is_accepted_too() -> None:
    host = Host(
        {"/etc": {**ONE, **TWO}, "packages": {"nginx": "1"}}, {"/etc": TWO, "packages": {"nginx": "2"}}
    )
    host.accept("file /etc/one")
    assert host.left() == ["package nginx"]
    host.accept("package nginx")
    assert host.left() == []
    assert host.settled({"/etc": TWO, "packages": {"nginx": "2"}})


def test_one_that_changed_since_it_was_told_is_not_accepted() -> None:
    host = Host({"/etc": {}}, {"/etc": ONE})
    (told,) = items("web-1", host.expected, host.seen)
    now = {"/etc": {"/etc/one": "file 0666 0:0 1 aa"}}
    later = Seen({"/etc": digest(now["/etc"])}, now)
    done = accepted("web-1", host.expected, host.state, later, [told])
    assert (done.items, done.expected, done.state) == ((), host.expected, host.state)


def test_of_another_host_nothing_is_accepted() -> None:
    host = Host({"/etc": {}}, {"/etc": ONE})
    told = items("web-2", host.expected, host.seen)
    assert accepted("web-1", host.expected, host.state, host.seen, told).items == ()


def test_what_follows_comes_with_it() -> None:
    home = {"/home/ana": "folder 0755 1:1", "/home/ana/.x": "file 0644 1:1 1 a"}
    host = Host(
        {"accounts": {}, "/home": {}, "/etc": {}},
        {"accounts": {"user ana": "uid 1 a", "group ana": "1 "}, "/home": home, "/etc": ONE},
    )
    host.accept("user ana")
    assert host.left() == ["file /etc/one"]


def test_what_follows_from_another_one_as_well_does_not_come_with_it() -> None:
    """Two people were put into one group: accepting the first must not bring in the second."""
    host = Host(
        {"accounts": {"group people": "99 bob"}},
        {"accounts": {"group people": "99 ana,bob,eve", "user ana": "uid 1 a", "user eve": "uid 2 a"}},
    )
    host.accept("user ana")
    assert host.left() == ["user eve"]
    assert host.expected.parts["accounts"]["group people"] == "99 bob"
    host.accept("user eve")
    assert host.left() == ["group people"], "ana is in it too, which nobody reviewed"
    host.accept("group people")
    assert host.left() == []


def test_two_that_are_accepted_together_bring_what_follows_from_both() -> None:
    host = Host(
        {"accounts": {"group people": "99 bob"}},
        {"accounts": {"group people": "99 ana,bob,eve", "user ana": "uid 1 a", "user eve": "uid 2 a"}},
    )
    host.accept("user ana", "user eve")
    assert host.left() == []


def test_a_member_who_has_no_account_is_not_accepted_with_somebody_elses() -> None:
    host = Host({"accounts": {}}, {"accounts": {"user ana": "uid 1 a", "group ana": "1 ghost"}})
    host.accept("user ana")
    assert host.left() == ["group ana"]


def test_what_a_converge_left_by_hand_is_accepted_and_then_forgotten_as_such() -> None:
    now = {"/etc": {**ONE, **TWO}}
    host = Host({"/etc": {}}, now, unhealed={"/etc": ("/etc/one", "/etc/two")})
    host.state = host.seen.parts  # a converge looked after it had passed over them
    host.accept("file /etc/one")
    assert host.expected.unhealed == {"/etc": ("/etc/two",)}
    (left,) = items("web-1", host.expected, host.seen)
    assert (left.name, left.unhealed_since) == ("/etc/two", "RUN1")
    assert host.settled(now), "a no-op stays quick"


def test_beside_what_a_converge_left_a_new_change_is_accepted_and_another_is_not() -> None:
    left, new, other = ONE, TWO, {"/etc/three": "file 0644 0:0 1 cc"}
    host = Host({"/etc": {}}, {"/etc": {**left, **new, **other}}, unhealed={"/etc": ("/etc/one",)})
    host.state = {"/etc": digest(left)}
    host.accept("file /etc/two")
    assert host.left() == ["file /etc/one", "file /etc/three"]
    assert host.settled({"/etc": {**left, **new}})


def test_where_the_state_cannot_be_told_it_stays_and_the_next_up_converges() -> None:
    host = Host({"/etc": {}}, {"/etc": {**ONE, **TWO}})
    host.state = {"/etc": "of something else"}
    host.accept("file /etc/one")
    assert (host.state, host.left()) == ({"/etc": "of something else"}, ["file /etc/two"])


def test_a_part_with_too_many_entries_is_accepted_as_a_whole() -> None:
    host = Host({"/var/www": {"/var/www/a": "file 0644 0:0 1 aa"}, "/etc": {}}, {"/etc": ONE})
    host.seen = Seen({"/var/www": "many", "/etc": digest(ONE)}, {"/etc": ONE}, unnamed=("/var/www",))
    host.accept("folder /var/www")
    assert host.left() == ["file /etc/one"]
    assert host.expected.digests() == {"/var/www": "many", "/etc": digest({})}
    assert host.state == {"/var/www": "many", "/etc": digest({})}

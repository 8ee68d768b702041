"""Which mirrors the image gets, and how it is bootstrapped."""

from __future__ import annotations

from pathlib import Path

from orchestrator.toolchain import base_image, recipe

TARGETS = [
    "http://mirror.example/debian/|bookworm|main",
    "http://mirror.example/debian/|bookworm|contrib",
    "http://mirror.example/debian/|bookworm-updates|main",
    "http://mirror.example/debian-security/|bookworm-security|main",
    "https://tools.example/apt/|nodistro|main",
]


def test_the_control_machines_own_mirrors_are_used() -> None:
    assert base_image.apt_sources(TARGETS) == [
        "deb http://mirror.example/debian bookworm main",
        "deb http://mirror.example/debian bookworm-updates main",
        "deb http://mirror.example/debian-security bookworm-security main",
    ]


def test_without_all_three_suites_debians_own_mirrors_are_taken() -> None:
    assert base_image.apt_sources(TARGETS[:2]) == []


def test_a_mirror_with_a_password_never_gets_into_an_image() -> None:
    secret = [line.replace("http://", "http://user:pass@") for line in TARGETS]
    assert base_image.apt_sources(secret) == []


def test_a_mirror_that_servers_cannot_reach_is_passed_over() -> None:
    assert base_image.apt_sources(line.replace("http://", "file:/") for line in TARGETS) == []


def test_nonsense_from_apt_is_passed_over() -> None:
    assert base_image.apt_sources(["", "|||", "x"]) == []


def test_bootstrap_names_packages_hook_and_suite() -> None:
    argv = base_image.bootstrap_argv(Path("/t.tar"), mirrors="-")
    assert argv[-3:] == ["bookworm", "/t.tar", "-"]
    assert any(word.endswith('image/customize.sh "$1"') for word in argv)
    assert base_image.bootstrap_argv(Path("/t.tar"), mirrors=None)[-1] == "/t.tar"


def test_logins_stay_quick_without_a_session_per_login() -> None:
    assert "libpam-systemd" not in recipe.IMAGE_PACKAGES

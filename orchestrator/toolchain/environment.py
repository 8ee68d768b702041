"""Where the installed toolchain is, and the environment every child needs to use it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.errors import InputError
from orchestrator.settings import Settings
from orchestrator.toolchain import recipe, store

IMAGES: Final = "image.json"
_NEXT_STEP: Final = "Run `steward setup`."
_GO_COLLECTS_LATE: Final = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}
"""Pulumi and Podman live for a moment, and a quarter of that went into collecting garbage; towards a gigabyte
of memory Go collects more often again."""


@dataclass(frozen=True)
class Toolchain:
    """Paths of the parts that set-up installed; all of them exist."""

    root: Path
    digest: str
    pulumi: Path
    language_host: Path
    restic: Path
    rest_server: Path
    collections: Path
    """For ANSIBLE_COLLECTIONS_PATH: the folder that holds `ansible_collections`."""
    images: Mapping[str, str]
    """Image name in a fleet file to its tag in Podman's storage."""
    runtime: str
    """The OCI runtime that boots servers on this machine."""


def toolchain_root(cache: Path) -> Path:
    """Folder of the toolchain that this version of Steward wants, whether or not it is there."""
    return cache / "toolchain" / recipe.toolchain_digest()


def load_toolchain(settings: Settings) -> Toolchain:
    """The installed toolchain; InputError with the next step when set-up has not run or a part is gone."""
    root = toolchain_root(settings.cache)
    missing = store.tampered(root, content=False)
    if missing:
        raise InputError(
            "toolchain",
            "is not installed, or not whole",
            place=str(root),
            got=_listed(missing),
            next_step=_NEXT_STEP,
        )
    try:
        images = json.loads((root / IMAGES).read_text())
        runtime = images.pop("runtime")
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            "toolchain", "has no readable list of images", place=str(root / IMAGES), next_step=_NEXT_STEP
        ) from error
    return Toolchain(
        root=root,
        digest=root.name,
        pulumi=root / "bin" / "pulumi",
        language_host=root / "bin" / "pulumi-language-python",
        restic=root / "bin" / "restic",
        rest_server=root / "bin" / "rest-server",
        collections=root / "collections",
        images=images,
        runtime=runtime,
    )


def child_environment(settings: Settings, stack: str, *, path: str | None = None) -> dict[str, str]:
    """Variables for every program Steward starts, and for an engineer's own `pulumi`; `path` defaults to
    this process's PATH.

    Holds no secret: the passphrase is named as a file.
    """
    root = toolchain_root(settings.cache)
    rest = os.environ.get("PATH", os.defpath) if path is None else path
    first = [str(root / "bin"), str(Path(sys.executable).parent)]
    folders = [*first, *(folder for folder in rest.split(os.pathsep) if folder and folder not in first)]
    return {
        "PATH": os.pathsep.join(folders),
        "STEWARD_HOME": str(settings.home),
        "STEWARD_OWN_RULES": str(settings.own_rules),
        **_policy(settings),
        "STEWARD_PYTHON": sys.executable,
        "STEWARD_TOOLCHAIN_ROOT": str(root),
        "PULUMI_BACKEND_URL": f"file://{settings.home / 'pulumi'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(settings.stack_keys(stack) / "passphrase"),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_HOME": str(settings.home / "pulumi-home"),
        "PULUMI_OPTION_POLICY_PACK": str(settings.policy_pack),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_STACK": stack,
    }


def _policy(settings: Settings) -> Mapping[str, str]:
    """Empty where there is no policy reference, so that nobody inherits one of another shell."""
    if not settings.policy_reference:
        return {"STEWARD_POLICY_FOLDER": "", "STEWARD_POLICY_VERDICTS": ""}
    from orchestrator.policy_reference import policy_environment

    return policy_environment(settings)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"no {shown}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def inherited_environment(settings: Settings, stack: str) -> dict[str, str]:
    """This process's environment with `child_environment` on top, for children that we start ourselves."""
    return {**_GO_COLLECTS_LATE, **os.environ, **child_environment(settings, stack)}

"""Buckets, disks, databases and keys of Amazon in neutral words."""

from __future__ import annotations

from typing import Any, Final

from policies.facts import Unknown
from policies.subjects.aws_words import ELSEWHERE, Inputs, bears_data, or_else, when_known, within

_DAYS_A_YEAR: Final = 365
_ACCOUNT_DECIDES: Final = Unknown("not said here, so a setting of the account decides")


def bucket(inputs: Inputs) -> dict[str, object]:
    """A bucket; most of what matters about it stands in resources of its own."""
    inline = within(inputs, "versioning", "enabled")
    return {
        "bucketName": inputs.get("bucket"),
        "dataBearing": bears_data(inputs),
        "versioning": or_else(inline, ELSEWHERE),
        "encrypted": True,  # Amazon encrypts each object since January 2023, and that cannot be turned off
        "publicAccessBlocked": ELSEWHERE,
        "lockedDays": ELSEWHERE,
        "forceDestroy": or_else(inputs.get("forceDestroy"), default=False),
    }


def versioning(inputs: Inputs) -> dict[str, object]:
    """Whether earlier versions of objects are kept."""
    status = within(inputs, "versioningConfiguration", "status")
    return {
        "bucketName": inputs.get("bucket"),
        "versioning": when_known(status, lambda told: told == "Enabled"),
    }


def encryption(inputs: Inputs) -> dict[str, object]:
    """By which means objects are encrypted."""
    algorithm = within(inputs, "rules", "applyServerSideEncryptionByDefault", "sseAlgorithm")
    return {"bucketName": inputs.get("bucket"), "encryptedBy": algorithm}


def public_access_block(inputs: Inputs) -> dict[str, object]:
    """Whether all four ways to make objects public are shut."""
    keys = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    said = [inputs.get(key) for key in keys]
    gaps = [each for each in said if isinstance(each, Unknown)]
    shut: object = all(said) if not gaps or not all(said) else gaps[0]
    return {"bucketName": inputs.get("bucket"), "publicAccessBlocked": shut}


def object_lock(inputs: Inputs) -> dict[str, object]:
    """For how many days nobody, not even the owner, can remove an object."""
    kept = within(inputs, "rule", "defaultRetention")
    return {"bucketName": inputs.get("bucket"), "lockedDays": when_known(kept, _locked_days)}


def volume(inputs: Inputs) -> dict[str, object]:
    """A disk."""
    return {
        "sizeGib": inputs.get("size"),
        "dataBearing": bears_data(inputs),
        "encrypted": or_else(inputs.get("encrypted"), _ACCOUNT_DECIDES),
    }


def database(inputs: Inputs) -> dict[str, object]:
    """A database that Amazon runs."""
    return {
        "engine": inputs.get("engine"),
        "sizeGib": inputs.get("allocatedStorage"),
        "dataBearing": bears_data(inputs),
        "encrypted": or_else(inputs.get("storageEncrypted"), default=False),
        "publicAddress": or_else(inputs.get("publiclyAccessible"), default=False),
        "backupDays": or_else(inputs.get("backupRetentionPeriod"), 0),
        "terminationProtection": or_else(inputs.get("deletionProtection"), default=False),
        "zones": when_known(inputs.get("multiAz"), lambda several: 2 if several else 1),
    }


def key(inputs: Inputs) -> dict[str, object]:
    """A key that encrypts other resources."""
    return {
        "rotates": or_else(inputs.get("enableKeyRotation"), default=False),
        "deletionWindowDays": or_else(inputs.get("deletionWindowInDays"), 30),
    }


def _locked_days(kept: Any) -> object:
    if not isinstance(kept, dict) or isinstance(kept.get("mode"), Unknown):
        return kept["mode"] if isinstance(kept, dict) else 0
    if kept.get("mode") != "COMPLIANCE":
        return 0  # the other mode can be lifted by whoever has the right to
    days, years = kept.get("days"), kept.get("years")
    if days is not None:
        return days
    return years * _DAYS_A_YEAR if isinstance(years, int) else or_else(years, 0)

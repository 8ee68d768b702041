"""Whatever stands in Amazon's inputs: the reading never breaks, and nothing odd is taken for good."""

from __future__ import annotations

from typing import Any

import pytest

from policies.facts import UNKNOWN
from policies.profiles import load_profiles
from policies.subjects.resources import resource_subject, whole

GROUP = "aws:ec2/securityGroup:SecurityGroup"
RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
INSTANCE = "aws:ec2/instance:Instance"
BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
VAULT = "aws:backup/vault:Vault"
VAULT_LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
PLAN = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"
SUBNET = "aws:ec2/subnet:Subnet"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
ODD: tuple[Any, ...] = (
    5,
    1.5,
    True,
    None,
    "x",
    "",
    [],
    [5],
    ["x"],
    [[]],
    [{}],
    {},
    {"a": [1]},
    [None],
    UNKNOWN,
    [UNKNOWN],
)
KEYS = {
    "aws:ec2/vpc:Vpc": ("cidrBlock", "tags"),
    SUBNET: ("cidrBlock", "mapPublicIpOnLaunch"),
    GROUP: ("ingress", "egress", "tags", "tagsAll"),
    RULE: (
        "type",
        "fromPort",
        "toPort",
        "protocol",
        "cidrBlocks",
        "ipv6CidrBlocks",
        "prefixListIds",
        "sourceSecurityGroupId",
        "self",
    ),
    INGRESS: (
        "fromPort",
        "toPort",
        "ipProtocol",
        "cidrIpv4",
        "cidrIpv6",
        "prefixListId",
        "referencedSecurityGroupId",
    ),
    INSTANCE: (
        "ami",
        "instanceType",
        "keyName",
        "associatePublicIpAddress",
        "metadataOptions",
        "rootBlockDevice",
        "ebsBlockDevices",
        "disableApiTermination",
        "tags",
    ),
    "aws:ec2/keyPair:KeyPair": ("keyName", "publicKey"),
    "aws:ebs/volume:Volume": ("size", "encrypted", "tags"),
    "aws:ec2/volumeAttachment:VolumeAttachment": ("volumeId", "instanceId"),
    BUCKET: ("bucket", "versioning", "forceDestroy", "tags"),
    "aws:s3/bucketVersioning:BucketVersioning": ("bucket", "versioningConfiguration"),
    BLOCK: ("bucket", "blockPublicAcls"),
    LOCK: ("bucket", "rule"),
    "aws:rds/instance:Instance": ("allocatedStorage", "multiAz", "storageEncrypted", "tags"),
    PLAN: ("rules", "tags", "name"),
    SELECTION: ("planId", "resources", "selectionTags"),
    VAULT: ("name", "forceDestroy"),
    VAULT_LOCK: ("backupVaultName", "minRetentionDays"),
    "aws:kms/key:Key": ("enableKeyRotation", "deletionWindowInDays"),
    BALANCER: ("internal", "enableDeletionProtection"),
    LISTENER: ("port", "protocol", "defaultActions"),
}
INNER: dict[str, tuple[str, ...]] = {
    "ingress": (
        "fromPort",
        "toPort",
        "protocol",
        "cidrBlocks",
        "ipv6CidrBlocks",
        "securityGroups",
        "prefixListIds",
    ),
    "metadataOptions": ("httpTokens",),
    "rootBlockDevice": ("encrypted",),
    "versioningConfiguration": ("status",),
    "rule": ("defaultRetention",),
    "rules": ("schedule", "targetVaultName", "lifecycle"),
    "selectionTags": ("key", "value"),
    "defaultActions": ("redirect",),
    "tags": ("Name", "roles", "group", "dataBearing", "mount", "rpoSeconds"),
    "defaultRetention": ("mode", "days", "years"),
    "lifecycle": ("deleteAfter",),
}


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:acme-demo::steward::{token}::{name}"


def odd_values(key: str, depth: int = 0) -> list[Any]:
    """Odd values for an input, and well-formed ones with an odd value inside."""
    inner = [{each: odd} for each in INNER.get(key, ()) for odd in odd_values(each, depth + 1)]
    if key == "defaultRetention":
        inner += [{"mode": "COMPLIANCE"} | each for each in inner]
    return [*ODD, *inner, *([[each] for each in inner] if depth == 0 else [])]


@pytest.mark.parametrize("token", KEYS)
def test_odd_inputs_never_break_the_reading(token: str) -> None:
    others = [resource_subject(each, urn(each, "other"), "other", {}, is_component=False) for each in KEYS]
    edges = {
        key: (urn(each, "other"),)
        for key, each in {
            "bucket": BUCKET,
            "backupVaultName": VAULT,
            "planId": PLAN,
            "loadBalancerArn": BALANCER,
            "instanceId": INSTANCE,
            "volumeId": "aws:ebs/volume:Volume",
            "subnetId": SUBNET,
        }.items()
    }
    profiles = load_profiles()
    for key in KEYS[token]:
        for odd in odd_values(key):
            subject = resource_subject(
                token, urn(token, "x"), "x", {key: odd}, is_component=False, depends_on=edges
            )
            found = whole([subject, *others])
            assert len(found) == len(others) + 1
            assert profiles.choose(found[0]).name == "strict"

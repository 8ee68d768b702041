"""Amazon's resources as they stand in Pulumi, in the neutral words of the local ones.

A fact that Amazon keeps in a resource of its own is Unknown here and is put in by `aws_whole`. Passwords and
user scripts are no facts: they never leave this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from policies.facts import Unknown
from policies.subjects import aws_backup, aws_network, aws_servers, aws_storage
from policies.subjects.aws_words import Inputs, kind_of, tags_of

TYPES: Final[Mapping[str, str]] = {
    "aws:ec2/vpc:Vpc": "network",
    "aws:ec2/subnet:Subnet": "part",
    "aws:ec2/securityGroup:SecurityGroup": "firewall",
    "aws:ec2/securityGroupRule:SecurityGroupRule": "firewall",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "firewall",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "firewall",
    "aws:ec2/instance:Instance": "server",
    "aws:ec2/keyPair:KeyPair": "part",
    "aws:ebs/volume:Volume": "volume",
    "aws:ec2/volumeAttachment:VolumeAttachment": "part",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:s3/bucketVersioning:BucketVersioning": "part",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "part",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "part",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": "part",
    "aws:s3/bucketV2:BucketV2": "bucket",
    "aws:s3/bucketVersioningV2:BucketVersioningV2": "part",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": "part",
    "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2": "part",
    "aws:rds/instance:Instance": "database",
    "aws:backup/plan:Plan": "backup_plan",
    "aws:backup/selection:Selection": "part",
    "aws:backup/vault:Vault": "vault",
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": "part",
    "aws:kms/key:Key": "key",
    "aws:lb/loadBalancer:LoadBalancer": "load_balancer",
    "aws:lb/listener:Listener": "part",
}
"""Neutral type by token; `part` says more about another resource and is judged with it."""

_VIEWS: Final[Mapping[str, Callable[[Inputs], dict[str, object]]]] = {
    "Vpc": aws_network.network,
    "Subnet": aws_network.subnet,
    "SecurityGroup": aws_network.firewall,
    "SecurityGroupRule": aws_network.one_rule,
    "SecurityGroupIngressRule": aws_network.ingress_rule,
    "SecurityGroupEgressRule": aws_network.egress_rule,
    "LoadBalancer": aws_network.load_balancer,
    "Listener": aws_network.listener,
    "KeyPair": aws_servers.key_pair,
    "VolumeAttachment": aws_servers.attachment,
    "Bucket": aws_storage.bucket,
    "BucketVersioning": aws_storage.versioning,
    "BucketServerSideEncryptionConfiguration": aws_storage.encryption,
    "BucketPublicAccessBlock": aws_storage.public_access_block,
    "BucketObjectLockConfiguration": aws_storage.object_lock,
    "Volume": aws_storage.volume,
    "Key": aws_storage.key,
    "Plan": aws_backup.plan,
    "Selection": aws_backup.selection,
    "Vault": aws_backup.vault,
    "VaultLockConfiguration": aws_backup.vault_lock,
}
_INSTANCES: Final = {
    "aws:ec2/instance:Instance": aws_servers.server,
    "aws:rds/instance:Instance": aws_storage.database,
}
_BY_TOKEN: Final = {token: _INSTANCES.get(token) or _VIEWS[kind_of(token)] for token in TYPES}


def facts(token: str, name: str, properties: Mapping[str, object]) -> Mapping[str, object]:
    """The neutral facts of one resource; those of other vendors are neutral already."""
    view = _BY_TOKEN.get(token)
    if view is None:
        return properties
    tags = tags_of(properties)
    own = "" if isinstance(tags, Unknown) else tags.get("Name", "")
    return {"name": own or name, "tags": tags, **view(properties)}

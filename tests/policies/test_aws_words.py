"""Amazon's words for rules, sizes, schedules and keys in the neutral ones, unknown and odd ones included."""

from __future__ import annotations

from typing import Any

import pytest

from policies.facts import UNKNOWN, Unknown, UnknownFactError
from policies.model import Subject
from policies.subjects.resources import resource_subject, whole

GROUP = "aws:ec2/securityGroup:SecurityGroup"
RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
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


def made(
    token: str, name: str = "x", edges: dict[str, tuple[str, ...]] | None = None, **inputs: Any
) -> Subject:
    return resource_subject(token, urn(token, name), name, inputs, is_component=False, depends_on=edges)


def urn(token: str, name: str = "x") -> str:
    return f"urn:pulumi:acme-demo::steward::{token}::{name}"


def rules(subject: Subject, key: str = "rules") -> list[tuple[object, ...]]:
    side = "source" if key == "rules" else "target"
    return [
        tuple(row.get(each) for each in ("port", "toPort", "protocol", side))
        for row in subject.facts.rows(key)
    ]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (
            {"fromPort": 22, "toPort": 22, "protocol": "tcp", "cidrBlocks": ["0.0.0.0/0"]},
            (22, None, "tcp", "anywhere"),
        ),
        (
            {"fromPort": 22, "toPort": 22, "protocol": "6", "ipv6CidrBlocks": ["::/0"]},
            (22, None, "tcp", "anywhere"),
        ),
        (
            {"fromPort": 0, "toPort": 65535, "protocol": "TCP", "cidrBlocks": ["10.0.0.0/8"]},
            (1, 65535, "tcp", "10.0.0.0/8"),
        ),
        ({"fromPort": 0, "toPort": 0, "protocol": "-1", "self": True}, (1, 65535, "all", "itself")),
        (
            {"fromPort": 8, "toPort": 0, "protocol": "icmp", "cidrBlocks": ["10.0.0.0/8"]},
            (0, None, "icmp", "10.0.0.0/8"),
        ),
        (
            {"fromPort": 53, "toPort": 53, "protocol": "udp", "securityGroups": [UNKNOWN]},
            (53, None, "udp", "a security group"),
        ),
    ],
)
def test_a_rule_in_a_group(inputs: dict[str, Any], expected: tuple[object, ...]) -> None:
    assert rules(made(GROUP, ingress=[inputs])) == [expected]
    assert rules(made(GROUP, egress=[inputs]), "egress") == [expected]


def test_each_source_is_a_row() -> None:
    both = {"fromPort": 80, "toPort": 80, "protocol": "tcp", "cidrBlocks": ["10.0.0.0/8", "0.0.0.0/0"]}
    found = made(GROUP, ingress=[both | {"prefixListIds": ["pl-1"]}])

    assert [row[3] for row in rules(found)] == ["10.0.0.0/8", "anywhere", "a prefix list"]
    with pytest.raises(UnknownFactError, match="prefix list pl-1 is kept outside"):
        found.facts.rows("rules")[2].texts("addresses")


def test_rules_beside_their_group_know_the_server_that_it_guards() -> None:
    group = made(GROUP, "sg")
    server = made(INSTANCE, "web-1", {"vpcSecurityGroupIds": (group.urn,)})
    older = made(RULE, "a", {"securityGroupId": (group.urn,)}, type="ingress", fromPort=22, toPort=22,
                 protocol="tcp", cidrBlocks=["0.0.0.0/0"])  # fmt: skip
    newer = made(INGRESS, "b", {"securityGroupId": (group.urn,)}, fromPort=22, toPort=23, ipProtocol="tcp",
                 cidrIpv6="::/0")  # fmt: skip
    out = made(EGRESS, "c", ipProtocol="-1", cidrIpv4="0.0.0.0/0")

    found = {each.name: each for each in whole([group, server, older, newer, out])}

    assert rules(found["a"]) == [(22, None, "tcp", "anywhere")]
    assert rules(found["b"]) == [(22, 23, "tcp", "anywhere")]
    assert rules(found["c"], "egress") == [(1, 65535, "all", "anywhere")]
    assert found["sg"].depends_on["server"] == found["a"].depends_on["server"] == (server.urn,)


@pytest.mark.parametrize(
    ("kind", "size"),
    [("t3.micro", (2, 1)), ("m7i.2xlarge", (8, 32)), ("c7g.large", (2, 4)), ("r6i.xlarge", (4, 32))],
)
def test_the_size_of_an_instance(kind: str, size: tuple[float, float]) -> None:
    facts = made(INSTANCE, instanceType=kind).facts
    assert (facts.number("cpus"), facts.number("memoryGib")) == size


@pytest.mark.parametrize("kind", ["u-6tb1.metal", "m5.metal", "", "t3.huge", "mac2.metal", UNKNOWN])
def test_an_instance_type_without_a_known_size_is_unknown(kind: object) -> None:
    with pytest.raises(UnknownFactError):
        made(INSTANCE, instanceType=kind).facts.number("cpus")


def test_what_an_instance_does_not_say_is_not_taken_for_good() -> None:
    facts = made(INSTANCE).facts
    assert (facts.text("metadataTokens"), facts.flag("terminationProtection")) == ("optional", False)
    for key in ("diskEncrypted", "publicAddress"):
        with pytest.raises(UnknownFactError):
            facts.flag(key)
    with pytest.raises(UnknownFactError, match="no resource of this stack"):
        made(INSTANCE, keyName="theirs").facts.texts("authorizedKeys")
    disks = made(INSTANCE, rootBlockDevice={"encrypted": True}, ebsBlockDevices=[{"encrypted": False}])
    assert not disks.facts.flag("diskEncrypted")


def test_a_subnet_decides_about_public_addresses() -> None:
    subnet = made(SUBNET, mapPublicIpOnLaunch=True)
    (_, server) = whole([subnet, made(INSTANCE, "web-1", {"subnetId": (subnet.urn,)})])
    assert server.facts.flag("publicAddress")


def test_what_no_part_says_is_said_not_to_be() -> None:
    alone = made(BUCKET)
    with pytest.raises(UnknownFactError, match="another resource of the stack"):
        alone.facts.flag("versioning")
    (bucket,) = whole([alone])
    assert (bucket.facts.flag("versioning"), bucket.facts.flag("publicAccessBlocked")) == (False, False)


def test_a_part_without_a_known_owner_leaves_every_bucket_unknown() -> None:
    four = dict.fromkeys(
        ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
    )
    bucket, stray = made(BUCKET, bucket="b"), made(BLOCK, "stray", bucket=UNKNOWN, **four)
    with pytest.raises(UnknownFactError):
        whole([bucket, stray])[0].facts.flag("publicAccessBlocked")
    named = made(BLOCK, "named", bucket="b", **four)
    assert whole([bucket, named])[0].facts.flag("publicAccessBlocked")


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ({"defaultRetention": {"mode": "COMPLIANCE", "days": 40}}, 40),
        ({"defaultRetention": {"mode": "COMPLIANCE", "years": 2}}, 730),
        ({"defaultRetention": {"mode": "GOVERNANCE", "days": 40}}, 0),
        ({}, 0),
    ],
)
def test_only_a_lock_that_nobody_can_lift_counts(rule: dict[str, Any], days: int) -> None:
    bucket = made(BUCKET)
    assert (
        whole([bucket, made(LOCK, "l", {"bucket": (bucket.urn,)}, rule=rule)])[0].facts.whole("lockedDays")
        == days
    )


def test_a_vault_knows_its_lock_and_a_balancer_its_listeners() -> None:
    vault, balancer = made(VAULT), made(BALANCER)
    lock = made(VAULT_LOCK, "l", {"backupVaultName": (vault.urn,)}, minRetentionDays=30)
    redirect = {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443"}}
    listener = made(LISTENER, "80", {"loadBalancerArn": (balancer.urn,)}, port=80, protocol="HTTP",
                    defaultActions=[redirect])  # fmt: skip

    found = whole([vault, lock, balancer, listener])

    assert found[0].facts.whole("lockedDays") == 30
    (row,) = found[2].facts.rows("listeners")
    assert (row.whole("port"), row.text("protocol"), row.text("redirectsTo")) == (80, "http", "https")


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("cron(0 * ? * * *)", 3600),
        ("cron(0 */6 ? * * *)", 21600),
        ("cron(0 5 ? * * *)", 86400),
        ("cron(0 5 ? * SUN *)", 604800),
    ],
)
def test_the_gap_of_a_schedule(schedule: str, seconds: int) -> None:
    plan = made(
        PLAN, rules=[{"schedule": schedule, "targetVaultName": "v", "lifecycle": {"deleteAfter": 35}}]
    )
    assert plan.facts.whole("longestGapSeconds") == seconds
    assert plan.facts.table("keep").whole("weekly") == 5
    assert plan.facts.table("keep").whole("daily") == (0 if seconds == 604800 else 35)


@pytest.mark.parametrize(
    "schedule", ["rate(1 day)", "cron(0 5 1 * ? *)", "cron(0 5,17 ? * * *)", "", UNKNOWN]
)
def test_a_schedule_of_no_plain_kind_is_unknown(schedule: object) -> None:
    plan = made(PLAN, rules=[{"schedule": schedule}])
    with pytest.raises(UnknownFactError):
        plan.facts.whole("longestGapSeconds")


def test_a_plan_is_of_the_stack_whose_vault_it_names_and_covers_by_tag() -> None:
    server = made(INSTANCE, "db-1", tags={"backup": "daily"})
    volume = made("aws:ebs/volume:Volume", "db-1-data", size=10)
    attached = made("aws:ec2/volumeAttachment:VolumeAttachment", "a",
                    {"instanceId": (server.urn,), "volumeId": (volume.urn,)})  # fmt: skip
    plan = made(PLAN, rules=[{"schedule": "cron(0 5 ? * * *)", "targetVaultName": "main"}])
    vault = resource_subject(VAULT, urn(VAULT), "x", {"name": "main"}, is_component=False)
    chosen = made(SELECTION, "s", {"planId": (plan.urn,)},
                  selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "daily"}])  # fmt: skip

    found = {each.type: each for each in whole([server, volume, attached, plan, vault, chosen])}

    assert found["backup_plan"].facts.table("repository").text("stack") == "acme-demo"
    (row,) = found["backup_plan"].facts.rows("covers")
    assert (row.text("server"), row.text("volume")) == ("db-1", "data")
    assert found["server"].depends_on["volumes"] == (volume.urn,)
    with pytest.raises(UnknownFactError, match="promises none"):
        found["backup_plan"].facts.whole("rpoSeconds")


def test_passwords_and_user_scripts_are_no_facts() -> None:
    found = [
        made("aws:rds/instance:Instance", password="hunter2", username="admin"),
        made(INSTANCE, userData="hunter2", userDataBase64="hunter2"),
    ]
    assert "hunter2" not in repr([each.facts.raw() for each in whole(found)])


def test_unknown_properties_stay_unknown_as_a_whole() -> None:
    subject = resource_subject(BUCKET, urn(BUCKET), "x", UNKNOWN, is_component=False)
    assert isinstance(whole([subject])[0].facts.raw(), Unknown)
    with pytest.raises(UnknownFactError):
        made(GROUP, ingress=[7]).facts.rows("rules")[0].whole("port")

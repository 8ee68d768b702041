"""The ids of controls exist in the frameworks that they are said to be of."""

from __future__ import annotations

import re

import pytest

from policies.controls import load_frameworks

FORMS = {
    "cis-aws": r"\d\.\d{1,2}(\.\d)?",
    "cis-controls-8": r"\d{1,2}\.\d{1,2}",
    "cis-debian-12": r"\d(\.\d{1,2}){1,4}",
    "iso-27001": r"A\.[5-8]\.\d{1,2}",
    "nist-800-53": r"[A-Z]{2}-\d{1,2}(\(\d{1,2}\))?",
    "pci-dss-4": r"\d{1,2}(\.\d{1,2}){2,4}",
    "soc-2": r"(A|C|CC|P|PI)\d\.\d",
}
LAST = {
    "cis-aws": "1. 22, 2.1. 4, 2.2. 1, 2.3. 3, 2.4. 1, 3. 9, 4. 16, 5. 6",
    "cis-controls-8": """
        1. 5, 2. 7, 3. 14, 4. 12, 5. 6, 6. 8, 7. 7, 8. 12, 9. 7, 10. 7, 11. 5, 12. 8, 13. 11, 14.
        9, 15. 7, 16. 14, 17. 9, 18. 5
        """,
    "cis-debian-12": """
        1.1.1. 10, 1.1.2.1. 4, 1.1.2.2. 4, 1.1.2.3. 3, 1.1.2.4. 3, 1.1.2.5. 4, 1.1.2.6. 4,
        1.1.2.7. 4, 1.2.1. 2, 1.2.2. 1, 1.3.1. 4, 1.4. 2, 1.5. 5, 1.6. 6, 1.7. 10, 2.1. 22, 2.2.
        6, 2.3.1. 1, 2.3.2. 2, 2.3.3. 3, 2.4.1. 8, 2.4.2. 1, 3.1. 3, 3.2. 4, 3.3. 11, 4.1. 1, 4.2.
        7, 4.3. 10, 4.4.1. 3, 4.4.2. 4, 4.4.3. 4, 5.1. 22, 5.2. 7, 5.3.1. 3, 5.3.2. 4, 5.3.3.1. 3,
        5.3.3.2. 8, 5.3.3.3. 3, 5.3.3.4. 4, 5.4.1. 6, 5.4.2. 8, 5.4.3. 3, 6.1.1. 4, 6.1.2.1. 4,
        6.1.2. 4, 6.1.3. 8, 6.1.4. 1, 6.2.1. 4, 6.2.2. 4, 6.2.3. 21, 6.2.4. 10, 6.3. 3, 7.1. 13,
        7.2. 10
        """,
    "iso-27001": "A.5. 37, A.6. 8, A.7. 14, A.8. 34",
    "nist-800-53": """
        AC- 25, AT- 6, AU- 16, CA- 9, CM- 14, CP- 13, IA- 12, IR- 9, MA- 7, MP- 8, PE- 23, PL- 11,
        PM- 32, PS- 9, PT- 8, RA- 10, SA- 23, SC- 51, SI- 23, SR- 12
        """,
    "pci-dss-4": """
        1.1. 2, 1.2. 8, 1.3. 3, 1.4. 5, 1.5. 1, 2.1. 2, 2.2. 7, 2.3. 2, 3.1. 2, 3.2. 1, 3.3. 3,
        3.4. 2, 3.5. 1, 3.6. 1, 3.7. 9, 4.1. 2, 4.2. 2, 5.1. 2, 5.2. 3, 5.3. 5, 5.4. 1, 6.1. 2,
        6.2. 4, 6.3. 3, 6.4. 3, 6.5. 6, 7.1. 2, 7.2. 6, 7.3. 3, 8.1. 2, 8.2. 8, 8.3. 11, 8.4. 3,
        8.5. 1, 8.6. 3, 9.1. 2, 9.2. 4, 9.3. 4, 9.4. 7, 9.5. 1, 10.1. 2, 10.2. 2, 10.3. 4, 10.4.
        3, 10.5. 1, 10.6. 3, 10.7. 3, 11.1. 2, 11.2. 2, 11.3. 2, 11.4. 7, 11.5. 2, 11.6. 1, 12.1.
        4, 12.2. 1, 12.3. 4, 12.4. 2, 12.5. 3, 12.6. 3, 12.7. 1, 12.8. 5, 12.9. 2, 12.10. 7
        """,
    "soc-2": """
        CC1. 5, CC2. 3, CC3. 4, CC4. 2, CC5. 3, CC6. 8, CC7. 5, CC8. 1, CC9. 2, A1. 3, C1. 2, PI1.
        5, P1. 1, P2. 1, P3. 2, P4. 3, P5. 2, P6. 7, P7. 1, P8. 1
        """,
}
"""Of each group of a framework's version that is used here, how many controls it has."""
WITHDRAWN = """
    AC-13 AC-15 AT-5 AU-15 CA-4 CP-5 PE-7 PL-3 PL-5 PL-6 RA-4 SA-6 SA-7 SA-12 SA-13 SA-14 SA-18
    SA-19 SC-9 SC-14 SC-19 SC-33 SI-9
    """
"""In revision 5 of NIST SP 800-53."""
PHYSICAL = {"pci-dss-4": "9.", "iso-27001": "A.7."}
"""No rule looks at doors, visitors or media on a shelf."""


def exists(framework: str, control: str) -> bool:
    """Whether a framework has a control; of an enhancement or a part, whether it has what that belongs to."""
    whole = re.sub(r"\(\d+\)$", "", control)
    if framework == "pci-dss-4":
        whole = ".".join(control.split(".")[:3])
    group, number = re.fullmatch(r"(.*?)(\d+)", whole).groups()  # type: ignore[union-attr]
    last = dict(entry.split() for entry in LAST[framework].split(","))
    return group in last and 1 <= int(number) <= int(last[group]) and whole not in WITHDRAWN.split()


@pytest.mark.parametrize("framework", sorted(load_frameworks()))
def test_each_control_has_the_form_of_its_framework_and_exists_there(framework: str) -> None:
    controls = load_frameworks()[framework].controls
    assert [each for each in controls if not re.fullmatch(FORMS[framework], each)] == []
    assert [each for each in controls if not exists(framework, each)] == []
    assert [each for each in controls if each.startswith(PHYSICAL.get(framework, "-"))] == []


@pytest.mark.parametrize(
    ("framework", "control"),
    [
        ("cis-aws", "2.4.2"),
        ("cis-controls-8", "18.6"),
        ("cis-debian-12", "6.3.1.1"),
        ("cis-debian-12", "6.2.1.1.5"),
        ("iso-27001", "A.8.35"),
        ("iso-27001", "A.9.1"),
        ("nist-800-53", "SA-12"),
        ("nist-800-53", "AC-26"),
        ("pci-dss-4", "8.2.9"),
        ("soc-2", "CC9.3"),
    ],
)
def test_a_control_that_is_in_no_framework_is_seen(framework: str, control: str) -> None:
    assert not exists(framework, control)

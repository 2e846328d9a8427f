"""Open vocabularies of STIX 2.1 with Errata 01: other values are allowed, and worth a warning.

Closed vocabularies (enums) are part of the JSON schemas and refuse. Vocabularies that are not listed here are
taken from the schemas of their type, see `checks.py`.
"""

from typing import Final

VOCABULARIES: Final[dict[str, frozenset[str]]] = {
    name: frozenset(terms.split())
    for name, terms in {
        "account-type-ov": "facebook ldap nis openid radius skype tacacs twitter unix windows-local windows-domain",
        "grouping-context-ov": "suspicious-activity malware-analysis unspecified",
        "identity-class-ov": "individual group system organization class unknown",
        "indicator-type-ov": (
            "anomalous-activity anonymization benign compromised malicious-activity attribution unknown"
        ),
        "industry-sector-ov": (
            "agriculture aerospace automotive chemical commercial communications construction defense education energy "
            "entertainment financial-services government emergency-services government-local government-national "
            "government-public-services government-regional healthcare hospitality-leisure infrastructure dams nuclear "
            "water insurance legal manufacturing mining non-profit pharmaceuticals retail technology "
            "telecommunications transportation utilities"
        ),
        "infrastructure-type-ov": (
            "amplification anonymization botnet command-and-control control-system exfiltration firewall "
            "hosting-malware hosting-target-lists phishing reconnaissance routers-switches staging workstation unknown"
        ),
        "pattern-type-ov": "stix pcre sigma snort suricata yara",
        "report-type-ov": (
            "attack-pattern campaign identity incident indicator intrusion-set malware observed-data threat-actor "
            "threat-report tool vulnerability"
        ),
        "threat-actor-role-ov": (
            "agent director independent infrastructure-architect infrastructure-operator malware-author sponsor"
        ),
        "threat-actor-type-ov": (
            "activist competitor crime-syndicate criminal hacker insider-accidental insider-disgruntled nation-state "
            "private-sector sensationalist spy terrorist unknown"
        ),
    }.items()
}

# Which property of which type takes its values from which vocabulary.
VOCABULARY_OF: Final[dict[str, dict[str, str]]] = {
    "grouping": {"context": "grouping-context-ov"},
    "identity": {"identity_class": "identity-class-ov", "sectors": "industry-sector-ov"},
    "indicator": {"indicator_types": "indicator-type-ov", "pattern_type": "pattern-type-ov"},
    "infrastructure": {"infrastructure_types": "infrastructure-type-ov"},
    "intrusion-set": {
        "primary_motivation": "attack-motivation-ov",
        "resource_level": "attack-resource-level-ov",
        "secondary_motivations": "attack-motivation-ov",
    },
    "location": {"region": "region-ov"},
    "malware": {
        "architecture_execution_envs": "processor-architecture-ov",
        "capabilities": "malware-capabilities-ov",
        "implementation_languages": "implementation-language-ov",
        "malware_types": "malware-type-ov",
    },
    "malware-analysis": {"result": "malware-av-result-ov"},
    "report": {"report_types": "report-type-ov"},
    "threat-actor": {
        "personal_motivations": "attack-motivation-ov",
        "primary_motivation": "attack-motivation-ov",
        "resource_level": "attack-resource-level-ov",
        "roles": "threat-actor-role-ov",
        "secondary_motivations": "attack-motivation-ov",
        "sophistication": "threat-actor-sophistication-ov",
        "threat_actor_types": "threat-actor-type-ov",
    },
    "tool": {"tool_types": "tool-type-ov"},
    "user-account": {"account_type": "account-type-ov"},
}

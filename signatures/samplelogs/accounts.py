"""Accounts and prompt templates: who sends, and from what. They are decided before the first event, one by one.

What a gateway knows of an account stands in `Account`; how its owner behaves stands beside it, and no column shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

NO_TEMPLATE: Final = -1


@dataclass(slots=True, frozen=True)
class Plan:
    """What an account may use. quota: requests in an hour of the clock."""

    name: str
    quota: int


@dataclass(slots=True, frozen=True)
class Template:
    """What prompts have in common once their slots are taken out.

    family: as curators of the provider labelled it; "" for none. asks_reasoning, grades: share of the requests of which
    a classifier says so. prefix: name of a text that stands before every prompt; "" for none. tokens: mean of input,
    output and reasoning.
    """

    family: str
    task: str
    asks_reasoning: float
    grades: float
    prefix: str
    tokens: tuple[int, int, int]


@dataclass(slots=True)
class Account:
    """An account. created_ms may lie before the log begins; blocks: (from, to) of times in which it is shut out.

    addresses: first number and count of its client addresses. templates: first number and count in the book.
    loose: the template whose features single prompts have. per_day: requests on an average day. rhythm: name.
    launch_gain: how many times more it sends when a new model is out.
    """

    id: str
    org: str
    plan: Plan
    kyc: str
    use: str
    channel: str
    email_domain: str
    is_disposable: bool
    instrument: str
    payment: str
    is_foreign_card: bool
    country: str
    language: str
    created_ms: int
    key: str
    asn: int
    network: str
    tls: str
    harness: str
    agent: str
    addresses: tuple[int, int]
    campaign: str = ""
    lookalike: str = ""
    templates: tuple[int, int] = (0, 0)
    loose: int = NO_TEMPLATE
    one_off: float = 0.0
    is_batch: bool = False
    logprobs: float = 0.0
    replay: float = 0.0
    samples: int = 1
    per_day: float = 0.0
    rhythm: str = ""
    zone_h: int = 0
    on: float = 1.0
    run_hours: int = 1
    width_ms: int = 0
    unevenness: float = 1.0
    adoption: float = 0.0
    launch_gain: float = 0.0
    blocks: list[tuple[int, int]] = field(default_factory=list)


class TemplateBook:
    """All templates by number."""

    def __init__(self) -> None:
        self.templates: list[Template] = []

    def add(self, template: Template) -> int:
        """The number of a new template."""
        self.templates.append(template)
        return len(self.templates) - 1

"""Settles the honest accounts: populations, their organisations, and the templates that they work with.

It adds organisations until their members together send what the log needs, so more rows mean more customers and
not busier ones. In a small log the last organisation of a population is a small one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from signatures.samplelogs.accounts import Account, Template, TemplateBook
from signatures.samplelogs.actors import ACTORS, Country
from signatures.samplelogs.draws import Dice
from signatures.samplelogs.names import ADDRESSES, domain, fingerprint, identifier, network_number, user_agent
from signatures.samplelogs.span import Span
from signatures.samplelogs.units import MS_PER_DAY, MS_PER_HOUR, MS_PER_SECOND

_OLDEST_DAYS: Final = (1, 800)
_DISPOSABLE: Final = 0.012
_FOREIGN_CARD: Final = 0.04
_HARMLESSLY_MISLABELLED: Final = 0.0004
"""Of templates of honest customers, how many curators put into a family that operators use."""
_MISLABELS: Final = ("extract_code", "extract_reasoning", "extract_rewrite", "extract_agentic")
_COMES_FOR_A_LAUNCH: Final = 0.7
_LAUNCH_DELAY_H: Final = 14.0
_LAUNCH_DAYS: Final = 1.2
_BLOCK_H: Final = (1, 44)


@dataclass(frozen=True, slots=True)
class _Organisation:
    id: str
    domain: str
    country: Country
    addresses: tuple[int, int]
    asn: int
    network: str
    instrument: str
    payment: str
    use: str
    kyc: str
    harness: str
    templates: tuple[int, int]
    loose: int
    is_new: bool


def settle(book: TemplateBook, seed: int, span: Span, rows: int) -> list[Account]:
    """The honest accounts of a log that is to have about `rows` benign requests; their templates go into the book."""
    accounts: list[Account] = []
    for name, population in ACTORS.populations.items():
        accounts += _Settling(population, book, Dice(seed, f"population {name}"), span).until(
            rows * population["share"]
        )
    return accounts


class _Settling:
    """One population."""

    def __init__(self, population: Mapping[str, Any], book: TemplateBook, dice: Dice, span: Span) -> None:
        self._of = population
        self._book = book
        self._dice = dice
        self._span = span
        self._world = {harness: self._templates(f"world {harness}") for harness in population["harnesses"]}
        self._launch_days = _LAUNCH_DAYS * population.get("launch_gain", 0.0)

    def until(self, rows: float) -> Iterator[Account]:
        """Accounts, until they send so many requests."""
        missing = rows
        while missing > 0:
            for account, expected in self._organisation(missing):
                missing -= expected
                yield account

    def _organisation(self, missing: float) -> Iterator[tuple[Account, float]]:
        of, dice = self._of, self._dice
        usual = sum(of["per_day"]) / len(of["per_day"]) * self._span.days
        # The last organisation is no larger than what is left to send.
        members = min(dice.skewed(of["accounts"]), 1 + int(missing / usual))
        organisation = self._make_organisation()
        for _member in range(members):
            account = self._account(organisation)
            days = (self._span.end_ms - max(account.created_ms, self._span.start_ms)) / MS_PER_DAY + self._launch_days
            expected = account.per_day * days
            if expected > missing > 0:
                # One busy account would fill a small log alone.
                account.per_day *= missing / expected
                expected = missing
            yield account, expected

    def _make_organisation(self) -> _Organisation:
        of, dice = self._of, self._dice
        name = identifier("org", dice.word())
        harness = dice.pick(of["harnesses"])
        templates = self._world[harness] if of["templates_of"] == "world" else self._templates(name)
        return _Organisation(
            id=name,
            domain=domain(dice.word()),
            country=dice.pick(ACTORS.countries),
            addresses=(dice.whole((0, ADDRESSES - 1)), dice.whole(of["pool"])),
            asn=network_number(dice.word()),
            network=dice.pick(of["networks"]),
            instrument=identifier("pay", dice.word()),
            payment=dice.pick(of["payments"]),
            use=dice.pick(of["uses"]),
            kyc=dice.pick(of["kyc"]),
            harness=harness,
            templates=templates,
            loose=self._book.add(self._template("", "")),
            is_new=dice.chance(of["new"]),
        )

    def _templates(self, owner: str) -> tuple[int, int]:
        count = self._dice.whole(self._of["templates"])
        prefix = owner if self._of.get("prefix") else ""
        numbers = [self._book.add(self._template(self._family(), prefix)) for _each in range(count)]
        return numbers[0], count

    def _family(self) -> str:
        if self._dice.chance(_HARMLESSLY_MISLABELLED):
            return self._dice.pick(_MISLABELS)
        return str(self._dice.pick(self._of["families"]))

    def _template(self, family: str, prefix: str) -> Template:
        of, dice = self._of, self._dice
        size = dice.between((0.4, 1.6))
        tokens = [int(mean * size) for mean in of["tokens"]]
        # What a classifier says differs more between templates than between the requests of one.
        asks = min(1.0, of.get("asks_reasoning", 0.0) * dice.delay(1.0))
        grades = min(1.0, of.get("grades", 0.0) * dice.between((0.2, 1.8)))
        return Template(
            family, dice.pick(of["tasks"]), round(asks, 4), round(grades, 4), prefix, (tokens[0], tokens[1], tokens[2])
        )

    def _account(self, org: _Organisation) -> Account:
        of, dice, span = self._of, self._dice, self._span
        is_own = of["addresses"] == "account"
        pays_alone = of["instrument"] == "account"
        is_single = of["accounts"][-1] == 1
        network = dice.pick(of["networks"]) if is_own else org.network
        payment = dice.pick(of["payments"]) if pays_alone else org.payment
        is_disposable = is_single and dice.chance(_DISPOSABLE)
        country = dice.pick(ACTORS.countries) if is_single else org.country
        created = self._created(org)
        harness = org.harness if of["templates_of"] == "world" else dice.pick(of["harnesses"])
        account = Account(
            id=identifier("acct", dice.word()),
            org="" if is_single and dice.chance(0.8) else org.id,
            plan=ACTORS.plans[dice.pick(of["plans"])],
            kyc=dice.pick(of["kyc"]) if is_single else org.kyc,
            use=dice.pick(of["uses"]) if is_single else org.use,
            channel=dice.pick(of["channels"]),
            email_domain=domain(dice.word(), disposable=True) if is_disposable else _mailbox(org, dice, is_single),
            is_disposable=is_disposable,
            instrument="" if not payment else identifier("pay", dice.word()) if pays_alone else org.instrument,
            payment=payment,
            is_foreign_card=bool(payment) and dice.chance(_FOREIGN_CARD),
            country=country.code,
            language=country.language if dice.chance(0.6) else "en",
            created_ms=created,
            key=identifier("key", dice.word()),
            asn=network_number(dice.word()) if is_own else org.asn,
            network=network,
            tls=fingerprint(harness, dice.whole((0, 3))),
            harness=harness,
            agent=user_agent(harness, dice.whole((1, 4))),
            addresses=(dice.whole((0, ADDRESSES - 1)), dice.whole(of["pool"])) if is_own else org.addresses,
            lookalike="" if of["name"] == "ordinary" else of["name"],
            templates=self._templates("") if of["templates_of"] == "account" else org.templates,
            loose=org.loose,
            one_off=of["one_off"],
            logprobs=of.get("logprobs", 0.0),
            replay=of.get("replay", 0.0),
            per_day=dice.between(of["per_day"]),
            rhythm=dice.pick(of["rhythms"]),
            zone_h=country.zone_h,
            on=of.get("on", 1.0),
            run_hours=of.get("run_hours", 1),
            width_ms=of.get("width_s", 0) * MS_PER_SECOND,
            unevenness=of.get("unevenness", 1.0),
            adoption=of.get("adoption", 0.0) * dice.between((0.5, 1.0)),
            launch_gain=of.get("launch_gain", 0.0) * dice.between((0.2, 1.8)),
        )
        if dice.chance(of.get("blocked", 0.0)):
            account.blocks.append(_block(account, dice, span))
        return account

    def _created(self, org: _Organisation) -> int:
        dice, span = self._dice, self._span
        is_new = dice.chance(self._of["new"]) if self._of["accounts"][-1] == 1 else org.is_new
        if not is_new:
            return span.start_ms - int(dice.between(_OLDEST_DAYS) * MS_PER_DAY)
        if self._launch_days and dice.chance(_COMES_FOR_A_LAUNCH):
            at = span.release_ms + int(dice.delay(_LAUNCH_DELAY_H) * MS_PER_HOUR)
            return min(at, span.end_ms - MS_PER_HOUR)
        return span.start_ms + dice.whole((0, span.hours * MS_PER_HOUR * 2 // 3))


def _mailbox(org: _Organisation, dice: Dice, is_single: bool) -> str:
    return dice.pick(PROVIDERS) if is_single else org.domain


PROVIDERS: Final[Sequence[str]] = ("mail.example", "post.example", "inbox.example", "letters.example")
"""Where most people have their mail."""


def _block(account: Account, dice: Dice, span: Span) -> tuple[int, int]:
    """An honest account that is shut out by mistake, until its owner has objected."""
    earliest = max(account.created_ms, span.start_ms)
    begin = dice.whole((earliest, span.end_ms - 1))
    return begin, begin + dice.whole(_BLOCK_H) * MS_PER_HOUR + dice.whole((0, MS_PER_HOUR))

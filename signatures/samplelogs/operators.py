"""Simulates operators of campaigns: accounts that are bought, work that is handed out, blocks, and what comes after.

One operator at a time, event by event, in plain Python: campaigns are a hundredth of a log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from signatures.samplelogs.accounts import Account, Template, TemplateBook
from signatures.samplelogs.actors import ACTORS
from signatures.samplelogs.draws import Dice
from signatures.samplelogs.honest import PROVIDERS
from signatures.samplelogs.names import ADDRESSES, domain, fingerprint, identifier, network_number, user_agent
from signatures.samplelogs.pacing import schedule
from signatures.samplelogs.rows import BLOCKED, CREATED, KEY_CREATED, KEY_REVOKED, REQUEST
from signatures.samplelogs.span import Span
from signatures.samplelogs.units import MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND

_KYC: Final = ("email", "email", "phone", "document")
_CHANNELS: Final = ("web", "web", "app", "education", "research", "partner")
_USES: Final = ("", "", "personal", "work", "education", "research")
_DISPOSABLE: Final = 0.45
_FOREIGN_CARD: Final = 0.35
_ATTEMPTS: Final = (1, 4)
_ATTEMPT_S: Final = 12.0
_POOL: Final = (2, 420)
_FRESH_S: Final = 240.0


@dataclass(frozen=True, slots=True)
class Event:
    """Of a campaign. account: number among the campaign's own. template: number in the book. shut_out: refused."""

    at: int
    account: int
    template: int
    model: int
    event: int = REQUEST
    is_loose: bool = False
    is_shut_out: bool = False


@dataclass(slots=True)
class Campaign:
    """One planted campaign, whole."""

    name: str
    accounts: list[Account] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def run_campaign(name: str, number: int, size: float, book: TemplateBook, seed: int, span: Span) -> Campaign:
    """The campaign of this name, such as `d1-slow`. number: of campaigns with this name; size: 1 is its natural size.

    The second campaign of a name is called `d1-slow.2`.
    """
    behaviour, _hyphen, variant = name.partition("-")
    called = name if number == 1 else f"{name}.{number}"
    operator = _Operator(called, ACTORS.behaviours[behaviour], ACTORS.variants[variant], size, book, seed, span)
    return operator.run()


class _Operator:
    def __init__(
        self,
        name: str,
        behaviour: Mapping[str, Any],
        variant: Mapping[str, Any],
        size: float,
        book: TemplateBook,
        seed: int,
        span: Span,
    ) -> None:
        self._of, self._variant, self._book, self._span = behaviour, variant, book, span
        self._dice = Dice(seed, f"campaign {name}")
        self._campaign = Campaign(name)
        self._requests = max(2, round(behaviour["requests"] * size))
        self._tools = self._dice.whole(variant["tools"])
        self._network = self._dice.pick(behaviour["networks"])
        self._addresses = (self._dice.whole((0, ADDRESSES - 1)), self._dice.whole(_POOL))
        self._asns = [network_number(self._dice.word()) for _each in range(self._dice.whole((1, 24)))]
        self._replay = self._dice.between(behaviour.get("replay", [0.0, 0.0]))
        self._cover = self._dice.between(behaviour["cover"])
        self._loose = book.add(Template("", "chat", 0.01, 0.0, "", (620, 400, 60)))
        self._instruments_left = self._members_left = 0
        self._instrument = self._org = self._payment = ""
        self._template_now = -1
        self._uses_of_template = self._rewrite_after = 0
        self._shut: set[int] = set()

    def run(self) -> Campaign:
        dice, of, span = self._dice, self._of, self._span
        # A smaller campaign has fewer accounts too, but not in the same measure.
        share = min(1.0, self._requests / of["requests"]) ** 0.5
        wanted = max(2, round(dice.whole(of["accounts"]) * share))
        count = min(wanted, max(2, self._requests // 2))
        signup_ms = int(dice.between(of["signup_h"]) * MS_PER_HOUR)
        work_ms = int(dice.between(of["work_h"]) * dice.between(self._variant["stretch"]) * MS_PER_HOUR)
        begin, work_begin, work_end = self._placed(signup_ms, work_ms)
        for _each in range(count):
            self._open_account(dice.whole((begin, work_begin - 1)))
        self._templates = [self._make_template() for _each in range(dice.whole(of["templates"]))]
        times = schedule(
            of, self._variant, self._requests, (work_begin, work_end), self._campaign.accounts, dice, span.release_ms
        )
        self._hand_out(times, (work_begin, work_end))
        self._campaign.events.sort(key=lambda event: (event.at, event.account, event.event))
        return self._campaign

    def _placed(self, signup_ms: int, work_ms: int) -> tuple[int, int, int]:
        """When accounts begin to be opened, and the work begins and ends; shortened where the log is too short."""
        span, dice = self._span, self._dice
        length = span.hours * MS_PER_HOUR
        if self._of["pacing"] == "launch":
            delay = dice.between(self._of["delay_h"]) * dice.between(self._variant["stretch"]) * MS_PER_HOUR
            before = min(signup_ms, span.release_ms - span.start_ms) * 0.96
            after = min(delay + work_ms, (span.end_ms - span.release_ms) * 0.96)
            begin = span.release_ms - int(before)
            # The old models are asked first, from the time on when the last account is open.
            return begin, begin + int(before * 0.6) + 1, span.release_ms + int(after)
        shrink = min(1.0, length * 0.94 / (signup_ms + work_ms))
        signup_ms, work_ms = int(signup_ms * shrink), int(work_ms * shrink)
        begin = span.start_ms + int((length - signup_ms - work_ms) * dice.fraction())
        return begin, begin + signup_ms + 1, begin + signup_ms + work_ms

    def _open_account(self, created_ms: int) -> int:
        """Opens an account; its number in the campaign."""
        dice, of, number = self._dice, self._of, len(self._campaign.accounts)
        self._pay_with()
        tool = dice.whole((1, self._tools))
        is_disposable = dice.chance(_DISPOSABLE)
        country = dice.pick(ACTORS.countries)
        mail = domain(dice.word(), disposable=True) if is_disposable else dice.pick(PROVIDERS)
        account = Account(
            id=identifier("acct", dice.word()),
            org=self._org,
            plan=ACTORS.plans[dice.pick(of["plans"])],
            kyc=dice.pick(_KYC),
            use=dice.pick(_USES),
            channel=dice.pick(_CHANNELS),
            email_domain=mail,
            is_disposable=is_disposable,
            instrument=self._instrument,
            payment=self._payment,
            is_foreign_card=bool(self._payment) and dice.chance(_FOREIGN_CARD),
            country=country.code,
            language=country.language if dice.chance(0.4) else "en",
            created_ms=created_ms,
            key=identifier("key", dice.word()),
            asn=dice.pick(self._asns),
            network=self._network,
            tls=fingerprint(self._campaign.name.partition(".")[0], tool) if dice.chance(0.8) else fingerprint("sdk", 1),
            harness=dice.pick(("sdk", "sdk", "web-app", "open-agent")),
            agent=user_agent("sdk", tool),
            addresses=self._addresses,
            campaign=self._campaign.name,
            loose=self._loose,
            replay=self._replay,
            logprobs=0.1,
        )
        self._campaign.accounts.append(account)
        self._log(created_ms, number, CREATED, -1)
        self._log(created_ms + int(dice.delay(2.0) * MS_PER_MINUTE), number, KEY_CREATED, -1)
        return number

    def _pay_with(self) -> None:
        dice, of = self._dice, self._of
        if self._instruments_left <= 0:
            shared = dice.whole(of["per_instrument"]) / dice.between(self._variant["instruments"])
            self._instruments_left = max(1, round(shared))
            self._payment = dice.pick(of["payments"])
            self._instrument = identifier("pay", dice.word()) if self._payment else ""
        if self._members_left <= 0:
            self._members_left = dice.whole(of["per_organisation"])
            self._org = identifier("org", dice.word()) if self._members_left > 1 or dice.chance(0.2) else ""
        self._instruments_left -= 1
        self._members_left -= 1

    def _log(self, at: int, account: int, event: int, template: int) -> None:
        self._campaign.events.append(Event(at, account, template, 0, event))

    def _make_template(self) -> int:
        dice, of = self._dice, self._of
        is_known = dice.chance(of["curated"] * self._variant["curated"])
        classified = self._variant["classified"] * dice.between((0.9, 1.0))
        size = dice.between((0.7, 1.3))
        tokens = [int(mean * size) for mean in of["tokens"]]
        return self._book.add(
            Template(
                family=dice.pick(of["families"]) if is_known else "",
                task=of["task"] if dice.chance(classified) else "chat",
                asks_reasoning=round(of["asks_reasoning"] * classified, 4),
                grades=round(of.get("grades", 0.0) * classified, 4),
                prefix=self._campaign.name if dice.chance(classified) else "",
                tokens=(tokens[0], tokens[1], tokens[2]),
            )
        )

    def _next_template(self) -> int:
        """A template of the work; rewritten from time to time by those who do so."""
        if self._variant["rotate"][1]:
            if self._uses_of_template >= self._rewrite_after:
                self._rewrite_after = self._dice.whole(self._variant["rotate"])
                self._uses_of_template = 0
                self._templates[self._dice.whole((0, len(self._templates) - 1))] = self._make_template()
            self._uses_of_template += 1
        return self._dice.pick(self._templates)

    def _hand_out(self, times: list[tuple[int, int]], work: tuple[int, int]) -> None:
        """Each request to an account, or to one that still works. times: (at, number of an account, or -1 for any)."""
        dice = self._dice
        blocks = self._block_times(work)
        for at, named in times:
            while blocks and blocks[0] <= at:
                self._block(blocks.pop(0))
            account = named if named >= 0 and named not in self._shut else self._any_account(at)
            if dice.chance(self._cover):
                self._request(at, account, self._loose, is_loose=True)
            else:
                self._request(at, account, self._next_template())

    def _block_times(self, work: tuple[int, int]) -> list[int]:
        share = self._dice.between(self._of["blocked"])
        count = min(round(share * len(self._campaign.accounts)), len(self._campaign.accounts) - 1)
        return sorted(self._dice.whole(work) for _each in range(count))

    def _block(self, at: int) -> None:
        """The provider shuts out the account that was seen last; the operator tries again and goes on elsewhere."""
        seen = (event for event in reversed(self._campaign.events) if event.event == REQUEST)
        last = next((event for event in seen if event.account not in self._shut and event.at <= at), None)
        if last is None:
            return
        dice = self._dice
        self._shut.add(last.account)
        self._campaign.accounts[last.account].blocks.append((at, self._span.end_ms))
        self._log(at, last.account, BLOCKED, last.template)
        self._log(at + dice.whole((1, MS_PER_SECOND)), last.account, KEY_REVOKED, -1)
        again = at
        for _attempt in range(dice.whole(_ATTEMPTS)):
            again += 1 + int(dice.delay(_ATTEMPT_S) * MS_PER_SECOND)
            self._request(again, last.account, last.template, is_shut_out=True)
        mean_s = dice.between(self._of["failover_s"]) * dice.between(self._variant["delay"])
        goes_on = at + 1 + int(dice.delay(mean_s) * MS_PER_SECOND)
        self._request(goes_on, self._replacement(goes_on), last.template)

    def _replacement(self, at: int) -> int:
        if self._dice.chance(self._of.get("fresh", 0.0)):
            return self._open_account(at - 1 - int(self._dice.delay(_FRESH_S) * MS_PER_SECOND))
        return self._any_account(at)

    def _any_account(self, at: int) -> int:
        able = [
            number
            for number, account in enumerate(self._campaign.accounts)
            if number not in self._shut and account.created_ms < at
        ]
        return self._dice.pick(able) if able else self._open_account(at - 1)

    def _request(
        self, at: int, account: int, template: int, *, is_loose: bool = False, is_shut_out: bool = False
    ) -> None:
        released = at >= self._span.release_ms
        takes_new = released and (self._of["pacing"] == "launch" or self._dice.chance(0.5))
        event = Event(at, account, template, 2 if takes_new else 0, REQUEST, is_loose, is_shut_out)
        self._campaign.events.append(event)


def moved_into(campaign: Campaign, span: Span) -> Campaign:
    """The campaign without events outside the log."""
    events = [event for event in campaign.events if span.start_ms <= event.at < span.end_ms]
    return replace(campaign, events=events)

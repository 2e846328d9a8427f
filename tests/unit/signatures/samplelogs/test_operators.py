"""Operators do what their variants are named for; at natural size, without any log."""

import statistics
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from signatures.samplelogs import CAMPAIGNS, SampleOptions
from signatures.samplelogs.accounts import TemplateBook
from signatures.samplelogs.clusters import clusters_of
from signatures.samplelogs.operators import Campaign, run_campaign
from signatures.samplelogs.planning import make_plan
from signatures.samplelogs.rows import BLOCKED, CREATED, REQUEST
from signatures.samplelogs.units import MS_PER_HOUR

KINDS = [f"d{number}" for number in range(1, 9)]
SPAN = make_plan(SampleOptions(rows=4_000_000, seed=1, out=Path("log.csv"), days=30)).span


@cache
def campaign(name: str, seed: int = 1) -> tuple[Campaign, TemplateBook]:
    book = TemplateBook()
    return run_campaign(name, 1, 1.0, book, seed, SPAN), book


def requests(name: str) -> list[int]:
    return [event.at for event in campaign(name)[0].events if event.event == REQUEST]


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_no_request_comes_before_its_account_or_gets_through_a_block(name: str) -> None:
    made, _book = campaign(name)
    for event in made.events:
        account = made.accounts[event.account]
        assert event.at >= account.created_ms
        if event.event == REQUEST:
            assert event.is_shut_out == any(begin <= event.at < end for begin, end in account.blocks)
    assert sum(event.event == CREATED for event in made.events) == len(made.accounts)
    assert [event.at for event in made.events] == sorted(event.at for event in made.events)


def test_slow_operators_take_longer() -> None:
    def length(name: str) -> float:
        at = requests(name)
        return float(statistics.quantiles(at)[2] - statistics.quantiles(at)[0])

    assert sum(length(f"{kind}-slow") for kind in KINDS) > 2 * sum(length(f"{kind}-plain") for kind in KINDS)


def test_jittered_operators_rest() -> None:
    def idle_share(name: str) -> float:
        hours = {at // MS_PER_HOUR for at in requests(name)}
        return 1 - len(hours) / (max(hours) - min(hours) + 1)

    assert sum(idle_share(f"{kind}-jittered") for kind in ("d4", "d5", "d6")) > 3 * sum(
        idle_share(f"{kind}-plain") for kind in ("d4", "d5", "d6")
    )


def test_mutated_operators_rewrite_their_templates_and_are_known_less() -> None:
    def templates(name: str) -> set[int]:
        return {event.template for event in campaign(name)[0].events if event.event == REQUEST and not event.is_loose}

    def known(name: str) -> float:
        book = campaign(name)[1]
        families = [book.templates[number].family for number in templates(name)]
        return sum(map(bool, families)) / len(families)

    for kind in KINDS:
        assert len(templates(f"{kind}-mutated")) > 2 * len(templates(f"{kind}-plain")), kind
    assert sum(known(f"{kind}-mutated") for kind in KINDS) < sum(known(f"{kind}-plain") for kind in KINDS)


def test_launches_draw_their_campaign_to_the_new_model() -> None:
    made, _book = campaign("d7-plain")
    late = [event for event in made.events if event.event == REQUEST and event.at >= SPAN.release_ms]
    assert len(late) > 2 * sum(event.event == REQUEST and event.at < SPAN.release_ms for event in made.events)
    assert {event.model for event in late} == {len(SPAN.models) - 1}


def test_a_block_is_followed_by_the_same_template_from_another_account() -> None:
    made, _book = campaign("d8-plain")
    blocks = [event for event in made.events if event.event == BLOCKED]
    assert blocks
    for block in blocks:
        after = (each for each in made.events if each.at > block.at and each.template == block.template)
        other = next(each for each in after if each.event == REQUEST and not each.is_shut_out)
        assert other.account != block.account


def test_bursts_are_dense() -> None:
    gaps = [later - earlier for earlier, later in pairwise(requests("d2-plain"))]
    assert statistics.median(gaps) * 20 < statistics.mean(gaps)


def test_clusters_follow_from_what_is_known_of_accounts() -> None:
    made, _book = campaign("d5-plain")
    clusters = clusters_of(made.accounts)
    by_instrument = {(account.instrument, cluster) for account, cluster in zip(made.accounts, clusters, strict=True)}
    instruments = [account.instrument for account in made.accounts if account.instrument]
    assert len(by_instrument) == len(set(instruments))
    assert all(clusters)
    alone = campaign("d3-plain", 2)[0].accounts[:1]
    assert clusters_of(alone) == [""]

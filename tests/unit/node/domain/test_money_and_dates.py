"""Amounts and dates as registers write them."""

from datetime import UTC, date, datetime

import pytest

from node.domain.dates import DateOrder, parse_date, shanghai_day
from node.domain.money import Money, in_yuan, parse_money


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("50（万元）", 500_000_00, "CNY"),
        ("231万港币", 2_310_000_00, "HKD"),
        ("55万港元", 550_000_00, "HKD"),
        ("12.5万美元", 125_000_00, "USD"),
        ("30(万元人民币)", 300_000_00, "CNY"),
        ("1000万人民币", 10_000_000_00, "CNY"),
        ("1,000,000", 1_000_000_00, "CNY"),
        ("3亿元", 300_000_000_00, "CNY"),
        ("1.2万亿元", 1_200_000_000_000_00, "CNY"),
        ("500000 CNY", 500_000_00, "CNY"),
        ("500000 usd", 500_000_00, "USD"),
        ("５０万元", 500_000_00, "CNY"),
        ("3.456789万", 34_567_89, "CNY"),
        ("10.500000", 10_50, "CNY"),
        ("0", 0, "CNY"),
    ],
)
def test_an_amount_is_read_exactly(text: str, amount: int, currency: str) -> None:
    assert parse_money(text) == Money(amount, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "-5",
        "0.001",
        "1.23456789",
        "12万万元",
        "5 gulden",
        "99999999999999亿",
        "1,00,000",
        "1.2.3",
        "五十万",
    ],
)
def test_what_is_no_exact_amount_is_none(text: str) -> None:
    assert parse_money(text) is None


def test_an_amount_in_yuan_is_rounded_down_at_the_fixed_rates() -> None:
    assert in_yuan(Money(199, "CNY")) == 1
    assert in_yuan(Money(100_00, "HKD")) == 90
    assert in_yuan(Money(12_50, "USD")) == 87


def test_an_amount_hides_itself() -> None:
    assert repr(Money(123_45, "CNY")) == "Money(...)"


@pytest.mark.parametrize(
    "text", ["2024-03-05", "2024/3/5", "2024.3.5", "2024年3月5日", "20240305", "2024-03-05 15:58:27"]
)
def test_a_date_is_read_year_first(text: str) -> None:
    assert parse_date(text) == date(2024, 3, 5)


@pytest.mark.parametrize("text", ["", "2024-02-30", "05-03-2024", "1700-01-01", "2024-W01-1", "2024-3", "yesterday"])
def test_what_is_no_date_year_first_is_none(text: str) -> None:
    assert parse_date(text) is None


def test_another_order_is_read_only_when_it_is_named() -> None:
    assert parse_date("05-03-2024", DateOrder.DMY) == date(2024, 3, 5)
    assert parse_date("03/05/2024", DateOrder.MDY) == date(2024, 3, 5)
    assert parse_date("20240305", DateOrder.DMY) is None


def test_the_day_begins_in_shenzhen() -> None:
    assert shanghai_day(datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert shanghai_day(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == date(2026, 11, 23)

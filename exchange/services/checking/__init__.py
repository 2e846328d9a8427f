"""Verifies everything that is stored, from the start: `manage.py check_exchange`, nightly, and after each test."""

from exchange.services.checking.check import check_exchange
from exchange.services.checking.report import Fault, Report

__all__ = ["Fault", "Report", "check_exchange"]

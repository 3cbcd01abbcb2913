"""Accounts: people, organisations, and who may act for whom."""

"""Offers: what companies and agencies put in, with a budget that is never overdrawn."""

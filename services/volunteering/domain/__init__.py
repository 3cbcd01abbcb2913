"""The aggregates of volunteering: pledges and activities."""

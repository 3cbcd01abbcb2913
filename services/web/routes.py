"""The route table: which service answers for the first segment after `/api`."""

ROUTES = {
    "people": "accounts",
    "tokens": "accounts",
    "keys": "accounts",
    "organisations": "accounts",
    "areas": "web",
    "requests": "requests",
    "pledges": "volunteering",
    "activities": "volunteering",
    "offers": "offers",
    "sponsorships": "offers",
    "events": "feeds",
}

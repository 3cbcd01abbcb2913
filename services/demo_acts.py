"""What people of the demo city do more than once: asking, promising, sponsoring, saying."""

from __future__ import annotations

from services.demo_people import Json, Somebody

Point = tuple[float, float]
Need = tuple[str, int, str]


async def ask(author: Somebody, key: str, title: str, body: str, category: str, at: Point, *needs: Need) -> Json:
    """Ask for help at a place (lon, lat), with needs as (label, quantity, unit)."""
    return await author.make(
        "/api/requests",
        key,
        kind="help",
        title=title,
        body=body,
        category=category,
        location=dict(zip(("lon", "lat"), at, strict=True)),
        needs=[{"label": label, "quantity": quantity, "unit": unit} for label, quantity, unit in needs],
    )


async def report(author: Somebody, key: str, title: str, body: str, category: str, at: Point) -> Json:
    """Report a problem at a place (lon, lat)."""
    location = dict(zip(("lon", "lat"), at, strict=True))
    told = {"kind": "report", "title": title, "body": body, "category": category, "location": location}
    return await author.make("/api/requests", key, **told)


async def find(somebody: Somebody, request: Json) -> Json:
    """A request as it is now."""
    return await somebody.see(f"/api/requests/{request['id']}", lambda _: True)


async def pledge(helper: Somebody, key: str, asked: Json, quantity: int, need: int = 0) -> Json:
    """Promise a quantity, and hear that it is reserved."""
    promised = await _promise(helper, key, asked, quantity, need)
    return await helper.see(f"/api/pledges/{promised['id']}", lambda it: it["status"] != "offered")


async def propose(helper: Somebody, key: str, asked: Json, need: int = 0) -> Json:
    """Promise to come, and see that the requester can decide about it."""
    promised = await _promise(helper, key, asked, 1, need)

    def heard(request: Json) -> bool:
        return promised["id"] in [each["id"] for each in request["contributions"]]

    await helper.see(f"/api/requests/{asked['id']}", heard)
    return promised


async def _promise(helper: Somebody, key: str, asked: Json, quantity: int, need: int) -> Json:
    wish = {"request_id": asked["id"], "need_id": asked["needs"][need]["id"], "quantity": quantity}
    return await helper.make("/api/pledges", f"pledge-{key}", **wish)


async def sponsor(giver: Somebody, key: str, offer: Json, asked: Json, quantity: int) -> Json:
    """Sponsor a need, and hear that it is taken."""
    wish = {"request_id": asked["id"], "need_id": asked["needs"][0]["id"], "quantity": quantity}
    held = await giver.make("/api/sponsorships", f"sponsor-{key}", offer_id=offer["id"], **wish)
    return await giver.see(f"/api/sponsorships/{held['id']}", lambda it: it["status"] != "held")


async def receive(author: Somebody, asked: Json, promised: Json) -> None:
    """Say that it has arrived."""
    await author.do(f"/api/requests/{asked['id']}/contributions/{promised['id']}/receive")


async def support(told: Json, *people: Somebody) -> None:
    """Several have this too."""
    for somebody in people:
        await somebody.do(f"/api/requests/{told['id']}/support")


async def say(somebody: Somebody, key: str, about: Json, text: str) -> None:
    """Comment on a request."""
    await somebody.make(f"/api/requests/{about['id']}/comments", f"comment-{key}", text=text)

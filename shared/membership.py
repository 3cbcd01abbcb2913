"""Who may act for which organisation: a view that each service keeps from accounts' events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson

from shared.auth import Actor
from shared.contracts.accounts import MemberAdded, MemberRemoved, OrganisationRegistered
from shared.decider import Collection
from shared.errors import Forbidden
from shared.events import Envelope, Event
from shared.ids import is_id
from shared.runtime import Context, Reaction
from shared.store import Document

MEMBERSHIPS = Collection("membership")

_PATIENCE_S = 2.0
_STEP_S = 0.02


async def keep_organisation(context: Context, event: OrganisationRegistered, envelope: Envelope) -> None:
    """A new organisation; its owner follows as its first member."""
    await _keep(context, envelope, {"kind": event.kind, "members": {}})


async def keep_member(context: Context, event: MemberAdded, envelope: Envelope) -> None:
    """A member more, or another role."""
    known = await _known(context, envelope.subject)
    await _keep(context, envelope, {**known, "members": {**known["members"], event.person: event.role}})


async def drop_member(context: Context, event: MemberRemoved, envelope: Envelope) -> None:
    """A member less."""
    known = await _known(context, envelope.subject)
    members = {person: role for person, role in known["members"].items() if person != event.person}
    await _keep(context, envelope, {**known, "members": members})


MEMBERSHIP_REACTIONS: dict[type[Event], Sequence[Reaction]] = {
    OrganisationRegistered: (keep_organisation,),
    MemberAdded: (keep_member,),
    MemberRemoved: (drop_member,),
}


async def acting_for(context: Context, person: str, organisation: str) -> Actor:
    """The person as an actor for the organisation; Forbidden if they do not belong to it.

    Somebody may act right after registering, before the event has arrived here: an organisation or member not heard
    of yet is waited for, two seconds at most.
    """
    for _ in range(int(_PATIENCE_S / _STEP_S) if is_id(organisation) else 0):
        document = await context.store.load(MEMBERSHIPS.kind, organisation)
        known = orjson.loads(document.state) if document else None
        if known and person in known["members"]:
            return Actor(person, known["kind"], organisation, known["members"][person])
        if known and known["members"]:
            break
        await asyncio.sleep(_STEP_S)
    raise Forbidden("You do not belong to the organisation in Act-For.", field="Act-For")


async def _known(context: Context, organisation: str) -> dict[str, dict[str, str]]:
    document = await context.store.load(MEMBERSHIPS.kind, organisation)
    known: dict[str, dict[str, str]] = orjson.loads(document.state) if document else {"members": {}}
    return known


async def _keep(context: Context, envelope: Envelope, state: object) -> None:
    await context.store.put([Document(MEMBERSHIPS.kind, envelope.subject, envelope.sequence, orjson.dumps(state))])

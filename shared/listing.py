"""Pages of a list: the parameters every list has, and the usual walk by one column or tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query as Parameter

from shared import paging
from shared.decider import Decider
from shared.runtime import Context
from shared.store import Query

After = Annotated[str | None, Parameter(max_length=500, description="The `next` of the page before.")]
Limit = Annotated[int, Parameter(ge=1, le=200)]


async def page(
    context: Context,
    decider: Decider[Any],
    where: Mapping[str, Any],
    order: str,
    after: str | None,
    limit: int,
    *,
    tags: tuple[str, ...] = (),
    descending: bool = True,
) -> tuple[list[bytes], str | None]:
    """One page of documents that match every given (not None) value and tag, and the next page's cursor or None."""
    given = {name: value for name, value in where.items() if value is not None}
    question = [decider.kind, given, tags, order, descending]
    position = paging.position(after, question, float, object)
    query = Query(
        given,
        tuple((tag,) for tag in tags),
        order,
        descending=descending,
        after=position,
        limit=limit + 1,
    )
    found = await context.store.find(decider.kind, query)
    following = paging.cursor(found[limit - 1].position, question) if len(found) > limit else None
    return [each.document.state for each in found[:limit]], following

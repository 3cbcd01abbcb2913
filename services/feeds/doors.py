"""Who comes in to feeds: anybody to look, somebody to act."""

from typing import Annotated

from fastapi import Depends

from shared.http import Visit, visitor

Anybody = Annotated[Visit, Depends(visitor("feeds"))]
Somebody = Annotated[Visit, Depends(visitor("feeds", known=True))]

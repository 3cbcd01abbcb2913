"""Who comes in to requests: anybody to look, somebody to act."""

from typing import Annotated

from fastapi import Depends

from shared.http import Visit, visitor

Anybody = Annotated[Visit, Depends(visitor("requests"))]
Somebody = Annotated[Visit, Depends(visitor("requests", known=True))]

"""Who comes in to offers: anybody to look, somebody to act."""

from typing import Annotated

from fastapi import Depends

from shared.http import Visit, visitor

Anybody = Annotated[Visit, Depends(visitor("offers"))]
Somebody = Annotated[Visit, Depends(visitor("offers", known=True))]

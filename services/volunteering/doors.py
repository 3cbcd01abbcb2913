"""Who comes in to volunteering: anybody to look, somebody to act."""

from typing import Annotated

from fastapi import Depends

from shared.http import Visit, visitor

Anybody = Annotated[Visit, Depends(visitor("volunteering"))]
Somebody = Annotated[Visit, Depends(visitor("volunteering", known=True))]

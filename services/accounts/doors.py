"""Who comes in to accounts: anybody to look, somebody to act."""

from typing import Annotated

from fastapi import Depends

from shared.http import Visit, visitor

Anybody = Annotated[Visit, Depends(visitor("accounts"))]
Somebody = Annotated[Visit, Depends(visitor("accounts", known=True))]

"""What the OpenAPI document says besides each door's own signature: how to sign in, and the headers of every call."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

_HEADERS = {
    "Act-For": "Id of the organisation that is acted for.",
    "Idempotency-Key": "Names what is made: the same key and body give the same answer.",
    "If-Match": 'The version that the call is meant for, such as "3".',
}


def describe(app: FastAPI) -> None:
    """Have the app's document name the access token and the headers that the doors read themselves."""
    usual = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = usual()
            schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
            schemes["token"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    if path.startswith("/api/"):
                        _complete(operation, method)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(operation: dict[str, Any], method: str) -> None:
    # Anybody may look; what needs somebody answers 401.
    operation["security"] = [{}, {"token": []}]
    names = ["Act-For"]
    names += {"post": ["Idempotency-Key", "If-Match"], "patch": ["If-Match"], "delete": ["If-Match"]}.get(method, [])
    operation.setdefault("parameters", []).extend(
        {"name": name, "in": "header", "required": False, "description": _HEADERS[name], "schema": {"type": "string"}}
        for name in names
    )

"""The gateway: the page, the areas, the API reference, and what operators look at."""

from services.web.areas_api import router as areas
from services.web.assets import router as assets
from services.web.docs import router as docs
from services.web.operations import router as operations
from services.web.page import router as page
from shared.service import Service

SERVICE = Service(name="web", routers=(page, assets, docs, areas, operations))

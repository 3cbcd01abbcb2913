"""The gateway: the page, the areas, and what operators look at."""

from services.web.areas_api import router as areas
from services.web.operations import router as operations
from shared.service import Service

SERVICE = Service(name="web", routers=(areas, operations))

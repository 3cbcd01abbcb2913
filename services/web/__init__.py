"""The gateway: the route table, the page, the areas, and what operators look at. It keeps nothing of its own."""

"""The public events of the city, one file per producing service. They hold no logic."""

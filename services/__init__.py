"""The services of the city. They speak to each other only through events."""

"""The kernel that every service is built on. It knows no service."""

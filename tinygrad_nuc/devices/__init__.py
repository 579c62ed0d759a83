"""The one room that knows of devices: how they are called, what is moved between them, and what a GPU needs."""

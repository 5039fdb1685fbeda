"""The monitor's window: the only place with Qt."""

"""What people use: the monitor window, the alarm log and the ``bedside`` command."""

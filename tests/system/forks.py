"""Run ``bedside`` commands, one after the other, in forks of a process with all imports done.

Each line of standard input has the arguments of a command, as JSON. The output is a line with the process id and, once
the process has ended, a line with its exit status: minus the signal that killed it.
"""

import json
import os
import sys

import aiomqtt  # noqa: F401

import monitor.alarm_log.logger  # noqa: F401
from monitor.cli import main

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = main(json.loads(line))
        finally:
            os._exit(status)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)

"""nova_main.py DAEMON ARGS...: one of Nova's programs, with a second folder of hypervisor drivers.

Nova loads drivers from the package nova.virt only, so that package is extended to search here as well.
"""
import importlib
import os
import sys

name = sys.argv.pop(1)
main = importlib.import_module(f"nova.cmd.{name}").main

import nova.virt  # noqa: E402  the command's module must come first: it patches the standard library

nova.virt.__path__.append(os.environ["LAB_ETC"])
sys.argv[0] = f"nova-{name}"
sys.exit(main())

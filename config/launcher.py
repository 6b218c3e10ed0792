"""What `make run` runs: everything on one machine, Redis first and last.

honcho reads the Procfiles and prints the lines. Its own manager cannot be used: it stops
everything when one process ends, and stops Redis beside the worker that still needs it.
"""

import argparse
import signal
from collections.abc import Sequence
from pathlib import Path

from config.launch_checks import Parent, hold_folder, require_free_ports
from config.launch_output import Output
from config.launch_process import read_procfiles
from config.launch_steps import PORTS, Launch
from config.launch_supervisor import Supervisor
from config.settings import PROJECT_ROOT, load_settings
from gateway.drivers import make_driver

PROCFILES = [PROJECT_ROOT / "Procfile", PROJECT_ROOT / "Procfile.dev"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Check everything, run it, and end it in order whatever happens."""
    options = _parse(arguments)
    settings = load_settings()
    commands = read_procfiles(*(options.procfile or PROCFILES))
    if settings.redis_url:
        commands.pop("redis", None)
    if "gateway" in commands:
        # What it refuses is said once, here, and not at each restart.
        make_driver(load_settings("gateway"))
    ports = {name: getattr(options, name) for name in PORTS if name in commands}
    hold_folder(settings.var_dir)
    require_free_ports(settings.host, ports)
    launch = Launch(settings, commands, ports)
    output = Output([*commands, "run"])
    supervisor = Supervisor(output, Parent() if options.end_with_parent else None)
    _stop_on_signals(supervisor)
    try:
        launch.run(supervisor, output)
    finally:
        supervisor.stop()
        output.finish()


def _stop_on_signals(supervisor: Supervisor) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # `nohup make run` asked for SIGHUP to be ignored. A script's background job inherits an
        # ignored SIGINT without having asked for it.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, supervisor.request_stop)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; ports are 1 to 65535")
    return int(text)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    for name, port in PORTS.items():
        parser.add_argument(f"--{name}-port", dest=name, type=_port, default=port)
    parser.add_argument(
        "--procfile", type=Path, action="append", help="instead of Procfile and Procfile.dev"
    )
    parser.add_argument(
        "--end-with-parent", action="store_true", help="end as soon as the calling make does"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

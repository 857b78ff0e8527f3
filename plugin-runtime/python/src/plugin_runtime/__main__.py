"""``python -m plugin_runtime``: what a library of plugins holds, and wheels of it."""

from __future__ import annotations

import argparse
import sys

from .library import Library
from .signatures import doc, signature
from .wheel import of_library


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m plugin_runtime", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("wheel", help="make a wheel of a library of plugins")
    made.add_argument("library")
    made.add_argument("--name", help="the package's name; without it, that of the library's file")
    made.add_argument("--version", default="0.1.0", help="of the wheel; 0.1.0 if it isn't given")
    made.add_argument("--output", default=".", metavar="FOLDER", help="where it is put")
    listed = commands.add_parser("list", help="tell what plugins a library holds")
    listed.add_argument("library")
    given = parser.parse_args(arguments)
    try:
        if given.command == "wheel":
            print(of_library(given.library, given.output, given.name, given.version))
            return 0
        for plugin in Library(given.library).plugins:
            said = doc(plugin).replace("\n", "\n    ")
            print(f"{plugin.namespace}.{plugin.name}{signature(plugin)}\n    {said}\n")
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

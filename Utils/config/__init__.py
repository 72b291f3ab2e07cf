"""The options of a run: their names, limits and defaults,
the command line, stored settings.

Outside code imports `parse_config` and `Config` from here; ours imports the modules."""

from Utils.config.resolve import Config, parse_config

__all__ = ["Config", "parse_config"]

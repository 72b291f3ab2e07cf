"""The options of a run: names, limits, defaults, the command line, stored settings.

Code outside imports `parse_config` and `Config` from here; ours imports the modules.
"""

from Utils.config.options import Config
from Utils.config.resolve import parse_config

__all__ = ["Config", "parse_config"]

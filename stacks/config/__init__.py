"""The environment files: read, typed and checked before anything is synthesised."""

from stacks.config.loading import ENVIRONMENTS, ROOT, environment_names, load_environment
from stacks.config.model import Alarms, Bootstrap, Endpoint, Environment, Fleet, Image
from stacks.config.problems import ConfigError, Problem

__all__ = [
    "ENVIRONMENTS",
    "ROOT",
    "Alarms",
    "Bootstrap",
    "ConfigError",
    "Endpoint",
    "Environment",
    "Fleet",
    "Image",
    "Problem",
    "environment_names",
    "load_environment",
]

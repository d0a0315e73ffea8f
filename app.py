"""The CDK application: `cdk deploy -c env=dev '**'`, or without npm `python -m stacks.synth local`."""

import sys

from aws_cdk import App

from stacks.bundling import BundlingError
from stacks.config import ConfigError
from stacks.stage import stage_for

app = App()
try:
    stage_for(app, app.node.try_get_context("env"))
except (BundlingError, ConfigError) as error:
    sys.exit(str(error))
app.synth()

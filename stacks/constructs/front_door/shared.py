"""What the front doors of an environment share."""

from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_

from stacks.config import Environment
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.front_door.switches_emptying import SwitchesEmptying
from stacks.constructs.job_image import JobImage
from stacks.constructs.lost_events import LostEvents
from stacks.constructs.state_table import StateTable
from stacks.names import Names


@dataclass(frozen=True)
class Shared:
    """What the front doors of an environment share.

    Parameters
    ----------
    environment
        The environment.
    names
        Names in the stack.
    code
        The Lambda asset.
    key
        Encrypts table, queues, streams and logs.
    table
        Cached answers, jobs and batches.
    lost
        Takes events that could not be delivered.
    image
        What erases audits; None where no front door has one.
    emptying
        Takes what operators switched away; None where no front door has switches.
    """

    environment: Environment
    names: Names
    code: lambda_.Code
    key: EncryptionKey
    table: StateTable
    lost: LostEvents
    image: JobImage | None
    emptying: SwitchesEmptying | None

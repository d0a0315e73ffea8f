"""Lambda's API in parts: functions, what lies beside them, versions and aliases, provisioned concurrency."""

from collections.abc import Callable

from localcloud.service import Service
from localcloud.services.functions.async_invocations import AsyncInvocations
from localcloud.services.functions.code_store import CodeStore
from localcloud.services.functions.function_service import FunctionService
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.provisioning_service import ProvisioningService
from localcloud.services.functions.publishing_service import PublishingService
from localcloud.services.functions.settings_service import FunctionSettingsService


def function_services(
    platform: FunctionPlatform, events: AsyncInvocations, code: CodeStore, assumable: Callable[[str], bool]
) -> list[Service]:
    """Return all of Lambda's services but for event sources; see `FunctionService` for what they take."""
    return [
        FunctionService(platform, events, code, assumable),
        FunctionSettingsService(platform, events),
        PublishingService(platform),
        ProvisioningService(platform),
    ]

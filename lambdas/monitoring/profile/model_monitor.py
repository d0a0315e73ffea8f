"""Files of SageMaker Model Monitor: import of a baseline, export of a baseline and of what a window violates.

The files are those of the *SageMaker AI Developer Guide*: "Schema for Statistics (statistics.json file)", "Schema for
Constraints (constraints.json file)" and "Schema for Violations (constraint_violations.json file)".
"""

from lambdas.monitoring.profile.model_monitor_export import constraints_json, statistics_json, violations_json
from lambdas.monitoring.profile.model_monitor_import import imported

__all__ = ["constraints_json", "imported", "statistics_json", "violations_json"]

"""What a window of live traffic says about the model that answered it. Pure; standard library only."""

from lambdas.monitoring.assessment.assessment import Assessment
from lambdas.monitoring.assessment.features import FeatureDrift
from lambdas.monitoring.assessment.finding import Finding, Kind, Severity
from lambdas.monitoring.assessment.judging import assess
from lambdas.monitoring.assessment.policy import Floors, Policy
from lambdas.monitoring.assessment.summary import Since, Summary

__all__ = [
    "Assessment",
    "FeatureDrift",
    "Finding",
    "Floors",
    "Kind",
    "Policy",
    "Severity",
    "Since",
    "Summary",
    "assess",
]

"""The judge: verdicts on a new version, from counts of requests. Pure; standard library only.

Everything is computed anew from the counts at every look, so a look that is made twice, data that arrive late and a
crash change nothing.
"""

from lambdas.rollout.judge.abtest import Contest, Duel, Winner, contest
from lambdas.rollout.judge.counts import Labelled, Paired, Series, Stratum, Tally
from lambdas.rollout.judge.finding import Finding
from lambdas.rollout.judge.judgement import Judgement, Limits, Verdict, judge

__all__ = [
    "Contest",
    "Duel",
    "Finding",
    "Judgement",
    "Labelled",
    "Limits",
    "Paired",
    "Series",
    "Stratum",
    "Tally",
    "Verdict",
    "Winner",
    "contest",
    "judge",
]

"""The rollout engine's own code against this cloud's physics, in virtual time, while faults strike.

`world` wires it, `schedule` says what is injected, `faults` how a fault strikes, `invariants` what must always hold,
`explore` which schedules are run, and `trace` how a violation is told and replayed.
"""

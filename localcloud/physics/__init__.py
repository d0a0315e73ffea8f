"""What moto lacks, over a `Clock`: endpoints, their containers, traffic, metrics, alarms and autoscaling.

Nothing in here sleeps or starts a thread but `containers` (real processes) and `localcloud.clock.RealClock`, so the
same code serves the local cloud in real time and simulations in virtual time.
"""

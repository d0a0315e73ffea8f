"""The judge beside what others use, by simulation: false alarms, time to find what is bad, good versions promoted."""

"""The order in which a verb goes, and when it stops. Pure order: a StepRunner executes what is yielded."""

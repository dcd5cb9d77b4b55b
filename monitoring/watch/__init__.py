"""The client of the monitor: schedules, runs, labels and history, over AWS's interfaces."""

"""Monitoring schedules: a processing job over what an endpoint captured, again and again.

cron.py         schedule expressions and offsets
definitions.py  what an execution does, however the schedule says it
request.py      the processing job of one execution, in Model Monitor's container contract
merge.py        captured records joined with their labels, for model quality
executions.py   the records of executions; start one, and how it ends
scheduler.py    the thread that starts what is due
"""

"""Running pipelines: from a definition's JSON to jobs.

expressions.py  Get, Std:Join and Std:JsonGet
conditions.py   what a Condition step decides
parameters.py   declared parameters and the strings that an execution is started with
form.py         which type each member of a definition has
definition.py   reading and checking a definition
graph.py        who waits for whom
run_conditions.py  who runs after a failure, and what the execution ends as then
caching.py      cache keys and why a step missed
retries.py      retry policies
step_types.py   which operations stand behind a step type
records.py      executions and steps in the store
outcomes.py     what a step's job and property files say
activity.py     one step that makes a job or a resource
endpoint_step.py, quality_check.py  such steps with more to do
outside.py      what Lambda and Callback steps have in common: lambda_step.py, callback_step.py
step_members.py what those and QualityCheck steps have beside their arguments
activities.py   what does the work of a step, by its type
coverage.py     what runs, for the page that says so
selection.py    which steps of an execution run, and what the others offer
executor.py     one execution, from its first step to its last
recovery.py     executions that a restart cut off
"""

"""State changes of SageMaker resources as EventBridge events, delivered to the targets of the rules that match.

EventBridge lets nobody publish events whose source begins with "aws.", so the local SageMaker does for its own events
what EventBridge does for all others: it reads the rules of the default bus, has EventBridge match them
(TestEventPattern), makes each target's input and calls the target.

shapes.py      a state change as an event
rules.py       the rules that match it, and their targets
inputs.py      what a target gets of the event
targets.py     calling a target
dispatcher.py  queue, order, retries, dead letters
"""

"""Roles under `--enforce-roles`: who may assume them, sessions of them, and what they allow.

MiniStack holds the roles and evaluates policies, so all of that happens in its process; the other parts ask it.

trust.py     may a service assume a role, by its trust policy
sessions.py  credentials of a role for a service, known again after a restart
decisions.py may somebody do something: MiniStack's evaluator
answers.py   the path on MiniStack's port at which the other parts ask
targets.py   what the role of a rule's or schedule's target must allow
client.py    how they ask; it and targets.py import nothing of MiniStack
"""

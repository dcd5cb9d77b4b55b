"""Stand-in for Model Monitor's analyzer on tables: baselines, and checks against them.

job.py           what the container is told, and its outcome
table.py         CSV and JSON lines as columns of text
distribution.py  values with weights, and distances between them
data_quality.py  statistics.json, constraints.json and violations of a table
model_quality.py the same of predictions and labels
"""

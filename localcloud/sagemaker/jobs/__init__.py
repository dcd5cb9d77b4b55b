"""Processing, training and transform jobs: child processes in folders of their own.

lifecycle.py   a job's record, its thread, stop, recovery after a crash
folder.py      where /opt/ml is on this machine
child.py       the process: environment, time limit, end
shipping.py    the log to CloudWatch Logs
transfer.py    S3 to folder and back
archives.py    model.tar.gz
metrics.py     metrics read from the log
serving.py     a model's serving program
processing.py, training.py, transform.py   what each kind of job does, in order
"""

"""Processing, training and transform jobs: child processes in folders of their own.

job_types.py        what differs between the three types of job
lifecycle.py        a job's record, its thread, stop, recovery after a crash
instances.py        how many instances a job has, and what each is told
cluster.py          their processes: names that resolve, one end for all
volume.py           how large an instance's disk may get
interruption.py     how a running job is told to end early
folder.py           where /opt/ml is on this machine
child.py            the process: environment, time limit, end
log_shipping.py     the log to CloudWatch Logs
failure_reasons.py  why a job's program failed
transfer.py         S3 to folder and back
archives.py         model.tar.gz
metrics.py          metrics read from the log
model_server.py     a model's serving program
processing.py, training.py, transform.py   what each kind of job does, in order
"""

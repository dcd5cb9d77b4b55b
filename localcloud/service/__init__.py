"""What each service of ours is made of, whatever it serves: the local SageMaker and Step Functions lie above.

errors.py      an error as AWS answers it
shapes.py      requests and answers against the shapes of a service model
operations.py  the operations that a service implements, by name
endpoint.py    the JSON protocol over HTTP
process.py     the process: its lock, its log, its port
"""

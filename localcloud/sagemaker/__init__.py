"""A local SageMaker: the control plane's JSON 1.1 protocol and the runtime's REST protocol on 127.0.0.1.

server.py      HTTP in and out
protocol.py    requests and responses against botocore's own service model
operations/    one module per kind of resource, a function per API operation
engine/        pipeline definitions: expressions, conditions, caching, retries, execution
jobs/          processing, training and transform jobs as child processes
store.py       metadata on disk
cloud.py       what all of them share
"""

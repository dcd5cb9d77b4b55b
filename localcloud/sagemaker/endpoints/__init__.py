"""Endpoints: models served by supervised child processes, behind the runtime API.

plan.py         what an endpoint runs: variants with their containers, and how it captures; stored with the endpoint
serverless.py   what a serverless variant is, and cannot be
instance.py     one serving process, restarted when it ends
fleet.py        the instances of all variants of one deployment
traffic.py      which fleet, variant and instance gets a request
deployment.py   create, blue/green update with rollback, delete: one thread each
policy.py       the steps of a traffic shift, from a DeploymentConfig
records.py      an endpoint's record and its changes of status
hosting.py      all endpoints of one server; recovery.py: what happens to them when it starts
upstream.py     HTTP to a serving process, over kept-alive connections
invocation.py   one InvokeEndpoint: route, proxy, capture, count
capture.py      captured requests and answers: the record, its place in S3
capture_writer.py  buffers them and writes the files
telemetry.py    CloudWatch metrics of invocations
"""

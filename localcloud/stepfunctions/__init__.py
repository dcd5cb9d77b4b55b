"""A local Step Functions: AWS's API before an interpreter of the Amazon States Language that is kept, not written.

Requests are checked against botocore's service model, what is known is in SQLite, and executions are interpreted by
moto's `moto.stepfunctions.parser` (Apache-2.0), which was developed against AWS's recorded answers. Where that is a
stub or wrong, `engine/overrides` replaces one behaviour a module.
"""

from localcloud.stepfunctions.light import leave_out

leave_out("batch")  # before any module here imports the interpreter

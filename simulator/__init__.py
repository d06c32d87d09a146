"""Schedules of the whole product in virtual time: `python -m simulator` (docs/simulator.md).

`schedules` plays one seed; `world` puts it together from stand-ins of AWS's clients (`dynamodb`,
`s3`, `sqs`, `ec2`, `batch`, ...), the functions (`lambdas`, `handlers`), the state machine
(`machine`, `asl`) and the weather; `invariants` lists what must hold afterwards.
"""

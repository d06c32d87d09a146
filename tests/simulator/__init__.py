"""The compute world, simulated: AWS as fakes on the level of boto3's clients, on virtual time.

What runs in it is the product: the functions' own handlers, use cases, adapters, the state machine
as it is deployed, and the worker's own loop. What is made up: AWS, the clock, and the work itself.

    scheduler   virtual time; processes and their threads, which can be killed at any line
    calls       one call of AWS: how long it takes, whether it fails, who dies of it
    dynamodb, s3, sqs, ec2, stepfunctions, bus     the fakes
    asl         the interpreter of the state machine
    lambdas     the functions, their triggers, retries and dead letters
    machine     what runs on an instance
    weather     what goes wrong, drawn from a seed
    world       everything put together; `invariants` says what must hold in it
"""

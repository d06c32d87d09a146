"""Adapters of Lambda triggers: one decorator per trigger around one use case.

    on_queue   SQS        each message alone; failed ones are retried, then become dead letters
    on_event   EventBridge or schedule, one event
    on_task    Step Functions, one task with an answer
    on_stream  DynamoDB stream, a batch in order
    on_http    API Gateway

Each takes the type of its input (a model, a TypeAdapter of a union, or a function of the envelope),
opens a logged and traced invocation, and passes typed values on. Importing it has no effects.
"""

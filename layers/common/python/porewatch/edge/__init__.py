"""The doors: what Lambda needs around one call of a use case, one decorator for each trigger.

    on_queue   SQS        each message alone; failed ones come again, then go to the dead letters
    on_event   EventBridge or schedule, one event
    on_task    Step Functions, one task with an answer
    on_stream  DynamoDB stream, a batch in order
    on_http    API Gateway

Each takes the type of what comes in (a model, a union's TypeAdapter, or a function of the
envelope), opens a logged and traced invocation, and hands over typed values. Nothing happens at
import.
"""

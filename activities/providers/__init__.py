"""The adapters: one vendor SDK each, nothing but translation.

The law: they speak the words of `activities.model_call` and raise nothing but `ProviderError`. They
never retry (Temporal does), never read the environment (workers do), and open every stream with
`async with`: without it the openai SDK leaves the connection, and the bill, running until the next
garbage collection.
"""

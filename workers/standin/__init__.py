"""The stand-in model server: the vendors' APIs on one loopback port, and the truth about each call.

The law: what it delivers, when, and what it charges for is decided by the rules posted to it, and
every request is written down with the tokens that really left. It thinks nothing; tests and demos
compare forerun's estimates with its log, so nothing of forerun may ever read its tokenizer or its
latency profiles.

    ask -> rules, replies, profiles, noise -> plan -> turn -> exchange

A turn is one of chat, responses, messages, embeddings.
"""

"""What a worker tells about itself: metrics, traces, and where a log line comes from.

The law: nothing here decides anything, and nothing waits for it. All of it is read off what
activities return, by one interceptor; no activity knows that it is watched. Both exports are off
until a setting names an address.
"""

"""A loopback server that speaks the wire formats of OpenAI, Anthropic, Gemini and self-hosted servers like OpenAI's.

For the demo and the tests: the vendors' real SDKs run against it. No model is behind it: its answers are scripted, or
made by a small rule over the question. Run it with `python -m supportbot.emulators.models`.
"""

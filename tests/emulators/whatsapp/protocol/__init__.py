"""The layers below WhatsApp's words: keys, Noise, Signal, protobuf and the binary XML. Pure but for `tokens`."""

"""Records, replay and MQTT transport: from a recording to samples on a topic and back."""

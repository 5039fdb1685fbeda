import asyncio
from types import SimpleNamespace
from typing import Any

from stream.mqtt.amqtt_broker import DelayedDisconnect


async def test_a_disconnect_is_processed_after_all_earlier_messages() -> None:
    """Three messages are queued when the client disconnects; the broker distributes them with a delay."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    for number in range(3):
        queue.put_nowait(number)

    async def disconnected() -> str:
        return "DISCONNECT"

    handler: Any = SimpleNamespace(mqtt_deliver_next_message=queue.get, wait_disconnect=disconnected)
    DelayedDisconnect(SimpleNamespace(delivered_message_queue=queue), handler)  # type: ignore[arg-type]
    disconnect = asyncio.create_task(handler.wait_disconnect())
    for number in range(3):
        assert await handler.mqtt_deliver_next_message() == number
        await asyncio.sleep(0.01)  # distributing
        assert not disconnect.done()
    waiting = asyncio.create_task(handler.mqtt_deliver_next_message())
    assert await asyncio.wait_for(disconnect, 1) == "DISCONNECT"
    waiting.cancel()
    await asyncio.wait([waiting])

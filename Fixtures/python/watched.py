"""An asyncio program whose handlers do not come back now and then: a beat every 20 ms, and in between a
blocking sleep and a computation of 1.5 s each."""

import asyncio
import hashlib
import time


def save_settings():
    time.sleep(1.5)


def reindex():
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        hashlib.sha256(b"x" * 10000).digest()


async def beat():
    while True:
        await asyncio.sleep(0.02)


async def main():
    asyncio.get_running_loop().create_task(beat())
    print("ready", flush=True)
    await asyncio.sleep(4)
    save_settings()
    await asyncio.sleep(4)
    reindex()
    await asyncio.sleep(3)
    print("over", flush=True)
    await asyncio.sleep(600)


asyncio.run(main())

"""An asyncio server: `aio.py MODE` calls hang.way(MODE) in a handler."""
import asyncio, sys
import hang

mode = sys.argv[1]

async def handle(reader, writer): hang.way(mode)

async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    if mode == "idle":
        print("ready", flush=True)
    else:
        await asyncio.open_connection(*server.sockets[0].getsockname())
    await server.serve_forever()

asyncio.run(main())

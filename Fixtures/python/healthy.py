"""threads | asyncio | rest | server | load: programs that do what they are there for, and wait for more."""
import asyncio
import http.server
import queue
import sys
import threading
import time
import urllib.request


def work(jobs):
    while True:
        sum(range(jobs.get()))


def threads():
    jobs = queue.Queue()
    for _ in range(4):
        threading.Thread(target=work, args=(jobs,), daemon=True).start()
    print("ready", flush=True)
    while True:
        jobs.put(2000)
        time.sleep(0.01)


async def tick(period):
    while True:
        await asyncio.sleep(period)


async def ticks():
    tasks = [asyncio.create_task(tick(number / 20)) for number in range(1, 5)]
    print("ready", flush=True)
    await asyncio.gather(*tasks)


async def rest():
    print("ready", flush=True)
    await asyncio.sleep(3600)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"answer")

    def log_message(self, *arguments):
        pass


def ask(port):
    while True:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/").read()


def serve(is_loaded):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if is_loaded:
        threading.Thread(target=ask, args=(server.server_port,), daemon=True).start()
    print("ready", flush=True)
    server.serve_forever()


mode = sys.argv[1]
if mode == "threads":
    threads()
elif mode == "asyncio":
    asyncio.run(ticks())
elif mode == "rest":
    asyncio.run(rest())
else:
    serve(mode == "load")

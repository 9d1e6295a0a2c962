"""Ways to wait, for the handlers of windows and servers: `hang.way(MODE)` is called in one."""
import ctypes, fcntl, os, queue, socket, sqlite3, subprocess, sys, tempfile, threading, time

def lock():
    held, mutex = threading.Event(), threading.Lock()
    def keep():
        with mutex:
            held.set()
            time.sleep(1000)
    threading.Thread(target=keep, name="holder", daemon=True).start()
    held.wait()
    mutex.acquire()

def deadlock():
    one, two, both = threading.Lock(), threading.Lock(), threading.Barrier(2)
    def other():
        with two:
            both.wait()
            one.acquire()
    threading.Thread(target=other, name="other", daemon=True).start()
    with one:
        both.wait()
        two.acquire()

def pipe():
    read, write = os.pipe()
    child = subprocess.Popen(["sleep", "1000"], pass_fds=[write])
    os.close(write)
    os.read(read, 1)

def tcp():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    child = subprocess.Popen(["sleep", "1000"], pass_fds=[listener.fileno()])
    client.recv(1)

def unix():
    ours, theirs = socket.socketpair()
    subprocess.Popen(["sleep", "1000"], pass_fds=[theirs.fileno()])
    theirs.close()
    ours.recv(1)

def sleep(): time.sleep(1000)

def child(): subprocess.run(["sleep", "1000"])

def output(): subprocess.check_output(["sleep", "1000"])

def join():
    thread = threading.Thread(target=time.sleep, args=(1000,), name="job", daemon=True)
    thread.start()
    thread.join()

def condition():
    ready = threading.Condition()
    with ready: ready.wait()

def items(): queue.Queue().get()

def database():
    path = tempfile.mkdtemp() + "/orders.db"
    first = sqlite3.connect(path)
    first.execute("create table t (x)")
    first.execute("begin exclusive")
    second = sqlite3.connect(path, timeout=1000)
    second.execute("insert into t values (1)")

def flock():
    path = tempfile.mkstemp()[1]
    first = open(path, "w")
    fcntl.flock(first, fcntl.LOCK_EX)
    fcntl.flock(open(path, "w"), fcntl.LOCK_EX)

def fifo():
    path = tempfile.mkdtemp() + "/answers"
    os.mkfifo(path)
    open(path).read()

def write():
    read, write = os.pipe()
    subprocess.Popen(["sleep", "1000"], pass_fds=[read])
    os.write(write, bytes(1 << 20))

def busy():
    total = 0
    while True: total += 1

def many():
    import json, re, zlib
    data = {"names": ["a" * n for n in range(300)]}
    while True:
        text = json.dumps(data, indent=1)
        re.findall(r"a+b?", text)
        zlib.compress(text.encode())
        json.loads(text)

def native():
    import hashlib
    while True: hashlib.pbkdf2_hmac("sha256", b"a", b"b", 1000)

def mutex():
    libc = ctypes.CDLL(None)
    lock = ctypes.create_string_buffer(64)
    held = threading.Event()
    def keep():
        libc.pthread_mutex_lock(lock)
        held.set()
        time.sleep(1000)
    threading.Thread(target=keep, name="holder", daemon=True).start()
    held.wait()
    libc.pthread_mutex_lock(lock)

def pool():
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(2) as pool: pool.submit(busy).result()

def way(mode):
    print("ready", flush=True)
    globals()[mode]()

// A server of node: `server.js MODE` waits in the handler of a timer.
const child = require("child_process"), fs = require("fs"), net = require("net");
const ways = {
  idle() { setTimeout(() => console.log("ready"), 100); },
  execSync() { console.log("ready"); child.execSync("sleep 1000"); },
  spawnSync() { console.log("ready"); child.spawnSync("sleep", ["1000"]); },
  readSync() { console.log("ready"); child.spawnSync("mkfifo", ["/tmp/corpus-fifo"]); fs.readFileSync("/tmp/corpus-fifo"); },
  atomics() { console.log("ready"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); },
  loop() { console.log("ready"); let n = 0; while (true) n = (n * 31 + 7) % 1000003; },
  many() { console.log("ready"); while (true) JSON.parse(JSON.stringify({ a: [..."x".repeat(999)].map(c => c + c).sort() })); },
};
net.createServer(() => {}).listen(0, "127.0.0.1");
setTimeout(function onTimer() { ways[process.argv[2]](); }, 200);

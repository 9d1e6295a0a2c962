// freezing.js [TIMES | animate]: node's loop, whose handlers now and then take long. At the line `go` on
// its standard input saveSettings sleeps 0.4 s and reindex computes 0.25 s, TIMES times each (2), with
// 0.3 s of rest before each; then it prints `done SECONDS...`, how long each took.
const times = process.argv[2] || '2';
const cell = new Int32Array(new SharedArrayBuffer(4));
const lengths = [];

function spend(milliseconds) {
  const begin = process.cpuUsage().user;
  let sum = 0;
  while (process.cpuUsage().user - begin < milliseconds * 1000) {
    for (let number = 0; number < 10000; number++) sum += Math.sqrt(number);
  }
  return sum;
}

function saveSettings() { Atomics.wait(cell, 0, 0, 400); }
function reindex() { spend(250); }

function timed(handler) {
  const begin = process.hrtime.bigint();
  handler();
  lengths.push(Number(process.hrtime.bigint() - begin) / 1e9);
}

function act(handlers) {
  if (handlers.length === 0) {
    console.log('done ' + lengths.splice(0).map((length) => length.toFixed(4)).join(' '));
    return;
  }
  setTimeout(() => { timed(handlers[0]); act(handlers.slice(1)); }, 300);
}

function animate() {
  spend(10);
  setTimeout(animate, 7);
}

process.stdin.on('data', (text) => {
  if (!text.toString().includes('go')) return;
  if (times === 'animate') return animate();
  let handlers = [];
  for (let turn = 0; turn < Number(times); turn++) handlers = handlers.concat([saveSettings, reindex]);
  act(handlers);
});
setTimeout(() => process.exit(9), 900000);
setTimeout(() => console.log('ready'), 300);

// Threads that wait by Rust's standard library, named after what they wait for.
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::thread;

fn named(name: &str, body: impl FnOnce() + Send + 'static) {
    thread::Builder::new().name(name.into()).spawn(body).expect("thread");
}

fn main() {
    let lock = Arc::new(Mutex::new(0));
    let shared = Arc::new(RwLock::new(0));
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let guard = lock.lock().expect("lock");
    let writer = shared.write().expect("lock");
    let (a, b, c) = (lock.clone(), shared.clone(), pair.clone());
    named("mutex", move || { drop(a.lock()) });
    named("read_lock", move || { drop(b.read()) });
    named("condition", move || {
        let started = c.0.lock().expect("lock");
        drop(c.1.wait(started));
    });
    named("parking", || loop { thread::park() });
    // Asleep once the counts of their switches have stood still.
    loop {
        let states: Vec<String> = std::fs::read_dir("/proc/self/task").expect("tasks")
            .map(|t| std::fs::read_to_string(t.expect("task").path().join("stat")).unwrap_or_default())
            .collect();
        if states.iter().filter(|s| s.rsplit(')').next().map_or(false, |r| r.trim_start().starts_with('S'))).count() >= 4 { break }
        thread::yield_now();
    }
    println!("ready");
    let _held = (guard, writer);
    loop { thread::park() }
}

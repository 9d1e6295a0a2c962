// Rust: a mutex that another thread keeps; a channel without a sender; a join.
use std::sync::{mpsc, Arc, Mutex};
use std::{env, thread, time::Duration};
fn transfer(mutex: &Mutex<u32>) { println!("ready"); *mutex.lock().unwrap() += 1; }
fn main() {
    let mode = env::args().nth(1).unwrap();
    let mutex = Arc::new(Mutex::new(0));
    let (sender, receiver) = mpsc::channel::<()>();
    let other = mutex.clone();
    let held = thread::Builder::new().name("holder".into()).spawn(move || {
        let _guard = other.lock().unwrap();
        sender.send(()).unwrap();
        thread::sleep(Duration::from_secs(1000));
    }).unwrap();
    receiver.recv().unwrap();
    match mode.as_str() {
        "mutex" => transfer(&mutex),
        "join" => { println!("ready"); held.join().unwrap(); }
        _ => { let (_s, r) = mpsc::channel::<()>(); println!("ready"); r.recv().unwrap(); }
    }
}

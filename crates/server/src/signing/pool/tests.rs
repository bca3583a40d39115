use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard};

use super::*;

const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// A pool of one thread that is busy until the sender is dropped.
async fn busy(bound: usize) -> (SigningPool, mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let pool = SigningPool::with(ONE, bound).unwrap();
    let (release, wait) = mpsc::channel::<()>();
    let (begun, began) = tokio::sync::oneshot::channel();
    let handle = pool.clone();
    let task = tokio::spawn(async move {
        let hold = move || {
            let _ = begun.send(());
            let _ = wait.recv();
        };
        handle.run(Class::Waiting, hold).await.unwrap();
    });
    began.await.unwrap();
    (pool, release, task)
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap()
}

/// Queues a task now and waits for it elsewhere.
fn queue(
    pool: &SigningPool,
    class: Class,
    log: &Arc<Mutex<Vec<Class>>>,
) -> tokio::task::JoinHandle<Result<(), Refused>> {
    let log = log.clone();
    let (jobs, gathered) = together(vec![move || lock(&log).push(class)]);
    let admitted = pool.0.0.push_all(class, jobs);
    tokio::spawn(async move {
        admitted?;
        gathered.wait().await.map(|_| ())
    })
}

#[tokio::test]
async fn the_urgent_are_served_first() {
    let (pool, release, held) = busy(100).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> =
        Class::ALL.iter().rev().chain(&Class::ALL).map(|class| queue(&pool, *class, &order)).collect();
    drop(release);
    held.await.unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let mut sorted = lock(&order).clone();
    sorted.sort();
    assert_eq!(*lock(&order), sorted);
    assert_eq!(sorted.len(), 8);
}

#[tokio::test]
async fn a_full_queue_refuses_the_less_urgent_first_and_says_when_to_come_back() {
    let (pool, release, held) = busy(8).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks: Vec<_> = (0..4).map(|_| queue(&pool, Class::Prefetch, &order)).collect();
    let refused = queue(&pool, Class::Prefetch, &order).await.unwrap().unwrap_err();
    assert!(
        matches!(refused, Refused::Full { queued: 4, room: 4, retry_after, .. } if !retry_after.is_zero()),
        "{refused:?}"
    );
    tasks.extend((0..2).map(|_| queue(&pool, Class::Renewal, &order)));
    assert!(queue(&pool, Class::Renewal, &order).await.unwrap().is_err());
    tasks.extend((0..2).map(|_| queue(&pool, Class::Waiting, &order)));
    assert!(queue(&pool, Class::Waiting, &order).await.unwrap().is_err());
    drop(release);
    held.await.unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_batch_is_answered_together_in_its_order() {
    let pool = SigningPool::with(NonZeroUsize::new(3).unwrap(), 1000).unwrap();
    let squares: Vec<_> = (0..500u64).map(|n| move || n * n).collect();
    let answers = pool.run_all(Class::Renewal, squares).await.unwrap();
    assert!(answers.iter().enumerate().all(|(n, square)| (n * n) as u64 == *square));
    assert_eq!(answers.len(), 500);
}

#[tokio::test]
async fn a_batch_larger_than_the_queue_is_let_into_an_empty_one() {
    let pool = SigningPool::with(ONE, 4).unwrap();
    let tasks: Vec<_> = (0..100).map(|n| move || n).collect();
    assert_eq!(pool.run_all(Class::Prefetch, tasks).await.unwrap().len(), 100);
}

#[tokio::test]
async fn a_caller_who_left_costs_nothing() {
    let (pool, release, held) = busy(100).await;
    let ran = Arc::new(Mutex::new(0));
    let count = {
        let ran = ran.clone();
        move || *lock(&ran) += 1
    };
    {
        let waiting = pool.run(Class::Waiting, count);
        tokio::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    }
    drop(release);
    held.await.unwrap();
    pool.run(Class::Prefetch, || ()).await.unwrap();
    assert_eq!(*lock(&ran), 0);
}

#[tokio::test]
async fn a_task_that_panics_fails_alone() {
    let pool = SigningPool::with(ONE, 10).unwrap();
    let tasks: Vec<Box<dyn FnOnce() -> u8 + Send>> = vec![Box::new(|| 1), Box::new(|| panic!("on purpose"))];
    assert_eq!(pool.run_all(Class::Waiting, tasks).await, Err(Refused::Panicked));
    assert_eq!(pool.run(Class::Waiting, || 7).await, Ok(7));
}

#[tokio::test]
async fn threads_end_with_the_last_handle() {
    let pool = SigningPool::with(ONE, 10).unwrap();
    let queue = Arc::downgrade(&pool.0.0);
    drop(pool);
    while queue.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
}

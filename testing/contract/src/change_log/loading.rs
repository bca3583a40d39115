//! Loading all tables.

use futures_util::future::join;
use model::Write;
use model::ports::ChangeLog;

use super::asked::{batch, contents, done, followed, loaded};
use super::sample::{entry, history};

/// Whether a reader loads or follows, and in however large steps, it ends at the same registry.
pub async fn a_load_gives_what_the_changes_led_to(log: &dyn ChangeLog) {
    batch(log, history()).await;
    let loaded = contents(&loaded(log).await);
    for page in [1, 4, usize::MAX] {
        assert_eq!(contents(&followed(log, page).await), loaded, "in pages of {page}");
    }
}

/// A load beside a writer shows the registry as of the number it answers, not a mixture.
pub async fn a_load_is_of_one_moment(log: &dyn ChangeLog) {
    const EACH: u64 = 30;
    let writing = async {
        for n in 0..EACH {
            done(
                log,
                Write::All(vec![
                    Write::CreateEntry(entry(&format!("a{n}"))),
                    Write::CreateEntry(entry(&format!("b{n}"))),
                ]),
            )
            .await;
        }
    };
    let reading = async {
        loop {
            let snapshot = loaded(log).await;
            let number = snapshot.cursor().number;
            assert_eq!(snapshot.entry_count() as u64, number, "each change made one entry");
            assert_eq!(number % 2, 0, "half a transaction is seen");
            if number == 2 * EACH {
                return;
            }
        }
    };
    join(writing, reading).await;
}
